"""Survey answers: one row per record and instrument, each on its own declared scale."""

import re
from collections.abc import Iterable

import narwhals as nw

from pipeline.contracts.params import Instrument, Source
from pipeline.contracts.tables import SURVEYS
from pipeline.ingest import engine
from pipeline.ingest.columns import SCORE_PARTS, TYPES
from pipeline.ingest.rules import Check, mask

WHOLE = ("nps",)  # instruments whose answers are whole numbers by definition


def answer_checks() -> list[Check]:
    """What keeps an answer out; NPS has its own names for the same rules."""
    unread = ~nw.col("t_score").is_null() & nw.col("score").is_null()
    outside = (nw.col("score") < nw.col("scale_min")) | (nw.col("score") > nw.col("scale_max"))
    is_nps = nw.col("instrument") == "nps"
    return [
        Check("NPS-NUM", "score", "quarantined", unread & nw.col("f_number")),
        Check("NPS-LABEL", "score", "quarantined", unread & is_nps),
        Check("CSAT-MAP", "score", "quarantined", unread),
        Check("NPS-RANGE", "score", "quarantined", outside & is_nps),
        Check("SCORE-RANGE", "score", "quarantined", outside),
    ]


def answer_notes() -> list[Check]:
    return [Check("NPS-LABEL", "score", "repaired", nw.col("f_word") & (nw.col("instrument") == "nps")),
            Check("CSAT-MAP", "score", "repaired", nw.col("f_word") & (nw.col("instrument") != "nps")),
            Check("NPS-NUM", "score", "repaired", nw.col("f_written"))]


def melt(records: nw.LazyFrame, source: Source) -> nw.LazyFrame:
    """One row per record and instrument asked: _file, _row, _order, the columns `told`, t_score, _failed, _noted.

    An empty cell was asked and not answered: score missing. A cell that holds a word of `not_asked` gives no row.
    """
    wide = {name: kind for name, kind in source.instruments.items() if kind.column}
    if not wide:
        return _checked(_long(records, source), source)
    parts = [_one(records, name, kind, place, source) for place, (name, kind) in enumerate(wide.items())]
    return _checked(nw.concat(parts) if len(parts) > 1 else parts[0], source)


def told(source: Source) -> list[str]:
    """The canonical columns in which the answers of one record differ."""
    constants = {name for kind in source.instruments.values() for name in kind.constants}
    return [name for name in SURVEYS.names if name in SCORE_PARTS or name in constants]


def count_not_asked(source: Source) -> str:
    """A query over `kept`: cells that say that their question was no part of the survey."""
    wide = {name: kind for name, kind in source.instruments.items() if kind.column}
    cells = [f"count(*) FILTER (NOT ({_asked(name, kind)}))" for name, kind in wide.items()]
    return f"SELECT {' + '.join(cells) or '0'} FROM kept"


def _asked(name: str, kind: Instrument) -> str:
    words = ", ".join(engine.literal(engine.fold(word)) for word in kind.not_asked)
    text = engine.quoted(f"s_{name}")
    said = f"coalesce({engine.folded(text)} IN ({words}), FALSE)"
    return f"CASE WHEN {_is_digits(text, kind.not_asked)} THEN TRUE ELSE NOT {said} END" if words else "TRUE"


def _is_digits(text: str, words: Iterable[str]) -> str:
    """Whether an answer is digits alone, as most are; never where digits are among the declared words."""
    if any(re.fullmatch("[0-9]+", engine.fold(word)) for word in words):
        return "FALSE"
    return f"regexp_full_match({text}, '[0-9]{{1,4}}')"


