"""Counts of models that stand on nearly the same customers: told so that nobody is found by subtraction."""

from dataclasses import replace
from itertools import pairwise

import pandas as pd

from pipeline.contracts.claims import Claim

KINDS = (("n_used", "n_in"), ("people",))  # rows, offered and used, are one kind: as many are told alike


def in_steps(claims: list[Claim], below: int, caution: int = 0) -> list[Claim]:
    """The claims in their order; counts that differ by fewer than `below` (but some) are rounded down to steps of it,
    those of `caution` and more not below that: the page warns of fewer.

    claims: figures of models on one sample or parts of it (without the top spenders, orders instead of sales). A model
    that leaves out fewer than `below` people of another would tell by its counts how many of them the other holds.
    Rows and people alike; counts below `below`, and claims without a figure, stay for whom they are hidden by.
    """
    told = [claim for claim in claims if claim.estimate is not None and claim.fewest >= below]
    rounded: dict[str, dict[int, int]] = {}
    for kind in KINDS:
        counts = sorted({count for claim in told for name in kind if (count := getattr(claim, name)) is not None})
        close = {count for low, high in pairwise(counts) if high - low < below
                 for count in (low, high)}
        steps = {count: max(count // below * below, caution if count >= caution else 0) for count in close}
        rounded |= {name: steps for name in kind}
    shown = {id(claim) for claim in told}
    return [replace(claim, **{name: rounded[name].get(getattr(claim, name), getattr(claim, name))
                                for kind in KINDS for name in kind})
            if id(claim) in shown else claim for claim in claims]


def table_in_steps(table: pd.DataFrame, exact: list[Claim], told: list[Claim]) -> pd.DataFrame:
    """The table with the counts of its models (columns n, rows, customers, people) as the claims tell them: `exact` are
    the claims as computed, `told` the same after in_steps."""
    steps = {getattr(one, name): getattr(other, name) for one, other in zip(exact, told, strict=True)
             for kind in KINDS for name in kind if getattr(one, name) != getattr(other, name)}
    counts = [name for name in ("n", "rows", "customers", "people") if name in table]
    return table.assign(**{name: table[name].replace(steps) for name in counts})
