"""One invented company, analysed as the notebooks do, and the truth that its claims are held against."""

import numpy as np

from pipeline.contracts.claims import Claim
from pipeline.demo.company import Company, simulate
from pipeline.demo.truth import truth
from pipeline.link.panel import build_panel
from pipeline.measure.change import difference
from pipeline.measure.clusters import Score, customer_codes
from pipeline.measure.nps import nps, sides
from pipeline.relate import churn, conversion, naive, sales
from pipeline.relate.estimate import claim
from pipeline.relate.sample import fit_sales, sales_sample
from pipeline.relate.timing import timing_of, with_lags

CURRENCY, TIME_ZONE = "EUR", "Europe/Madrid"
QUARTER = 3  # months of each of the two periods whose NPS is compared
BORROWED = {  # naive claim: the claim whose truth it is held against
    "sales.naive.log1p_per_point": "sales.per_point",
    "sales.naive.same_month": "sales.per_point",
    "sales.naive.carried_forward": "sales.per_point",
    "sales.naive.group_gap": "sales.conversion_value.detractor_to_promoter",
    "sales.naive.passive_gap": "sales.conversion_value.passive_to_promoter",
    "churn.naive.ever_logit": "churn.hazard_ratio_per_point",
    "experience.naive.nps_of_those_who_answer": "experience.nps_of_all_customers",
}
TRAPS = {  # naive claim: worlds in which it must fail
    "sales.naive.log1p_per_point": ("base", "null", "feedback", "nonresponse"),
    "sales.naive.same_month": ("base", "feedback"),
    "sales.naive.carried_forward": ("base",),
    "sales.naive.group_gap": ("base", "null", "feedback", "nonresponse"),
    "sales.naive.passive_gap": ("base", "null", "feedback", "nonresponse"),
    "experience.naive.nps_of_those_who_answer": ("base", "nonresponse"),
}
HONEST = ("sales.per_point", "sales.group.promoter", "sales.conversion_value.detractor_to_promoter",
          "sales.conversion_value.passive_to_promoter", "churn.hazard_ratio_per_point",
          "churn.absolute_effect_per_point", "churn.monthly_rate", "experience.nps.change")
STEADY = {"experience.nps.change": ("null",)}  # claims whose truth is known in some worlds only


def claims_of(seed: int, customers: int, world: str) -> list[Claim]:
    """The claims of HONEST and TRAPS that the notebooks would print about company `seed`, defaults of params.yaml."""
    company = simulate(customers=customers, seed=seed, world=world)
    tables = {name: getattr(company, name) for name in ("surveys", "tickets", "sales", "customers", "actions")}
    panel = build_panel(tables, TIME_ZONE)
    sample = sales_sample(panel, "nps", 1, ["exposure_months"])
    timing = timing_of(sample)
    claims = sales.per_point(sample, timing.level, timing.reason)[0]
    claims += sales.by_group(sample, timing.level, timing.reason)
    claims += conversion.conversion(sample, CURRENCY, 12, timing.level, timing.reason)
    claims += naive.naive_sales(sample, CURRENCY) + _misdated(panel, sample)
    leavers = churn.churn_sample(panel, "nps", 1, ["segment", "value_band"])
    claims += churn.hazard_claims(leavers) + churn.monthly_rates(leavers, []) + _scores(company)
    return [c for c in claims if c.claim_id in HONEST or c.claim_id in TRAPS]


def _misdated(panel, sample) -> list[Claim]:
    """Right model, wrong months: sales of the score's own month, and old scores carried forward."""
    own = fit_sales(sample, ["score_lag0"], rows=with_lags(sample.grid, (0,)))["score_lag0"]
    carried = fit_sales(sales_sample(panel, "nps", 24, ["exposure_months"]), ["score"])["score"]
    return [claim(name, one, "percent", "ppml", level="described", transform="percent", naive=True)
            for name, one in (("sales.naive.same_month", own), ("sales.naive.carried_forward", carried))]


def _scores(company: Company) -> list[Claim]:
    """NPS of those who answer, less that of all customers of this company; change of the last two quarters."""
    latent = company.latent
    who, month = np.nonzero(latent.answered)
    side = sides(latent.potential[who, month])
    months, everybody = latent.orders.shape[1], latent.is_active
    overall = _points(nps(side, who, len(latent.value)))
    target = 100 * float(sides(latent.potential[everybody]).mean())
    made = [Claim("experience.naive.nps_of_those_who_answer", overall.estimate - target, "points", overall.n,
                  "score_test", ci_low=overall.low - target, ci_high=overall.high - target, naive=True)]
    now, before = (nps(side[part], customer_codes(who[part]), len(latent.value)) for part in (
        month >= months - QUARTER, (month >= months - 2 * QUARTER) & (month < months - QUARTER)))
    gap = _points(difference(now, before))
    return [*made, Claim("experience.nps.change", gap.estimate, "points", gap.n, "score_test_difference",
                         ci_low=gap.low, ci_high=gap.high)]


def _points(score: Score) -> Score:
    return score.scaled(100.0)


def truths(world: str) -> dict[str, float]:
    """True value of each adjusted claim in that world."""
    known = truth(world)
    value, planted = known["ledger"]["conversion_of_respondents"], known["structural"]
    return {
        "sales.per_point": planted["sales_percent_per_point"],
        "sales.group.promoter": 100 * float(np.expm1(value["detractor_log_ratio"])),
        "sales.conversion_value.detractor_to_promoter": value["detractor_to_promoter"],
        "sales.conversion_value.passive_to_promoter": value["passive_to_promoter"],
        "churn.hazard_ratio_per_point": planted["churn_hazard_ratio_per_point"],
        "churn.absolute_effect_per_point": known["ledger"]["churn_pp_per_point"],
        "churn.monthly_rate": known["ledger"]["churn_per_month"],
        "experience.nps_of_all_customers": 0.0,
        "experience.nps.change": 0.0,
    }
