"""A sheet of an Excel workbook as a table of text: values as stored, nothing evaluated, typed cells in one spelling."""

import re
import warnings
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import openpyxl
from openpyxl.utils import get_column_letter

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest.cell_formats import currency_in, tells, zeros_of
from pipeline.ingest.files import Export
from pipeline.ingest.header import Header, match_header
from pipeline.ingest.raw import Loaded, Reject, check_loaded, fill_table, other_places

DAMAGED = (SyntaxError, zipfile.BadZipFile, zlib.error, EOFError)  # a broken XML is a SyntaxError
OWN_FORMATS = 164  # the first number of a format that a workbook defines
EXACT = 10**15  # Excel keeps 15 digits; a longer whole number has lost some
ERRORS = re.compile(r"#(N/[AD]|¡?REF!|¡?VAL(UE|OR)!|¡?DIV/0!|NAME\?|¿NOMBRE\?|¡?NUL[LO]!|¡?NUM!)")
VALUELESS = re.compile(rb"(?:</f>|<f[^<>]*/>)\s*(?:</c>|<v\s*/>|<v>\s*</v>)")
POINT = re.compile(r"\d[.,]\d")


def load_excel(con: duckdb.DuckDBPyConnection, export: Export, source: Source, table: str) -> Loaded:
    """The declared sheet as `table`; rows with a formula without value or an error are rejects (XLS-FORMULA)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl remarks on styles and filters, which nothing here reads
        try:
            return _load(con, export, source, table)
        except DAMAGED as error:
            raise _damaged(error, export.name) from None


def _load(con: duckdb.DuckDBPyConnection, export: Export, source: Source, table: str) -> Loaded:
    book = _open(export, values=True)
    sheet = _sheet(book, source, export.name)
    is_open, hidden = _scan(export, sheet)
    twin = _sheet(_open(export, values=False), source, export.name) if is_open else None
    rows = _whole(_rows(sheet, twin, tells(list(book._number_formats))), export.name)
    top = [next(rows, None) for _ in range(source.skip_rows + max(source.header_rows, 1))]
    if top[source.skip_rows] is None:
        raise Refusal("FILE-NOROWS", "the sheet is empty", file=export.name, found="no rows", expected="a header")
    names = [_text(cell, None) or "" for cell, _, _ in top[source.skip_rows]]
    while names and not names[-1]:
        names.pop()
    header = match_header(names, source, export.name, source.skip_rows + 1)
    if source.header_rows == 0:
        rows = _chain(top[source.skip_rows], rows)
    lines, rejects, counts = array("q"), [], {"blank": 0}
    first = source.skip_rows + source.header_rows + 1
    fields = _fields(rows, header, source, (export.name, sheet.title), first, lines, rejects, counts)
    count = fill_table(con, table, header, source, fields)
    numbers = np.array(lines, dtype=np.int64)
    notes = header.repairs | ({"XLS-HIDDEN": hidden} if hidden else {})
    loaded = Loaded(export, table, count, lambda ordinals: numbers[ordinals], rejects, counts["blank"], notes)
    return check_loaded(con, loaded, header, source)


def _open(export: Export, values: bool) -> Any:
    try:
        return openpyxl.load_workbook(export.path, read_only=True, data_only=values, keep_links=False)
    except Exception as error:  # openpyxl raises what its XML and zip layers raise
        raise Refusal("FILE-TRUNC", "the workbook cannot be opened", file=export.name,
                      found=type(error).__name__, expected="a whole .xlsx file") from None


def _whole(rows: Iterator[Any], name: str) -> Iterator[Any]:
    """The same rows; Refusal (FILE-TRUNC) where the XML of the sheet breaks off."""
    try:
        yield from rows
    except DAMAGED as error:
        raise _damaged(error, name) from None


def _damaged(error: Exception, name: str) -> Refusal:
    return Refusal("FILE-TRUNC", "the workbook is damaged", file=name, found=type(error).__name__,
                   expected="a whole .xlsx file")


def _sheet(book: Any, source: Source, name: str) -> Any:
    names = book.sheetnames
    if (source.sheet is None and len(book.worksheets) > 1) or (source.sheet is not None and source.sheet not in names):
        raise Refusal("XLS-SHEET", "the contract must name the sheet", file=name, found=", ".join(map(repr, names)),
                      expected=f"`sheet: {names[0]}`" if source.sheet is None else repr(source.sheet))
    sheet = book.worksheets[0] if source.sheet is None else book[source.sheet]
    sheet.reset_dimensions()
    return sheet


def _scan(export: Export, sheet: Any) -> tuple[bool, int]:
    """Whether the sheet holds formulas without their value, and how many of its rows are hidden."""
    is_open, hidden, tail = False, 0, b""
    with zipfile.ZipFile(export.path) as archive, archive.open(sheet._worksheet_path.lstrip("/")) as part:
        while chunk := part.read(1 << 20):
            piece = tail + chunk
            is_open = is_open or VALUELESS.search(piece) is not None
            cut = max(piece.rfind(b"<row "), piece.rfind(b"<c "), 0)
            hidden += len(re.findall(rb'<row [^>]*hidden="(?:1|true)"', piece[:cut]))
            tail = piece[cut:]
    return is_open, hidden


def _rows(sheet: Any, twin: Any, with_formats: bool) -> Iterator[list[tuple[Any, bool, str | None]]]:
    """Rows of (value, is the cell broken: a formula without value, or an error; its own number format if asked)."""
    formulas = twin.iter_rows() if twin is not None else None
    for cells in sheet.iter_rows(values_only=not with_formats):
        row = [cell.value for cell in cells] if with_formats else cells
        forms = [_own_format(cell) for cell in cells] if with_formats else [None] * len(row)
        kinds = [cell.data_type for cell in next(formulas)] if formulas is not None else []
        yield [(value, _is_error(value) or (value is None and place < len(kinds) and kinds[place] == "f"),
                forms[place]) for place, value in enumerate(row)]


def _own_format(cell: Any) -> str | None:
    """The format that the workbook itself defines for a number; None for those that Excel numbers."""
    is_number = type(cell.value) in (int, float)
    return cell.number_format if is_number and cell.style_array.numFmtId >= OWN_FORMATS else None


def _is_error(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("#") and ERRORS.fullmatch(value) is not None


def _chain(first: Any, rest: Iterator) -> Iterator:
    yield first
    yield from rest


def _fields(rows: Iterator, header: Header, source: Source, place_of: tuple[str, str], first: int, lines: array,
            rejects: list[Reject], counts: dict[str, int]) -> Iterator[list[str | None]]:
    """The rows as fields; what is blank or broken is set aside. place_of: names of the file and of its sheet."""
    (name, title), names = place_of, {place: header_name for header_name, place in header.positions.items()}
    numeric = _numeric_places(header, source)
    kinds = _kinds(header, source)
    places, beside = sorted(set(header.positions.values())), other_places(header, source)
    for number, row in enumerate(rows, first):
        cells = row + [(None, False, None)] * (header.width - len(row))
        if all(value is None and not is_broken for value, is_broken, _ in cells):
            counts["blank"] += 1
            continue
        texts: list[str | None] = [None] * len(cells)
        for place in places:
            texts[place] = _shown(cells[place], source.decimal, kinds.get(place, ""))
        broken = next((place for place in places if cells[place][1]), None)
        if broken is not None:
            at = f"{cells[broken][0] or 'no value'} in {get_column_letter(broken + 1)}{number} of sheet {title!r}"
            rejects.append(Reject("XLS-FORMULA", number, "; ".join(text or "" for text in texts), names[broken], at))
            continue
        if source.decimal is None:
            _refuse_open_numbers(cells, numeric, name, number)
        for place in beside:
            texts[place] = None if cells[place][0] is None else str(cells[place][0])
        lines.append(number)
        yield texts


def _numeric_places(header: Header, source: Source) -> dict[int, str]:
    table = TABLES[source.table]
    return {header.positions[h]: h for n, h in source.columns.items()
            if n in table.names and table[n].kind in ("number", "integer", "money") and n != "score"}


def _kinds(header: Header, source: Source) -> dict[int, str]:
    """place -> kind of the canonical column that it feeds."""
    table = TABLES[source.table]
    return {header.positions[h]: table[n].kind for n, h in source.columns.items() if n in table.names}


def _shown(cell: tuple[Any, bool, str | None], decimal: str | None, kind: str) -> str | None:
    """A cell's text, with what its format shows: an amount's currency behind it, the zeros before an id."""
    text = _text(cell[0], decimal)
    if cell[2] is None or text is None:
        return text
    if kind == "id" and text.isdigit():
        return text.zfill(zeros_of(cell[2]))
    return f"{text} {currency_in(cell[2])}".strip() if kind == "money" else text


def _refuse_open_numbers(cells: list, numeric: dict[int, str], name: str, line: int) -> None:
    for place, column in numeric.items():
        value = cells[place][0]
        if isinstance(value, str) and POINT.search(value):
            raise Refusal("NUM-LOCALE", "a number is written as text and the contract does not say how", file=name,
                          line=line, column=column, found=repr(value), expected='`decimal: ","` or `decimal: "."`')


def _text(value: Any, decimal: str | None) -> str | None:
    """One spelling per type: whole numbers without a point, others with the declared one, times as ISO."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        if abs(value) >= EXACT:
            return f"{value:.14E}"
        if value == int(value):
            return str(int(value))
        digits = format(value, ".15g")
        digits = format(Decimal(digits), "f") if "e" in digits else digits
        return digits if not decimal or decimal == "." else digits.replace(".", decimal)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value)
