"""The first rows of a workbook, a Parquet or a JSON file as text, for inspect only."""

import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import duckdb
import openpyxl

from pipeline.contracts.refusal import Refusal
from pipeline.ingest.engine import literal, quoted
from pipeline.ingest.evidence import Cell, is_number
from pipeline.ingest.evidence_layout import Row
from pipeline.ingest.files import GZIP
from pipeline.ingest.json_chain import missing_pages
from pipeline.ingest.json_pages import Answer
from pipeline.ingest.json_text import Beside, Twice, items_in, lists_in
from pipeline.ingest.read_parquet import spelled_time
from pipeline.ingest.sample import Sample

LONGEST = 64 << 20  # bytes of a JSON file around a list that inspect reads to its end
SHEETS, TABLE = 24, 20  # sheets that are looked at; rows of two cells or more that make a table beyond doubt
XML = 256 << 20  # bytes of a sheet in which gaps are looked for
ROW = re.compile(rb'<row\b[^>]*?\br="(\d+)"')
DEEPEST = 5  # objects within objects whose values are looked at


def read_sheet_rows(path: Path, limit: int) -> tuple[list[str], list[Row], list[Cell], int | None]:
    """(names of the sheets, that with the table first; its rows; numbers that are stored as text; the row behind the
    first empty one below those). The table is the first sheet with a table's rows (TABLE of two cells or more), else
    the one with most of them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            best, title, most, part = [], "", -1, ""
            for sheet in book.worksheets[:SHEETS]:
                sheet.reset_dimensions()
                found = [(line, row) for line, row in enumerate(islice(sheet.iter_rows(values_only=True), limit), 1)
                         if any(value is not None for value in row)]
                wide = sum(sum(value is not None for value in row) > 1 for _, row in found)
                if found and wide > most:
                    best, title, most, part = found, sheet.title, wide, sheet._worksheet_path
                if wide >= TABLE:
                    break
            width = max((len(row) for _, row in best[:50]), default=0)
            rows = [(line, [_text(v) for v in (*row, *[None] * width)][:width]) for line, row in best]
            texts = [(line, v) for line, row in best[1:] for v in row if isinstance(v, str) and is_number(v)]
            behind = _gap_behind(path, part, limit) if best and best[-1][0] == limit else None
            return sorted(book.sheetnames, key=lambda name: name != title), rows, texts, behind
    except Exception as error:  # openpyxl raises what its XML and zip layers raise
        raise Refusal("FILE-TRUNC", "the workbook cannot be opened", file=path.name, found=type(error).__name__,
                      expected="a whole .xlsx file") from None


def _gap_behind(path: Path, part: str, limit: int) -> int | None:
    """The number of the row behind the first gap between the rows of a sheet below row `limit`, told by the numbers
    that its XML gives to rows; None without any in the first bytes of it."""
    last, tail, size = 0, b"", 0
    with zipfile.ZipFile(path) as archive, archive.open(part.lstrip("/")) as handle:
        while size < XML and (chunk := handle.read(1 << 20)):
            piece, size = tail + chunk, size + len(chunk)
            for found in ROW.finditer(piece):
                if int(found[1]) > max(last + 1, limit) and last:
                    return int(found[1])
                last = int(found[1])
            tail = piece[max(piece.rfind(b"<row"), 0):]
    return None


def read_parquet_rows(path: Path, limit: int) -> tuple[list[str], list[Row], list[Cell]]:
    """([], the header and the first rows, numbers that are stored as text)."""
    with duckdb.connect() as con:
        try:
            scan = f"read_parquet([{literal(str(path))}])"
            types = {row[0]: row[1] for row in con.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()}
            shown = [spelled_time(quoted(name), kind) or quoted(name) for name, kind in types.items()]
            names, rows = list(types), con.execute(f"SELECT {', '.join(shown)} FROM {scan} LIMIT {limit}").fetchall()
        except duckdb.Error:
            raise Refusal("FILE-TRUNC", "the Parquet file cannot be read", file=path.name, expected="a whole file") \
                from None
    texts = [(line, v) for line, row in enumerate(rows, 1) for v in row if isinstance(v, str) and is_number(v)]
    return [], [(0, names), *((line, [_text(v) for v in row]) for line, row in enumerate(rows, 1))], texts


def read_json_rows(sample: Sample, path: Path, limit: int,
                   records: str | None = None) -> tuple[list[Row], list[Cell], str, tuple[int, ...]]:
    """(the keys, dotted inside objects, and the first objects under them; numbers that are stored as text; the key
    beside the records that says that there are more; lines of objects that name a key twice). records: the list inside
    one object, whose file is read whole where it is not too long."""
    rows: list[tuple[int, dict[str, Any]]] = []
    count, twice = 0, []
    beside, is_whole = Beside(), sample.whole or (records is not None and _is_readable(path, sample))
    try:
        with _opened(path, sample, records is not None) as handle:
            for item in items_in(handle, path.name, records, beside):
                count += 1
                if len(rows) < limit and not item.rule:
                    rows.append((item.line, dict(_flat(item.value))))
                    twice += [item.line] if is_twice(item.value) else []
                if len(rows) >= limit and records is None:
                    break
    except Refusal:  # the head of a longer array ends in the middle
        if is_whole:
            raise
    keys = list(dict.fromkeys(key for _, row in rows for key in row))
    texts = [(line, value) for line, row in rows for value in row.values()
             if type(value) is str and is_number(value)]
    shown = [(0, keys), *((line, [_text(row.get(key)) for key in keys]) for line, row in rows)] if rows else []
    gaps = missing_pages([Answer(beside.values, records or "", count if is_whole else None)])
    return shown, texts, gaps[0][0] if gaps else "", tuple(twice)


def _is_readable(path: Path, sample: Sample) -> bool:
    """Whether the file itself can be read for more than its head: plain UTF-8, and not too long to wait for."""
    with open(path, "rb") as handle:
        packed = handle.read(2) == GZIP
    return sample.encoding == "utf-8" and not packed and path.stat().st_size <= LONGEST


def _opened(path: Path, sample: Sample, is_wrapped: bool) -> TextIO:
    return open(path, encoding="utf-8-sig") if is_wrapped and _is_readable(path, sample) else io.StringIO(sample.head)


def wrapped_lists(sample: Sample, path: Path) -> list[str]:
    """The lists of objects inside a file that is one object; none where an object a line stands in it."""
    at = len(sample.head) - len(sample.head.lstrip())
    try:
        _, end = json.JSONDecoder().raw_decode(sample.head, at)
    except json.JSONDecodeError as error:  # longer than the head, or broken
        if sample.whole or error.pos <= len(sample.head) // 2:
            return []
        found = lists_in(io.StringIO(sample.head), path.name)
        with _opened(path, sample, not found) as handle:
            return found or lists_in(handle, path.name)
    return [] if sample.head[end:].strip() else lists_in(io.StringIO(sample.head), path.name)


def _flat(value: dict[str, Any], above: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every value with its dotted path; lists are left out, they cannot be declared."""
    for key, item in value.items():
        if isinstance(item, dict) and depth < DEEPEST:
            yield from _flat(item, f"{above}{key}.", depth + 1)
        elif not isinstance(item, (dict, list)):
            yield f"{above}{key}", item


def is_twice(value: Any) -> bool:
    """Whether an object, or one inside it, names a key twice."""
    return isinstance(value, Twice) or (isinstance(value, dict) and any(map(is_twice, value.values())))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime, date)):
        return value.isoformat(sep=" ", timespec="seconds") if isinstance(value, datetime) else value.isoformat()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
