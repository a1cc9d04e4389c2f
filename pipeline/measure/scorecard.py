"""The scorecard: every metric in the headline period, against the one before, by month and by breakdown, as claims."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.change import detectable, difference, p_value
from pipeline.measure.clusters import Score
from pipeline.measure.disclosure import hidden
from pipeline.measure.metrics import Metric, as_group_name, relational_only
from pipeline.measure.multiplicity import discoveries, shrunken
from pipeline.measure.periods import Window, last_windows

MONTH_TYPES = {"claim_id": "str", "period": "str", "unit": "str", "n": "Int64", "estimate": "float", "ci_low": "float",
               "ci_high": "float", "status": "str"}
GROUP_COLUMNS = ["claim_id", "dimension", "segment", "period", "unit", "n", "estimate", "ci_low", "ci_high", "status",
                 "shrunken", "change_unit", "n_before", "change", "change_low", "change_high", "change_p", "gap",
                 "gap_low", "gap_high", "gap_p", "is_change_notable", "is_gap_notable", "comparisons", "detectable",
                 "change_detectable"]


@dataclass(frozen=True)
class Limits:
    """Fewer than suppress_below are not shown, fewer than caution_below carry a warning; false discoveries are held."""

    suppress_below: int = 10
    caution_below: int = 30
    false_discovery_rate: float = 0.10

    def status(self, n: int) -> str:
        if n == 0:
            return "not_estimable"
        return "suppressed" if n < self.suppress_below else "not_enough_data" if n < self.caution_below else "ok"


@dataclass(frozen=True)
class Scorecard:
    """claims in the order of the metrics; by_month: one row per metric and month; by_group: per metric and group."""

    claims: list[Claim]
    by_month: pd.DataFrame
    by_group: pd.DataFrame


@dataclass(frozen=True)
class Periods:
    """The headline period and the one before; `before` is None when the data do not reach back over all of it."""

    now: Window
    before: Window | None


def choose_periods(first_day: str, last_day: str, months: int) -> Periods:
    """The last `months` months of the data and those before; no earlier period unless the data cover all of it."""
    now, before = last_windows(last_day, months)
    return Periods(now, before if first_day[:7] <= before.first else None)


def score_all(metrics: Sequence[Metric], dimensions: Sequence[str], periods: Periods, limits: Limits) -> Scorecard:
    """Every metric: level and change over all customers, by month, and by breakdown."""
    claims, months, groups = [], [], []
    for offered in metrics:
        inside = pd.Series(offered.rows.index.isin(in_window(offered.rows, periods.now).index), offered.rows.index)
        metric = relational_only(offered, inside, limits.caution_below)
        claims += headline_claims(metric, periods, limits)
        months.append(by_month(metric, limits))
        table = by_group(metric, dimensions if metric.is_broken_down else (), periods, limits)
        claims += group_claims(table, metric, limits)
        groups.append(table)
    return Scorecard(claims, _stacked(months, [*MONTH_TYPES]), _stacked(groups, GROUP_COLUMNS))


def _stacked(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def in_window(rows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The rows of the period; all rows where the export has no dates."""
    return rows[window.holds(rows["month"])] if rows["month"].notna().any() else rows


def headline_claims(metric: Metric, periods: Periods, limits: Limits) -> list[Claim]:
    """Two claims over all customers: the level, and its change against the period before."""
    rows = in_window(metric.rows, periods.now)
    period = periods.now.label if metric.has_dates else "all"
    now = metric.score(rows) if len(rows) else None
    level = level_claim(metric, now, limits, period=period, n_in=len(rows))
    return [level, _change_claim(metric, now, periods, limits, period)]


