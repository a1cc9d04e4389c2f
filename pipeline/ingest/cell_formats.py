"""What the number format of an Excel cell says beyond its value: the currency of an amount, the zeros before an id."""

import re

from pipeline.ingest.engine import REST

LOCALES = {"409": "USD", "80A": "MXN", "2C0A": "ARS", "340A": "CLP", "240A": "COP", "1009": "CAD", "C0C": "CAD",
           "C09": "AUD"}  # Windows' numbers of the countries whose currencies share the sign $
OWN = re.compile(r"\[\$([^\]-]+)(?:-0*([0-9A-Za-z-]+))?\]")  # [$€-40A], [$$-409], [$USD]
LITERAL = re.compile(rf'"\s*({REST})\s*"|\\?([€$£¥])')
ZEROS = re.compile(r"(0{2,})(?:;@)?")
COLOURS = re.compile(r"\[[^$\]][^\]]*\]")


def currency_in(form: str | None) -> str:
    """The sign or code of the currency with which a format shows a number; empty where it shows none. [$-409] is a
    language and no currency."""
    first = COLOURS.sub("", (form or "").partition(";")[0])
    if found := OWN.search(first):
        sign = found[1].strip(' "')
        return LOCALES.get((found[2] or "").upper(), sign) if sign == "$" else sign
    found = LITERAL.search(re.sub(r"\[[^\]]*\]", "", first))
    return (found[1] or found[2]) if found else ""


def zeros_of(form: str | None) -> int:
    """How many digits a format such as 00000 shows at least; 0 for other formats."""
    found = ZEROS.fullmatch(form or "")
    return len(found[1]) if found else 0


def tells(forms: list[str]) -> bool:
    """Whether any of a workbook's own formats shows a currency or zeros. The formats that Excel numbers itself do
    not: what they show depends on the computer that opens the file."""
    return any(currency_in(form) or zeros_of(form) for form in forms)
