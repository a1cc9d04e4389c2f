"""A notebook's page from its results, as HTML. Pure: nothing is read but templates and wording."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.contracts.claims import Claim
from pipeline.contracts.params import Company, Disclosure
from pipeline.contracts.results import Results
from pipeline.report import disclosure, interval_bar, table_view
from pipeline.report.figures import base
from pipeline.report.page import Figure, Page, Section, Table, select_claims
from pipeline.report.shell import page_html, picture_address
from pipeline.report.words import Words, tidy

Key = tuple[str, str, str]
FEWEST_GATHERED = 3  # claims alike that a table tells better than sentences


@dataclass(frozen=True)
class Site:
    """What every page knows. pages: notebook -> page; anchors: (claim_id, segment, period) -> its row on the index.

    as_of and first_day: dates of the data (YYYY-MM-DD) or "". missing: canonical tables that no export feeds.
    """

    company: Company
    disclosure: Disclosure
    as_of: str
    first_day: str
    missing: tuple[str, ...]
    results: Mapping[str, Results]
    pages: Mapping[str, Page]
    anchors: Mapping[Key, str]


@dataclass(frozen=True)
class Said:
    """A claim as a page prints it: the sentence, and in small what it rests on."""

    claim: Claim
    label: str
    text: str
    level: str
    state: str
    estimate: str
    range: str
    segment: str
    period: str
    status: str
    reason: str
    method: str
    n: str
    n_in: str
    anchor: str
    bar: str


def render_page(name: str, site: Site, words: Words) -> str:
    """The page of one notebook."""
    page, results = site.pages[name], site.results[name]
    title = words.text(f"{page.key}.title")
    lead = words.text(page.opening) if words.has(page.opening) else ""
    return page_html("page.html.j2", words, f"{title} · {tidy(site.company.name)}", lead or title,
                     heading=title, lead=lead, sections=[section_view(s, results, site, words) for s in page.sections],
                     limits=[words.text(key) for key in page.limits], **frame(site, words, name))


def frame(site: Site, words: Words, current: str) -> dict[str, Any]:
    """What the header and the footer of every page need."""
    links = [("index", "index.html", words.text("index.nav"))]
    links += [(name, f"{name}.html", words.text(f"{page.key}.nav")) for name, page in site.pages.items()]
    spoken = {"invented": "banner.invented", "public": "banner.public"}.get(site.company.data)
    dates = words.text("data.until", date=words.date(site.as_of)) if site.as_of else ""
    if site.as_of and site.first_day:
        dates = words.text("data.range", first=words.date(site.first_day), last=words.date(site.as_of))
    return {"company": tidy(site.company.name), "links": links, "current": current, "dates": dates,
            "banner": words.text(spoken) if spoken else ""}


def section_view(section: Section, results: Results, site: Site, words: Words) -> dict[str, Any]:
    """One section ready for its template; without anything to show it says what is missing."""
    said = [say(claim, site, words) for pattern in section.sentences for claim in select_claims(results, pattern)]
    alike = [[say(claim, site, words) for claim in select_claims(results, pattern)] for pattern in section.gathered]
    said += [one for part in alike if len(part) < FEWEST_GATHERED for one in part]
    alike = [part for part in alike if len(part) >= FEWEST_GATHERED]
    figure = figure_view(section, results, site, words) if section.figure else None
    table = None
    if section.table and (figure is None or section.table.name != section.figure.table):
        table = one_table(section.table, _caption(section, "table", words), results, site, words)
    key = section.key
    tells = figure or table or any(one.claim.estimate is not None for one in sum(alike, said))  # else nothing to note
    absent = ""
    if not said and not alike and figure is None and table is None:
        gone = [words.name("table_name", name) for name in section.needs if name in site.missing]
        absent = words.text("section.missing", sources=words.listed(gone)) if gone else words.text("section.empty")
    return {"id": key.replace(".", "-"), "title": words.text(f"{key}.title"), "said": said, "figure": figure,
            "gathered": [gathered_view(part, words) for part in alike],
            "table": table, "absent": absent,
            "lead": words.text(f"{key}.lead", **section.facts) if words.has(f"{key}.lead") else "",
            "notes": [words.text(note) for note in section.notes] if tells else []}


def gathered_view(alike: list[Said], words: Words) -> dict[str, Any]:
    """Claims that differ by group or setting alone as one table; what they share is said once, beneath it."""
    names = [words.segment(one.claim.segment) for one in alike]
    first = next((one for one in alike if one.claim.status == "ok"), alike[0])
    return {"caption": alike[0].label, "title": names[0][0], "first": first,
            "rows": [(name, one) for (_, name), one in zip(names, alike, strict=True)]}


def figure_view(section: Section, results: Results, site: Site, words: Words) -> dict[str, Any] | None:
    """The figure for a wide screen and for a phone, its caption, alternative text, data; None with nothing to draw."""
    figure: Figure = section.figure  # type: ignore[assignment]
    data = section.table if section.table and section.table.name == figure.table else Table(figure.table)
    frame_ = protected(data, results, site)
    if frame_ is None:
        return None
    drawn = {}
    for medium in base.WIDTHS:
        with base.medium(medium):
            drawn[medium] = figure.draw(frame_.drop(columns=[*disclosure.FLAGS]), words, **figure.options)
    if drawn["wide"] is None:
        return None
    return {"wide": picture_address(base.svg(drawn["wide"])), "phone": picture_address(base.svg(drawn["phone"])),
            "alt": base.alternative(drawn["wide"]), "caption": _caption(section, "figure", words),
            "table": one_table(data, _caption(section, "table" if data is section.table else "figure", words), results,
                               site, words)}


def one_table(table: Table, caption: str, results: Results, site: Site,
              words: Words) -> table_view.TableView | None:
    """The table with its cells as text; None where the results do not hold it or it is empty."""
    frame_ = protected(table, results, site)
    if frame_ is None or frame_.empty:
        return None
    return table_view.view(frame_, table, words, caption, site.company.currency, site.disclosure.suppress_below)


def protected(table: Table, results: Results, site: Site) -> Any:
    """The table with small groups blanked, or None where the results do not hold it."""
    if table.name not in results.tables:
        return None
    keys = (*disclosure.KEYS, *table.keys)
    return disclosure.protect_table(results.tables[table.name], site.disclosure.suppress_below, table.count, keys,
                                    disclosure.known_spans(results.claims))


def say(claim: Claim, site: Site, words: Words) -> Said:
    """The claim with everything that is printed of it."""
    wording = words.wording(claim)
    dimension, segment = words.segment(claim.segment, claim.claim_id)
    is_hidden, below = claim.status == "suppressed", site.disclosure.suppress_below
    offered = disclosure.offered(claim, below)
    n_in = "–" if offered is None else words.number(offered)
    few = claim.n_used is None or (is_hidden and 0 < claim.n_used < below)  # 0: hidden by the notebook, few or not
    n = words.text("table.fewer", below=below) if few else words.text("table.blank") if is_hidden else words.number(
        claim.n_used)
    bar = interval_bar.draw(claim, wording.state, words.compares(claim))
    group = f"{dimension}: {segment}" if dimension else words.text("value.all")
    return Said(
        claim, words.claim_label(claim), wording.text, wording.level, wording.state, words.estimate(claim),
        words.range(claim), group, words.period(claim.period),
        words.text(f"status.{claim.status}.name"), words.reason(claim) if claim.reason else "",
        words.name("method", claim.method), n, n_in,
        site.anchors[(claim.claim_id, claim.segment, claim.period)], picture_address(bar) if bar else "")


def every_claim(site: Site, words: Words) -> Iterable[tuple[str, list[Said]]]:
    """(page title, its claims) in the order of the pages."""
    for name, results in site.results.items():
        yield words.text(f"{site.pages[name].key}.title"), [say(claim, site, words) for claim in results.claims]


def _caption(section: Section, part: str, words: Words) -> str:
    key = f"{section.key}.{part}"
    return words.text(key) if words.has(key) else words.text(f"{section.key}.title")