def level_claim(metric: Metric, score: Score | None, limits: Limits, *, period: str, segment: str = "all",
                n_in: int = 0) -> Claim:
    """One claim from one score; without a score, or with too few answers, the status says why."""
    common = dict(claim_id=metric.claim_id, unit=metric.unit, method=metric.method, period=period, segment=segment)
    status = limits.status(score.n if score else 0)
    if score is None or status == "not_estimable":
        return Claim(**common, estimate=None, n_used=0, status="not_estimable", reason="no_answers")
    if status == "suppressed":
        return Claim(**common, estimate=None, n_used=0, status=status, reason="small_group")
    if np.isnan(score.estimate):
        return Claim(**common, estimate=None, n_used=score.n, n_in=n_in, status="not_estimable", reason="not_reached")
    low, high = _limits_of(score)
    reach = detectable(score) if low is not None else None
    return Claim(**common, estimate=score.estimate, ci_low=low, ci_high=high, n_used=score.n, n_in=n_in,
                 status=status, reason=metric.reason, detectable=reach)


def _limits_of(score: Score) -> tuple[float | None, float | None]:
    both = np.isfinite(score.low) and np.isfinite(score.high)
    return (float(score.low), float(score.high)) if both else (None, None)


def _change_claim(metric: Metric, now: Score | None, periods: Periods, limits: Limits, period: str) -> Claim:
    common = dict(claim_id=metric.named("change"), unit=metric.change_unit, period=period,
                  method=f"{metric.method}; difference by MOVER")
    reason = "no_dates" if not metric.has_dates else "" if periods.before else "no_earlier_period"
    if reason or now is None:
        return Claim(**common, estimate=None, n_used=0, status="not_estimable", reason=reason or "no_answers")
    rows = in_window(metric.rows, periods.before)
    before = metric.score(rows) if len(rows) else None
    n = min(now.n, before.n) if before else 0
    status = limits.status(n)
    if before is None or status in ("suppressed", "not_estimable"):
        return Claim(**common, estimate=None, n_used=0, status="not_estimable", reason="few_before")
    gap = difference(now, before).scaled(metric.change_factor)
    low, high = _limits_of(gap)
    if np.isnan(gap.estimate) or low is None:
        return Claim(**common, estimate=None, n_used=now.n + before.n, status="not_estimable", reason="not_reached")
    return Claim(**common, estimate=gap.estimate, ci_low=low, ci_high=high, n_used=now.n + before.n, status=status,
                 detectable=detectable(now, before) * metric.change_factor)


def by_month(metric: Metric, limits: Limits) -> pd.DataFrame:
    """One row per month of the metric: period, n, estimate, interval, status; empty without dates."""
    counts = metric.rows["month"].value_counts().sort_index()
    unseen = dict(zip(counts.index, hidden(counts.to_numpy(), limits.suppress_below), strict=True))
    found = []
    for month, rows in metric.rows.groupby("month", sort=True):
        score = None if unseen[month] else metric.score(rows)
        found.append(_row(metric, score, limits) | {"claim_id": metric.claim_id, "period": month, "unit": metric.unit})
    return pd.DataFrame(found, columns=[*MONTH_TYPES]).astype(MONTH_TYPES)


def _row(metric: Metric, score: Score | None, limits: Limits) -> dict:
    if score is None:
        return {"n": pd.NA, "estimate": np.nan, "ci_low": np.nan, "ci_high": np.nan, "status": "suppressed"}
    status = limits.status(score.n) if np.isfinite(score.estimate) else "not_estimable"
    return {"n": score.n, "estimate": score.estimate, "ci_low": score.low, "ci_high": score.high, "status": status}


