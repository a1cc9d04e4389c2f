"""The two engines behind one set of names: pandas frames in notebooks and tests, DuckDB relations in the stage.

Everything else in this room is written once, in Narwhals. Here stands only what Narwhals has no expression for.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import count
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.tables import TABLES, Column, Table
from pipeline.link.calendar import FIRST_YEAR, month_starts

Native = pd.DataFrame | duckdb.DuckDBPyRelation
MINOR = 10_000  # money is summed exactly, in ten-thousandths of the currency unit
PIECE = 122_880  # rows that leave the engine at a time
FINE = 10**10  # currency units up to which a double tells every ten-thousandth
_HOME: ContextVar[tuple[duckdb.DuckDBPyConnection, list[str]] | None] = ContextVar("home", default=None)
_NUMBERS = count(1)  # of the tables that `kept` makes: any name will do that no other has

_PANDAS = {"number": "float64", "integer": "Int64", "timestamp": "datetime64[us]", "boolean": "boolean"}
_DUCKDB = {"number": "DOUBLE", "integer": "BIGINT", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN",
           "money": "DECIMAL(18,4)"}


def canonical_tables(tables: Mapping[str, Native]) -> dict[str, nw.LazyFrame]:
    """Every table by name, as `canonical` gives it."""
    return {name: canonical(native, TABLES[name]) for name, native in tables.items()}


def canonical(native: Native, table: Table) -> nw.LazyFrame:
    """The table with every canonical column in its type; absent ones are missing, x_ and `source` columns stay.

    Money is exact: whole ten-thousandths (int64) in pandas, decimals in the engine; `whole` makes them equal.
    """
    if isinstance(native, pd.DataFrame):
        columns = {c.name: _pandas_column(native, c) for c in table.columns}
        columns |= {n: native[n] for n in native.columns if n.startswith("x_") or n == "source"}
        return nw.from_native(pd.DataFrame(columns, index=native.index).reset_index(drop=True)).lazy()
    present = set(native.columns)
    parts = [_duckdb_column(c, c.name in present) for c in table.columns]
    parts += [f'"{n}"' for n in native.columns if n.startswith("x_") or n == "source"]
    return nw.from_native(native.project(", ".join(parts)))


def _pandas_column(frame: pd.DataFrame, column: Column) -> pd.Series:
    kind = _PANDAS.get(column.kind, "str")
    if column.kind == "money":
        return _pandas_money(frame, column.name)
    if column.name not in frame:
        return pd.Series(pd.NA if kind == "boolean" else None, index=frame.index).astype(kind)
    values = frame[column.name]
    if column.kind == "timestamp" and getattr(values.dtype, "tz", None) is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    if column.kind == "timestamp" and values.dtype == object:
        values = pd.to_datetime(values)
    return values if str(values.dtype) == kind else values.astype(kind)


def _pandas_money(frame: pd.DataFrame, name: str) -> pd.Series:
    """Whole ten-thousandths as Int64; decimals convert exactly, floats by rounding to the nearest."""
    if name not in frame:
        return pd.Series(pd.NA, index=frame.index, dtype="Int64")
    values = frame[name]
    if values.dtype.kind in "fiu":
        scaled = np.rint(values.to_numpy(dtype="float64", na_value=np.nan) * MINOR)
        return pd.Series(scaled, index=frame.index).astype("Int64")
    exact = pa.array(values, from_pandas=True).cast(pa.decimal128(18, 4))
    whole = pc.multiply(exact, pa.scalar(MINOR, pa.decimal128(5, 0))).cast(pa.int64())
    return pd.Series(whole.to_pandas(integer_object_nulls=True), index=frame.index).astype("Int64")


def _duckdb_column(column: Column, present: bool) -> str:
    kind = _DUCKDB.get(column.kind, "VARCHAR")
    if not present:
        return f'CAST(NULL AS {kind}) AS "{column.name}"'
    return f'CAST("{column.name}" AS {kind}) AS "{column.name}"'


@lru_cache(maxsize=8)
def _boundaries(time_zone: str) -> np.ndarray:
    return np.array(month_starts(time_zone), dtype="int64")


@lru_cache(maxsize=8)
def _shifts(time_zone: str) -> tuple[int, int]:
    """Microseconds by which the zone was least and most ahead of UTC where a month began, an hour wider each."""
    months = np.arange(len(_boundaries(time_zone))) + (FIRST_YEAR - 1970) * 12
    ahead = months.astype("datetime64[M]").astype("datetime64[us]").astype("int64") - _boundaries(time_zone)
    hour = 3_600_000_000
    return int(ahead.min()) - hour, int(ahead.max()) + hour


def with_month(frame: nw.LazyFrame, column: str, into: str, time_zone: str) -> nw.LazyFrame:
    """Adds `into`: the month (year * 12 + month - 1) of a UTC timestamp in the calendar of `time_zone`.

    pandas looks it up between the instants at which months begin there; DuckDB asks its own calendar, of instants so
    near to the change of a month that the zone decides.
    """
    native = frame.to_native()
    bounds = _boundaries(time_zone)
    if isinstance(native, pd.DataFrame):
        instants = native[column]
        months = np.searchsorted(bounds, instants.to_numpy().astype("datetime64[us]").astype("int64"), side="right")
        values = pd.Series(months - 1 + FIRST_YEAR * 12, index=native.index, dtype="int64")
        if instants.isna().any():
            values = values.astype("float64").mask(instants.isna())
        return nw.from_native(native.assign(**{into: values})).lazy()
    # Where the most and the least that the zone ever was ahead of UTC give one month, the zone itself is not needed.
    here = f"timezone('{time_zone}', timezone('UTC', \"{column}\"))"
    low, high = (f'("{column}" + to_microseconds({shift}))' for shift in _shifts(time_zone))
    month = (f"CASE WHEN month({low}) = month({high}) THEN year({low}) * 12 + month({low}) - 1 "
             f"ELSE year({here}) * 12 + month({here}) - 1 END")
    return nw.from_native(native.project(f'*, CAST({month} AS BIGINT) AS "{into}"'))


def whole(frame: nw.LazyFrame, names: Sequence[str]) -> nw.LazyFrame:
    """Sums of money in columns `names` as whole ten-thousandths (int64): after summing the engine has few to turn."""
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        return frame
    return nw.from_native(native.project(_replacing({name: _WHOLE.format(f'"{name}"') for name in names})))


# Of fewer than 2**50 ten-thousandths a double is less than half a one off, and costs a tenth of exact decimals.
_WHOLE = (f"CASE WHEN {{0}} BETWEEN -{FINE} AND {FINE} THEN CAST(CAST({{0}} AS DOUBLE) * {MINOR} AS BIGINT) "
          f"ELSE CAST({{0}} * {MINOR} AS BIGINT) END")


def _replacing(expressions: Mapping[str, str]) -> str:
    return "* REPLACE (" + ", ".join(f'{made} AS "{name}"' for name, made in expressions.items()) + ")"


def kept(frame: nw.LazyFrame) -> nw.LazyFrame:
    """The same rows, computed once into a table of the engine, which goes to disk when memory is short."""
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        return frame
    name = f"kept_{next(_NUMBERS)}"
    native.query("made", f"CREATE TEMP TABLE {name} AS FROM made")
    if _HOME.get() is None:
        return nw.from_native(native.query("made", f"FROM {name}"))
    con, names = _HOME.get()
    names.append(name)
    return nw.from_native(con.table(name))


@contextmanager
def at_home(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Inside, `kept` reads its tables straight from `con`, whose relations these must be; afterwards they are gone.

    A relation does not tell its connection; without it a kept table drags along all the steps that made it, which the
    engine binds again with every new table: four fifths of the time on small data.
    """
    names: list[str] = []
    token = _HOME.set((con, names))
    try:
        yield
    finally:
        _HOME.reset(token)
        for name in names:
            con.execute(f"DROP TABLE IF EXISTS {name}")


