"""Who kept silent, afterwards: churn and spending of customers who were asked and did not answer, beside those who did.

Both look at months in which a customer was asked, and at the month after. Over a whole period whoever stays longer is
asked more often, so answers more often and spends more: that would be time, not silence.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.change import detectable, difference
from pipeline.measure.clusters import Score, customer_codes
from pipeline.measure.coverage import has_answered
from pipeline.measure.disclosure import Limits
from pipeline.measure.effort import mean
from pipeline.measure.proportions import share

NAMES = ("data.churn_answered", "data.churn_silent", "data.churn_gap")
SPEND = ("data.revenue_answered", "data.revenue_silent", "data.revenue_gap")


def churn_claims(periods: pd.DataFrame | None, totals: pd.DataFrame | None, limits: Limits) -> list[Claim]:
    """Share that left in the month after an invitation, of those who answered and of those who did not; difference.

    Months in which a customer was asked, and customers still there afterwards: so that nobody counts as silent for
    having left before being asked. Where only answers were exported: every month in which the customer was there, with
    an answer and without (months_there). Without dates: churned at all, by whether there is any answer (whole_period);
    so too with dates, where nobody who answered can be followed to the next month (too_short). Nothing is adjusted:
    silence and leaving may have one cause.
    """
    rows, reason = _followed(periods, totals, "is_churned")
    if rows is None:
        return [_none(NAMES[-1], "pp", _missing(totals, "is_churned", "no_churn"))]
    return _both_sides(rows, NAMES, share, ("share", "share", "pp"), "wilson", 100.0, reason, limits)


def spend_claims(periods: pd.DataFrame | None, totals: pd.DataFrame | None, currency: str,
                 limits: Limits) -> list[Claim]:
    """Mean sales to a customer in the month after an invitation, answered and not; difference. Clustered by customer.

    A month without an order counts zero. months_there as above; without dates, or too_short: sales per customer over
    all of the data. Nothing is adjusted. Where one side is missing there is only the claim of the difference, which
    says why.
    """
    rows, reason = _followed(periods, totals, "revenue")
    if rows is None:
        return [_none(SPEND[-1], currency, _missing(totals, "revenue", "no_sales"))]
    return _both_sides(rows, SPEND, mean, (currency,) * 3, "mean_t", 1.0, reason, limits)


def _followed(periods: pd.DataFrame | None, totals: pd.DataFrame | None,
              outcome: str) -> tuple[pd.DataFrame | None, str]:
    """customer_id, answers and value (what followed), of the first kind of rows that the data hold; and which kind."""
    rows, reason = _asked_months(periods, f"{outcome}_next"), "next_month"
    if rows is None or rows["answers"].all():
        rows, reason = _asked_months(periods, f"{outcome}_next", everybody=True), "months_there"
    if rows is None or not rows["answers"].any():
        rows, reason = _whole_period(totals, outcome), "too_short" if _is_dated(periods, outcome) else "whole_period"
    return rows, reason


def _is_dated(periods: pd.DataFrame | None, outcome: str) -> bool:
    """Whether answers and outcome have dates, in data that end before the month after those who answered."""
    if not _holds(periods, "count_answers") or not (periods["count_answers"] > 0).any():
        return False
    if outcome in periods and not _holds(periods, outcome):
        return False
    return not periods["is_at_risk_next"].fillna(False).any() or _holds(periods, f"{outcome}_next")


def _missing(totals: pd.DataFrame | None, outcome: str, without: str) -> str:
    """Why there are no rows to compare: no customer key, the outcome is not known (`without`), or no surveys."""
    return "no_customer_key" if totals is None else "no_surveys" if _holds(totals, outcome) else without


def _both_sides(rows: pd.DataFrame, names: tuple[str, ...], estimate, units: tuple[str, ...], method: str,
                factor: float, reason: str, limits: Limits) -> list[Claim]:
    """Claims of those who answered, of the silent and of the gap; a side without spread has no interval, the gap then
    no figure."""
    parts = [rows["answers"], ~rows["answers"]]
    codes = customer_codes(rows["customer_id"])
    if min(len(np.unique(codes[part])) for part in parts) < max(limits.suppress_below, 2):
        return [_none(names[-1], units[-1], "one_side_empty")]
    scores = [estimate(rows.loc[part, "value"].to_numpy(float), codes[part], codes.max() + 1) for part in parts]
    made = [_claim(name, score, unit, method, reason, len(rows), limits)
            for name, score, unit in zip(names, scores, units, strict=False)]
    gap = difference(*scores).scaled(factor)
    if not np.isfinite([gap.low, gap.high]).all():
        return [*made, _none(names[-1], units[-1], "alike_values")]
    more = {"detectable": detectable(*scores) * factor}
    both = replace(gap, n=sum(score.n for score in scores))  # all rows are used; the people are those of the fewer side
    return [*made, _claim(names[-1], both, units[-1], f"{method}_difference", reason, len(rows), limits, **more)]


def _claim(name: str, score: Score, unit: str, method: str, reason: str, n_in: int, limits: Limits, **more) -> Claim:
    low, high = (score.low, score.high) if np.isfinite([score.low, score.high]).all() else (None, None)
    return Claim(name, score.estimate, unit, score.n, method, ci_low=low, ci_high=high,
                 status=limits.status(score.n_clusters), reason=reason, n_in=n_in, people=score.n_clusters, **more)


def _none(name: str, unit: str, reason: str) -> Claim:
    return Claim(name, None, unit, 0, "", status="not_estimable", reason=reason)


def _holds(table: pd.DataFrame | None, column: str) -> bool:
    return table is not None and column in table and bool(table[column].notna().any())


def _asked_months(periods: pd.DataFrame | None, outcome: str, everybody: bool = False) -> pd.DataFrame | None:
    """One row per customer and month with an invitation (or every month) and a known outcome of the next month."""
    if not _holds(periods, outcome):
        return None
    asked = everybody | (pd.to_numeric(periods["count_invitations"]).fillna(0) > 0)
    known = periods["is_at_risk_next"].fillna(False).astype(bool) & periods[outcome].notna()
    rows = periods[asked & known]
    if rows.empty:
        return None
    return pd.DataFrame({"customer_id": rows["customer_id"], "answers": rows["count_answers"].fillna(0) > 0,
                         "value": rows[outcome].astype(float)})


def _whole_period(totals: pd.DataFrame | None, outcome: str) -> pd.DataFrame | None:
    """One row per customer: its outcome, and whether it ever answered; sales of nothing are zero."""
    if not _holds(totals, outcome) or not _holds(totals, "count_answers"):
        return None
    value = totals[outcome].fillna(0) if outcome == "revenue" else totals[outcome]
    rows = totals[value.notna()]
    return pd.DataFrame({"customer_id": rows["customer_id"], "answers": has_answered(rows),
                         "value": value[value.notna()].astype(float)})
