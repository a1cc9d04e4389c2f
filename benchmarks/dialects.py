"""A contract for a file that came without one: everything as text, dialect and header as far as they can be seen."""

import csv
import gzip
import re
import zipfile
from collections import Counter
from itertools import islice
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.decode import SEPLINE
from pipeline.ingest.header import normal
from pipeline.ingest.records import read_records

HEAD = 1 << 18  # bytes looked at
SIGNS, QUOTES = ",;\t|", "\"'"
VALUE = re.compile(r"[+-]?[\d.,:/ -]*\d[\d.,:/ -]*(T[\d:.]+Z?)?")  # a number, a date, a time: no name of a column


def found_contract(path: Path, workdir: Path) -> Source:
    """A Source that keeps every named column of the file as text; Refusal (FMT-DELIM) where no dialect fits."""
    suffix = path.suffix.lower()
    base = {"table": "customers", "folder": str(path.parent), "files": _escaped(path.name), "columns": {},
            "constants": {"customer_id": "@row"}, "allow_empty": False}
    if suffix in (".xlsx", ".xlsm"):
        sheet, names = _sheet(path)
        return Source(format="xlsx", sheet=sheet, extra=_named(names), time_zone="UTC", **base)
    if suffix == ".parquet":
        return Source(format="parquet", extra=_named(_parquet(path)), time_zone="UTC", **base)
    return Source(format="csv", **base, **_text_dialect(path, workdir))


def _escaped(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _named(names: list[str]) -> dict[str, str]:
    """Own name -> header; columns without a name cannot be declared and are left out."""
    headers = list(dict.fromkeys(name for name in names if normal(name)))
    return {f"c{place}": header for place, header in enumerate(headers)}


def _sheet(path: Path) -> tuple[str | None, list[str]]:
    """The first sheet and its first row; nothing where the file is no workbook (ingest says why)."""
    if not zipfile.is_zipfile(path):
        return None, []
    try:
        book = openpyxl.load_workbook(path, read_only=True)
        top = next(book.worksheets[0].iter_rows(values_only=True), ())
        return book.sheetnames[0], [str(value) for value in top if value is not None]
    except Exception:  # whatever a damaged workbook raises: ingest has its own word for it
        return None, []


def _parquet(path: Path) -> list[str]:
    try:
        return pq.read_schema(path).names
    except (OSError, ValueError):
        return []


def _text_dialect(path: Path, workdir: Path) -> dict:
    raw = b""
    if path.is_file():
        with path.open("rb") as handle:
            raw = handle.read(HEAD)
    if raw.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as handle:
                raw = handle.read(HEAD)
        except (OSError, EOFError):
            return {"extra": {"c0": "1"}, "header_rows": 0}
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = raw.decode(encoding, "replace").removeprefix("\ufeff")
    sepline = SEPLINE.match(text[:16].encode("utf-8", "replace"))
    signs = sepline[1].decode() if sepline else SIGNS
    text = text[sepline.end():] if sepline else text
    if len(raw) == HEAD:
        text = text[:text.rfind("\n") + 1] or text
    head = workdir / "head"
    head.write_text(text, encoding="utf-8", errors="replace", newline="")
    quotes = '"' if '"' in text else QUOTES  # in a damaged file the other mark only seems to fit
    best = max((_fit(head, sign, quote) for quote in quotes for sign in signs), key=lambda fit: fit[0])
    (share, _, _), sign, quote, top, line = best
    if share < 0.5 and any(sign in text for sign in SIGNS + " "):
        raise Refusal("FMT-DELIM", "no delimiter splits most lines into the same number of fields", file=path.name,
                      found="none of comma, semicolon, tab, bar", expected="a contract that names it")
    if share < 0.5:  # one column
        sign, quote, line = ",", '"', 1
        top = text.splitlines()[:1]
    headless = any(VALUE.fullmatch(cell.strip()) for cell in top)
    first = next(read_records(head, sign, quote, None), None)
    if headless and line > 1 and first is not None and len(first.fields or ()) > 1:
        raise Refusal("FMT-WIDTH", "the first line has another number of fields than the others", file=path.name,
                      line=1, found=f"{len(first.fields)} fields", expected=f"{len(top)}")
    import_ids = [r.line for r in islice(read_records(head, sign, quote, None), 3)
                  if r.fields and r.fields[0].startswith('{"ImportId"')]
    header_rows = 3 if import_ids else 1  # Qualtrics
    names = [str(place + 1) for place in range(len(top))] if headless else top
    return {"delimiter": sign, "quote": quote, "encoding": encoding, "skip_rows": line - 1,
            "header_rows": 0 if headless else header_rows, "extra": _named(names)}


def _fit(head: Path, sign: str, quote: str) -> tuple[tuple[float, int, bool], str, str, list[str], int]:
    """((share of records with the usual width, width, is it a double quote), delimiter, quote, first such record and
    its line)."""
    records = [r for r in islice(read_records(head, sign, quote, None), 500) if r.rule != "FMT-BLANK"]
    widths = Counter(len(r.fields) for r in records if r.fields is not None)
    widths.pop(1, None)
    if not widths:
        return (0.0, 0, quote == '"'), sign, quote, [], 1
    width, rows = max(widths.items(), key=lambda item: (item[1], item[0]))
    wide = [r for r in records if r.fields is not None and len(r.fields) == width]
    first = next((r for r in wide[:20] if sum(map(bool, r.fields)) > width / 2), wide[0])  # not a padded title
    return (rows / len(records), width, quote == '"'), sign, quote, first.fields or [], first.line


def read_truth(path: Path, has_header: bool) -> list[list[str]]:
    """Records of a clean parse: comma, double quotes, UTF-8; the header left out."""
    with open(path, encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.reader(handle) if row]
    return rows[1:] if has_header else rows
