"""Who kept silent, afterwards: churn of customers who were asked and did not answer, beside those who did."""

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.change import detectable, difference
from pipeline.measure.clusters import customer_codes
from pipeline.measure.coverage import has_answered
from pipeline.measure.disclosure import Limits
from pipeline.measure.proportions import share

NAMES = ("data.churn_answered", "data.churn_silent", "data.churn_gap")


def churn_claims(periods: pd.DataFrame | None, totals: pd.DataFrame | None, limits: Limits) -> list[Claim]:
    """Share that left in the month after an invitation, of those who answered and of those who did not; difference.

    Months in which a customer was asked, and customers still there afterwards: so that nobody counts as silent for
    having left before being asked. Without dates: churned at all, by whether there is any answer (whole_period).
    Nothing is adjusted: silence and leaving may have one cause.
    """
    rows, reason = _asked_months(periods), "next_month"
    if rows is None:
        rows, reason = _whole_period(totals), "whole_period"
    if rows is None:
        missing = "no_churn" if totals is not None else "no_customer_key"
        return [Claim(NAMES[-1], None, "pp", 0, "", status="not_estimable", reason=missing)]
    codes = pd.Series(customer_codes(rows["customer_id"]), rows.index)
    parts = [rows["answers"], ~rows["answers"]]
    if min(part.sum() for part in parts) < max(limits.suppress_below, 2):
        return [Claim(NAMES[-1], None, "pp", 0, "", status="not_estimable", reason="one_side_empty")]
    scores = [share(rows.loc[part, "left"].to_numpy(float), codes[part].to_numpy(), codes.max() + 1) for part in parts]
    gap, reach = difference(*scores).scaled(100), detectable(*scores) * 100
    return [Claim(name, score.estimate, unit, score.n, method, ci_low=score.low, ci_high=score.high,
                  status=limits.status(score.n), reason=reason, n_in=len(rows),
                  detectable=reach if name == NAMES[-1] else None)
            for name, score, unit, method in zip(NAMES, [*scores, gap], ("share", "share", "pp"),
                                                 ("wilson", "wilson", "wilson_difference"), strict=True)]


def _asked_months(periods: pd.DataFrame | None) -> pd.DataFrame | None:
    """One row per customer and month with an invitation and a known outcome of the next month."""
    if periods is None or not periods["is_churned_next"].notna().any():
        return None
    asked = periods["count_invitations"].fillna(0) > 0
    known = periods["is_at_risk_next"].fillna(False).astype(bool) & periods["is_churned_next"].notna()
    rows = periods[asked & known]
    if rows.empty:
        return None
    return pd.DataFrame({"customer_id": rows["customer_id"], "answers": rows["count_answers"].fillna(0) > 0,
                         "left": rows["is_churned_next"].astype(bool)})


def _whole_period(totals: pd.DataFrame | None) -> pd.DataFrame | None:
    if totals is None or "is_churned" not in totals or not totals["is_churned"].notna().any():
        return None
    rows = totals[totals["is_churned"].notna()]
    return pd.DataFrame({"customer_id": rows["customer_id"], "answers": has_answered(rows),
                         "left": rows["is_churned"].astype(bool)})
