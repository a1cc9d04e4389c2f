"""What is measured: each metric with its rows, its unit and its estimator, from linked surveys and tickets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from pipeline.measure.calendar import hours_between, opening_periods
from pipeline.measure.clusters import Score, customer_codes
from pipeline.measure.effort import mean
from pipeline.measure.nps import nps, sides
from pipeline.measure.periods import local_months
from pipeline.measure.proportions import share, top_box
from pipeline.measure.resolution import Durations, durations, quantile

RELATIONAL, AFTER_CONTACTS, BOTH_KINDS = "relational", "after_contacts", "both_kinds"


@dataclass(frozen=True)
class Metric:
    """One thing measured, with the rows it is measured on.

    claim_id: of its level; changes and gaps are named after it. unit: of its level; change_unit and change_factor:
    of differences (shares change in percentage points). rows: one row per answer or ticket, with `month` (missing
    where the export has no dates), `code` (customer) and the breakdowns. score: rows -> Score. contact_rows: the
    rows of single contacts, where `rows` holds only those about the relation as a whole.
    """

    claim_id: str
    unit: str
    method: str
    rows: pd.DataFrame
    score: Callable[[pd.DataFrame], Score]
    change_unit: str = "points"
    change_factor: float = 1.0
    reason: str = ""
    contact_rows: pd.DataFrame | None = None
    is_broken_down: bool = True

    def rows_by(self, dimension: str) -> pd.DataFrame:
        """The rows that a breakdown is made of: those of single contacts where the metric tells them apart."""
        return self.contact_rows if dimension == "touchpoint" and self.contact_rows is not None else self.rows

    @property
    def has_dates(self) -> bool:
        return bool(self.rows["month"].notna().any())


def named(claim_id: str, ending: str) -> str:
    """The claim id of a change or gap: experience.nps_change, experience.top_share_change.loyalty."""
    family, name, *rest = claim_id.split(".")
    return ".".join([family, f"{name}_{ending}", *rest])


def answered(surveys: pd.DataFrame | None, time_zone: str) -> pd.DataFrame:
    """One row per answer: those with a score, with `month` of the answer and customer `code`; none without surveys."""
    if surveys is None:
        return pd.DataFrame(columns=["instrument", "score_up", "month", "code", "touchpoint", "customer_id"])
    rows = surveys[surveys["score_up"].notna()].reset_index(drop=True)
    month = local_months(rows["responded_at"].fillna(rows["sent_at"]), time_zone)
    return rows.assign(month=month, code=customer_codes(rows["customer_id"]))


def survey_metrics(answers: pd.DataFrame, top_boxes: dict[str, float]) -> list[Metric]:
    """NPS; every other instrument as a mean, and as a share of satisfied answers where its top box is declared.

    Instruments are never pooled.
    """
    found = []
    for instrument in sorted(answers["instrument"].unique(), key=lambda name: (name != "nps", name != "csat", name)):
        rows = answers[answers["instrument"] == instrument]
        if instrument == "nps":
            found.append(_nps_metric(rows))
            continue
        name = "experience.ces" if instrument == "ces" else f"experience.mean.{instrument}"
        ends = {"lowest": float(rows["scale_min"].min()), "highest": float(rows["scale_max"].max())}
        average = Metric(name, "points", "mean_t", rows.assign(value=rows["score_up"]),
                         _estimator(partial(mean, **ends), rows))
        if instrument in top_boxes:
            name = {"csat": "experience.csat", "ces": "experience.ces_easy_share"}.get(
                instrument, f"experience.top_share.{instrument}")
            rows = rows.assign(value=top_box(rows["score_up"], top_boxes[instrument]))
            found.append(Metric(name, "share", "wilson", rows, _estimator(share, rows), "pp", 100.0))
        found.append(average)
    return found


def _nps_metric(rows: pd.DataFrame) -> Metric:
    rows = rows.assign(value=sides(rows["score_up"]))
    in_points = _estimator(nps, rows, 100.0)
    return Metric("experience.nps", "points", "nps_score", rows, in_points)


def _estimator(estimate: Callable[..., Score], all_rows: pd.DataFrame,
               factor: float = 1.0) -> Callable[[pd.DataFrame], Score]:
    n_codes = int(all_rows["code"].max()) + 1

    def score(rows: pd.DataFrame) -> Score:
        return estimate(rows["value"].to_numpy(float), rows["code"].to_numpy(), n_codes).scaled(factor)

    return score


def relational_only(metric: Metric, inside: pd.Series, caution_below: int) -> Metric:
    """NPS of the relation where it is asked beside NPS after single contacts, and answered often enough.

    The two answer different questions and are not pooled; the other stands under its touchpoints. Where there are too
    few of the relation, all answers count, and the reason says of which kinds they are.
    """
    if metric.claim_id != "experience.nps":
        return metric
    relational = metric.rows["touchpoint"].isna()
    if relational.all():
        return metric
    if (relational & inside).sum() < caution_below:
        return replace(metric, reason=BOTH_KINDS if (relational & inside).any() else AFTER_CONTACTS)
    return replace(metric, rows=metric.rows[relational], contact_rows=metric.rows[~relational], reason=RELATIONAL)


def timed_tickets(tickets: pd.DataFrame | None, end: pd.Timestamp, time_zone: str,
                  calendar: dict | None = None) -> pd.DataFrame:
    """One row per ticket created by `end`: hours to the solution (or to `end`), is_solved, reply_hours, is_replied, and
    wait_hours, in which the company had to act (so far; missing where the tool does not say).

    With a calendar of opening hours also business_hours and business_reply_hours, between the same two moments.
    None without tickets or where none says when it was created.
    """
    if tickets is None:
        return pd.DataFrame(columns=["month", "code", "hours", "is_solved", "reply_hours", "is_replied",
                                     "wait_hours"])
    rows = tickets[tickets["created_at"].notna() & (tickets["created_at"] <= end)].reset_index(drop=True)
    codes = customer_codes(rows["customer_id"])
    solved, replied = (durations(rows, end, codes, until) for until in ("solved_at", "first_reply_at"))
    if calendar and len(rows):
        opening = opening_periods(calendar, rows["created_at"].min(), end, time_zone)
        moments = {"business_hours": (solved, "solved_at"), "business_reply_hours": (replied, "first_reply_at")}
        rows = rows.assign(**{name: np.maximum(hours_between(
            opening, rows["created_at"], rows[until].where(times.is_solved).fillna(end)), 0.0)
            for name, (times, until) in moments.items()})
    waited = rows["requester_wait_minutes"] / 60 if "requester_wait_minutes" in rows else np.nan
    return rows.assign(code=codes, month=local_months(rows["created_at"], time_zone), hours=solved.hours,
                       is_solved=solved.is_solved, reply_hours=replied.hours, is_replied=replied.is_solved,
                       wait_hours=waited)


def as_durations(rows: pd.DataFrame, reply: bool = False, business: bool = False) -> Durations:
    """The durations of timed tickets: to the solution, or to the first reply; by the clock, or in opening hours."""
    hours, ended = ("reply_hours", "is_replied") if reply else ("hours", "is_solved")
    hours = f"business_{hours}" if business else hours
    return Durations(rows[hours].to_numpy(float), rows[ended].to_numpy(bool), rows["code"].to_numpy())


def ticket_metrics(timed: pd.DataFrame) -> list[Metric]:
    """Kaplan-Meier median and P90 of the time to resolution; the median time to the first reply and the median wait of
    the requester where the tool exports them.

    An open ticket has waited for at least what it has waited so far.
    """
    if timed.empty:
        return []
    method = "kaplan_meier"
    found = [Metric("experience.ttr_median_hours", "hours", method, timed,
                    lambda rows: quantile(as_durations(rows), 0.5), "hours"),
             Metric("experience.ttr_p90_hours", "hours", method, timed,
                    lambda rows: quantile(as_durations(rows), 0.9), "hours",
                    is_broken_down=False)]
    if timed["first_reply_at"].notna().any():
        found.append(Metric("experience.first_reply_median_hours", "hours", method, timed,
                            lambda rows: quantile(as_durations(rows, reply=True), 0.5), "hours",
                            is_broken_down=False))
    if timed["wait_hours"].notna().any():
        found.append(Metric("experience.requester_wait_median_hours", "hours", method,
                            timed[timed["wait_hours"].notna()], _median_wait, "hours", is_broken_down=False))
    return found + (_business_metrics(timed) if "business_hours" in timed else [])


def _median_wait(rows: pd.DataFrame) -> Score:
    return quantile(Durations(rows["wait_hours"].to_numpy(float), rows["is_solved"].to_numpy(bool),
                              rows["code"].to_numpy()), 0.5)


def _business_metrics(timed: pd.DataFrame) -> list[Metric]:
    """The same three in opening hours; the median is broken down as by the clock."""
    kinds = {"ttr_business_median": (0.5, False), "ttr_business_p90": (0.9, False)}
    if timed["first_reply_at"].notna().any():
        kinds["first_reply_business_median"] = (0.5, True)
    return [Metric(f"experience.{name}", "office_hours", "kaplan_meier_business", timed,
                   lambda rows, share=share, reply=reply: quantile(as_durations(rows, reply, business=True), share),
                   "office_hours", is_broken_down=name == "ttr_business_median")
            for name, (share, reply) in kinds.items()]


def group_names(values: pd.Series) -> pd.Series:
    """The values of a breakdown as text: kept and broken for promises, true, false, unknown, or themselves."""
    names = values.map(_as_text, na_action=None).astype("str")
    return names.replace({"true": "kept", "false": "broken"}) if values.name == "is_promise_kept" else names


def _as_text(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "unknown"
    return str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)
