"""Local time to UTC: one row per calendar day of a zone, with what its clock did that day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from pipeline.contracts.refusal import Refusal

FIRST, LAST = date(1970, 1, 1), date(2100, 1, 1)
STEP = timedelta(days=7)  # no clock changes twice within a week


def find_zone(name: str) -> ZoneInfo:
    """The zone, or a refusal (TIME-ZONE)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Refusal("TIME-ZONE", "this time zone does not exist", found=repr(name),
                      expected="a name such as Europe/Madrid or UTC") from None


@cache
def day_table(zone: ZoneInfo) -> pa.Table:
    """One row per local day: day, before and after (offsets from UTC in seconds), changed_from, changed_to (the
    local times that were skipped or came twice, null on ordinary days), is_gap.

    A local time before changed_to has the offset `before`, any other `after`: inside a fold that is the first of
    the two, inside a gap the moment of the change.
    """
    days = np.arange(FIRST, LAST, dtype="datetime64[D]")
    changes = list(_changes(zone))
    numbers = np.array([(day - FIRST).days for day, _ in changes], dtype=np.int64)
    first = _offset(zone, datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC))
    offsets = np.array([first, *(new for _, (_, new, _, _) in changes)], dtype=np.int64)
    here = np.arange(len(days))
    before = offsets[np.searchsorted(numbers, here, side="left")]
    after = offsets[np.searchsorted(numbers, here, side="right")]
    moments = np.full((2, len(days)), np.datetime64("NaT"), dtype="datetime64[us]")
    is_gap = np.zeros(len(days), dtype=bool)
    for number, (_, (old, new, start, end)) in zip(numbers.tolist(), changes, strict=True):
        moments[:, number], is_gap[number] = (start, end), new > old
    moment = pa.timestamp("us")
    return pa.table({
        "day": pa.array(days), "before": pa.array(before, pa.int64()), "after": pa.array(after, pa.int64()),
        "changed_from": pa.array(moments[0], moment), "changed_to": pa.array(moments[1], moment),
        "is_gap": pa.array(is_gap, pa.bool_(), mask=np.isnat(moments[0])),
    })


def _changes(zone: ZoneInfo) -> Iterator[tuple[date, tuple[int, int, datetime, datetime]]]:
    """(local day, offset before, offset after, start and end of the skipped or doubled time) of every change."""
    low = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC)
    here = _offset(zone, low)
    while low.date() < LAST:
        high = low + STEP
        later = _offset(zone, high)
        if here != later:
            change = _moment(zone, low, high, here)
            start, end = change + timedelta(seconds=min(here, later)), change + timedelta(seconds=max(here, later))
            if start.date() < LAST:
                yield start.date(), (here, later, start, end)
        low, here = high, later


def _moment(zone: ZoneInfo, low: datetime, high: datetime, before: int) -> datetime:
    """The UTC second at which the offset changes between low and high."""
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high.replace(tzinfo=None)


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    return int(moment.astimezone(zone).utcoffset().total_seconds())
