"""Exact coverage of the NPS interval by enumeration of every sample, and the size of the change test."""

import numpy as np
import pytest
from scipy.stats import multinomial

from pipeline.measure.change import mover
from pipeline.measure.nps import net_score, score_interval

# Coverage of the score interval by exact enumeration, computed beforehand by another program (four decimals).
ENUMERATED = [((20, 30, 50), 20, 0.9472), ((5, 15, 80), 20, 0.9622), ((2, 8, 90), 20, 0.9648),
              ((35, 30, 35), 20, 0.9541), ((20, 30, 50), 50, 0.9514), ((5, 15, 80), 50, 0.9563),
              ((2, 8, 90), 50, 0.9647), ((35, 30, 35), 10, 0.9568)]


def samples(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every sample of n answers: detractors, passives, promoters."""
    d, p = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    possible = d + p <= n
    return d[possible], n - d[possible] - p[possible], p[possible]


def coverage(shares: np.ndarray, n: int, intervals) -> float:
    low, high = intervals
    truth = shares[2] - shares[0]
    chance = multinomial.pmf(np.column_stack(samples(n)), n, shares)
    return float(chance[(low - 1e-12 <= truth) & (truth <= high + 1e-12)].sum())


@pytest.mark.parametrize(("shares", "n", "expected"), ENUMERATED)
def test_coverage_is_the_enumerated_one(shares, n, expected):
    found = coverage(np.array(shares) / 100, n, score_interval(*samples(n)))
    assert found == pytest.approx(expected, abs=6e-5)  # four decimals printed


def test_coverage_over_many_populations():
    """METHODS 11: n >= 20, 150 populations: lowest at least .935, mean .945 to .960."""
    random = np.random.default_rng(20260101)
    found = []
    for n, count in ((20, 50), (30, 40), (50, 40), (100, 20)):
        intervals = score_interval(*samples(n))
        found += [coverage(random.dirichlet([1, 1, 1]), n, intervals) for _ in range(count)]
    assert min(found) >= 0.935
    assert 0.945 <= np.mean(found) <= 0.960


def test_size_of_the_change_test():
    """METHODS 11: two periods with the same truth differ "significantly" in at most 5.5 % of pairs; exact, n = 30."""
    d, m, p = samples(30)
    low, high = score_interval(d, m, p)
    score = net_score(d, m, p)
    for shares in ([0.2, 0.3, 0.5], [0.35, 0.3, 0.35], [0.05, 0.25, 0.7]):
        chance = multinomial.pmf(np.column_stack([d, m, p]), 30, shares)
        likely = chance > 1e-9
        refused = 0.0
        for i in np.flatnonzero(likely):
            gap = score[i] - score[likely]
            below = gap - np.sqrt((score[i] - low[i]) ** 2 + (high[likely] - score[likely]) ** 2)
            above = gap + np.sqrt((high[i] - score[i]) ** 2 + (score[likely] - low[likely]) ** 2)
            refused += chance[i] * chance[likely][(below > 0) | (above < 0)].sum()
        assert refused <= 0.055
    assert mover(score[5], low[5], high[5], score[9], low[9], high[9])[0] == pytest.approx(
        score[5] - score[9] - np.hypot(score[5] - low[5], high[9] - score[9]))


def test_limits_at_the_edges():
    assert score_interval(0, 0, 20)[1] == 1
    assert score_interval(20, 0, 0)[0] == -1
    low, high = score_interval(0, 20, 0)  # z^2 / (n + z^2) by hand
    assert (float(low), float(high)) == (pytest.approx(-0.161125, abs=1e-6), pytest.approx(0.161125, abs=1e-6))