def by_group(metric: Metric, dimensions: Sequence[str], periods: Periods, limits: Limits) -> pd.DataFrame:
    """One row per group of each breakdown: level, change against the period before, gap to all other known groups.

    Which changes and gaps stand out is decided by Benjamini-Hochberg over all of this metric's groups (`comparisons`
    of each). `shrunken` is the level for rankings. Hidden groups keep their row without any figure.
    """
    tables = [_one_dimension(metric, dimension, periods, limits) for dimension in dimensions
              if dimension in metric.rows_by(dimension) and metric.rows_by(dimension)[dimension].notna().any()]
    tables = [table for table in tables if len(table)]
    if not tables:
        return pd.DataFrame(columns=GROUP_COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    for kind in ("change", "gap"):
        table[f"is_{kind}_notable"] = discoveries(table[f"{kind}_p"], limits.false_discovery_rate)
    made = int(table["change_p"].notna().sum() + table["gap_p"].notna().sum())
    return table.assign(comparisons=made)[GROUP_COLUMNS]


def _one_dimension(metric: Metric, dimension: str, periods: Periods, limits: Limits) -> pd.DataFrame:
    offered = metric.rows_by(dimension)
    rows = in_window(offered, periods.now)
    before = in_window(offered, periods.before) if periods.before and metric.has_dates else offered.iloc[:0]
    groups, groups_before = (part[dimension].map(as_group_name, na_action=None) for part in (rows, before))
    counts, counts_before = groups.value_counts().sort_index(), groups_before.value_counts().sort_index()
    unseen = set(counts.index[hidden(counts.to_numpy(), limits.suppress_below)])
    unseen_before = set(counts_before.index[hidden(counts_before.to_numpy(), limits.suppress_below)])
    known = groups != "unknown"
    found = []
    for name in counts.index:
        row = {"claim_id": metric.claim_id, "dimension": dimension, "segment": f"{dimension}:{name}",
               "unit": metric.unit, "change_unit": metric.change_unit,
               "period": periods.now.label if metric.has_dates else "all"}
        score = None if name in unseen else metric.score(rows[groups == name])
        row |= _row(metric, score, limits)
        if score is not None and np.isfinite(score.estimate):
            row["detectable"] = detectable(score)
            if name in counts_before.index and name not in unseen_before:
                earlier = metric.score(before[groups_before == name])
                row |= _difference(metric, score, earlier, "change") | {
                    "n_before": earlier.n, "change_detectable": detectable(score, earlier) * metric.change_factor}
            rest = rows[known & (groups != name)]
            if name != "unknown" and len(rest) >= limits.suppress_below:
                row |= _difference(metric, score, metric.score(rest), "gap")
        found.append(row)
    table = pd.DataFrame(found).reindex(columns=GROUP_COLUMNS)
    table[["n", "n_before"]] = table[["n", "n_before"]].astype("Int64")
    error = ((table["ci_high"] - table["ci_low"]) / 3.92).astype(float)
    usable = error.notna() & (error > 0)
    table["shrunken"] = table["estimate"].astype(float)
    table.loc[usable, "shrunken"] = shrunken(table.loc[usable, "estimate"].astype(float), error[usable])
    return table


def _difference(metric: Metric, first: Score, second: Score, kind: str) -> dict:
    gap = difference(first, second).scaled(metric.change_factor)
    if not np.isfinite([gap.estimate, gap.low, gap.high]).all():
        return {}
    return {kind: gap.estimate, f"{kind}_low": gap.low, f"{kind}_high": gap.high, f"{kind}_p": p_value(gap)}


def group_claims(table: pd.DataFrame, metric: Metric, limits: Limits) -> list[Claim]:
    """The rows of by_group as claims: level of every group, and change and gap of those where they exist."""
    found = []
    for row in table.itertuples(index=False):
        n = 0 if pd.isna(row.n) else int(row.n)
        score = None if n == 0 else Score(row.estimate, row.ci_low, row.ci_high, n, n)
        claim = level_claim(metric, score, limits, period=row.period, segment=row.segment, n_in=n)
        if score is None:
            claim = Claim(metric.claim_id, None, metric.unit, 0, metric.method, status="suppressed",
                          reason="small_group", segment=row.segment, period=row.period)
        found.append(claim)
        for kind, notable in (("change", row.is_change_notable), ("gap", row.is_gap_notable)):
            estimate = getattr(row, kind)
            if pd.isna(estimate):
                continue
            least = n if kind == "gap" else min(n, int(row.n_before))
            found.append(Claim(
                metric.named(kind), estimate, metric.change_unit, n if kind == "gap" else n + int(row.n_before),
                f"{metric.method}; difference by MOVER", segment=row.segment, period=row.period,
                ci_low=getattr(row, f"{kind}_low"), ci_high=getattr(row, f"{kind}_high"), status=limits.status(least),
                reason="stands_out" if notable else "", comparisons=int(row.comparisons),
                detectable=row.change_detectable if kind == "change" else None))
    return found
