"""Columns and segments that params.yaml names: one that does not exist, or that is the outcome itself, is refused."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from pipeline.contracts.refusal import Refusal

# Names are read as words between low lines, without accents and capitals: terminationProbability is
# _termination_probability_.
LEAVING = re.compile(
    r"churn|attrit|abandon|cancel|fuga|retenci|retention|_bajas?_|_customer_status_|_terminat|_leav(?:er|ing)s?_|_lapsed_"
    r"|_win_?back|_defect(?:or|ion)|_resign|_non?_?renew|_no_renov|_rescisi|_rescind|_deserci|_has_left_|_left_at_"
    r"|_client[ea]s?_perdid[oa]s?_|_lost_(?:customer|client|account)s?_")
MAY_BE_LEAVING = re.compile(
    r"_(?:exit(?:s|ing)?|leave|quit|lapses?|departures?|salidas?|marchas?|surviv\w+|superviv\w+)_")
FORETOLD = re.compile(r"_(?:p|pr|prob|probs|probabilit\w+|probabilidad\w*|likelihoods?|likely|propens\w+"
                      r"|risks?|riesgos?|scores?|puntuaci\w+|index|indices?|indexes|flags?|marcas?|predict\w*|predicci\w+|forecasts?"
                      r"|reasons?|razon\w*|motivos?|causas?|causes?|codes?|codigos?"
                      r"|surveys?|encuestas?|interviews?|entrevistas?)_")
REASON_OF_END = re.compile(r"_(?:end|ended|fin)_(?:\w+_)?(?:reasons?|causes?|razon\w*|motivos?|causas?)_"
                           r"|_(?:reasons?|causes?|razon\w*|motivos?|causas?)_(?:\w+_)?(?:end|ended|fin)_")
KEYS = frozenset({"customer_id", "period"})
ANSWER = frozenset({"value", "comment", "language", "count_invitations"})  # count_invitations: answers alone, where
# only these were exported; language: of the comment
OF_THE_ANSWER = re.compile(  # what only an answer brings: scores and means of them, counts of answers, who answered
    r"^_(?:score|mean|last_(?:nps|csat|ces)|age_(?:nps|csat|ces))_|_(?:nps|csat|ces)_|_answer(?:s|ed)?_|_responses_|_respond(?:ed|s)_"
    r"|_respuestas?_|_respondi(?:o|do|da)_|_contest(?:o|ado|ada)_")
FILE = "params.yaml"
MOST_TOLD = 20  # names in one sentence


def names_leaving(name: str) -> bool:
    """Whether a column is, by its name, a label, a record or a model of leaving (Spanish or English).

    Words that may mean something else (exit, salida, lapse) count beside one of a model or record of it:
    exit_likelihood, not motorway_exit.
    """
    words = _words(name)
    return bool(LEAVING.search(words) or REASON_OF_END.search(words)
                or (MAY_BE_LEAVING.search(words) and FORETOLD.search(words)))


def is_outcome(name: str) -> bool:
    """Whether a column is what comes after (panel columns end in _next) or, by name, a label or model of leaving."""
    return name.endswith("_next") or names_leaving(name)


def _words(name: str) -> str:
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = unicodedata.normalize("NFKD", split).encode("ascii", "ignore").decode().lower()
    return "_" + re.sub(r"[^a-z0-9]+", "_", plain).strip("_") + "_"


def check_covariates(where: str, names: Iterable[str], panel: Collection[str], instrument: str = "") -> None:
    """Refusals for the covariates of a model on the customer-month panel; panel: its columns, empty without one.

    PARAM-OUTCOME: the column is the outcome or made from it. PARAM-COLUMN: it is a key, the score of `instrument`
    itself, or no column of the panel; the names that serve are told.
    """
    score = {f"score_{instrument}", f"last_{instrument}"}
    serve = sorted(name for name in panel if name not in KEYS | score and not is_outcome(name))
    _refuse(where, names, serve, is_outcome, is_known=len(panel) > 0)


def check_dimensions(where: str, names: Iterable[str], known: Collection[str]) -> None:
    """Refusal PARAM-COLUMN for a breakdown by a column that no linked table has."""
    _refuse(where, names, sorted(known), lambda name: False, is_known=len(known) > 0)


def check_response(where: str, names: Iterable[str], known: Collection[str]) -> None:
    """check_covariates for the model of who answers: what only an answer brings, or what comes after, is refused, and
    so are ids (of customers, answers, tickets, orders), which tell each row from every other."""
    def tells(name: str) -> bool:
        return name in ANSWER or bool(OF_THE_ANSWER.search(_words(name))) or is_outcome(name)

    serve = sorted(name for name in known if not tells(name) and (name.startswith("x_") or not name.endswith("_id")))
    _refuse(where, names, serve, tells, is_known=len(known) > 0)


def segments_of(where: str, declared: Sequence[str], found: Iterable[object]) -> list[str]:
    """The segments to be shown one by one: those declared, or all that the data hold (sorted) where none is.

    found: the segment of every customer, or its distinct values; None and NaN are no segment. Refusal PARAM-SEGMENT for
    a declared name that the data do not hold; without any segment in them all names stand, and the page says that the
    data give none.
    """
    held = sorted({str(value) for value in found if value is not None and value == value})
    for name in declared:
        if held and name not in held:
            more = f" and {len(held) - MOST_TOLD} more" if len(held) > MOST_TOLD else ""
            raise Refusal("PARAM-SEGMENT", f"{where} names {name!r}, a segment that no customer of the data has",
                          file=FILE, found=repr(name), expected="one of " + ", ".join(held[:MOST_TOLD]) + more)
    return list(declared) or held


def _refuse(where: str, names: Iterable[str], serve: list[str], is_out, is_known: bool) -> None:
    expected = "one of " + ", ".join(serve) if serve else None
    for name in names:
        more = {"file": FILE, "found": repr(name), "expected": expected}
        if is_out(name):
            raise Refusal("PARAM-OUTCOME", f"{where} names {name!r}, by its name the outcome or made of it: with it a "
                          "model would explain the outcome by itself", **more)
        if is_known and name not in serve:
            raise Refusal("PARAM-COLUMN", f"{where} names {name!r}, which cannot serve here: there is no such column, "
                          "or it is a key or the score itself", **more)
