"""What the ticket tool would say and what is so: closed-only mean, restricted mean, open tickets, side by side."""

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.change import detectable
from pipeline.measure.clusters import Score
from pipeline.measure.disclosure import Limits
from pipeline.measure.metrics import as_durations
from pipeline.measure.periods import Periods, in_window
from pipeline.measure.proportions import share
from pipeline.measure.resolution import closed_mean, quantile, restricted_mean, unsolved_share

HORIZON_HOURS = 720.0  # 30 days: longer tickets count as 30 days in the restricted mean


def ticket_claims(timed: pd.DataFrame, periods: Periods, limits: Limits) -> list[Claim]:
    """Three claims of the headline period: closed-only mean, restricted mean (30 days) and share still open.

    The closed-only mean is `naive` while a ticket of the period is open, and the plain mean once all are solved.
    Without any ticket there is no claim (see absent.py).
    """
    if timed.empty:
        return []
    rows = in_window(timed, periods.now)
    status, n = limits.status(len(rows), rows["code"].nunique()), len(rows)
    common = {"period": periods.now.label, "n_in": n}
    if status in ("not_estimable", "suppressed"):
        reason = "no_answers" if status == "not_estimable" else "small_group"
        return [Claim(claim_id, None, unit, 0, "", status=status, reason=reason, period=periods.now.label)
                for claim_id, unit in (("experience.ttr_mean_closed_hours", "hours"),
                                       ("experience.ttr_restricted_mean_hours", "hours"),
                                       ("experience.tickets_open_share", "share"))]
    times = as_durations(rows)
    closed, limited = (closed_mean(times) if times.is_solved.any() else None), restricted_mean(times, HORIZON_HOURS)
    is_open = share((~times.is_solved).astype(float), times.codes, int(times.codes.max()) + 1)
    all_closed = bool(times.is_solved.all())
    found = [
        _claim("experience.ttr_mean_closed_hours", closed, "hours", "mean_t", limits,
               naive=not all_closed, reason="all_closed" if all_closed else "closed_only", **common),
        _claim("experience.ttr_restricted_mean_hours", limited, "hours", "restricted_mean", limits,
               reason="horizon_30_days", **common),
        _claim("experience.tickets_open_share", is_open, "share", "wilson", limits, **common)]
    return found


def _claim(claim_id, score, unit, method, limits, *, naive=False, reason="", **common) -> Claim:
    if score is None or np.isnan(score.estimate):
        return Claim(claim_id, None, unit, 0, method, status="not_estimable", reason="not_reached", **common)
    finite = np.isfinite([score.low, score.high]).all()
    return Claim(claim_id, score.estimate, unit, score.n, method, ci_low=score.low if finite else None,
                 ci_high=score.high if finite else None, status=limits.status(score.n, score.n_clusters),
                 naive=naive, reason=reason, detectable=detectable(score) if finite else None, people=score.n_clusters,
                 **common)


def reconciliation(timed: pd.DataFrame, periods: Periods, limits: Limits) -> pd.DataFrame:
    """One row per way to sum up the same tickets: measure, n, estimate and its limits, unit, `apart` from the first.

    Explains the figure of a ticket tool (mean_closed, the first row): it leaves out what is still open, is drawn up by
    the few longest, lets a reopened ticket last until its last solution, and counts by the clock or by a calendar.
    """
    columns = ["measure", "n", "unit", "estimate", "ci_low", "ci_high", "apart"]
    rows = in_window(timed, periods.now)
    if limits.status(len(rows), rows["code"].nunique()) in ("not_estimable", "suppressed"):
        return pd.DataFrame(columns=columns)
    times = as_durations(rows)
    closed = times.where(times.is_solved)
    ways = {"median_with_open": quantile(times, 0.5), "p90_with_open": quantile(times, 0.9),
            "restricted_mean": restricted_mean(times, HORIZON_HOURS)}
    if len(closed):
        ways = {"mean_closed": closed_mean(times)} | _never_reopened(rows, limits) | {
            "median_closed": quantile(closed, 0.5)} | ways
    office = _in_office_hours(rows) if "business_hours" in rows else {}
    tool = ways["mean_closed"].estimate if "mean_closed" in ways else np.nan
    return pd.DataFrame([(name, way.n, "hours", way.estimate, way.low, way.high, way.estimate - tool)
                         for name, way in ways.items()]
                        + [(name, way.n, "office_hours", way.estimate, way.low, way.high, np.nan)
                           for name, way in office.items()], columns=columns)


def _never_reopened(rows: pd.DataFrame, limits: Limits) -> dict[str, Score]:
    """The closed-only mean without the tickets that were opened again, where the export says which."""
    if "reopened" not in rows or not rows["reopened"].notna().any():
        return {}
    was_reopened = rows["reopened"].fillna(0) != 0
    kept, again = rows[~was_reopened & rows["is_solved"]], rows[was_reopened & rows["is_solved"]]
    if min(part["code"].nunique() for part in (kept, again)) < limits.suppress_below:
        return {}
    return {"mean_closed_never_reopened": closed_mean(as_durations(kept))}


def _in_office_hours(rows: pd.DataFrame) -> dict[str, Score]:
    """Median and P90 in opening hours, open tickets included, and the closed-only mean of the same."""
    times = as_durations(rows, business=True)
    ways = {"business_median_with_open": quantile(times, 0.5), "business_p90_with_open": quantile(times, 0.9)}
    return ({"business_mean_closed": closed_mean(times)} if times.is_solved.any() else {}) | ways


def survival_curve(timed: pd.DataFrame, periods: Periods, limits: Limits, points: int = 120) -> pd.DataFrame:
    """Share of tickets still unsolved after so many hours (Kaplan-Meier), on a grid fine enough to draw."""
    columns = ["hours", "unsolved_share"]
    rows = in_window(timed, periods.now)
    if limits.status(len(rows), rows["code"].nunique()) in ("not_estimable", "suppressed"):
        return pd.DataFrame(columns=columns)
    times = as_durations(rows)
    grid = np.concatenate([[0.0], np.geomspace(0.25, HORIZON_HOURS, points)])
    grid = grid[grid <= times.hours.max()]
    return pd.DataFrame({"hours": grid, "unsolved_share": unsolved_share(times, grid)})
