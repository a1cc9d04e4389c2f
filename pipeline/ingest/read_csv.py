"""A CSV export as a table of text: the engine's reader, the proof of its count, the careful way where it fails."""

from array import array
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest.decode import Text, check_end, decode
from pipeline.ingest.engine import literal, quoted, scan_csv, take_rejects
from pipeline.ingest.evidence_lines import refuse_cut
from pipeline.ingest.files import Export
from pipeline.ingest.header import Header, declared_headers, match_header, normal
from pipeline.ingest.proof import Proof, prove
from pipeline.ingest.raw import (
    BOM,
    OTHERS,
    Loaded,
    Reject,
    check_loaded,
    count_rows,
    fill_table,
    hash_of,
    other_places,
    width_rule,
    without_empty,
)
from pipeline.ingest.records import Record, read_records, split_fields
from pipeline.ingest.spilled import set_spilled
from pipeline.ingest.torn import set_torn

RULES = {"MISSING COLUMNS": "FMT-WIDTH", "TOO MANY COLUMNS": "FMT-WIDTH", "LINE SIZE OVER MAXIMUM": "FMT-HUGE"}
CUT, SHARE = 4, 0.2  # rejects, and share of the rows, from which lines may have been cut at one length
PREAMBLE = 20  # lines in which a header that is not on top is looked for


def load_csv(con: duckdb.DuckDBPyConnection, export: Export, source: Source, workdir: Path, table: str) -> Loaded:
    """The export as `table`; every physical line is a row, part of a row, a reject or blank."""
    _check_dialect(source, export.name)
    text = decode(export, source, workdir, table)
    if source.final_newline:
        check_end(text.path, export.name)
    header, first_line, head_rule = _read_header(text, source, export.name)
    simple = first_line == source.header_rows + 1
    body = text.path if simple else _cut(text.path, first_line, workdir / f"{table}.body")
    skip = source.header_rows if simple else 0
    off = text.lines_off if simple else text.lines_off + first_line - 1
    proof = prove(body, source.delimiter, source.quote)
    loaded = _fast(con, export, source, header, body, skip, off, proof, workdir, table) if proof.holds else None
    if loaded is None:
        loaded = _slow(con, export, source, header, body, skip, off, proof, table)
    if len(loaded.rejects) > max(CUT, SHARE * loaded.rows) and header.width > 1:
        with open(text.path, encoding="utf-8", newline="") as handle:
            head = handle.read(1 << 20).splitlines()[source.skip_rows:-1]
        refuse_cut(head, source.delimiter, source.quote, export.name)
    notes = text.repairs | header.repairs | loaded.notes
    if source.header_rows > 1:
        notes[head_rule] = source.header_rows - 1
    if marked := _unmark(con, table, header):
        notes["ENC-BOM"] = notes.get("ENC-BOM", 0) + marked
    loaded = check_loaded(con, replace(loaded, notes=notes), header, source)
    loaded = set_spilled(con, set_torn(con, loaded, header, source), header, source)
    return without_empty(con, loaded, header, source)


def _unmark(con: duckdb.DuckDBPyConnection, table: str, header: Header) -> int:
    """Take byte order marks off the beginnings of records, where one file was put behind another; how many."""
    name = next((quoted(name) for name, place in header.positions.items() if place == 0), None)
    marked = f"starts_with({name}, {literal(BOM)})"
    found = name and con.execute(f"SELECT count(*) FROM {quoted(table)} WHERE {marked}").fetchall()[0][0]
    if found:
        con.execute(f"UPDATE {quoted(table)} SET {name} = ltrim({name}, {literal(BOM)}) WHERE {marked}")
    return found or 0


def _check_dialect(source: Source, name: str) -> None:
    for what, sign, least in (("delimiter", source.delimiter, 1), ("quote", source.quote, 0)):
        if not least <= len(sign) <= 1 or not sign.isascii() or sign in ("\r", "\n", "\0"):
            raise Refusal("PARAM-TYPE", f"the {what} must be one ASCII character", file=name, found=repr(sign),
                          expected="for instance ',' or ';'")


