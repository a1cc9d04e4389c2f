"""The invented company: five clean tables as a perfect export would give them, and what lies behind them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.demo.latent import Latent, draw_latent, stream
from pipeline.demo.moments import LAST_DAY_OF_LEAVERS, month_start, to_utc
from pipeline.demo.orders import draw_orders, sales_frame
from pipeline.demo.service import draw_tickets
from pipeline.demo.surveys import surveys_frame
from pipeline.demo.worlds import BRANCHES, SEGMENTS, World, world_named

ACTION = "ventanilla única"
REFERRED_SHARE = 2 / 3
DAYS_BEFORE = 4 * 365  # customers of the first day came up to this long before it (left truncation)


@dataclass(frozen=True)
class Company:
    """One invented company.

    surveys, tickets, sales, customers, actions: the canonical tables (contracts/tables.py), times naive UTC
    datetime64[us], ids plain text, amounts float EUR at two decimals, no duplicated accounts and nothing dirty.
    latent: what drives them, customer × month, rows in the order of `customers`.
    """

    world: World
    seed: int
    first_month: str
    latent: Latent
    surveys: pd.DataFrame
    tickets: pd.DataFrame
    sales: pd.DataFrame
    customers: pd.DataFrame
    actions: pd.DataFrame


def simulate(customers: int = 6000, months: int = 24, seed: int = 20240101, world: str = "base",
             first_month: str = "2024-01", network: int | None = None) -> Company:
    """One invented company of METHODS §10; same arguments, same company. network: see `draw_latent`.

    True effects in the base world: one point more in an answer raises orders of the next month by 100 (e^.06 - 1) =
    6.2 % and multiplies the hazard of leaving in the next month by e^-.20 = 0.82; the action raises orders by
    4, 10 and 16 log points at full ramp (segments hogar, autónomo, empresa) and satisfaction by 0.8 points, which
    acts on top. What naive methods find in it stands in `pipeline.demo.truth`.
    """
    effects = world_named(world)
    latent = draw_latent(customers, months, seed, effects, network)
    ids = np.array([f"CL-{number:06d}" for number in _account_numbers(customers, seed)], dtype=object)
    branches = np.array([f"Sucursal {number:02d}" for number in range(1, BRANCHES + 1)], dtype=object)
    tickets = draw_tickets(latent, ids, seed, first_month)
    orders = draw_orders(latent, seed, first_month)
    return Company(
        world=effects, seed=seed, first_month=first_month, latent=latent,
        surveys=surveys_frame(latent, tickets, orders, ids, seed, first_month),
        tickets=tickets.frame,
        sales=sales_frame(orders, latent, ids, branches, seed, first_month),
        customers=customers_frame(latent, ids, branches, seed, first_month, effects),
        actions=actions_frame(latent, branches, seed, first_month),
    )


def customers_frame(latent: Latent, ids: np.ndarray, branches: np.ndarray, seed: int, first_month: str,
                    world: World) -> pd.DataFrame:
    """One row per customer; acquired_at and ended_at are local midnights.

    The contract of a customer who leaves in month t ends on day 25-28 of it, after all that happened in it.
    """
    random = stream(seed, "customers")
    n = len(ids)
    came = latent.acquired_month
    start = month_start(first_month, 0)
    acquired = np.where(came < 0, start - random.integers(1, DAYS_BEFORE, n),
                        month_start(first_month, np.maximum(came, 0)) + random.integers(0, 28, n))
    leaves = latent.churned.any(axis=1)
    ended = month_start(first_month, latent.churned.argmax(axis=1)) + LAST_DAY_OF_LEAVERS + random.integers(0, 4, n)
    is_company = random.random(n) < np.array([0.0, 0.3, 1.0])[latent.segment]
    none = pd.Series(np.nan, index=range(n), dtype="str")
    return pd.DataFrame({
        "customer_id": pd.array(ids, dtype="str"),
        "merged_into": none,
        "account_id": none,
        "referred_by": pd.array(_who_recommended(latent, ids, seed, world), dtype="str"),
        "segment": pd.array(np.array(SEGMENTS)[latent.segment], dtype="str"),
        "value_band": pd.array(np.where(latent.is_big, "alto", "bajo"), dtype="str"),
        "branch": pd.array(branches[latent.branch], dtype="str"),
        "party_type": pd.array(np.where(is_company, "company", "person"), dtype="str"),
        "acquired_at": to_utc(acquired),
        "ended_at": to_utc(np.where(leaves, ended, np.datetime64("NaT"))),
        "is_churned": pd.Series(pd.NA, index=range(n), dtype="boolean"),
        "tenure_months": np.full(n, np.nan),
    })


def _who_recommended(latent: Latent, ids: np.ndarray, seed: int, world: World) -> np.ndarray:
    """(customers,) id of the customer who recommended the company, missing where nobody did.

    Two thirds of the customers won within the data came so, each by one of those who were customers in that month,
    drawn with weights exp(referrals_per_point (X - 7)) of their answer of the month before.
    """
    random = stream(seed, "referrals")
    by = np.full(len(ids), np.nan, dtype=object)
    is_sent = random.random(len(ids)) < REFERRED_SHARE
    for month in np.unique(latent.acquired_month[latent.acquired_month >= 0]):
        won = np.flatnonzero((latent.acquired_month == month) & is_sent)
        there = np.flatnonzero(latent.is_active[:, month])
        weight = np.exp(world.referrals_per_point * (latent.potential_lagged[there, month] - 7))
        by[won] = ids[random.choice(there, len(won), p=weight / weight.sum())] if len(there) else np.nan
    return by


def actions_frame(latent: Latent, branches: np.ndarray, seed: int, first_month: str) -> pd.DataFrame:
    """The register of actions: one row per branch, received_at missing where it was never rolled out.

    Branches whose month lies after the data have not received it either.
    """
    random = stream(seed, "actions")
    cohort, months = latent.branch_cohort, latent.orders.shape[1]
    received = np.where(cohort < months, month_start(first_month, np.minimum(cohort, months)), np.datetime64("NaT"))
    cost = np.where(cohort < months, np.rint(random.gamma(9, 500, len(branches))), np.nan)
    return pd.DataFrame({
        "action_id": pd.Series(ACTION, index=range(len(branches)), dtype="str"),
        "unit_id": pd.array(branches, dtype="str"),
        "unit_kind": pd.Series("branch", index=range(len(branches)), dtype="str"),
        "eligible": np.ones(len(branches), bool),
        "received_at": to_utc(received),
        "cost": cost,
    })


def _account_numbers(customers: int, seed: int) -> np.ndarray:
    """Account numbers with gaps, as registers have them, so that an id tells neither order nor count."""
    return np.sort(stream(seed, "accounts").choice(10 * customers + 1000, size=customers, replace=False)) + 1000
