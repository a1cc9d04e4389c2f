"""What stands beside the records of a program's answer and says that there are more of them."""

import re
from dataclasses import dataclass, field
from typing import Any

NEXT = {"next", "nextpage", "nextpageurl", "nextpagelink", "nexturl", "nextlink", "nextcursor", "nexttoken",
        "nextpagetoken", "nextrecordsurl", "odatanextlink", "continuationtoken", "continuation"}
MORE = {"hasmore", "hasnext", "hasnextpage", "hasmorepages", "morerecords"}  # where true there is more
OVER = {"endofstream", "islastpage", "islast", "last"}  # where false there is more
PAGES = {"totalpages", "pagecount", "lastpage", "pages", "totalpagecount"}
PAGE = {"page", "currentpage", "pagenumber", "number", "pageindex", "pageno"}
OFFSET = {"offset", "skip", "startat", "start", "startindex"}
TOTALS = {"totalsize", "totalcount", "totalrecords", "totalresults", "totalelements", "totalitems", "totalhits",
          "totalentries", "totalrows", "totalobjects", "numfound", "recordstotal"}
AROUND = {"meta", "metadata", "page", "pagination", "paging", "pageinfo", "paginginfo", "pagemeta", "odata", "hits"}
MONEY = re.compile("currency|moneda|tax|vat|^iva$|amount|importe|price|precio|ship|discount|descuento|paid|cost|"
                   "balance|fee$|total$")  # beside them a total is a sum of money
NOTHING = ("", "null", "none", "false", "0")
PLACE = re.compile(r"[?&](?:(page|page\[number\]|page_?number|p)|offset|\$?skip|startat|start_?index)=(\d{1,9})(?=&|$)",
                   re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """One file that is a program's answer. values: plain values beside the list of records, by dotted path; at: the
    dotted path of that list; rows: items in it, None where they were not counted."""

    values: dict[str, Any] = field(default_factory=dict)
    at: str = ""
    rows: int | None = None


@dataclass(frozen=True)
class Said:
    """What one answer says of its place among others. more: the key that says that more follow, "" where none does.

    total: (key, records there are in all), where more than the answer holds. page: (key, its number, pages there are
    in all). place: the number of its page or of its first record; following: what that of the next one may be, where it
    follows from it. address: (is it a page, number in the address of what follows), rest: that address without it.
    """

    more: str = ""
    total: tuple[str, int] | None = None
    page: tuple[str, int, int] | None = None
    place: int | None = None
    following: tuple[int, ...] = ()
    address: tuple[bool, int] | None = None
    rest: str = ""


def said_by(answer: Answer) -> Said:
    """What the values beside the records say. A word on whether there is more (has_more) decides over an address of the
    next page, which some programs give with their last page too."""
    said = {path: (_words(path), str(value).strip()) for path, value in answer.values.items() if value is not None}
    more, address = _more(said)
    found = PLACE.search(address)
    there = (found[1] is not None, int(found[2])) if found else None
    place, step = _place(said, answer.rows)
    following = {there[1]} if there else {int(address)} if address.isdecimal() and len(address) < 10 else set()
    following |= {place + step} if place is not None and step else set()
    return Said(more, _total(said, answer), _page(said), place, tuple(sorted(following)) if more else (), there,
                PLACE.sub("", address) if found else "")


def _words(path: str) -> list[str]:
    return [re.sub("[^a-z]", "", part.casefold()) for part in path.split(".")]


Found = dict[str, tuple[list[str], str]]  # path -> its keys in plain letters, the value as text


def _more(said: Found) -> tuple[str, str]:
    """(the key that says that more records follow, the address of them); "" where there is none."""
    decisive = [(path, (value.casefold() == "true") == (words[-1] in MORE)) for path, (words, value) in said.items()
                if words[-1] in MORE | OVER and value.casefold() in ("true", "false")]
    following = next(((path, value) for path, (words, value) in said.items()
                      if NEXT & set(words) and value.casefold() not in NOTHING), ("", ""))
    if decisive:
        more = next((path for path, is_more in decisive if is_more), "")
        return more, following[1] if more else ""
    return following


def _page(said: Found) -> tuple[str, int, int] | None:
    """(key, number of the page, pages in all) where one object says both and there are several."""
    for path, (words, value) in said.items():
        above = path.rpartition(".")[0]
        if words[-1] in PAGE and value.isdecimal() and (words[-1] != "number" or words[-2:-1] == ["page"] or not above):
            totals = [int(other) for there, (names, other) in said.items() if names[-1] in PAGES and other.isdecimal()
                      and there.rpartition(".")[0] == above]
            if totals and max(totals) > 1:
                return path, int(value), max(totals)
    return None


def _place(said: Found, rows: int | None) -> tuple[int | None, int]:
    """(number of this page or of its first record, what is added to it for the next one; 0 unknown)."""
    for names, step in ((OFFSET, rows or 0), (PAGE - {"number"}, 1)):
        for words, value in said.values():
            if words[-1] in names and value.isdecimal() and len(value) < 10:
                return int(value), step
    return None, 0


def _total(said: Found, answer: Answer) -> tuple[str, int] | None:
    """(key, number) of the records that there are in all, where the answer holds fewer: in an object around the list,
    or in one beside it that speaks of pages. A `total` beside words of money is none; `count` only where nothing else
    is told."""
    if answer.rows is None or not answer.at:
        return None
    names = answer.at.split(".")[:-1]
    around = {".".join(names[:deep]) for deep in range(len(names) + 1)}
    found = []
    for path, (words, value) in said.items():
        keys = path.split(".")
        if words[-1] == "value" and len(words) > 1:  # hits.total.value
            keys, words = keys[:-1], words[:-1]
        inner = len(keys) > 1 and words[-2] in AROUND and ".".join(keys[:-1]) not in around
        above = ".".join(keys[:-2] if inner else keys[:-1])
        if above in around and value.isdecimal() and len(value) < 12 and (rank := _rank(words, keys, said)):
            found.append((rank, -len(above), path, int(value)))
    sure = min(found, default=None)
    return (sure[2], sure[3]) if sure and sure[3] > answer.rows else None


def _rank(words: list[str], keys: list[str], said: Found) -> int:
    """How sure it is that a key counts records: 1 by its name, 2 a `total`, 3 a `count`; 0 where it does not."""
    above = keys[:-1]
    if words[-1] in TOTALS or words[-2:] == ["odata", "count"]:
        return 1
    if words[-1] == "total":
        beside = [names[-1] for path, (names, _) in said.items()
                  if path.split(".")[:-1] == above and path.split(".") != keys]
        return 0 if any(map(MONEY.search, beside)) else 2
    return 3 if words[-1] == "count" else 0