def _read_header(text: Text, source: Source, name: str) -> tuple[Header, int, str]:
    """The matched header, the physical line (of the text) on which the data begin, and whose way of writing several
    header rows this is (SRC-QUALTRICS-HDR, SRC-SM-HDR or nobody's, FMT-HEADROWS)."""
    records = read_records(text.path, source.delimiter, source.quote, None, first_line=source.skip_rows + 1)
    top = [record for record in islice(records, max(source.header_rows, 1) + 1)]
    if not top or top[0].fields is None:
        found = "an empty line" if top and top[0].rule == "FMT-BLANK" else "a line that is no record"
        raise Refusal("FMT-PREAMBLE", "there is no header where it should be", file=name,
                      line=source.skip_rows + 1 + text.lines_off, found=found if top else "the end of the file",
                      expected="the header; `skip_rows` says how many lines stand above it")
    names, rule = _head_names([record.fields or [] for record in top[:source.header_rows or 1]], source)
    try:
        header = match_header(names, source, name, source.skip_rows + 1 + text.lines_off)
    except Refusal as refusal:
        raise (refusal.rule == "COL-MISSING" and _preamble(text, source, name)) or refusal from None
    if len(top) > source.header_rows:
        return header, top[source.header_rows].line, rule
    with open(text.path, "rb") as handle:  # nothing below the header
        return header, sum(chunk.count(b"\n") for chunk in iter(lambda: handle.read(1 << 20), b"")) + 2, rule


def _head_names(rows: list[list[str]], source: Source) -> tuple[list[str], str]:
    """The names of the columns: those of the first row; in two rows, as SurveyMonkey writes them, a question is joined
    with the choice below it unless the contract declares it as it stands."""
    first = rows[0]
    if len(rows) == 3 and rows[2] and rows[2][0].lstrip().startswith('{"ImportId"'):
        return first, "SRC-QUALTRICS-HDR"
    if len(rows) != 2 or len(rows[1]) != len(first) or all(map(normal, first)):
        return first, "FMT-HEADROWS"
    declared, names, question = {normal(header) for header in declared_headers(source)}, [], ""
    for above, below in zip(first, rows[1], strict=True):
        question = above or question
        stands_alone = not below or (above and normal(above) in declared)
        names.append(above if stands_alone else f"{question} {below}".strip())
    return names, "SRC-SM-HDR"


def _preamble(text: Text, source: Source, name: str) -> Refusal | None:
    """A refusal that says where the header stands, if it stands further down."""
    needed = {normal(header) for header in declared_headers(source)}
    if not source.header_rows or not needed:
        return None
    records = read_records(text.path, source.delimiter, source.quote, None, first_line=source.skip_rows + 2)
    for record in islice(records, PREAMBLE):
        if record.fields and needed <= {normal(value) for value in record.fields}:
            return Refusal("FMT-PREAMBLE", "lines stand above the header", file=name,
                           line=source.skip_rows + 1 + text.lines_off,
                           found=f"the header on line {record.line + text.lines_off}",
                           expected=f"the header here, or `skip_rows: {record.line - 1}`")
    return None


def _cut(path: Path, first_line: int, target: Path) -> Path:
    """The file from `first_line` on, as a new file."""
    with open(path, encoding="utf-8", newline="") as source, open(target, "w", encoding="utf-8", newline="") as body:
        for _ in islice(source, first_line - 1):
            pass
        while chunk := source.read(1 << 20):
            body.write(chunk)
    return target


def _fast(con: duckdb.DuckDBPyConnection, export: Export, source: Source, header: Header, body: Path, skip: int,
          off: int, proof: Proof, workdir: Path, table: str) -> Loaded | None:
    """The engine's reading, or None when rows and rejects are not the records that the proof counted."""
    alias = workdir / f"{table}.csv"  # a name in which the engine sees no pattern
    alias.unlink(missing_ok=True)
    alias.symlink_to(body.resolve())
    columns = "".join(f"c{place} AS {quoted(name)}, " for name, place in header.positions.items())
    columns += f"{hash_of([f'c{place}' for place in other_places(header, source)])} AS {quoted(OTHERS)}"
    scan = scan_csv(alias, header.width, source.delimiter, source.quote, skip)
    try:
        con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT {columns} FROM {scan}")
        rejects = take_rejects(con)
    except duckdb.Error:
        return None
    if any(kind not in RULES for _, kind, _ in rejects):
        return None
    offsets = np.array([offset for offset, _, _ in rejects], dtype=np.int64)
    places = proof.records_at(offsets) if len(rejects) else offsets
    by_record = {int(p): (RULES[kind], line) for p, (_, kind, line) in zip(places, rejects, strict=True)}
    rows = count_rows(con, table)
    if rows + len(by_record) != proof.records - skip or not _widths_hold(proof, rows, skip, by_record, header, source):
        return None
    skipped = np.array(sorted(by_record), dtype=np.int64)

    def lines_of(ordinals: np.ndarray) -> np.ndarray:
        return proof.lines_of(_record_numbers(np.asarray(ordinals, dtype=np.int64) + skip, skipped)) + off

    lines = proof.lines_of(skipped) + off if len(skipped) else skipped
    listed = [Reject(width_rule(line) if rule == "FMT-WIDTH" else rule, int(at), line)
              for at, (rule, line) in zip(lines, (by_record[int(p)] for p in skipped), strict=True)]
    return Loaded(export, table, rows, lines_of, listed, proof.blank)


