"""Evidence in columns: what each holds, whether it can be a key, and which scale its answers may have."""

import re
from dataclasses import dataclass, field
from typing import Literal

from pipeline.ingest import salesforce
from pipeline.ingest.columns import YES_NO
from pipeline.ingest.evidence import EMAIL, NOT_ASKED, PERHAPS_MISSING, SURELY_MISSING, Cell, is_number, masked
from pipeline.ingest.evidence_dates import date_form
from pipeline.ingest.meaning import is_personal, plain

MOST = 0.9  # share of the cells that a kind must explain
SELDOM = 50  # records with one value, on average, from which on it is no key
FEW = 20  # different words of a column that is a list of words
TIME_WORDS = {"date", "fecha", "at", "time", "timestamp", "created", "updated", "alta", "baja", "inicio", "fin", "hora"}
ID_WORDS = {"id", "ids", "uuid", "key", "code", "codigo", "cod", "zip", "number", "numero"}
OWNERS = {"cliente", "customer", "cuenta", "account", "pedido", "order", "factura", "invoice", "ticket", "user",
          "usuario", "person"}
LABEL = re.compile(r"\s*(\d{1,2})\s*[-–—=:.)(]\s*[^\d\s].*")
ANSWER = re.compile(r"\d{1,2}(?:[.,]0+)?")
SHORTEST = 8  # letters and digits of an id that a machine made
SALESFORCE = re.compile("[a-zA-Z0-9]{15}")
UNKNOWN_TIMES = "seems to hold times in a form that is not known"
HOURS = re.compile(r"\d{1,2}:\d{2}|\d{4}")
SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+")


@dataclass(frozen=True)
class Column:
    """One column as the sample shows it. kind: what most of its filled cells are; words: its different texts when they
    are few and name nobody; scale: lowest and highest answer seen when they could be answers; labels: answers such as
    "10 - Muy probable"; not_asked: words that say the question was none; notes: what a reader should know of it."""

    header: str
    kind: Literal["empty", "time", "number", "email", "words", "text"]
    filled: int
    empty: int
    distinct: int
    words: tuple[str, ...] = ()
    scale: tuple[int, int] | None = None
    labels: tuple[tuple[str, int], ...] = ()
    not_asked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    example: str = ""
    case_twins: int = 0  # different texts that are another one but for case
    is_cased: bool = False  # ids in which case tells one from another, as a machine makes them
    below_zero: int = 0  # numbers that are negative
    salesforce: int = 0  # characters of what has the form of ids of Salesforce, 15 or 18
    records: frozenset[str] = field(default=frozenset(), repr=False)  # those ids by their first 15 characters

    @property
    def is_unique(self) -> bool:
        return self.filled > 1 and self.distinct == self.filled

    @property
    def fits(self) -> set[str]:
        """Which kinds of canonical column it can feed, and what speaks against its being a key: "yes or no", "repeats"
        (half of the cells or more have a value that another has), "seldom" (a new value comes up seldom)."""
        if self.kind == "empty":
            return {"time", "number", "text"}
        against = {"yes or no"} if self.words and {word.casefold() for word in self.words} <= set(YES_NO) else set()
        against |= {"repeats"} if self.distinct > 0 and 2 * self.distinct <= self.filled else set()
        against |= {"seldom"} if self.distinct <= FEW and SELDOM * self.distinct <= self.filled else set()
        return {"time": {"time"}, "number": {"number", "text"}}.get(self.kind, {"text"}) | against


def is_cased(text: str) -> bool:
    """Whether an id mixes small letters, capitals behind the first letter, and digits, as machines do and people
    seldom: 0015g00000Kq1Za, cus_NffrFeUfNV2Hib; not Ana1980 nor C-0007."""
    return bool(len(text) >= SHORTEST and re.fullmatch("[A-Za-z0-9_-]*", text) and re.search("[a-z]", text)
                and re.search(".[A-Z]", text) and re.search("[0-9]", text))


def names_somebody(header: str) -> bool:
    """Whether the cells of this column may stand for a person, so that none is shown."""
    return is_personal(header) or bool(ID_WORDS & set(plain(header).split())) or plain(header) in OWNERS


def is_time_header(header: str) -> bool:
    return bool(TIME_WORDS & set(plain(header).split()))


def is_below_zero(text: str) -> bool:
    """Whether a number is negative, in any of the ways of writing that ingest reads: -5, 5-, (5), -5 €."""
    is_marked = "-" in text or text.strip().startswith("(")
    return is_marked and is_number(text) and any(digit in "123456789" for digit in text)


def is_missing(text: str) -> bool:
    word = text.strip().casefold()
    return not word or word in SURELY_MISSING or word in PERHAPS_MISSING


