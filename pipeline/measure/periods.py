"""The headline period and the one before it, in months of the company's own calendar."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Window:
    """Months "YYYY-MM", both included; `label` is the period of a claim."""

    first: str
    last: str

    @property
    def label(self) -> str:
        return self.first if self.first == self.last else f"{self.first}/{self.last}"

    def holds(self, months: pd.Series) -> pd.Series:
        """Per month text whether it lies inside; missing is outside."""
        return ((months >= self.first) & (months <= self.last)).fillna(False).astype(bool)


def local_months(times: pd.Series, time_zone: str) -> pd.Series:
    """Per UTC time (no zone) its month "YYYY-MM" on the company's calendar; missing stays missing."""
    stamps = pd.to_datetime(times)
    local = stamps.dt.tz_localize("UTC").dt.tz_convert(time_zone)
    numbers = local.dt.year * 12 + local.dt.month - 1
    names = {n: f"{int(n) // 12:04d}-{int(n) % 12 + 1:02d}" for n in numbers.dropna().unique()}
    return numbers.map(names).astype("str").where(numbers.notna())


def last_windows(last_day: str, months: int) -> tuple[Window, Window]:
    """The last `months` months up to the month of `last_day` (YYYY-MM-DD), and as many before them."""
    last = pd.Period(last_day[:7], freq="M")
    edges = [str(last - back) for back in (months - 1, 2 * months - 1, months)]
    return Window(edges[0], str(last)), Window(edges[1], edges[2])


def end_of_day(day: str, time_zone: str) -> pd.Timestamp:
    """The end of that day on the company's calendar, as UTC without zone."""
    midnight = pd.Timestamp(day).tz_localize(time_zone) + pd.DateOffset(days=1)
    return midnight.tz_convert("UTC").tz_localize(None)


@dataclass(frozen=True)
class Periods:
    """The headline period and the one before; `before` is None when the data do not reach back over all of it."""

    now: Window
    before: Window | None


def choose_periods(first_day: str, last_day: str, months: int) -> Periods:
    """The last `months` months of the data and those before; no earlier period unless the data cover all of it.

    The period is never said to begin before the data do.
    """
    now, before = last_windows(last_day, months)
    now = Window(min(max(now.first, first_day[:7]), now.last), now.last)
    return Periods(now, before if first_day[:7] <= before.first else None)


def in_window(rows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The rows of the period; all rows where the export has no dates."""
    return rows[window.holds(rows["month"])] if rows["month"].notna().any() else rows
