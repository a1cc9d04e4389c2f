"""What the cells of a column look like: the few shapes, or words, that nearly all of them share."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pipeline.ingest.engine import literal, quoted

FREQUENT, MOST = 0.25, 0.9  # share of a column's cells from which a shape is one of its own; share that these hold
WORDS, TIMES = 12, 4  # so many different texts without digits, each so many times, are the words of a category
LEAST = 8  # filled cells that say something
SELDOM = 0.02  # share of empty cells in a column that is always filled
LONGEST = 60  # letters of a cell that may have a shape
MISSING = frozenset(("na", "n/a", "nan", "null", "none", "-", "--", "?", "nd", "n/d", "s/d"))
_NUMBER = re.compile(r"[-+(]?\s?[€$£]?\s?(?:\d+|\d{1,3}(?:[., '’]\d{3})+)(?P<rest>[.,]\d+)?\s?[€$£%]?\)?")
_RUNS = re.compile(r"(?P<digits>\d+)|(?P<letters>[^\W\d_]+)|(?P<blanks>\s+)")


@dataclass(frozen=True)
class Shape:
    """shapes: those of nearly all cells, or words: their texts; both empty where the cells are free. is_filled: hardly
    a cell is empty. longest: letters of the longest cell seen. missing: words for no value, in small letters."""

    shapes: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    is_filled: bool = False
    longest: int = 0
    missing: frozenset[str] = MISSING

    @property
    def is_firm(self) -> bool:
        return bool(self.shapes or self.words)

    def fits(self, cell: str) -> bool:
        """Whether a cell looks like the others; an empty one does unless hardly any is, a word for missing does."""
        text = cell.strip()
        if not text:
            return not self.is_filled
        if not self.is_firm or text in self.words or text.casefold() in self.missing:
            return True
        return shape_of(text) in self.shapes


@lru_cache(maxsize=100_000)
def shape_of(text: str) -> str:
    """9-9-9 for 2025-03-01, a9 for C0017, i for a whole number, f for one with a fraction or groups."""
    if len(text) > LONGEST:
        return "…"
    if _NUMBER.fullmatch(text):
        return "i" if text.strip("-+( ").isdigit() else "f"
    return _RUNS.sub(lambda run: {"digits": "9", "letters": "a", "blanks": " "}[run.lastgroup], text)


def learn(cells: Iterable[str | None], missing: frozenset[str] = MISSING) -> Shape:
    """The shape of a column whose cells are these; missing: words for no value, in small letters."""
    texts = [(cell or "").strip() for cell in cells]
    filled = [text for text in texts if text and text.casefold() not in missing]
    empty = sum(not text for text in texts)
    is_filled = len(filled) >= LEAST and empty <= max(SELDOM * len(texts), len(texts) > LEAST)
    if len(filled) < LEAST:
        return Shape(missing=missing)
    longest = max(map(len, filled))
    words = Counter(filled)
    own = frozenset(word for word, times in words.items() if times >= TIMES and not re.search(r"\d", word))
    if len(words) <= WORDS and sum(words[word] for word in own) >= MOST * len(filled) and own:
        return Shape(words=own, is_filled=is_filled, longest=longest, missing=missing)
    seen = Counter(map(shape_of, filled))
    often = {shape: times for shape, times in seen.items() if times >= FREQUENT * len(filled) and " a" not in shape
             and shape != "…"}
    if sum(often.values()) < MOST * len(filled) and sum(often.values()) < len(filled) - 1:
        return Shape(is_filled=is_filled, missing=missing)
    return Shape(frozenset(often), is_filled=is_filled, longest=longest, missing=missing)


def may_misfit(name: str, shape: Shape) -> str:
    """An expression, true wherever a cell does not fit and cheap: it may be true of some that do."""
    x, known = quoted(name), ""
    if shape.words:
        known = f"{x} IN ({', '.join(map(literal, sorted(shape.words)))})"
    elif shape.shapes:
        begins = {one[0] in "9if" for one in shape.shapes}
        digit = {(True,): f"{x} >= '0' AND {x} < ':' AND ", (False,): f"({x} < '0' OR {x} >= ':') AND "}
        known = f"{digit.get(tuple(begins), '')}strlen({x}) <= {2 * shape.longest + 4}"
    if shape.is_filled:
        return f"NOT coalesce({x} <> ''{f' AND {known}' if known else ''}, FALSE)"
    return f"coalesce({x} <> '' AND NOT ({known}), FALSE)" if known else "FALSE"


def surely_fits(name: str, shape: Shape) -> str:
    """An expression, true only where a cell fits: of plain ASCII, in one of the spellings that nearly all have."""
    x = quoted(name)
    tests = [] if shape.is_filled else [f"{x} = ''"]
    if not shape.is_firm:
        tests.append(f"({x} >= '!' AND {x} < '\x7f')")
    else:
        is_ascii = f"strlen({x}) = length({x}) AND "
        tests += [f"{x} IN ({', '.join(map(literal, sorted(shape.words)))})"] if shape.words else []
        patterns = [pattern for one in sorted(shape.shapes) if (pattern := _pattern(one))]
        full = f"^ *(?:{'|'.join(patterns)}) *$"
        tests += [f"strlen({x}) <= {LONGEST} AND regexp_matches({x}, {literal(full)})"] if patterns else []
        absent = ", ".join(literal(word) for word in sorted(shape.missing) if word.isascii())
        tests += [f"{is_ascii}lower(trim({x})) IN ({absent})"] if absent else []
    known = " OR ".join(f"({test})" for test in tests)
    return f"CASE WHEN {x} IS NULL THEN {not shape.is_filled} ELSE {known or 'FALSE'} END"


def _pattern(shape: str) -> str:
    """A pattern of plain texts that all have this shape; empty where a number might look like them."""
    if shape in ("i", "f"):
        return "[-+]?[0-9]+" if shape == "i" else "[-+]?(?:[€$£] ?)?[0-9]+[.,][0-9]+"
    if not shape.isascii() or not ("a" in shape or re.search("9[-/:]9", shape)):
        return ""
    parts = {"9": "[0-9]+", "a": "[A-Za-z]+", " ": " +"}
    return "".join(parts.get(sign, re.escape(sign)) for sign in shape)
