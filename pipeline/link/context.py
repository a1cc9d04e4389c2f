"""What stands around an answer or a ticket: who it was, whether the promise was kept, which way is up."""

from collections.abc import Mapping

import narwhals as nw

from pipeline.contracts.tables import SURVEYS, TICKETS
from pipeline.link.engine import Native, canonical, canonical_tables, finished, rows, with_missing
from pipeline.link.flows import known, score_up
from pipeline.link.panel import TRAITS

_KINDS = {"number": "number", "integer": "number", "timestamp": "timestamp", "boolean": "maybe"}


def survey_context(tables: Mapping[str, Native]) -> Native:
    """surveys with segment, branch, value_band, is_promise_kept and score_up, sorted by their key where anything had to
    be looked up for it, else in the order of the exports.

    is_promise_kept: every promised line of its order was delivered in time, else its ticket was solved in time;
    missing when nothing was promised or what became of it is not known. score_up keeps the scale of the score.
    """
    frames = canonical_tables({name: native for name, native in tables.items() if name != "actions"})
    surveys = _with_traits(frames["surveys"], frames.get("customers"))
    surveys = surveys.with_columns(score_up=score_up())
    kept = []
    for name, key, done in (("sales", "order_id", "delivered_at"), ("tickets", "ticket_id", "solved_at")):
        if name in frames and _is_told(surveys, key) and _is_told(frames[name], "promised_at", done):
            surveys = surveys.join(_promises(frames[name], key, done), on=key, how="left")
            kept.append(f"in_time_{key}")
    surveys = surveys.with_columns(promise=nw.coalesce(*kept)) if kept else with_missing(surveys, {"promise": "number"})
    surveys = surveys.with_columns(is_promise_kept=nw.when(known("promise")).then(nw.col("promise") == 1))
    kinds = {c.name: _KINDS.get(c.kind, "text") for c in SURVEYS.columns}
    kinds |= dict.fromkeys(TRAITS, "text") | {"is_promise_kept": "maybe", "score_up": "number"}
    looked_up = bool(kept) or "customers" in frames
    return finished(surveys, kinds | _others(surveys), list(SURVEYS.key) if looked_up else [])


def ticket_context(tables: Mapping[str, Native]) -> Native:
    """tickets with segment and branch of their customer, sorted by ticket_id where there is a customers table."""
    customers = tables.get("customers")
    listed = None if customers is None else canonical_tables({"customers": customers})["customers"]
    tickets = _with_traits(canonical(tables["tickets"], TICKETS), listed)
    kinds = {c.name: _KINDS.get(c.kind, "text") for c in TICKETS.columns} | {"segment": "text", "branch": "text"}
    return finished(tickets, kinds | _others(tickets), list(TICKETS.key) if listed is not None else [])


def _with_traits(frame: nw.LazyFrame, customers: nw.LazyFrame | None) -> nw.LazyFrame:
    if customers is None:
        return with_missing(frame, dict.fromkeys(TRAITS, "text"))
    return frame.join(customers.select("customer_id", *TRAITS), on="customer_id", how="left")


def _is_told(frame: nw.LazyFrame, *columns: str) -> bool:
    """Whether each of the columns holds anything."""
    return all(rows(frame.select(nw.col(*columns).count()))[0].values())


def _promises(frame: nw.LazyFrame, key: str, done: str) -> nw.LazyFrame:
    """One row per order or ticket whose promise and outcome are both known: 1 when all of it was in time, else 0."""
    promised = frame.filter(known(key), known("promised_at"), known(done))
    promised = promised.with_columns(in_time=(nw.col(done) <= nw.col("promised_at")).cast(nw.Int64))
    return promised.group_by(key).agg(nw.col("in_time").min().alias(f"in_time_{key}"))


def _others(frame: nw.LazyFrame) -> dict[str, str]:
    """Kinds of `source` and the x_ columns."""
    schema = frame.collect_schema()
    return {name: "number" if kind.is_numeric() else "text" for name, kind in schema.items()
            if name == "source" or name.startswith("x_")}
