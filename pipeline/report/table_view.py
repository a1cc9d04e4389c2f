"""A table of the results as a reader sees it: columns named, cells written with their unit, small groups blanked."""

import re
from dataclasses import dataclass

import pandas as pd

from pipeline.contracts.refusal import Refusal
from pipeline.report import numerals
from pipeline.report.disclosure import FLAG, FLAGS, SMALL
from pipeline.report.page import Table
from pipeline.report.words import Words, tidy

INTERVAL = ("ci_low", "ci_high")
COUNTS = ("n", "n_in", "n_used", "rows", "comparisons", "score")


@dataclass(frozen=True)
class TableView:
    """titles and is_number have one entry per column; every row as many cells; the first cell heads its row."""

    caption: str
    titles: tuple[str, ...]
    is_number: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def view(frame: pd.DataFrame, table: Table, words: Words, caption: str, currency: str, below: int) -> TableView:
    """The protected frame (see disclosure.protect_table) as text; estimate's limits become one interval column.

    A column of which the frame holds NAME_low and NAME_high is told with them in its cell."""
    units = dict(table.columns) or {c: unit_of(frame, c) for c in frame.columns if c not in (*FLAGS, "unit")}
    absent = [c for c in units if c not in frame.columns]
    if absent:
        raise Refusal("TABLE-COLUMN", f"table {table.name!r} has no column {absent[0]!r}",
                      expected="one of " + ", ".join(map(str, frame.columns)))
    units = {c: currency if unit == "company" else unit for c, unit in units.items()}
    has_interval = all(c in units for c in INTERVAL)
    shown = [c for c in units if not (has_interval and c == "ci_high")]
    titles = tuple(_title(words, table, "interval" if has_interval and c == "ci_low" else c) for c in shown)
    records = frame.head(table.longest).to_dict("records")
    if "is_naive" in frame.columns and "ratio" in units:
        records = _without_ratios_to_nothing(records)
    rows = tuple(tuple(_cell(record, c, units, words, table.count, has_interval, below) for c in shown)
                 for record in records)
    note = words.text("table.cut", shown=table.longest, rows=len(frame)) if len(frame) > table.longest else ""
    if any(record.get(FLAG) for record in records):
        note = (note + " " + words.text("table.suppressed", below=below)).strip()
    return TableView(caption, titles, tuple(_is_number(units[c]) for c in shown), rows, note)


def _without_ratios_to_nothing(records: list[dict]) -> list[dict]:
    """Rows in pairs, adjusted first: no ratio to an adjusted figure whose limits hold zero: it says nothing."""
    made, divisor = [], {}
    for record in records:
        if not record["is_naive"]:
            divisor = record
        low, high = (_float(divisor.get(name)) for name in INTERVAL)
        is_nothing = low is not None and high is not None and low <= 0 <= high
        made.append({**record, "ratio": None} if is_nothing else record)
    return made


def unit_of(frame: pd.DataFrame, column: str) -> str:
    """The unit that a column's name and type tell."""
    values, name = frame[column], str(column)
    if pd.api.types.is_bool_dtype(values) or name.startswith("is_"):
        return "yes_no"
    if name in ("estimate", *INTERVAL, "detectable") and "unit" in frame.columns:
        return "by_row"
    if name.endswith("_share") or name == "share":
        return "share"
    if name.endswith("_hours"):
        return "hours"
    if name.startswith(("count_", "n_")) or name in COUNTS or pd.api.types.is_integer_dtype(values):
        return "count"
    if pd.api.types.is_numeric_dtype(values):
        return "ratio"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    return "period" if name in ("period", "month") else "category"


def _title(words: Words, table: Table, column: str) -> str:
    return words.text(table.titles.get(column, f"column.{column}"))


def _is_number(unit: str) -> bool:
    return unit not in ("text", "category", "yes_no", "period", "month", "date")


def _cell(record: dict, column: str, units: dict[str, str], words: Words, count: str, has_interval: bool,
          below: int) -> str:
    value, unit = record[column], units[column]
    if record.get(FLAG) and _is_number(unit) and pd.isna(value):
        is_told = column == count and record.get(SMALL)
        return words.text("table.fewer", below=below) if is_told else words.text("table.blank")
    if unit == "by_row":
        unit = record.get("unit") or "ratio"
    limits = [_float(record.get(c)) for c in INTERVAL] if has_interval else [None, None]
    if column == "ci_low" and has_interval:
        if None in limits:
            return "–"
        digits = numerals.digits_for(unit, _float(record.get("estimate")), *limits)
        return words.interval(*limits, unit, digits, scale=_scale(record), brief=True)
    if pd.isna(value):
        return "–"
    if unit == "share_apart":  # a difference of two shares
        return _apart(100 * float(value), [100 * v for v in _ends(record, column)], "pp", words)
    if ends := _ends(record, column):
        return _apart(float(value), ends, unit, words)
    if unit == "answers":
        return words.answers(value, _float(record.get("score_from")), _float(record.get("score_to")))
    if _is_number(unit):
        value = float(value)
        if unit == "count" and not value.is_integer():
            return words.number(value, 1 if abs(value) < 100 else 0)
        digits = numerals.digits_for(unit, value, *limits) if column == "estimate" else None
        return words.value(value, unit, digits, brief=True, scale=_scale(record) if column == "estimate" else None)
    return _name(value, column, unit, words)


def _ends(record: dict, column: str) -> list[float]:
    """The limits of a column's own interval; none where the record does not hold both."""
    ends = [_float(record.get(f"{column}_{end}")) for end in ("low", "high")]
    return [] if None in ends else ends  # type: ignore[return-value]


def _apart(value: float, ends: list[float], unit: str, words: Words) -> str:
    """A difference, and behind it in brackets its limits, all three told in one unit and with the same digits."""
    digits = numerals.digits_for(unit, value, *ends) if ends else None
    scale = max(map(abs, (value, *ends))) if ends else None
    told = words.value(value, unit, digits, brief=True, scale=scale)
    return f"{told} ({words.interval(*ends, unit, digits, scale=scale, brief=True)})" if ends else told


def _name(value: object, column: str, unit: str, words: Words) -> str:
    """A cell that is not a number."""
    if unit == "yes_no":
        return words.text("yes" if value else "no")
    if unit == "date":
        return words.date(value)
    if unit in ("month", "period"):
        text = str(value)
        return words.period(text) if re.fullmatch(r"all|\d{4}-\d{2}(/\d{4}-\d{2})?", text) else words.month(text)
    if column == "segment" and ":" in str(value):
        return ": ".join(words.segment(str(value)))
    if column == "status":
        return words.text(f"status.{value}.name")
    if column == "dimension":
        return words.name("dimension", value)
    return words.name("value", value) if unit == "category" else tidy(value, 200)


def _scale(record: dict) -> float | None:
    """The largest of estimate and limits, whose unit of time all three are told in."""
    values = [_float(record.get(c)) for c in ("estimate", *INTERVAL)]
    return max((abs(v) for v in values if v is not None), default=None)


def _float(value: object) -> float | None:
    return None if value is None or pd.isna(value) else float(value)  # type: ignore[arg-type]
