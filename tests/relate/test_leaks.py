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


DAY = pd.Timestamp("2025-01-01")


def valid_until(left, form):
    """Past for leavers and future for the others, no two alike."""
    return pd.Series([(DAY + pd.Timedelta(minutes=(-1 if gone else 1) * (1 + 997 * number))).strftime(form)
                      for number, gone in enumerate(left)], dtype="str")


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d", "%d/%m/%Y %H:%M",
                                  "%m/%d/%Y %H:%M"])
def test_a_date_written_as_text_that_parts_leavers_from_stayers_is_refused(form):
    left = np.arange(1000) % 5 == 0
    made = check_predictors(pd.DataFrame({"is_churned": left, "x_valid_until": valid_until(left, form)}))[0]
    assert (made.claim_id, made.reason, made.estimate) == ("churn.refused_predictor", "near_perfect", 1.0)


def one_sided(filled):
    left = np.arange(1000) < 200
    frame = pd.DataFrame({"is_churned": left, "x_note": pd.Series(["text"] * 1000, dtype="str").where(filled)})
    made = check_predictors(frame)[0]
    return made.claim_id.partition(".")[2], made.reason


@pytest.mark.parametrize(("leavers", "stayers"), [(100, 0), (10, 0), (100, 4), (100, 800), (0, 400)])
def test_known_or_missing_of_one_side_only_is_recorded_afterwards(leavers, stayers):
    """So many of 200 leavers and 800 stayers have it; 100, 800: erased for half of the leavers."""
    number = np.arange(1000)
    assert one_sided((number < leavers) | (number >= 1000 - stayers)) == ("refused_predictor", "recorded_after")


@pytest.mark.parametrize(("leavers", "stayers"), [(3, 0), (0, 20), (100, 40), (180, 790), (20, 80)])
def test_what_chance_or_an_honest_difference_may_bring_is_not(leavers, stayers):
    """3 of 3 leavers by chance: 0.8 %; 0 of 20: 1 %. Where others have it too, it is no record of leaving."""
    number = np.arange(1000)
    assert one_sided((number < leavers) | (number >= 1000 - stayers))[0] == "predictor"


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
