"""Evidence under empty rows: rows that belong to another table, which ingest keeps out (FMT-TABLE)."""

import re
from collections.abc import Iterable

from pipeline.ingest.evidence_layout import Layout, Row, split_rows
from pipeline.ingest.footer import begins_as_total
from pipeline.ingest.sample import Sample
from pipeline.ingest.second_table import LEAST, MOST, SAMPLE

DIGIT = re.compile("[0-9]")


def rows_apart(rows: Iterable[Row], places: list[int], width: int, more: Iterable[Row] = ()) -> tuple[int, ...]:
    """Lines of the rows that `second_table.set_apart` would take for another table; lines of totals are left out.

    rows: below the header, empty ones among them. places: of the columns that a source would read. width: fields of a
    record; rows of another width are none. more: rows further down, of which nothing before an empty one is looked at.
    """
    first, *sections = _sections(rows, width)
    sections += list(_sections(more, width))[1:]
    if len(first) < LEAST or not sections:
        return ()
    dated = [place for place in places
             if sum(_has_digit(fields, place) for _, fields in first[:SAMPLE]) >= MOST * len(first[:SAMPLE])]
    apart = [row for section in sections if dated and all(
        2 * sum(_has_digit(fields, place) for place in dated) < len(dated) for _, fields in section) for row in section]
    return tuple(line for line, fields in apart if not begins_as_total(next(filter(str.strip, fields))))


def _has_digit(fields: list[str], place: int) -> bool:
    return DIGIT.search(fields[place]) is not None


def _sections(rows: Iterable[Row], width: int) -> list[list[Row]]:
    """The rows with any cell, split where an empty row stands; the first section comes first, even if it is empty."""
    found: list[list[Row]] = [[]]
    for line, fields in rows:
        if not any(map(str.strip, fields)):
            found += [[]] if found[-1] or len(found) == 1 else []
        elif len(fields) == width:
            found[-1].append((line, fields))
    return [found[0], *filter(None, found[1:])]


def with_gaps(rows: list[Row]) -> list[Row]:
    """Rows of a sheet, with an empty row wherever some were left out."""
    return [row for before, own in zip([rows[0], *rows], rows, strict=False)
            for row in ([(own[0] - 1, [])] if own[0] - before[0] > 1 else []) + [own]] if rows else []


def rows_behind(sample: Sample, layout: Layout, behind: int) -> list[Row]:
    """The rows under each empty one behind this line, as far as the sample has them."""
    rows: dict[int, Row] = {}
    for line, text in sample.gaps:
        own = split_rows(text, layout.delimiter, layout.quote, line) if line > behind else []
        rows |= {row[0]: row for row in own}
    return [rows[line] for line in sorted(rows)]
