"""Time to resolution with open tickets counted: Kaplan-Meier quantiles, restricted mean, the biased closed-only mean.

A ticket that is still open on the last day of the data has lasted at least until then: it is censored, never dropped.
Durations are hours between UTC times, so that the change of clocks adds and takes nothing.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from pipeline.measure.clusters import Score, quantile_95
from pipeline.measure.effort import mean

OPEN = ("open", "pending", "new", "hold")


@dataclass(frozen=True)
class Durations:
    """hours, is_solved, codes: shape (tickets,), one place per ticket; codes say whose ticket it is."""

    hours: np.ndarray
    is_solved: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.hours)

    def where(self, rows: np.ndarray) -> "Durations":
        return Durations(self.hours[rows], self.is_solved[rows], self.codes[rows])


def durations(tickets: pd.DataFrame, end: pd.Timestamp, codes: np.ndarray, until: str = "solved_at") -> Durations:
    """Hours from created_at to `until` (solved_at or first_reply_at), or to `end` for what had not happened by then.

    A ticket solved once, opened again and still open (status says so) is open: only the last solution ends it.
    """
    ended = tickets[until].where(tickets[until] <= end)
    if until == "solved_at":
        ended = ended.where(~tickets["status"].isin(OPEN))
    hours = (ended.fillna(end) - tickets["created_at"]).dt.total_seconds().to_numpy() / 3600
    return Durations(np.maximum(hours, 0.0), ended.notna().to_numpy(), np.asarray(codes))


def quantile(times: Durations, share: float) -> Score:
    """Hours within which `share` of the tickets are solved; nan when so many never were (Kaplan-Meier, cloglog).

    The interval inverts the cloglog test of the survival curve (as SurvfuncRight.quantile_ci does), its standard
    error widened by the design effect of customers with several tickets; a limit beyond the data is nan.
    """
    curve = SurvfuncRight(times.hours, times.is_solved.astype(int))
    estimate = float(curve.quantile(share))
    n_clusters = len(np.unique(times.codes))
    effect = 1.0 if np.isnan(estimate) else _design_effect_at(curve, times, estimate)
    with np.errstate(all="ignore"):
        surviving, error = np.asarray(curve.surv_prob), np.asarray(curve.surv_prob_se) * np.sqrt(effect)
        distance = np.log(-np.log(surviving)) - np.log(-np.log(1 - share))
        distance = distance * surviving * np.abs(np.log(surviving)) / error
        inside = np.flatnonzero(np.abs(distance) <= quantile_95(len(times), n_clusters))
    low = high = float("nan")
    if len(inside):
        low = float(curve.surv_times[inside[0]])
        high = float(curve.surv_times[inside[-1] + 1]) if inside[-1] + 1 < len(curve.surv_times) else float("nan")
    return Score(estimate, low, high, len(times), n_clusters, effect)


def unsolved_share(times: Durations, moments: np.ndarray) -> np.ndarray:
    """Per moment (hours) the share of tickets not solved by then (Kaplan-Meier)."""
    curve = SurvfuncRight(times.hours, times.is_solved.astype(int))
    steps = np.append(1.0, curve.surv_prob)
    return steps[np.searchsorted(np.asarray(curve.surv_times), moments, side="right")]


def _design_effect_at(curve: SurvfuncRight, times: Durations, moment: float) -> float:
    """Variance of the survival at `moment` clustered by customer over Greenwood's, at least 1.

    Each ticket's influence on the cumulative hazard is its martingale residual over the number at risk
    (Williams 1995, Biometrics 51:1103, linearisation).
    """
    before = curve.surv_times <= moment
    at_risk, events = np.asarray(curve.n_risk)[before], np.asarray(curve.n_events)[before]
    steps = np.append(0.0, np.cumsum(events / at_risk**2))
    position = np.searchsorted(np.asarray(curve.surv_times)[before], times.hours, side="right")
    risk_then = np.append(at_risk, np.inf)[np.maximum(position - 1, 0)]
    event = times.is_solved & (times.hours <= moment) & (position > 0)
    residual = np.where(event, 1 / risk_then, 0.0) - steps[position]
    clustered = (np.bincount(times.codes, weights=residual) ** 2).sum()
    plain = (residual**2).sum()
    return max(1.0, float(clustered / plain)) if plain > 0 else 1.0


def restricted_mean(times: Durations, horizon: float) -> Score:
    """Mean hours with each ticket counted for at most `horizon`; Greenwood standard error, interval on the log scale.

    The area under the survival curve up to the horizon (Irwin 1949; variance as in Klein and Moeschberger 4.5.2).
    nan when nobody was watched for so long and tickets were still open.
    """
    curve = SurvfuncRight(times.hours, times.is_solved.astype(int))
    n_clusters = len(np.unique(times.codes))
    if times.hours.max() < horizon and not times.is_solved[times.hours == times.hours.max()].all():
        return Score(float("nan"), float("nan"), float("nan"), len(times), n_clusters)
    inside = np.asarray(curve.surv_times) < horizon
    moments = np.asarray(curve.surv_times)[inside]
    edges = np.concatenate([[0.0], moments, [horizon]])
    areas = np.concatenate([[1.0], np.asarray(curve.surv_prob)[inside]]) * np.diff(edges)
    estimate = float(areas.sum())
    remaining = estimate - np.cumsum(areas)[:-1]
    at_risk, events = np.asarray(curve.n_risk)[inside], np.asarray(curve.n_events)[inside]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(at_risk > events, remaining**2 * events / (at_risk * (at_risk - events)), 0.0)
    effect = _design_effect_at(curve, times, float(min(horizon, times.hours.max())))
    error = quantile_95(len(times), n_clusters) * np.sqrt(terms.sum() * effect)
    width = np.exp(error / estimate) if estimate > 0 else 1.0
    return Score(estimate, float(estimate / width), float(estimate * width), len(times), n_clusters, effect)


def closed_mean(times: Durations) -> Score:
    """Mean hours of solved tickets only, as ticket tools print it: too short while long tickets are still open."""
    closed = times.where(times.is_solved)
    return mean(closed.hours, closed.codes, int(times.codes.max()) + 1 if len(times) else 0)

