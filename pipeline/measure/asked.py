"""Who could have answered a question in a period: answered or silent, and what was known of them beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipeline.measure.clusters import customer_codes
from pipeline.measure.metrics import group_names
from pipeline.measure.periods import Window, in_window, local_months
from pipeline.measure.present import customers_in, edges
from pipeline.measure.questions import NPS, Question

RECENT_DAYS = 60  # a ticket or an order in that many days before the invitation
POOLED, JOINT = "other", " + "  # levels too small for themselves; between the names of levels that became one
ORDERED = ("third_low", "third_middle", "third_high")
EARLIER = ("had_ticket", "purchases")  # of what came before the answers


@dataclass(frozen=True)
class Asked:
    """rows: one per invitation (or customer), `value` (of the answer, missing when silent), `code`, and the covariates.

    kind: "invitations", or "customers" where only answers were exported. reason: why there is nothing to compare.
    left_out: declared covariate -> why it tells nobody apart: not_in_data, no_instant (nothing says what came before
    the answers), one_level (alike for all), pooled_to_one (levels too small for themselves).
    """

    rows: pd.DataFrame
    covariates: list[str]
    kind: str
    reason: str = ""
    left_out: dict[str, str] = field(default_factory=dict)


def asked_people(surveys: pd.DataFrame | None, tickets: pd.DataFrame | None, sales: pd.DataFrame | None,
                 totals: pd.DataFrame | None, covariates: Sequence[str], window: Window, time_zone: str,
                 caution_below: int, question: Question = NPS) -> Asked:
    """The invitations to the question in the window, answered or not.

    Where only answers were exported: all who were customers in the window (present.customers_in) or answered in it,
    each with the mean of its answers, silent when it gave none; so customers who never answered are known by their
    sales and tickets, as these stood when the window began (known_before). totals: as present.with_relation gives them.
    """
    if surveys is None or not (surveys["instrument"] == question.instrument).any():
        return _none("no_surveys" if surveys is None else "not_asked")
    rows = surveys[surveys["instrument"] == question.instrument].reset_index(drop=True)
    rows = rows.assign(month=local_months(rows["responded_at"].fillna(rows["sent_at"]), time_zone))
    rows = in_window(rows, window)
    rows = _relational(rows, caution_below) if question.instrument == "nps" else rows
    rows = rows.assign(value=pd.Series(question.value(rows["score_up"]), rows.index).where(rows["score_up"].notna()))
    kind = "invitations"
    if rows["value"].notna().all():
        if totals is None or not rows["customer_id"].notna().any():
            return _none("no_customer_key")
        is_dated = rows["month"].notna().any()
        there = customers_in(totals, surveys, tickets, sales, window, time_zone) if is_dated else totals
        is_there = totals["customer_id"].isin(there["customer_id"]) | totals["customer_id"].isin(rows["customer_id"])
        value = rows.groupby("customer_id")["value"].mean()
        begin = edges(window, time_zone)[0] if is_dated else None
        rows = known_before(totals[is_there].reset_index(drop=True), tickets, sales, begin)
        rows, kind = rows.assign(value=rows["customer_id"].map(value).astype(float)), "customers"
    else:
        at = rows["sent_at"].fillna(rows["responded_at"])
        rows = rows.assign(had_ticket=_is_recent(rows, at, tickets, "created_at"),
                           purchases=_is_recent(rows, at, sales, "ordered_at"))
    if min(rows["value"].notna().sum(), rows["value"].isna().sum()) < caution_below:
        return _none("one_side_empty")
    rows = rows.assign(code=customer_codes(rows["customer_id"])).reset_index(drop=True)
    named = {name: _pooled(rows[name], rows["value"].notna(), caution_below) for name in covariates if name in rows}
    used = [name for name, levels in named.items() if levels.nunique() > 1]
    undated = {name for name, table in zip(EARLIER, (tickets, sales), strict=True) if table is not None}
    left_out = {name: _why_left_out(name, rows, undated) for name in covariates if name not in used}
    return Asked(rows.assign(**{name: named[name] for name in used}), used, kind, "" if used else "no_covariates",
                 left_out)


def _why_left_out(name: str, rows: pd.DataFrame, undated: set[str]) -> str:
    """undated: covariates whose table is there, so that nothing but its dates can be missing."""
    if name in rows and rows[name].notna().any():
        return "one_level" if group_names(rows[name]).nunique() == 1 else "pooled_to_one"
    return "no_instant" if name in undated else "not_in_data"


def _none(reason: str) -> Asked:
    return Asked(pd.DataFrame(), [], "", reason)


def _relational(rows: pd.DataFrame, caution_below: int) -> pd.DataFrame:
    """Only the question about the relation where that one is the headline (metrics.relational_only)."""
    is_relational = rows["touchpoint"].isna()
    enough = (is_relational & rows["score_up"].notna()).sum() >= caution_below
    return rows[is_relational] if enough and not is_relational.all() else rows


def known_before(people: pd.DataFrame, tickets: pd.DataFrame | None, sales: pd.DataFrame | None,
                 begin: pd.Timestamp | None) -> pd.DataFrame:
    """people (one row per customer_id) with had_ticket and purchases (third by revenue), by what lies before `begin`.

    The same instant for who answers and who keeps silent, ahead of every answer: what came later may have been caused
    by the answer, or have moved it. A column is left out where nothing dated lies before that instant, or where
    begin is None (answers without dates). Who bought nothing before stands in the lowest third.
    """
    opened, bought = (_until(table, time, begin) for table, time in ((tickets, "created_at"), (sales, "ordered_at")))
    if len(opened):
        people = people.assign(had_ticket=people["customer_id"].isin(opened["customer_id"]))
    if len(bought):
        revenue = people["customer_id"].map(bought.groupby("customer_id")["net_amount"].sum()).astype(float).fillna(0)
        place = revenue.round(2).rank(method="min", pct=True)
        people = people.assign(purchases=np.select([place <= 1 / 3, place <= 2 / 3], ORDERED[:2], ORDERED[2]))
    return people


def _until(events: pd.DataFrame | None, time: str, begin: pd.Timestamp | None) -> pd.DataFrame:
    """The events of known customers before `begin`; none where there is no such instant."""
    if events is None or begin is None:
        return pd.DataFrame()
    return events[events["customer_id"].notna() & (events[time] < begin)]


def _is_recent(rows: pd.DataFrame, at: pd.Series, events: pd.DataFrame | None, time: str) -> pd.Series | None:
    """Per row whether its customer had such an event in the RECENT_DAYS before `at`; None without any events."""
    if events is None or not events[time].notna().any():
        return None
    known = events.loc[events["customer_id"].notna() & events[time].notna(), ["customer_id", time]]
    moments = pd.DataFrame({"customer_id": rows["customer_id"], "at": at}).dropna().sort_values("at", kind="stable")
    last = pd.merge_asof(moments.reset_index(), known.sort_values(time, kind="stable"), left_on="at", right_on=time,
                         by="customer_id", allow_exact_matches=False, tolerance=pd.Timedelta(days=RECENT_DAYS))
    found = set(last.loc[last[time].notna(), "index"])
    return pd.Series(rows.index.isin(found), rows.index)


def _pooled(values: pd.Series, answered: pd.Series, fewest: int) -> pd.Series:
    """Levels as text; those with too few answers or too few silences are pooled, so that none is all one or the other.

    Thirds join a neighbour. Others become POOLED; where that is itself too small, the largest level joins it. A level
    that is more than one says so in its name (JOINT).
    """
    names = group_names(values)
    counts = pd.DataFrame({"yes": answered.groupby(names).sum(), "no": (~answered).groupby(names).sum()})
    few = counts.index[counts.min(axis=1) < fewest // 3]
    if len(few) == 0:
        return names
    if set(counts.index) <= set(ORDERED):
        return names.map(_neighbours(counts, fewest))
    if counts.loc[few].sum().min() >= fewest // 3 or len(few) == len(counts):
        return names.where(~names.isin(few), POOLED)
    largest = counts.drop(index=few).sum(axis=1).idxmax()
    return names.where(~names.isin([*few, largest]), f"{largest}{JOINT}{POOLED}")


def _neighbours(counts: pd.DataFrame, fewest: int) -> dict[str, str]:
    """Third -> the name of the thirds that it became one with: too small a one joins its smaller neighbour, until none
    is too small."""
    groups = [[name] for name in ORDERED if name in counts.index]
    while len(groups) > 1:
        sizes = [counts.loc[names].sum().min() for names in groups]
        place = next((place for place, size in enumerate(sizes) if size < fewest // 3), None)
        if place is None:
            break
        beside = [other for other in (place - 1, place + 1) if 0 <= other < len(groups)]
        low = min(place, min(beside, key=lambda other: sizes[other]))
        groups[low:low + 2] = [groups[low] + groups[low + 1]]
    return {name: JOINT.join(names) for names in groups for name in names}
