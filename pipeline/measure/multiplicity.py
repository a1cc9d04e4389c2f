"""Many comparisons: Benjamini-Hochberg, and shrinkage for rankings."""

import numpy as np


def discoveries(p_values, rate: float = 0.10) -> np.ndarray:
    """Per comparison whether it stands out with at most `rate` false discoveries (Benjamini and Hochberg 1995).

    A missing p-value (nan) is no comparison and never a discovery.
    """
    p = np.asarray(p_values, dtype=float)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    passing = np.flatnonzero(p[order] <= rate * np.arange(1, len(order) + 1) / max(len(order), 1))
    found = np.zeros(len(p), dtype=bool)
    if len(passing):
        found[order[: passing[-1] + 1]] = True
    return found


def shrunken(estimates, standard_errors) -> np.ndarray:
    """Estimates pulled towards their weighted mean as far as noise explains their spread (empirical Bayes).

    Variance between groups by DerSimonian and Laird (1986); with none beyond noise all groups become equal.
    """
    y, variance = np.asarray(estimates, dtype=float), np.asarray(standard_errors, dtype=float) ** 2
    if len(y) < 3:
        return y.copy()
    weight = 1 / np.maximum(variance, 1e-12)
    centre = (weight * y).sum() / weight.sum()
    excess = (weight * (y - centre) ** 2).sum() - (len(y) - 1)
    between = max(0.0, excess / (weight.sum() - (weight**2).sum() / weight.sum()))
    total = 1 / (variance + between) if between > 0 else weight
    centre = (total * y).sum() / total.sum()
    return centre + between / (between + np.maximum(variance, 1e-12)) * (y - centre)
