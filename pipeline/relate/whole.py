"""Which months of the data are whole: a month cut short by the day on which an export begins or ends is no month."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Whole:
    """Months as numbers (year * 12 + month - 1), both ends included. first, sold: of sales. last: of the data."""

    first: int
    sold: int
    last: int


def whole_months(linkage: Mapping[str, Any], orders: pd.DataFrame, time_zone: str, as_of: str | None = None
                 ) -> Whole | None:
    """The whole months, or None where nothing carries a time.

    linkage: linkage.json, whose last_whole_month ends them. orders: linked sales with ordered_at (UTC). The first month
    of sales is whole unless its first sale falls later in it than in any other month: who sells every day begins on
    the first, who bills on the 15th on the 15th. The last one likewise, where as_of does not say how far exports reach.
    """
    if not linkage.get("last_whole_month"):
        return None
    last = _number(linkage["last_whole_month"])
    if orders.empty or "ordered_at" not in orders or not orders["ordered_at"].notna().any():
        return Whole(0, last, last)
    local = pd.DatetimeIndex(orders["ordered_at"].dropna()).tz_localize("UTC").tz_convert(time_zone)
    day = pd.Series(local.day.to_numpy(int))
    month = local.year.to_numpy(int) * 12 + local.month.to_numpy(int) - 1
    inside = month <= last
    if not inside.any():
        return Whole(int(month.min()) + 1, last, last)
    begins = day[inside].groupby(month[inside]).min()
    ends = (pd.Series(local.days_in_month.to_numpy(int)) - day)[inside].groupby(month[inside]).min()
    first, sold = int(begins.index[0]), last if as_of else int(ends.index[-1])
    if begins.iloc[0] > (begins.iloc[1:].max() if len(begins) > 1 else 1):
        first += 1
    if not as_of and len(ends) > 1 and ends.iloc[-1] > ends.iloc[:-1].max():
        sold -= 1
    return Whole(first, sold, last)


def within(periods: pd.DataFrame, whole: Whole | None) -> pd.DataFrame:
    """The customer-months whose sales are those of a whole month; all of them without `whole`."""
    if whole is None or periods.empty:
        return periods
    month = month_numbers(periods["period"])
    inside = (month >= whole.first) & (month <= whole.sold)
    return periods if inside.all() else periods[inside]


def month_numbers(period: pd.Series) -> np.ndarray:
    """(n,) year * 12 + month - 1."""
    at = pd.DatetimeIndex(period)
    return (at.year * 12 + at.month - 1).to_numpy()


def _number(month: str) -> int:
    year, number = map(int, month.split("-")[:2])
    return year * 12 + number - 1
