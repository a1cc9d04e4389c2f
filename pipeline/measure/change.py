"""Differences of two scores: interval, p-value, and the smallest difference that could have been seen."""

import numpy as np
from scipy import stats

from pipeline.measure.clusters import Z80, Z95, Score, correlation


def mover(estimate1, low1, high1, estimate2, low2, high2, rho=0.0) -> tuple[float, float]:
    """Interval of estimate1 - estimate2 from the two intervals (MOVER: Zou and Donner 2008; Newcombe 1998b).

    rho is the correlation of the two estimates, 0 for two sets of customers.
    """
    difference = estimate1 - estimate2
    down1, up1, down2, up2 = estimate1 - low1, high1 - estimate1, estimate2 - low2, high2 - estimate2
    low = difference - np.sqrt(np.maximum(down1**2 + up2**2 - 2 * rho * down1 * up2, 0))
    high = difference + np.sqrt(np.maximum(up1**2 + down2**2 - 2 * rho * up1 * down2, 0))
    return float(low), float(high)


def difference(first: Score, second: Score) -> Score:
    """first - second with its MOVER interval; customers who stand behind both are allowed for.

    n is the smaller of the two numbers of answers, the one that limits what can be said.
    """
    rho = correlation(first, second)
    low, high = mover(first.estimate, first.low, first.high, second.estimate, second.low, second.high, rho)
    return Score(first.estimate - second.estimate, low, high, min(first.n, second.n),
                 min(first.n_clusters, second.n_clusters))


def p_value(score: Score) -> float:
    """Two-sided p-value of "the difference is zero", from the side of the interval that faces zero.

    Below .05 exactly where the interval leaves zero out, so that a page never says both.
    """
    toward_zero = score.estimate - score.low if score.estimate > 0 else score.high - score.estimate
    if not np.isfinite(toward_zero):
        return float("nan")
    if toward_zero <= 0:
        return 1.0 if score.estimate == 0 else 0.0
    return float(2 * stats.norm.sf(Z95 * abs(score.estimate) / toward_zero))


def detectable(first: Score, second: Score | None = None) -> float:
    """Smallest difference seen with 80 % power at 5 %; against an equally large period when there is no second."""
    other = first.standard_error if second is None else second.standard_error
    rho = 0.0 if second is None else correlation(first, second)
    variance = first.standard_error**2 + other**2 - 2 * rho * first.standard_error * other
    return float((Z95 + Z80) * np.sqrt(variance))
