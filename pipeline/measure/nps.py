"""Net promoter score: share of promoters (9-10) less share of detractors (0-6), with the score-test interval.

Numbers here are shares (-1 to 1); claims turn them into points (-100 to 100).
"""

import numpy as np

from pipeline.measure.clusters import Z80, Z95, Score, design_effect, influence, quantile_95

PROMOTER_FROM, PASSIVE_FROM = 9, 7


def sides(scores: np.ndarray) -> np.ndarray:
    """Per answer: 1 promoter, 0 passive, -1 detractor."""
    scores = np.asarray(scores, dtype=float)
    return np.where(scores >= PROMOTER_FROM, 1.0, np.where(scores >= PASSIVE_FROM, 0.0, -1.0))


def net_score(detractors, passives, promoters) -> np.ndarray:
    """(promoters - detractors) / answers, for counts of any shape."""
    total = np.asarray(detractors) + np.asarray(passives) + np.asarray(promoters)
    return (np.asarray(promoters, float) - detractors) / total


def variance(detractors, passives, promoters) -> np.ndarray:
    """Variance of one answer coded -1, 0, 1, with divisor n."""
    d, m, p = (np.asarray(x, dtype=float) for x in (detractors, passives, promoters))
    n = d + m + p
    return (p + d) / n - ((p - d) / n) ** 2


def standard_error(detractors, passives, promoters) -> np.ndarray:
    """Plain standard error, sqrt(variance / n); zero when all answers are alike, hence not used for intervals."""
    n = np.asarray(detractors, float) + passives + promoters
    return np.sqrt(variance(detractors, passives, promoters) / n)


def score_statistic(detractors, passives, promoters, delta) -> np.ndarray:
    """Score test of "the net score is delta" in the trinomial, standard normal when it is.

    The detractor share q under delta is the larger root of 2n q^2 + (-d - p + (2n - p + d) delta) q
    - d delta (1 - delta) = 0 (score equation of the trinomial, as Tango 1998 has it for paired shares).
    """
    d, m, p = (np.asarray(x, dtype=float) for x in (detractors, passives, promoters))
    n = d + m + p
    a, b, c = 2 * n, -d - p + (2 * n - p + d) * delta, -d * delta * (1 - delta)
    q = (np.sqrt(np.maximum(b * b - 4 * a * c, 0)) - b) / (2 * a)
    spread = np.sqrt(np.maximum(n * (2 * q + delta * (1 - delta)), 1e-300))
    return (p - d - n * delta) / spread


def score_interval(detractors, passives, promoters, quantile=Z95) -> tuple[np.ndarray, np.ndarray]:
    """The values that the score test does not refuse: (low, high), for counts of any shape, fractions allowed."""
    counts = (np.asarray(x, float) for x in (detractors, passives, promoters, quantile))
    d, m, p, quantile = np.broadcast_arrays(*counts)
    estimate = net_score(d, m, p)
    low = _crossing(d, m, p, quantile, np.full(d.shape, -1.0), estimate)
    high = _crossing(d, m, p, -quantile, estimate, np.full(d.shape, 1.0))
    return np.where(estimate <= -1, -1.0, low), np.where(estimate >= 1, 1.0, high)


def _crossing(d, m, p, target, left, right) -> np.ndarray:
    """Where the statistic, which falls as delta grows, meets the target: bisection to 1e-16."""
    left, right = left.copy(), right.copy()
    for _ in range(54):
        middle = (left + right) / 2
        above = score_statistic(d, m, p, middle) > target
        left, right = np.where(above, middle, left), np.where(above, right, middle)
    return (left + right) / 2


def nps(values: np.ndarray, codes: np.ndarray, n_codes: int) -> Score:
    """Net score of answers coded -1, 0, 1; customers who answered repeatedly widen it by the design effect."""
    n, n_clusters = len(values), len(np.unique(codes))
    effect = design_effect(values, codes, n_codes)
    counts = [np.sum(values == side) / effect for side in (-1, 0, 1)]
    low, high = score_interval(*counts, quantile_95(n, n_clusters))
    return Score(float(values.mean()), float(low), float(high), n, n_clusters, effect,
                 influence(values, codes, n_codes))


def answers_needed(change: float, detractors: float, promoters: float) -> float:
    """Answers in each of two periods to see a change (a share) with 80 % power at 5 %, from the two shares."""
    one = promoters + detractors - (promoters - detractors) ** 2
    return (Z95 + Z80) ** 2 * 2 * one / change**2
