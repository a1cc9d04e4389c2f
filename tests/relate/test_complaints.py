"""Complaints of the month after the answer: by hand, found where planted, absent where nothing was exported."""

import numpy as np
import pandas as pd
import pytest

from pipeline.relate.complaints import complaint_claims, in_month
from pipeline.relate.sample import fit_sales, sales_sample


def complaining(panel: pd.DataFrame, per_point: float, seed: int = 4) -> pd.DataFrame:
    """Poisson complaints whose mean moves with the answer that the customer would have given a month before."""
    rng = np.random.default_rng(seed)
    before = panel.groupby("customer_id")["potential"].shift(1).fillna(7)
    count = rng.poisson(0.25 * np.exp(per_point * (before - 7)))
    contacts = count + rng.poisson(0.2, len(panel))
    return panel.assign(count_complaints=count.astype(float), count_tickets=contacts.astype(float))


def test_the_month_after_is_the_month_after():
    periods = pd.DataFrame({"customer_id": ["b", "b", "b", "a"], "count_complaints": [1.0, 2.0, 4.0, 7.0],
                            "period": pd.to_datetime(["2024-11-01", "2024-12-01", "2025-02-01", "2024-12-01"])})
    december = 2024 * 12 + 11
    rows = pd.DataFrame({"customer": [1, 1, 0], "month": [december - 1, december, december - 1]})  # b, b, a
    np.testing.assert_array_equal(in_month(rows, periods, "count_complaints", 1), [2.0, np.nan, 7.0])
    np.testing.assert_array_equal(in_month(rows, periods, "count_complaints", 0), [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(in_month(rows, periods, "count_complaints", -1), [np.nan, 1.0, np.nan])


@pytest.mark.parametrize("planted", [-0.15, 0.0])
def test_fewer_complaints_are_found_where_there_are_fewer(company, planted):
    panel = complaining(company(8, 2500), planted)
    made = {c.claim_id: c for c in complaint_claims(sales_sample(panel, "nps", 1, []), panel)}
    found = made["sales.complaints.per_point"]
    assert found.ci_low <= 100 * np.expm1(planted) <= found.ci_high and found.level == "associated"
    assert (found.ci_high < 0) == (planted < 0)
    assert made["sales.contacts.per_point"].estimate > found.estimate if planted else True


@pytest.mark.parametrize("planted", [0.25, 0.0])
def test_recommendations_are_found_where_better_answers_bring_them(company, planted):
    """Three in a hundred customers recommend in a month; a point more raises that by 28 %, or by nothing."""
    panel = company(3, 2500)
    before = panel.groupby("customer_id")["potential"].shift(1).fillna(7)
    won = np.random.default_rng(11).poisson(0.03 * np.exp(planted * (before - 7))).astype(float)
    made = complaint_claims(sales_sample(panel, "nps", 1, []), panel.assign(count_referrals=won))[2]
    assert made.claim_id == "sales.referrals.per_point" and made.level == "associated"
    assert made.ci_low <= 100 * np.expm1(planted) <= made.ci_high
    assert (made.ci_low > 0) == (planted > 0)


@pytest.mark.parametrize(("month", "is_told"), [(0.03, True), (0.002, False)])
def test_few_recommendations_are_not_enough(company, month, is_told):
    """Of 2,500 customers some 200 recommendations follow an answer, or a tenth of them: less than sixty."""
    panel = company(3, 2500)
    won = np.random.default_rng(12).poisson(month, len(panel)).astype(float)
    made = complaint_claims(sales_sample(panel, "nps", 1, []), panel.assign(count_referrals=won))[2]
    assert (made.status, made.estimate is not None) == ("ok" if is_told else "not_enough_data", is_told)
    assert is_told or made.reason == "few_counted"


def test_a_complaint_that_lowers_the_answers_after_it_makes_no_effect(company):
    """Complaints at random, each taking three points off the answer of its month and two and one off the next two."""
    panel = company(5, 4000)
    count = np.random.default_rng(14).poisson(0.15, len(panel)).astype(float)
    by_customer = pd.Series(count).groupby(panel["customer_id"].to_numpy())
    off = 3 * count + 2 * by_customer.shift(1).fillna(0).to_numpy() + by_customer.shift(2).fillna(0).to_numpy()
    panel = panel.assign(score_nps=panel["score_nps"] - off, count_complaints=count, count_tickets=count)
    sample = sales_sample(panel, "nps", 1, [])
    naive = fit_sales(sample, ["score"], "counted", sample.rows.assign(
        counted=in_month(sample.rows, panel, "count_complaints", 1)))["score"]
    found = complaint_claims(sample, panel)[0]
    assert naive.interval()[0] > 0
    assert found.ci_low < 0 < found.ci_high


def test_what_was_not_exported_is_said(company):
    panel = company(2, 400)
    sample = sales_sample(panel, "nps", 1, [])
    assert [c.reason for c in complaint_claims(sample, panel)] == ["no_tickets", "no_tickets",
                                                                     "no_referrals"]
    unmarked = complaining(panel, 0.0).drop(columns="count_complaints")
    assert complaint_claims(sample, unmarked)[0].reason == "no_complaint_mark"
    nobody = complaining(panel, 0.0).assign(count_complaints=0.0)
    assert complaint_claims(sample, nobody)[0].reason == "no_complaints_after"
