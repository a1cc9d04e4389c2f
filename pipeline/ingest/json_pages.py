"""What stands beside the records of a program's answer and says that there are more of them."""

import re
from typing import Any

NEXT = {"next", "nextpage", "nextpageurl", "nextpagelink", "nexturl", "nextlink", "nextcursor", "nexttoken",
        "nextpagetoken", "nextrecordsurl", "odatanextlink", "continuationtoken", "continuation"}
MORE = {"hasmore", "hasnext", "hasnextpage", "hasmorepages", "morerecords"}  # where true there is more
OVER = {"endofstream", "islastpage", "islast", "last"}  # where false there is more
PAGES = {"totalpages", "pagecount", "lastpage", "pages", "totalpagecount"}
PAGE = {"page", "currentpage", "pagenumber"}
NOTHING = ("", "null", "none", "false", "0")


def more_to_come(values: dict[str, Any]) -> str:
    """The dotted key whose value says that more records follow than this answer holds; "" where none does.

    values: plain values beside the list of records, by dotted path. A word on whether there is more (has_more) decides
    over an address of the next page, which some programs give with their last page too.
    """
    said = {path: (_words(path), str(value).strip().casefold()) for path, value in values.items()
            if value is not None}
    decisive = [(path, (value == "true") == (words[-1] in MORE)) for path, (words, value) in said.items()
                if words[-1] in MORE | OVER and value in ("true", "false")]
    if decisive:
        return next((path for path, is_more in decisive if is_more), "")
    following = next((path for path, (words, value) in said.items() if NEXT & set(words) and value not in NOTHING), "")
    return following or _by_number(said)


def _words(path: str) -> list[str]:
    return [re.sub("[^a-z]", "", part.casefold()) for part in path.split(".")] if path else [""]


def _by_number(said: dict[str, tuple[list[str], str]]) -> str:
    """The key of the number of this page, where another one of the same object says that there are more pages."""
    for path, (words, value) in said.items():
        if words[-1] in PAGE and value.isdecimal():
            totals = [int(other) for there, (names, other) in said.items() if names[-1] in PAGES and other.isdecimal()
                      and there.rpartition(".")[0] == path.rpartition(".")[0]]
            if totals and int(value) < max(totals):
                return path
    return ""
