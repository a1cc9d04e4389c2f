"""Evidence in physical lines: another delimiter from some line on, lines cut at one length, columns at fixed places."""

import re

from pipeline.contracts.refusal import Refusal
from pipeline.ingest.evidence_layout import DELIMITERS, Layout, Row, split_rows
from pipeline.ingest.records import split_fields

MANY, SHARE = 10, 0.05  # lines, and share of them, that make a finding of what else would be a few damaged rows
CURLY = 3  # texts with a delimiter in them between typographic quotes
LEAST = 5  # lines from which columns at fixed places are told
NEARLY = 0.98  # share of the lines in which a place is blank between two such columns
GUTTER = re.compile("  +")


def refuse_lines(text: str, layout: Layout, whole: bool, name: str) -> None:
    """Refusal for a text that no one delimiter reads: FMT-DELIM where it changes on the way or columns stand at fixed
    places, FMT-WIDTH where a program cut all lines at one length."""
    lines = text.splitlines() if whole else text.splitlines()[:-1]
    if layout.width > 1 and layout.is_split_on_top and layout.uneven:
        refuse_cut(lines, layout.delimiter, layout.quote, name)
    if curly := _in_curly(text, layout.delimiter):
        raise Refusal("FMT-QUOTE", "typographic quotes stand around texts: a word processor has changed them",
                      file=name, line=curly, found="”", expected='straight quotes (") around texts')
    if layout.width > 1 and (found := other_sign(text, layout, whole)):
        line, sign = found
        raise Refusal("FMT-DELIM", "the delimiter changes on the way: two exports were put one behind the other",
                      file=name, line=line, found=f"{sign!r}, {layout.delimiter!r}",
                      expected="one export a file")
    if not (layout.is_split_on_top or layout.is_blank_separated or '"' in text) and (places := fixed_places(lines)):
        raise Refusal("FMT-DELIM", "no sign stands between the columns: they begin at fixed places, filled up with "
                      "blanks", file=name, expected="an export in CSV, or as an Excel file",
                      found=f"columns at characters {', '.join(str(place + 1) for place in places[:8])}")


def refuse_cut(lines: list[str], delimiter: str, quote: str, name: str) -> None:
    """Refusal (FMT-WIDTH) where a program cut all lines at one length."""
    if length := cut_at(lines, delimiter, quote):
        raise Refusal("FMT-WIDTH", "the lines were cut at one length, so that a record stands on two of them or more",
                      file=name, found=f"{length} characters a line", expected="the export as the tool wrote it, with "
                      "a record a line")


def other_sign(text: str, layout: Layout, whole: bool) -> tuple[int, str] | None:
    """(first line that another sign splits into the fields of a record where the delimiter does not, or the first that
    the delimiter splits where it is the header that it does not; that sign), where so many lines are such."""
    lines = text.splitlines()
    rows = [row for row in split_rows(text, layout.delimiter, layout.quote, whole=whole) if any(row[1])]
    if len(lines) < rows[-1][0]:  # line ends of another kind: the numbers say nothing
        return None
    ends = [line for line, _ in rows[1:]] + [rows[-1][0] + 1]
    odd = [(line, lines[line - 1]) for (line, fields), end in zip(rows, ends, strict=True)
           if len(fields) != layout.width and end == line + 1]
    for sign in (one for one in DELIMITERS if one != layout.delimiter):
        such = [line for line, one in odd if _count(one, sign, layout.quote) == layout.width]
        if len(such) >= max(MANY, SHARE * len(rows)):
            return _change(rows, set(such), layout.width), sign
    return None


def _in_curly(text: str, sign: str) -> int | None:
    """The first line on which typographic quotes enclose a text with the delimiter in it, where a few do."""
    sign = re.escape(sign)
    held = re.compile(f"(?m)(?:^|{sign})[“”„][^“”\\r\\n]*{sign}[^“”\\r\\n]*[“”]+(?={sign}|\\r?$)")
    found = [match.start() for match in held.finditer(text)]
    return text.count("\n", 0, found[0] + 1) + 1 if len(found) >= CURLY else None


def _count(line: str, sign: str, quote: str) -> int:
    return len(split_fields(line, sign, quote) or ())


def _change(rows: list[Row], such: set[int], width: int) -> int:
    """The first line of the other kind than the first record that is of one of the two."""
    kinds = [(line, line in such) for line, fields in rows if line in such or len(fields) == width]
    return next((line for line, kind in kinds if kind != kinds[0][1]), kinds[0][0])


def cut_at(lines: list[str], delimiter: str, quote: str) -> int | None:
    """The length at which a program cut the lines: many have just the longest, and nearly all records are whole, with
    as many fields as the first one, once each such line goes on in the next."""
    longest = max(map(len, lines), default=0)
    if sum(len(line) == longest for line in lines[:-1]) < max(LEAST, SHARE * len(lines)):
        return None
    joined, pieces = [], []
    for line in lines:
        pieces.append(line)
        if len(line) < longest:
            joined.append((len(pieces) > 1, "".join(pieces)))
            pieces = []
    width = _count(joined[0][1], delimiter, quote) if joined else 0
    fits = [(is_joined, _count(text, delimiter, quote) == width) for is_joined, text in joined]
    of_pieces = [is_whole for is_joined, is_whole in fits if is_joined]
    nearly = width > 1 and len(of_pieces) > 0 and all(
        sum(part) >= 0.9 * len(part) for part in (of_pieces, [is_whole for _, is_whole in fits]))
    return longest if nearly else None


def fixed_places(lines: list[str]) -> tuple[int, ...]:
    """Where columns begin that stand at fixed places: behind places that are blank in nearly all lines, two at least
    of them side by side in some line; () where there is one column alone."""
    filled = [line.expandtabs(1) for line in dict.fromkeys(lines) if line.strip()]
    if len(filled) < LEAST or not any(GUTTER.search(line.strip()) for line in filled):
        return ()
    width = max(map(len, filled))
    blank = [sum(place >= len(line) or line[place] == " " for line in filled) >= NEARLY * len(filled)
             for place in range(width)]
    begins = tuple(place for place in range(width) if not blank[place] and (place == 0 or blank[place - 1]))
    is_full = all(2 * sum(bool(line[at:end].strip()) for line in filled) > len(filled)
                  for at, end in zip(begins, (*begins[1:], width), strict=True))
    return begins if len(begins) > 1 and is_full else ()
