"""The months of a stretch of people side by side in arrays: what was known by the end of each, what came after.

A person's months stand one below the other without a gap, so that a flow finds its row by subtraction, what is carried
forward is a running maximum and the following month is the next row: no sort, no join, no window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.link.engine import MINOR
from pipeline.link.window import Window

Arrays = dict[str, np.ndarray]
SOURCE_OF = {"count_invitations": "surveys", "count_answers": "surveys", "count_tickets": "tickets",
             "count_complaints": "tickets", "count_orders": "sales", "count_returns": "sales",
             "revenue": "sales", "margin": "sales",
             "count_referrals": "referrals"}  # 0, not missing, in a month that its export covers
MONEY = ("revenue", "margin")
FOLLOWED = ("revenue", "count_orders", "margin")  # each with its following month as _next
FLOW_SIGNS = ("count_invitations", "count_answers", "count_tickets", "count_solved", "count_orders")


@dataclass(frozen=True)
class Stretch:
    """People (arrays, one entry each; months as float64, NaN unknown) and the rows of their months: whose row it is
    (place among the people), which month, where a person's rows begin."""

    place: np.ndarray  # of each row of the roster among the people, -1 for whom nothing places in time
    acquired: np.ndarray
    ended: np.ndarray
    began: np.ndarray
    is_listed: np.ndarray
    is_dated: np.ndarray
    first: np.ndarray
    start: np.ndarray
    who: np.ndarray
    month: np.ndarray
    unknown: np.ndarray  # a column that is missing in every row


def stretch_of(roster: pa.Table, flows: Sequence[pa.Table], window: Window) -> Stretch:
    """The stretch of a roster (one row per person, numbered without a gap) and of what happened to these people.

    A person's months run from acquisition (first event when unknown), not before the data begin, to the end of the
    contract or of the data, and in any case over every event.
    """
    seen_first, seen_last = _seen(roster, flows)
    told, ended, began = (numbers(roster[name]) for name in ("acquired", "ended", "began"))
    acquired = np.where(np.isnan(told), seen_first, told)
    chosen = ~np.isnan(acquired)
    first = np.maximum(np.fmin(acquired, seen_first), window.first)[chosen].astype("int64")
    last = np.fmax(np.fmin(ended, window.last), seen_last)[chosen].astype("int64")
    length = np.maximum(last - first + 1, 0)
    start = np.cumsum(length) - length
    who = np.repeat(np.arange(len(length), dtype="int32"), length)
    return Stretch(place=np.where(chosen, np.cumsum(chosen) - 1, -1), acquired=acquired[chosen], ended=ended[chosen],
                   began=began[chosen], is_listed=roster["is_listed"].to_numpy().astype(bool)[chosen],
                   is_dated=~np.isnan(told)[chosen], first=first, start=start, who=who,
                   month=np.arange(length.sum()) + np.repeat(first - start, length),
                   unknown=np.full(length.sum(), np.nan))


def _seen(roster: pa.Table, flows: Sequence[pa.Table]) -> tuple[np.ndarray, np.ndarray]:
    """First and last month in which something happened to each person, NaN for nothing."""
    first, last = np.full(len(roster), np.inf), np.full(len(roster), -np.inf)
    for flow in flows:
        person, month = (_whole(flow[name]) for name in ("person", "month"))
        np.minimum.at(first, person, month.astype("float64"))
        np.maximum.at(last, person, month.astype("float64"))
    return np.where(np.isinf(first), np.nan, first), np.where(np.isinf(last), np.nan, last)


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """float64 with NaN for missing."""
    return column.to_numpy(zero_copy_only=False).astype("float64")


def _whole(column: pa.ChunkedArray) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False).astype("int64")


def spread(stretch: Stretch, flows: Sequence[pa.Table]) -> Arrays:
    """Every column of the flows (tables by person, its row in the roster, and month) as an array over the rows of the
    stretch, NaN where nothing happened."""
    found: Arrays = {}
    for flow in flows:
        place = stretch.place[_whole(flow["person"])]
        at = stretch.start[place] + _whole(flow["month"]) - stretch.first[place]
        for name in flow.column_names:
            if name not in ("person", "month"):
                found[name] = np.full(len(stretch.who), np.nan)
                found[name][at] = numbers(flow[name])
    return found


