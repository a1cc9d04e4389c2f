"""No figure about a handful of people: small groups are blanked, and so is what would give them away by subtraction."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from pipeline.contracts.claims import Claim

TOTAL = "all"  # the value that marks a row of totals in a dimension
KEYS = ("score", "period", "lag", "month", "tenure_months")  # say which row it is: never blanked, and never added up
SETTINGS = ("months", "window", "score_age", "lag")  # the same customers each time, not parts of a whole
NAMES = ("claim_id", "dimension", "unit", "change_unit", "method", "status", "level", "reason", "variant", "term")
FLAG, SMALL = FLAGS = ("is_suppressed", "is_small")
NOT_PEOPLE = ("source", "table", "file", "rule", "column")  # breakdowns of rows and files: always shown whole


def protect_claims(claims: list[Claim], below: int) -> list[Claim]:
    """The claims in their order; those of a group under `below` carry no figure, nor does the next smallest group
    of the same breakdown where the total would otherwise give the first one away.
    """
    hidden: set[int] = set()
    counts: dict[int, float] = {}
    lines: dict[tuple[str, str, str], list[int]] = {}
    for position, claim in enumerate(claims):
        dimension = claim.segment.partition(":")[0]
        gives_none = claim.estimate is None and claim.status != "suppressed"  # it only says why there is no figure
        if claim.segment == TOTAL or dimension in NOT_PEOPLE or gives_none:
            continue
        lines.setdefault((claim.claim_id, claim.period, dimension), []).append(position)
        is_hidden = claim.status == "suppressed"  # already, by the notebook: how many it hides is not told
        counts[position] = below if is_hidden else claim.n_used
        if is_hidden or claim.n_used < below:
            hidden.add(position)
    for line in (line for key, line in lines.items() if key[2] not in SETTINGS):
        inside = [position for position in line if position in hidden]
        outside = sorted((p for p in line if p not in hidden), key=lambda p: (counts[p], p))
        hidden |= set(_cover(inside, outside, counts, below))
    return [_hide(claim) if position in hidden else claim for position, claim in enumerate(claims)]


def protect_table(table: pd.DataFrame, below: int, count: str = "n", keys: Sequence[str] = KEYS) -> pd.DataFrame:
    """The table with two columns more, is_suppressed and is_small; the figures of suppressed rows are missing.

    Small are rows with 0 < count < below; suppressed are those, rows of status suppressed, and what protects them.

    The total of a breakdown is taken as known, here or on another page: along every text column, a blank that could
    be found by subtraction gets a second one, until nothing changes (two-way tables with their margins included).
    A table without the count column is returned as it is, with nothing suppressed.
    """
    table = table.copy()
    if count not in table.columns:
        return table.assign(**dict.fromkeys(FLAGS, False))
    already = (table["status"] == "suppressed").tolist() if "status" in table else [False] * len(table)
    counts = pd.to_numeric(table[count], errors="coerce").fillna(0).tolist()
    hidden = {i for i, n in enumerate(counts) if 0 < n < below or already[i]}
    counts = [below if gone else n for n, gone in zip(counts, already, strict=True)]
    texts = [c for c in table.columns if _is_text(table[c]) and c not in (*NAMES, *NOT_PEOPLE)]
    fixed = [c for c in table.columns if c in keys or c in NAMES or c in texts]
    grown = True
    while grown and hidden:
        grown = False
        for dimension in (c for c in texts if c not in keys):
            for line in _lines(table, dimension, [c for c in fixed if c != dimension]):
                inside = [i for i in line if i in hidden]
                outside = sorted((i for i in line if i not in hidden and counts[i] > 0), key=lambda i: (counts[i], i))
                more = _cover(inside, outside, dict(enumerate(counts)), below)
                hidden |= set(more)
                grown = grown or bool(more)
    shown = pd.Series([i not in hidden for i in range(len(table))], index=table.index)
    for column in table.columns:
        if column not in keys and not _is_text(table[column]):
            whole = {"i": "Int64", "u": "Int64", "b": "boolean"}.get(getattr(table[column].dtype, "kind", ""))
            table[column] = (table[column].astype(whole) if whole else table[column]).where(shown)
    small = [0 < n < below and not gone for n, gone in zip(counts, already, strict=True)]
    return table.assign(**{FLAG: ~shown, SMALL: small})


def _cover(inside: list[int], outside: list[int], counts: dict[int, float], below: int) -> list[int]:
    """Which of `outside` (smallest first) must be blanked too, so that what is blanked cannot be told apart or is not
    a small group again."""
    more: list[int] = []
    while inside and outside[len(more):] and (
            len(inside) + len(more) < 2 or sum(counts[i] for i in [*inside, *more]) < below):
        more.append(outside[len(more)])
    return more


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
