"""One metric by group: level, change and gap of each, and which of them stand out among all that were compared."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.change import detectable, difference, p_value
from pipeline.measure.clusters import Score
from pipeline.measure.disclosure import Limits, hidden_names
from pipeline.measure.levels import figures_of, level_claim
from pipeline.measure.metrics import AFTER_CONTACTS, RELATIONAL, Metric, group_names, named
from pipeline.measure.multiplicity import discoveries, shrunken
from pipeline.measure.periods import Periods, in_window

GROUP_COLUMNS = ["claim_id", "dimension", "segment", "period", "unit", "n", "people", "estimate", "ci_low", "ci_high",
                 "status", "shrunken", "change_unit", "n_before", "change", "change_low", "change_high", "change_p",
                 "gap", "gap_low", "gap_high", "gap_p", "is_change_notable", "is_gap_notable", "comparisons",
                 "detectable", "change_detectable", "gap_detectable", "change_people", "gap_people"]


def by_group(metric: Metric, dimensions: Sequence[str], periods: Periods, limits: Limits) -> pd.DataFrame:
    """One row per group of each breakdown: level, change against the period before, gap to all other known groups.

    A change or gap stands out when its own interval leaves zero out and Benjamini-Hochberg keeps it: over all changes
    of this metric's groups, and apart over all gaps (`comparisons`: both). `shrunken` is the level for rankings.
    people: customers behind n; change_people and gap_people: behind the smaller of the two sides. Hidden groups keep
    their row without any figure.
    """
    tables = [_one_dimension(metric, dimension, periods, limits) for dimension in dimensions
              if dimension in metric.rows_by(dimension) and metric.rows_by(dimension)[dimension].notna().any()]
    tables = [table for table in tables if len(table)]
    if not tables:
        return pd.DataFrame(columns=GROUP_COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    for kind in ("change", "gap"):
        p_values = table[f"{kind}_p"].astype(float)
        table[f"is_{kind}_notable"] = discoveries(p_values, limits.false_discovery_rate) & (p_values < 0.05)
    made = int(table["change_p"].notna().sum() + table["gap_p"].notna().sum())
    return table.assign(comparisons=made)[GROUP_COLUMNS]


def _one_dimension(metric: Metric, dimension: str, periods: Periods, limits: Limits) -> pd.DataFrame:
    offered = metric.rows_by(dimension)
    rows = in_window(offered, periods.now)
    before = in_window(offered, periods.before) if periods.before and metric.has_dates else offered.iloc[:0]
    groups, groups_before = (group_names(part[dimension]) for part in (rows, before))
    counts, counts_before = groups.value_counts().sort_index(), groups_before.value_counts().sort_index()
    unseen = hidden_names(groups, rows["code"], limits.suppress_below)
    unseen_before = hidden_names(groups_before, before["code"], limits.suppress_below)
    known = groups != "unknown"
    found = []
    for name in counts.index:
        row = {"claim_id": metric.claim_id, "dimension": dimension, "segment": f"{dimension}:{name}",
               "unit": metric.unit, "change_unit": metric.change_unit,
               "period": periods.now.label if metric.has_dates else "all"}
        score = None if name in unseen else metric.score(rows[groups == name])
        row |= figures_of(metric, score, limits)
        if score is not None and np.isfinite(score.estimate):
            row["detectable"] = detectable(score)
            if name in counts_before.index and name not in unseen_before:
                earlier = metric.score(before[groups_before == name])
                row |= _difference(metric, score, earlier, "change") | {
                    "n_before": earlier.n, "change_detectable": detectable(score, earlier) * metric.change_factor}
            rest = rows[known & (groups != name)]
            if name != "unknown" and min(len(rest), rest["code"].nunique()) >= limits.suppress_below:
                others = metric.score(rest)
                row |= _difference(metric, score, others, "gap")
                row["gap_detectable"] = detectable(score, others) * metric.change_factor
        found.append(row)
    table = pd.DataFrame(found).reindex(columns=GROUP_COLUMNS)
    whole = ["n", "people", "n_before", "change_people", "gap_people"]
    table[whole] = table[whole].astype("Int64")
    error = ((table["ci_high"] - table["ci_low"]) / 3.92).astype(float)
    usable = error.notna() & (error > 0)
    table["shrunken"] = table["estimate"].astype(float)
    table.loc[usable, "shrunken"] = shrunken(table.loc[usable, "estimate"].astype(float), error[usable])
    return table


def _difference(metric: Metric, first: Score, second: Score, kind: str) -> dict:
    gap = difference(first, second).scaled(metric.change_factor)
    if not np.isfinite([gap.estimate, gap.low, gap.high]).all():
        return {}
    return {kind: gap.estimate, f"{kind}_low": gap.low, f"{kind}_high": gap.high, f"{kind}_p": p_value(gap),
            f"{kind}_people": gap.n_clusters}


def _finite(value: float) -> float | None:
    """The value, or None where it is missing or has no end."""
    return float(value) if pd.notna(value) and np.isfinite(value) else None


def group_claims(table: pd.DataFrame, metric: Metric, limits: Limits,
                 kinds: Sequence[str] = ("change", "gap")) -> list[Claim]:
    """The rows of by_group as claims: level of every group, and of each kind the differences that exist.

    comparisons of a difference: those of its own kind, among which it was judged.
    """
    found, family = [], {kind: int(table[f"{kind}_p"].notna().sum()) for kind in kinds}
    for row in table.itertuples(index=False):
        n = 0 if pd.isna(row.n) else int(row.n)
        score = None if n == 0 else Score(row.estimate, row.ci_low, row.ci_high, n, int(row.people))
        claim = level_claim(metric, score, limits, period=row.period, segment=row.segment, n_in=n)
        if row.dimension == "touchpoint" and claim.reason == metric.reason != "":
            claim = replace(claim, reason=RELATIONAL if row.segment.endswith(":unknown") else AFTER_CONTACTS)
        if score is None:
            claim = Claim(metric.claim_id, None, metric.unit, 0, metric.method, status="suppressed",
                          reason="small_group", segment=row.segment, period=row.period)
        found.append(claim)
        for kind in kinds:
            estimate, notable = getattr(row, kind), getattr(row, f"is_{kind}_notable")
            if pd.isna(estimate):
                continue
            earlier = 0 if kind == "gap" else int(row.n_before)
            least, people = min(n, earlier or n), int(getattr(row, f"{kind}_people"))
            found.append(Claim(
                named(metric.claim_id, kind), estimate, metric.change_unit, n + earlier,
                f"{metric.method}_difference", segment=row.segment, period=row.period,
                ci_low=getattr(row, f"{kind}_low"), ci_high=getattr(row, f"{kind}_high"),
                status=limits.status(least, people), people=people, n_in=n + earlier,
                reason="stands_out" if notable else "", comparisons=family[kind],
                detectable=_finite(getattr(row, f"{kind}_detectable"))))
    return found
