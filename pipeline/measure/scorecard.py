"""The scorecard: every metric in the headline period, against the one before, by month and by breakdown, as claims."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.breakdown import GROUP_COLUMNS, by_group, group_claims
from pipeline.measure.disclosure import Limits
from pipeline.measure.levels import MONTH_TYPES, by_month, headline_claims, needed_claims
from pipeline.measure.metrics import Metric, named, relational_only
from pipeline.measure.periods import Periods, in_window

PAGE_COLUMNS = ["dimension", "segment", "n", "estimate", "ci_low", "ci_high", "shrunken", "change", "change_low",
                "change_high", "gap", "gap_low", "gap_high", "is_gap_notable", "is_change_notable", "status"]


@dataclass(frozen=True)
class Scorecard:
    """claims in the order of the metrics; by_month: one row per metric and month; by_group: per metric and group."""

    claims: list[Claim]
    by_month: pd.DataFrame
    by_group: pd.DataFrame


def score_all(metrics: Sequence[Metric], dimensions: Sequence[str], periods: Periods, limits: Limits) -> Scorecard:
    """Every metric: level and change over all customers, by month, and by breakdown."""
    claims, months, groups = [], [], []
    for offered in metrics:
        inside = pd.Series(offered.rows.index.isin(in_window(offered.rows, periods.now).index), offered.rows.index)
        metric = relational_only(offered, inside, limits.caution_below)
        claims += headline_claims(metric, periods, limits) + needed_claims(metric, periods, limits)
        months.append(by_month(metric, limits))
        table = by_group(metric, dimensions if metric.is_broken_down else (), periods, limits)
        claims += group_claims(table, metric, limits)
        if len(table):
            made = int(table["comparisons"].iloc[0])
            told = {"n_used": int(table["n"].sum()), "method": "benjamini_hochberg", "comparisons": made,
                    "period": periods.now.label if metric.has_dates else "all"}
            claims.append(Claim(named(metric.claim_id, "comparisons"), float(made), "count", **told))
            if made:
                rate = limits.false_discovery_rate
                claims.append(Claim(named(metric.claim_id, "false_alarms"), rate, "share", **told))
        groups.append(table)
    return Scorecard(claims, _stacked(months, [*MONTH_TYPES]), _stacked(groups, GROUP_COLUMNS))


def short_name(claim_id: str) -> str:
    """experience.nps as nps, experience.mean.effort as mean_effort: the name of a table."""
    return "_".join(claim_id.split(".")[1:])


def page_tables(card: Scorecard) -> dict[str, pd.DataFrame]:
    """What the pages draw: per metric months_NAME and groups_NAME, the latter with a first row for all customers."""
    tables = {f"months_{short_name(name)}": table.drop(columns=["claim_id"]).reset_index(drop=True)
              for name, table in card.by_month.groupby("claim_id", sort=True)}
    for name, table in card.by_group.groupby("claim_id", sort=True):
        level = next(claim for claim in card.claims if claim.claim_id == name and claim.segment == "all")
        change = next((claim for claim in card.claims if claim.claim_id == named(name, "change")
                       and claim.segment == "all"), None)
        total = {"dimension": "all", "segment": "all", "n": level.n_used, "estimate": level.estimate,
                 "ci_low": level.ci_low, "ci_high": level.ci_high, "status": level.status, "shrunken": level.estimate,
                 "change": change.estimate if change else None, "change_low": change.ci_low if change else None,
                 "change_high": change.ci_high if change else None, "is_gap_notable": False, "is_change_notable": False}
        unknown = table["segment"].str.endswith(":unknown")
        ranked = table.assign(last=unknown).sort_values(["dimension", "last", "shrunken", "segment"],
                                                        ascending=[True, True, False, True])
        whole = pd.concat([pd.DataFrame([total]), ranked], ignore_index=True)[PAGE_COLUMNS]
        numbers = [c for c in PAGE_COLUMNS if c not in ("dimension", "segment", "status", "n")]
        tables[f"groups_{short_name(name)}"] = whole.astype(
            {"n": "Int64"} | {c: "bool" if c.startswith("is_") else "float" for c in numbers})
    return tables


def _stacked(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)
