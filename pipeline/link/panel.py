"""The customer × month panel: what was known by the end of each month, and what came in the month after."""

from collections.abc import Mapping
from datetime import date

import narwhals as nw

from pipeline.link.engine import (
    Native,
    canonical_tables,
    finished,
    kept,
    rows,
    with_every_month,
    with_missing,
    with_month,
)
from pipeline.link.flows import KEYS, distinct, instruments_of, known, sales_flows, survey_flows, ticket_flows
from pipeline.link.identity import resolve_accounts
from pipeline.link.window import Window, observe_window

GRID = ["person", "month"]
TRAITS = ["segment", "value_band", "branch"]
SOURCE_OF = {"count_invitations": "surveys", "count_answers": "surveys", "count_tickets": "tickets",
             "count_complaints": "tickets", "count_orders": "sales", "count_returns": "sales",
             "revenue": "sales", "margin": "sales"}  # 0, not missing, in a month that its export covers
FOLLOWED = ("revenue", "count_orders", "margin")  # each with its following month as _next
FLOW_SIGNS = ("count_invitations", "count_answers", "count_tickets", "count_solved", "count_orders")
FLOWS = {"surveys": survey_flows, "tickets": ticket_flows, "sales": sales_flows}


def build_panel(tables: Mapping[str, Native], time_zone: str, *, as_of: date | str | None = None,
                contractual: bool | None = None, window: Window | None = None) -> Native | None:
    """customer_periods: one row per customer and month, sorted by both; None without customers or times.

    tables: canonical tables by name, all on one engine (pandas frames or DuckDB relations); any may be absent.
    A customer has a row for every month from acquisition (first event when unknown), not before the data begin, to
    the end of the contract or the last month, and, with is_active False, for a month outside in which something
    happened all the same. is_active: a customer on at least one day of the month and at its start, unless new.
    Columns ending in _next look at the following month and are missing where the data do not cover all of it;
    every other column depends only on what happened up to the end of its month. Numbers are float64 with NaN for
    missing, period is the first of the month, is_churned_next is a boolean with missing. contractual: None means
    that customers end when any of them carries ended_at.
    """
    frames = canonical_tables(resolve_accounts(tables).tables)
    window = window or observe_window(frames, time_zone, as_of)
    if window is None or not any(name in frames for name in FLOWS):
        return None
    flows = {name: make(frames[name], window, time_zone) for name, make in FLOWS.items() if name in frames}
    flows = [flow for made in flows.values() for flow in made]
    instruments = instruments_of(frames["surveys"]) if "surveys" in frames else []
    roster = kept(_began(_roster(frames.get("customers"), flows, window, time_zone), frames.get("actions"), window,
                         time_zone))
    panel = _scaffold(roster)
    people = roster.select("customer_id", "person")
    for flow in flows:
        panel = panel.join(flow.join(people, on="customer_id").drop("customer_id"), on=GRID, how="left")
    panel = _over_time(_filled(panel, window), instruments)
    panel = _outcomes(panel, window, is_contractual(frames.get("customers"), contractual))
    panel = panel.filter(nw.col("is_active") | nw.col("happened")).with_columns(period=nw.col("month"))
    panel = panel.join(roster.select("person", "customer_id", *TRAITS), on="person", how="left")
    return finished(panel, panel_types(instruments), GRID)


def panel_types(instruments: list[str]) -> dict[str, str]:
    """Columns of customer_periods in their order, with the kinds of engine.finished."""
    scores = {f"{what}_{name}": "number" for name in instruments for what in ("score", "last", "age")}
    return {"customer_id": "text", "period": "month", **dict.fromkeys(TRAITS, "text"), "tenure_months": "number",
            "is_active": "flag", "count_invitations": "number", "count_answers": "number", **scores,
            "count_tickets": "number", "count_complaints": "number", "count_open_tickets": "number",
            "ttr_hours": "number", "count_orders": "number", "revenue": "number", "count_returns": "number",
            "margin": "number", "exposure_months": "number", "revenue_next": "number", "count_orders_next": "number",
            "margin_next": "number", "is_churned_next": "maybe", "is_at_risk_next": "flag"}


def _roster(customers: nw.LazyFrame | None, flows: list[nw.LazyFrame], window: Window,
            time_zone: str) -> nw.LazyFrame:
    """One row per customer that can be placed in time: person (its number in the order of ids), traits, acquired,
    ended (months, missing unknown), is_listed (in the customers table), first and last month of the panel."""
    seen = nw.concat([flow.select(KEYS) for flow in flows], how="vertical").group_by("customer_id").agg(
        seen_first=nw.col("month").min(), seen_last=nw.col("month").max())
    seen = kept(seen)  # joined as it stands the engine takes thirty times as long
    if customers is None:
        blank = dict.fromkeys(TRAITS, "text") | {"acquired": "number", "ended": "number"}
        roster = with_missing(seen.with_columns(is_listed=nw.lit(False)), blank)
    else:
        known_end = nw.when(nw.col("ended_at") < window.cut).then(nw.col("ended_at"))
        listed = customers.select("customer_id", *TRAITS, "acquired_at", ended_at=known_end, is_listed=nw.lit(True))
        listed = with_month(with_month(listed, "acquired_at", "acquired", time_zone), "ended_at", "ended", time_zone)
        everyone = nw.concat([listed.select("customer_id"), seen.select("customer_id")], how="vertical")
        everyone = distinct(everyone, ["customer_id"])
        roster = everyone.join(listed, on="customer_id", how="left").join(seen, on="customer_id", how="left")
        roster = roster.with_columns(nw.col("is_listed").fill_null(False))
    ended = nw.col("ended").fill_null(window.last)
    roster = roster.with_columns(
        acquired=nw.coalesce("acquired", "seen_first"), is_dated=~nw.col("acquired").is_null(),
        panel_last=nw.max_horizontal(nw.min_horizontal(ended, nw.lit(window.last)), "seen_last"))
    roster = roster.with_columns(
        panel_first=nw.max_horizontal(nw.min_horizontal("acquired", "seen_first"), nw.lit(window.first)))
    return roster.filter(known("acquired")).with_row_index("person", order_by="customer_id")


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


