"""The contract of a source, checked before a byte is read: what cannot be guessed must be said."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest import engine
from pipeline.ingest.columns import SCORE_PARTS, mapped
from pipeline.ingest.limits import check_limits

TEXTS = ("csv", "json")  # formats that have no type for a time
TELL = "TELL:"  # how a value begins that inspect could not find out


def check_contract(source: Source, name: str) -> None:
    """Refusals for a contract that leaves open what cannot be guessed, or names what does not exist."""
    for key, text in _untold(asdict(source), f"sources.{name}"):
        raise Refusal("PARAM-TELL", f"{key} still asks for what only the company knows", file="params.yaml",
                      found=repr(text), expected="the answer in its place")
    if source.table not in TABLES:
        raise Refusal("PARAM-TYPE", f"sources.{name}.table names no canonical table", file="params.yaml",
                      found=repr(source.table), expected=", ".join(TABLES))
    table = TABLES[source.table]
    for canonical in [*source.columns, *source.constants, *source.words]:
        if canonical not in table.names:
            raise Refusal("PARAM-UNKNOWN", f"sources.{name} maps a column that {table.name} does not have",
                          file="params.yaml", found=repr(canonical), expected=", ".join(table.names))
    check_limits(source, name)
    given = {*source.columns, *source.constants, *(SCORE_PARTS if table.name == "surveys" else ())}
    for column in table.columns:
        if column.required and column.name not in given:
            raise Refusal("COL-MISSING", f"sources.{name}.columns must say which header holds {column.name} "
                          f"({column.meaning})", file="params.yaml", expected=f"{column.name}: <header>")
    if table.name == "surveys":
        _check_instruments(source, name)
    times = [c.name for c in mapped(source) if c.kind == "timestamp"]
    if times and not source.timestamps and source.format in TEXTS:
        raise Refusal("DATE-FMT", f"sources.{name}.timestamps must say how times are written ({', '.join(times)})",
                      file="params.yaml", expected='for instance ["%d/%m/%Y %H:%M"], [iso8601] or [epoch_s]')
    turned = {form.replace("%d", "%#").replace("%m", "%d").replace("%#", "%m") for form in source.timestamps}
    swapped = [form for form in source.timestamps if "%d" in form and form in turned]
    if swapped:
        raise Refusal("DATE-FMT", f"sources.{name}.timestamps holds two formats that read one text as two days",
                      file="params.yaml", found=", ".join(swapped), expected="one of the two")
    naive = [f for f in source.timestamps if "%z" not in f and f not in (*engine.EPOCHS, "iso8601")]
    if times and not source.time_zone and (naive or source.format not in TEXTS):
        raise Refusal("TIME-ZONE", f"sources.{name}.time_zone must say where the clock hung that wrote these times",
                      file="params.yaml", found=", ".join(naive) or "times without zone",
                      expected="for instance Europe/Madrid or UTC")


def _untold(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """(key, text) of everything that inspect left to be told and nobody has told."""
    if isinstance(value, str) and value.startswith(TELL):
        yield where, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _untold(item, f"{where}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _untold(item, where)


def _check_instruments(source: Source, name: str) -> None:
    wide = [i for i in source.instruments.values() if i.column]
    is_long = "score" in source.columns
    if not source.instruments or bool(wide) == is_long or (wide and len(wide) < len(source.instruments)):
        raise Refusal("CES-DIR", f"sources.{name}.instruments must give each question its scale, direction and, unless "
                      "columns.score is mapped, its column", file="params.yaml",
                      expected="nps: {column: <header>, minimum: 0, maximum: 10, direction: higher_is_better}")
    kind = source.constants.get("instrument")
    if is_long and "instrument" not in source.columns and kind not in source.instruments:
        raise Refusal("CES-DIR", f"sources.{name}.constants.instrument must name one of the declared instruments",
                      file="params.yaml", found=repr(kind), expected=", ".join(source.instruments))
