"""The truth that each printed figure is held against, and how it is known.

planted: follows exactly from the numbers that the world is made of. ledger: one large run of the same people with
everything expected instead of drawn. nature: what the world knows and the export does not (how long open tickets will
last, who leaves next year). limit: the same method on very large companies.
"""

import json
import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.limits import FILE, OF_TICKETS
from benchmarks.printed import GROUPS, MONTHS, RISK_MONTHS, SEGMENTS, Linked
from pipeline.demo.latent import draw_latent
from pipeline.demo.truth import LEDGER_CUSTOMERS, LEDGER_SEED, truth
from pipeline.relate.sample import score_groups


@dataclass(frozen=True)
class Truth:
    """value: in the unit of the claim. kind: planted, ledger, nature or limit."""

    value: float
    kind: str


@cache
def truths(world: str) -> dict[str, Truth]:
    """claim@segment -> truth of that world."""
    known = truth(world)
    ledger, planted = known["ledger"], known["structural"]
    beta, value, nps = planted["sales_per_point"], ledger["conversion_of_respondents"], ledger["nps_of_half_years"]
    mean = ledger["mean_answer_of_groups"]
    up, half_up = (beta * (mean[name] - mean["detractor"]) for name in ("promoter", "passive"))
    last, before = nps["last"], nps["before"]
    limits = json.loads(FILE.read_text(encoding="utf-8"))["worlds"].get(world, {})
    told = {name: Truth(number, "nature" if _is_of_nature(name) else "limit") for name, number in limits.items()}
    per_point = Truth(planted["sales_percent_per_point"], "planted")
    told |= {
        "sales.per_point@all": per_point,
        "sales.per_point.two_way_clusters@all": per_point,
        "sales.per_point.without_top_1_percent@all": per_point,
        "sales.orders.per_point@all": per_point,
        "sales.order_value.per_point@all": Truth(0.0, "planted"),
        "sales.stale_score.per_point@age:1": per_point,
        "sales.referrals.per_point@all": Truth(planted["referrals_percent_per_point"], "planted"),
        "sales.same_month_check@all": Truth(0.0, "planted"),
        "sales.lead_check@all": Truth(0.0, "planted"),
        "churn.hazard_ratio_per_point@all": Truth(planted["churn_hazard_ratio_per_point"], "planted"),
        "churn.cox_check_per_point@all": Truth(planted["churn_hazard_ratio_per_point"], "planted"),
        "sales.group.promoter@all": Truth(_percent(up), "ledger"),
        "sales.group.passive@all": Truth(_percent(half_up), "ledger"),
        "sales.asymmetry@all": Truth(_percent(up - 2 * half_up), "ledger"),
        "sales.conversion_value.detractor_to_promoter@all": Truth(value["detractor_to_promoter"], "ledger"),
        "sales.conversion_value.passive_to_promoter@all": Truth(value["passive_to_promoter"], "ledger"),
        "churn.absolute_effect_per_point@all": Truth(ledger["churn_pp_per_point"], "ledger"),
        "experience.nps@all": Truth(last["respondents"], "ledger"),
        "experience.nps_change@all": Truth(last["respondents"] - before["respondents"], "ledger"),
        "experience.nps_weighted@all": Truth(last["all_customers"], "ledger"),
        "experience.nps_raked@all": Truth(last["all_customers"], "ledger"),
        "experience.nps_weighting_shift@all": Truth(last["all_customers"] - last["respondents"], "ledger"),
        "experience.nps_weighted_change@all": Truth(last["all_customers"] - before["all_customers"], "ledger"),
        "experience.nps_of_all_customers@all": Truth(last["all_customers"], "ledger"),
    }
    rates = ledger["churn_per_month"]
    told |= {f"churn.monthly_rate@{'all' if name == 'all' else f'segment:{name}'}": Truth(rates[name], "ledger")
             for name in ("all", *SEGMENTS)}
    if beta == 0:  # an answer that moves nothing has no age at which it moves something
        told |= {name: Truth(0.0, "planted") for name in limits if name.startswith(
            ("sales.stale_score", "sales.lag", "sales.repeat_purchase", "sales.conversion_margin", "sales.break_even"))}
    if planted["churn_per_point"] == 0:
        told["churn.hazard_ratio_per_point@score_age:3"] = Truth(1.0, "planted")
    return told


@cache
def behind(kind: str, world: str) -> float:
    """Customers behind a truth of that kind; without end where it is exact or the company's own."""
    held = json.loads(FILE.read_text(encoding="utf-8")) if kind == "limit" else {}
    return {"limit": held.get("customers", 1) * held.get("companies", {}).get(world, 1),
            "ledger": LEDGER_CUSTOMERS}.get(kind, math.inf)


def _is_of_nature(name: str) -> bool:
    claim_id = name.partition("@")[0]
    return claim_id.removesuffix("_change") in OF_TICKETS


def _percent(log_ratio: float) -> float:
    return 100 * float(np.expm1(log_ratio))


def truths_of(one: Linked) -> dict[str, Truth]:
    """Truths of this company alone: sales that its customers of the last month will take with them when they leave.

    The company lives on for RISK_MONTHS more, under the same people and shocks; each customer's mean month of the last
    twelve is lost from the month after leaving on, at the chance of leaving that nature gives it month by month.
    """
    latent, world = one.company.latent, one.company.world
    on = draw_latent(len(latent.value), MONTHS + RISK_MONTHS, one.company.seed, world, LEDGER_SEED)
    chance = hazards(on, world)[:, MONTHS:]
    stays = np.cumprod(1 - chance, axis=1)
    months_lost = (1 - np.column_stack([np.ones(len(stays)), stays[:, :-1]])).sum(axis=1)
    today = one.older.latest[one.older.latest["value"].notna()]
    ids = {name: place for place, name in enumerate(one.company.customers["customer_id"])}
    codes = one.panel["customer_id"].unique()  # sorted, as the sample numbers them
    place = np.array([ids[codes[code][5:]] for code in today["customer"]])
    lost = today["value"].clip(lower=0).to_numpy() * months_lost[place]
    group = score_groups(today["score"], GROUPS).fillna("no_recent_answer").to_numpy()
    made = {f"churn.revenue_at_risk@months:{RISK_MONTHS}": Truth(float(lost.sum()), "nature")}
    return made | {f"churn.revenue_at_risk.by_answer@answer:{name}": Truth(float(lost[group == name].sum()), "nature")
                   for name in ("detractor", "passive", "promoter", "no_recent_answer")}


def hazards(latent, world) -> np.ndarray:
    """(n, T) chance of leaving in each month, of those who are customers in it."""
    month = np.minimum(np.arange(latent.orders.shape[1]), 12)
    log_hazard = (-3.9 + world.churn_per_point * (latent.potential_lagged - 7)
                  - 0.5 * latent.is_big[:, None] - 0.3 * (latent.segment == 2)[:, None] + 0.02 * month)
    return -np.expm1(-np.exp(log_hazard))
