"""The company's calendar: months in its own time zone, and the window of months that the data cover."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.contracts.refusal import Refusal

FIRST_YEAR, LAST_YEAR = 1900, 2200


def zone(name: str) -> ZoneInfo:
    """The time zone of that name; refused when there is none (PARAM-ZONE)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Refusal("PARAM-ZONE", "company.time_zone names no time zone", found=repr(name),
                      expected="a name such as Europe/Madrid") from None


def month_starts(time_zone: str) -> list[int]:
    """The instant (microseconds UTC since 1970) at which each month begins there, from FIRST_YEAR on."""
    here = zone(time_zone)
    return [_micros(datetime(year, month, 1, tzinfo=here))
            for year in range(FIRST_YEAR, LAST_YEAR) for month in range(1, 13)]


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def month_number(day: date) -> int:
    """year * 12 + month - 1: months as whole numbers that can be subtracted."""
    return day.year * 12 + day.month - 1


def day_after(day: date, time_zone: str) -> datetime:
    """The UTC instant (without zone) at which `day` is over in that time zone."""
    following = day + timedelta(days=1)
    midnight = datetime(following.year, following.month, following.day, tzinfo=zone(time_zone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def local_day(moment: datetime, time_zone: str) -> date:
    """The calendar day of a UTC instant (without zone) in that time zone."""
    return moment.replace(tzinfo=UTC).astimezone(zone(time_zone)).date()


def last_whole_month(day: date) -> int:
    """The last month that is over when `day` is over."""
    number = month_number(day)
    return number if (day + timedelta(days=1)).day == 1 else number - 1
