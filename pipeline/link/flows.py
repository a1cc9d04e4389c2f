"""What happened to a customer in a month, per source: one row per customer and month in which something did.

Sums run over whole numbers (micro-points, ten-thousandths, microseconds), so that order and engine do not
move a digit; the division comes last.
"""

from collections.abc import Iterable

import narwhals as nw

from pipeline.link.engine import MINOR, kept, rows, with_month
from pipeline.link.window import Window

KEYS = ["customer_id", "month"]
MICRO = 1_000_000
HOUR = 3_600 * MICRO


def score_up() -> nw.Expr:
    """The score turned so that higher is better, on its own scale."""
    turned = nw.col("scale_min") + nw.col("scale_max") - nw.col("score")
    return nw.when(nw.col("direction") == "lower_is_better").then(turned).otherwise(nw.col("score"))


def known(column: str) -> nw.Expr:
    return ~nw.col(column).is_null()


def has_any(frame: nw.LazyFrame, columns: Iterable[str]) -> dict[str, bool]:
    """Per column, whether it holds anything at all."""
    found = rows(frame.select(*(nw.col(name).count().alias(name) for name in columns)))[0]
    return {name: count > 0 for name, count in found.items()}


def instruments_of(surveys: nw.LazyFrame) -> list[str]:
    """Names of the instruments that were asked, sorted."""
    return sorted(row["instrument"] for row in rows(distinct(surveys, ["instrument"])) if row["instrument"])


def answers(surveys: nw.LazyFrame, window: Window, time_zone: str) -> nw.LazyFrame:
    """Answers of known customers with their month and `points` (score_up in whole micro-points)."""
    given = surveys.filter(known("customer_id"), known("responded_at"), known("score"))
    given = given.filter(nw.col("responded_at") < window.cut)
    return with_month(points(given), "responded_at", "month", time_zone)


def points(answered: nw.LazyFrame) -> nw.LazyFrame:
    """Adds `points`: score_up in whole micro-points."""
    return answered.with_columns(points=(score_up() * MICRO).round().cast(nw.Int64))


def survey_flows(surveys: nw.LazyFrame, window: Window, time_zone: str) -> list[nw.LazyFrame]:
    """Frames by KEYS: count_invitations, count_answers, and per instrument score_ and latest_ (last in the month).

    An invitation without its own date counts in the month of its answer; without any date in the export
    count_invitations is left out.
    """
    flows = []
    if has_any(surveys, ["sent_at"])["sent_at"]:
        asked = surveys.filter(known("customer_id")).with_columns(asked_at=nw.coalesce("sent_at", "responded_at"))
        asked = asked.filter(known("asked_at"), nw.col("asked_at") < window.cut)
        asked = with_month(asked, "asked_at", "month", time_zone)
        flows.append(_count_distinct(asked, "response_id", "count_invitations"))
    given = answers(surveys, window, time_zone)
    flows.append(_count_distinct(given, "response_id", "count_answers"))
    for instrument in instruments_of(surveys):
        own = given.filter(nw.col("instrument") == instrument)
        monthly = sums(own, KEYS, ["points"], n=nw.len())
        latest = own.unique(KEYS, keep="last", order_by=["responded_at", "response_id"])
        monthly = monthly.join(latest.select(*KEYS, last="points"), on=KEYS)
        flows.append(monthly.select(
            *KEYS, (nw.col("points") / nw.col("n") / MICRO).alias(f"score_{instrument}"),
            (nw.col("last") / MICRO).alias(f"latest_{instrument}")))
    return [kept(flow) for flow in flows]


def sums(frame: nw.LazyFrame, keys: list[str], names: list[str], **more: nw.Expr) -> nw.LazyFrame:
    """Sums of whole numbers by key, as int64 (the engine widens them), beside other simple aggregates."""
    summed = frame.group_by(keys).agg(nw.col(*names).sum(), **more)
    return summed.with_columns(nw.col(*names).cast(nw.Int64))


def _count_distinct(frame: nw.LazyFrame, key: str, into: str) -> nw.LazyFrame:
    return distinct(frame, [*KEYS, key]).group_by(KEYS).agg(nw.len().alias(into))


def distinct(frame: nw.LazyFrame, keys: list[str]) -> nw.LazyFrame:
    """The distinct combinations of `keys`; grouping costs the engine far less than the window behind `unique`."""
    return frame.group_by(keys).agg(twins=nw.len()).select(*keys)


def ticket_flows(tickets: nw.LazyFrame, window: Window, time_zone: str) -> list[nw.LazyFrame]:
    """Frames by KEYS: opened (count_tickets, count_complaints) and closed (count_solved, ttr_hours).

    A ticket without an opening time has no place in time and is left out; one solved after the data end is
    still open. count_complaints is left out when no ticket says whether it is one.
    """
    made = tickets.filter(known("customer_id"), known("created_at"), nw.col("created_at") < window.cut)
    opened = made.with_columns(count_complaints=nw.col("is_complaint").fill_null(False).cast(nw.Int64))
    opened = with_month(opened, "created_at", "month", time_zone)
    opened = sums(opened, KEYS, ["count_complaints"], count_tickets=nw.len())
    if not has_any(tickets, ["is_complaint"])["is_complaint"]:
        opened = opened.drop("count_complaints")
    solved = made.filter(known("solved_at"), nw.col("solved_at") < window.cut)
    solved = solved.with_columns(closed_at=nw.max_horizontal("created_at", "solved_at"))
    solved = solved.with_columns(waited=(nw.col("closed_at") - nw.col("created_at")).dt.total_microseconds())
    closed = sums(with_month(solved, "closed_at", "month", time_zone), KEYS, ["waited"], count_solved=nw.len())
    closed = closed.select(*KEYS, "count_solved", ttr_hours=nw.col("waited") / nw.col("count_solved") / HOUR)
    return [kept(opened), kept(closed)]


def sales_flows(sales: nw.LazyFrame, window: Window, time_zone: str) -> list[nw.LazyFrame]:
    """One frame by KEYS: count_orders, count_returns (orders with a returned line), revenue (net) and margin.

    The margin of a month is missing when a line of it has none; left out when no line has one.
    """
    bought = sales.filter(known("customer_id"), known("ordered_at"), nw.col("ordered_at") < window.cut)
    bought = with_month(bought, "ordered_at", "month", time_zone)
    monthly = sums(folded_orders(bought, KEYS), KEYS, ["net_amount", "margin", "back", "sold"],
                    unknown=nw.col("unknown").max())
    columns = {"count_orders": nw.col("sold"), "count_returns": nw.col("back"), "revenue": nw.col("net_amount") / MINOR}
    if has_any(sales, ["margin"])["margin"]:
        columns["margin"] = nw.when(nw.col("unknown") == 0).then(nw.col("margin") / MINOR)
    return [kept(monthly.select(*KEYS, **columns))]


def folded_orders(lines: nw.LazyFrame, keys: list[str], **more: nw.Expr) -> nw.LazyFrame:
    """Order lines folded into orders (by `keys` and order_id): net_amount and margin summed, sold and back 1 when
    the order has a line sold or returned, unknown 1 when a line lacks its margin.

    Counting distinct orders directly costs the engine three times as much.
    """
    back = nw.col("is_return").fill_null(False).cast(nw.Int64)
    lines = lines.with_columns(back=back, sold=1 - back, unknown=nw.col("margin").is_null().cast(nw.Int64))
    flags = {name: nw.col(name).max() for name in ("back", "sold", "unknown")}
    return sums(lines, [*keys, "order_id"], ["net_amount", "margin"], **flags, **more)
