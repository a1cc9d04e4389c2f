"""Invitations and answers of the invented company: a monthly relational survey, and one after service."""

import numpy as np
import pandas as pd

from pipeline.demo.comments import draw_comments
from pipeline.demo.latent import Latent, stream
from pipeline.demo.moments import LAST_DAY_OF_LEAVERS, at_hour, month_start, to_local, to_utc
from pipeline.demo.orders import Orders
from pipeline.demo.service import Tickets

ASKED_BY = ("email", "app", "web", "telephone")
SCALES = {  # instrument: lowest, highest, direction as asked
    "nps": (0.0, 10.0, "higher_is_better"),
    "csat": (1.0, 7.0, "higher_is_better"),
    "ces": (1.0, 7.0, "lower_is_better"),
}
ORDER_SURVEY_SHARE = 0.03
COLUMNS = ["response_id", "customer_id", "instrument", "score", "scale_min", "scale_max", "direction", "sent_at",
           "responded_at", "touchpoint", "channel", "is_direct", "ticket_id", "order_id", "comment", "language"]


def surveys_frame(latent: Latent, tickets: Tickets, orders: Orders, customer_ids: np.ndarray, seed: int,
                  first_month: str) -> pd.DataFrame:
    """One row per invitation and instrument in the columns of the canonical `surveys`.

    Relational: NPS, sent on day 2-16, answered within a week and inside the same month, so that an answer of
    month t is X of month t. After service (4 of 5 solved tickets, 3 % of orders): CSAT and CES, both on the same
    record. CES is asked as effort, 1 very easy to 7 very difficult: lower is better. Nobody is asked after leaving.
    """
    after = pd.concat([_after_tickets(latent, tickets, seed), _after_orders(latent, orders, seed)], ignore_index=True)
    after = after.loc[_still_there(after, latent, first_month)]
    relational = _relational(latent, seed, first_month)
    records = pd.concat([relational, after], ignore_index=True)
    records = records.sort_values(["sent", "customer"], kind="stable", ignore_index=True)
    records["response_id"] = ("R" + pd.Series(1_000_000 + np.arange(len(records))).astype(str)).astype("str")
    records["customer_id"] = pd.array(customer_ids[records["customer"]], dtype="str")
    random = stream(seed, "survey_details")
    n = len(records)
    records["channel"] = pd.array(np.array(ASKED_BY)[random.choice(4, size=n, p=(0.5, 0.2, 0.2, 0.1))], dtype="str")
    answered = records["responded"].notna().to_numpy()
    good = np.where(records["nps"].notna(), records["nps"] / 10, (records["csat"] - 1) / 6)
    tone = np.select([good >= 0.85, good >= 0.6], [2, 1], 0)
    text, language, _ = draw_comments(tone, answered & (random.random(n) < 0.28), random)
    records["comment"], records["language"] = pd.array(text, dtype="str"), pd.array(language, dtype="str")
    records["sent_at"] = to_utc(records["sent"].to_numpy())
    records["responded_at"] = to_utc(records["responded"].to_numpy())
    parts = [_melted(records[records["is_relational"]], "nps"), _melted(records[~records["is_relational"]], "csat"),
             _melted(records[~records["is_relational"]], "ces")]
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values(["response_id", "instrument"], kind="stable", ignore_index=True)


def _relational(latent: Latent, seed: int, first_month: str) -> pd.DataFrame:
    random = stream(seed, "relational")
    customer, month = np.nonzero(latent.invited)
    n = len(customer)
    sent_day = month_start(first_month, month) + random.integers(1, 16, n)
    sent = at_hour(sent_day, 9 + 10 * random.random(n))
    responded = _answer_moment(sent, sent_day, random)
    answered = latent.answered[customer, month]
    return pd.DataFrame({
        "is_relational": True, "customer": customer, "sent": sent,
        "responded": np.where(answered, responded, np.datetime64("NaT")),
        "nps": np.where(answered, latent.potential[customer, month], np.nan),
    })


def _after_tickets(latent: Latent, tickets: Tickets, seed: int) -> pd.DataFrame:
    random = stream(seed, "after_tickets")
    frame = tickets.frame
    n = len(frame)
    asked = frame["solved_at"].notna().to_numpy() & (tickets.customer >= 0) & (random.random(n) < 0.8)
    satisfaction = latent.satisfaction[tickets.customer, tickets.month]
    slowness = np.log(tickets.ttr_hours / 14)
    answers = _service_answers(satisfaction, tickets.is_bad, slowness, random)
    day = to_local(frame["solved_at"].fillna(pd.Timestamp("2000-01-01"))).astype("datetime64[D]") + 1
    chance = -0.6 + 0.4 * (latent.is_big[tickets.customer] - 0.4) + 0.4 * tickets.is_bad
    records = _records(tickets.customer, day, *answers, chance, random)
    records["ticket_id"], records["touchpoint"] = frame["ticket_id"], frame["touchpoint"]
    records["is_direct"] = (frame["touchpoint"] != "entrega").astype("boolean")
    return records[asked]


