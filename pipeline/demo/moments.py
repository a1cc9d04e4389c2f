"""Moments inside months of the company's calendar (Europe/Madrid), as naive UTC timestamps."""

import numpy as np
import pandas as pd

TIME_ZONE = "Europe/Madrid"
LAST_DAY_OF_LEAVERS = 24  # who leaves in a month does all else of that month up to this day, and leaves after it


def month_start(first_month: str, month: np.ndarray | int) -> np.ndarray:
    """First local day (datetime64[D]) of month index `month`."""
    return (np.datetime64(first_month, "M") + np.asarray(month)).astype("datetime64[D]")


def days_in(first_month: str, month: np.ndarray) -> np.ndarray:
    """Number of days of month index `month`."""
    return (month_start(first_month, np.asarray(month) + 1) - month_start(first_month, month)).astype(int)


def random_day(random: np.random.Generator, first_month: str, month: np.ndarray, leaves: np.ndarray) -> np.ndarray:
    """A local day of each month, uniform; of a month in which the customer leaves, one before the end date."""
    last = np.where(leaves, LAST_DAY_OF_LEAVERS, days_in(first_month, month))
    return month_start(first_month, month) + np.floor(random.random(len(last)) * last).astype(int)


def at_hour(day: np.ndarray, hours: np.ndarray, unit: str = "m") -> np.ndarray:
    """Local clock time `hours` (decimal) on each local day, cut to minutes ("m") or seconds ("s")."""
    per_hour = {"m": 60, "s": 3600}[unit]
    return day.astype(f"datetime64[{unit}]") + np.floor(hours * per_hour).astype("int64").astype(f"timedelta64[{unit}]")


def to_utc(local: np.ndarray) -> np.ndarray:
    """Local clock times as UTC, datetime64[us], NaT kept; times in the gap of spring raise (none are made)."""
    index = pd.DatetimeIndex(np.asarray(local).astype("datetime64[us]")).tz_localize(TIME_ZONE)
    return index.tz_convert("UTC").tz_localize(None).as_unit("us").to_numpy()


def to_local(utc: np.ndarray | pd.Series) -> np.ndarray:
    """UTC timestamps as local clock times, datetime64[us]."""
    index = pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(TIME_ZONE).tz_localize(None)
    return index.as_unit("us").to_numpy()


def end_of_data(first_month: str, months: int) -> np.datetime64:
    """First UTC moment after the data: nothing is known from here on."""
    return to_utc(month_start(first_month, np.array([months])))[0]
