"""Rules: named booleans over a table, each false where it cannot be told, gathered into one mask per row."""

from dataclasses import dataclass
from functools import reduce
from operator import add, or_
from typing import Literal

import narwhals as nw

Verdict = Literal["refused", "dropped", "quarantined", "repaired", "warned"]
LIMIT = 62  # rules that fit into the mask of one row


@dataclass(frozen=True)
class Check:
    """One rule on one column: `when` is a boolean expression; what comes first in a list decides a row."""

    rule: str
    column: str
    verdict: Verdict
    when: nw.Expr


def mask(checks: list[Check]) -> nw.Expr:
    """Whole number whose bit k says that check k applies; 0 when none does."""
    if len(checks) > LIMIT:
        raise ValueError(f"{len(checks)} rules do not fit into one mask")
    bits = [nw.when(check.when.fill_null(False)).then(nw.lit(2**k, nw.Int64)).otherwise(nw.lit(0, nw.Int64))
            for k, check in enumerate(checks)]
    return reduce(add, bits) if bits else nw.lit(0, nw.Int64)


def any_of(checks: list[Check]) -> nw.Expr:
    """Whether any check applies."""
    return reduce(or_, [check.when.fill_null(False) for check in checks], nw.lit(False))


def first_of(bits: int) -> int:
    """Place of the first check that applies (bits > 0)."""
    return (bits & -bits).bit_length() - 1


