"""How well the sources meet: rows with and without a customer, orphans, revenue behind the answers, what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw

from pipeline.contracts.refusal import Refusal
from pipeline.link.base import Base, Whole, prepare
from pipeline.link.calendar import local_day
from pipeline.link.engine import MINOR, Native, rows
from pipeline.link.engine import whole as whole_minor
from pipeline.link.flows import distinct, known, sums
from pipeline.link.identity import OWNED

FLOWS = ("surveys", "tickets", "sales")  # tables to which every month adds rows
CORE = ("surveys", "tickets", "sales", "customers", "actions")
# What a question needs; in an inner tuple any one is enough. "surveys.silence" are invitations without an answer.
NEEDS: dict[str, tuple[str | tuple[str, ...], ...]] = {
    "experience_scores": ("surveys",),
    "scores_over_time": ("surveys.responded_at",),
    "response_rate": ("surveys.sent_at", "surveys.silence"),
    "time_to_resolution": ("tickets.created_at", "tickets.solved_at"),
    "experience_and_sales": ("surveys.customer_id", "surveys.responded_at", "sales.customer_id", "sales.ordered_at"),
    "experience_and_churn": ("surveys.customer_id", ("customers.ended_at", "customers.is_churned", "sales.ordered_at")),
    "contract_churn": (("customers.ended_at", "customers.is_churned"),),
    "churn_over_time": (("customers.ended_at", "sales.ordered_at"),),
    "inactivity_churn": ("sales.customer_id", "sales.ordered_at"),
    "repeat_purchase": ("sales.customer_id", "sales.ordered_at"),
    "margin": ("sales.margin",),
    "promise_kept": (("sales.promised_at", "tickets.promised_at"), ("sales.delivered_at", "tickets.solved_at")),
    "effect_of_actions": ("actions.received_at",),
}


@dataclass(frozen=True)
class Met:
    """What some people add to the facts: how many they are; per table the rows of customers whom the register does not
    know (None where nothing can be compared); net revenue of them all and of those who answered, in ten-thousandths."""

    customers: int
    strays: dict[str, int | None]
    linked: int
    answered: int


def meet(base: Base) -> Met:
    """How the sources meet in these people."""
    register = _register(base.frames)
    strays: dict[str, int | None] = {}
    for name in base.owners:
        strays[name] = None
        if register in base.frames and register != name:
            lost = base.owners[name].join(base.owners[register], on="customer_id", how="anti")
            strays[name] = int(rows(lost.select(nw.col("n").sum()))[0]["n"] or 0)
    linked = answered = 0
    if base.flows.orders is not None:
        spent = sums(base.flows.orders, ["person"], ["net_amount"])
        linked = _sum(spent)
        if base.flows.surveys is not None:
            everybody = distinct(base.flows.surveys.filter(known("score")), ["person"])
            answered = _sum(spent.join(everybody, on="person", how="semi"))
    return Met(0 if base.people is None else rows(base.people.select(n=nw.len()))[0]["n"], strays, linked, answered)


def all_met(parts: Sequence[Met]) -> Met:
    """What all of the people add, part by part."""
    strays = {name: None if first is None else sum(part.strays[name] or 0 for part in parts)
              for name, first in parts[0].strays.items()}
    return Met(sum(part.customers for part in parts), strays, sum(part.linked for part in parts),
               sum(part.answered for part in parts))


def _register(frames: Mapping[str, nw.LazyFrame]) -> str:
    return "customers" if "customers" in frames else "sales"


def build_linkage(tables: Mapping[str, Native] | Whole, time_zone: str, *, met: Met | None = None,
                  as_of: str | None = None, orphan_share: float = 0.2, stale_days: int = 31,
                  most_orphans: float | None = None) -> dict[str, Any]:
    """Facts on tables whose accounts are resolved, as plain values for linkage.json.

    tables: per table rows, rows_with_customer, rows_without_customer (KEY-NULL: never joined), rows_orphan (KEY-ORPHAN:
    customer not in the customers table, or without one not in sales; None where nothing can be compared), days and
    columns that are missing throughout. revenue in currency units, exact. cannot_answer: per question what it
    lacks ("a|b": either would do). missing: absent tables, and the `table.column`s that a question lacks.
    A whole comes with what all of its people add.
    """
    if not isinstance(tables, Whole):
        base = prepare(tables, time_zone, as_of)
        tables, met = base.whole, meet(base)
    frames, held = tables.frames, tables.held
    facts = {name: _table_facts(name, tables, met) for name in frames}
    _refuse_orphans(tables, met, most_orphans)
    lacking = _unanswerable(frames, held)
    columns = sorted({name for needs in lacking.values() for need in needs for name in need.split("|")})
    missing = [name for name in CORE if name not in frames]
    missing += [name for name in columns if name.split(".")[0] in frames]
    warnings = [{"rule": "KEY-ORPHAN", "table": name, "rows": fact["rows_orphan"]} for name, fact in facts.items()
                if fact.get("rows_orphan") and fact["rows_orphan"] > orphan_share * fact["rows_with_customer"]]
    warnings += _stale(facts, as_of, stale_days)
    return {**_days(tables), "tables": facts, "revenue": _revenue(tables, met), "customers": met.customers,
            "missing": missing, "cannot_answer": lacking, "warnings": warnings}


def _stale(facts: Mapping[str, Any], as_of: str | None, most: int) -> list[dict[str, Any]]:
    """SET-STALE for each table that ends more than `most` days before the data do (as declared, or the latest)."""
    ends = {name: date.fromisoformat(fact["last_day"]) for name, fact in facts.items()
            if name in FLOWS and fact.get("last_day")}
    end = date.fromisoformat(as_of) if as_of else max(ends.values(), default=None)
    return [{"rule": "SET-STALE", "table": name, "days": (end - last).days} for name, last in ends.items()
            if (end - last).days > most]


def refuse_currencies(frames: Mapping[str, nw.LazyFrame], currency: str) -> None:
    """Refusal CUR-MIX when a sale is in another currency than the company's."""
    if "sales" in frames and currency:
        found = rows(distinct(frames["sales"].filter(known("currency")), ["currency"]).sort("currency"))
        other = [row["currency"] for row in found if row["currency"] != currency]
        if other:
            raise Refusal("CUR-MIX", "sales in another currency cannot be added to the company's", column="currency",
                          found=", ".join(other[:5]), expected=currency)


