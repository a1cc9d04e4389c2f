"""Clustered least squares against Petersen's published values (tolerances as printed in the source).

The data are read from the published reference folder; where it is missing the test is skipped and says so.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from pipeline.contracts.claims import Claim
from pipeline.relate.naive import ols_by_customer, separated, side_by_side


def test_petersen_by_firm_and_two_way(reference):
    data = pd.read_csv(reference / "petersen_cl.csv.gz")
    design = sm.add_constant(data["x"].to_numpy())
    by_firm = ols_by_customer(data["y"].to_numpy(), design, data["firm"].to_numpy())
    assert by_firm.params == pytest.approx([0.0297, 1.0348], abs=5e-5)
    assert by_firm.bse == pytest.approx([0.067013, 0.050596], abs=6e-7)
    two_way = ols_by_customer(data["y"].to_numpy(), design, data[["firm", "year"]].to_numpy())
    assert two_way.bse == pytest.approx([0.065066, 0.053561], abs=4e-6)


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
