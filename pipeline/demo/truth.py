"""The truth planted in an invented world: what the structure says, and what only a large simulated run can tell.

`python -m pipeline.demo.truth` computes the second kind for every world and writes it into ledger.json beside this
file (about half a minute); `truth(world)` gives both.

What naive methods find where the truth of the base world is +6.2 % (0.060 log points) of next month's orders per
point and 12.8 EUR per customer and month for detractor to promoter (measured on 3 companies of 6,000; the right
method, Poisson with customer and month effects, found 0.062 there and 0.059 over 60 companies of 1,500):
- least squares of log(1 + sales) on the score: 0.24, four times the truth: valuable customers are both happier and
  bigger buyers (v stands in satisfaction and in orders), and log(1 + x) makes a jump of every month without orders.
- difference of mean sales, promoters minus detractors: 37 EUR, three times the truth; in the null world 20 EUR for 0.
- sales of the same month in place of the next: 0.010, a sixth of the truth, since orders follow the answer of the
  month before; 0.14 in the feedback world, where sales raise the score of their own month.
- scores carried forward to the next answer: 0.022, a third of the truth; old answers say little about the present.
- logit of "ever left" on the mean score: -0.037 in the null world for 0: who stays answers longer.
- "ever bought an additional service" by "ever in contact": log odds 0.58 in the null world for 0 (immortal time).
- orders after the action against before it: 0.148 for 0.073; season and trend add to it.
- answers in branches with the action against those without: about 0.4 points too much; better branches were first.
- NPS of those who answer: 5 points too high, since valuable customers are happier and answer more often; weighting by
  value band and segment mends it here, and cannot in the world "nonresponse", where the answer itself decides.
"""

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.demo.latent import NEVER, Latent, draw_latent
from pipeline.demo.orders import MEAN_ORDER
from pipeline.demo.worlds import SEGMENTS, WORLDS, World, world_named

LEDGER = Path(__file__).with_name("ledger.json")
LEDGER_CUSTOMERS, LEDGER_MONTHS, LEDGER_SEED = 200_000, 24, 7


@dataclass(frozen=True)
class Conversion:
    """What a conversion of unhappier customers would bring, EUR per customer and month; see `conversions`.

    detractor_spend, passive_spend: expected net sales of the next month as things are. *_to_promoter: the value of
    the conversion. *_log_ratio: log of spend after over spend before. customer_months: how many were averaged over.
    """

    detractor_to_promoter: float
    passive_to_promoter: float
    detractor_spend: float
    passive_spend: float
    detractor_log_ratio: float
    passive_log_ratio: float
    customer_months: int


def truth(world: str = "base") -> dict:
    """Structural effects of a world and its entry in the ledger, as one plain dict."""
    ledger = json.loads(LEDGER.read_text(encoding="utf-8"))
    return {"world": world, "structural": structural(world_named(world)),
            "ledger": {key: ledger[key] for key in ("customers", "months", "seed")} | ledger["worlds"][world]}


def structural(world: World) -> dict:
    """The planted parameters and what follows from them exactly."""
    return {
        **asdict(world),
        "sales_percent_per_point": 100 * float(np.expm1(world.sales_per_point)),
        "referrals_percent_per_point": 100 * float(np.expm1(world.referrals_per_point)),
        "churn_hazard_ratio_per_point": float(np.exp(world.churn_per_point)),
        "action_on_sales": dict(zip(SEGMENTS, world.action_on_sales, strict=True)),
    }


def simulated(world: World, customers: int = LEDGER_CUSTOMERS, months: int = LEDGER_MONTHS,
              seed: int = LEDGER_SEED) -> dict:
    """What one large run of a world shows, in expectation over orders and departures wherever that is possible."""
    latent = draw_latent(customers, months, seed, world)
    answered = latent.answered
    everybody = latent.is_active
    x = latent.potential
    known = {"all_customers": nps(x[everybody]), "respondents": nps(x[answered])}
    return {
        "conversion_of_respondents": asdict(conversions(latent, world, answered)),
        "conversion_of_all_customers": asdict(conversions(latent, world, everybody)),
        "nps": known | {"response_bias": known["respondents"] - known["all_customers"]},
        "mean_answer": {"all_customers": float(x[everybody].mean()), "respondents": float(x[answered].mean())},
        "nps_of_half_years": half_years(latent),
        "mean_answer_of_groups": mean_of_groups(latent),
        "response_rate": float(answered.sum() / latent.invited.sum()),
        "churn_per_month": churn_rates(latent),
        "churn_pp_per_point": churn_per_point(latent, world),
        "action_on_orders": action_effects(latent, world, customers, months, seed),
    }


