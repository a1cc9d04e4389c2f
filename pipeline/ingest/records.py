"""The careful way through a CSV file that fails its proof: record by record, starting afresh at every physical line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

LOOK_AHEAD = 200  # physical lines that one quoted field may span in a damaged file
FIELD_LIMIT = 1 << 20


@dataclass(frozen=True)
class Record:
    """One record, or what stands where one should be.

    line: first physical line. fields: its values, None when it is no record. rule: FMT-BLANK, FMT-WIDTH, FMT-QUOTE
    or FMT-HUGE, empty for a good record. text: the raw line of what is no record.
    """

    line: int
    fields: list[str] | None
    rule: str = ""
    text: str = ""


def split_fields(text: str, delimiter: str, quote: str) -> list[str] | None:
    """The fields of one whole record; None when a quote is misplaced or left open."""
    if not quote or quote not in text:
        return text.split(delimiter)
    fields, at = [], 0
    while True:
        if text.startswith(quote, at):
            parts, start = [], at + 1
            while True:
                end = text.find(quote, start)
                if end < 0:
                    return None
                parts.append(text[start:end])
                if not text.startswith(quote, end + 1):
                    break
                parts.append(quote)
                start = end + 2
            fields.append("".join(parts))
            at = end + 1
            if at < len(text) and not text.startswith(delimiter, at):
                return None
        else:
            end = text.find(delimiter, at)
            end = len(text) if end < 0 else end
            if quote in text[at:end]:
                return None
            fields.append(text[at:end])
            at = end
        if at >= len(text):
            return fields
        at += len(delimiter)


def read_records(path: Path, delimiter: str, quote: str, width: int | None, first_line: int = 1,
                 plausible: Callable[[list[str]], bool] = lambda fields: True) -> Iterator[Record]:
    """Every record from `first_line` on, each physical line accounted for.

    A quoted field may span lines only if the record then closes with `width` fields (any number when None) and none
    of the lines inside would have been a plausible record of its own; otherwise its first line is no record
    (FMT-QUOTE) and reading starts afresh on the next line.
    """
    lines = _Lines(path)
    lines.skip(first_line - 1)
    while (text := lines.peek(0)) is not None:
        number, taken = lines.number, 1
        fields = split_fields(text, delimiter, quote)
        if fields is None and _left_open(text, delimiter, quote):
            fields, taken = _span(lines, delimiter, quote, width, plausible)
        lines.skip(taken)
        if fields is None:
            yield Record(number, None, "FMT-QUOTE", text)
        elif not text and taken == 1:
            yield Record(number, None, "FMT-BLANK", text)
        elif max(map(len, fields)) > FIELD_LIMIT:
            yield Record(number, None, "FMT-HUGE", text[:1000])
        elif width is not None and len(fields) != width:
            yield Record(number, None, "FMT-WIDTH", text)
        else:
            yield Record(number, fields)


def _span(lines: "_Lines", delimiter: str, quote: str, width: int | None,
          plausible: Callable[[list[str]], bool]) -> tuple[list[str] | None, int]:
    """The record that begins on this line and spans more, and how many lines; (None, 1) when there is none."""
    text, size = lines.peek(0) or "", 0
    parts = [text]
    for ahead in range(1, LOOK_AHEAD):
        more = lines.peek(ahead)
        if more is None:
            return None, 1
        parts += [lines.ending(ahead - 1), more]
        size += len(more)
        if size > FIELD_LIMIT:
            return None, 1
        alone = split_fields(more, delimiter, quote)
        if alone is not None and width is not None and len(alone) == width > 1 and plausible(alone):
            return None, 1
        if quote not in more:
            continue
        joined = "".join(parts)
        fields = split_fields(joined, delimiter, quote)
        if fields is not None:
            return (fields, ahead + 1) if width is None or len(fields) == width else (None, 1)
        if not _left_open(joined, delimiter, quote):
            return None, 1
    return None, 1


def _left_open(text: str, delimiter: str, quote: str) -> bool:
    """Whether the text ends inside a quoted field that was opened properly."""
    if text.count(quote) % 2 == 0:
        return False
    return split_fields(text + quote, delimiter, quote) is not None


class _Lines:
    """Physical lines (LF, CRLF or CR) with a look ahead; `number` is that of the next line, from 1."""

    def __init__(self, path: Path):
        self._source = self._read(path)
        self._ahead: list[tuple[str, str]] = []
        self.number = 1

    @staticmethod
    def _read(path: Path) -> Iterator[tuple[str, str]]:
        with open(path, encoding="utf-8", newline="") as handle:
            for line in handle:  # newline="": splits at all three, keeps what it found
                body = line.rstrip("\r\n")
                yield body, line[len(body):]

    def peek(self, ahead: int) -> str | None:
        self._fill(ahead + 1)
        return self._ahead[ahead][0] if len(self._ahead) > ahead else None

    def ending(self, ahead: int) -> str:
        return self._ahead[ahead][1]

    def skip(self, count: int) -> None:
        self._fill(count)
        self.number += min(count, len(self._ahead))
        del self._ahead[:count]

    def _fill(self, count: int) -> None:
        if count > len(self._ahead):
            self._ahead += islice(self._source, count - len(self._ahead))
