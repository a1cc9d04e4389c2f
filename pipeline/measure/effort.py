"""Mean of an answer on a scale (CES and the like), with the cluster-robust t interval."""

import numpy as np
from scipy import stats

from pipeline.measure.clusters import Score, clustered_variance, design_effect, influence


def turned(scores, minimum, maximum, direction) -> np.ndarray:
    """Scores turned so that higher is better, on the same scale: minimum + maximum - score where lower was better."""
    scores = np.asarray(scores, dtype=float)
    return np.where(np.asarray(direction) == "lower_is_better", minimum + maximum - scores, scores)


def mean(values: np.ndarray, codes: np.ndarray, n_codes: int) -> Score:
    """Mean with t interval over customers - 1 degrees of freedom, clustered by customer (Liang and Zeger 1986).

    With one customer there is no interval (nan).
    """
    n, n_clusters = len(values), len(np.unique(codes))
    half = float("nan")
    if n_clusters > 1:
        half = stats.t.ppf(0.975, n_clusters - 1) * np.sqrt(clustered_variance(values, codes, n_codes))
    centre = float(values.mean())
    return Score(centre, centre - half, centre + half, n, n_clusters, design_effect(values, codes, n_codes),
                 influence(values, codes, n_codes))
