"""The customer × month panel: what was known by the end of each month, and what came in the month after."""

from collections.abc import Iterator, Mapping
from datetime import date

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.link.base import Base, prepare
from pipeline.link.engine import Native, fetched, sorted_by, with_missing, with_month
from pipeline.link.flows import known, referral_months, sales_months, survey_months, ticket_months
from pipeline.link.months import panel_columns, spread, stretch_of
from pipeline.link.window import Window

TRAITS = ["segment", "value_band", "branch"]
AT_ONCE = 250_000  # rows of the panel in memory at a time, at most


def build_panel(tables: Mapping[str, Native] | Base, time_zone: str, *, as_of: date | str | None = None,
                contractual: bool | None = None) -> pd.DataFrame | pa.RecordBatchReader | None:
    """customer_periods: one row per customer and month, sorted by both; None without customers or times.

    tables: canonical tables by name, all on one engine (pandas frames give a frame, DuckDB relations a reader that
    yields the rows piece by piece); any may be absent.
    A customer has a row for every month from acquisition (first event when unknown), not before the data begin, to
    the end of the contract or the last month, and, with is_active False, for a month outside in which something
    happened all the same. is_active: a customer on at least one day of the month and at its start, unless new.
    Columns ending in _next look at the following month and are missing where the data do not cover all of it;
    every other column depends only on what happened up to the end of its month. Numbers are float64 with NaN for
    missing, period is the first of the month, is_churned_next is a boolean with missing. contractual: None means
    that customers end when any of them carries ended_at; True, that they would carry one if they had ended.
    """
    base = prepare(tables, time_zone, as_of)
    if base.window is None or base.people is None or not {"surveys", "tickets", "sales"} & set(base.frames):
        return None
    schema, pieces = panel_schema(base.flows.instruments), _pieces(base, contractual)
    if base.people.implementation.is_duckdb():
        return pa.RecordBatchReader.from_batches(schema, (batch for piece in pieces for batch in piece.to_batches()))
    frame = pa.concat_tables([piece.cast(_plain(schema)) for piece in pieces] or [_plain(schema).empty_table()])
    kinds = {field.name: "bool" if field.name in ("is_active", "is_at_risk_next") else "boolean"
             for field in schema if pa.types.is_boolean(field.type)}
    kinds |= {field.name: "str" for field in schema if pa.types.is_dictionary(field.type)}
    return frame.to_pandas(integer_object_nulls=True).astype(kinds)


def panel_schema(instruments: list[str]) -> pa.Schema:
    """Columns of customer_periods in their order."""
    text, number, flag = pa.dictionary(pa.int32(), pa.string()), pa.float64(), pa.bool_()
    scores = {f"{what}_{name}": number for name in instruments for what in ("score", "last", "age")}
    counted = dict.fromkeys(["count_tickets", "count_complaints", "count_open_tickets", "ttr_hours", "count_orders",
                             "revenue", "count_returns", "margin", "count_referrals", "exposure_months",
                             "revenue_next", "count_orders_next", "margin_next"], number)
    return pa.schema({"customer_id": text, "period": pa.timestamp("us"), **dict.fromkeys(TRAITS, text),
                      "tenure_months": number, "is_active": flag, "count_invitations": number,
                      "count_answers": number, **scores, **counted, "is_churned_next": flag, "is_at_risk_next": flag})


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema({field.name: pa.string() if pa.types.is_dictionary(field.type) else field.type
                      for field in schema})


def _pieces(base: Base, contractual: bool | None) -> Iterator[pa.Table]:
    """The panel, some people at a time; the engine is asked before, so that it is free for others meanwhile."""
    flows = [_by_person(fetched(flow)) for flow in _months(base)]
    roster = fetched(sorted_by(_roster(base), ["person"]))
    return _by_people(roster, flows, base, is_contractual(base.held, contractual))