def _after_orders(latent: Latent, orders: Orders, seed: int) -> pd.DataFrame:
    random = stream(seed, "after_orders")
    n = len(orders.customer)
    arrived = np.where(orders.channel > 0, orders.delivered, orders.local)
    asked = (orders.customer >= 0) & ~np.isnat(arrived) & (random.random(n) < ORDER_SURVEY_SHARE)
    asked &= ~orders.is_cross_sale
    is_late = np.nan_to_num((orders.delivered > orders.promised).astype(float)).astype(bool)
    satisfaction = latent.satisfaction[orders.customer, orders.month]
    answers = _service_answers(satisfaction, is_late, np.zeros(n), random)
    day = np.where(asked, arrived, np.datetime64("2000-01-01")).astype("datetime64[D]") + 1
    chance = -0.8 + 0.4 * (latent.is_big[orders.customer] - 0.4) + 0.3 * is_late
    records = _records(orders.customer, day, *answers, chance, random)
    about_delivery = random.random(n) < 0.6
    touchpoint = np.select([orders.channel == 0, about_delivery, orders.channel == 2],
                           ["tienda", "entrega", "atención"], "web")
    records["order_id"] = pd.array(orders.order_id, dtype="str")
    records["touchpoint"] = pd.array(touchpoint, dtype="str")
    records["is_direct"] = pd.array(touchpoint != "entrega", dtype="boolean")  # a carrier delivers
    return records[asked]


def _service_answers(satisfaction, went_badly, slowness, random) -> tuple[np.ndarray, np.ndarray]:
    """CSAT (7 best) and CES (1 best) from the same satisfaction, how it went, and log of relative slowness."""
    n = len(satisfaction)
    pleased = 5.4 + 0.55 * (satisfaction - 7) - 1.2 * went_badly - 0.3 * slowness + random.normal(0, 0.9, n)
    effort = 2.5 - 0.35 * (satisfaction - 7) + 1.0 * went_badly + 0.35 * slowness + random.normal(0, 1.0, n)
    return np.clip(np.rint(pleased), 1, 7), np.clip(np.rint(effort), 1, 7)


def _records(customer, sent_day, csat, ces, chance, random) -> pd.DataFrame:
    """Records of a survey after service: sent at `sent_day`, answered with log odds `chance`."""
    n = len(customer)
    sent = at_hour(sent_day, 9 + 10 * random.random(n))
    responded = _answer_moment(sent, sent_day, random)
    answered = random.random(n) < 1 / (1 + np.exp(-chance))
    return pd.DataFrame({
        "is_relational": False, "customer": customer, "sent": sent,
        "responded": np.where(answered, responded, np.datetime64("NaT")),
        "csat": np.where(answered, csat, np.nan), "ces": np.where(answered, ces, np.nan),
    })


def _answer_moment(sent: np.ndarray, sent_day: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """When an invitation is answered: minutes later or up to seven days later, by day, never at night."""
    n = len(sent)
    days = np.minimum(np.floor(random.exponential(1.5, n)), 7).astype(int)
    soon = sent + (5 + np.floor(180 * random.random(n))).astype("timedelta64[m]")
    return np.where(days == 0, soon, at_hour(sent_day + days, 8 + 14 * random.random(n)))


def _still_there(records: pd.DataFrame, latent: Latent, first_month: str) -> np.ndarray:
    """Which records were sent and, if answered, answered before the data end and before the customer left."""
    months = latent.churned.shape[1]
    left = np.where(latent.churned.any(axis=1), latent.churned.argmax(axis=1), months)
    end = np.where(left < months, month_start(first_month, np.minimum(left, months - 1)) + LAST_DAY_OF_LEAVERS,
                   month_start(first_month, np.full(len(left), months)))
    last = records["responded"].fillna(records["sent"]).to_numpy()
    return last < end[records["customer"]].astype("datetime64[m]")


def _melted(records: pd.DataFrame, instrument: str) -> pd.DataFrame:
    minimum, maximum, direction = SCALES[instrument]
    frame = records.assign(instrument=instrument, score=records[instrument], scale_min=minimum, scale_max=maximum,
                           direction=direction)
    return frame.astype({"instrument": "str", "direction": "str"})[COLUMNS]
