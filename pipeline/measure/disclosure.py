"""Which groups may be shown: none too small, and none that subtraction from the total would give away."""

from dataclasses import dataclass

import numpy as np


def hidden(counts, suppress_below: int) -> np.ndarray:
    """Per group of one breakdown whether it must stay hidden.

    A group below the limit is hidden. Whoever subtracts the shown groups from the total has what is hidden as one
    group: while that is itself below the limit (as a single small group always is), the next smallest is hidden too.
    """
    counts = np.asarray(counts)
    unseen = (counts > 0) & (counts < suppress_below)
    while unseen.any() and counts[unseen].sum() < suppress_below:
        shown = np.flatnonzero(~unseen & (counts > 0))
        if len(shown) == 0:
            break
        unseen[shown[np.argmin(counts[shown])]] = True
    return unseen


@dataclass(frozen=True)
class Limits:
    """Fewer than suppress_below are not shown, fewer than caution_below carry a warning; false discoveries are held."""

    suppress_below: int = 10
    caution_below: int = 30
    false_discovery_rate: float = 0.10

    def status(self, n: int) -> str:
        if n == 0:
            return "not_estimable"
        return "suppressed" if n < self.suppress_below else "not_enough_data" if n < self.caution_below else "ok"
