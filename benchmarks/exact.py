"""Exact coverage of the NPS interval: every sample of n answers, weighed by its chance, for 150 populations."""

import math

import numpy as np
from scipy.special import gammaln

from benchmarks.gates import Verdict
from pipeline.measure.nps import score_interval

POPULATIONS = ((20, 50), (30, 40), (50, 40), (100, 20))  # answers, populations
SEED = 20260101
LOWEST, MEAN = 0.935, (0.945, 0.960)


def coverages() -> list[float]:
    """Coverage of each population, shares drawn evenly over all that there are."""
    random, found = np.random.default_rng(SEED), []
    for n, count in POPULATIONS:
        d, p = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
        possible = d + p <= n
        d, p = d[possible], p[possible]
        counts = np.column_stack([d, n - d - p, p])
        ways = math.lgamma(n + 1) - gammaln(counts + 1).sum(axis=1)
        low, high = score_interval(*counts.T)
        for _ in range(count):
            shares = random.dirichlet([1, 1, 1])
            chance = np.exp(ways + counts @ np.log(shares))
            truth = shares[2] - shares[0]
            found.append(float(chance[(low - 1e-12 <= truth) & (truth <= high + 1e-12)].sum()))
    return found


def verdict() -> Verdict:
    """Lowest and mean coverage against their limits."""
    found = coverages()
    mean, lowest = float(np.mean(found)), min(found)
    gate = f"lowest >= {LOWEST}; {MEAN[0]} <= mean <= {MEAN[1]}"
    return Verdict("experience.nps", "all", "nps_score", "every sample", "enumeration", ["nps_exact"], len(found), 0,
                   len(found), mean, None, None, None, "planted", lowest, None, None, None, *MEAN, gate,
                   lowest >= LOWEST and MEAN[0] <= mean <= MEAN[1], False)
