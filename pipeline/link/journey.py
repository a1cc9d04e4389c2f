"""The journey: everything that happened between a customer and the company, in order."""

from collections.abc import Iterator, Mapping
from datetime import date

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.link.base import Base, prepare
from pipeline.link.engine import MINOR, PIECE, Native, fetched, finished, sorted_by, with_missing
from pipeline.link.flows import MICRO, Flows, known

COLUMNS = {"happened_at": "timestamp", "kind": "text", "touchpoint": "text", "channel": "text",
           "is_direct": "maybe", "instrument": "text", "score_up": "number", "amount": "number", "ref_id": "text"}
TEXTS = ("kind", "touchpoint", "channel", "instrument")
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
        found += _of_surveys(base.flows.surveys, bool(base.held["surveys"]["sent_at"]))
    found += _of_tickets(base.flows) + _of_sales(base.flows)
    if "contacts" in frames:
        found += _of_contacts(frames["contacts"].join(people, on="customer_id"))
    if "actions" in frames:
        found += [action.join(people, on="customer_id") for action in _of_actions(frames["actions"],
                                                                                 frames.get("customers"))]
    events = nw.concat([_event(event) for event in found], how="vertical")
    events = events.filter(known("happened_at"), nw.col("happened_at") < base.window.cut)
    if people.implementation.is_duckdb():
        ids = fetched(sorted_by(people, ["person"]))["customer_id"].combine_chunks().cast(pa.string())
        return in_order(finished(events, {"person": "count"} | COLUMNS, []).to_arrow_table(), ids)
    return finished(events.join(people, on="person"), {"customer_id": "text"} | COLUMNS, ORDER)


def _event(frame: nw.LazyFrame) -> nw.LazyFrame:
    """The frame with exactly the columns of an event; what it lacks is missing."""
    present = set(frame.collect_schema().names())
    lacking = {name: kind for name, kind in COLUMNS.items() if name not in present}
    return with_missing(frame, lacking).select("person", *COLUMNS)


def _of_surveys(surveys: nw.LazyFrame, is_dated: bool) -> list[nw.LazyFrame]:
    """Invitations (where the export dates them), told by the first of their instruments, and answers."""
    surveys = surveys.with_columns(ref_id=nw.col("response_id"))
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


def in_order(events: pa.Table, ids: pa.Array) -> pa.RecordBatchReader:
    """The events by person, time, kind, ref_id and instrument, with the id of each person in its place, piece by piece.

    Texts that repeat are codes in a dictionary; only events of one person at one instant are compared further.
    """
    table = pa.table({name: _coded(events[name]) if name in TEXTS else events[name].combine_chunks()
                      for name in events.column_names})
    del events
    order = _order(table)
    texts = {name: pa.dictionary(pa.int32(), pa.string()) for name in ("customer_id", *TEXTS)}
    schema = pa.schema([("customer_id", texts["customer_id"]),
                        *((name, texts.get(name, table.schema.field(name).type)) for name in COLUMNS)])

    def pieces() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(order), PIECE):
            some = table.take(pa.array(order[start:start + PIECE])).combine_chunks()
            person = some["person"].to_numpy()
            low, high = int(person[0]), int(person[-1])
            named = pa.DictionaryArray.from_arrays(pa.array((person - low).astype("int32")),
                                                   ids.slice(low, high - low + 1))
            columns = [some[name].combine_chunks() for name in COLUMNS]
            yield pa.RecordBatch.from_arrays([named, *columns], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, pieces())


def _coded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The texts as codes, smaller ones for texts that come first."""
    coded = column.combine_chunks().dictionary_encode()
    order = pc.sort_indices(coded.dictionary).to_numpy()
    place = np.empty(len(order), dtype="int32")
    place[order] = np.arange(len(order), dtype="int32")
    codes = pa.array(place).take(coded.indices) if len(order) else coded.indices
    return pa.DictionaryArray.from_arrays(codes, coded.dictionary.take(pa.array(order)))


def _order(table: pa.Table) -> np.ndarray:
    """The places of the rows in the order of ORDER."""
    person, at = table["person"].to_numpy(), table["happened_at"].to_numpy().astype("int64")
    if not len(at):
        return at
    at = (at - at.min()) // (1 if (at % MICRO).any() else MICRO)  # whole seconds, most often
    span = int(at.max()) + 1
    is_one = (int(person.max()) + 1) * span < 2**63
    keys = (person * span + at,) if is_one else (person, at)
    order = np.argsort(keys[0]) if is_one else np.lexsort(keys[::-1])
    here = np.append(True, np.logical_or.reduce([_changes(key[order]) for key in keys]))
    tied = ~here | ~np.append(here[1:], True)
    order[tied] = _untied(table, order[tied], np.cumsum(here)[tied])
    return order


def _changes(key: np.ndarray) -> np.ndarray:
    """Whether each entry but the first differs from the one before."""
    return key[1:] != key[:-1]


def _untied(table: pa.Table, rows: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Rows that share their person and instant (`moment`, ascending) with another, by kind, ref_id and instrument."""
    kind, instrument = (table[name].combine_chunks().indices.fill_null(-1).to_numpy(zero_copy_only=False)[rows] + 1
                        for name in ("kind", "instrument"))
    kinds, instruments = (len(table[name].combine_chunks().dictionary) + 1 for name in ("kind", "instrument"))
    code = (moment * kinds + kind) * instruments + instrument
    first = np.argsort(code)
    rows, code, alike = rows[first], code[first], code[first] // instruments
    refs = table["ref_id"].combine_chunks().take(pa.array(rows))
    differs = (alike[1:] == alike[:-1]) & pc.not_equal(refs[1:], refs[:-1]).to_numpy(zero_copy_only=False)
    open_ones = np.isin(alike, alike[1:][differs])
    ranks = pc.rank(refs.filter(pa.array(open_ones)), tiebreaker="dense").to_numpy()
    rows[open_ones] = rows[open_ones][np.lexsort((code[open_ones], ranks, alike[open_ones]))]
    return rows
