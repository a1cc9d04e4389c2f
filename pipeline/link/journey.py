"""The journey: everything that happened between a customer and the company, in order."""

from collections.abc import Mapping
from datetime import date

import narwhals as nw

from pipeline.link.engine import MINOR, Native, canonical_tables, finished, kept, with_missing
from pipeline.link.flows import folded_orders, known, score_up
from pipeline.link.identity import resolve_accounts
from pipeline.link.window import observe_window

COLUMNS = {"customer_id": "text", "happened_at": "timestamp", "kind": "text", "touchpoint": "text", "channel": "text",
           "is_direct": "maybe", "instrument": "text", "score_up": "number", "amount": "number", "ref_id": "text"}


def build_events(tables: Mapping[str, Native], time_zone: str, *, as_of: date | str | None = None) -> Native | None:
    """events: one row per thing that happened to a known customer, ordered by customer, time, kind and ref_id.

    kind: invitation, answer (one per instrument), ticket_created, ticket_solved, order, return, contact, action.
    amount: net, of an order its lines sold, of a return its lines given back (negative). An action in a branch is an
    event of each of its customers. None when nothing carries a time.
    """
    frames = canonical_tables(resolve_accounts(tables).tables)
    window = observe_window(frames, time_zone, as_of)
    if window is None:
        return None
    makers = {"surveys": _of_surveys, "tickets": _of_tickets, "sales": _of_sales, "contacts": _of_contacts}
    found = [event for name, make in makers.items() if name in frames for event in make(frames[name])]
    if "actions" in frames:
        found += _of_actions(frames["actions"], frames.get("customers"))
    events = nw.concat([_event(event) for event in found], how="vertical")
    events = events.filter(known("customer_id"), known("happened_at"), nw.col("happened_at") < window.cut)
    return finished(events, COLUMNS, ["customer_id", "happened_at", "kind", "ref_id", "instrument"])


def _event(frame: nw.LazyFrame) -> nw.LazyFrame:
    """The frame with exactly the columns of an event; what it lacks is missing."""
    present = set(frame.collect_schema().names())
    return with_missing(frame, {n: kind for n, kind in COLUMNS.items() if n not in present}).select(*COLUMNS)


def _of_surveys(surveys: nw.LazyFrame) -> list[nw.LazyFrame]:
    surveys = surveys.with_columns(score_up=score_up(), ref_id=nw.col("response_id"))
    asked = surveys.filter(known("sent_at")).unique(["response_id"], keep="first", order_by=["instrument"])
    about = ["customer_id", "touchpoint", "channel", "is_direct", "ref_id"]
    return [asked.select(*about, happened_at="sent_at", kind=nw.lit("invitation")),
            surveys.filter(known("score")).select(*about, "instrument", "score_up", happened_at="responded_at",
                                                  kind=nw.lit("answer"))]


def _of_tickets(tickets: nw.LazyFrame) -> list[nw.LazyFrame]:
    return [tickets.select("customer_id", "touchpoint", "channel", happened_at=time, kind=nw.lit(kind),
                           ref_id="ticket_id", is_direct=nw.lit(True))
            for time, kind in (("created_at", "ticket_created"), ("solved_at", "ticket_solved"))]


def _of_sales(sales: nw.LazyFrame) -> list[nw.LazyFrame]:
    """Orders and returns, each with the lines of its kind."""
    lines = sales.filter(known("customer_id")).with_columns(is_return=nw.col("is_return").fill_null(False))
    orders = folded_orders(lines, ["customer_id", "is_return"], happened_at=nw.col("ordered_at").min(),
                           channel=nw.col("channel").min())
    kind = nw.when(nw.col("is_return")).then(nw.lit("return")).otherwise(nw.lit("order"))
    return [kept(orders.select("customer_id", "happened_at", "channel", kind=kind, ref_id="order_id",
                               amount=nw.col("net_amount") / MINOR))]


def _of_contacts(contacts: nw.LazyFrame) -> list[nw.LazyFrame]:
    return [contacts.select("customer_id", "happened_at", "touchpoint", "channel", "is_direct", ref_id="contact_id",
                            kind=nw.lit("contact"))]


def _of_actions(actions: nw.LazyFrame, customers: nw.LazyFrame | None) -> list[nw.LazyFrame]:
    done = actions.filter(nw.col("eligible").fill_null(True), known("unit_id"))
    done = done.select("unit_id", "unit_kind", happened_at="received_at", ref_id="action_id", kind=nw.lit("action"))
    own = done.filter(nw.col("unit_kind") == "customer").select("happened_at", "ref_id", "kind", customer_id="unit_id")
    if customers is None:
        return [own]
    homes = customers.filter(known("branch")).select("customer_id", "branch")
    shared = done.filter(nw.col("unit_kind") == "branch").join(homes, left_on="unit_id", right_on="branch")
    return [own, shared.select("happened_at", "ref_id", "kind", "customer_id")]
