"""Rows of the right number of cells that stand in the wrong columns: one cell lost and another one split, or moved."""

from collections.abc import Sequence

import duckdb

from pipeline.contracts.params import Source
from pipeline.ingest.engine import quoted
from pipeline.ingest.footer import begins_as_total
from pipeline.ingest.raw import Loaded, Reject, without_rows
from pipeline.ingest.shapes import MISSING, Shape, learn, may_misfit, surely_fits

SAMPLE, HEAD = 1_000, 40  # first rows from which the shapes are told; the very first, where a column changes later
SMALL = 2_000  # rows of a file each of which is looked at
HABIT = 0.05  # in a larger file: a share of rows with one odd cell that is no fault but a habit
WIDEST = 200  # columns between which a cell may have moved
GAIN = 2  # cells that must come to fit
NAMED = 4  # cells that are named
Moves = tuple[tuple[int, int | None], ...]  # where a cell stands, which column it fits; columns from 0


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
    shapes = shapes_of(con, loaded, names, source)
    if sum(shape.is_firm or shape.is_filled for shape in shapes) < 2:
        return loaded
    found = [(row, cells, moves) for row, cells in _suspects(con, loaded, names, shapes)
             if (moves := shift_of(cells, shapes)) and not begins_as_total(next(filter(str.strip, cells)))]
    if not found:
        return loaded
    lines = loaded.lines_of([row for row, _, _ in found])
    return without_rows(con, loaded, [row for row, _, _ in found],
                        [Reject("FMT-SHIFT", int(line), source.delimiter.join(cells), names[moves[0][0]],
                                told_shift(moves, names))
                         for line, (_, cells, moves) in zip(lines, found, strict=True)])


def told_shift(moves: Moves, names: Sequence[str]) -> str:
    """Which cells stand under which column, in words that name columns alone."""
    if len(moves) == 1:
        (stands, fits), = moves
        return f"nothing but a cell under {names[stands]!r} that fits no column" if fits is None else \
            f"under {names[stands]!r} stands a cell that fits {names[fits]!r}"
    if len({stands for stands, _ in moves}) == 1:
        whole = " and ".join(repr(names[fits]) for _, fits in moves)
        return f"under {names[moves[0][0]]!r} stands in one cell what fits {whole} once it is cut in two"
    under, fit = (", ".join(repr(names[move[side]]) for move in moves[:NAMED]) for side in (0, 1))
    more = f" (and {len(moves) - NAMED} more)" if len(moves) > NAMED else ""
    return f"under {under} stand cells that fit {fit}, in this order{more}"


def shapes_of(con: duckdb.DuckDBPyConnection, loaded: Loaded, names: list[str], source: Source) -> list[Shape]:
    """What each of these columns looks like, from the first rows; no value is what the source declares as such."""
    listed = ", ".join(map(quoted, names))
    rows = con.execute(f"SELECT {listed} FROM {quoted(loaded.table)} WHERE rowid < {SAMPLE} ORDER BY rowid").fetchall()
    rows = [row for row in rows if any(row)]
    absent = [_missing(source, name) for name in names]
    shapes, first = ([learn(cells, words) for cells, words in zip(zip(*some, strict=True), absent, strict=True)]
                     for some in (rows, rows[:HEAD]))
    return [whole if whole.is_firm else head for whole, head in zip(shapes, first, strict=True)]


def _missing(source: Source, name: str) -> frozenset[str]:
    """The words that say in this column that there is no value: those declared, else what most tools write."""
    asked = [word for kind in source.instruments.values() for word in kind.not_asked
             if (kind.column or source.columns.get("score")) == name]
    words = {word.strip().casefold() for word in (*source.missing, *asked)} - {""}
    return frozenset(words) if any(map(str.strip, source.missing)) else frozenset(words | MISSING)


