"""Estimates that keep each customer's share in their own error, and the claims made of them.

Every estimator of this room returns coefficients with an influence row per customer, so that any
combination of them (a conversion value, the difference of two models) has its interval from one sum of squares.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from pipeline.contracts.claims import Claim, Level
from pipeline.measure.proportions import wilson

FEW_CUSTOMERS = 10


class NotEstimable(Exception):
    """Data that cannot give this number; `reason` is the machine word that the page explains.

    reasons: what is missing (no_panel, no_scores, no_next_sales, no_sale_dates, no_ids, not_contractual, ...) or what
    the data cannot tell apart (no_overlap, one_customer, one_month, constant_score, missing_group, collinear,
    separation, one_class, no_leavers, no_outcome, net_returns, no_revenue, no_repeat_answers, few_customers,
    few_events, one_dominates, window_too_long).
    readable_on: of status too_early, the day (YYYY-MM-DD) from which data that go on as they are tell the number.
    """

    def __init__(self, reason: str, n_in: int = 0, n_used: int = 0,
                 status: Literal["not_estimable", "not_enough_data", "too_early", "suppressed"] = "not_estimable",
                 readable_on: str = ""):
        self.reason, self.n_in, self.n_used, self.status = reason, int(n_in), int(n_used), status
        self.readable_on = readable_on
        super().__init__(reason)


def too_early(reason: str, last_month: int, n_in: int = 0, n_used: int = 0) -> NotEstimable:
    """That only time is missing: readable once last_month (year * 12 + month - 1) is over."""
    year, month = divmod(int(last_month) + 1, 12)
    return NotEstimable(reason, n_in, n_used, "too_early", f"{year}-{month + 1:02d}-01")


def month_later(why: NotEstimable) -> NotEstimable:
    """The same, readable a month later where it is too_early; else as it is."""
    if why.status != "too_early":
        return why
    year, month = map(int, why.readable_on.split("-")[:2])
    return too_early(why.reason, year * 12 + month - 1, why.n_in, why.n_used)


@dataclass(frozen=True)
class Estimate:
    """One number and the influence of each customer on it.

    value: float. influence: (customers,), 0 for customers that were not used; the estimate's error is about
    their sum. factor: small-sample factor of the variance. n_in, n_used: rows. clusters: customers used.
    freedom: degrees of freedom, where they are not clusters - 1.
    """

    value: float
    influence: np.ndarray
    n_in: int
    n_used: int
    clusters: int
    factor: float = 1.0
    freedom: float | None = None

    @property
    def degrees(self) -> float:
        """Of freedom of the error, at least one."""
        return max(self.clusters - 1 if self.freedom is None else self.freedom, 1)

    @property
    def se(self) -> float:
        """Cluster-robust standard error by customer."""
        return float(np.sqrt(self.factor * np.sum(self.influence**2)))

    def interval(self) -> tuple[float, float]:
        """95 % interval, t with the error's degrees of freedom."""
        half = stats.t.ppf(0.975, self.degrees) * self.se
        return self.value - half, self.value + half

    def share_interval(self) -> tuple[float, float]:
        """95 % interval of a share: Wilson's score interval on the effective sample p (1 - p) / se², Student's t for z
        (Korn and Graubard, Survey Methodology 1998, 24:193; Dean and Pagano, Journal of Survey Statistics and
        Methodology 2015, 3:484). Where few do it, a symmetric interval misses too often on the upper side. Rows count
        as independent where nobody or everybody does, for then nothing is known of the error.
        """
        p, z = self.value, float(stats.t.ppf(0.975, self.degrees))
        alone = self.se == 0 or not 0 < p < 1
        n = self.n_used if alone else p * (1 - p) / self.se**2
        return tuple(float(limit) for limit in wilson(p * n, n, z))

    def p_value(self) -> float:
        return float(2 * stats.t.sf(abs(self.value) / self.se, self.degrees))

    def detectable(self) -> float:
        """Smallest effect shown with 80 % power at this standard error, by Student's t as the interval is: with few
        clusters the normal's 2.80 errors are too few."""
        return float(stats.t.ppf(0.975, self.degrees) + stats.t.ppf(0.80, self.degrees)) * self.se


def nothing_sold(total: float) -> str:
    """Why sales of this total are no base to compare with: net_returns where refunds outweigh them, else no_revenue."""
    return "net_returns" if total < 0 else "no_revenue"


def dominated(*sums: np.ndarray, most: float) -> bool:
    """Whether one customer makes more than the share `most` of one of these sums, refunds counted by their size.

    sums: (customers,) each. A sum of nothing is nobody's.
    """
    sizes = [np.abs(part) for part in sums]
    return any(size.max(initial=0.0) > most * size.sum() for size in sizes if size.sum() > 0)


def combine(value: float, parts: list[tuple[float, Estimate]], like: Estimate) -> Estimate:
    """`value`, whose derivative by each estimate is the weight given; influences add customer by customer."""
    influence = sum(weight * part.influence for weight, part in parts)
    return Estimate(value, influence, like.n_in, like.n_used, like.clusters, like.factor)


def claim(claim_id: str, estimate: Estimate, unit: str, method: str, *, level: Level = "associated",
          transform: Literal["identity", "percent", "ratio"] = "identity", **more) -> Claim:
    """The claim of an estimate; `percent` and `ratio` read it as a log ratio (the interval is turned, not its error).

    Fewer than FEW_CUSTOMERS customers: not_enough_data without a number. people: customers, where they are not the
    estimate's clusters.
    """
    more.setdefault("people", estimate.clusters)
    if not np.isfinite(estimate.se) or estimate.clusters < FEW_CUSTOMERS:
        return no_claim(claim_id, NotEstimable("few_customers", estimate.n_in, estimate.n_used, "not_enough_data"),
                        unit, method, level=level, **more)
    turn = {"identity": lambda x: x, "percent": lambda x: 100 * np.expm1(x), "ratio": np.exp}[transform]
    low, high = estimate.interval()
    values = [float(turn(v)) for v in (estimate.value, low, high)]
    if not np.all(np.isfinite(values)):
        return no_claim(claim_id, NotEstimable("separation", estimate.n_in, estimate.n_used), unit, method,
                        level=level, **more)
    detectable = None if level == "described" else float(turn(estimate.detectable()))
    return Claim(claim_id, values[0], unit, estimate.n_used, method, level, ci_low=values[1], ci_high=values[2],
                 n_in=estimate.n_in, detectable=detectable, **more)


def no_claim(claim_id: str, why: NotEstimable, unit: str, method: str, *, level: Level = "associated",
             **more) -> Claim:
    """The claim that says why there is no number; never a coefficient. level: the one that the number would have had,
    but an effect is none without it."""
    more = {k: v for k, v in more.items() if k not in ("reason", "status")}
    return Claim(claim_id, None, unit, why.n_used, method, "associated" if level == "effect" else level, why.status,
                 n_in=why.n_in, reason=why.reason, readable_on=why.readable_on, **more)