def describe(header: str, cells: list[Cell], is_salesforce: bool = False) -> Column:
    """The facts of one column. is_salesforce: the layout of the file is one of Salesforce's."""
    texts = [text.strip() for _, text in cells if not is_missing(text)]
    if not texts:
        return Column(header, "empty", 0, len(cells), 0)
    distinct = dict.fromkeys(texts)
    expected = is_time_header(header)
    if _most(texts, lambda text: date_form(text, expected) is not None):
        kind = "time"
    elif _most(texts, is_number):
        kind = "number"
    elif _most(texts, lambda text: EMAIL.fullmatch(text) is not None):
        kind = "email"
    else:
        few = len(distinct) <= FEW and max(map(len, distinct)) <= 60 and not is_personal(header)
        kind = "words" if few and len(distinct) <= max(2, len(texts) // 2) else "text"
    notes = (UNKNOWN_TIMES,) if expected and kind in ("text", "words") and _most(texts, HOURS.search) else ()
    labels = {text: int(found[1]) for text in distinct if (found := LABEL.fullmatch(text)) and int(found[1]) <= 10}
    scale, outside = _scale(texts, labels) if kind in ("number", "words", "text") else (None, 0)
    unasked = dict.fromkeys(text.strip() for _, text in cells if text.strip().casefold() in NOT_ASKED)
    length = salesforce.length_of(distinct) if kind in ("text", "words") else 0
    theirs = salesforce.note_of(distinct, length, is_salesforce)
    if kind == "time" or (kind == "number" and not names_somebody(header) and len(texts[0].split(".")[0]) < 6):
        example = texts[0]
    else:
        example = "" if kind in ("words", "text") and " " in texts[0] else masked(texts[0])
    return Column(header, kind, len(texts), len(cells) - len(texts), len(distinct),
                  tuple(sorted(distinct)) if kind == "words" else (), scale,
                  tuple(sorted(labels.items(), key=lambda item: item[1])) if scale else (),
                  tuple(unasked) if scale else (),
                  (f"{outside} outside 0 to 10, if these are answers",) if outside else
                  notes + _strangers(cells, kind, expected) + _notes(texts) + ((theirs,) if theirs else ()), example,
                  *_case(list(distinct)), sum(map(is_below_zero, texts)) if kind == "number" else 0,
                  length, frozenset(text[:15] for text in distinct) if length else frozenset())


def _case(texts: list[str]) -> tuple[int, bool]:
    """(texts that are another one but for case, whether case tells them apart): the latter where two that machines
    made are the same but for case, or where all have the 15 characters of Salesforce."""
    alike: dict[str, list[str]] = {}
    for text in texts:
        alike.setdefault(text.lower(), []).append(text)
    twins = [text for same in alike.values() if len(same) > 1 for text in same]
    short = all(SALESFORCE.fullmatch(text) for text in texts) and sum(map(is_cased, texts)) * 2 > len(texts)
    return len(twins), short or sum(map(is_cased, twins)) > 1


def _most(texts: list[str], holds) -> bool:
    return sum(map(bool, map(holds, texts))) >= MOST * len(texts)


def _scale(texts: list[str], labels: dict[str, int]) -> tuple[tuple[int, int] | None, int]:
    """Lowest and highest of what may be answers (whole numbers from 0 to 10, bare or with their label), and how many
    cells are none; (None, 0) when too many are."""
    values = [labels[text] if text in labels else int(re.split("[.,]", text)[0]) for text in texts
              if text in labels or ANSWER.fullmatch(text)]
    inside = [value for value in values if value <= 10]
    if not inside or len(inside) < MOST * len(texts) or max(inside) <= 1:
        return None, 0
    return (min(inside), max(inside)), len(texts) - len(inside)


def _strangers(cells: list[Cell], kind: str, is_expected: bool) -> tuple[str, ...]:
    """What is none of its column, where nearly all cells are numbers or times."""
    if kind not in ("number", "time"):
        return ()
    lines = [line for line, text in cells if not is_missing(text) and not (
        is_number(text.strip()) if kind == "number" else date_form(text, is_expected))]
    is_none = "are no numbers" if kind == "number" else "are no times"
    return (f"{len(lines)} of its cells {is_none}, the first on line {lines[0]}: mapped, they go to quarantine",) \
        if lines else ()


def _notes(texts: list[str]) -> tuple[str, ...]:
    found = []
    if any(SCIENTIFIC.fullmatch(text) for text in texts):
        found.append("scientific notation: a spreadsheet has cut digits off (ID-PRECISION if it is an id)")
    if not _most(texts, str.isdigit):
        return tuple(found)
    if any(len(text) > 1 and text.startswith("0") for text in texts):
        found.append("leading zeros: an id, not a number")
    if any(len(text) > 15 for text in texts):
        found.append("more than 15 digits: an id, not a number")
    return tuple(found)