def conversions(latent: Latent, world: World, among: np.ndarray) -> Conversion:
    """Value of detractor → promoter and passive → promoter, EUR net sales per customer and month.

    Averaged over the customer-months t in `among` (n, T) whose customer is still one at the start of t + 1 and is
    detractor (or passive) by the answer of t: expected net sales of t + 1 if the answer were a random draw from the
    answers of the promoters in `among`, minus expected net sales of t + 1 with the answer as it is; all else of the
    customer and the month stays. Expected net sales are the Poisson mean of orders × 40 EUR × what stays after
    returns (0.9706). Whoever leaves during t + 1 still makes the orders of t + 1, so departures play no part;
    additional services (about 0.3 EUR a month, the same for all answers) are left out.
    """
    counted = among[:, :-1] & latent.is_active[:, 1:]
    x = latent.potential[:, :-1][counted]
    spend = MEAN_ORDER * latent.expected_orders[:, 1:][counted]
    without_score = spend * np.exp(-world.sales_per_point * (x - 7))
    as_promoter = without_score * np.exp(world.sales_per_point * (x[x >= 9] - 7)).mean()
    groups = {"detractor": x <= 6, "passive": (x > 6) & (x < 9)}
    before = {name: float(spend[group].mean()) for name, group in groups.items()}
    after = {name: float(as_promoter[group].mean()) for name, group in groups.items()}
    return Conversion(
        detractor_to_promoter=after["detractor"] - before["detractor"],
        passive_to_promoter=after["passive"] - before["passive"],
        detractor_spend=before["detractor"], passive_spend=before["passive"],
        detractor_log_ratio=float(np.log(after["detractor"] / before["detractor"])),
        passive_log_ratio=float(np.log(after["passive"] / before["passive"])),
        customer_months=int(counted.sum()),
    )


def churn_rates(latent: Latent) -> dict[str, float]:
    """Share of customers who leave in a month, all and by segment: in every month but the first of the data.

    A panel asks in month t who leaves in t + 1, so the first month is never an outcome; hazards rise over the first
    twelve months, and the rate of all months lies below that of the months which can be seen.
    """
    here, left = latent.is_active[:, 1:], latent.churned[:, 1:]
    parts = {"all": slice(None)} | {name: latent.segment == i for i, name in enumerate(SEGMENTS)}
    return {name: float(left[part][here[part]].mean()) for name, part in parts.items()}


def half_years(latent: Latent) -> dict[str, dict[str, float]]:
    """NPS of the last six months and of the six before: of those who answered, and of all who were customers."""
    months = latent.potential.shape[1]
    spans = {"last": slice(months - 6, months), "before": slice(months - 12, months - 6)}
    return {name: {"respondents": nps(latent.potential[:, span][latent.answered[:, span]]),
                   "all_customers": nps(latent.potential[:, span][latent.is_active[:, span]])}
            for name, span in spans.items()}


def mean_of_groups(latent: Latent) -> dict[str, float]:
    """Mean answer of detractors, passives and promoters among the answers that have a month of sales after them."""
    x = latent.potential[:, :-1][latent.answered[:, :-1] & latent.is_active[:, 1:]]
    return {"detractor": float(x[x <= 6].mean()), "passive": float(x[(x > 6) & (x < 9)].mean()),
            "promoter": float(x[x >= 9].mean())}


def churn_per_point(latent: Latent, world: World) -> float:
    """Percentage points of monthly churn per point more, over respondents who are still customers the month after."""
    counted = latent.answered[:, :-1] & latent.is_active[:, 1:]
    month = np.broadcast_to(np.arange(1, latent.orders.shape[1]), counted.shape)[counted]
    customer = np.nonzero(counted)[0]
    log_hazard = (-3.9 + world.churn_per_point * (latent.potential[:, :-1][counted] - 7)
                  - 0.5 * latent.is_big[customer] - 0.3 * (latent.segment[customer] == 2)
                  + 0.02 * np.minimum(month, 12))
    change = np.exp(-np.exp(log_hazard)) - np.exp(-np.exp(log_hazard + world.churn_per_point))
    return 100 * float(change.mean())


def action_effects(latent: Latent, world: World, customers: int, months: int, seed: int) -> dict:
    """Total effect of the action on orders (direct, and by way of better answers), log ratio of expected orders.

    Compares each treated customer-month with itself in a run with the same shocks and no action; over all months
    since the start (k), and over k = 0, 1-3 and 6 or more, for all and by segment. The customers are those of the
    run with the action.
    """
    nothing = replace(world, action_on_sales=(0.0, 0.0, 0.0), action_on_score=0.0)
    without = draw_latent(customers, months, seed, nothing).expected_orders
    since = np.arange(months)[None, :] - latent.cohort[:, None]
    treated = latent.is_active & (since >= 0) & (latent.cohort[:, None] != NEVER)
    windows = {"all": treated, "k_0": treated & (since == 0), "k_1_3": treated & (since >= 1) & (since <= 3),
               "k_6_on": treated & (since >= 6)}
    groups = {"all": np.ones(customers, bool)} | {name: latent.segment == i for i, name in enumerate(SEGMENTS)}
    return {group: {window: float(np.log(latent.expected_orders[months_in & rows[:, None]].sum()
                                         / without[months_in & rows[:, None]].sum()))
                    for window, months_in in windows.items()} for group, rows in groups.items()}


def nps(answers: np.ndarray) -> float:
    """Share of 9-10 minus share of 0-6, times 100."""
    return 100 * float((answers >= 9).mean() - (answers <= 6).mean())


def main() -> None:
    worlds = {name: simulated(world) for name, world in WORLDS.items()}
    ledger = {"invented": True, "made_by": "python -m pipeline.demo.truth", "customers": LEDGER_CUSTOMERS,
              "months": LEDGER_MONTHS, "seed": LEDGER_SEED, "worlds": rounded(worlds)}
    LEDGER.write_text(json.dumps(ledger, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{LEDGER.name}: {len(worlds)} worlds of {LEDGER_CUSTOMERS} customers")


def rounded(value):
    """The nested value with every float at seven significant digits."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
