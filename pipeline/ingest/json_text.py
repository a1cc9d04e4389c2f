"""Objects of a JSON text, one after the other in bounded memory: lines that hold one each, or one array of them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from pipeline.contracts.refusal import Refusal

PIECE = 1 << 20
ITEM_LIMIT = 16 << 20  # letters of one object of an array
UNFIT = re.compile("[\0\ud800-\udfff]")  # what no text of a table can hold
LARGEST_EXPONENT = 40
LIST = re.compile(r"\[[ \t\n\r]*([{\]])")  # a list of objects, or an empty one
DEEPEST = 3  # objects within objects in which lists are looked for
BLANK = re.compile(r"[ \t\n\r]*")


class Written(str):
    """A number as it was written: 12345678901234567890 and 12.50 keep all of their digits."""

    __slots__ = ()

    def spelled(self, decimal: str | None) -> str:
        """The number without exponent, with the declared decimal sign; as it is when its exponent is absurd."""
        plain = str(self)
        if "e" in plain or "E" in plain:
            exponent = re.split("[eE]", plain)[1].lstrip("+-0")
            if len(exponent) > 3 or int(exponent or 0) > LARGEST_EXPONENT:
                return plain
            plain = format(Decimal(plain), "f")
        return plain.replace(".", decimal) if decimal and decimal != "." else plain


class Twice(dict):
    """An object that names a key twice."""


@dataclass(frozen=True)
class Item:
    """One place where an object should be. line: where it begins; rule: "" or why it is none; text: as it came."""

    line: int
    value: Any = None
    rule: str = ""
    text: str = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Twice(found)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=Written, parse_float=Written, parse_constant=_no_number)


def items_of(path: Path, name: str, records: str | None = None) -> Iterator[Item]:
    """Every object of a UTF-8 text, in order; blank lines and what is no object are items with a rule.

    records: the key of the list that holds them inside one object, dotted where it lies deeper; Refusal
    (JSON-RECORDS) where there is none.
    """
    with open(path, encoding="utf-8") as handle:  # no raw line end can stand inside a JSON text: any kind ends a line
        yield from items_in(handle, name, records)


def items_in(handle: TextIO, name: str, records: str | None = None) -> Iterator[Item]:
    """The same of an open text."""
    start = handle.read(PIECE)
    if records is not None:
        start, found = _lists_ahead(start, handle, records)
        if records not in found:
            raise Refusal("JSON-RECORDS", f"no list of objects stands under the key {records!r}", file=name,
                          found=", ".join(found) or "no such list", expected="`records:` with the key of the list")
        yield from _array(start, found[records], handle, name, records)
        return
    at = BLANK.match(start).end()
    if start[at:at + 1] == "[":
        yield from _array(start, at, handle, name)
        return
    handle.seek(0)
    for number, line in enumerate(handle, 1):
        yield _item(line.rstrip("\n"), number)


def lists_in(text: str, wanted: str = "") -> dict[str, int]:
    """Key (dotted inside objects) -> where its list of objects begins, as far as the text of one object goes; of empty
    lists that of the wanted key alone."""
    at, found = BLANK.match(text).end(), {}
    for key, place in _lists(text, at, "", 0) if text[at:at + 1] == "{" else ():
        if key == wanted or LIST.match(text, place)[1] == "{":
            found.setdefault(key, place)  # a second one under the same key is refused behind the first
    return found


def _lists(text: str, at: int, above: str, depth: int) -> Iterator[tuple[str, int]]:
    at = BLANK.match(text, at + 1).end()
    while text[at:at + 1] == '"':
        try:
            key, at = DECODER.raw_decode(text, at)
            at = BLANK.match(text, BLANK.match(text, at).end() + 1).end()
            if LIST.match(text, at):
                yield above + key, at
            elif text[at:at + 1] == "{" and depth < DEEPEST:
                yield from _lists(text, at, f"{above}{key}.", depth + 1)
            _, at = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):  # the text ends in this value
            return
        at = BLANK.match(text, BLANK.match(text, at).end() + 1).end()


def _lists_ahead(text: str, handle: TextIO, wanted: str) -> tuple[str, dict[str, int]]:
    """The text read so far and its lists, until the wanted one begins; what stands before it is small or not read."""
    while wanted not in (found := lists_in(text, wanted)) and len(text) < ITEM_LIMIT:
        more = handle.read(len(text))
        if not more:
            break
        text += more
    return text, found


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


def _array(text: str, at: int, handle: TextIO, name: str, records: str = "") -> Iterator[Item]:
    """The items of one array; Refusal where it breaks, for nothing behind that place can be told. records: the key of
    the array in the one object that the file must be."""
    line, at, is_over, expected = 1 + text.count("\n", 0, at + 1), at + 1, False, "first"
    while True:
        if len(text) - at < PIECE // 2 and not is_over:
            more = handle.read(PIECE)
            text, at, is_over = text[at:] + more, 0, not more
        stop = BLANK.match(text, at).end()
        line, at = line + text.count("\n", at, stop), stop
        sign = text[at:at + 1]
        if not sign:
            if is_over:
                raise Refusal("FILE-TRUNC", "the file ends in the middle of its array", file=name, line=line,
                              expected="a whole file: fetch it again")
            continue
        if sign == "]" and expected in ("first", "sign"):
            rest = text[at + 1:] + handle.read(ITEM_LIMIT if records else PIECE)
            if records:
                rest = rest[_closed(rest, records, name, line):] + handle.read(1)
            if rest.strip():
                raise _broken(name, line, f"something stands behind the {'object' if records else 'array'}")
            return
        if expected == "sign":
            if sign != ",":
                raise _broken(name, line, "no comma stands between two items of the array")
            at, expected = at + 1, "item"
            continue
        value, stop, text, is_over = _decoded(text, at, handle, is_over, name, line)
        yield _checked(value, line, text[at:stop])
        line, at, expected = line + text.count("\n", at, stop), stop, "sign"


def _closed(rest: str, records: str, name: str, line: int) -> int:
    """Where the object ends whose list of records ends before `rest`; Refusal where it does not, or names it again."""
    at = 0
    for own in reversed(records.split(".")):
        while rest[(at := BLANK.match(rest, at).end()):at + 1] == ",":
            try:
                key, at = DECODER.raw_decode(rest, BLANK.match(rest, at + 1).end())
                at = BLANK.match(rest, at).end()
                _, stop = DECODER.raw_decode(rest, BLANK.match(rest, at + 1).end())
            except (ValueError, RecursionError):
                raise _broken(name, line, "the object around the list of records is no JSON behind it") from None
            if key == own or rest[at] != ":":
                raise _broken(name, line, "the key of the list of records stands twice")
            at = stop
        if rest[at:at + 1] != "}":
            raise _broken(name, line, "the object around the list of records is no JSON behind it")
        at += 1
    return at


def _decoded(text: str, at: int, handle: TextIO, is_over: bool, name: str, line: int) -> tuple[Any, int, str, bool]:
    """(value, where it ends, the text read so far, is that all of it)."""
    while True:
        try:
            value, stop = DECODER.raw_decode(text, at)
            if stop < len(text) or is_over:
                return value, stop, text, is_over
        except (ValueError, RecursionError) as error:
            if is_over or isinstance(error, RecursionError):
                place = getattr(error, "pos", at)
                raise _broken(name, line + text.count("\n", at, place), "the array is no JSON from here on") from None
        if len(text) - at > ITEM_LIMIT:
            raise _broken(name, line, "an item of the array never ends")
        more = handle.read(max(PIECE, len(text) - at))
        text, is_over = text + more, not more


def _broken(name: str, line: int, sentence: str) -> Refusal:
    return Refusal("FMT-JSON", sentence, file=name, line=line, expected="an array of objects, or one object a line")
