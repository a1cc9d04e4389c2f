"""Evidence in the first lines of a text export: delimiter, quote, lines above the header, where the header is."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from pipeline.ingest.evidence import EMAIL, is_number
from pipeline.ingest.evidence_dates import date_form
from pipeline.ingest.footer import total_lines

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
RARE = {"^": "caret", "~": "tilde"}  # taken for the delimiter where they split every record alike
ASKED = (":", "#", "!")  # where they do and nothing else does, they are asked about
EVERY, SPLIT = 0.98, 0.7  # share of the records that they split; that any does where it leaves the first one whole
INCHES = 3  # lines that hold a quote from which it is taken for a part of the texts
SEPLINE = re.compile(r'^"?sep=(.)"?\r?\n')
LOOKED_AT = 400  # records from which the delimiter is told
ABOVE = 30  # records in which the header is looked for
Row = tuple[int, list[str]]  # physical line on which the record begins, its fields


@dataclass(frozen=True)
class Layout:
    """delimiter and why; quote; skip_rows: physical lines above the header; header_rows: 0 or 1; width: fields of
    most records; uneven: lines whose width differs, of `looked_at`."""

    delimiter: str
    why: str
    quote: str
    skip_rows: int
    header_rows: int
    width: int
    uneven: tuple[int, ...]
    looked_at: int
    is_full_above: bool = False  # a line above the header has most cells of one
    is_split_on_top: bool = True  # the first record has more than one field
    is_blank_separated: bool = False
    perhaps: str = ""  # a sign that splits every line alike, though it seldom is a delimiter
    is_backslashed: bool = False  # a backslash stands before quotes inside quoted texts

    @property
    def is_sure(self) -> bool:
        """Whether most records have one number of fields (nearly all where an apostrophe is the quote, since words hold
        apostrophes too); else the delimiter or the quote is none of those tried."""
        return len(self.uneven) <= (0.5 if self.quote != "'" else 0.1) * self.looked_at and not self.perhaps

    @property
    def skips_values(self) -> bool:
        """Whether lines stand above the first record though that is no header, or one of them has cells enough to be a
        header: it may be a broken one."""
        return self.skip_rows > 0 and (self.header_rows == 0 or self.is_full_above)


def split_rows(text: str, delimiter: str, quote: str = '"', first_line: int = 1, limit: int | None = None,
               whole: bool = True) -> list[Row]:
    """Records of a text with their lines; the last one is left out unless the text is whole."""
    style = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **style)
    rows: list[Row] = []
    before = 0
    try:
        for fields in reader:
            rows.append((first_line + before, fields))
            before = reader.line_num
            if limit and len(rows) >= limit:
                return rows
    except csv.Error:  # a field beyond what csv takes, or a bare carriage return: what came before it is evidence
        return rows
    return rows if whole or not rows else rows[:-1]


def find_layout(text: str, whole: bool) -> Layout:
    """The layout that gives most records one width; a single column when no delimiter does."""
    named = SEPLINE.match(text)
    body = text[named.end():] if named else text
    tried = {}
    for sign in ([named[1]] if named else [*DELIMITERS, *RARE]):
        rows = [row for row in split_rows(body, sign, '"', limit=LOOKED_AT, whole=whole) if any(row[1])]
        widths = Counter(len(fields) for _, fields in rows if len(fields) > 1)
        width, agree = widths.most_common(1)[0] if widths else (1, 0)
        if sign not in RARE or named or agree >= max(3, EVERY * len(rows)):
            tried[sign] = (agree / max(len(rows), 1), width, rows)
    best = max(tried, key=lambda sign: (tried[sign][0] * (1 - 1 / tried[sign][1]), tried[sign][0]))
    share, width, rows = tried[best]
    if width == 1:
        best, rows = ",", [row for row in split_rows(body, ",", '"', limit=LOOKED_AT, whole=whole) if any(row[1])]
    quote = "'" if _is_wrapped(body, best, "'") and not _is_wrapped(body, best, '"') else '"'
    if quote == "'":
        rows = [row for row in split_rows(body, best, quote, limit=LOOKED_AT, whole=whole) if any(row[1])]
        width = Counter(len(fields) for _, fields in rows).most_common(1)[0][0] if rows else 1
    quote = "" if quote == '"' and is_bare(body, best) else quote
    at = next((n for n, (_, fields) in enumerate(rows[:ABOVE]) if len(fields) == width and sum(map(bool, fields)) * 2
               > min(width, 3)), 0)
    header = rows[at][1] if rows else []
    if named:
        why = "the first line names it"
    elif width > 1:
        why = f"it splits {share:.0%} of the first {len(rows)} records into {width} fields"
    else:
        why = "no sign splits the records: a single column"
    uneven = tuple(line for line, fields in rows[at:] if len(fields) != width)
    if is_blank_separated := width == 1 and _is_blank_separated(rows):
        uneven = tuple(line for line, _ in rows)
        why += ", but blanks do"
    is_split = bool(rows) and len(rows[0][1]) > 1
    if not is_split and width > 1 and share < SPLIT:
        uneven = tuple(line for line, _ in rows)
    perhaps = "" if is_split or is_blank_separated else _perhaps(body, whole)
    return Layout(best, why, quote, rows[at][0] - 1 if rows else 0, 1 if _is_header(header) else 0, width, uneven,
                  len(rows), any(2 * sum(map(bool, fields)) > max(width, 3) for _, fields in rows[:at]),
                  is_split, is_blank_separated, perhaps, _is_backslashed(body, best))


def is_bare(text: str, delimiter: str) -> bool:
    """Whether quotes stand inside texts (inches) on several lines and none begins a field."""
    holding = sum('"' in line for line in text.splitlines())
    return holding >= INCHES and not opens(text, delimiter)


def opens(text: str, delimiter: str) -> bool:
    """Whether some field begins with a quote, perhaps behind blanks."""
    return re.search(f'(?m)(?:^|{re.escape(delimiter)}) *"', text) is not None


def _is_backslashed(text: str, delimiter: str) -> bool:
    """Whether a backslash stands before a quote that ends no field, where quotes enclose texts."""
    inside = r'\\"(?! *(?:' + re.escape(delimiter) + r"|[\r\n]|$))"
    return re.search(inside, text) is not None and opens(text, delimiter)


def _perhaps(text: str, whole: bool) -> str:
    """A sign that splits nearly every line into one number of fields, the first one into names."""
    for sign in ASKED:
        rows = [row for row in split_rows(text, sign, '"', limit=LOOKED_AT, whole=whole) if any(row[1])]
        names = rows[0][1] if rows else []
        agree = sum(len(fields) == len(names) for _, fields in rows)
        if len(names) > 1 and agree >= max(3, EVERY * len(rows)) and all(re.search(r"[^\W\d]", one) for one in names):
            return sign
    return ""


def _is_blank_separated(rows: list[Row]) -> bool:
    """Whether nearly all lines have one number of words, more than two: columns between blanks."""
    words = Counter(len(" ".join(fields).split()) for _, fields in rows)
    count, agree = words.most_common(1)[0] if words else (0, 0)
    return count > 2 and len(rows) > 5 and agree >= 0.9 * len(rows)


def _is_wrapped(text: str, delimiter: str, quote: str) -> bool:
    """Whether whole fields stand between two of these signs."""
    sign, mark = re.escape(delimiter), re.escape(quote)
    found = re.findall(f"(?m)(?:^|{sign}){mark}[^{mark}\\r\\n]*{mark}(?={sign}|\\r?$)", text[:100_000])
    return len(found) > 2


def _is_header(fields: list[str]) -> bool:
    """Names, not values: hardly a number, a date or an address among them."""
    filled = [field for field in fields if field.strip()]
    values = [f for f in filled if is_number(f) or date_form(f) or EMAIL.fullmatch(f.strip())]
    return bool(filled) and len(values) <= 0.25 * len(filled)


def footer_lines(tail: str, layout: Layout) -> int:
    """Lines of totals at the end of the text."""
    return total_lines(tail.splitlines()[-6:], layout.delimiter, layout.width)