def _by_people(roster: pa.Table, flows: list[tuple[pa.Table, np.ndarray]], base: Base,
               ends: bool) -> Iterator[pa.Table]:
    step = max(1, AT_ONCE // (base.window.last - base.window.first + 1))
    for start in range(0, len(roster), step):
        events = []
        for flow, person in flows:
            low, high = np.searchsorted(person, (start, start + step))
            events.append(flow.slice(low, high - low).append_column("person", pa.array(person[low:high] - start)))
        yield _piece(roster.slice(start, step), events, base, ends)


def _by_person(flow: pa.Table) -> tuple[pa.Table, np.ndarray]:
    """The flow in the order of people, without `person`, and `person`."""
    person = flow["person"].to_numpy()
    order = np.argsort(person)
    return flow.drop_columns("person").combine_chunks().take(pa.array(order)), person[order]


def _piece(roster: pa.Table, flows: list[pa.Table], base: Base, contractual: bool) -> pa.Table:
    stretch = stretch_of(roster, flows, base.window)
    chosen, columns = panel_columns(stretch, spread(stretch, flows), base.window, base.flows.instruments, contractual)
    taken = slice(None) if chosen.all() else chosen
    who = np.flatnonzero(stretch.place >= 0).astype("int32")[stretch.who[taken]]
    began = int(stretch.month.min(initial=base.window.first))
    days = (np.arange(began, int(stretch.month.max(initial=began)) + 1) - 1970 * 12).astype("datetime64[M]")
    months = days.astype("datetime64[us]")[stretch.month[taken] - began]
    ids = pa.DictionaryArray.from_arrays(pa.array(who), roster["customer_id"].combine_chunks().cast(pa.string()))
    made: dict[str, pa.Array] = {"customer_id": ids, "period": pa.array(months)}
    made |= {name: _taken(roster[name], who) for name in TRAITS}
    schema = panel_schema(base.flows.instruments)
    for name, values in columns.items():
        kind = schema.field(name).type
        is_unknown = values is stretch.unknown
        made[name] = pa.nulls(len(who), kind) if is_unknown else _held(values[taken], kind)
    return pa.table([made[name] for name in schema.names], schema=schema)


def _held(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """The values in their type, NaN as missing."""
    column = pa.array(values, from_pandas=True)
    return column if column.type == kind else column.cast(kind)


def _taken(column: pa.ChunkedArray, who: np.ndarray) -> pa.DictionaryArray:
    """The text of each row, by the place of its person: the texts stand there once."""
    if column.null_count == len(column):
        return pa.DictionaryArray.from_arrays(pa.nulls(len(who), pa.int32()), pa.array([], pa.string()))
    texts = column.combine_chunks().cast(pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(texts.indices.take(pa.array(who)), texts.dictionary)


def _months(base: Base) -> list[nw.LazyFrame]:
    """Every flow by person and month."""
    found = []
    if base.flows.answers is not None:
        found += survey_months(base.flows, base.held["surveys"])
    if base.flows.tickets is not None:
        found += ticket_months(base.flows, base.held["tickets"], base.window, base.time_zone)
    if base.flows.orders is not None:
        found += sales_months(base.flows, base.held["sales"])
    if base.flows.referrals is not None:
        found += referral_months(base.flows)
    return found


def _roster(base: Base) -> nw.LazyFrame:
    """One row per person: customer_id, traits, acquired, ended, began (months, missing unknown), is_listed (in the
    customers table)."""
    window, customers, months = base.window, base.frames.get("customers"), ("acquired", "ended")
    if customers is None:
        blank = with_missing(base.people.with_columns(is_listed=nw.lit(False)), dict.fromkeys(TRAITS, "text"))
        roster = with_missing(blank, dict.fromkeys(months, "number"))
    else:
        known_end = nw.when(nw.col("ended_at") < window.cut).then(nw.col("ended_at"))
        listed = customers.select("customer_id", *TRAITS, "acquired_at", ended_at=known_end, is_listed=nw.lit(True))
        for column, into in zip(("acquired_at", "ended_at"), months, strict=True):
            listed = with_month(listed, column, into, base.time_zone)
        roster = base.people.join(listed, on="customer_id", how="left")
        roster = roster.with_columns(nw.col("is_listed").fill_null(False))
    roster = _began(roster, base.frames.get("actions"), window, base.time_zone)
    return roster.select("person", "customer_id", *TRAITS, *months, "began", "is_listed")


def _began(roster: nw.LazyFrame, actions: nw.LazyFrame | None, window: Window, time_zone: str) -> nw.LazyFrame:
    """The roster with `began`: the month in which the first action for the customer or its branch began."""
    if actions is None:
        return with_missing(roster, {"began": "number"})
    done = actions.filter(known("received_at"), nw.col("received_at") < window.cut, known("unit_id"),
                          nw.col("eligible").fill_null(True))
    done = with_month(done, "received_at", "at", time_zone)
    for kind, key, into in (("branch", "branch", "branch_began"), ("customer", "customer_id", "own_began")):
        first = done.filter(nw.col("unit_kind") == kind).group_by("unit_id").agg(nw.col("at").min().alias(into))
        roster = roster.join(first, left_on=key, right_on="unit_id", how="left")
    return roster.with_columns(began=nw.min_horizontal("branch_began", "own_began"))


def is_contractual(held: Mapping[str, Mapping[str, int]], declared: bool | None) -> bool:
    """Whether the end of a contract can be seen: customers carry ended_at, and nobody declared otherwise.

    declared: True says that an end would be written down; then, without a churn label, no end at all means that nobody
    left.
    """
    customers = held.get("customers", {})
    if declared is False or customers.get("ended_at"):
        return declared is not False
    return declared is True and bool(customers.get("rows")) and not customers.get("is_churned")
