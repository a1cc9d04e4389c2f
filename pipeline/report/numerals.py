"""Numbers, money, dates and months as a reader of Spanish or English writes them; plain text, no HTML."""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

NBSP, MINUS = "\u00a0", "\u2212"


@dataclass(frozen=True)
class Convention:
    """How one language writes: separators, percent sign, currency position, month names, spoken joints."""

    decimal: str
    group: str
    percent: str
    money: str  # {amount} and {sign}
    months: tuple[str, ...]
    months_short: tuple[str, ...]
    month: str
    date: str


CONVENTIONS = {
    "es": Convention(
        ",", ".", f"{NBSP}%", "{amount}" + NBSP + "{sign}",
        ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
         "noviembre", "diciembre"),
        ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
        "{month} de {year}", "{day} de {month} de {year}"),
    "en": Convention(
        ".", ",", "%", "{sign}{amount}",
        ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
         "November", "December"),
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"),
        "{month} {year}", "{day} {month} {year}"),
}
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "BRL": "R$", "JPY": "¥"}
MOST_DIGITS = {"points": 2, "share": 4, "percent": 1, "pp": 2, "money": 2, "hours": 1, "ratio": 3, "count": 0,
               "months": 1, "office_hours": 1, "minutes": 1, "office_minutes": 1, "days": 2}
FINEST = 4  # decimals at which a number that is not zero is written as "<0.0001"
FINEST_OF = {"hours": 2, "office_hours": 2, "minutes": 1, "office_minutes": 1, "days": 2}  # seconds are nothing
LONE_DIGITS = {"points": 1, "share": 3, "percent": 1, "pp": 1, "money": 2, "hours": 1, "ratio": 2, "count": 0,
               "months": 1, "office_hours": 1, "minutes": 0, "office_minutes": 0, "days": 1}


def number(value: float, digits: int, convention: Convention) -> str:
    """The value at `digits` decimals (negative: tens, hundreds), grouped, U+2212 as minus, never minus zero."""
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    plain = f"{abs(rounded):,.{max(digits, 0)}f}".replace(",", "\0").replace(".", convention.decimal)
    return (MINUS if rounded < 0 else "") + plain.replace("\0", convention.group)


def money(value: float, currency: str, digits: int, convention: Convention) -> str:
    """The amount with its sign where the language puts it; codes without a known sign stand as they are."""
    sign = SIGNS.get(currency, currency if convention.money.startswith("{amount}") else currency + NBSP)
    amount = number(value, digits, convention)
    minus = MINUS if amount.startswith(MINUS) else ""
    return minus + convention.money.format(amount=amount.removeprefix(MINUS), sign=sign)


def month(text: str, convention: Convention, short: bool = False) -> str:
    """'2025-03' (or a longer date text) as 'marzo de 2025', short as 'mar 2025'."""
    year, index = text[:4], int(text[5:7]) - 1
    if short:
        return f"{convention.months_short[index]}{NBSP}{year}"
    return convention.month.format(month=convention.months[index], year=year)


def date(text: str, convention: Convention) -> str:
    """'2025-03-31' as '31 de marzo de 2025'."""
    return convention.date.format(day=int(text[8:10]), month=convention.months[int(text[5:7]) - 1], year=text[:4])


def kind(unit: str) -> str:
    """The unit's family: any ISO 4217 code is money."""
    if unit in LONE_DIGITS:
        return unit
    if len(unit) == 3 and unit.isalpha() and unit.isupper():
        return "money"
    raise ValueError(f"unit {unit!r} is not known to the report")


def told_in(unit: str, scale: float) -> tuple[float, str]:
    """(factor, family) in which figures as large as `scale` are told: hours in minutes below one and a half of them, in
    days from two days on; everything else in its own unit."""
    family = kind(unit)
    if family in ("hours", "office_hours") and abs(scale) < 1.5:
        return 60.0, family.replace("hours", "minutes")
    return (1 / 24, "days") if family == "hours" and abs(scale) >= 48 else (1.0, family)


def digits_for(unit: str, estimate: float | None, low: float | None = None, high: float | None = None,
               nothing: float = 0.0) -> int:
    """Decimals that the interval supports: the last digit is worth at most a tenth of its width, so that no limit
    is moved by more than a twentieth of it; no finer than the unit. Of times: in the unit of `told_in`.

    A limit that is not zero is never printed as zero (but for a few seconds): then decimals are added until it shows;
    nor as `nothing`, the value of "nothing happens", where the interval does not hold it; where it does, one decimal
    more tells them apart. An estimate beside its limits may be zero.
    Without an interval: the unit's own decimals; money of 1,000 and more in whole units.
    """
    factor, family = told_in(unit, largest(estimate, low, high))
    estimate, low, high = (None if value is None else value * factor for value in (estimate, low, high))
    if low is None or high is None or high <= low:
        if family == "money" and estimate is not None and abs(estimate) >= 1000:
            return 0
        digits = LONE_DIGITS[family]
        values = [(estimate, 0.0)]
    else:
        digits = min(MOST_DIGITS[family], math.ceil(-math.log10((high - low) / 10) - 1e-9))
        values = [(low, 0.0), (high, 0.0)]
        if not low <= nothing <= high:
            values += [(low, nothing), (high, nothing)]
    if family == "count":
        return digits
    finest = FINEST_OF.get(family, FINEST)
    for value, apart in values:
        while value not in (None, apart) and digits < finest and abs(value - apart) < 0.5 * 10.0 ** -digits:
            digits += 1
    reads_alike = [value for value in (low, high) if value not in (None, nothing)
                   and 0.05 * 10.0 ** -digits <= abs(value - nothing) < 0.5 * 10.0 ** -digits]
    return digits + 1 if reads_alike else digits


def largest(*values: float | None) -> float:
    """The largest size among the values that are there; 0 without any."""
    return max((abs(value) for value in values if value is not None), default=0.0)
