"""Mean of an answer on a scale (CES and the like), with the cluster-robust t interval."""

import numpy as np
from scipy import stats

from pipeline.measure.clusters import Z95, Score, clustered_variance, design_effect, influence


def turned(scores, minimum, maximum, direction) -> np.ndarray:
    """Scores turned so that higher is better, on the same scale: minimum + maximum - score where lower was better."""
    scores = np.asarray(scores, dtype=float)
    return np.where(np.asarray(direction) == "lower_is_better", minimum + maximum - scores, scores)


def mean(values: np.ndarray, codes: np.ndarray, n_codes: int, lowest: float = np.nan, highest: float = np.nan) -> Score:
    """Mean with t interval over customers - 1 degrees of freedom, clustered by customer (Liang and Zeger 1986).

    Where all values are alike the interval is that of alike_limits (nan without the ends of the scale); with one
    customer there is none (nan).
    """
    n, n_clusters = len(values), len(np.unique(codes))
    centre, low, high = float(values.mean()), float("nan"), float("nan")
    if n_clusters > 1 and np.ptp(values) == 0:
        low, high = alike_limits(centre, n_clusters, lowest, highest)
    elif n_clusters > 1:
        half = stats.t.ppf(0.975, n_clusters - 1) * np.sqrt(clustered_variance(values, codes, n_codes))
        low, high = centre - half, centre + half
    return Score(centre, low, high, n, n_clusters, design_effect(values, codes, n_codes),
                 influence(values, codes, n_codes))


def alike_limits(value: float, n: float, lowest: float, highest: float) -> tuple[float, float]:
    """Limits of the mean when n independent answers all gave `value`: a spread of zero is no certainty.

    The share of others that would answer differently is at most 1 - n / (n + z^2), Wilson's limit at n of n; at worst
    all of these stand at one end of the scale. nan without the ends of the scale.
    """
    others = 1 - n / (n + Z95**2)
    return value - (value - lowest) * others, value + (highest - value) * others
