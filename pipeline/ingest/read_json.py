"""A JSON export as a table of text: one object a line, or one array of objects; numbers stay as they were written."""

import json
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest.decode import check_end, decode
from pipeline.ingest.files import Export
from pipeline.ingest.header import Header, declared_headers, missing_column, normal
from pipeline.ingest.json_layouts import refuse_layout
from pipeline.ingest.json_text import Beside, Item, Twice, Written, fault_of, items_of, lists_in
from pipeline.ingest.raw import Loaded, Reject, check_loaded, counts_whole, fill_table
from pipeline.ingest.read_excel import POINT
from pipeline.ingest.rules import reason

UNTRUE = ("id", "number", "integer", "money", "timestamp")  # kinds of columns that true and false say nothing of
HEAD = 1 << 16  # letters from which another layout is told
LAYOUTS = 10_000  # different sets of keys that are remembered
Path_ = tuple[str, ...]


def load_json(con: duckdb.DuckDBPyConnection, export: Export, source: Source, workdir: Path, table: str) -> Loaded:
    """The export as `table`: one column per declared key, a value inside an object by its dotted path.

    A line that is no object (JSON-LINE), names a key twice (JSON-KEYS), holds a text or a list where a declared path
    goes on or true where a number or an id should be (COL-TYPE) is a reject. A key that differs by case alone from a
    declared one that stands beside it is a column nobody asked for (COL-EXTRA). Refusals: COL-MISSING for a key
    that no object has, COL-TYPE for a declared key that holds an object or a list, FMT-JSON for a broken array.
    """
    text = decode(export, source, workdir, table)
    if source.final_newline:
        check_end(text.path, export.name)
    reader, beside = _Reader(source, export.name), Beside()
    width = len(reader.declared) + reader.is_whole  # the last one: what nobody declared
    header = Header({name: place for place, name in enumerate(reader.declared)}, width, {}, ())
    items = items_of(text.path, export.name, source.records, beside)
    count = fill_table(con, table, header, source, reader.rows(items))
    if count < 2 and source.records is None and not set(reader.known) >= set(reader.declared):
        _refuse_wrapped(text.path, export.name)
    if not count and reader.rejects:
        raise _no_object(text.path, export.name, reader.rejects[0])
    if count:
        reader.check_keys()
    numbers = np.array(reader.lines, dtype=np.int64)
    notes = text.repairs | reader.notes()
    loaded = Loaded(export, table, count, lambda ordinals: numbers[ordinals], reader.rejects, reader.blank, notes)
    return replace(check_loaded(con, loaded, header, source), beside=beside.values)


def _no_object(path: Path, name: str, first: Reject) -> Refusal:
    """The refusal for a file of which nothing is an object that can be read, with the place of the first fault."""
    if first.rule == "JSON-LINE":
        with open(path, encoding="utf-8") as handle:
            fault = fault_of(handle, name)
        if fault:
            return Refusal(first.rule, "no line of this file is a JSON object that can be read", file=name,
                           line=fault.line, found=fault.found, expected=fault.expected)
    if first.rule in ("COL-TYPE", "JSON-KEYS"):
        return Refusal(first.rule, f"no record of this file can be read: {reason(first.rule)}", file=name,
                       line=first.line, column=first.column, found=first.found,
                       expected="each key once" if first.rule == "JSON-KEYS" else "the key of a value of that kind")
    return Refusal(first.rule, "no line of this file is a JSON object that can be read", file=name, line=first.line,
                   expected="one object a line, or one array of objects")


def _refuse_wrapped(path: Path, name: str) -> None:
    """Refusal (JSON-RECORDS) for a file that is one object with lists of objects in it, as programs answer."""
    with open(path, encoding="utf-8") as handle:
        refuse_layout(handle.read(HEAD), name)
        handle.seek(0)
        found = lists_in(handle, name)
    if found:
        raise Refusal("JSON-RECORDS", "the file is one object, and the records stand in a list inside it", file=name,
                      found=", ".join(found), expected=f"`records: {next(iter(found))}` in this source")


