"""Business time: hours between two moments that fall into opening hours, on the company's own calendar.

Opening hours are told by the clock on the wall, so a day on which clocks change is an hour longer or shorter where it
is open then; holidays are those of the country (and region, as ES-MD) as the library `holidays` has them.
"""

import re
from dataclasses import dataclass

import holidays
import numpy as np
import pandas as pd

from pipeline.contracts.refusal import Refusal

NANOSECONDS_AN_HOUR = 3_600_000_000_000


@dataclass(frozen=True)
class Opening:
    """Opening periods, UTC, in order and apart. opens, closes, before: shape (periods,), nanoseconds.

    before: business time gone before each opening.
    """

    opens: np.ndarray
    closes: np.ndarray
    before: np.ndarray

    def gone(self, moments: pd.Series) -> np.ndarray:
        """Business nanoseconds gone up to each UTC moment; nan where it is missing."""
        stamps = pd.to_datetime(moments).astype("datetime64[ns]")
        at = stamps.fillna(pd.Timestamp(0)).to_numpy().astype("int64")
        place = np.searchsorted(self.opens, at, side="right") - 1
        inside = np.clip(at - self.opens[place], 0, (self.closes - self.opens)[place])
        return np.where(stamps.isna(), np.nan, np.where(place < 0, 0, self.before[place] + inside))


def hours_between(opening: Opening, starts: pd.Series, ends: pd.Series) -> np.ndarray:
    """Business hours from each start to its end, both UTC without zone; nan where one of them is missing."""
    return (opening.gone(ends) - opening.gone(starts)) / NANOSECONDS_AN_HOUR


def opening_periods(calendar: dict, first: pd.Timestamp, last: pd.Timestamp, time_zone: str) -> Opening:
    """The opening periods of the days from `first` to `last` (UTC), a day more on either side.

    calendar: hours "09:00-18:00" (until 24:00), weekdays (0 is Monday), country (None: no holidays). Refusal
    PARAM-CALENDAR where hours, weekdays or country are none.
    """
    start, end = _clock(calendar["hours"])
    closed = _holidays(calendar.get("country"), range(first.year - 1, last.year + 2))
    weekdays = set(calendar["weekdays"])
    if not weekdays or not weekdays <= set(range(7)):
        raise Refusal("PARAM-CALENDAR", "experience.calendar.weekdays must be days of the week", file="params.yaml",
                      found=repr(calendar["weekdays"]), expected="numbers from 0 (Monday) to 6 (Sunday)")
    days = pd.date_range(first.normalize() - pd.Timedelta(days=1), last.normalize() + pd.Timedelta(days=1), freq="D")
    days = days[days.day_of_week.isin(weekdays) & ~np.isin(days.date, list(closed))]
    opens, closes = (_utc(days, minutes, time_zone) for minutes in (start, end))
    lengths = np.maximum(closes - opens, 0)
    return Opening(opens, opens + lengths, np.concatenate([[0], np.cumsum(lengths)[:-1]]))


def _utc(days: pd.DatetimeIndex, minutes: int, time_zone: str) -> np.ndarray:
    """That wall clock time of each day as UTC nanoseconds; a time that clocks skip is the first one after it."""
    wall = days + pd.Timedelta(days=minutes // 1440) + pd.Timedelta(minutes=minutes % 1440)
    zoned = wall.tz_localize(time_zone, nonexistent="shift_forward", ambiguous=np.ones(len(wall), dtype=bool))
    return zoned.tz_convert("UTC").tz_localize(None).astype("datetime64[ns]").to_numpy().astype("int64")


def _clock(hours: str) -> tuple[int, int]:
    """Minutes of the day at which it opens and closes."""
    found = re.fullmatch(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", hours.replace(" ", ""))
    a, b, c, d = map(int, found.groups()) if found else (0, 0, 0, 0)
    if not 0 <= a * 60 + b < c * 60 + d <= 1440 or max(b, d) > 59:
        raise Refusal("PARAM-CALENDAR", "experience.calendar.hours must open before they close, on one day",
                      file="params.yaml", found=repr(hours), expected='hours such as "09:00-18:00"')
    return a * 60 + b, c * 60 + d


def _holidays(country: str | None, years: range) -> set:
    if country is None:
        return set()
    code, _, region = country.partition("-")
    try:
        return set(holidays.country_holidays(code, subdiv=region or None, years=years))
    except NotImplementedError:
        raise Refusal("PARAM-CALENDAR", "experience.calendar.country is not known", file="params.yaml",
                      found=repr(country), expected="an ISO 3166 code as ES or ES-MD, or null") from None