def _suspects(con: duckdb.DuckDBPyConnection, loaded: Loaded, names: list[str],
              shapes: list[Shape]) -> list[tuple[int, list[str]]]:
    """Rows of which some cell may not fit (two, where one often does not), with their cells; of a small file, all are
    looked at. Left out are those of which all cells but one surely fit: nothing of them can be shifted."""
    table, cells = quoted(loaded.table), ", ".join(f"t.{quoted(name)}" for name in names)
    tests = [may_misfit(name, shape) for name, shape in zip(names, shapes, strict=True)]
    odd = " + ".join(f"CAST({test} AS INTEGER)" for test in tests)
    chosen = f"{odd} AS odd FROM {table} WHERE {' OR '.join(tests)}" if loaded.rows > SMALL else \
        f"{GAIN} AS odd FROM {table}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT rowid AS place, {chosen}")
    count = con.execute("SELECT count(*) FROM suspects").fetchall()[0][0]
    least = GAIN if loaded.rows > SMALL and count > HABIT * loaded.rows else 1
    unsure = " + ".join(f"CAST(NOT ({surely_fits(name, shape)}) AS INTEGER)"
                        for name, shape in zip(names, shapes, strict=True))
    rows = con.execute(f"SELECT t.rowid, {cells} FROM {table} t JOIN suspects ON t.rowid = place WHERE odd >= {least} "
                       f"AND {unsure} >= {GAIN} ORDER BY 1").fetchall()
    con.execute("DROP TABLE suspects")
    return [(row, [cell or "" for cell in cells]) for row, *cells in rows]


def shift_of(cells: Sequence[str], shapes: Sequence[Shape]) -> Moves:
    """(the column where a cell stands, the one that it fits) for the cells of a row that fit one column further; twice
    the same cell where it holds two; (column, None) of the only cell, which fits none; () where nothing moved."""
    odd = [not shape.fits(cell) for cell, shape in zip(cells, shapes, strict=True)]
    if not any(map(str.strip, cells)) or not any(odd):
        return ()
    firm = [place for place, shape in enumerate(shapes) if shape.is_firm]
    told = any(odd[place] and cells[place].strip() for place in firm)
    lacking = sum(shape.is_filled and not cell.strip() for cell, shape in zip(cells, shapes, strict=True))
    filled = [place for place, cell in enumerate(cells) if cell.strip()]
    if told and lacking >= GAIN and len(filled) == 1:
        return ((filled[0], None),)
    return (_fits_moved(cells, shapes, odd) or _fits_cut(cells, shapes, odd)) if told and sum(odd) >= GAIN else ()


def _fits_moved(cells: Sequence[str], shapes: Sequence[Shape], odd: list[bool]) -> Moves:
    """Cells that stand next to each other and fit once moved by one column; the cell lost may be any."""
    total, width = sum(odd), len(cells)
    if width > WIDEST:
        return ()
    for step in (1, -1):
        fits = [0 <= place + step < width and shapes[place].fits(cells[place + step]) for place in range(width)]
        filled = [0 <= place + step < width and bool(cells[place + step].strip()) for place in range(width)]
        for begin in range(width):
            gain = gained = 0
            for place in range(begin, width) if step > 0 else range(begin, -1, -1):
                if gain + odd[place] >= GAIN and gained and total - gain - odd[place] <= 1:  # the lost cell stood here
                    seeds = [at for at in range(width) if odd[at] and fits[at] and filled[at] and shapes[at].is_firm]
                    block = _block(seeds, step, [fit and full for fit, full in zip(fits, filled, strict=True)], odd)
                    return tuple((at + step, at) for at in block)
                gain += odd[place] - (not fits[place])
                gained += odd[place] and fits[place] and filled[place] and shapes[place].is_firm
    return ()


def _block(seeds: list[int], step: int, fits: list[bool], odd: list[bool]) -> list[int]:
    """The columns that the cells beside them fit, as one block round these: with the next ones at the end to which the
    cells go, as long as a cell does not fit where it stands, and at the other end from the first that does not."""
    block = [at for at in range(min(seeds), max(seeds) + 1) if fits[at]][::step]
    while 0 <= block[0] - step < len(fits) and fits[block[0] - step] and odd[block[0]]:
        block.insert(0, block[0] - step)
    own = next((place for place, at in enumerate(block[::-1]) if odd[at + step]), None)
    return sorted(seeds if own is None else block[:len(block) - own])


def _fits_cut(cells: Sequence[str], shapes: Sequence[Shape], odd: list[bool]) -> Moves:
    """A cell beside an empty one that fits both columns, cut in two."""
    for place in range(len(cells) - 1):
        pair = cells[place].strip(), cells[place + 1].strip()
        if odd[place] and odd[place + 1] and not all(pair) and sum(odd) <= GAIN + 1:
            text = "".join(pair)
            if any(shapes[place].fits(text[:cut]) and shapes[place + 1].fits(text[cut:])
                   for cut in range(1, len(text))):
                full = place if pair[0] else place + 1
                return (full, place), (full, place + 1)
    return ()
