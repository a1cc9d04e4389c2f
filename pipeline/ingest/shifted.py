"""Rows of the right number of cells that stand in the wrong columns: one cell lost and another one split, or moved."""

from collections.abc import Sequence

import duckdb

from pipeline.contracts.params import Source
from pipeline.ingest.engine import quoted
from pipeline.ingest.footer import begins_as_total
from pipeline.ingest.raw import Loaded, Reject, without_rows
from pipeline.ingest.shapes import Shape, learn, may_misfit

SAMPLE, HEAD = 1_000, 40  # first rows from which the shapes are told; the very first, where a column changes later
SMALL = 2_000  # rows of a file each of which is looked at
HABIT = 0.05  # in a larger file: a share of rows with one odd cell that is no fault but a habit
WIDEST = 200  # columns between which a cell may have moved
GAIN = 2  # cells that must come to fit


def set_shifted(con: duckdb.DuckDBPyConnection, loaded: Loaded, source: Source) -> Loaded:
    """The same export; rows whose cells stand in the wrong columns are rejects (FMT-SHIFT).

    Columns have shapes (a date, a whole number, a code, one of a few words; hardly a cell empty). A row is shifted
    where at least two of its cells come to fit, and at most one does not, once the cells of some neighbouring columns
    are moved by one column, or one cell is cut in two; and where its only cell is none of its column (a line of a
    page). That cells have not the shape of their column is no fault by itself: people abroad, another tool's ids, a
    declared word for missing. Lines of totals are left to FMT-FOOTER.
    """
    names = list(loaded.order)
    if source.format != "csv" or len(names) < 2 or loaded.rows <= 3:
        return loaded
    shapes = shapes_of(con, loaded, names)
    if sum(shape.is_firm or shape.is_filled for shape in shapes) < 2:
        return loaded
    found = [(row, cells) for row, cells in _suspects(con, loaded, names, shapes)
             if is_shifted(cells, shapes) and not begins_as_total(next(filter(str.strip, cells)))]
    if not found:
        return loaded
    lines = loaded.lines_of([row for row, _ in found])
    return without_rows(con, loaded, [row for row, _ in found],
                        [Reject("FMT-SHIFT", int(line), source.delimiter.join(cells))
                         for line, (_, cells) in zip(lines, found, strict=True)])


def shapes_of(con: duckdb.DuckDBPyConnection, loaded: Loaded, names: list[str]) -> list[Shape]:
    """What each of these columns looks like, from the first rows."""
    listed = ", ".join(map(quoted, names))
    rows = con.execute(f"SELECT {listed} FROM {quoted(loaded.table)} WHERE rowid < {SAMPLE} ORDER BY rowid").fetchall()
    rows = [row for row in rows if any(row)]
    shapes = [learn(cells) for cells in zip(*rows, strict=True)]
    first = [learn(cells) for cells in zip(*rows[:HEAD], strict=True)]
    return [whole if whole.is_firm else head for whole, head in zip(shapes, first, strict=True)]


def _suspects(con: duckdb.DuckDBPyConnection, loaded: Loaded, names: list[str],
              shapes: list[Shape]) -> list[tuple[int, list[str]]]:
    """Rows of which some cell may not fit (two, where one often does not), with their cells; all of a small file."""
    table, cells = quoted(loaded.table), ", ".join(f"t.{quoted(name)}" for name in names)
    odd = " + ".join(f"CAST({may_misfit(name, shape)} AS INTEGER)" for name, shape in zip(names, shapes, strict=True))
    con.execute("CREATE OR REPLACE TEMP TABLE suspects AS SELECT place, odd FROM (SELECT rowid AS place, "
                f"{odd if loaded.rows > SMALL else GAIN} AS odd FROM {table}) WHERE odd > 0")
    count = con.execute("SELECT count(*) FROM suspects").fetchall()[0][0]
    least = GAIN if loaded.rows > SMALL and count > HABIT * loaded.rows else 1
    rows = con.execute(f"SELECT t.rowid, {cells} FROM {table} t JOIN suspects ON t.rowid = place WHERE odd >= {least} "
                       "ORDER BY 1").fetchall()
    con.execute("DROP TABLE suspects")
    return [(row, [cell or "" for cell in cells]) for row, *cells in rows]


def is_shifted(cells: Sequence[str], shapes: Sequence[Shape]) -> bool:
    """Whether the cells of a row fit their columns better one column further."""
    odd = [not shape.fits(cell) for cell, shape in zip(cells, shapes, strict=True)]
    if not any(map(str.strip, cells)) or not any(odd):
        return False
    firm = [place for place, shape in enumerate(shapes) if shape.is_firm]
    told = any(odd[place] and cells[place].strip() for place in firm)
    lacking = sum(shape.is_filled and not cell.strip() for cell, shape in zip(cells, shapes, strict=True))
    if told and lacking >= GAIN and sum(map(bool, map(str.strip, cells))) == 1:
        return True
    return told and sum(odd) >= GAIN and (_fits_moved(cells, shapes, odd) or _fits_cut(cells, shapes, odd))


def _fits_moved(cells: Sequence[str], shapes: Sequence[Shape], odd: list[bool]) -> bool:
    """Whether cells that stand next to each other fit once moved by one column; the cell lost may be any."""
    total, width = sum(odd), len(cells)
    if width > WIDEST:
        return False
    for step in (1, -1):
        fits = [0 <= place + step < width and shapes[place].fits(cells[place + step]) for place in range(width)]
        filled = [0 <= place + step < width and bool(cells[place + step].strip()) for place in range(width)]
        for begin in range(width):
            gain = gained = 0
            for place in range(begin, width) if step > 0 else range(begin, -1, -1):
                if gain + odd[place] >= GAIN and gained and total - gain - odd[place] <= 1:  # the lost cell stood here
                    return True
                gain += odd[place] - (not fits[place])
                gained += odd[place] and fits[place] and filled[place] and shapes[place].is_firm
    return False


def _fits_cut(cells: Sequence[str], shapes: Sequence[Shape], odd: list[bool]) -> bool:
    """Whether a cell beside an empty one, cut in two, fits both columns."""
    for place in range(len(cells) - 1):
        pair = cells[place].strip(), cells[place + 1].strip()
        if odd[place] and odd[place + 1] and not all(pair) and sum(odd) <= GAIN + 1:
            text = "".join(pair)
            if any(shapes[place].fits(text[:cut]) and shapes[place + 1].fits(text[cut:])
                   for cut in range(1, len(text))):
                return True
    return False
