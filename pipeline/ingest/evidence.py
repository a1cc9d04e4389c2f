"""Evidence in cells: how numbers and missing values are written, what may be shown; pure functions on (line, text)."""

import re
from collections import Counter
from dataclasses import dataclass

Cell = tuple[int, str]  # physical line, text

CURRENCY = re.compile(r"^[-(]?\s*(?:[€$£¥]|[A-Z]{3}\b)\s*|\s*(?:[€$£¥]|\b[A-Z]{3})\s*\)?$")
LONGEST = 60  # letters of a cell that can still be a number
WHOLE = re.compile(r"\d+")
BOTH = re.compile(r"\d{1,3}(?P<group>[.,'’ \u00a0\u202f])\d{3}(?:(?P=group)\d{3})*(?P<point>[.,])\d+")
GROUPS = re.compile(r"\d{1,3}(?P<group>[.,'’ \u00a0\u202f])\d{3}(?:(?P=group)\d{3})+")
BLANK_GROUP = re.compile(r"\d{1,3}(?P<group>['’ \u00a0\u202f])\d{3}")
ONE_SIGN = re.compile(r"(?P<whole>\d*)(?P<sign>[.,])(?P<rest>\d+)")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
SURELY_MISSING = ("null", "\\n", "nan", "#n/a", "#n/d", "(null)", "(blank)", "(en blanco)", "-", "--", "—")
PERHAPS_MISSING = ("na", "n/a", "n/d", "nd", "s/d", "ns/nc", "none", "ninguno", "no aplica", "no procede",
                   "not applicable", "unknown", "desconocido", ".", "?")
NOT_ASKED = ("no aplica", "no procede", "not applicable", "n/a", "na")


@dataclass(frozen=True)
class Numbers:
    """How numbers are written. deciding: cells that can be read in one way only. ambiguous: cells such as 1.234 that
    nothing decides. contradicting: cells that say the opposite of the deciding ones (then decimal is None)."""

    decimal: str | None
    thousands: str | None
    deciding: tuple[Cell, ...] = ()
    ambiguous: tuple[Cell, ...] = ()
    contradicting: tuple[Cell, ...] = ()


def bare(text: str) -> str:
    """A number without currency, sign and brackets."""
    return CURRENCY.sub("", CURRENCY.sub("", text.strip())).strip("()+- ")


def is_number(text: str) -> bool:
    """Whether a text is a number in some convention: 10.20.30.40 is none."""
    if len(text) > LONGEST:
        return False
    digits = bare(text)
    return any(form.fullmatch(digits) for form in (WHOLE, ONE_SIGN, BOTH, GROUPS, BLANK_GROUP))


def convention(text: str) -> tuple[str | None, str | None, bool]:
    """(decimal, thousands, may it be read in two ways) as far as one cell tells.

    1.234,5 and 12,5 decide; 1.234.567 decides its groups and so the decimal sign; 1.234 alone does not.
    """
    digits = bare(text)
    if (found := BOTH.fullmatch(digits)) and found["group"] != found["point"]:
        return found["point"], _group(found["group"]), False
    if found := GROUPS.fullmatch(digits):
        group = _group(found["group"])
        return {".": ",", ",": "."}.get(group), group, False
    if found := BLANK_GROUP.fullmatch(digits):
        return None, _group(found["group"]), False
    if found := ONE_SIGN.fullmatch(digits):
        whole = found["whole"]
        if len(found["rest"]) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0"):
            return None, None, True
        return found["sign"], None, False
    return None, None, False


def _group(sign: str) -> str:
    return {"\u00a0": " ", "\u202f": " ", "’": "'"}.get(sign, sign)


def read_numbers(cells: list[Cell]) -> Numbers:
    """The convention that these cells have in common; decimal None where none of them, or not all of them, decide."""
    votes: dict[str, list[Cell]] = {".": [], ",": []}
    groups: Counter = Counter()
    two_ways: list[Cell] = []
    for cell in cells:
        decimal, thousands, open_ = convention(cell[1])
        if decimal:
            votes[decimal].append(cell)
        if thousands:
            groups[thousands] += 1
        if open_:
            two_ways.append(cell)
    winner, loser = sorted(votes, key=lambda sign: -len(votes[sign]))
    if votes[loser]:
        return Numbers(None, None, tuple(votes[winner][:3]), tuple(two_ways[:3]), tuple(votes[loser][:3]))
    if not votes[winner]:
        blank = groups.most_common(1)[0][0] if groups else None
        return Numbers(None, blank, (), tuple(two_ways[:3]))
    for _, text in two_ways:  # 1.234 where the comma is the decimal sign groups its digits
        sign = "." if "." in text else ","
        groups[sign] += sign != winner
    groups = Counter({sign: count for sign, count in groups.items() if count and sign != winner})
    return Numbers(winner, groups.most_common(1)[0][0] if groups else None, tuple(votes[winner][:3]))


def missing_words(columns: list[list[str]]) -> tuple[list[str], list[str]]:
    """(words that surely stand for missing, words that may be a value of their own), as they are written."""
    sure, perhaps = Counter(), Counter()
    for texts in columns:
        for text in texts:
            word = text.strip().casefold()
            if word in SURELY_MISSING:
                sure[text.strip()] += 1
            elif word in PERHAPS_MISSING:
                perhaps[text.strip()] += 1
    return sorted(sure), sorted(perhaps)


def masked(text: str) -> str:
    """A cell that may name somebody, as little of it as tells its shape."""
    if EMAIL.fullmatch(text.strip()):
        return f"{text.strip()[:1]}…@…"
    return f"{text.strip()[:2]}…" if len(text.strip()) > 2 else "…"
