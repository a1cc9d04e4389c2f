"""What an export is, from a bounded sample of it: every finding with the evidence for it, nothing decided silently."""

import os
import sqlite3
import stat
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pipeline.contracts.presets import load_preset
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import meaning
from pipeline.ingest.evidence import Cell, Numbers, is_number, missing_words, read_numbers
from pipeline.ingest.evidence_below import rows_apart, rows_behind, with_gaps
from pipeline.ingest.evidence_columns import Column, describe, is_time_header, names_somebody
from pipeline.ingest.evidence_dates import Dates, read_dates
from pipeline.ingest.evidence_layout import SEPLINE, Layout, Row, find_layout, footer_lines, opens, split_rows
from pipeline.ingest.evidence_lines import refuse_lines
from pipeline.ingest.files import check_json, check_text, check_workbook
from pipeline.ingest.json_layouts import refuse_layout
from pipeline.ingest.json_text import fault_of
from pipeline.ingest.presets import Recognised, recognise
from pipeline.ingest.sample import Sample, take_sample
from pipeline.ingest.sheets import read_json_rows, read_parquet_rows, read_sheet_rows, wrapped_lists

Kind = Literal["csv", "xlsx", "parquet", "json"]
JSON_NAMES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")  # elsewhere JSON is an error page
WIDE = 500  # columns that are looked at
SQLITE = b"SQLite format 3"
ROWS, MORE = 3_000, 100  # records whose cells are looked at: of the head, and of each slice of the rest


@dataclass(frozen=True)
class Inspection:
    """Everything found out about one file. columns: one per header, in their order; mapped: canonical -> header;
    asked: instrument -> header; repeated: headers that stand more than once; rows: records looked at."""

    path: Path
    format: Kind
    headers: list[str]
    columns: dict[str, Column]
    numbers: Numbers
    dates: Dates
    missing: tuple[list[str], list[str]]
    table: str | None
    table_why: str
    mapped: dict[str, str]
    asked: dict[str, str]
    tool: Recognised | None
    repeated: list[str]
    rows: int
    header_rows: int = 1
    skip_rows: int = 0
    sample: Sample | None = None
    layout: Layout | None = None
    sheets: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)  # in JSON: the lists of records inside one object, the first read
    more_at: str = ""  # in JSON: the key beside the records whose value says that there are more of them
    twice: tuple[int, ...] = ()  # in JSON: lines of objects that name a key twice
    says_utc: bool = False
    repeats_key: bool = False
    footer: int = 0
    apart: tuple[int, ...] = ()  # lines of rows under an empty one that belong to another table
    gap: int | None = None  # in a workbook: the row behind the first empty one below those looked at
    also: dict[str, str] = field(default_factory=dict)  # questions in a file of another table: instrument -> header


def inspect_file(path: Path, table: str | None = None) -> Inspection:
    """The findings on one file; Refusal for what no reader here opens (and why). table: the canonical one, if told."""
    kind = _format(path)
    if kind == "csv":
        return _inspect_text(path, table)
    if kind == "json":
        return _inspect_json(path, table)
    gap = None
    if kind == "xlsx":
        sheets, rows, numbers, gap = read_sheet_rows(path, ROWS)
    else:
        sheets, rows, numbers = read_parquet_rows(path, ROWS)
    if not rows:
        raise Refusal("FILE-NOROWS", "nothing stands in it", file=path.name, expected="a header and rows")
    filled = [sum(map(bool, fields)) for _, fields in rows[:50]]
    usual = Counter(filled).most_common(1)[0][0]
    at = next((place for place, count in enumerate(filled) if 2 * count > usual), 0)
    rows = rows[at:]
    tool = recognise([fields for _, fields in rows[:3]], {})
    heads = load_preset(tool.name)["source"].get("header_rows", 1) if tool else 1
    return _found(path, kind, rows[0][1], rows[heads:], rows[:3], heads, number_cells=numbers, tool=tool,
                  sheets=sheets, gap=gap, skip_rows=max(rows[0][0] - 1, 0), told=table,
                  below=(with_gaps(rows[heads:]), []) if kind == "xlsx" else ([], []))


