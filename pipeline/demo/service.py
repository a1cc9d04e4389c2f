"""Tickets of the invented company: each contact of a month opens one, sometimes two."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.demo.latent import Latent, stream
from pipeline.demo.moments import at_hour, end_of_data, random_day, to_utc

REASONS = ("entrega tardía", "factura incorrecta", "producto defectuoso", "consulta de uso", "cambio de datos",
           "devolución")
TOUCHPOINT_OF_REASON = np.array(["entrega", "facturación", "tienda", "atención", "web", "tienda"])
CHANNELS = ("telephone", "email", "web", "app")
PRIORITIES = ("low", "normal", "high")
TEAMS = np.array(["atención A", "atención B", "posventa"])


@dataclass(frozen=True)
class Tickets:
    """Tickets in order of creation; `frame` as the canonical table, the arrays one entry per ticket.

    customer: position of the customer, -1 unknown caller. month: month index. is_bad: the contact went badly.
    ttr_hours: full resolution, known to nature also for tickets still open; wait_hours: the part of it in which the
    company had to act.
    """

    frame: pd.DataFrame
    customer: np.ndarray
    month: np.ndarray
    is_bad: np.ndarray
    ttr_hours: np.ndarray
    wait_hours: np.ndarray


def draw_tickets(latent: Latent, customer_ids: np.ndarray, seed: int, first_month: str) -> Tickets:
    """Tickets of active customers in months with a contact, and 2 % of unknown callers on top.

    Time to resolution is lognormal (median 14 hours, 26 when the contact goes badly), twenty times as long for one
    in fourteen, and longer than any data for one in thirty, so that about 4 % of all are open when the data end.
    """
    random = stream(seed, "tickets")
    months = latent.contact.shape[1]
    customer, month = np.nonzero(latent.contact & latent.is_active)
    twice = np.flatnonzero(random.random(len(customer)) < 0.08)
    unknown = round(0.02 * len(customer))
    customer = np.concatenate([customer, customer[twice], np.full(unknown, -1)])
    month = np.concatenate([month, month[twice], random.integers(0, months, unknown)])
    n, known = len(customer), customer >= 0
    leaves = known & latent.churned[customer, month]
    created_local = at_hour(random_day(random, first_month, month, leaves), 7 + 16 * random.random(n), "s")
    order = np.lexsort([customer, created_local])
    customer, month, created_local, known = customer[order], month[order], created_local[order], known[order]
    is_bad = known & latent.has_bad_contact[customer, month]
    reason = random.choice(6, size=n, p=(0.24, 0.2, 0.14, 0.22, 0.1, 0.1))
    priority = random.choice(3, size=n, p=(0.2, 0.6, 0.2))
    usual_hours = np.exp(np.log(14) + 0.6 * is_bad - 0.3 * (priority == 2) + random.normal(0, 1.0, n))
    ttr_hours = usual_hours * random.choice([1.0, 20.0, 1e4], size=n, p=(0.897, 0.07, 0.033))
    created = to_utc(created_local)
    end = end_of_data(first_month, months)
    solved = _known(created, ttr_hours, end)
    replied = _known(created, usual_hours * (0.03 + 0.6 * random.random(n)), end)
    is_open = np.isnat(solved)
    is_old = ~is_open & (end - solved > np.timedelta64(7, "D"))
    status = np.select([is_open & np.isnat(replied), is_open, is_old], ["open", "pending", "closed"], "solved")
    acting = stream(seed, "requester wait").beta(6, 2, n)
    lasted = np.minimum(ttr_hours, (end - created) / np.timedelta64(3600, "s"))
    promised = _known(created, np.where(priority == 2, 24.0, 48.0), np.datetime64("9999-01-01"))
    was_promised = random.random(n) < 0.7
    reopened = np.where(random.random(n) < np.where(is_bad, 0.13, 0.055), 1 + (random.random(n) < 0.15), 0)
    frame = pd.DataFrame({
        "ticket_id": pd.array((700_001 + np.arange(n)).astype(str), dtype="str"),
        "customer_id": pd.Series(customer_ids[customer], dtype="str").where(known),
        "created_at": created,
        "first_reply_at": replied,
        "solved_at": solved,
        "reopened": pd.array(reopened, dtype="Int64"),
        "requester_wait_minutes": np.floor(60 * acting * lasted),
        "status": pd.array(status, dtype="str"),
        "channel": pd.array(np.array(CHANNELS)[random.choice(4, size=n, p=(0.45, 0.3, 0.15, 0.1))], dtype="str"),
        "touchpoint": pd.array(TOUCHPOINT_OF_REASON[reason], dtype="str"),
        "reason": pd.array(np.array(REASONS)[reason], dtype="str"),
        "is_complaint": random.random(n) < np.where(is_bad, 0.6, 0.08),
        "priority": pd.array(np.array(PRIORITIES)[priority], dtype="str"),
        "promised_at": np.where(was_promised, promised, np.datetime64("NaT")),
        "team": pd.array(TEAMS[random.choice(3, size=n)], dtype="str"),
    })
    return Tickets(frame, customer, month, is_bad, ttr_hours, acting * ttr_hours)


def _known(start: np.ndarray, hours: np.ndarray, end: np.datetime64) -> np.ndarray:
    """Moments `hours` after `start`, to the second, NaT where they fall after the data end."""
    moment = start + np.floor(np.minimum(hours, 1e6) * 3600).astype("int64").astype("timedelta64[s]")
    return np.where(moment < end, moment, np.datetime64("NaT")).astype("datetime64[us]")
