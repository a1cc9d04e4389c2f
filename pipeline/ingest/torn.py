"""Records that a line end tore in two: the piece that still has all its cells is as doubtful as the other one."""

import re
from collections.abc import Iterable

import duckdb
import numpy as np

from pipeline.contracts.params import Source
from pipeline.ingest.engine import literal, quoted
from pipeline.ingest.footer import begins_as_total
from pipeline.ingest.header import Header
from pipeline.ingest.raw import Loaded, Reject, without_rows
from pipeline.ingest.shapes import LEAST, Shape, shape_of
from pipeline.ingest.shifted import shapes_of

SIGNS = re.compile("[,;|\t ]")  # what another tool may have written between two cells
PLAIN = ("a", "i", "f", "")  # shapes that any text may begin with


def set_torn(con: duckdb.DuckDBPyConnection, loaded: Loaded, header: Header, source: Source) -> Loaded:
    """The same export; rows next to a piece of a line that may be theirs are rejects (FMT-TORN).

    A piece has fewer cells than the header. The row above it may end in it where the last column is free text, or the
    last cell of the row has not the shape of its column; unless the piece begins as a record does, perhaps with another
    delimiter. The row below a piece without a delimiter may begin in it where its first cell has not the shape of the
    first column. Lines of totals are no pieces; of fewer than four rows nothing can be told.
    """
    ends = {place: name for name, place in header.positions.items() if place in (0, header.width - 1)}
    pieces = [reject for reject in loaded.rejects if reject.rule in ("FMT-WIDTH", "FMT-QUOTE")
              and reject.text.strip(f" {source.quote}") and reject.text.count(source.delimiter) < header.width - 1
              and not begins_as_total(reject.text)]
    if header.width < 2 or not ends or not pieces or loaded.rows < LEAST:
        return loaded
    shapes = dict(zip(ends, shapes_of(con, loaded, list(ends.values()), source), strict=True))
    lines = loaded.lines_of(np.arange(loaded.rows))
    behind = np.searchsorted(lines, [piece.line for piece in pieces])
    last, above, below = header.width - 1, set(), set()
    for piece, row in zip(pieces, behind.tolist(), strict=True):
        if row and last in ends and not _begins(piece, source, shapes.get(0)):
            above.add(row - 1)
        if 0 in ends and row < loaded.rows and source.delimiter not in piece.text and lines[row] == piece.line + 1:
            below.add(row)
    torn = sorted({row for rows, place in ((above, last), (below, 0)) if rows
                   for row, cell in _cells(con, loaded, rows, quoted(ends[place]))
                   if not shapes[place].is_firm or not shapes[place].fits(cell or "")})
    if not torn:
        return loaded
    whole = "concat_ws(" + ", ".join([literal(source.delimiter), *map(quoted, header.positions)]) + ")"
    return without_rows(con, loaded, torn, [Reject("FMT-TORN", int(lines[row]), text)
                                            for row, text in _cells(con, loaded, torn, whole)])


def _cells(con: duckdb.DuckDBPyConnection, loaded: Loaded, rows: Iterable[int], x: str) -> list[tuple[int, str | None]]:
    """What an expression says of these rows, in order."""
    return con.execute(f"SELECT rowid, {x} FROM {quoted(loaded.table)} WHERE rowid IN (SELECT unnest(?::BIGINT[])) "
                       "ORDER BY 1", [sorted(rows)]).fetchall()


def _begins(piece: Reject, source: Source, shape: Shape | None) -> bool:
    """Whether a piece begins as a record does, whatever its delimiter; any may where nothing can be told of that."""
    is_bare = source.delimiter not in piece.text
    if shape is None or not shape.is_firm:
        return not is_bare
    first, word = (cells[0].strip(f" {source.quote}")
                   for cells in (piece.text.split(source.delimiter), SIGNS.split(piece.text)))
    return any(cell and shape.fits(cell) and (shape_of(cell) not in PLAIN or (cell == first and not is_bare))
               for cell in (first, word))