OF_QUARANTINE = {  # the same rule says something else about what it keeps out
    "CSAT-MAP": "a word outside the declared words",
    "NPS-LABEL": "a word outside the declared words",
    "ENC-MOJIBAKE": "text that was decoded wrongly, in over 1 % of its column",
    "NPS-NUM": "no possible answer: not a whole number",
}
REASONS = {
    "BOOL-MAP": "neither a declared word nor a known yes or no",
    "CAT-CASE": "a word that differs by case alone from how most rows write it, written as they do",
    "CAT-CODE": "codes that differ by case alone, both frequent side by side: kept apart",
    "CAT-MAP": "a word outside the declared closed list",
    "COL-EXTRA": "columns that nobody asked for were left out",
    "COL-TYPE": "not of the declared kind: true for an id or a number, a text where a path leads into an object",
    "COL-KIND": "a column that one file fills otherwise than the others do",
    "COL-NORM": "a header differs in blanks, case or composition",
    "CSAT-MAP": "an answer in words, read by the declared list",
    "CUR-MIX": "another currency than the company's",
    "DATE-EPOCH": "outside the years 2000 to 2100 in the declared unit",
    "DATE-FMT": "not written in a declared format",
    "DATE-FUTURE": "after the last day of the data",
    "DATE-RANGE": "no day of the calendar, or outside the years 1971 to 2099",
    "DELIVERY-EARLY": "delivered before it was ordered",
    "ENC-BOM": "a byte order mark was taken off",
    "ENC-MOJIBAKE": "text that was decoded wrongly before it came here",
    "TXT-NORM": "a text in another Unicode form or with unbreakable blanks, written as the others",
    "KEY-FORMULA": "an id as a spreadsheet or a program dressed it (a forced text, 1234.0), taken without that",
    "NUM-ROUND": "an amount with more than four decimals, rounded to four",
    "KEY-EXACT": "an id written as others but for case, blanks or marks, kept apart as declared",
    "FILE-OVERLAP": "records that stand whole in another file too, kept as declared",
    "FILE-UNREAD": "files beside the exports that no pattern of a source names",
    "FILE-XLIMIT": "the number of rows is that of a full sheet: the export may be cut",
    "FMT-BLANK": "empty lines",
    "FMT-EOL": "several kinds of line end",
    "FMT-FOOTER": "a line of totals",
    "FMT-HEADROWS": "further rows of the header",
    "FMT-HUGE": "a field above the size limit",
    "FMT-QUOTE": "a quote that neither opens nor closes a field",
    "FMT-SEPLINE": "the line that names the delimiter was taken off",
    "FMT-SHIFT": "cells that stand in the wrong columns",
    "FMT-TABLE": "a row of another table, under an empty row",
    "FMT-TORN": "a line end inside a cell: the rest of it is the line above or below",
    "FMT-WIDTH": "fewer or more fields than the header",
    "ID-PRECISION": "an id in scientific notation has lost digits",
    "JSON-KEYS": "an object that names a key twice",
    "JSON-PAGE": "answers of a program that say that there are more records than they hold",
    "JSON-LINE": "a line that is no JSON object",
    "KEY-DUP-CONFLICT": "the same key with different content",
    "KEY-DUP-OLD": "an older version of the same key",
    "KEY-DUP-SAME": "the same record once more",
    "KEY-MISSING": "a key is missing",
    "KEY-NORM": "an id written in several ways",
    "KEY-NULL": "no customer is named: counted, never joined",
    "MISS-VALUE": "a required value is missing",
    "NPS-LABEL": "an answer in words, read by the declared list",
    "NPS-NUM": "an answer written as 9,0 or in wide digits",
    "NPS-RANGE": "an answer outside the scale",
    "NUM-CURR": "a currency stood beside the number",
    "NUM-FINITE": "zero, missing, or written so that digits may be lost (1e3, over 14 digits, infinite)",
    "NUM-LOCALE": "not a number in the declared convention",
    "NUM-RANGE": "a number outside what is possible",
    "NUM-SIGN": "a minus sign in an unusual place",
    "ORDER-FILL": "cells taken from the first line of the same order",
    "PII-TEXT": "personal data in a comment were blacked out",
    "REFUND-EXCESS": "returns above what the order sold, or of an order that sold nothing",
    "RETURN-STATUS": "sold and given back on one line: they cancel out",
    "ROW-TEST": "left out by a declared rule",
    "SALE-NEG": "a negative sale that is no declared return",
    "SALE-SIGN": "a return written without its minus",
    "SCORE-RANGE": "an answer outside the scale",
    "SRC-QUALTRICS-HDR": "rows that Qualtrics adds to its header",
    "SRC-SM-HDR": "a second row of the header, joined to the first",
    "SUM-MISMATCH": "the lines of the order do not add up to its total",
    "SURVEY-DUP": "another answer to the same order",
    "SURVEY-EARLY": "answered before it was sent",
    "SURVEY-KIND": "an instrument that is not declared",
    "SURVEY-LATE": "answered long after it was sent",
    "SURVEY-MULTI": "one answer for several orders",
    "SURVEY-QUAL": "unfinished, done in seconds, or the same answer to every question",
    "TENURE-NEG": "ended before it began",
    "TIME-FOLD": "an hour that came twice: taken as the first",
    "TIME-GAP": "an hour that did not exist",
    "TIME-ZONE": "a time without zone where none is declared",
    "TTR-NEG": "solved or answered before it was created",
    "TTR-REOPEN": "solved more than once: it lasts until its last solution",
    "TTR-ORDER": "solved before the first reply",
    "TXT-CTRL": "control characters were taken out",
    "TXT-XLIMIT": "a comment as long as a cell can be: it may be cut",
    "XLS-DATE": "a number where a date was expected",
    "SURVEY-NONE": "none of the declared questions was asked",
    "XLS-FORMULA": "a formula without its value, or an error",
    "XLS-HIDDEN": "hidden rows were read like all others",
}


def reason(rule: str, verdict: Verdict = "quarantined") -> str:
    """What a rule says, in a few words."""
    words = REASONS | OF_QUARANTINE if verdict == "quarantined" else REASONS
    return words.get(rule, "left out by a declared rule")


IN_WORDS = ("FMT-SHIFT",)  # rules that say in words what they found: no cell, columns alone

REMEDIES = {  # what to do where the rows are good and their description, or their place, is not
    "FMT-QUOTE": "`quote: \"\"` if the sign is part of a text (inches) and no field stands between quotes",
    "FMT-SHIFT": "each cell under its own column: the one that is lost, doubled or cut mended where the file was made, "
                 "quotes round a text that holds the delimiter; a file of its own for rows that are right so",
    "FMT-TABLE": "a file or a sheet of its own for that table; no empty row above it if it is the same one",
    "KEY-DUP-CONFLICT": "the column whose values tell the records apart as the key under `columns`; if it is that one, "
                        "`latest_by` keeps the latest version of each",
    "SALE-NEG": "`constants: {is_return: \"@negative\"}` if negative amounts are returns, or is_return under `columns`",
}
