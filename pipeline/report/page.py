"""What a page is made of: declared once per notebook, without numbers and without words.

    PAGE = Page(
        key="sales",                                   # reports/<notebook>.html; texts sales.title, sales.lead
        sections=(
            Section("sales.effect",                    # texts sales.effect.title and, where given, sales.effect.lead
                    sentences=["sales.effect_per_point", "sales.effect_per_point@segment:*"],
                    figure=Figure(sales.shape, "shape", {"unit": "percent"}),
                    table=Table("shape", {"score": "count", "estimate": "percent"}),
                    notes=["sales.effect.note_naive"],
                    needs=("surveys", "sales")),
        ),
        headline=("sales.effect_per_point",))          # claims for the scorecard of the index

A page whose parts depend on the data offers `page(results, words) -> Page` instead of PAGE.
"""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts.claims import Claim
from pipeline.contracts.results import Results


@dataclass(frozen=True)
class Figure:
    """draw(table, words, **options) -> matplotlib Figure with its alternative text (figures.base.describe)."""

    draw: Callable[..., Any]
    table: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table of the results: which columns, in which order, each in which unit; column names from texts column.NAME.

    columns: name -> unit of claims (points, share, percent, pp, EUR, hours, ratio, count, months), or "company" (the
    company's currency), "month", "date", "text", "category", "yes_no", or "by_row" (the row's own `unit` column).
    Without columns: all of them, told by name and type (*_share, count_*, n, n_*, is_*, *_hours, period, estimate).
    estimate beside ci_low and ci_high: the limits become one column. A row whose `count` column is below the disclosure
    limit shows no figures, and rows of totals ("all" in a text column) bring complementary suppression (disclosure.py).
    keys: numeric columns that name the row, never blanked. titles: column -> text key where column.NAME does not fit.
    """

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    count: str = "n"
    keys: Sequence[str] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    longest: int = 400


@dataclass(frozen=True)
class Section:
    """One heading with sentences, a figure, a table and notes; each may be absent.

    key: texts `<key>.title` (needed) and `<key>.lead`, `<key>.figure` (caption), `<key>.table` (caption) where given.
    facts: what the placeholders of the lead stand for.
    gathered: as sentences, for claims that differ by group or setting alone: where a pattern finds three or more they
    stand in a table (group, estimate, interval, cases) after the sentences, fewer are told as sentences.
    sentences: "claim.id" (of all customers), "claim.id@segment:*"; `*` matches anything in both. Claims that the
    results do not hold are left out; a section left with nothing says which of `needs` is missing.
    notes: text keys. The figure's data always stand beside it, as `table` when that is the same one.
    """

    key: str
    sentences: Sequence[str] = ()
    figure: Figure | None = None
    table: Table | None = None
    notes: Sequence[str] = ()
    needs: Sequence[str] = ()
    gathered: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """key: prefix of the texts `<key>.title` and `<key>.lead`. headline: claim ids for the scorecard of the index.

    limits: text keys of what the page cannot say; the index gathers them. lead: text key of the opening, of the page
    and of its card on the index, where it hangs on the results. card: claims whose sentences the card says after it.
    """

    key: str
    sections: Sequence[Section]
    headline: Sequence[str] = ()
    limits: Sequence[str] = ()
    lead: str = ""
    card: Sequence[str] = ()

    @property
    def opening(self) -> str:
        """Text key of the lead."""
        return self.lead or f"{self.key}.lead"


def select_claims(results: Results, pattern: str) -> list[Claim]:
    """The claims that "claim.id" or "claim.id@segment" names, in the order of the results."""
    claim_id, _, segment = pattern.partition("@")
    return [claim for claim in results.claims if fnmatch.fnmatchcase(claim.claim_id, claim_id)
            and fnmatch.fnmatchcase(claim.segment, segment or "all")]
