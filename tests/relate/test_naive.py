"""The unadjusted figures: separation is seen before fitting, and the contrast says how far off they are."""

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.claims import Claim
from pipeline.relate import churn
from pipeline.relate.naive import separated, side_by_side


@pytest.mark.parametrize(("x", "y", "reason"), [
    ([], [], "no_scores"), ([3, 3], [0, 1], "constant_score"), ([1, 2], [1, 1], "one_class"),
    ([1, 2, 2, 3], [1, 1, 0, 0], "separation"), ([1, 2, 3, 2], [0, 1, 1, 0], "separation"),
    ([1, 2, 3, 1], [1, 0, 1, 0], ""),
])
def test_separation_is_seen_before_fitting(x, y, reason):
    assert separated(np.array(x, float), np.array(y, float)) == reason


def test_side_by_side_says_how_far_off_the_naive_figure_is():
    claims = [Claim("a", 10.0, "EUR", 5, "m", "associated", ci_low=8, ci_high=12),
              Claim("b", 25.0, "EUR", 7, "m", ci_low=20, ci_high=30, naive=True)]
    table = side_by_side(claims, [("a", "b"), ("a", "not there")])
    assert table["claim"].tolist() == ["a", "b"] and table["ratio"].tolist()[1] == 2.5


def test_ever_left_says_what_the_export_lacks():
    """No dates: a label without an answer, an answer without a label, and neither customers nor dates."""
    undated = churn.churn_sample(pd.DataFrame(), "csat", 1, [])
    label = pd.DataFrame({"is_churned": [True, False] * 20})
    answer = pd.DataFrame({"score_csat": [1.0, 5.0] * 20, "is_churned": None})
    reasons = [churn.naive_churn(undated, totals, "csat").reason for totals in (label, answer, pd.DataFrame())]
    assert reasons == ["no_scores", "not_contractual", "no_panel"]