def _scaffold(roster: nw.LazyFrame) -> nw.LazyFrame:
    """One row per person and month of its stretch, without a gap, with tenure_months, is_active, exposure_months."""
    grid = roster.select("person", "acquired", "ended", "is_listed", "is_dated", "began", "panel_first", "panel_last")
    grid = with_every_month(grid, "panel_first", "panel_last")
    tenure, since = nw.col("month") - nw.col("acquired"), nw.col("month") - nw.col("began")
    return grid.with_columns(
        tenure_months=nw.when(nw.col("is_dated") & (tenure >= 0)).then(tenure),
        exposure_months=nw.when(since >= 0).then(since),
        is_active=(tenure >= 0) & (nw.col("ended").is_null() | (nw.col("ended") >= nw.col("month"))).fill_null(True))


def _filled(panel: nw.LazyFrame, window: Window) -> nw.LazyFrame:
    """Counts and money of a month without events: 0 where the export covers the month, missing elsewhere.

    happened: whether anything did in that month.
    """
    names = set(panel.collect_schema().names())
    zero = {}
    for name, source in SOURCE_OF.items():
        if name in names:
            first, last = window.spans.get(source, (1, 0))
            covered = (nw.col("month") >= first) & (nw.col("month") <= last)
            silent = nw.col("count_orders").is_null() if name == "margin" else nw.col(name).is_null()
            zero[name] = nw.when(silent & covered).then(nw.lit(0.0)).otherwise(nw.col(name).cast(nw.Float64))
    signs = [known(name) for name in FLOW_SIGNS if name in names]
    absent = {name: "number" for name in (*SOURCE_OF, "count_solved", "ttr_hours") if name not in names}
    return with_missing(panel.with_columns(happened=nw.any_horizontal(*signs, ignore_nulls=True), **zero), absent)


def _over_time(panel: nw.LazyFrame, instruments: list[str]) -> nw.LazyFrame:
    """What runs over a person's months: scores carried with their age, open tickets, and the following month.

    count_open_tickets is opened minus solved up to the end of the month, whatever is solved later. All windows stand
    in one step, so that the engine sorts once.
    """
    opened = nw.col("count_tickets").fill_null(0.0) - nw.col("count_solved").fill_null(0).cast(nw.Float64)
    latest = {f"last_{name}": nw.col(f"latest_{name}") for name in instruments}
    when = {f"at_{name}": nw.when(known(f"latest_{name}")).then(nw.col("month")) for name in instruments}
    panel = panel.with_columns(change=opened, **latest, **when)
    along = {name: nw.col(name).fill_null(strategy="forward") for name in (*latest, *when)}
    along |= {f"{name}_next": nw.col(name).shift(-1) for name in FOLLOWED}
    along["still_open"] = nw.col("change").cum_sum()
    panel = panel.with_columns(**{name: over.over("person", order_by="month") for name, over in along.items()})
    ages = {f"age_{name}": nw.col("month") - nw.col(f"at_{name}") for name in instruments}
    return panel.with_columns(count_open_tickets=nw.when(known("count_tickets")).then(nw.col("still_open")), **ages)


def is_contractual(customers: nw.LazyFrame | None, declared: bool | None) -> bool:
    """Whether the end of a contract can be seen: customers carry ended_at, and nobody declared otherwise."""
    if customers is None or declared is False:
        return False
    ended = rows(customers.select(n=nw.col("ended_at").count()))[0]["n"]
    return ended > 0


def _outcomes(panel: nw.LazyFrame, window: Window, contractual: bool) -> nw.LazyFrame:
    """The _next columns: missing unless the data cover the following month to its end."""
    over = nw.col("month") + 1 <= window.last_whole
    stays = nw.col("ended").is_null() | (nw.col("ended") > nw.col("month")).fill_null(True)
    following = {f"{name}_next": nw.when(over).then(nw.col(f"{name}_next")) for name in FOLLOWED}
    panel = panel.with_columns(is_at_risk_next=(nw.col("acquired") <= nw.col("month")) & stays & over, **following)
    churned = (nw.col("ended") == nw.col("month") + 1).fill_null(False)
    observed = nw.col("is_at_risk_next") & nw.col("is_listed") & nw.lit(contractual)
    return panel.with_columns(is_churned_next=nw.when(observed).then(churned))
