"""The usual wrong ways, and the worlds that fool them: they must fail there, or the gates would check nothing."""

import numpy as np

from benchmarks.printed import CURRENCY, GROUPS, WINDOW_MONTHS, Linked
from pipeline.contracts.claims import Claim
from pipeline.measure.nps import nps, sides
from pipeline.relate import churn, naive
from pipeline.relate.estimate import claim
from pipeline.relate.sample import fit_sales, sales_sample
from pipeline.relate.timing import with_lags

EVERYWHERE = ("base", "null", "feedback", "nonresponse")
TRAPS = {  # naive claim: worlds in which it must fail
    "sales.naive.log1p_per_point": EVERYWHERE,
    "sales.naive.same_month": ("base", "feedback"),
    "sales.naive.carried_forward": ("base",),
    "sales.naive.group_gap": EVERYWHERE,
    "sales.naive.passive_gap": EVERYWHERE,
    "churn.naive.ever_logit": ("base",),
    "experience.naive.nps_of_those_who_answer": ("base", "nonresponse"),
    "experience.ttr_mean_closed_hours": EVERYWHERE,
}
BORROWED = {  # naive claim: the claim whose truth it is held against
    "sales.naive.log1p_per_point": "sales.per_point@all",
    "sales.naive.same_month": "sales.per_point@all",
    "sales.naive.carried_forward": "sales.per_point@all",
    "sales.naive.group_gap": "sales.conversion_value.detractor_to_promoter@all",
    "sales.naive.passive_gap": "sales.conversion_value.passive_to_promoter@all",
    "churn.naive.ever_logit": "churn.hazard_ratio_per_point@all",
    "experience.naive.nps_of_those_who_answer": "experience.nps_of_all_customers@all",
    "experience.ttr_mean_closed_hours": "experience.ttr_restricted_mean_hours@all",
}


def traps(one: Linked) -> list[Claim]:
    """Naive claims of one company; that of closed tickets stands among the printed ones already."""
    sample = one.sample
    own = fit_sales(sample, ["score_lag0"], rows=with_lags(sample.grid, (0,)))["score_lag0"]
    carried = fit_sales(sales_sample(one.panel, "nps", 24, ["exposure_months"], GROUPS), ["score"])["score"]
    made = [claim(name, estimate, "percent", "ppml", level="described", transform="percent", naive=True)
            for name, estimate in (("sales.naive.same_month", own), ("sales.naive.carried_forward", carried))]
    made += [*naive.naive_sales(sample, CURRENCY), churn.naive_churn(one.staying, one.panel, "nps")]
    return [*made, _of_those_who_answer(one)]


def _of_those_who_answer(one: Linked) -> Claim:
    """NPS of the answers of the last half year, offered as that of all customers."""
    latent = one.company.latent
    who, month = np.nonzero(latent.answered)
    recent = month >= latent.orders.shape[1] - WINDOW_MONTHS
    who, month = who[recent], month[recent]
    score = nps(sides(latent.potential[who, month]), who, len(latent.value)).scaled(100.0)
    return Claim("experience.naive.nps_of_those_who_answer", score.estimate, "points", score.n, "nps_score",
                 ci_low=score.low, ci_high=score.high, naive=True)