def latest(frame: nw.LazyFrame, keys: Sequence[str], value: str, order: Sequence[str], sums: Sequence[str],
           ) -> nw.LazyFrame:
    """One row per `keys`: the int64 sums of `sums`, and `last`, the value of the row that is last by `order`.

    `value` is never missing; a missing first column of `order` stands for one and the same early time.
    """
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        grouped = native.sort_values([*order], kind="stable", na_position="first").groupby([*keys], dropna=False)
        made = grouped.agg(**{name: (name, "sum") for name in sums}, last=(value, "last"))
        return nw.from_native(made.reset_index()).lazy()
    by = ", ".join(f'"{name}"' for name in keys)
    totals = "".join(f', CAST(sum("{name}") AS BIGINT) AS "{name}"' for name in sums)
    place = order[0] if len(order) == 1 else "row(" + ", ".join(order) + ")"
    return nw.from_native(native.aggregate(f'{by}{totals}, arg_max("{value}", {place}) AS last', by))


def with_missing(frame: nw.LazyFrame, kinds: Mapping[str, str]) -> nw.LazyFrame:
    """Adds columns that are missing in every row, with the kinds of `finished`."""
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        blank = {name: pd.Series(pd.NA if kind == "maybe" else None, index=native.index).astype(_PANDAS_FINISH[kind])
                 for name, kind in kinds.items()}
        return nw.from_native(native.assign(**blank)).lazy()
    parts = [_DUCKDB_FINISH[kind].format("NULL") + f' AS "{name}"' for name, kind in kinds.items()]
    return nw.from_native(native.project(", ".join(["*", *parts])))


