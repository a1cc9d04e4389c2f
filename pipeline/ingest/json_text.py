"""Objects of a JSON text, one after the other in bounded memory: lines that hold one each, one array of them, or the
list of them inside one object."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from pipeline.contracts.refusal import Refusal
from pipeline.ingest.json_walk import AHEAD, DECODER, ITEM_LIMIT, Cursor, Twice, Written, broken

__all__ = ["Beside", "Item", "Twice", "Written", "items_in", "items_of", "lists_in"]
UNFIT = re.compile("[\0\ud800-\udfff]")  # what no text of a table can hold
DEEPEST = 3  # objects within objects in which lists are looked for
LINKS = re.compile("^_?links?$", re.IGNORECASE)
ADDRESS = ("href", "url", "uri")
NAMED = 200  # keys and lists beside the records that are remembered


@dataclass(frozen=True)
class Item:
    """One place where an object should be. line: where it begins; rule: "" or why it is none; text: as it came."""

    line: int
    value: Any = None
    rule: str = ""
    text: str = ""


@dataclass
class Beside:
    """What stands in the one object around the list of records, by dotted path: the plain values, and where lists of
    objects begin. Filled while the records are read."""

    values: dict[str, Any] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)


def items_of(path: Path, name: str, records: str | None = None, beside: Beside | None = None) -> Iterator[Item]:
    """Every object of a UTF-8 text, in order; blank lines and what is no object are items with a rule.

    records: the key of the list that holds them inside one object, dotted where it lies deeper; Refusal
    (JSON-RECORDS) where there is none. beside: filled with what stands around that list.
    """
    with open(path, encoding="utf-8") as handle:  # no raw line end can stand inside a JSON text: any kind ends a line
        yield from items_in(handle, name, records, beside)


def items_in(handle: TextIO, name: str, records: str | None = None, beside: Beside | None = None) -> Iterator[Item]:
    """The same of an open text."""
    cursor = Cursor(handle, name)
    sign = cursor.sign()
    if records is not None:
        yield from _wrapped(cursor, records, Beside() if beside is None else beside)
        return
    if sign == "[":
        yield from _array(cursor)
        if cursor.sign():
            raise broken(name, cursor.line, "something stands behind the array")
        return
    if _is_sequence(cursor):
        handle.seek(0)
        yield from _sequence(Cursor(handle, name))
        return
    handle.seek(0)
    for number, line in enumerate(iter(lambda: handle.readline(ITEM_LIMIT + 1), ""), 1):
        if len(line) <= ITEM_LIMIT:
            yield _item(line.rstrip("\n"), number)
        elif number == 1:  # one object with everything in it, most likely: not a record, and not to be held
            yield Item(1, rule="JSON-LINE", text=line[:AHEAD])
            return
        else:
            raise broken(name, number, "a line never ends")


def _is_sequence(cursor: Cursor) -> bool:
    """Whether whole objects stand one after the other without a line for each: the first one goes over several lines,
    or another begins behind it on its line."""
    line = cursor.text[cursor.at:].partition("\n")[0]
    try:
        DECODER.decode(line)
        return False
    except (ValueError, RecursionError):
        pass
    begin = cursor.line
    try:
        value, _ = cursor.value()
        end, sign = cursor.line, cursor.sign()
    except Refusal:
        return False
    return isinstance(value, dict) and sign in ("", "{") and (begin < end or (sign == "{" and cursor.line == end))


def _sequence(cursor: Cursor) -> Iterator[Item]:
    """The objects of such a text; Refusal where it breaks."""
    while sign := cursor.sign():
        if sign != "{":
            raise broken(cursor.name, cursor.line, "no object follows the one before", cursor.found(cursor.at),
                         "objects with nothing between them, or an array of them")
        line = cursor.line
        value, text = cursor.value(endless="an object never ends")
        yield _checked(value, line, text)


def fault_of(handle: TextIO, name: str) -> Refusal | None:
    """Why the first value of a text is no object that can be read; None where it is one."""
    cursor = Cursor(handle, name)
    try:
        if cursor.sign() == "{":
            value, text = cursor.value()
            item = _checked(value, cursor.line, text)
            return broken(name, cursor.line, "", "half a letter, or a sign without a letter", "texts of letters") \
                if item.rule else None
        cursor.take("{")
    except Refusal as refusal:
        return refusal
    return None


def lists_in(handle: TextIO, name: str) -> list[str]:
    """The keys (dotted inside objects) of the lists of objects inside the one object of a text, as far as it goes."""
    cursor, beside = Cursor(handle, name), Beside()
    try:
        if cursor.sign() == "{":
            for _ in _walk(cursor, None, beside, set(), "", 0):
                pass
    except Refusal:  # the text ends in this value, or is no JSON behind it
        pass
    return beside.lists


def _wrapped(cursor: Cursor, records: str, beside: Beside) -> Iterator[Item]:
    """The items of the list under this key; Refusal where there is none, the object breaks or something follows it."""
    seen: set[str] = set()
    if cursor.sign() == "{":
        yield from _walk(cursor, records, beside, seen, "", 0)
        if cursor.sign():
            raise broken(cursor.name, cursor.line, "something stands behind the object")
    if f"{records} is read" not in seen:
        raise Refusal("JSON-RECORDS", f"no list of objects stands under the key {records!r}", file=cursor.name,
                      found=", ".join(beside.lists) or "no such list", expected="`records:` with the key of the list")


def _walk(cursor: Cursor, wanted: str | None, beside: Beside, seen: set[str], above: str, depth: int) -> Iterator[Item]:
    """Through one object: the items of the wanted list; what else stands there is noted in `beside`. seen: the keys on
    the way to that list, none of which may stand twice."""
    for key in cursor.members():
        path, sign = above + key, cursor.sign()
        if wanted and f"{wanted}.".startswith(f"{path}."):
            if path in seen:
                raise broken(cursor.name, cursor.line, "the key of the list of records stands twice")
            seen.add(path)
        if path == wanted and sign == "[":
            seen.add(f"{wanted} is read")
            yield from _array(cursor)
        elif sign == "{" and depth < DEEPEST:
            yield from _walk(cursor, wanted, beside, seen, f"{path}.", depth + 1)
        elif sign in ("{", "["):
            is_list = sign == "[" and cursor.is_list_of_objects()
            value = cursor.skip()
            links = _links(value, path) if is_list and LINKS.search(key) else {}
            beside.values |= links
            if is_list and not links and len(beside.lists) < NAMED and path not in beside.lists:
                beside.lists.append(path)
        else:
            value, _ = cursor.value()
            if len(beside.values) < NAMED:
                beside.values[path] = value


def _links(value: Any, path: str) -> dict[str, Any]:
    """The addresses of a list of links, each by what it is said to be: {rel: next, href: …}."""
    links = [link for link in value[:NAMED] if isinstance(link, dict)] if isinstance(value, list) else []
    found = ((link.get("rel", link.get("relation")), next((link[key] for key in ADDRESS if key in link), None))
             for link in links)
    return {f"{path}.{name}": address for name, address in found
            if isinstance(name, str) and isinstance(address, str)}


def _array(cursor: Cursor) -> Iterator[Item]:
    """The items of the array that begins here; Refusal where it breaks, for nothing behind that place can be told."""
    cursor.step(cursor.at + 1)
    expected = "first"
    while True:
        sign = cursor.sign()
        if not sign:
            raise Refusal("FILE-TRUNC", "the file ends in the middle of its array", file=cursor.name, line=cursor.line,
                          expected="a whole file: fetch it again")
        if sign == "]" and expected in ("first", "sign"):
            cursor.step(cursor.at + 1)
            return
        if expected == "sign":
            cursor.take(",", "no comma stands between two items of the array")
            expected = "item"
            continue
        line = cursor.line
        value, text = cursor.value("the array is no JSON from here on", "an item of the array never ends")
        yield _checked(value, line, text)
        expected = "sign"


def _item(text: str, line: int) -> Item:
    if not text.strip():
        return Item(line, rule="FMT-BLANK")
    try:
        value = DECODER.decode(text)
    except (ValueError, RecursionError):
        return Item(line, rule="JSON-LINE", text=text)
    return _checked(value, line, text)


def _checked(value: Any, line: int, text: str) -> Item:
    fits = isinstance(value, dict) and ("\\u" not in text or not _is_unfit(value))
    return Item(line, value, "" if fits else "JSON-LINE", text)


def _is_unfit(value: Any) -> bool:
    if isinstance(value, str):
        return UNFIT.search(value) is not None
    if isinstance(value, dict):
        return any(_is_unfit(key) or _is_unfit(item) for key, item in value.items())
    return isinstance(value, list) and any(map(_is_unfit, value))
