"""What a block would lose or mistake without a word, as questions: what says so, and what to write."""

from collections.abc import Iterator
from typing import Any

from pipeline.contracts.tables import TABLES
from pipeline.ingest import meaning
from pipeline.ingest.columns import NEGATIVE
from pipeline.ingest.contract import TELL
from pipeline.ingest.evidence_columns import UNKNOWN_TIMES
from pipeline.ingest.inspect import Inspection

TIMES = {"sales": "ordered_at", "tickets": "created_at", "surveys": "responded_at"}  # without it nothing has its month
NUMERIC = ("number", "integer", "money")
KEYS = ("number", "text", "words")  # what a key can look like
NAMED = 6  # headers in one question


def which_header(found: Inspection, name: str) -> str:
    """The question for a column that no header is known to feed, with the free headers whose values could."""
    column = TABLES[found.table][name]
    needed = "time" if column.kind == "timestamp" else "number" if column.kind in NUMERIC else "all different"
    could = [head for head in _free(found, needed) if column.kind != "money" or not meaning.is_share(head)]
    holds = f"; {', '.join(map(repr, could[:NAMED]))} could" if could else ""
    return f"{TELL} which header holds it? ({column.meaning}){holds}"


def which_amount(found: Inspection) -> str | None:
    """The question for an amount that the header next to it puts in doubt: a total beside a tax, a price beside a
    quantity; None where it stands as it is."""
    head = found.mapped.get("net_amount", "")
    words = set(meaning.plain(head).split())
    taxes = [name for name, column in found.columns.items() if name != head and column.kind == "number"
             and meaning.is_tax(name)]
    if words & {"total", "price"} and taxes and not words & meaning.UNTAXED:
        return f"{TELL} {head!r} stands beside the tax {taxes[0]!r}: which header holds the amount without tax?"
    if words == {"price"} and "quantity" in found.mapped:
        many = found.mapped["quantity"]
        return (f"{TELL} {head!r} stands beside {many!r}: is it the price of one unit? Then write {head!r} here and "
                f"`per_unit: true` beside `columns`; if it is that of the whole line, {head!r} alone")
    return None


def ask_shares(found: Inspection, told: dict[str, str]) -> None:
    """What is left out because its header names a share: no amount of money."""
    for name in ("net_amount", "margin"):
        heads = [head for head in found.columns if meaning.is_share(head)
                 and meaning.holds(head, meaning.meanings()["sales"][name])]
        if found.table == "sales" and name not in found.mapped and heads:
            told[name] = f"{heads[0]!r} names a share, not an amount of money: it is left out of {name}"


def _free(found: Inspection, kind: str) -> list[str]:
    """Headers of that kind, or with a value of its own in every row, that feed nothing."""
    free = {head: column for head, column in found.columns.items()
            if head not in found.mapped.values() and head not in found.asked.values()}
    if kind == "all different":
        return [head for head, column in free.items() if column.is_unique and column.kind in KEYS]
    return [head for head, column in free.items() if column.kind == kind]


def open_time(found: Inspection) -> str | None:
    """The canonical time of this table, where no header is known for it though the file holds times."""
    name = TIMES.get(found.table or "")
    return name if name and name not in found.mapped and _free(found, "time") else None


def ask_silent(found: Inspection, given: dict[str, Any], told: dict[str, str]) -> None:
    """What would be missing without a word: times that no format reads or that stand nowhere, whose rows these are,
    and amounts below zero."""
    unread = [head for head, column in found.columns.items() if UNKNOWN_TIMES in column.notes]
    if unread:
        told["timestamps"] = (f"{unread[0]!r} seems to hold times in a form that is not known: give it in `timestamps` "
                              "(strptime, such as \"%B %d, %Y %I:%M %p\") and map the header under `columns`")
    if found.table in ("surveys", "tickets", "sales") and "customer_id" not in found.mapped and not given:
        told["customer_id"] = "no header is known to name the customer; without one these rows meet no others"
    name = TIMES.get(found.table or "")
    if name and name not in found.mapped and not open_time(found) and not given.get("columns"):
        told[name] = "no header is known to hold it, nor any times: without it these rows belong to no month"
    amount = found.mapped.get("net_amount", "")
    below = found.columns[amount].below_zero if amount and found.table == "sales" else 0
    if below and "is_return" not in {*found.mapped, *given.get("constants", {}), *given.get("columns", {})}:
        told["is_return"] = (f"{amount!r} holds negative amounts ({below}): returns? Then `constants: {{is_return: "
                             f"\"{NEGATIVE}\"}}`, or map the header that says so; else they are quarantined (SALE-NEG)")


def ask_ids(found: Inspection, told: dict[str, str]) -> None:
    """What says that case tells ids apart: ids as machines make them, or a key that meets itself but for case."""
    for name, head in _ids(found):
        column, key = found.columns[head], TABLES[found.table].key if found.table else ()
        if column.is_cased:
            told["company.ids"] = (f"in {head!r} capitals and small letters tell ids apart: say `ids: exact` under "
                                   "`company`, and they are taken byte for byte in all sources")
        elif column.case_twins and key == (name,):
            told["company.ids"] = (f"{column.case_twins} of {head!r} are the same but for case: `ids: exact` under "
                                   "`company` if they are different ones, `ids: folded` if they are the same")


def _ids(found: Inspection) -> Iterator[tuple[str, str]]:
    """(canonical, header) of the columns that hold ids of machines or companies."""
    key = TABLES[found.table].key if found.table else ()
    return ((name, head) for name, head in found.mapped.items()
            if found.columns[head].kind != "email" and (name.endswith("_id") or name in key))
