"""Columns and segments that params.yaml names: one that does not exist, or that is the outcome itself, is refused."""

import re
from collections.abc import Collection, Iterable, Sequence

from pipeline.contracts.refusal import Refusal

OUTCOME_WORDS = re.compile(r"churn|attrit|abandon|cancel|fuga|retenci|retention|\bbajas?\b|_baja|baja_|customer_status",
                           re.IGNORECASE)
KEYS = frozenset({"customer_id", "period"})
ANSWER = frozenset({"score", "score_up", "value", "responded_at", "comment"})  # what only an answer brings
FILE = "params.yaml"
MOST_TOLD = 20  # names in one sentence


def is_outcome(name: str) -> bool:
    """Whether a column is what comes after (panel columns end in _next) or, by name, a label or model of leaving."""
    return name.endswith("_next") or bool(OUTCOME_WORDS.search(name))


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
    """check_covariates for the model of who answers: what only an answer brings, or what comes after, is refused."""
    def tells(name: str) -> bool:
        return name in ANSWER or is_outcome(name)

    _refuse(where, names, sorted(name for name in known if not tells(name)), tells, is_known=len(known) > 0)


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