def panel_columns(stretch: Stretch, flows: Arrays, window: Window, instruments: Sequence[str],
                  contractual: bool) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """Which rows belong to the panel, and its columns over all rows: float64 with NaN, flags as bool;
    is_churned_next as float64 (1, 0, NaN)."""
    month, who = stretch.month, stretch.who
    acquired, ended, began = stretch.acquired[who], stretch.ended[who], stretch.began[who]
    known = [~np.isnan(flows[name]) for name in FLOW_SIGNS if name in flows]
    happened = np.logical_or.reduce(known) if known else np.zeros(len(month), dtype=bool)
    tenure, since = month - acquired, month - began
    active = (tenure >= 0) & ~(ended < month)
    filled = _filled(stretch, flows, window)
    made: dict[str, np.ndarray] = {
        "tenure_months": np.where(stretch.is_dated[who] & (tenure >= 0), tenure, np.nan)
        if stretch.is_dated.any() else stretch.unknown, "is_active": active,
        "exposure_months": stretch.unknown if np.isnan(began).all() else np.where(since >= 0, since, np.nan),
        **filled, "ttr_hours": flows.get("ttr_hours", stretch.unknown)}
    for name in instruments:
        made |= _carried(stretch, flows, name)
    opened, solved = filled["count_tickets"], flows.get("count_solved", np.zeros(len(month)))
    still_open = _running(stretch, np.nan_to_num(opened) - np.nan_to_num(solved))
    made["count_open_tickets"] = np.where(np.isnan(opened), np.nan, still_open)
    over = month + 1 <= window.last_whole
    is_last = np.append(who[1:] != who[:-1], True) if len(who) else np.zeros(0, dtype=bool)
    followed = over & ~is_last
    for name in FOLLOWED:
        if filled[name] is stretch.unknown:
            made[f"{name}_next"] = stretch.unknown
            continue
        following = np.append(filled[name][1:], np.nan)[:len(month)]
        made[f"{name}_next"] = np.where(followed, following, np.nan)
    risk = (acquired <= month) & ~(ended <= month) & over
    made["is_at_risk_next"] = risk
    made["is_churned_next"] = np.where(risk & stretch.is_listed[who], ended == month + 1, np.nan) if contractual else (
        stretch.unknown)
    return active | happened, made


def _filled(stretch: Stretch, flows: Arrays, window: Window) -> Arrays:
    """Counts and money of a month without events: 0 where the export covers the month, missing elsewhere."""
    made = {}
    for name, source in SOURCE_OF.items():
        if name not in flows:
            made[name] = stretch.unknown
            continue
        first, last = window.spans.get(source, (1, 0))
        silent = np.isnan(flows["count_orders" if name == "margin" else name])
        silent &= (stretch.month >= first) & (stretch.month <= last)
        made[name] = flows[name] / MINOR if name in MONEY else flows[name].copy()
        made[name][silent] = 0.0
    return made


def _carried(stretch: Stretch, flows: Arrays, instrument: str) -> Arrays:
    """score_ of the month, and last_ and age_ of the latest answer up to its end."""
    blank = stretch.unknown
    answered = flows.get(f"latest_{instrument}", blank)
    at = np.maximum.accumulate(np.where(np.isnan(answered), -1, np.arange(len(blank))))
    held = at >= stretch.start[stretch.who]
    at = np.where(held, at, 0)
    last = np.where(held, answered[at], np.nan) if len(blank) else blank
    age = np.where(held, stretch.month - stretch.month[at], np.nan) if len(blank) else blank
    return {f"score_{instrument}": flows.get(f"score_{instrument}", blank), f"last_{instrument}": last,
            f"age_{instrument}": age}


def _running(stretch: Stretch, change: np.ndarray) -> np.ndarray:
    """The running sum within each person."""
    total = np.cumsum(change)
    return total - (total - change)[stretch.start[stretch.who]]
