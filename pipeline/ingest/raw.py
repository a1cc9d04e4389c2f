"""One export as a table of text, before any meaning: what every reader hands over."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest.engine import BLANKS, first, literal, quoted
from pipeline.ingest.files import Export
from pipeline.ingest.footer import begins_as_total
from pipeline.ingest.header import Header, normal
from pipeline.ingest.records import split_fields
from pipeline.ingest.rules import REMEDIES, reason

BATCH = 20_000
BOM = "\ufeff"
ROW = "@row"  # as a constant: the number of the record is the id
OTHERS = "@others"  # one number over the columns of a record that no contract names (counts_whole)
LOOKED_AT = 3  # columns in which a header in another order is looked for
SHEET_LIMITS = (1_048_575, 65_535)  # rows under a header that fill a sheet of Excel


@dataclass(frozen=True)
class Reject:
    """A line that is no record: rule, first physical line, its text; column and found where one cell is to blame."""

    rule: str
    line: int
    text: str
    column: str | None = None
    found: str | None = None


@dataclass(frozen=True)
class Loaded:
    """An export as the table `table`: one column per declared header, all text, rows in the order of the file.

    rows: of the table. lines_of: row number (from 0) -> physical line. rejects: lines that are no record.
    blank: empty lines, dropped. notes: rule -> count of what was repaired or is to be warned of. order: the declared
    headers as they stand in the file.
    """

    export: Export
    table: str  # with OTHERS beside the declared headers
    rows: int
    lines_of: Callable[[np.ndarray], np.ndarray]
    rejects: list[Reject] = field(default_factory=list)
    blank: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    beside: dict[str, Any] = field(default_factory=dict)  # in JSON: the plain values beside the list of the records
    order: tuple[str, ...] = ()

    @property
    def rows_in(self) -> int:
        return self.rows + len(self.rejects) + self.blank


def counts_whole(source: Source) -> bool:
    """Whether it matters what a record says in columns that nobody declared: only its whole tells it from another."""
    key = TABLES[source.table].key
    is_short = "line_id" in key and "line_id" not in source.columns
    return is_short or any(source.constants.get(name) == ROW for name in key)


def other_places(header: Header, source: Source) -> list[int]:
    """Where the columns stand that nobody declared, in the order of their names (files may order them differently);
    none where they do not matter."""
    if not counts_whole(source):
        return []
    places = sorted(set(range(header.width)) - set(header.positions.values()))
    named = dict(zip(places, header.extra, strict=False))
    return sorted(places, key=lambda place: (normal(named.get(place, "")), place))


def hash_of(cells: list[str]) -> str:
    """The expression of OTHERS over these texts; an empty text is none."""
    texts = ", ".join(f"nullif({cell}, '')" for cell in cells)
    return f"hash({texts})" if cells else "0::UBIGINT"


def fill_table(con: duckdb.DuckDBPyConnection, table: str, header: Header, source: Source,
               rows: Iterator[list[str | None]]) -> int:
    """Make `table` from rows of fields, streamed; returns its number of rows."""
    names = list(header.positions)
    others = other_places(header, source)
    places = [*header.positions.values(), *others]
    schema = pa.schema([(f"c{i}", pa.string()) for i in range(len(places))])

    refused: list[Refusal] = []

    def batches() -> Iterator[pa.RecordBatch]:
        held: list[list[str | None]] = []
        try:
            for row in rows:
                held.append([row[place] for place in places])
                if len(held) == BATCH:
                    yield _batch(held, schema)
                    held = []
        except Refusal as refusal:  # the engine would hand it on as an error of its own
            refused.append(refusal)
            raise
        if held:
            yield _batch(held, schema)

    incoming = pa.RecordBatchReader.from_batches(schema, batches())
    con.register("incoming", incoming)
    columns = "".join(f"c{i} AS {quoted(name)}, " for i, name in enumerate(names))
    beside = hash_of([f"c{i}" for i in range(len(names), len(places))])
    try:
        con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT {columns}{beside} AS {quoted(OTHERS)} "
                    "FROM incoming")
    except duckdb.Error:
        if refused:
            raise refused[0] from None
        raise
    con.unregister("incoming")
    return count_rows(con, table)


def _batch(held: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(column, pa.string()) for column in zip(*held, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def without_rows(con: duckdb.DuckDBPyConnection, loaded: Loaded, rows: list[int], rejects: list[Reject]) -> Loaded:
    """The export without these rows of its table (in order), and with these rejects beside its own."""
    kept = np.setdiff1d(np.arange(loaded.rows), np.array(rows, dtype=np.int64))
    table = quoted(loaded.table)
    con.execute("CREATE OR REPLACE TEMP TABLE apart AS SELECT unnest(?::BIGINT[]) AS place", [rows])
    con.execute(f"CREATE OR REPLACE TABLE others_kept AS SELECT * FROM {table} t WHERE t.rowid NOT IN (FROM apart) "
                "ORDER BY t.rowid")
    con.execute(f"DROP TABLE {table}; DROP TABLE apart; ALTER TABLE others_kept RENAME TO {table}")
    return replace(loaded, rows=len(kept), lines_of=lambda ordinals: loaded.lines_of(kept[ordinals]),
                   rejects=[*loaded.rejects, *rejects])


def count_rows(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return first(con, f"SELECT count(*) FROM {quoted(table)}")[0]


def check_loaded(con: duckdb.DuckDBPyConnection, loaded: Loaded, header: Header, source: Source) -> Loaded:
    """The same, with warnings on what fills a sheet; refusals for no rows and for a header in the middle."""
    if loaded.rows == 0 and loaded.rejects and not source.allow_empty:
        raise _no_record(loaded, header, source)
    if loaded.rows == 0 and not source.allow_empty:
        raise Refusal("FILE-NOROWS", "the file has a header and no rows", file=loaded.export.name, found="0 rows",
                      expected="rows, or `allow_empty: true`")
    if source.header_rows and len(header.positions) > 1:
        same = " AND ".join(_names(quoted(name), name) for name in header.positions)
        again = first(con, f"SELECT min(rowid) FROM {quoted(loaded.table)} WHERE {same}")[0]
        again = _other_order(con, loaded, header) if again is None else again
        if again is not None:
            raise Refusal("FMT-REHEADER", "the header stands again in the middle: two exports pasted together",
                          file=loaded.export.name, line=int(loaded.lines_of(np.array([again]))[0]),
                          expected="one export a file")
    notes = dict(loaded.notes)
    if loaded.rows in SHEET_LIMITS:
        notes["FILE-XLIMIT"] = loaded.rows
    return replace(loaded, notes=notes, extra=header.extra,
                   order=tuple(sorted(header.positions, key=header.positions.__getitem__)))


def _other_order(con: duckdb.DuckDBPyConnection, loaded: Loaded, header: Header) -> int | None:
    """The first row of which most cells, and two at least, are names of the header, in whatever order."""
    names = [*header.positions, *header.extra]
    known, listed = set(map(normal, names)), ", ".join(literal(mark + name) for name in names for mark in ("", BOM))
    cells = [quoted(name) for name in header.positions]
    found = con.execute(f"SELECT rowid, {', '.join(cells)} FROM {quoted(loaded.table)} WHERE "
                        f"{' OR '.join(f'{cell} IN ({listed})' for cell in cells[:LOOKED_AT])} ORDER BY 1").fetchall()
    for row, *texts in found:
        filled = [normal(text.strip(BLANKS + BOM)) for text in texts if text]
        if len(set(filled) & known) > 1 and 4 * sum(text in known for text in filled) >= 3 * len(filled):
            return row
    return None


def without_empty(con: duckdb.DuckDBPyConnection, loaded: Loaded, header: Header, source: Source) -> Loaded:
    """The export without the rows that hold nothing in any column, which are empty lines; asked only where such a row
    would be taken for a record, because the number of the row is its id."""
    if not counts_whole(source):
        return loaded
    bare = " AND ".join(f"coalesce(trim({x}, {literal(BLANKS)}), '') = ''"
                        for x in map(quoted, header.positions)) or "TRUE"
    others = hash_of(["NULL"] * len(other_places(header, source)))
    found = con.execute(f"SELECT rowid FROM {quoted(loaded.table)} WHERE {bare} AND {quoted(OTHERS)} = {others} "
                        "ORDER BY 1").fetchall()
    rows = [row for (row,) in found]
    return replace(without_rows(con, loaded, rows, []), blank=loaded.blank + len(rows)) if rows else loaded


def _names(x: str, name: str) -> str:
    """Whether a cell holds a header's name, perhaps in another case or behind a byte order mark."""
    bare = f"lower(trim({x}, {literal(BLANKS + BOM)}))"
    near = f"strlen({x}) BETWEEN {len(name.strip().encode())} AND {len(name.encode()) + 8}"  # few are, and it is cheap
    return f"{near} AND {bare} = {literal(normal(name))}"


def _no_record(loaded: Loaded, header: Header, source: Source) -> Refusal:
    """The refusal for a file of which every line is set aside: the most frequent rule, at its first line."""
    rule, _ = Counter(reject.rule for reject in loaded.rejects).most_common(1)[0]
    first = next(reject for reject in loaded.rejects if reject.rule == rule)
    fields = split_fields(first.text, source.delimiter, source.quote) if rule == "FMT-WIDTH" else None
    return Refusal(rule, f"no line below the header is a record: {reason(rule)}", file=loaded.export.name,
                   line=first.line, column=first.column, found=f"{len(fields)} fields" if fields else first.found,
                   expected=f"{header.width} fields" if fields else REMEDIES.get(
                       rule, "records as the header announces them"))


def width_rule(text: str) -> str:
    """FMT-FOOTER for a line of totals, else FMT-WIDTH."""
    return "FMT-FOOTER" if begins_as_total(text) else "FMT-WIDTH"
