"""Which groups may be shown: none too small, and none that subtraction from the total would give away."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


def hidden(counts, suppress_below: int, already=False) -> np.ndarray:
    """Per group of one breakdown whether it must stay hidden.

    A group below the limit is hidden, and so is one that is already (another count of it is too small). Whoever
    subtracts the shown groups from the total has what is hidden as one group: while that is itself below the limit (as
    a single small group always is), the next smallest is hidden too. None (0) is not a small group.
    """
    counts = np.asarray(counts)
    unseen = ((counts > 0) & (counts < suppress_below)) | already
    while 0 < counts[unseen].sum() < suppress_below:
        shown = np.flatnonzero(~unseen & (counts > 0))
        if len(shown) == 0:
            break
        unseen[shown[np.argmin(counts[shown])]] = True
    return unseen


def hidden_names(names: pd.Series, codes: pd.Series, suppress_below: int) -> set:
    """The groups of one breakdown that must stay hidden: as hidden, but rows and the customers behind them both count.

    names: per row its group. codes: per row its customer (clusters.customer_codes: one without an id is a person of
    their own). One customer with many answers is one person; one with answers in two hidden groups is one as well.
    """
    names, codes = names.to_numpy(), codes.to_numpy()
    by = pd.Series(codes).groupby(names).agg(["size", "nunique"]).sort_index()
    unseen = (by["size"] < suppress_below) | (by["nunique"] < suppress_below)
    while unseen.any():
        inside = np.isin(names, by.index[unseen])
        if (inside.sum() >= suppress_below and len(np.unique(codes[inside])) >= suppress_below) or unseen.all():
            break
        unseen[by["size"].where(~unseen).idxmin()] = True
    return set(by.index[unseen])


@dataclass(frozen=True)
class Limits:
    """Fewer than suppress_below are not shown, fewer than caution_below carry a warning; false discoveries are held."""

    suppress_below: int = 10
    caution_below: int = 30
    false_discovery_rate: float = 0.10

    def status(self, n: int, people: int | None = None) -> str:
        """n: answers or tickets; people: the customers behind them, where they may be fewer, and then decide."""
        if n == 0:
            return "not_estimable"
        least = n if people is None else min(n, people)
        if least < self.suppress_below:
            return "suppressed"
        return "not_enough_data" if least < self.caution_below else "ok"