def _format(path: Path) -> Kind:
    try:
        mode, size = os.lstat(path).st_mode, path.stat().st_size
        if not stat.S_ISREG(mode):
            raise Refusal("FILE-KIND", "this is no plain file", file=str(path), expected="a file")
        with open(path, "rb") as handle:
            head = handle.read(4096)
    except OSError as error:
        raise Refusal("SET-MISSING", "the file cannot be opened", file=str(path), found=error.strerror) from None
    if size == 0:
        raise Refusal("FILE-EMPTY", "the file is empty", file=path.name, found="0 bytes", expected="a header and rows")
    if head.startswith(b"PK"):
        check_workbook(path, head, path.name)
        return "xlsx"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(SQLITE):
        raise Refusal("SQL-FILE", "this is an SQLite database, not an export: a source asks it with a query",
                      file=path.name, found=_tables_of(path),
                      expected="`format: parquet`, `files: NAME.parquet` and `database: {kind: sqlite, file: PATH, "
                      "query: SELECT …}` in the source, then `python -m pipeline.ingest fetch`")
    if path.name.lower().endswith(JSON_NAMES):
        check_json(head, path.name)
        return "json"
    check_text(head, path.name)
    return "csv"


def _tables_of(path: Path) -> str:
    """The names of the tables of a database, for people."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)) as con:
            names = [name for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    except sqlite3.Error:
        names = []
    return f"tables {', '.join(names[:8])}" if names else "no tables"


def _inspect_json(path: Path, told: str | None) -> Inspection:
    sample = take_sample(path)
    refuse_layout(sample.head, path.name)
    lists = wrapped_lists(sample, path)
    rows, numbers, more_at, twice = read_json_rows(sample, path, ROWS, lists[0] if lists else None)
    if not rows:
        fault = fault_of(StringIO(sample.head), path.name) if sample.whole else None
        raise Refusal("JSON-LINE", "no JSON object can be told in the first megabyte", file=path.name,
                      line=fault.line if fault else None, found=fault.found if fault else None,
                      expected=(fault and fault.expected) or "one object a line, or one array of objects")
    return _found(path, "json", rows[0][1], rows[1:], rows[:1], 1, number_cells=numbers,
                  tool=recognise([rows[0][1]], {}), sample=sample, told=told, lists=lists, more_at=more_at,
                  twice=twice)


def _inspect_text(path: Path, told: str | None) -> Inspection:
    sample = take_sample(path)
    if not sample.head.strip():
        raise Refusal("FILE-NOROWS", "the file holds blanks only", file=path.name, expected="a header and rows")
    layout = find_layout(sample.head, sample.whole)
    if not layout.quote and any(opens(piece, layout.delimiter) for _, piece in sample.slices):
        layout = replace(layout, quote='"')
    refuse_lines(sample.head, layout, sample.whole, path.name)
    records = split_rows(sample.head, layout.delimiter, layout.quote, limit=ROWS, whole=sample.whole)
    above = layout.skip_rows + (SEPLINE.match(sample.head) is not None)  # ingest takes a `sep=` line off by itself
    table = [row for row in records if row[0] > above and any(row[1])]
    if not table:
        raise Refusal("FILE-NOROWS", "no record can be told in the first megabyte", file=path.name,
                      expected="lines of fields")
    top = table[:3]
    numbers = read_numbers([(line, text) for line, fields in table[1:] for text in fields if is_number(text)])
    dialect = {"delimiter": layout.delimiter, "encoding": sample.encoding, "decimal": numbers.decimal}
    tool = recognise([fields for _, fields in top], dialect)
    heads = load_preset(tool.name)["source"].get("header_rows", 1) if tool else layout.header_rows
    header = table[0][1] if heads else [str(place) for place in range(1, len(table[0][1]) + 1)]
    slices = [split_rows(text, layout.delimiter, layout.quote, line)[:MORE] for line, text in sample.slices]
    body = table[heads:] + [row for rows in slices for row in rows]
    data = [row for row in records if row[0] > table[heads - 1][0]] if heads else records
    return _found(path, "csv", header, body, top, heads, sample=sample, layout=layout, tool=tool,
                  skip_rows=layout.skip_rows, footer=footer_lines(sample.tail, layout), told=told,
                  below=(data, rows_behind(sample, layout, records[-1][0])))


def _counts(name: str, column: Column, mapped: dict[str, str]) -> bool:
    """Whether the numbers of a column are evidence: no ids, no places, nothing that stands for a person."""
    uses = [canonical for canonical, head in mapped.items() if head == name]
    if column.kind != "number" or any(use.endswith("_id") for use in uses) or meaning.is_personal(name):
        return False
    return bool(uses) or not names_somebody(name)


def _found(path: Path, kind: Kind, header: list[str], body: list[Row], top: list[Row],
           heads: int, number_cells: list[Cell] | None = None, tool: Recognised | None = None,
           told: str | None = None, below: tuple[list[Row], list[Row]] = ([], []), **more) -> Inspection:
    """Everything that follows from the records, whatever the format. below: the rows with the empty ones among them,
    and those under the empty ones further down."""
    width = len(header)
    body = [row for row in body if len(row[1]) == width]
    names = Counter(header)
    repeated = [name for name, times in names.items() if times > 1 and name.strip()]
    usable = {name: place for place, name in enumerate(header[:WIDE]) if name.strip() and names[name] == 1}
    cells = {name: [(line, fields[place]) for line, fields in body] for name, place in usable.items()}
    is_salesforce = tool is not None and "salesforce" in tool.name
    columns = {name: describe(name, cells[name], is_salesforce) for name in usable}
    fits = {name: column.fits for name, column in columns.items()}
    scales = {name: column.scale for name, column in columns.items() if column.scale}
    second = top[1][1] if heads > 1 and len(top) > 1 and len(top[1][1]) == width else [""] * width
    texts = {name: f"{name} {second[place]}".strip() for name, place in usable.items()}  # a question's own words
    by_text = {text: name for name, text in texts.items()}
    asked = {i: by_text[text] for i, text in
             meaning.questions(list(by_text), {t: scales[n] for t, n in by_text.items() if n in scales}).items()}
    given = load_preset(tool.name)["source"] if tool else {}
    table, why = (given["table"], f"that is what {tool.tool.split(',')[0]} writes") if given.get("table") else \
        meaning.guess_table(list(columns), fits, asked)
    table, why = (told, "that is what --table says") if told else (table, why)
    free = [name for name in columns if table != "surveys" or name not in asked.values()]
    mapped = meaning.map_columns(table, free, fits) if table and not given.get("columns") else {}
    mapped |= {name: head for name, head in given.get("columns", {}).items() if head in columns}
    also = {} if table in ("surveys", None) else asked
    asked = asked if table == "surveys" and not given.get("instruments") else {}
    times = [head for name, head in mapped.items() if columns[head].kind == "time"] or \
        [name for name, column in columns.items() if column.kind == "time"]
    dates = read_dates([cell for name in times for cell in cells[name]], any(map(is_time_header, times)))
    if number_cells is None:
        number_cells = [cell for name, column in columns.items() if _counts(name, column, mapped)
                        for cell in cells[name] if is_number(cell[1])]
    read = [usable[head] for head in {**dict.fromkeys(mapped.values()), **dict.fromkeys(asked.values())}]
    key = mapped.get({"sales": "order_id"}.get(table or "", ""))
    return Inspection(path, kind, header, columns, read_numbers(number_cells), dates,
                      missing_words([[text for _, text in cells[n]] for n in islice(usable, 500)
                                     if n not in asked.values()]),
                      table, why, mapped, asked, tool, repeated, len(body), heads,
                      says_utc=bool(times) and all("utc" in meaning.plain(name).split() for name in times),
                      repeats_key=bool(key) and columns[key].distinct < columns[key].filled, also=also,
                      apart=rows_apart(below[0], read or list(usable.values()), width, below[1]),
                      **more)