def orphaned(whole: Whole, met: Met, most: float | None) -> str | None:
    """The first table of whose rows more than `most` belong to customers whom the register does not know, if any."""
    return next((name for name, strays in met.strays.items()
                 if most is not None and strays and strays > most * whole.held[name]["customer_id"]), None)


def _refuse_orphans(whole: Whole, met: Met, most: float | None) -> None:
    """Refusal KEY-ORPHAN for such a table: most often ids of another kind, which would leave every question without an
    answer and without a sign."""
    if name := orphaned(whole, met, most):
        strays, linked = met.strays[name], whole.held[name]["customer_id"]
        raise Refusal("KEY-ORPHAN", f"{strays} of {linked} rows of {name} belong to customers whom "
                      f"{_register(whole.frames)} does not know", column="customer_id", found=f"{strays / linked:.0%}",
                      expected=f"at most {most:.0%} (link.most_orphans), the same kind of id in both exports")


def _table_facts(name: str, whole: Whole, met: Met) -> dict[str, Any]:
    held = whole.held[name]
    fact: dict[str, Any] = {"rows": held["rows"]}
    if name in OWNED:
        fact["rows_with_customer"] = held["customer_id"]
        fact["rows_without_customer"] = held["rows"] - held["customer_id"]
        fact["rows_orphan"] = met.strays[name]
    if name in whole.seen:
        fact["first_day"], fact["last_day"] = (str(local_day(at, whole.time_zone)) for at in whole.seen[name])
    fact["columns_missing"] = [column for column, count in held.items() if not count and column != "rows"]
    return fact


def _has(name: str, frames: Mapping[str, nw.LazyFrame], held: Mapping[str, dict[str, int]]) -> bool:
    """Whether a table, or a column of it, holds anything."""
    table, _, column = name.partition(".")
    if table not in frames:
        return False
    if column == "silence":
        return held[table]["score"] < held[table]["rows"]
    return bool(held[table][column] if column else held[table]["rows"])


def _unanswerable(frames: Mapping[str, nw.LazyFrame], held: Mapping[str, dict[str, int]]) -> dict[str, list[str]]:
    found = {}
    for question, needs in NEEDS.items():
        choices = [(need,) if isinstance(need, str) else need for need in needs]
        lacking = ["|".join(choice) for choice in choices if not any(_has(name, frames, held) for name in choice)]
        if lacking:
            found[question] = lacking
    return found


def _days(whole: Whole) -> dict[str, Any]:
    window = whole.window
    if window is None:
        return dict.fromkeys(("first_day", "as_of", "first_month", "last_whole_month"))
    months = {"first_month": window.first, "last_whole_month": window.last_whole}
    return {"first_day": str(local_day(min(first for first, _ in whole.seen.values()), whole.time_zone)),
            "as_of": str(window.as_of), **{name: f"{at // 12}-{at % 12 + 1:02d}" for name, at in months.items()}}


def _revenue(whole: Whole, met: Met) -> dict[str, float] | None:
    """Net revenue: total, of lines with a customer, of customers who answered at least once."""
    if "sales" not in whole.frames:
        return None
    total = _sum(whole_minor(whole.frames["sales"].select(nw.col("net_amount").sum()), ["net_amount"]))
    found = {"total": total, "linked": met.linked} | ({"answered": met.answered} if "surveys" in whole.frames else {})
    return {name: minor / MINOR for name, minor in found.items()}


def _sum(part: nw.LazyFrame) -> int:
    return int(rows(part.select(nw.col("net_amount").sum()))[0]["net_amount"] or 0)
