"""Local time to UTC: one row per calendar day of a zone, with what its clock did that day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from pipeline.contracts.refusal import Refusal

FIRST, LAST = date(1970, 1, 1), date(2100, 1, 1)


def find_zone(name: str) -> ZoneInfo:
    """The zone, or a refusal (TIME-ZONE)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Refusal("TIME-ZONE", "this time zone does not exist", found=repr(name),
                      expected="a name such as Europe/Madrid or UTC") from None


def day_table(zone: ZoneInfo) -> pa.Table:
    """One row per local day: day, before and after (offsets from UTC in seconds), changed_from, changed_to (the
    local times that were skipped or came twice, null on ordinary days), is_gap.

    A local time before changed_to has the offset `before`, any other `after`: inside a fold that is the first of
    the two, inside a gap the moment of the change.
    """
    changes = dict(_changes(zone))
    offset = _offset(zone, datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC))
    rows = []
    for ordinal in range(FIRST.toordinal(), LAST.toordinal()):
        day = date.fromordinal(ordinal)
        change = changes.get(day)
        rows.append((day, *change) if change else (day, offset, offset, None, None, None))
        offset = change[1] if change else offset
    columns = list(zip(*rows, strict=True))
    types = (pa.date32(), pa.int64(), pa.int64(), pa.timestamp("us"), pa.timestamp("us"), pa.bool_())
    names = ("day", "before", "after", "changed_from", "changed_to", "is_gap")
    return pa.table({n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)})


def _changes(zone: ZoneInfo) -> Iterator[tuple[date, tuple]]:
    """(local day, its row) of every change of the clock."""
    noon = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC)
    here = _offset(zone, noon)
    while noon.date() < LAST:
        later = _offset(zone, noon + timedelta(days=1))
        if here != later:
            change = _moment(zone, noon, noon + timedelta(days=1), here)
            start, end = change + timedelta(seconds=min(here, later)), change + timedelta(seconds=max(here, later))
            yield start.date(), (here, later, start, end, later > here)
        noon, here = noon + timedelta(days=1), later


def _moment(zone: ZoneInfo, low: datetime, high: datetime, before: int) -> datetime:
    """The UTC second at which the offset changes between low and high."""
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high.replace(tzinfo=None)


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    return int(moment.astimezone(zone).utcoffset().total_seconds())
