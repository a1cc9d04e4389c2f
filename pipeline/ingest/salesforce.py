"""Ids of Salesforce: 15 characters in which case counts, or the same with three more that make up for lost case."""

import re
from collections.abc import Iterable
from itertools import product

SHORT, LONG = re.compile("[a-zA-Z0-9]{15}"), re.compile("[a-zA-Z0-9]{15}[A-Z0-5]{3}")
DIGIT = re.compile("[0-9]")
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
OBJECTS = ("001", "003", "005", "006", "00Q", "00T", "00U", "00k", "00D", "01t", "02i", "0Q0", "500", "701", "800",
           "801", "802")  # how ids of an account, a contact, a user, a lead … begin, wherever they come from
LEAST, MOST = 3, 0.9  # ids of a column, and the share of them that must have the form

NOTES = {length: f"ids of Salesforce with {length} characters: those with {33 - length} in another file name the same "
                 "records and do not meet them" for length in (15, 18)}


def long_form(short: str) -> str:
    """The 18 characters of an id of 15: each further one tells which of five letters are capitals (Salesforce's rule:
    the first of the five is the lowest bit)."""
    parts = (short[at:at + 5] for at in (0, 5, 10))
    capitals = (sum(1 << bit for bit, sign in enumerate(part) if "A" <= sign <= "Z") for part in parts)
    return short + "".join(SIGNS[number] for number in capitals)


def length_of(texts: Iterable[str]) -> int:
    """15 or 18 where most of these texts are such ids (18: those whose last three check); else 0."""
    texts = list(texts)
    is_mixed = sum(text != text.lower() and text != text.upper() for text in texts) * 2 > len(texts)
    if len(texts) < LEAST or not is_mixed:
        return 0
    if sum(SHORT.fullmatch(text) is not None and DIGIT.search(text) is not None for text in texts) >= MOST * len(texts):
        return 15
    fits = sum(LONG.fullmatch(text) is not None and long_form(text[:15]) == text for text in texts)
    return 18 if fits >= MOST * len(texts) else 0


def note_of(texts: Iterable[str], length: int, is_theirs: bool) -> str:
    """What a reader of ids of this length should know; "" where 15 characters may be those of any other program: their
    layout is not Salesforce's (is_theirs), and they do not begin as its ids do."""
    texts = list(texts)
    begin = sum(text.startswith(OBJECTS) for text in texts) >= MOST * len(texts)
    return NOTES[length] if length == 18 or (length == 15 and (is_theirs or begin)) else ""


def met_halfway(columns: list[tuple[str, str, int, frozenset[str]]]) -> list[str]:
    """A sentence for each pair of columns that name the same records, one with 15 characters and one with 18.

    columns: (file, header, length, ids by their first 15 characters).
    """
    said = []
    for (file, head, length, ids), (other, other_head, other_length, others) in product(columns, columns):
        same = len(ids & others)
        if (length, other_length) == (15, 18) and same:
            said.append(f"{same} ids of {head!r} in {file} are the first 15 characters of ids of {other_head!r} in "
                        f"{other}: the same records of Salesforce, which do not meet; export both with 18 (CASESAFEID)")
    return said
