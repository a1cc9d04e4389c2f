"""Columns that hold the outcome are refused by name and with the reason; honest ones are not."""

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.relate.churn import churn_sample
from pipeline.relate.leaks import check_predictors, refused
from pipeline.relate.sample import sales_sample


def totals(n=2000):
    rng = np.random.default_rng(4)
    left = rng.random(n) < 0.3
    return pd.DataFrame({
        "is_churned": left,
        "x_model": np.where(left, rng.normal(85, 5, n), rng.normal(40, 12, n)),
        "x_churn_score": rng.normal(50, 10, n) + 5 * left,
        "x_why": pd.Series(np.where(left, "price", None), dtype="str"),
        "x_complained": np.where(rng.random(n) < 0.02, ~left, left),
        "x_age": rng.integers(18, 80, n) - 5 * left,
        "x_plan": pd.Series(rng.choice(["a", "b", "c"], n), dtype="str"),
        "x_same": 1.0})


def test_each_disguise_is_named():
    claims = {c.segment.removeprefix("predictor:"): c for c in check_predictors(totals())}
    assert len(claims) == 7  # every own column, and nothing else
    assert {name: c.reason for name, c in claims.items() if c.claim_id == "churn.refused_predictor"} == {
        "model": "near_perfect", "churn_score": "named_after_outcome", "why": "recorded_after",
        "complained": "near_perfect"}
    assert claims["same"].reason == "constant" and check_predictors(totals().drop(columns="is_churned")) == []
    assert refused(list(claims.values())) == ["model", "churn_score", "why", "complained"]
    assert claims["age"].ci_low > 0.5 and claims["plan"].ci_low < 0.5


def test_area_by_hand():
    """Three leavers, two stayers: 5 of 6 pairs in order."""
    frame = pd.DataFrame({"is_churned": [True, True, True, False, False], "x_a": [5.0, 4, 2, 3, 1]})
    assert round(check_predictors(frame)[0].estimate, 4) == round(5 / 6, 4)


@pytest.mark.parametrize(("name", "rule"), [("revenue_next", "PARAM-OUTCOME"), ("is_churned_next", "PARAM-OUTCOME"),
                                            ("segmento", "PARAM-COLUMN"), ("last_nps", "PARAM-COLUMN")])
def test_no_model_takes_the_outcome_or_an_unknown_column_as_a_covariate(company, name, rule):
    """With them sales would come out moved by 0.3 % instead of 6 % a point, and the hazard ratio as one."""
    panel = company(2, 200)
    for make in (churn_sample, sales_sample):
        with pytest.raises(Refusal, match=rule):
            make(panel, "nps", 1, [name])
