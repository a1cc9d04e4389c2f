"""How much of last year's customers and of their sales is still there: NRR, GRR, logo churn.

Two spans of equal length (a year, or half of the data) of whole months end with the last whole one. The cohort are the
customers who were there through the whole earlier span; new ones play no part, and who leaves counts with sales of
zero.
net: their sales of the later span over those of the earlier. gross: the same, no customer counted above their own
earlier sales. logo: share of them who left. Orders come and go where nobody subscribes: gross retention then falls
short of 100 % without anybody leaving, as the page says.

Claims, segment all and segment:<name>: churn.retention.net, churn.retention.gross (share), churn.retention.logo_churn.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from pipeline.contracts.claims import Claim
from pipeline.relate.estimate import (
    FEW_CUSTOMERS,
    Estimate,
    NotEstimable,
    claim,
    dominated,
    no_claim,
    nothing_sold,
    too_early,
)
from pipeline.relate.whole import Whole, month_numbers, within

METHOD = "cohort_ratio"
IDS = ("churn.retention.net", "churn.retention.gross", "churn.retention.logo_churn")
LARGEST = 0.5  # share of a sum beyond which one customer is most of it, and leaving each out in turn tells too short
LONGEST, SHORTEST = 12, 3  # months of a span


@dataclass(frozen=True)
class Cohort:
    """rows: one per customer of the cohort: segment, before, after (sales of the spans), gone. months: of a span.

    period: the later span. problem: why there is none.
    """

    rows: pd.DataFrame
    months: int
    period: str
    problem: NotEstimable | None = None


def cohort_of(periods: pd.DataFrame, whole: Whole | None = None) -> Cohort:
    """The cohort from customer_periods; needs sales, and months that make two spans of at least a quarter.

    whole: which months are; without it all of them. A month cut short is in neither span.
    """
    nothing = pd.DataFrame(columns=["before", "after", "gone"])
    if periods.empty or "revenue" not in periods or not periods["revenue"].notna().any():
        return Cohort(nothing, 0, "all", NotEstimable("no_sales_by_customer", len(periods)))
    offered, periods = periods, within(periods, whole)
    month, sold = month_numbers(periods["period"]), periods["revenue"].notna().to_numpy()
    if not sold.any():
        return Cohort(nothing, 0, "all", _one_cut_month(offered, whole))
    first, last = int(month[sold].min()), int(month[sold].max())
    span = min(LONGEST, (last - first + 1) // 2)
    if span < SHORTEST:
        return Cohort(nothing, span, "all", too_early("few_months", first + 2 * SHORTEST - 1, len(periods)))
    code, names = pd.factorize(periods["customer_id"], sort=True)
    spent = pd.to_numeric(periods["revenue"], errors="coerce").fillna(0.0).to_numpy(float)
    active = periods["is_active"].fillna(False).to_numpy(bool)
    start, turn = last - 2 * span + 1, last - span + 1
    here = [np.bincount(code[active & (month == at)], minlength=len(names)) > 0 for at in (start, turn)]
    cohort = here[0] & here[1]
    spans = {"before": (month >= start) & (month < turn), "after": month >= turn}
    rows = pd.DataFrame({part: np.bincount(code[where], spent[where], minlength=len(names))[cohort]
                         for part, where in spans.items()}, index=pd.Index(names[cohort], name="customer"))
    rows["gone"] = _gone(periods, code, month, (turn, last), len(names))[cohort]
    if "segment" in periods:
        rows["segment"] = periods.drop_duplicates("customer_id").set_index("customer_id")["segment"].reindex(rows.index)
    label = "/".join(f"{at // 12}-{at % 12 + 1:02d}" for at in (turn, last))
    return Cohort(rows.reset_index(), span, label, None if len(rows) else NotEstimable("no_cohort", len(periods)))


def _one_cut_month(periods: pd.DataFrame, whole: Whole) -> NotEstimable:
    """Too early where no month with sales is whole yet."""
    month = month_numbers(periods["period"])[periods["revenue"].notna().to_numpy()]
    return too_early("few_months", max(int(month.min()), whole.first) + 2 * SHORTEST - 1, len(periods))


def _gone(periods: pd.DataFrame, code: np.ndarray, month: np.ndarray, span: tuple[int, int], customers: int
          ) -> np.ndarray:
    """(customers,) who left in the later span (missing where leaving has no date)."""
    if "is_churned_next" not in periods or not periods["is_churned_next"].notna().any():
        return np.full(customers, np.nan)
    leaves = periods["is_churned_next"].eq(True).fillna(False).to_numpy(bool) & (month + 1 >= span[0])
    leaves &= month + 1 <= span[1]
    return (np.bincount(code[leaves], minlength=customers) > 0).astype(float)


def retention_claims(cohort: Cohort, target_segments: list[str], suppress_below: int = 10) -> list[Claim]:
    """NRR, GRR and logo churn of the cohort and of each target segment, described."""
    if cohort.problem:
        return [no_claim(name, cohort.problem, "share", METHOD, level="described") for name in IDS]
    made = _three(cohort, cohort.rows, "all", 1, suppress_below)
    if "segment" in cohort.rows:
        for name in target_segments:
            made += _three(cohort, cohort.rows[cohort.rows["segment"] == name], f"segment:{name}",
                           len(target_segments), suppress_below)
    return made


def _three(cohort: Cohort, rows: pd.DataFrame, segment: str, comparisons: int, suppress_below: int) -> list[Claim]:
    more = {"segment": segment, "period": cohort.period, "comparisons": comparisons, "level": "described"}
    if len(rows) < suppress_below:
        nameless = segment != "all" and not cohort.rows["segment"].notna().any()
        why = NotEstimable("no_segments" if nameless else "few_customers", len(rows), len(rows),
                           "suppressed" if len(rows) else "not_estimable")
        return [no_claim(name, why, "share", METHOD, **more) for name in IDS]
    before, after, gone = (rows[name].to_numpy(float) for name in ("before", "after", "gone"))
    made = []
    for name, kept in zip(IDS, (after, np.minimum(after, before)), strict=False):
        if before.sum() <= 0:
            made.append(no_claim(name, NotEstimable(nothing_sold(before.sum()), len(rows)), "share", METHOD, **more))
        elif dominated(before, kept, most=LARGEST):
            made.append(no_claim(name, NotEstimable("one_dominates", len(rows)), "share", METHOD, **more))
        else:
            one = _ratio(kept, before)
            made.append(_bounded(name, one, more) if name == IDS[1] and 0 < one.value < 1 else
                        claim(name, one, "share", METHOD, **more))
    if np.isnan(gone).any():
        return [*made, no_claim(IDS[2], NotEstimable("not_contractual", len(rows)), "share", "share_wilson", **more)]
    low, high = proportion_confint(gone.sum(), len(rows), method="wilson")
    return [*made, Claim(IDS[2], float(gone.mean()), "share", len(rows), "share_wilson", ci_low=max(float(low), 0.0),
                         ci_high=float(high), n_in=len(rows), **more)]


def _ratio(top: np.ndarray, bottom: np.ndarray) -> Estimate:
    """Sum over sum, one row per customer; its influence is what leaving that customer out changes (jackknife)."""
    n, value = len(top), float(top.sum() / bottom.sum())
    rest = np.maximum(bottom.sum() - bottom, 1e-9 * bottom.sum())
    return Estimate(value, (top - value * bottom) / rest, n, n, n, (n - 1) / n)


def _bounded(name: str, one: Estimate, more: dict) -> Claim:
    """The claim of a share between 0 and 1, its interval made on the logit and turned back.

    The fewer leave, the smaller the error that goes with the estimate: about the share itself the interval of a small
    segment is too short just where the estimate is too high.
    """
    if one.clusters < FEW_CUSTOMERS:
        return claim(name, one, "share", METHOD, **more)
    slope = one.value * (1 - one.value)
    centre = float(np.log(one.value / (1 - one.value)))
    low, high = Estimate(centre, one.influence / slope, one.n_in, one.n_used, one.clusters, one.factor).interval()
    return Claim(name, one.value, "share", one.n_used, METHOD, ci_low=float(1 / (1 + np.exp(-low))),
                 ci_high=float(1 / (1 + np.exp(-high))), n_in=one.n_in, **more)
