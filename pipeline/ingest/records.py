"""The careful way through a CSV file that fails its proof: record by record, starting afresh at every physical line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
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
                 plausible: Callable[[list[str]], bool] | None = None) -> Iterator[Record]:
    """Every record from `first_line` on, each physical line accounted for.

    plausible: None for a text whose quotes all open and close a field: what stands between them is one field, however
    much it looks like records. Otherwise a quoted field may span lines only if the record then closes with `width`
    fields; its first line is no record else (FMT-QUOTE), and reading starts afresh on the next one. Where it closes
    and a line inside is a plausible record of its own, nobody can tell which of the two readings is right: all its
    lines are set aside (FMT-QUOTE).
    """
    lines = _Lines(path)
    lines.skip(first_line - 1)
    while (text := lines.peek(0)) is not None:
        number, taken, in_doubt = lines.number, 1, False
        fields = split_fields(text, delimiter, quote)
        if fields is None and _left_open(text, delimiter, quote):
            fields, taken, in_doubt = _span(lines, delimiter, quote, width, plausible)
        if in_doubt:
            yield from (Record(number + ahead, None, "FMT-QUOTE", lines.peek(ahead) or "") for ahead in range(taken))
            lines.skip(taken)
            continue
        if taken > 1 and width is not None and fields is not None and len(fields) != width:
            text = "".join((lines.peek(ahead) or "") + lines.ending(ahead) for ahead in range(taken)).rstrip("\r\n")
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
          plausible: Callable[[list[str]], bool] | None) -> tuple[list[str] | None, int, bool]:
    """The record that begins on this line and spans more, how many lines, and whether they may be records themselves;
    (None, 1, False) when there is none."""
    text, size, in_doubt, none = lines.peek(0) or "", 0, False, (None, 1, False)
    parts = [text]
    for ahead in count(1) if plausible is None and width else range(1, LOOK_AHEAD):
        more = lines.peek(ahead)
        if more is None:
            return none
        parts += [lines.ending(ahead - 1), more]
        size += len(more)
        if size > FIELD_LIMIT:
            return none
        if plausible and not in_doubt:
            alone = split_fields(more, delimiter, quote)
            in_doubt = alone is not None and width is not None and len(alone) == width > 1 and plausible(alone)
        if quote not in more:
            continue
        joined = "".join(parts)
        fields = split_fields(joined, delimiter, quote)
        if fields is not None:
            fits = width is None or len(fields) == width or plausible is None
            return (fields, ahead + 1, in_doubt) if fits else none
        if not _left_open(joined, delimiter, quote):
            return none
    return none


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
