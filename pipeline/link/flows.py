"""What each person did, folded once: orders, answers and responses, and from them what a month of a person holds.

Sums run over whole numbers (micro-points, ten-thousandths, microseconds), so that order and engine do not
move a digit; the division comes last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from pipeline.link.engine import kept, latest, rows, whole, with_month
from pipeline.link.window import Window

KEYS = ["person", "month"]
MICRO = 1_000_000
HOUR = 3_600 * MICRO
RESPONSES = ["person", "response_id", "instrument", "score", "score_up", "sent_at", "responded_at", "touchpoint",
             "channel", "is_direct"]
UNDATED, LATER = 0, 1_000_000  # months of what has no date, and of what lies after the end of the data


@dataclass(frozen=True)
class Flows:
    """Frames with `person` instead of customer_id; None where the table is absent.

    orders: one row per person, order_id and is_return: net_amount, margin (whole ten-thousandths), unknown (a line has
    no margin), first and last instant, channel. monthly: the same per month too, which differs only for an order whose
    lines lie in several months. past: orders without the lines after the end of the data. surveys: the surveys with a
    person, of RESPONSES, and month of the answer. answers: one row per person,
    instrument and month: points (whole micro-points), n, last. asked, given: one row per person, response_id and month
    of its invitation and of its answer. tickets: the tickets with a person. referrals: one row per customer whom
    another known one recommended: that one as person, and the month of acquisition. split: which of asked and given
    hold a response that lies in several months.
    """

    instruments: list[str]
    orders: nw.LazyFrame | None = None
    monthly: nw.LazyFrame | None = None
    past: nw.LazyFrame | None = None
    surveys: nw.LazyFrame | None = None
    answers: nw.LazyFrame | None = None
    asked: nw.LazyFrame | None = None
    given: nw.LazyFrame | None = None
    tickets: nw.LazyFrame | None = None
    referrals: nw.LazyFrame | None = None
    split: frozenset[str] = frozenset()


def known(column: str) -> nw.Expr:
    return ~nw.col(column).is_null()


def score_up() -> nw.Expr:
    """The score turned so that higher is better, on its own scale."""
    turned = nw.col("scale_min") + nw.col("scale_max") - nw.col("score")
    return nw.when(nw.col("direction") == "lower_is_better").then(turned).otherwise(nw.col("score"))


def distinct(frame: nw.LazyFrame, keys: list[str]) -> nw.LazyFrame:
    """The distinct combinations of `keys`; grouping costs the engine far less than the window behind `unique`."""
    return frame.group_by(keys).agg(twins=nw.len()).select(*keys)


def sums(frame: nw.LazyFrame, keys: list[str], names: list[str], **more: nw.Expr) -> nw.LazyFrame:
    """Sums of whole numbers by key, as int64 (the engine widens them), beside other simple aggregates."""
    summed = frame.group_by(keys).agg(nw.col(*names).sum(), **more)
    return summed.with_columns(nw.col(*names).cast(nw.Int64))


def instruments_of(surveys: nw.LazyFrame) -> list[str]:
    """Names of the instruments that were asked, sorted."""
    return sorted(row["instrument"] for row in rows(distinct(surveys, ["instrument"])) if row["instrument"])


def placed(frame: nw.LazyFrame, column: str, window: Window | None, time_zone: str,
           into: str = "month") -> nw.LazyFrame:
    """Adds `into`, the month of `column`: UNDATED where it is missing, LATER after the end of the data."""
    if window is None:
        return frame.with_columns(nw.lit(UNDATED).alias(into))
    frame = with_month(frame, column, into, time_zone)
    later = nw.when(nw.col(column) >= window.cut).then(nw.lit(LATER)).otherwise(nw.col(into))
    return frame.with_columns(later.fill_null(UNDATED).cast(nw.Int64).alias(into))


def gather(frames: Mapping[str, nw.LazyFrame], people: nw.LazyFrame | None, held: Mapping[str, Mapping[str, int]],
           window: Window | None, time_zone: str, instruments: list[str], referrals: nw.LazyFrame | None) -> Flows:
    """The flows of these canonical tables. people: person and customer_id. held, window, instruments: of the whole.
    referrals: customer_id of who recommended, acquired_at of who was won."""
    if people is None:
        return Flows(instruments)
    made = {}
    if "sales" in frames:
        lines = placed(_owned(frames["sales"], people), "ordered_at", window, time_zone)
        made |= _orders(lines.with_columns(is_return=nw.col("is_return").fill_null(False)))
    if "surveys" in frames:
        surveys = placed(_owned(frames["surveys"], people), "responded_at", window, time_zone)
        made["surveys"] = surveys = kept(surveys.with_columns(score_up=score_up()).select(*RESPONSES, "month"))
        answered = surveys.filter(known("score"), nw.col("month") < LATER)
        answered = answered.with_columns(points=(nw.col("score_up") * MICRO).round().cast(nw.Int64), n=nw.lit(1))
        made["answers"] = kept(latest(answered, ["person", "instrument", "month"], "points",
                                      ["responded_at", "response_id"], ["points", "n"]))
        if held["surveys"]["sent_at"]:
            surveys = surveys.with_columns(asked_at=nw.coalesce("sent_at", "responded_at"))
            surveys = placed(surveys, "asked_at", window, time_zone, "asked")
        made |= _responses(surveys, bool(held["surveys"]["sent_at"]))
    if "tickets" in frames:
        made["tickets"] = kept(_owned(frames["tickets"], people).select(
            "person", "ticket_id", "created_at", "solved_at", "is_complaint", "touchpoint", "channel"))
    if referrals is not None:
        won = placed(_owned(referrals, people), "acquired_at", window, time_zone)
        made["referrals"] = kept(won.select("person", "month"))
    return Flows(instruments, **made)


def _owned(frame: nw.LazyFrame, people: nw.LazyFrame) -> nw.LazyFrame:
    """The rows of known customers, with `person` instead of customer_id."""
    return frame.join(people, on="customer_id").drop("customer_id")


def _orders(lines: nw.LazyFrame) -> dict[str, nw.LazyFrame]:
    """orders, monthly and past. Nearly every order lies in one month; only the lines of others are folded again."""
    keys = ["person", "order_id", "is_return"]
    orders = kept(_folded(lines, keys))
    whole_ones = orders.filter(nw.col("month") == nw.col("until"))
    past = whole_ones.filter(nw.col("month") < LATER)
    wide = orders.filter(nw.col("month") < nw.col("until")).select(*keys)
    if not rows(wide.select(n=nw.len()))[0]["n"]:
        return {"orders": orders, "monthly": orders, "past": past}
    lines = kept(lines.join(kept(wide), on=keys, how="semi"))
    names = orders.collect_schema().names()
    split = kept(_folded(lines, [*keys, "month"]))
    again = kept(_folded(lines.filter(nw.col("month") < LATER), keys))
    return {"orders": orders, "monthly": nw.concat([part.select(*names) for part in (whole_ones, split)]),
            "past": nw.concat([part.select(*names) for part in (past, again)])}


def _folded(lines: nw.LazyFrame, keys: list[str]) -> nw.LazyFrame:
    lines = lines.with_columns(place=nw.col("month"))
    folded = lines.group_by(keys).agg(
        nw.col("net_amount").sum(), nw.col("margin").sum(), valued=nw.col("margin").count(), lines=nw.len(),
        first=nw.col("ordered_at").min(), last=nw.col("ordered_at").max(), channel=nw.col("channel").min(),
        begins=nw.col("place").min(), until=nw.col("place").max())
    folded = folded.with_columns(unknown=(nw.col("valued") < nw.col("lines")).cast(nw.Int64), month=nw.col("begins"))
    return whole(folded.drop("valued", "lines", "begins"), ["net_amount", "margin"])


def _responses(surveys: nw.LazyFrame, is_asked: bool) -> dict[str, Any]:
    """asked, given and split. Nearly every response lies in one month; where not, each of its months counts."""
    answered = known("score") & (nw.col("month") < LATER)
    surveys = surveys.with_columns(given=nw.when(answered).then(nw.col("month")),
                                   asked=nw.col("asked") if is_asked else nw.lit(UNDATED))
    found = kept(surveys.group_by("person", "response_id").agg(
        given=nw.col("given").min(), given_until=nw.col("given").max(), asked=nw.col("asked").min(),
        asked_until=nw.col("asked").max()))
    made: dict[str, Any] = {"split": frozenset()}
    for name in ("asked", "given"):
        several = rows(found.filter(nw.col(name) < nw.col(f"{name}_until")).select(n=nw.len()))[0]["n"]
        own = surveys if several else found
        own = own.filter(known(name)).select("person", "response_id", month=name)
        made[name] = kept(distinct(own, ["person", "response_id", "month"])) if several else own
        made["split"] |= {name} if several else set()
    return made


def survey_months(flows: Flows, held: Mapping[str, int]) -> list[nw.LazyFrame]:
    """Frames by KEYS: count_invitations, count_answers, and per instrument score_ and latest_ (last in the month).

    An invitation without its own date counts in the month of its answer; without any date in the export
    count_invitations is left out.
    """
    found = [_counted(flows.asked, "count_invitations")] if held["sent_at"] else []
    found.append(_counted(flows.given, "count_answers"))
    for instrument in flows.instruments:
        own = _dated(flows.answers).filter(nw.col("instrument") == instrument)
        found.append(own.select(*KEYS, (nw.col("points") / nw.col("n") / MICRO).alias(f"score_{instrument}"),
                                (nw.col("last") / MICRO).alias(f"latest_{instrument}")))
    return found


def _dated(frame: nw.LazyFrame) -> nw.LazyFrame:
    return frame.filter(nw.col("month") > UNDATED, nw.col("month") < LATER)


def _counted(responses: nw.LazyFrame, into: str) -> nw.LazyFrame:
    return kept(_dated(responses).group_by(KEYS).agg(nw.len().alias(into)))


def ticket_months(flows: Flows, held: Mapping[str, int], window: Window, time_zone: str) -> list[nw.LazyFrame]:
    """Frames by KEYS: opened (count_tickets, count_complaints) and closed (count_solved, ttr_hours).

    A ticket without an opening time has no place in time and is left out; one solved after the data end is
    still open. count_complaints is left out when no ticket says whether it is one.
    """
    made = placed(flows.tickets, "created_at", window, time_zone)
    made = _dated(made.with_columns(count_complaints=nw.col("is_complaint").fill_null(False).cast(nw.Int64)))
    opened = sums(made, KEYS, ["count_complaints"], count_tickets=nw.len())
    if not held["is_complaint"]:
        opened = opened.drop("count_complaints")
    solved = made.drop("month").filter(known("solved_at"), nw.col("solved_at") < window.cut)
    solved = solved.with_columns(closed_at=nw.max_horizontal("created_at", "solved_at"))
    solved = solved.with_columns(waited=(nw.col("closed_at") - nw.col("created_at")).dt.total_microseconds())
    closed = sums(placed(solved, "closed_at", window, time_zone), KEYS, ["waited"], count_solved=nw.len())
    closed = closed.select(*KEYS, "count_solved", ttr_hours=nw.col("waited") / nw.col("count_solved") / HOUR)
    return [kept(opened), kept(closed)]


def sales_months(flows: Flows, held: Mapping[str, int]) -> list[nw.LazyFrame]:
    """One frame by KEYS: count_orders, count_returns (orders with a returned line), revenue and margin in whole
    ten-thousandths; the margin of a month is missing when a line of it has none, left out when no line has one."""
    back = nw.col("is_return").cast(nw.Int64)
    orders = _dated(flows.monthly).with_columns(count_returns=back, count_orders=1 - back)
    monthly = sums(orders, KEYS, ["net_amount", "margin", "count_orders", "count_returns"],
                   unknown=nw.col("unknown").max())
    columns = {"count_orders": "count_orders", "count_returns": "count_returns", "revenue": "net_amount"}
    if held["margin"]:
        columns["margin"] = nw.when(nw.col("unknown") == 0).then(nw.col("margin"))
    return [kept(monthly.select(*KEYS, **columns))]


def referral_months(flows: Flows) -> list[nw.LazyFrame]:
    """One frame by KEYS: count_referrals, customers acquired in the month whom this one recommended."""
    return [_counted(flows.referrals, "count_referrals")]