def finished(frame: nw.LazyFrame, types: dict[str, str], order: list[str]) -> Native:
    """The columns named in `types`, in that order and type, sorted by `order` (none: as they stand): equal on both
    engines.

    types: "text", "number" (float64, NaN missing), "count" (int64), "flag" (bool), "maybe" (boolean with
    missing), "timestamp", "month" (a month number that becomes the first of the month).
    """
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        made = native.sort_values(order, kind="stable", ignore_index=True) if order else native
        return pd.DataFrame({name: _pandas_finish(made[name], kind) for name, kind in types.items()})
    parts = [_DUCKDB_FINISH[kind].format(f'"{name}"') + f' AS "{name}"' for name, kind in types.items()]
    ordered = native.order(", ".join(f'"{name}"' for name in order)) if order else native
    return ordered.project(", ".join(parts))


_PANDAS_FINISH = {"text": "str", "number": "float64", "count": "int64", "flag": "bool", "maybe": "boolean",
                  "timestamp": "datetime64[us]"}
_DUCKDB_FINISH = {"text": "CAST({} AS VARCHAR)", "number": "CAST({} AS DOUBLE)", "count": "CAST({} AS BIGINT)",
                  "flag": "CAST({} AS BOOLEAN)", "maybe": "CAST({} AS BOOLEAN)",
                  "timestamp": "CAST({} AS TIMESTAMP)",
                  "month": "CAST(make_date(CAST({0} // 12 AS INT), CAST({0} % 12 + 1 AS INT), 1) AS TIMESTAMP)"}


def _pandas_finish(values: pd.Series, kind: str) -> pd.Series:
    if kind == "month":
        months = values.to_numpy(dtype="int64") - 1970 * 12
        return pd.Series(months.astype("datetime64[M]").astype("datetime64[us]"), index=values.index)
    if kind == "maybe" and values.dtype == "float64":
        values = values.astype("Float64")
    return values.astype(_PANDAS_FINISH[kind])


def sorted_by(frame: nw.LazyFrame, order: Sequence[str]) -> nw.LazyFrame:
    """The rows in that order; nothing is missing in it."""
    native = frame.to_native()
    if isinstance(native, pd.DataFrame):
        return nw.from_native(native.sort_values([*order], ignore_index=True)).lazy()
    return nw.from_native(native.order(", ".join(f'"{name}"' for name in order)))


def rows(frame: nw.LazyFrame) -> list[dict[str, Any]]:
    """A small frame as a list of dicts, missing as None, from either engine."""
    return fetched(frame).to_pylist()


def fetched(frame: nw.LazyFrame) -> pa.Table:
    """All rows of a frame in memory, from either engine."""
    native = frame.to_native()
    return pa.Table.from_pandas(native, preserve_index=False) if isinstance(native, pd.DataFrame) else (
        native.to_arrow_table())
