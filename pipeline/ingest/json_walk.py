"""A JSON text read piece by piece, so that neither what stands before a value nor behind it must fit into memory."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TextIO

from pipeline.contracts.refusal import Refusal

PIECE = 1 << 20
ITEM_LIMIT = 16 << 20  # letters of one value that is taken whole: an object of an array, a text
LARGEST_EXPONENT = 40
BLANK = re.compile(r"[ \t\n\r]*")
OBJECTS = re.compile(r"\[[ \t\n\r]*(?:null[ \t\n\r]*,[ \t\n\r]*)*\{")  # a list whose first value is an object
AHEAD = 1 << 12  # letters of a list that are looked at
DEEPEST = 100  # values within values that are longer than a piece


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
    """An object that names a key twice; key: the first that it does."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice, seen = Twice(found), set()
    twice.key = next(key for key, _ in pairs if key in seen or seen.add(key))
    return twice


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=Written, parse_float=Written, parse_constant=_no_number)


EXPECTED = {  # by the first words of the decoder's own
    "Expecting value": "a value", "Expecting ','": "a comma, or the end of the object or the list",
    "Expecting ':'": "a colon", "Expecting property": "a key in double quotes",
    "Illegal trailing": "no comma before the end", "Unterminated": "a text that ends",
    "Invalid control": "a text without line ends and control signs", "Invalid \\": "a known sign after the backslash",
}


def broken(name: str, line: int, sentence: str, found: str | None = None,
           expected: str = "an array of objects, or one object a line") -> Refusal:
    return Refusal("FMT-JSON", sentence, file=name, line=line, found=found, expected=expected)


def sign_at(text: str, at: int) -> str:
    """What stands at a place of a text, without its letters."""
    sign = text[at:at + 1]
    kinds = ((sign == "", "the end of the file"), (sign == "\n", "the end of the line"),
             (sign in "{}[],:'", repr(sign)), (sign == '"', "a double quote"), (sign.isdigit(), "a digit"),
             (sign.isalpha(), "a letter"))
    return next((word for is_so, word in kinds if is_so), "another sign")


class Cursor:
    """A place in a JSON text: at most a piece and one value of it are held. Refusal (FMT-JSON) where it is no JSON."""

    def __init__(self, handle: TextIO, name: str):
        self.handle, self.name, self.text, self.at, self.line, self.is_over = handle, name, "", 0, 1, False
        self.before = 0  # letters of the line on which the text that is held begins

    def sign(self) -> str:
        """The next sign that is no blank, "" at the end of the text."""
        while True:
            self.step(BLANK.match(self.text, self.at).end())
            if self.at < len(self.text) or self.is_over:
                return self.text[self.at:self.at + 1]
            self._more(PIECE)

    def step(self, stop: int) -> None:
        """Go on to this place of the text that is held."""
        self.line += self.text.count("\n", self.at, stop)
        self.at = stop

    def take(self, sign: str, sentence: str = "the object is no JSON from here on") -> None:
        """Step over this sign."""
        if self.sign() != sign:
            raise broken(self.name, self.line, sentence, self.found(self.at), repr(sign))
        self.step(self.at + 1)

    def value(self, sentence: str = "the object is no JSON from here on",
              endless: str = "a value of the object never ends") -> tuple[Any, str]:
        """The value that begins here, and its text."""
        while True:
            try:
                value, stop = DECODER.raw_decode(self.text, self.at)
                if self._is_whole(stop):
                    text = self.text[self.at:stop]
                    self.step(stop)
                    return value, text
            except (ValueError, RecursionError) as error:
                if self.is_over or isinstance(error, RecursionError):
                    place = getattr(error, "pos", self.at)
                    line = self.line + self.text.count("\n", self.at, place)
                    raise broken(self.name, line, sentence, *self._why(error, place)) from None
            if len(self.text) - self.at > ITEM_LIMIT:
                raise broken(self.name, self.line, endless)
            self._more(max(PIECE, len(self.text) - self.at))

    def is_list_of_objects(self) -> bool:
        """Whether a list begins here whose first item that is no null is an object."""
        if len(self.text) - self.at < AHEAD and not self.is_over:
            self._more(PIECE)
        return OBJECTS.match(self.text, self.at) is not None

    def members(self) -> Iterator[str]:
        """Each key of the object that begins here, before its value; the value must be taken or skipped then."""
        self.take("{")
        if self.sign() == "}":
            self.step(self.at + 1)
            return
        while True:
            if self.sign() != '"':
                raise broken(self.name, self.line, "the object is no JSON from here on", self.found(self.at),
                             EXPECTED["Expecting property"])
            key, _ = self.value()
            self.take(":")
            self.sign()
            yield key
            if self.sign() != ",":
                self.take("}")
                return
            self.step(self.at + 1)

    def skip(self, depth: int = 0) -> Any:
        """Step over the value that begins here, however long it is; the value where it is short, else None."""
        sign = self.sign()
        for _ in range(2):
            try:
                value, stop = DECODER.raw_decode(self.text, self.at)
                if self._is_whole(stop):
                    self.step(stop)
                    return value
            except (ValueError, RecursionError):
                pass
            if not self.is_over and len(self.text) - self.at < PIECE:
                self._more(PIECE)
        if sign == "{" and depth < DEEPEST:
            for _ in self.members():
                self.skip(depth + 1)
        elif sign == "[" and depth < DEEPEST:
            self.step(self.at + 1)
            while self.sign() != "]":
                self.skip(depth + 1)
                if self.sign() != "]":
                    self.take(",")
            self.step(self.at + 1)
        else:
            self.value()
        return None

    def found(self, at: int) -> str:
        """What stands at a place of the text that is held, and where on its line that is."""
        end = self.text.rfind("\n", 0, at)
        return f"{sign_at(self.text, at)} (place {at - end if end >= 0 else self.before + at + 1} of the line)"

    def _why(self, error: Exception, at: int) -> tuple[str, str]:
        """(what was found, what was expected) where the decoder stopped."""
        if isinstance(error, RecursionError):
            return "too many values within values", f"at most {DEEPEST}"
        if not isinstance(error, json.JSONDecodeError):
            return "NaN or Infinity", "a number, or null"
        expected = (words for begin, words in EXPECTED.items() if error.msg.startswith(begin))
        return self.found(at), next(expected, "JSON")

    def _is_whole(self, stop: int) -> bool:
        """Whether a value that seems to end here does: a number may go on with .5 or e-5 in the next piece."""
        follows = self.text[stop:stop + 2]
        return self.is_over or (bool(follows) and (follows[0] not in ".eE" or len(self.text) > stop + 2))

    def _more(self, size: int) -> None:
        piece, end = self.handle.read(size), self.text.rfind("\n", 0, self.at)
        self.before = self.at - end - 1 if end >= 0 else self.before + self.at
        self.text, self.at, self.is_over = self.text[self.at:] + piece, 0, not piece