def _one(records: nw.LazyFrame, name: str, kind: Instrument, place: int, source: Source) -> nw.LazyFrame:
    asked = records
    text = f"s_{name}"
    if kind.not_asked:
        asked = engine.derive(asked, {"f_asked": _asked(name, kind)})
        asked = asked.filter(nw.col("f_asked")).drop("f_asked")
    asked = engine.derive(asked, {"t_score": engine.quoted(text), "_order": str(place),
                                  "f_digits": f"coalesce({_is_digits(engine.quoted(text), kind.words)}, FALSE)"})
    fixed = {"instrument": engine.literal(name), **_scale(kind), **_score("t_score", name, kind)}
    for column, value in kind.constants.items():
        fixed[column] = f"CAST({engine.literal(value)} AS {TYPES.get(SURVEYS[column].kind, 'VARCHAR')})"
    return _columns(asked, fixed, source)


def _long(records: nw.LazyFrame, source: Source) -> nw.LazyFrame:
    """Each record is one answer; its scale is that of its instrument."""
    kinds = source.instruments
    fixed: dict[str, str] = {}
    cases = {name: {**_scale(kind), **_score("t_score", name, kind)} for name, kind in kinds.items()}
    for part in next(iter(cases.values())):
        fixed[part] = "CASE instrument " + " ".join(
            f"WHEN {engine.literal(name)} THEN {case[part]}" for name, case in cases.items()) + " END"
    words = [word for kind in kinds.values() for word in kind.words]
    asked = engine.derive(records, {"t_score": "s_", "_order": "0",
                                    "f_digits": f"coalesce({_is_digits('s_', words)}, FALSE)"})
    return _columns(asked, fixed, source)


def _scale(kind: Instrument) -> dict[str, str]:
    return {"scale_min": f"CAST({kind.minimum} AS DOUBLE)", "scale_max": f"CAST({kind.maximum} AS DOUBLE)",
            "direction": engine.literal(kind.direction)}


def _score(text: str, name: str, kind: Instrument) -> dict[str, str]:
    """score and facts on how it was written: f_word (a declared word), f_written (9,0 or full-width digits),
    f_number (a number that cannot be an answer, such as 8,5 of an NPS); all false where f_digits says digits alone."""
    digits = engine.narrow_digits(text)
    plain = f"regexp_full_match({digits}, '[+-]?\\d{{1,4}}')"
    zeros = f"regexp_full_match({digits}, '[+-]?\\d{{1,4}}[.,]0+')"
    halves = f"regexp_full_match({digits}, '[+-]?\\d{{1,4}}([.,]\\d{{1,2}})?')"
    number = f"try_cast(replace({digits}, ',', '.') AS DOUBLE)"
    read = f"CASE WHEN {plain} OR {zeros if name in WHOLE else halves} THEN {number} END"
    word = engine.looked_up(text, kind.words)
    is_word = f"{word} IS NOT NULL" if kind.words else "FALSE"
    odd = {"f_word": f"{is_word} AND NOT {plain}", "f_written": f"{zeros} OR {text} <> {digits}",
           "f_number": f"regexp_full_match({digits}, '[+-]?\\d+([.,]\\d+)?')"}
    found = f"CAST(coalesce({word}, {read}) AS DOUBLE)"
    return {"score": f"CASE WHEN f_digits THEN CAST({text} AS DOUBLE) ELSE {found} END",
            **{flag: f"CASE WHEN f_digits THEN FALSE ELSE coalesce({test}, FALSE) END" for flag, test in odd.items()}}


def _columns(asked: nw.LazyFrame, fixed: dict[str, str], source: Source) -> nw.LazyFrame:
    flags = ("f_word", "f_written", "f_number")
    own = ["_file", "_row", "_order", *(name for name in told(source) if name not in fixed), "t_score"]
    made = engine.derive(asked, fixed, keep=own)
    return made.select("_file", "_row", "_order", *told(source), "t_score", *flags)


def _checked(answers: nw.LazyFrame, source: Source) -> nw.LazyFrame:
    masked = answers.with_columns(_failed=mask(answer_checks()), _noted=mask(answer_notes()))
    return masked.drop("f_word", "f_written", "f_number")
