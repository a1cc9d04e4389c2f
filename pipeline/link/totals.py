"""What is known of a customer over the whole of the data: one row each, for exports with and without dates."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import reduce

import narwhals as nw

from pipeline.link.base import Base, prepare
from pipeline.link.calendar import month_number
from pipeline.link.engine import MINOR, Native, finished, kept, latest, with_missing, with_month
from pipeline.link.flows import LATER, MICRO, Flows, distinct, known, placed, sums
from pipeline.link.panel import TRAITS, is_contractual

ID, PERSON = ["customer_id"], ["person"]
COUNTS = {"count_answers": "surveys", "count_invitations": "surveys", "count_orders": "sales", "revenue": "sales",
          "count_tickets": "tickets"}


def build_totals(tables: Mapping[str, Native] | Base, time_zone: str, *, as_of: date | str | None = None,
                 contractual: bool | None = None) -> Native:
    """customer_totals: one row per customer of any table, sorted by customer_id.

    score_ is the last answer, mean_ the mean of all of them (both turned so that higher is better). Counts and
    revenue are 0 for a customer without rows in a table that is there, missing when the table is absent.
    tenure_months: as exported, or months from acquisition to the end (of the contract or of the data).
    is_churned: the exported label, or whether the contract ended within the data; missing without either.
    x_ columns come from every source that holds one row per customer.
    """
    base = prepare(tables, time_zone, as_of)
    frames, window = base.frames, base.window
    parts, types = _parts(base)
    last_month = month_number(window.as_of) if window else None
    traits = _traits(base, window.cut if window else None, is_contractual(base.held, contractual), last_month)
    people = reduce(lambda left, part: left.join(part, on=ID, how="left"), [traits, *_extras(base)], base.people)
    people = reduce(lambda left, part: left.join(part, on=PERSON, how="left"), parts, people)
    present = set(people.collect_schema().names())
    zero = {name: nw.col(name).fill_null(0) for name, source in COUNTS.items() if name in present and source in frames}
    dates = ("first_order_at", "last_order_at")
    outcome = dict.fromkeys(COUNTS, "number") | dict.fromkeys(dates, "timestamp")
    people = with_missing(people.with_columns(**zero), {n: kind for n, kind in outcome.items() if n not in present})
    kinds = {"customer_id": "text", **dict.fromkeys(TRAITS, "text"), **types, **outcome, "tenure_months": "number",
             "is_churned": "maybe", **base.whole.extra_kinds}
    return finished(people, kinds, PERSON)


def _parts(base: Base) -> tuple[list[nw.LazyFrame], dict[str, str]]:
    """One frame by person per source and instrument, and the kinds of the score columns."""
    flows, parts, types = base.flows, [], {}
    if flows.answers is not None:
        parts += [_responses(flows, "asked", "count_invitations"), _responses(flows, "given", "count_answers")]
        for name in flows.instruments:
            own = flows.answers.filter(nw.col("instrument") == name).with_columns(value=nw.col("last"))
            both = latest(own, PERSON, "value", ["month"], ["points", "n"])
            parts.append(both.select(*PERSON, (nw.col("last") / MICRO).alias(f"score_{name}"),
                                     (nw.col("points") / nw.col("n") / MICRO).alias(f"mean_{name}")))
            types |= {f"score_{name}": "number", f"mean_{name}": "number"}
    if flows.orders is not None:
        parts.append(_orders(flows))
    if flows.tickets is not None:
        opened = placed(flows.tickets, "created_at", base.window, base.time_zone).filter(nw.col("month") < LATER)
        parts.append(opened.group_by(PERSON).agg(count_tickets=nw.len()))
    return [kept(part) for part in parts], types


def _responses(flows: Flows, name: str, into: str) -> nw.LazyFrame:
    responses = getattr(flows, name)
    own = distinct(responses, [*PERSON, "response_id"]) if name in flows.split else responses
    return own.group_by(PERSON).agg(nw.len().alias(into))


def _orders(flows: Flows) -> nw.LazyFrame:
    """Orders with a line sold, net revenue, first and last instant of any line."""
    orders = flows.past.with_columns(sold=1 - nw.col("is_return").cast(nw.Int64))
    spent = sums(orders, PERSON, ["net_amount", "sold"], first=nw.col("first").min(), last=nw.col("last").max())
    return spent.select(*PERSON, count_orders="sold", revenue=nw.col("net_amount") / MINOR,
                        first_order_at="first", last_order_at="last")


def _traits(base: Base, cut: datetime | None, contractual: bool, last_month: int | None) -> nw.LazyFrame:
    """segment, value_band, branch, tenure_months and is_churned by customer."""
    customers, people, time_zone = base.frames.get("customers"), base.people, base.time_zone
    if customers is None:
        kinds = dict.fromkeys(TRAITS, "text") | {"tenure_months": "number", "is_churned": "maybe"}
        return with_missing(people.select(*ID), kinds)
    ended = nw.col("ended_at") if cut is None else nw.when(nw.col("ended_at") < cut).then(nw.col("ended_at"))
    known_ones = customers.with_columns(ended_at=ended)
    known_ones = with_month(with_month(known_ones, "acquired_at", "from", time_zone), "ended_at", "to", time_zone)
    until = nw.col("to") if last_month is None else nw.col("to").fill_null(last_month)
    lasted = (until - nw.col("from")).cast(nw.Float64)
    left = nw.when(nw.col("ended_at").is_null()).then(nw.lit(False)).otherwise(nw.lit(True))
    churned = nw.coalesce("is_churned", left) if contractual else nw.col("is_churned")
    return known_ones.select(*ID, *TRAITS, is_churned=churned,
                             tenure_months=nw.coalesce("tenure_months", nw.when(lasted >= 0).then(lasted)))


def _extras(base: Base) -> list[nw.LazyFrame]:
    """The x_ columns by customer, of every source that holds one row per customer."""
    parts = []
    for name, source, columns in base.whole.extras:
        own = base.frames[name].filter(known("customer_id"))
        own = own if source is None else own.filter(nw.col("source") == source)
        parts.append(own.select(*ID, *columns))
    return parts
