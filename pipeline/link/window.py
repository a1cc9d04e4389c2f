"""The window of the panel: which months the data cover, which of them are over, and per source from when to when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import narwhals as nw

from pipeline.contracts.refusal import Refusal
from pipeline.link.calendar import day_after, last_whole_month, local_day, month_number
from pipeline.link.engine import rows

EVENT_TIMES = {"surveys": ("sent_at", "responded_at"), "tickets": ("created_at", "first_reply_at", "solved_at"),
               "sales": ("ordered_at",), "contacts": ("happened_at",)}
LONGEST = 600  # months; a longer span is a stray date that ingest should have caught


@dataclass(frozen=True)
class Window:
    """Months as numbers (year * 12 + month - 1); last_whole is the last one that the data cover to its end.

    as_of: last day of the data. cut: the UTC instant at which it is over; nothing later is known yet.
    spans: per table the first and last month that its export covers; outside, a count is missing, not 0.
    is_declared: whether as_of was declared rather than seen.
    """

    first: int
    last: int
    last_whole: int
    as_of: date
    cut: datetime
    spans: dict[str, tuple[int, int]]
    is_declared: bool = False


def observe_window(frames: Mapping[str, nw.LazyFrame], seen: Mapping[str, tuple[datetime, datetime]], time_zone: str,
                   as_of: date | str | None = None) -> Window | None:
    """The window of these canonical tables and their first and last instants, or None when none carries a time.

    A declared as_of says that every export reaches it. Undeclared it is the last day seen, and each export
    ends with the last month it shows: an export that stopped early is missing afterwards, not a fall to zero.
    """
    declared = date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    cut = day_after(declared, time_zone) if declared else None
    if cut:
        seen = {name: span for name in seen if (span := _seen_before(frames[name], name, cut))}
    if not seen:
        return None
    day = declared or max(local_day(last, time_zone) for _, last in seen.values())
    spans = {name: (month_number(local_day(first, time_zone)), month_number(local_day(last, time_zone)))
             for name, (first, last) in seen.items()}
    if declared:
        spans = {name: (first, month_number(declared)) for name, (first, _) in spans.items()}
    first, last = min(first for first, _ in spans.values()), month_number(day)
    if last - first >= LONGEST:
        raise Refusal("LINK-SPAN", f"the data span {last - first + 1} months, which is more than a panel can mean",
                      found=f"first day {min(f for f, _ in seen.values()).date()}, last day {day}",
                      expected=f"at most {LONGEST} months; correct the stray date or declare company.as_of")
    return Window(first, last, last_whole_month(day), day, cut or day_after(day, time_zone), spans,
                  is_declared=declared is not None)


def _seen_before(frame: nw.LazyFrame, name: str, cut: datetime) -> tuple[datetime, datetime] | None:
    """First and last instant in the table before `cut`; None without any."""
    moments = []
    for column in EVENT_TIMES[name]:
        times = frame.select(nw.col(column).alias("at")).filter(nw.col("at") < cut)
        found = rows(times.select(first=nw.col("at").min(), last=nw.col("at").max()))[0]
        moments += [moment for moment in found.values() if moment is not None]
    return (min(moments), max(moments)) if moments else None
