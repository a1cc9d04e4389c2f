"""Rows under an empty one that belong to another table: a summary, a legend, a second list on the same sheet."""

import re

import duckdb
import numpy as np

from pipeline.contracts.params import Source
from pipeline.ingest.engine import quoted
from pipeline.ingest.evidence import masked
from pipeline.ingest.footer import begins_as_total
from pipeline.ingest.header import declared_headers
from pipeline.ingest.raw import Loaded, Reject, without_rows

SECTIONS = 10_000  # more gaps than that are a habit of the file, not tables
SAMPLE, LEAST = 1_000, 3  # rows of the first section that are looked at; fewer say nothing
MOST = 0.9
Row = tuple[str | None, ...]


def set_apart(con: duckdb.DuckDBPyConnection, loaded: Loaded, source: Source) -> Loaded:
    """The same export; the rows of a section behind an empty row that is another table are rejects (FMT-TABLE).

    Nine of ten cells of some columns of the first section hold digits: its ids, times and amounts. A section is
    another table where each of its rows holds digits in fewer than half of these columns; one row that looks like
    those above, and all of it stays. Lines of totals are left to FMT-FOOTER. Where no column of the first section
    holds digits nothing can be told.
    """
    names = declared_headers(source)
    if source.format not in ("csv", "xlsx") or loaded.rows <= LEAST:
        return loaded
    starts = _starts(con, loaded, names)
    if not 0 < len(starts) <= SECTIONS or starts[0] < LEAST:
        return loaded
    table, dated = quoted(loaded.table), _with_digits(con, loaded, names, int(starts[0]))
    if not dated:
        return loaded
    few = " + ".join(f"CAST({_has_digit(name)} AS INTEGER)" for name in dated)
    unlike = con.execute(f"SELECT 2 * ({few}) < {len(dated)} AS unlike FROM {table} ORDER BY rowid").fetchnumpy()
    is_unlike = np.asarray(unlike["unlike"], dtype=bool)
    ends = [*starts[1:].tolist(), loaded.rows]
    rows = [row for start, end in zip(starts.tolist(), ends, strict=True) if is_unlike[start:end].all()
            for row in range(start, end)]
    out = _filled(con, table, names, rows)
    if not out:
        return loaded
    lines = loaded.lines_of(np.array([row for row, _ in out], dtype=np.int64))
    return without_rows(con, loaded, [row for row, _ in out],
                        [Reject("FMT-TABLE", int(line), "; ".join(cell or "" for cell in cells),
                                found=_first_word(cells)) for line, (_, cells) in zip(lines, out, strict=True)])


def _has_digit(name: str) -> str:
    return f"coalesce(regexp_matches({quoted(name)}, '[0-9]'), FALSE)"


def _with_digits(con: duckdb.DuckDBPyConnection, loaded: Loaded, names: list[str], end: int) -> list[str]:
    """The columns that hold digits in most of the rows before `end`."""
    shares = ", ".join(f"avg(CAST({_has_digit(name)} AS INTEGER))" for name in names)
    filled = " OR ".join(f"nullif({quoted(name)}, '') IS NOT NULL" for name in names)
    found = con.execute(f"SELECT {shares} FROM {quoted(loaded.table)} WHERE rowid < ? AND ({filled})",
                        [min(end, SAMPLE)]).fetchone()
    return [name for name, share in zip(names, found, strict=True) if share is not None and share >= MOST]


def _filled(con: duckdb.DuckDBPyConnection, table: str, names: list[str], rows: list[int]) -> list[tuple[int, Row]]:
    """The cells of those of the rows that hold any, lines of totals left out."""
    cells = ", ".join(f"nullif(trim({quoted(name)}), '')" for name in names)
    con.execute("CREATE OR REPLACE TEMP TABLE apart AS SELECT unnest(?::BIGINT[]) AS place", [rows])
    found = con.execute(f"SELECT t.rowid, {cells} FROM {table} t JOIN apart ON t.rowid = place ORDER BY 1").fetchall()
    con.execute("DROP TABLE apart")
    return [(row, tuple(texts)) for row, *texts in found
            if any(texts) and not begins_as_total(next(filter(None, texts)))]


def _starts(con: duckdb.DuckDBPyConnection, loaded: Loaded, names: list[str]) -> np.ndarray:
    """Rows (from 0) that follow an empty line, or a row without any declared cell."""
    table = quoted(loaded.table)
    empty = " AND ".join(f"nullif({quoted(name)}, '') IS NULL" for name in names)
    found = con.execute(f"SELECT rowid FROM {table} WHERE {empty} ORDER BY 1 LIMIT {SECTIONS}")
    bare = np.array([row for (row,) in found.fetchall()], dtype=np.int64)
    gaps = np.empty(0, dtype=np.int64)
    if loaded.blank:  # line numbers jump behind empty lines, behind lines that are no record and within long fields
        lines = loaded.lines_of(np.arange(loaded.rows))
        inner = " + ".join(f"coalesce(length({quoted(name)}) - length(replace({quoted(name)}, chr(10), '')), 0)"
                           for name in names)
        broken = con.execute(f"SELECT {inner} AS inside FROM {table} ORDER BY rowid").fetchnumpy()["inside"]
        refused = np.sort([reject.line for reject in loaded.rejects])
        others = np.diff(np.searchsorted(refused, lines))
        gaps = np.flatnonzero(np.diff(lines) > 1 + broken[:-1] + others) + 1
    starts = np.setdiff1d(np.union1d(gaps, bare + 1), bare)
    return starts[starts < loaded.rows]


def _first_word(row: Row) -> str:
    """The first cell of the row that is no id, number or address, else little of its first one."""
    cells = [cell for cell in row if cell]
    return next((cell for cell in cells if not re.search("[0-9@]", cell)), masked(cells[0]))
