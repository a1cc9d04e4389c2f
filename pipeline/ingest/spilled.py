"""Rows with a text cut at its own delimiter, of the right number of cells since the last one is mostly empty."""

from itertools import pairwise

import duckdb

from pipeline.contracts.params import Source
from pipeline.ingest.engine import first, literal, quoted
from pipeline.ingest.header import Header
from pipeline.ingest.raw import Loaded, Reject, without_rows

SELDOM = 0.05  # share of the rows in which the last column is filled, or a cell begins with a blank
LEAST = 8  # rows that say something


def set_spilled(con: duckdb.DuckDBPyConnection, loaded: Loaded, header: Header, source: Source) -> Loaded:
    """The same export; rows with a cell too many are rejects (FMT-SHIFT): 10,7,good, cheap,price under five columns of
    which the last is hardly ever filled.

    Such a row fills the last column, and a cell begins with a blank behind a filled one, as a text goes on behind its
    comma, though hardly a cell of that column begins so. Nothing can be told where the last column is not declared.
    """
    names = sorted(header.positions, key=header.positions.__getitem__)
    if header.width < 3 or not names or header.positions[names[-1]] != header.width - 1 or loaded.rows < LEAST:
        return loaded
    table, last = quoted(loaded.table), _is_filled(names[-1])
    most = SELDOM * loaded.rows
    if not 0 < first(con, f"SELECT count(*) FILTER ({last}) FROM {table}")[0] <= most:
        return loaded
    pairs = [(left, right) for left, right in pairwise(names)
             if header.positions[right] == header.positions[left] + 1]
    begins = [f"({_is_filled(left)} AND {_is_filled(right)} AND starts_with({quoted(right)}, ' '))"
              for left, right in pairs]
    each = ", ".join(f"count(*) FILTER ({one})" for one in begins)
    counts = first(con, f"SELECT {each} FROM {table}") if begins else ()
    odd = {pair: one for pair, one, count in zip(pairs, begins, counts, strict=True) if 0 < count <= most}
    if not odd:
        return loaded
    which = " ".join(f"WHEN {one} THEN {place}" for place, one in enumerate(odd.values()))
    cells = f"concat_ws({literal(source.delimiter)}, {', '.join(map(quoted, names))})"
    rows = con.execute(f"SELECT rowid, CASE {which} END AS place, {cells} FROM {table} WHERE {last} AND "
                       f"({' OR '.join(odd.values())}) ORDER BY 1").fetchall()
    if not rows:
        return loaded
    told = [f"under {right!r} stands a cell that fits {left!r}" for left, right in odd]
    lines = loaded.lines_of([row for row, _, _ in rows])
    return without_rows(con, loaded, [row for row, _, _ in rows],
                        [Reject("FMT-SHIFT", int(line), text, list(odd)[place][1], told[place])
                         for line, (_, place, text) in zip(lines, rows, strict=True)])


def _is_filled(name: str) -> str:
    return f"coalesce(trim({quoted(name)}), '') <> ''"
