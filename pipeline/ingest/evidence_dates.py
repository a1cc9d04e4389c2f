"""Evidence in cells: how times are written, and whether 03/04/2025 is the third of April or the fourth of March."""

import re
from dataclasses import dataclass
from datetime import date

from pipeline.ingest.engine import MONTHS
from pipeline.ingest.evidence import Cell

CLOCK = r"(?:(?P<gap>[ T]| - )(?P<hour>\d{1,2}):\d{2}(?P<second>:\d{2})?(?P<half>\s?[AaPp]\.?\s?[Mm]\.?)?)?"
TWO_FIRST = re.compile(r"(?P<a>\d{1,2})(?P<sep>[/.-])(?P<b>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})" + CLOCK)
YEAR_FIRST = re.compile(r"\d{4}(?P<sep>[/.])(?P<a>\d{1,2})(?P=sep)(?P<b>\d{1,2})" + CLOCK)
ISO = re.compile(r"\d{4}-\d{2}-(?P<day>\d{2})(?:[ T]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?"
                 r"(?P<zone>\s*(?:Z|[+-]\d{2}(?::?\d{2})?))?")
ISO_UTC = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?P<second>:\d{2})? UTC")
NAMED = re.compile(r"\d{1,2}(?P<before>[ /-]| de )(?P<month>[^\W\d_]{3,10})\.?(?P<after>[ /-]| del? )"
                   r"(?P<year>\d{4}|\d{2})" + CLOCK, re.IGNORECASE)
WHOLE = ("mayo", "june", "july")  # names of months as short as what others are shortened to
EPOCH = {10: ("epoch_s", 946_684_800, 4_102_444_800), 13: ("epoch_ms", 946_684_800_000, 4_102_444_800_000)}
TURNED = 5  # dates of either kind from which a spreadsheet is suspected to have turned round those it could
SERIAL = re.compile(r"[2-7]\d{4}(?:[.,]\d+)?")


@dataclass(frozen=True)
class Dates:
    """How times are written. formats: in the order of their frequency, {a} and {b} standing for day and month where
    nothing decides. deciding: cells with a number above 12. open: a cell that can be read in two ways, when none
    decides. contradicting: cells that need the other order. zone: "offset", "UTC" or None (not said). turned: a cell of
    those that a spreadsheet may have taken for dates with day and month changed: all dates written like it have days up
    to 12, and all that begin with the day or the month have days above."""

    formats: tuple[str, ...]
    deciding: tuple[Cell, ...] = ()
    open: Cell | None = None
    contradicting: tuple[Cell, ...] = ()
    zone: str | None = None
    turned: Cell | None = None


def date_form(text: str, is_expected: bool = False) -> tuple[str, str | None] | None:
    """(format, zone) of one cell, or None for no date; numbers are dates only where one is expected (header)."""
    text = text.strip()
    if found := ISO.fullmatch(text):
        return "iso8601", "offset" if found["zone"] else None
    if found := ISO_UTC.fullmatch(text):
        return ("%Y-%m-%d %H:%M:%S UTC" if found["second"] else "%Y-%m-%d %H:%M UTC"), "UTC"
    if found := TWO_FIRST.fullmatch(text):
        sep = found["sep"]
        if max(int(found["a"]), int(found["b"])) > 31 or not int(found["a"]) or not int(found["b"]):
            return None
        return f"{{a}}{sep}{{b}}{sep}" + ("%Y" if len(found["year"]) == 4 else "%y") + _clock(found), None
    if found := YEAR_FIRST.fullmatch(text):
        return "%Y{0}%m{0}%d".format(found["sep"]) + _clock(found), None
    if (found := NAMED.fullmatch(text)) and found["month"].lower() in MONTHS:
        return f"%d{found['before']}{_month(found)}{found['after']}%{'Y' if len(found['year']) == 4 else 'y'}" \
            + _clock(found), None
    if is_expected and text.isascii() and text.isdigit() and len(text) in EPOCH:
        form, low, high = EPOCH[len(text)]
        return (form, "UTC") if low <= int(text) < high else None
    if is_expected and SERIAL.fullmatch(text):
        return "excel_serial", None
    return None


def _month(found: re.Match) -> str:
    """%B for the whole name of a month, %b for a shortened one: 3 de may de 2025 is written as 3 de marzo de 2025."""
    is_whole = len(found["month"]) > 4 or found["month"].lower() in WHOLE or len(found["before"]) > 1
    return "%B" if is_whole else "%b"


def _clock(found: re.Match) -> str:
    if not found["hour"]:
        return ""
    half = found["half"] or ""
    hour = "%I" if half else "%H"
    seconds, noon = ":%S" if found["second"] else "", " %p" if half[:1].isspace() else "%p" * bool(half)
    return f"{found['gap']}{hour}:%M{seconds}{noon}"


def _is_day(year: int, month: int, day: int) -> bool:
    """Whether the calendar has this day: 31/02 is a mistake, and no evidence."""
    try:
        return bool(date(year if year > 99 else 2000 + year, month, day))
    except ValueError:
        return False


def read_dates(cells: list[Cell], is_expected: bool = False) -> Dates:
    """The formats of these cells and what decides between day and month; formats is empty when none is a date."""
    counts: dict[str, int] = {}
    zones: set[str | None] = set()
    day_first: list[Cell] = []
    month_first: list[Cell] = []
    open_cell: Cell | None = None
    iso: list[Cell] = []
    unsure = 0  # dates with two numbers up to 12
    days: set[bool] = set()  # of dates that no calendar has, whether the day comes first
    for cell in cells:
        found = date_form(cell[1], is_expected)
        if found is None:
            continue
        form, zone = found
        counts[form] = counts.get(form, 0) + 1
        zones.add(zone)
        iso += [cell] if form == "iso8601" else []
        if form.startswith("{a}"):
            parts = TWO_FIRST.fullmatch(cell[1].strip())
            first, second, year = int(parts["a"]), int(parts["b"]), int(parts["year"])
            if first > 12 >= second and _is_day(year, second, first):
                day_first.append(cell)
            elif second > 12 >= first and _is_day(year, first, second):
                month_first.append(cell)
            elif max(first, second) <= 12:
                unsure += 1
                open_cell = cell if open_cell is None and first != second else open_cell
            else:
                days |= {first > 12} if min(first, second) <= 12 else set()
    formats = tuple(sorted(counts, key=lambda form: (-counts[form], form)))
    zone = zones.pop() if len(zones) == 1 else None
    if day_first and month_first:
        return Dates(formats, tuple(day_first[:2]), open_cell, tuple(month_first[:2]), zone)
    is_told = len(days) == 1 and open_cell is None
    if day_first or month_first or is_told:
        order = ("%d", "%m") if day_first or (is_told and days == {True} and not month_first) else ("%m", "%d")
        decided = tuple(form.replace("{a}", order[0]).replace("{b}", order[1]) for form in formats)
        is_split = not unsure and min(len(iso), len(day_first or month_first)) >= TURNED
        is_turned = is_split and all(int(ISO.fullmatch(cell[1].strip())["day"]) <= 12 for cell in iso)
        return Dates(decided, tuple((day_first or month_first)[:2]), None, (), zone, iso[0] if is_turned else None)
    return Dates(formats, (), open_cell or next((c for c in cells if "{a}" in (date_form(c[1]) or ("",))[0]), None),
                 (), zone)


def spelled(form: str, day_first: bool) -> str:
    """A format with its open order filled in."""
    return form.replace("{a}", "%d" if day_first else "%m").replace("{b}", "%m" if day_first else "%d")
