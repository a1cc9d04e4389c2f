"""The journey: everything that happened between a customer and the company, in order."""

from collections.abc import Mapping
from datetime import date

import narwhals as nw
import pandas as pd
import pyarrow as pa

from pipeline.link.base import Base, prepare
from pipeline.link.engine import MINOR, Native, finished, with_ids, with_missing
from pipeline.link.flows import Flows, known, score_up

COLUMNS = {"happened_at": "timestamp", "kind": "text", "touchpoint": "text", "channel": "text",
           "is_direct": "maybe", "instrument": "text", "score_up": "number", "amount": "number", "ref_id": "text"}
ORDER = ["person", "happened_at", "kind", "ref_id", "instrument"]


def build_events(tables: Mapping[str, Native] | Base, time_zone: str, *,
                 as_of: date | str | None = None) -> pd.DataFrame | pa.RecordBatchReader | None:
    """events: one row per thing that happened to a known customer, ordered by customer, time, kind and ref_id.

    kind: invitation, answer (one per instrument), ticket_created, ticket_solved, order, return, contact, action.
    amount: net, of an order its lines sold, of a return its lines given back (negative). An action in a branch is an
    event of each of its customers. None when nothing carries a time. Relations give a reader, as build_panel does.
    """
    base = prepare(tables, time_zone, as_of)
    frames, people = base.frames, base.people
    if base.window is None or people is None:
        return None
    found = []
    if "surveys" in frames:
        found += _of_surveys(frames["surveys"].join(people, on="customer_id"), bool(base.held["surveys"]["sent_at"]))
    found += _of_tickets(base.flows) + _of_sales(base.flows)
    if "contacts" in frames:
        found += _of_contacts(frames["contacts"].join(people, on="customer_id"))
    if "actions" in frames:
        found += [action.join(people, on="customer_id") for action in _of_actions(frames["actions"],
                                                                                 frames.get("customers"))]
    events = nw.concat([_event(event) for event in found], how="vertical")
    events = events.filter(known("happened_at"), nw.col("happened_at") < base.window.cut)
    if people.implementation.is_duckdb():
        return with_ids(finished(events, {"person": "count"} | COLUMNS, ORDER), people)
    return finished(events.join(people, on="person"), {"customer_id": "text"} | COLUMNS, ORDER)


def _event(frame: nw.LazyFrame) -> nw.LazyFrame:
    """The frame with exactly the columns of an event; what it lacks is missing."""
    present = set(frame.collect_schema().names())
    lacking = {name: kind for name, kind in COLUMNS.items() if name not in present}
    return with_missing(frame, lacking).select("person", *COLUMNS)


def _of_surveys(surveys: nw.LazyFrame, is_dated: bool) -> list[nw.LazyFrame]:
    """Invitations (where the export dates them), told by the first of their instruments, and answers."""
    surveys = surveys.with_columns(score_up=score_up(), ref_id=nw.col("response_id"))
    about = ["person", "touchpoint", "channel", "is_direct", "ref_id"]
    answered = surveys.filter(known("score")).select(*about, "instrument", "score_up", happened_at="responded_at",
                                                     kind=nw.lit("answer"))
    if not is_dated:
        return [answered]
    asked = surveys.filter(known("sent_at"))
    first = asked.group_by("response_id").agg(nw.col("instrument").min())
    asked = asked.join(first, on=["response_id", "instrument"])
    return [asked.select(*about, happened_at="sent_at", kind=nw.lit("invitation")), answered]


def _of_tickets(flows: Flows) -> list[nw.LazyFrame]:
    if flows.tickets is None:
        return []
    return [flows.tickets.select("person", "touchpoint", "channel", happened_at=time, kind=nw.lit(kind),
                                 ref_id="ticket_id", is_direct=nw.lit(True))
            for time, kind in (("created_at", "ticket_created"), ("solved_at", "ticket_solved"))]


def _of_sales(flows: Flows) -> list[nw.LazyFrame]:
    """Orders and returns, each with the lines of its kind."""
    if flows.orders is None:
        return []
    kind = nw.when(nw.col("is_return")).then(nw.lit("return")).otherwise(nw.lit("order"))
    return [flows.orders.select("person", "channel", happened_at="first", kind=kind, ref_id="order_id",
                                amount=nw.col("net_amount") / MINOR)]


def _of_contacts(contacts: nw.LazyFrame) -> list[nw.LazyFrame]:
    return [contacts.select("person", "happened_at", "touchpoint", "channel", "is_direct", ref_id="contact_id",
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
