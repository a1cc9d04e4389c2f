"""What a line of totals is: the one definition that inspect, the readers and the rule FMT-FOOTER share."""

import re
from collections.abc import Iterable

from pipeline.ingest.engine import literal, quoted

_TOTAL = ("(?:(?:grand|gran|sub|general)[ -]*)?(?:totale?s?|totaux)|sumas?|sum|summe|gesamt(?:summe|betrag)?"
          "|(?:importe|suma|valor|monto|ventas?|net|neto|gesamt)[ -]total(?:es)?")
_ROWS = "\\(? ?\\d+ (?:filas?|rows?|registros?|records?|l[ií]neas?|lines?|zeilen|lignes?)\\b"
_MORE = ("general(?:es)?|ventas?|sales|pedidos?|orders?|importes?|amounts?|facturad[oa]|clientes?|customers?|net[ao]?"
         "|brut[ao]|gross|del?|of|mes|month|a[ñn]o|year|periodo|period|registros?|records?|filas?|rows?|eur|usd|gbp|[€$£]"
         "|\\d{1,4}|\\([^()]*\\)")
BEGINS = f"(?i)(?:(?:{_TOTAL})(?:[^\\pL\\pN].*)?|{_ROWS}.*)"  # a text that begins with a word of totals
SAYS_ALL = f"(?i)(?:(?:{_TOTAL})(?:[ :./-]+(?:{_MORE}))*[ :.]*|{_ROWS}.*)"  # a text that says nothing else
_BEGINS, _SAYS_ALL = (re.compile(sign.replace("[^\\pL\\pN]", "\\W"), re.DOTALL) for sign in (BEGINS, SAYS_ALL))
LETTERS = "GgIiMmNnSsTtVvſ"  # with which words of totals begin
ENDS = "sSnNaAeEwWdDtT)."  # with which a count of rows ends


def may_be_total(x: str) -> str:
    """Whether a text begins as a line of totals does; false for no text. Asked only where its first and last letter
    allow it: most ids and times are digits."""
    asked = f"contains('{LETTERS}', {x}[1]) OR ({x} < ':' AND contains({x}, ' ') AND contains('{ENDS}', {x}[-1]))"
    return f"coalesce(CASE WHEN {asked} THEN regexp_full_match({x}, {literal(BEGINS)}, 's') ELSE FALSE END, FALSE)"


def is_total(read: Iterable[str], identity: Iterable[str]) -> str:
    """Whether a record is a line of totals.

    read: columns that hold no numbers; identity: those of them that are ids and times. The first text of the record
    begins with a word of totals, and fewer than half of the other ids and times are filled; where the text says
    nothing but that (Total, Total ventas, Suma total 2025), half of them may be, and there may be none.
    """
    names, ids = [quoted(name) for name in read], [quoted(name) for name in identity]
    if not names:
        return "FALSE"
    first = f"coalesce({', '.join([*names, 'NULL'])})"
    filled = " + ".join([f"CAST(coalesce({name} <> {first}, FALSE) AS INTEGER)" for name in ids] or ["0"])
    own = " OR ".join([f"coalesce({name} = {first}, FALSE)" for name in ids] or ["FALSE"])
    others = f"({len(ids)} - CAST(({own}) AS INTEGER))"
    says_all = f"regexp_full_match({first}, {literal(SAYS_ALL)}, 's')"
    return (f"CASE WHEN {may_be_total(first)} THEN 2 * ({filled}) < {others} OR "
            f"(2 * ({filled}) <= {others} AND {says_all}) ELSE FALSE END")


def begins_as_total(text: str) -> bool:
    """Whether the first field of a line begins with a word of totals."""
    return _BEGINS.fullmatch(text.lstrip('"\' \t;,|')) is not None


def total_lines(lines: Iterable[str], delimiter: str, width: int) -> int:
    """How many of these lines are kept out as totals: those of another width, and those with most cells empty."""
    found = 0
    for line in lines:
        fields = [field.strip('"\' ') for field in line.split(delimiter)]
        filled = [field for field in fields if field]
        if filled and _BEGINS.fullmatch(filled[0]):
            empty_enough = 2 * (len(filled) - 1) < len(fields) - 1
            found += len(fields) != width or empty_enough or _SAYS_ALL.fullmatch(filled[0]) is not None
    return found
