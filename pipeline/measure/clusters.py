"""Answers of one customer are not independent: clustered variance, design effect, and the Score that carries them."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

Z95 = float(stats.norm.ppf(0.975))
Z80 = float(stats.norm.ppf(0.80))


@dataclass(frozen=True)
class Score:
    """One estimate with its 95 % interval.

    estimate, low, high: in the estimator's own unit; nan where there is none. n: answers. n_clusters: customers.
    design_effect: variance against that of as many independent answers, at least 1.
    influence: shape (customers,), what each customer adds to the estimate's error; empty when not known.
    """

    estimate: float
    low: float
    high: float
    n: int
    n_clusters: int
    design_effect: float = 1.0
    influence: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)

    @property
    def standard_error(self) -> float:
        """Half of the interval over 1.96: also right where the plain variance is zero (all answers alike)."""
        return (self.high - self.low) / (2 * Z95)

    def scaled(self, factor: float) -> "Score":
        """The same score in another unit (for instance shares as points)."""
        return Score(self.estimate * factor, self.low * factor, self.high * factor, self.n, self.n_clusters,
                     self.design_effect, self.influence * factor)


def customer_codes(customers: pd.Series) -> np.ndarray:
    """One whole number per row, the same for the same customer; every anonymous row is a customer of its own."""
    codes, known = pd.factorize(customers, sort=True)
    anonymous = codes < 0
    codes[anonymous] = len(known) + np.arange(anonymous.sum())
    return codes


def influence(values: np.ndarray, codes: np.ndarray, n_codes: int) -> np.ndarray:
    """Per customer, the sum of (value - mean) / n: its sum of squares is the clustered variance of the mean."""
    if len(values) == 0:
        return np.zeros(n_codes)
    return np.bincount(codes, weights=values - values.mean(), minlength=n_codes) / len(values)


def clustered_variance(values: np.ndarray, codes: np.ndarray, n_codes: int) -> float:
    """Variance of the mean, clustered by customer, with the factor G/(G-1) (Liang and Zeger 1986); nan for one."""
    n_clusters = len(np.unique(codes))
    if n_clusters < 2:
        return float("nan")
    return float((influence(values, codes, n_codes) ** 2).sum() * n_clusters / (n_clusters - 1))


def design_effect(values: np.ndarray, codes: np.ndarray, n_codes: int) -> float:
    """Clustered variance over that of independent answers (Kish 1965); 1 when every customer answered once.

    Never below 1: a smaller figure is noise of few repeat customers, and would shorten the interval.
    Where all answers are alike the variance cannot tell, and each customer counts once.
    """
    n, n_clusters = len(values), len(np.unique(codes))
    if n_clusters == n or n_clusters < 2:
        return 1.0 if n_clusters == n else float(n)
    simple = values.var() / n
    if simple <= 1e-15:
        return n / n_clusters
    return max(1.0, clustered_variance(values, codes, n_codes) / simple)


def quantile_95(n: int, n_clusters: int) -> float:
    """1.96, or Student's t with customers - 1 degrees of freedom where customers repeat."""
    if n_clusters == n:
        return Z95
    return float(stats.t.ppf(0.975, max(n_clusters - 1, 1)))


def correlation(first: Score, second: Score) -> float:
    """How far two scores move together because the same customers stand behind both; 0 when not known."""
    if len(first.influence) == 0 or len(first.influence) != len(second.influence):
        return 0.0
    size = np.sqrt((first.influence**2).sum() * (second.influence**2).sum())
    if size <= 1e-300:
        return 0.0
    return float(np.clip(first.influence @ second.influence / size, -0.99, 0.99))
