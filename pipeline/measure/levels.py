"""One metric over all customers: its level, its change against the period before, and its months."""

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.change import detectable, difference
from pipeline.measure.clusters import Score, correlation
from pipeline.measure.disclosure import Limits, hidden_names
from pipeline.measure.metrics import Metric, named
from pipeline.measure.nps import answers_needed
from pipeline.measure.periods import Periods, in_window

TO_SEE = (5, 10)  # points of NPS
MONTH_TYPES = {"claim_id": "str", "period": "str", "unit": "str", "n": "Int64", "people": "Int64", "estimate": "float",
               "ci_low": "float", "ci_high": "float", "status": "str"}


def headline_claims(metric: Metric, periods: Periods, limits: Limits) -> list[Claim]:
    """Two claims over all customers: the level, and its change against the period before."""
    rows = in_window(metric.rows, periods.now)
    period = periods.now.label if metric.has_dates else "all"
    now = metric.score(rows) if len(rows) else None
    level = level_claim(metric, now, limits, period=period, n_in=len(rows))
    return [level, _change_claim(metric, now, periods, limits, period)]


def needed_claims(metric: Metric, periods: Periods, limits: Limits) -> list[Claim]:
    """How many answers a period would need for a change of NPS by 5, by 10 points to be seen (segment points:<n>).

    From today's shares, times the design effect of customers who answer repeatedly, less what customers of both periods
    have in common, as the change's own interval; none where the score itself is not shown, or all answers are alike. Of
    NPS alone.
    """
    rows = in_window(metric.rows, periods.now)
    score = metric.score(rows) if metric.claim_id == "experience.nps" and len(rows) else None
    if score is None or limits.status(score.n, score.n_clusters) != "ok":
        return []
    detractors, promoters = (float((rows["value"] == side).mean()) for side in (-1, 1))
    earlier = in_window(metric.rows, periods.before) if metric.has_dates and periods.before else rows.iloc[:0]
    apart = score.design_effect * (1 - correlation(score, metric.score(earlier)) if len(earlier) else 1.0)
    needed = [answers_needed(points / 100, detractors, promoters) * apart for points in TO_SEE]
    return [Claim("experience.nps_answers_needed", float(np.ceil(count)), "count", score.n, "normal_power",
                  segment=f"points:{points}", period=periods.now.label if metric.has_dates else "all", n_in=len(rows),
                  people=score.n_clusters) for points, count in zip(TO_SEE, needed, strict=True) if count > 0]


def level_claim(metric: Metric, score: Score | None, limits: Limits, *, period: str, segment: str = "all",
                n_in: int = 0) -> Claim:
    """One claim from one score; without a score, or with too few answers, the status says why."""
    common = dict(claim_id=metric.claim_id, unit=metric.unit, method=metric.method, period=period, segment=segment)
    status = limits.status(score.n, score.n_clusters) if score else "not_estimable"
    if score is None or status == "not_estimable":
        return Claim(**common, estimate=None, n_used=0, status="not_estimable", reason="no_answers")
    if status == "suppressed":
        return Claim(**common, estimate=None, n_used=0, status=status, reason="small_group")
    if np.isnan(score.estimate):
        return Claim(**common, estimate=None, n_used=score.n, n_in=n_in, status="not_estimable", reason="not_reached")
    low, high = _limits_of(score)
    reach = detectable(score) if low is not None else None
    return Claim(**common, estimate=score.estimate, ci_low=low, ci_high=high, n_used=score.n, n_in=n_in,
                 status=status, reason=metric.reason, detectable=reach, people=score.n_clusters)


def _limits_of(score: Score) -> tuple[float | None, float | None]:
    both = np.isfinite(score.low) and np.isfinite(score.high)
    return (float(score.low), float(score.high)) if both else (None, None)


def _change_claim(metric: Metric, now: Score | None, periods: Periods, limits: Limits, period: str) -> Claim:
    common = dict(claim_id=named(metric.claim_id, "change"), unit=metric.change_unit, period=period,
                  method=f"{metric.method}_difference")
    reason = "no_dates" if not metric.has_dates else "" if periods.before else "no_earlier_period"
    if reason or now is None:
        return Claim(**common, estimate=None, n_used=0, status="not_estimable", reason=reason or "no_answers")
    rows = in_window(metric.rows, periods.before)
    before = metric.score(rows) if len(rows) else None
    n = min(now.n, before.n) if before else 0
    status = limits.status(n, min(now.n_clusters, before.n_clusters) if before else 0)
    if before is None or status in ("suppressed", "not_estimable"):
        return Claim(**common, estimate=None, n_used=0, status="not_estimable", reason="few_before")
    gap = difference(now, before).scaled(metric.change_factor)
    low, high = _limits_of(gap)
    if np.isnan(gap.estimate) or low is None:
        # a finite median without either limit: no time lies inside, so many cases ended at one and the same
        is_tied = any(np.isfinite(part.estimate) and np.isnan([part.low, part.high]).all() for part in (now, before))
        return Claim(**common, estimate=None, n_used=now.n + before.n, n_in=now.n + len(rows), status="not_estimable",
                     reason="alike_times" if is_tied and np.isfinite(gap.estimate) else "not_reached")
    return Claim(**common, estimate=gap.estimate, ci_low=low, ci_high=high, n_used=now.n + before.n, status=status,
                 n_in=now.n + len(rows), detectable=detectable(now, before) * metric.change_factor,
                 people=min(now.n_clusters, before.n_clusters))


def by_month(metric: Metric, limits: Limits) -> pd.DataFrame:
    """One row per month of the metric: period, n, people (customers in n), estimate, interval, status; empty without
    dates."""
    dated = metric.rows[metric.rows["month"].notna()]
    unseen = hidden_names(dated["month"], dated["code"], limits.suppress_below)
    found = []
    for month, rows in metric.rows.groupby("month", sort=True):
        score = None if month in unseen else metric.score(rows)
        named_so = {"claim_id": metric.claim_id, "period": month, "unit": metric.unit}
        found.append(named_so | figures_of(metric, score, limits))
    return pd.DataFrame(found, columns=[*MONTH_TYPES]).astype(MONTH_TYPES)


def figures_of(metric: Metric, score: Score | None, limits: Limits) -> dict:
    if score is None:
        return {"n": pd.NA, "people": pd.NA, "estimate": np.nan, "ci_low": np.nan, "ci_high": np.nan,
                "status": "suppressed"}
    status = limits.status(score.n, score.n_clusters) if np.isfinite(score.estimate) else "not_estimable"
    return {"n": score.n, "people": score.n_clusters, "estimate": score.estimate, "ci_low": score.low,
            "ci_high": score.high, "status": status}