def _widths_hold(proof: Proof, rows: int, skip: int, rejects: dict[int, tuple[str, str]], header: Header,
                 source: Source) -> bool:
    """Whether all delimiters outside quotes are those of the rows and rejects: the engine lets an extra one pass at
    the end of a record, even where it shifted every field before it."""
    fields = [split_fields(line, source.delimiter, source.quote) for rule, line in rejects.values()]
    if any(found is None for found in fields) or any(rule == "FMT-HUGE" for rule, _ in rejects.values()):
        return False
    return proof.signs == (rows + skip) * (header.width - 1) + sum(len(found) - 1 for found in fields)


def _record_numbers(ordinals: np.ndarray, skipped: np.ndarray) -> np.ndarray:
    """Number of the record behind each accepted row: the row's number plus the rejects that came before it."""
    before = skipped - np.arange(len(skipped))  # accepted rows ahead of each reject
    return ordinals + np.searchsorted(before, ordinals, side="right")


def _slow(con: duckdb.DuckDBPyConnection, export: Export, source: Source, header: Header, body: Path, skip: int,
          off: int, proof: Proof, table: str) -> Loaded:
    """The careful reading, for a file whose quotes or line ends do not hold."""
    lines, rejects, blank = array("q"), [], 0
    plausible = _plausible(source, header) if proof.misplaced else None  # quotes that all hold leave nothing to doubt

    def rows():
        nonlocal blank
        records = read_records(body, source.delimiter, source.quote, header.width, skip + 1, plausible)
        for record in records:
            if record.fields is not None:
                lines.append(record.line + off)
                yield record.fields
            elif record.rule == "FMT-BLANK":
                blank += 1
            else:
                rejects.append(_reject(record, off))

    count = fill_table(con, table, header, source, rows())
    con.execute(f"UPDATE {quoted(table)} SET " + ", ".join(
        f"{quoted(name)} = nullif({quoted(name)}, {literal('')})" for name in header.positions)) if count else None
    numbers = np.frombuffer(lines, dtype=np.int64) if count else np.empty(0, dtype=np.int64)
    notes = {"FMT-EOL": proof.mixed} if proof.mixed else {}
    return Loaded(export, table, count, lambda ordinals: numbers[ordinals], rejects, blank, notes)


def _reject(record: Record, off: int) -> Reject:
    rule = width_rule(record.text) if record.rule == "FMT-WIDTH" else record.rule
    return Reject(rule, record.line + off, record.text)


def _plausible(source: Source, header: Header) -> Callable[[list[str]], bool]:
    """Whether fields look like a record of this contract: ids without blanks, digits in numbers and times."""
    table = TABLES[source.table]
    kinds = {c.name: c.kind for c in table.columns}
    ids = [header.positions[h] for n, h in source.columns.items() if kinds.get(n) == "id"]
    numeric = [header.positions[h] for n, h in source.columns.items()
               if kinds.get(n) in ("number", "integer", "money", "timestamp") and n not in source.words]
    firm = [header.positions[source.columns[c.name]] for c in table.columns if c.required and c.name in source.columns]

    def plausible(fields: list[str]) -> bool:
        return (all(fields[p].strip() for p in firm) and all(" " not in fields[p].strip() for p in ids)
                and all(not fields[p].strip() or any(map(str.isdigit, fields[p])) for p in numeric))

    return plausible