class _Reader:
    """Objects to rows of texts; what is none is set aside. One pass, the rows are not kept."""

    def __init__(self, source: Source, name: str):
        self.source, self.name, self.declared = source, name, declared_headers(source)
        kinds = {c.name: c.kind for c in TABLES[source.table].columns}
        canonical = {header: name for name, header in source.columns.items()}
        self.ids = {h for h, n in canonical.items() if kinds.get(n) == "id"}
        self.numeric = {h for h, n in canonical.items() if kinds.get(n) in ("number", "integer", "money")
                        and n != "score"}
        self.exact = {h for h, n in canonical.items() if n != "score" and kinds.get(n) in UNTRUE}
        self.lines, self.rejects, self.blank = array("q"), [], 0
        self.layouts: dict[tuple[str, ...], list[Path_ | None] | str] = {}
        self.seen: dict[str, None] = {}
        self.known: set[str] = set()
        self.is_whole, self.first = counts_whole(source), set(self.declared)
        self.bent: set[str] = set()
        self.extra: set[str] = set()

    def rows(self, items: Iterator[Item]) -> Iterator[list[str | None]]:
        for item in items:
            if item.rule == "FMT-BLANK":
                self.blank += 1
                continue
            fields = item.rule or (Reject("JSON-KEYS", item.line, item.text, item.value.key)
                                   if isinstance(item.value, Twice) else self._fields(item))
            if isinstance(fields, str):
                fields = Reject(fields, item.line, item.text)
            if isinstance(fields, Reject):
                self.rejects.append(fields)
                continue
            self.lines.append(item.line)
            yield fields

    def _fields(self, item: Item) -> list[str | None] | str | Reject:
        """The texts of one object under the declared keys; the rule it breaks when keys stand twice (JSON-KEYS), a
        path leads through a text or a list (COL-TYPE) or true stands for a number or an id (COL-TYPE)."""
        keys = tuple(item.value)
        if keys not in self.layouts:
            if len(self.layouts) >= LAYOUTS:
                self.layouts.clear()
            self.layouts[keys] = self._layout(keys)
        layout = self.layouts[keys]
        if isinstance(layout, str):
            return Reject("JSON-KEYS", item.line, item.text, layout,
                          ", ".join(repr(key) for key in keys if normal(key) == normal(layout)))
        fields: list[str | None] = []
        for header, path in zip(self.declared, layout, strict=True):
            value, is_there = item.value, False
            for depth, part in enumerate(path or ()):
                if isinstance(value, Twice):
                    return Reject("JSON-KEYS", item.line, item.text, ".".join((*path[:depth], value.key)))
                if not isinstance(value, dict | None):
                    return "COL-TYPE"
                if value is not None and part in value:
                    value, is_there = value[part], True
                else:
                    value, is_there = None, False
            if path is not None and is_there:
                self.known.add(header)
            if path is None or value is None:
                fields.append(None)
                continue
            if isinstance(value, bool) and header in self.exact:
                return Reject("COL-TYPE", item.line, item.text, header, "true" if value else "false")
            fields.append(self._text(value, header, item.line))
        if self.is_whole:
            others = {key: value for key, value in item.value.items()
                      if key not in self.first and value not in (None, "")}
            fields.append(json.dumps(others, sort_keys=True, default=repr) if others else None)
        return fields

    def _layout(self, keys: tuple[str, ...]) -> list[Path_ | None] | str:
        """Where each declared key stands in objects with these keys; the declared one that two of them name alike."""
        self.seen |= dict.fromkeys(keys) if len(self.seen) < LAYOUTS else {}
        alike: dict[str, list[str]] = {}
        for key in keys:
            alike.setdefault(normal(key), []).append(key)
        layout: list[Path_ | None] = []
        used: set[str] = set()
        for header in self.declared:
            found = [header] if header in keys else alike.get(normal(header), [])
            if len(found) > 1:
                return header
            if found:
                self.known.add(header)
                if found[0] != header:
                    self.bent.add(header)
                layout.append((found[0],))
                used.add(found[0])
            else:
                parts = tuple(header.split("."))
                layout.append(parts if len(parts) > 1 and parts[0] in keys else None)
                used.add(parts[0])
        self.extra |= set(keys) - used if len(self.extra) < LAYOUTS else set()
        return layout

    def _text(self, value: Any, header: str, line: int) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (dict, list)):
            kind = "an object" if isinstance(value, dict) else "a list"
            raise Refusal("COL-TYPE", f"a declared key holds {kind}, not a value", file=self.name, line=line,
                          column=header, found=kind, expected=f"a text, a number, true or false; a value inside it is "
                          f"declared by its path, such as {header}.name")
        if isinstance(value, Written):
            return value if header in self.ids else value.spelled(self.source.decimal)
        if header in self.numeric and self.source.decimal is None and POINT.search(value):
            raise Refusal("NUM-LOCALE", "a number is written as text and the contract does not say how",
                          file=self.name, line=line, column=header, found=repr(value),
                          expected='`decimal: ","` or `decimal: "."`')
        return value

    def check_keys(self) -> None:
        """Refusal (COL-MISSING) for a declared key that no object of the file has."""
        for header in self.declared:
            if header not in self.known:
                raise missing_column(header, list(self.seen), self.declared, self.source, self.name, None)

    def notes(self) -> dict[str, int]:
        return ({"COL-NORM": len(self.bent)} if self.bent else {}) | \
            ({"COL-EXTRA": len(self.extra)} if self.extra else {})
