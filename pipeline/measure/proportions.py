"""Shares (CSAT, yes/no, response rate): Wilson intervals, Newcombe differences, top boxes."""

import numpy as np

from pipeline.measure.change import mover
from pipeline.measure.clusters import Z95, Score, design_effect, influence, quantile_95


def wilson(successes, n, quantile=Z95) -> tuple[np.ndarray, np.ndarray]:
    """Score interval of a share (Wilson 1927; Newcombe 1998a, method 3): (low, high), fractions of counts allowed."""
    x, n, z = (np.asarray(v, dtype=float) for v in (successes, n, quantile))
    share = x / n
    middle = (x + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * np.sqrt(n * share * (1 - share) + z * z / 4)
    return np.where(x <= 0, 0.0, middle - half), np.where(x >= n, 1.0, middle + half)


def newcombe(x1, n1, x2, n2, quantile=Z95) -> tuple[float, float]:
    """Interval of x1/n1 - x2/n2 from the two Wilson intervals (Newcombe 1998b, method 10)."""
    (l1, u1), (l2, u2) = wilson(x1, n1, quantile), wilson(x2, n2, quantile)
    return mover(x1 / n1, l1, u1, x2 / n2, l2, u2)


def share(values: np.ndarray, codes: np.ndarray, n_codes: int) -> Score:
    """Share of ones, Wilson interval; customers who answered repeatedly widen it by the design effect."""
    n, n_clusters = len(values), len(np.unique(codes))
    effect = design_effect(values, codes, n_codes)
    low, high = wilson(values.sum() / effect, n / effect, quantile_95(n, n_clusters))
    return Score(float(values.mean()), float(low), float(high), n, n_clusters, effect,
                 influence(values, codes, n_codes))


def top_box(scores: np.ndarray, lowest: float) -> np.ndarray:
    """Per answer, on a scale where higher is better: 1 from `lowest` upward, else 0."""
    return (np.asarray(scores, dtype=float) >= lowest).astype(float)
