"""Whether the answers of a program that lie in the files of a source are all of its pages, whatever each says alone."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from pipeline.ingest.json_pages import Answer, Said, said_by

DRIFT = 0.02  # by which the number of all records may differ from page to page, as records come and go
Gap = tuple[str, list[int]]  # the key that says that there are more records, the answers that belong together


def missing_pages(answers: Sequence[Answer]) -> list[Gap]:
    """For each set of pages of which some is not among the answers: the key that says so and the places of those that
    are. Nothing for answers of which all pages are there.

    Decided by the number of all records, where it is told: that of the answers together must reach it; else by the
    number of all pages: each must be there; else by who says that more follow: what follows must be there too, or,
    where no number tells it, at least one last page for every set.
    """
    said = {place: said_by(answer) for place, answer in enumerate(answers)}
    totals = _totals(said, [answer.rows or 0 for answer in answers])
    settled = {place for group, _ in totals for place in group}
    pages = _pages({place: one for place, one in said.items() if place not in settled})
    settled |= {place for group, _ in pages for place in group}
    gaps = [(key, group) for group, key in [*totals, *pages] if key]
    return gaps + _chains({place: one for place, one in said.items() if place not in settled})


def _totals(said: dict[int, Said], rows: list[int]) -> list[tuple[list[int], str]]:
    """Answers that tell about the same number of records in all, and the key where they hold fewer ("" where not)."""
    told = sorted((one.total[1], place) for place, one in said.items() if one.total)
    groups: list[list[tuple[int, int]]] = []
    for total, place in told:
        if groups and total <= groups[-1][0][0] * (1 + DRIFT):
            groups[-1].append((total, place))
        else:
            groups.append([(total, place)])
    found = []
    for group in groups:
        places = sorted(place for _, place in group)
        is_whole = sum(rows[place] for place in places) >= group[0][0]
        found.append((places, "" if is_whole else said[places[-1]].total[0]))
    return found


def _pages(said: dict[int, Said]) -> list[tuple[list[int], str]]:
    """The same for answers that tell of how many pages they are which."""
    told = {place: one.page for place, one in said.items() if one.page}
    groups: dict[int, list[int]] = {}
    for place, (_, _, pages) in told.items():
        groups.setdefault(pages, []).append(place)
    if told and _are_all([number for _, number, _ in told.values()], max(groups)):  # more came while they were fetched
        return [(list(told), "")]
    return [(group, "" if _are_all([told[place][1] for place in group], pages) else told[group[-1]][0])
            for pages, group in groups.items()]


def _are_all(numbers: list[int], pages: int) -> bool:
    """Whether each of so many pages is there, and as often as the others (several questions were asked then)."""
    times = Counter(numbers)
    return len(times) == pages and len(set(times.values())) == 1 and max(times) <= pages


def _chains(said: dict[int, Said]) -> list[Gap]:
    """The answers that say that more follow, where what follows is not there."""
    more = [place for place, one in said.items() if one.more]
    known = {one.place for one in said.values() if one.place is not None}
    if known and all(said[place].following for place in more):
        return [(said[place].more, [place]) for place in more if not known & set(said[place].following)]
    groups: dict[str, list[int]] = {}
    for place in more:
        groups.setdefault(said[place].rest, []).append(place)
    last = len(said) - len(more)
    return [(said[group[-1]].more, group) for number, group in enumerate(groups.values(), 1)
            if number > last or _is_broken([said[place].address for place in group])]


def _is_broken(addresses: list[tuple[bool, int] | None]) -> bool:
    """Whether a number is left out of those in the addresses of what follows: pages from the first or second one on,
    records in equal steps. Not to be told where an address has none."""
    if None in addresses:
        return False
    numbers = sorted({number for _, number in addresses})
    steps = {b - a for a, b in pairwise(numbers)}
    if any(is_page for is_page, _ in addresses):
        return not steps <= {1} or numbers[0] > 2
    return len(steps) > 1 or (len(steps) == 1 and numbers[0] not in (min(steps), min(steps) + 1))
