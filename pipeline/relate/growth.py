"""Who the growth came from: sales of two equally long spans, by what the customers had answered in the first.

The cohort is that of `retention`: customers through the whole earlier span, those who then left included.
Claims (described): sales.growth.existing_customers (percent), sales.growth.contribution (percentage points of it,
segment answer:<group>), sales.growth.share_of_promoters (share; not estimable where there is no growth to share). Where
one customer makes more than a quarter of the sales of a span, the reason (one_dominates) stands in their place.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.contracts.claims import Claim
from pipeline.measure.disclosure import hidden
from pipeline.relate.estimate import FEW_CUSTOMERS, Estimate, NotEstimable, claim, dominated, no_claim, nothing_sold
from pipeline.relate.retention import Cohort, cohort_of
from pipeline.relate.sample import score_groups
from pipeline.relate.whole import Whole

METHOD = "cohort_growth"
GROUPS = ("promoter", "passive", "detractor", "no_recent_answer")
LARGEST = 0.25  # share of the sales of a span beyond which one customer makes the linearised interval too short
TOTAL, PART, SHARE = "sales.growth.existing_customers", "sales.growth.contribution", "sales.growth.share_of_promoters"


def growth_claims(periods: pd.DataFrame, instrument: str, groups: tuple[float, float],
                  suppress_below: int = 10, whole: Whole | None = None) -> list[Claim]:
    """Growth of the cohort, what each group adds to it (suppressed below suppress_below customers, and where it would
    give such a group away), and the promoters' share. whole: which months are, all without it."""
    cohort = cohort_of(periods, whole)
    if cohort.problem:
        return [_none(TOTAL, cohort.problem, "percent")]
    rows = cohort.rows.assign(group=_answered(periods, cohort, instrument, groups))
    more = {"level": "described", "period": cohort.period}
    if len(rows) < suppress_below:
        return [_none(TOTAL, NotEstimable("few_customers", len(rows), len(rows), "suppressed"), "percent")]
    before, change = (rows[name].to_numpy(float) for name in ("before", "after"))
    change = change - before
    if before.sum() <= 0:
        return [_none(TOTAL, NotEstimable(nothing_sold(before.sum()), len(rows)), "percent")]
    if dominated(before, before + change, most=LARGEST):
        return [_none(TOTAL, NotEstimable("one_dominates", len(rows)), "percent")]
    total = _share(change, before)
    made = [claim(TOTAL, total, "percent", METHOD, **more)]
    unseen = dict(zip(GROUPS, hidden([(rows["group"] == name).sum() for name in GROUPS], suppress_below), strict=True))
    for name in GROUPS:
        inside = (rows["group"] == name).to_numpy()
        if inside.any() and not unseen[name]:
            own = replace(_share(change * inside, before), n_in=int(inside.sum()), n_used=int(inside.sum()))
            made.append(claim(PART, own, "pp", METHOD, segment=f"answer:{name}", comparisons=len(GROUPS),
                              people=own.n_used, **more))
        elif inside.any():
            made.append(no_claim(PART, NotEstimable("small_group", 0, 0, "suppressed"), "pp", METHOD,
                                 segment=f"answer:{name}", comparisons=len(GROUPS), **more))
    promoters = (rows["group"] == "promoter").to_numpy()
    if not promoters.any():
        return [*made, _none(SHARE, NotEstimable("missing_group", len(rows)), "share")]
    if unseen["promoter"]:  # with the growth itself it would tell what they added
        return [*made, _none(SHARE, NotEstimable("small_group", 0, 0, "suppressed"), "share")]
    low, high = fieller(change * promoters, change)
    if total.interval()[0] <= 0 or total.se <= 0 or np.isnan(low):  # a share of nothing, or of a fall, says nothing
        return [*made, _none(SHARE, NotEstimable("no_growth", len(rows)), "share")]
    if len(rows) < FEW_CUSTOMERS:
        return [*made, _none(SHARE, NotEstimable("few_customers", len(rows), len(rows), "not_enough_data"), "share")]
    return [*made, Claim(SHARE, float((change * promoters).sum() / change.sum()), "share", len(rows), METHOD,
                         ci_low=low, ci_high=high, n_in=len(rows), **more)]


def _none(claim_id: str, why: NotEstimable, unit: str) -> Claim:
    return no_claim(claim_id, why, unit, METHOD, level="described")


def fieller(top: np.ndarray, bottom: np.ndarray) -> tuple[float, float]:
    """95 % limits of sum over sum, one row per customer: every ratio r that a t test of top = r x bottom leaves.

    Fieller 1954 (J R Stat Soc B 16:175). A growth may be small for its error, and then the ratio is lopsided: an
    interval about it is too long on one side. nan where the sum of bottom is not told from nothing: then no ratio is.
    """
    n = len(top)
    squared = stats.t.ppf(0.975, max(n - 1, 1)) ** 2
    (of_top, both), (_, of_bottom) = n * np.cov(top, bottom)
    x, y = bottom.sum(), top.sum()
    a, b, c = x**2 - squared * of_bottom, x * y - squared * both, y**2 - squared * of_top
    if a <= 0:
        return float("nan"), float("nan")
    half = np.sqrt(max(b**2 - a * c, 0.0))
    return float((b - half) / a), float((b + half) / a)


def _answered(periods: pd.DataFrame, cohort: Cohort, instrument: str, groups: tuple[float, float]) -> np.ndarray:
    """Group of each cohort customer by the last answer of the earlier span, given in it."""
    names = [f"last_{instrument}", f"age_{instrument}"]
    if any(name not in periods for name in names):
        return np.full(len(cohort.rows), GROUPS[-1], dtype=object)
    turn = pd.Timestamp(cohort.period.partition("/")[0]) - pd.DateOffset(months=1)
    at = periods[pd.DatetimeIndex(periods["period"]) == turn].set_index("customer_id")
    last, age = (pd.to_numeric(at[name], errors="coerce") for name in names)
    group = score_groups(last.where(age < cohort.months), groups)
    return group.reindex(cohort.rows["customer"]).fillna(GROUPS[-1]).to_numpy()


def _share(top: np.ndarray, bottom: np.ndarray) -> Estimate:
    """100 x sum over sum, one row per customer (linearised)."""
    n, value = len(top), 100 * float(top.sum() / bottom.sum())
    return Estimate(value, (100 * top - value * bottom) / bottom.sum(), n, n, n, n / (n - 1))
