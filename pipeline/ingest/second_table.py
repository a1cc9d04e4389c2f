"""Rows under an empty one that belong to another table: a summary, a legend, a second list on the same sheet."""

import re
from dataclasses import replace

import duckdb
import numpy as np

from pipeline.contracts.params import Source
from pipeline.ingest.engine import quoted
from pipeline.ingest.footer import begins_as_total
from pipeline.ingest.header import declared_headers
from pipeline.ingest.raw import Loaded, Reject

SECTIONS = 10_000  # more gaps than that are a habit of the file, not tables
SAMPLE, LEAST = 1_000, 3  # rows of the first section that are looked at; fewer say nothing
ALWAYS, MOST = 0.99, 0.9
DIGIT = re.compile(r"\d")
Row = tuple[str | None, ...]


def set_apart(con: duckdb.DuckDBPyConnection, loaded: Loaded, source: Source) -> Loaded:
    """The same export; the rows of a section behind an empty row that is another table are rejects (FMT-TABLE).

    A section is another table where its first row is a header (words alone, also where the first section has digits),
    or where none of its rows fills half of what every row of the first section fills. Lines of totals are left to
    FMT-FOOTER.
    """
    names = declared_headers(source)
    if source.format not in ("csv", "xlsx") or loaded.rows <= LEAST:
        return loaded
    starts = _starts(con, loaded, names)
    if not 0 < len(starts) <= SECTIONS or starts[0] < LEAST:
        return loaded
    cells = ", ".join(f"nullif(trim({quoted(name)}), '')" for name in names)
    first = con.execute(f"SELECT {cells} FROM {quoted(loaded.table)} WHERE rowid < ? ORDER BY rowid",
                        [min(int(starts[0]), SAMPLE)]).fetchall()
    out: list[tuple[int, Row]] = []
    for start, end in zip(starts, [*starts[1:], loaded.rows], strict=True):
        section = con.execute(f"SELECT {cells} FROM {quoted(loaded.table)} WHERE rowid >= ? AND rowid < ? "
                              "ORDER BY rowid", [int(start), int(end)]).fetchall()
        if _is_another(first, section):
            out += [(int(start) + place, row) for place, row in enumerate(section) if any(row)]
    return _without(con, loaded, out) if out else loaded


def _starts(con: duckdb.DuckDBPyConnection, loaded: Loaded, names: list[str]) -> np.ndarray:
    """Rows (from 0) that follow an empty line, or a row without any declared cell."""
    empty = " AND ".join(f"nullif({quoted(name)}, '') IS NULL" for name in names)
    found = con.execute(f"SELECT rowid FROM {quoted(loaded.table)} WHERE {empty} ORDER BY 1 LIMIT {SECTIONS}")
    bare = np.array([row for (row,) in found.fetchall()], dtype=np.int64)
    gaps = np.empty(0, dtype=np.int64)
    if loaded.blank:
        lines = loaded.lines_of(np.arange(loaded.rows))
        gaps = np.flatnonzero(np.diff(lines) > 1) + 1
    starts = np.setdiff1d(np.union1d(gaps, bare + 1), bare)
    return starts[starts < loaded.rows]


def _is_another(first: list[Row], section: list[Row]) -> bool:
    """Whether these rows are another table than the first section."""
    filled = [[cell for cell in row if cell] for row in section]
    top = next((cells for cells in filled if cells), None)
    if top is None or begins_as_total(top[0]):
        return False
    columns = list(zip(*(row for row in first if any(row)), strict=True))
    digits = [_share(column, lambda cell: DIGIT.search(cell) is not None) >= MOST for column in columns]
    head = next(row for row in section if any(row))
    is_words = not any(DIGIT.search(cell) for cell in top) and len(top) >= min(2, len(columns))
    if is_words and any(cell and is_digits for cell, is_digits in zip(head, digits, strict=True)):
        return True
    always = [place for place, column in enumerate(columns) if sum(map(bool, column)) >= ALWAYS * len(column)]
    return len(always) > 2 and all(2 * sum(bool(row[place]) for place in always) < len(always)
                                   for row in section if any(row))


def _share(column: tuple[str | None, ...], holds) -> float:
    cells = [cell for cell in column if cell]
    return sum(map(holds, cells)) / len(cells) if len(cells) >= LEAST else 0.0


def _without(con: duckdb.DuckDBPyConnection, loaded: Loaded, out: list[tuple[int, Row]]) -> Loaded:
    """The export without these rows, which are rejects of it."""
    places = np.array([place for place, _ in out], dtype=np.int64)
    kept = np.setdiff1d(np.arange(loaded.rows), places)
    lines = loaded.lines_of(places)
    rejects = [Reject("FMT-TABLE", int(line), "; ".join(cell or "" for cell in row))
               for line, (_, row) in zip(lines, out, strict=True)]
    table = quoted(loaded.table)
    con.execute("CREATE OR REPLACE TEMP TABLE apart AS SELECT unnest(?::BIGINT[]) AS place", [places.tolist()])
    con.execute(f"CREATE OR REPLACE TABLE one_table AS SELECT * FROM {table} t WHERE t.rowid NOT IN (FROM apart) "
                "ORDER BY t.rowid")
    con.execute(f"DROP TABLE {table}; DROP TABLE apart; ALTER TABLE one_table RENAME TO {table}")
    return replace(loaded, rows=len(kept), lines_of=lambda ordinals: loaded.lines_of(kept[ordinals]),
                   rejects=[*loaded.rejects, *rejects])
