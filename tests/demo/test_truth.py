"""The known truth: exact parts by hand arithmetic, the ledger against a smaller run of its own."""

import json

import numpy as np
import pytest

from pipeline.demo.latent import draw_latent
from pipeline.demo.truth import LEDGER, conversions, nps, simulated, truth
from pipeline.demo.worlds import WORLDS


def test_structure_is_that_of_the_published_design():
    structural = truth("base")["structural"]
    assert structural["sales_percent_per_point"] == pytest.approx(6.18365, abs=1e-5)  # 100 (e^.06 - 1)
    assert structural["churn_hazard_ratio_per_point"] == pytest.approx(0.818731, abs=1e-6)  # e^-.2
    assert structural["action_on_sales"] == {"hogar": 0.04, "autónomo": 0.10, "empresa": 0.16}


def test_ledger_is_of_at_least_sixty_thousand_customers_and_holds_every_world():
    ledger = json.loads(LEDGER.read_text(encoding="utf-8"))
    assert ledger["customers"] >= 60_000 and ledger["invented"] is True
    assert set(ledger["worlds"]) == set(WORLDS)


@pytest.mark.parametrize("world", ["base", "nonresponse"])
def test_ledger_agrees_with_a_smaller_run(world):
    """15,000 customers under another seed; tolerances are three to four standard errors between seeds."""
    small, told = simulated(WORLDS[world], customers=15_000, seed=8), truth(world)["ledger"]
    for among in ("conversion_of_respondents", "conversion_of_all_customers"):
        assert small[among]["detractor_to_promoter"] == pytest.approx(told[among]["detractor_to_promoter"], rel=0.06)
        assert small[among]["passive_to_promoter"] == pytest.approx(told[among]["passive_to_promoter"], rel=0.06)
        assert small[among]["detractor_log_ratio"] == pytest.approx(told[among]["detractor_log_ratio"], abs=0.006)
    assert small["nps"]["response_bias"] == pytest.approx(told["nps"]["response_bias"], abs=1.5)
    assert small["churn_pp_per_point"] == pytest.approx(told["churn_pp_per_point"], rel=0.05)


def test_conversion_by_hand():
    """A detractor (5), a passive (8) and a promoter (9), one expected order each: spend times e^.24 - 1, e^.06 - 1."""
    latent = draw_latent(3, 2, 1, WORLDS["base"])
    latent.potential[:, 0] = [5, 8, 9]
    latent.expected_orders[:, 1] = 1.0
    latent.is_active[:] = True
    value = conversions(latent, WORLDS["base"], np.ones((3, 2), bool))
    spend = 40 * (1 - 0.04 * (0.55 + 0.25 / 2 + 0.13 / 3 + 0.07 / 4))  # 4 % of orders give one of 1-4 lines back
    assert value.detractor_spend == value.passive_spend == pytest.approx(spend)
    assert value.detractor_to_promoter == pytest.approx(spend * 0.2712492)
    assert value.passive_to_promoter == pytest.approx(spend * 0.0618365)
    assert value.customer_months == 3


def test_nps_by_hand():
    assert nps(np.array([10, 9, 8, 7, 6, 0, 5, 3, 9, 8])) == pytest.approx(-10)  # 3 promoters, 4 detractors of 10


def test_null_world_is_worth_nothing_and_valuable_customers_answer_more():
    null, base, hidden = (truth(world)["ledger"] for world in ("null", "base", "nonresponse"))
    assert null["conversion_of_respondents"]["detractor_to_promoter"] == 0
    assert null["churn_pp_per_point"] == 0 and null["action_on_orders"]["all"]["all"] == 0
    assert 3 < base["nps"]["response_bias"] < 8
    assert hidden["nps"]["response_bias"] > base["nps"]["response_bias"] + 8
    steps = base["action_on_orders"]
    assert steps["hogar"]["k_6_on"] < steps["autónomo"]["k_6_on"] < steps["empresa"]["k_6_on"]
    assert steps["all"]["k_0"] < steps["all"]["k_1_3"] < steps["all"]["k_6_on"]
