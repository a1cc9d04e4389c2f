"""No figure about a handful of people: small groups are blanked, and so is what would give them away by subtraction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.contracts.results import untold

TOTAL = "all"  # the value that marks a row of totals in a dimension
KEYS = ("score", "period", "lag", "month", "tenure_months")  # say which row it is: never blanked
PARTS = ("score", "period", "month", "tenure_months", "group")  # keys whose rows add up to all of them
EVENTS = ("left",)  # counts beside the count, whose total is printed too
SETTINGS = ("months", "window", "score_age", "lag")  # the same customers each time, not parts of a whole
NAMES = ("claim_id", "dimension", "unit", "change_unit", "method", "status", "level", "reason", "variant", "term")
APART = ("claim_id", "dimension", "unit", "variant", "term")  # of the names, those that no total runs across
PEOPLE = "people"  # column of the customers behind the count, where one customer may have several rows
FLAG, SMALL = FLAGS = ("is_suppressed", "is_small")
STEP_COUNTS = ("rows", "customers")  # of a table of steps, which has no column of the count
NO_PEOPLE = ("data.rows_", "trust.")  # claims that count rows of files, or invented companies
WHOLE = ("data.customers",)  # how many there are in all, which the account of rows tells too: no group of them
NOT_PEOPLE = ("source", "table", "file", "rule", "column")  # breakdowns of rows and files: always shown whole


def protect_claims(claims: list[Claim], below: int) -> list[Claim]:
    """The claims in their order; those of fewer than `below` rows or people carry no figure, nor do those that would
    give it away; those that only say why there is no figure do not tell so small a count.

    Along every breakdown of one claim in one period, and along the months or periods of one claim of one group (all
    customers too), the total is taken as known: next smallest ones are blanked until nothing can be found by
    subtraction, along either. A period that holds others is their total, not one of them.
    """
    hidden: set[int] = set()
    counts: dict[int, float] = {}
    lines: dict[tuple[str, ...], list[int]] = {}
    for position, claim in enumerate(claims):
        dimension = claim.segment.partition(":")[0]
        gives_none = claim.estimate is None and claim.status != "suppressed"  # it only says why there is no figure
        if dimension in NOT_PEOPLE or gives_none or claim.claim_id.startswith(NO_PEOPLE) or claim.claim_id in WHOLE:
            continue
        if claim.segment != TOTAL and dimension not in SETTINGS:
            lines.setdefault(("segment", claim.claim_id, claim.period, dimension), []).append(position)
        lines.setdefault(("period", claim.claim_id, claim.segment), []).append(position)
        is_hidden = claim.status == "suppressed"  # already, by the notebook: how many it hides is not told
        counts[position] = below if is_hidden else claim.fewest
        if is_hidden or counts[position] < below:
            hidden.add(position)
    parts = [line for key, line in lines.items() if key[0] == "segment"]
    parts += [part for key, line in lines.items() if key[0] == "period" for part in _parts_of_time(line, claims)]
    grown = True
    while grown and hidden:
        grown = False
        for line in parts:
            inside = [position for position in line if position in hidden]
            outside = sorted((p for p in line if p not in hidden), key=lambda p: (counts[p], p))
            more = _cover(inside, outside, counts, below)
            hidden |= set(more)
            grown = grown or bool(more)
    return [_hide(claim) if position in hidden else untold(claim, below) for position, claim in enumerate(claims)]


def offered(claim: Claim, below: int) -> int | None:
    """The rows offered, where they may be told: those not used are not so few that subtraction would give them away."""
    if claim.status == "suppressed" or claim.n_in is None or claim.claim_id.startswith(NO_PEOPLE):
        return None if claim.status == "suppressed" else claim.n_in
    return None if claim.n_used is not None and 0 < claim.n_in - claim.n_used < below else claim.n_in


def _parts_of_time(line: list[int], claims: list[Claim]) -> list[list[int]]:
    """The claims of a line whose periods hold no other of them: those inside each longer period, and all of them."""
    spans = {position: _ends(claims[position].period) for position in line if claims[position].period != TOTAL}

    def inside(outer: int) -> list[int]:
        (first, last) = spans[outer]
        return [p for p, (start, end) in spans.items() if p != outer and first <= start and end <= last]

    whole = {position for position in spans if inside(position)}
    found = [[p for p in inside(outer) if p not in whole] for outer in sorted(whole)]
    return [part for part in [*found, [p for p in spans if p not in whole]] if len(part) > 1]


def _ends(period: str) -> tuple[str, str]:
    first, _, last = period.partition("/")
    return first, last or first


def protect_table(table: pd.DataFrame, below: int, count: str = "n", keys: Sequence[str] = KEYS,
                  spans: Sequence[tuple[str, str]] = ()) -> pd.DataFrame:
    """The table with two columns more, is_suppressed and is_small; the figures of suppressed rows are missing.

    Small are rows with 0 < count < below; suppressed are those, rows of fewer than `below` people (PEOPLE), rows of
    status suppressed, and what protects them. One customer may stand in several rows: where a table counts people,
    those of the blanked rows together are at least as many as in the row that has most.

    The total of a breakdown is taken as known, here or on another page: along every text column and along answers,
    months and groups of equal size (PARTS), a blank that could be found by subtraction gets a second one, until nothing
    changes (two-way tables with their margins included). So do events (EVENTS): blanked rows of which nobody left would
    give every one of their counts away.
    spans: first and last month of the periods whose own totals are known (known_spans); inside each the same holds.
    A table without the count column is returned as it is, with nothing suppressed; but one of steps loses the counts of
    rows and customers that are small, the next smallest ones that would give them away, and what a step less the next
    one shown would tell of few.
    """
    table = table.copy()
    if count not in table.columns:
        if "step" in table.columns:
            return _without_small_steps(table, below)
        return table.assign(**dict.fromkeys(FLAGS, False))
    already = (table["status"] == "suppressed").tolist() if "status" in table else [False] * len(table)
    counts = pd.to_numeric(table[count], errors="coerce").fillna(0).tolist()
    rows, people = counts, _people(table, already, below)
    hidden = {i for i, n in enumerate(counts) if 0 < n < below or already[i] or 0 < people.get(i, 0) < below}
    counts = [below if gone else n for n, gone in zip(counts, already, strict=True)]
    events = [pd.to_numeric(table[c], errors="coerce").fillna(0).tolist() for c in EVENTS if c in table.columns]
    lines = _all_lines(table, keys, spans)
    grown = True
    while grown and hidden:
        grown = False
        for line in lines:
            inside = [i for i in line if i in hidden]
            outside = sorted((i for i in line if i not in hidden and counts[i] > 0), key=lambda i: (counts[i], i))
            more = _cover(inside, outside, dict(enumerate(counts)), below, events, people)
            hidden |= set(more)
            grown = grown or bool(more)
    shown = pd.Series([i not in hidden for i in range(len(table))], index=table.index)
    for column in table.columns:
        if column not in keys and not _is_text(table[column]):
            whole = {"i": "Int64", "u": "Int64", "b": "boolean"}.get(getattr(table[column].dtype, "kind", ""))
            table[column] = (table[column].astype(whole) if whole else table[column]).where(shown)
    small = [0 < n < below and not gone for n, gone in zip(rows, already, strict=True)]
    return table.assign(**{FLAG: ~shown, SMALL: small})


def _people(table: pd.DataFrame, already: list[bool], below: int) -> dict[int, float]:
    """Position -> people of the rows that tell them; how many a row hidden by the notebook has is not told: `below`."""
    if PEOPLE not in table.columns:
        return {}
    counts = pd.to_numeric(table[PEOPLE], errors="coerce").astype(float)
    return {i: below if already[i] else n for i, n in enumerate(counts) if already[i] or n == n}


def _without_small_steps(table: pd.DataFrame, below: int) -> pd.DataFrame:
    """The table of steps; rows and customers are each a line of counts, and what few customers have are few rows.

    Each step that counts customers is a part of the one before it: what lies between two that are shown is a group
    too. The last one shown stays (it is what the figures rest on), earlier ones go where they are too close to it.
    """
    columns = [name for name in STEP_COUNTS if name in table.columns]
    counts = {name: pd.to_numeric(table[name], errors="coerce").fillna(0).tolist() for name in columns}
    small = {i for values in counts.values() for i, n in enumerate(values) if 0 < n < below}
    blank: set[int] = set()
    for values in counts.values():
        inside = sorted(i for i in small if values[i] > 0)
        outside = sorted((i for i, n in enumerate(values) if n > 0 and i not in small), key=lambda i: (values[i], i))
        blank |= {*inside, *_cover(inside, outside, dict(enumerate(values)), below)}
    nested = table["customers"].notna().tolist() if "customers" in columns else [True] * len(table)
    kept: dict[str, float] | None = None
    for i in sorted({i for i in range(len(table)) if nested[i]} - blank, reverse=True):
        here = {name: counts[name][i] for name in columns}
        if kept is None or not any(0 < here[name] - kept[name] < below for name in columns):
            kept = here
        else:
            blank.add(i)
    shown = pd.Series([i not in blank for i in range(len(table))], index=table.index)
    table = table.assign(**{name: table[name].astype("Int64").where(shown) for name in columns})
    return table.assign(**{FLAG: ~shown, SMALL: False})


def known_spans(claims: Sequence[Claim]) -> list[tuple[str, str]]:
    """First and last month of every period that a claim counts, and of the one before it, of the same length: how many
    stand behind a change is printed too, and is the sum of both."""
    spans: dict[tuple[str, str], None] = {}
    for period in dict.fromkeys(claim.period for claim in claims):
        first, _, last = period.partition("/")
        if len(first) == len(last) == len("2024-01"):
            start, end = pd.Period(first, "M"), pd.Period(last, "M")
            length = (end - start).n + 1
            spans |= {(first, last): None, (str(start - length), str(end - length)): None}
    return list(spans)


def _cover(inside: list[int], outside: list[int], counts: dict[int, float], below: int,
           events: Sequence[Sequence[float]] = (),
           people: Mapping[int, float] = MappingProxyType({})) -> list[int]:
    """Which of `outside` (smallest first) must be blanked too, so that what is blanked cannot be told apart or is not
    a small group again (of rows, or of people where they are counted), nor a group in which an event met nobody or
    everybody, unless it met so the whole line."""
    more: list[int] = []
    line = [*inside, *outside]
    mixed = [met for met in events if 0 < sum(met[i] for i in line) < sum(counts[i] for i in line)]
    while inside and outside[len(more):]:
        blank = [*inside, *more]
        size = sum(counts[i] for i in blank)
        persons = max((people[i] for i in blank if i in people), default=below)
        is_enough = len(blank) >= 2 and min(size, persons) >= below
        if is_enough and all(0 < sum(met[i] for i in blank) < size for met in mixed):
            break
        more.append(outside[len(more)])
    return more


def _all_lines(table: pd.DataFrame, keys: Sequence[str], spans: Sequence[tuple[str, str]]) -> list[list[int]]:
    """Positions of the rows that add up to one known total, along every dimension of the table."""
    texts = [c for c in table.columns if _is_text(table[c]) and c not in (*NAMES, *NOT_PEOPLE, *keys)]
    parts = [c for c in table.columns if c in PARTS and c in keys]
    fixed = [c for c in table.columns if c in keys or c in APART or c in texts]
    lines = [line for along in [*texts, *parts] for line in _lines(table, along, [c for c in fixed if c != along])]
    if "period" in parts:
        months = table["period"].astype(str).tolist()
        cut = [[i for i in line if first <= months[i] <= last] for first, last in spans
               for line in _lines(table, "period", [c for c in fixed if c != "period"])]
        lines += [line for line in cut if line]
    return lines


def _lines(table: pd.DataFrame, dimension: str, fixed: list[str]) -> list[list[int]]:
    """Positions of the rows that add up to one total along `dimension`, the total itself left out."""
    lines: dict[tuple[str, ...], list[int]] = {}
    for position, row in enumerate(table[[dimension, *fixed]].astype(str).itertuples(index=False, name=None)):
        if row[0] != TOTAL:
            lines.setdefault(row[1:], []).append(position)
    return list(lines.values())


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.is_string_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype)


def _hide(claim: Claim) -> Claim:
    return replace(claim, status="suppressed", estimate=None, ci_low=None, ci_high=None, detectable=None, reason="")
