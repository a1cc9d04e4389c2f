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
# A lone "codigo" is no proof of tickets: beside it stands one of these.
SURE_TICKETS = {"first_reply_at", "solved_at", "is_complaint", "priority"}
BARE_KEYS = {"codigo"}
SHARE = {"pct", "porcentaje", "percent", "percentage", "porc", "tasa", "rate"}
TAX = {"iva", "igic", "vat", "tax", "taxes", "gst", "impuesto", "impuestos"}
UNTAXED = {"sin", "excl", "excluding", "without", "before", "antes"}
NATIONAL = {"nif", "dni", "cif"}  # of the customer, unless one and the same stands on most rows: that of the seller
UNNAMED = {"incidencia", "reclamacion", "caso", "ticket", "codigo"}  # as often a kind of ticket as its number


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
    "yes or no" and "repeats" among them say that the values cannot tell records apart; a share is no amount of money.
    """
    scored = []
    for canonical, phrases in meanings().get(table, {}).items():
        kind = TABLES[table][canonical].kind
        needed = "time" if kind == "timestamp" else "number" if kind in ("number", "integer", "money") else "text"
        for place, header in enumerate(headers):
            cannot = needed not in fits[header] or (kind == "money" and is_share(header)) or \
                (canonical.endswith("_id") and _is_no_id(table, canonical, header, fits[header]))
            worth = 0 if cannot else holds(header, phrases)
            if worth:
                scored.append((-worth / len(phrases), place, canonical, header))
    found: dict[str, str] = {}
    for _, _, canonical, header in sorted(scored):
        if canonical not in found and header not in found.values():
            found[canonical] = header
    return {name: found[name] for name in meanings().get(table, {}) if name in found}


def is_share(header: str) -> bool:
    """Whether the header names a percentage or a rate: Margen %, tasa; not the rate within a name, as in IVA 21%."""
    return re.search(r"(?<!\d)(?<!\d )%", header) is not None or bool(SHARE & set(plain(header).split()))


def is_tax(header: str) -> bool:
    """Whether the header names a tax, and not an amount without it."""
    words = set(plain(header).split())
    return bool(words & TAX) and not words & UNTAXED


def _is_no_id(table: str, canonical: str, header: str, fits: set[str]) -> bool:
    """Whether the values are too few to be ids: none is yes or no, and the key of a table has more than few; a header
    that may as well name a kind of ticket must tell most of them apart."""
    if "yes or no" in fits:
        return True
    if plain(header) in NATIONAL and "seldom" in fits:
        return True
    if canonical != TABLES[table].key[0]:
        return False
    return "seldom" in fits or (table == "tickets" and "repeats" in fits and plain(header) in UNNAMED)


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
        elif given < len(required) or not (SURE_TICKETS if plain(found.get("ticket_id", "")) in BARE_KEYS else
                                           PROOF.get(table, set(found))) & set(found):
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
