"""What the headers of an export probably mean: the canonical table, its columns, the questions of a survey."""

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.contracts.tables import TABLES

WORDS = Path(__file__).with_name("meanings.yaml")
LONG = 6  # a header with more words is a question, not a name
TELLING = {"surveys": 3.5, "tickets": 2.0, "sales": 2.0, "customers": 1.0, "contacts": 2.0, "actions": 2.0,
           "costs": 2.0}

THINGS = {"product", "producto", "category", "categoria", "item", "lineitem", "branch", "tienda", "campaign", "file"}
PROOF = {  # a table is guessed only where one of these columns is found
    "tickets": {"first_reply_at", "solved_at", "status", "reason", "is_complaint", "priority"},
    "customers": {"segment", "value_band", "party_type", "acquired_at", "ended_at", "is_churned", "tenure_months"},
}


@cache
def meanings() -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(WORDS.read_text(encoding="utf-8"))


@lru_cache(maxsize=20_000)
def plain(header: str) -> str:
    """A header as words without accents, case and signs; CamelCase and snake_case split."""
    split = re.sub(r"(?<=[a-záéíóúñ])(?=[A-Z])", " ", header)
    bare = "".join(c for c in unicodedata.normalize("NFD", split.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", bare))


def holds(header: str, phrases: list[str]) -> int:
    """How well a header fits: 2 × rank from the end for the phrase itself, less for its words inside; 0 not at all."""
    words = plain(header)
    glued = words.replace(" ", "")
    best = 0
    for rank, phrase in enumerate(phrases):
        worth = 2 * (len(phrases) - rank)
        if words == phrase or glued == phrase.replace(" ", ""):
            best = max(best, worth + 2 * len(phrases))
        elif len(words.split()) <= LONG and " " in phrase and set(phrase.split()) <= set(words.split()):
            best = max(best, worth)
    return best


def map_columns(table: str, headers: list[str], fits: dict[str, set[str]]) -> dict[str, str]:
    """canonical -> header for one table, the best fit first, each header once.

    fits: header -> kinds that its values allow (number, time, text); a time is only fed by times, a number by numbers.
    """
    scored = []
    for canonical, phrases in meanings().get(table, {}).items():
        kind = TABLES[table][canonical].kind
        needed = "time" if kind == "timestamp" else "number" if kind in ("number", "integer", "money") else "text"
        for place, header in enumerate(headers):
            worth = holds(header, phrases) if needed in fits[header] else 0
            if worth:
                scored.append((-worth / len(phrases), place, canonical, header))
    found: dict[str, str] = {}
    for _, _, canonical, header in sorted(scored):
        if canonical not in found and header not in found.values():
            found[canonical] = header
    return {name: found[name] for name in meanings().get(table, {}) if name in found}


def questions(headers: list[str], scales: dict[str, Any]) -> dict[str, str]:
    """instrument -> header among the headers whose values can be answers on a scale (`scales`)."""
    found: dict[str, str] = {}
    for header in headers:
        if header not in scales:
            continue
        words = plain(header).split()
        for instrument in ("nps", "csat", "ces", "score"):
            phrases = meanings()["instruments"][instrument]
            if instrument not in found and any(set(p.split()) <= set(words) for p in phrases):
                found[instrument] = header
                break
    return found


def guess_table(headers: list[str], fits: dict[str, set[str]], asked: dict[str, str]) -> tuple[str | None, str]:
    """(the canonical table, why); None when no table, or more than one, fits."""
    worth = {}
    for table in TABLES:
        found = map_columns(table, headers, fits)
        required = [c.name for c in TABLES[table].columns if c.required and c.name in meanings().get(table, {})]
        given = sum(name in found for name in required)
        if table == "surveys":
            worth[table] = (TELLING[table] if asked else -9) + 0.5 * len(found)
        elif table == "tickets" and PROOF[table] & set(found) <= {"status"} and "net_amount" in \
                map_columns("sales", headers, fits):
            worth[table] = -9.0 + len(found)  # a payment has a status too
        elif given < len(required) or not PROOF.get(table, set(found)) & set(found):
            worth[table] = -9.0 + len(found)
        else:
            worth[table] = TELLING[table] + len(found)
    ranked = sorted(worth, key=lambda table: -worth[table])
    first, second = ranked[0], ranked[1]
    if worth[first] <= 0 or worth[first] - worth[second] < 1:
        return None, f"it could be {first} or {second}" if worth[first] > 0 else "its headers tell no table"
    return first, "its headers name " + ", ".join([*map_columns(first, headers, fits), *asked][:6])


def is_personal(header: str) -> bool:
    """Whether the header promises a name, an address or the like."""
    words = set(plain(header).split())
    return not words & THINGS and any(set(phrase.split()) <= words for phrase in meanings()["personal"])


def known_word(canonical: str, text: str) -> str | None:
    """The closed value that a word usually stands for."""
    for value, words in meanings()["words"].get(canonical, {}).items():
        if plain(text) in words:
            return value
    return None
