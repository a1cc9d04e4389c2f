"""Foretelling who leaves: held against hand arithmetic, the law of an invented company, and a model made worse."""

import numpy as np
import pandas as pd
import pytest

from pipeline.relate import churn, prediction


def by_id(claims):
    return {c.claim_id: c for c in claims}


@pytest.fixture(scope="module")
def sample(company):
    return churn.churn_sample(company(8, 4000), "nps", 3, ["segment", "value_band"])


def told_of(left, hazard, customer=None):
    who = np.arange(len(left)) if customer is None else np.asarray(customer)
    return prediction.Foretold(pd.DataFrame({"customer": who, "month": 0, "left": np.asarray(left, float),
                                             "hazard": np.asarray(hazard, float)}), 0.25)


def test_area_and_brier_by_hand():
    """Leavers .8 and .4 against .6, .4, .1, .1: of 8 pairs 6 are right and one is tied, so 6.5 / 8.

    Brier: (.04 + .36 + .36 + .16 + .01 + .01) / 6 against (2 x .5625 + 4 x .0625) / 6.
    """
    left, hazard = np.array([1, 1, 0, 0, 0, 0.0]), np.array([0.8, 0.4, 0.6, 0.4, 0.1, 0.1])
    who = np.arange(6)
    assert prediction._area(left, hazard, who, 6).value == pytest.approx(6.5 / 8)
    assert prediction._brier_gain(left, hazard, 0.25, who, 6).value == pytest.approx(1 - 0.94 / 1.375)


def test_a_hazard_twice_too_high_shows_in_the_intercept_and_too_bold_a_one_in_the_slope(sample):
    """True log hazards; doubled: intercept -log 2. Spread out twice: slope 1/2. Tolerance four standard errors."""
    rng = np.random.default_rng(2)
    log_hazard = -2 + 0.8 * rng.normal(size=20_000)
    left = rng.random(20_000) < -np.expm1(-np.exp(log_hazard))
    for shown, intercept, slope in ((log_hazard, 0, 1), (log_hazard + np.log(2), -np.log(2), 1),
                                    (-2 + 2 * (log_hazard + 2), None, 0.5)):
        judged = by_id(prediction.prediction_claims(told_of(left, -np.expm1(-np.exp(shown))),
                                                    churn.ChurnSample(None, None, 20_000, [], [], None)))
        for name, truth in (("intercept", intercept), ("slope", slope)):
            found = judged[f"churn.prediction.calibration_{name}"]
            assert truth is None or abs(found.estimate - truth) < 4 * (found.ci_high - found.ci_low) / 3.92


def test_the_future_is_kept_apart(sample):
    """Scrambling who leaves in the last third changes what is judged, not what was foretold."""
    told = prediction.foretell(sample)
    last = told.rows["month"].min()
    spoiled = sample.at_risk.assign(left=sample.at_risk["left"].where(sample.at_risk["month"] < last,
                                                                      1 - sample.at_risk["left"]))
    again = prediction.foretell(churn.ChurnSample(sample.rows, spoiled, sample.customers, sample.categories,
                                                  sample.numbers, sample.account))
    np.testing.assert_array_equal(told.rows["hazard"], again.rows["hazard"])
    assert (told.rows["left"] != again.rows["left"]).all()


def test_out_of_time_the_invented_company_is_foretold_a_little(sample):
    told = prediction.foretell(sample)
    judged = by_id(prediction.prediction_claims(told, sample))
    assert judged["churn.prediction.auc"].ci_low > 0.5 and judged["churn.prediction.auc"].estimate < 0.75
    assert judged["churn.prediction.brier_gain"].estimate < 0.05
    slope = judged["churn.prediction.calibration_slope"]
    assert slope.ci_low < 1 < slope.ci_high
    table = prediction.out_of_time_table(told)
    assert table["n"].sum() == len(told.rows) and table["fitted"].is_monotonic_increasing


def test_revenue_at_risk_by_hand():
    """One hazard h for all (2 of 10 leave a month), 50 a month each: three months lose 0, h and 1-(1-h)^2 of it."""
    n, months = 400, 10
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"customer": np.repeat(np.arange(n), months), "month": np.tile(np.arange(months), n),
                         "score": np.tile([3.0, 9.0], n * months // 2),
                         "left": np.tile([1, 0, 0, 0, 0, 1, 0, 0, 0, 0.0], n)[rng.permutation(n * months)]})
    latest = pd.DataFrame({"customer": np.arange(40), "month": months, "score": np.nan, "value": 50.0})
    sample = churn.ChurnSample(rows, rows, n, [], [], None, latest=latest)
    made = prediction.revenue_at_risk(sample, 3, "EUR", (6, 9))
    assert [c.segment for c in made] == ["months:3", "answer:no_recent_answer"]
    assert made[0].estimate == pytest.approx(40 * 50 * (0.2 + 0.36), rel=0.02)
    assert made[0].ci_low < made[0].estimate < made[0].ci_high


def test_error_of_the_revenue_at_risk_is_that_of_leaving_one_customer_out(company):
    """Within 5 % of the jackknife over 300 customers (customers of today held fixed)."""
    panel = company(8, 300)
    whole = churn.churn_sample(panel, "nps", 3, [])

    def lost(who):
        rows = whole.at_risk[whole.at_risk["customer"] != who].reset_index(drop=True)
        part = churn.ChurnSample(whole.rows, rows, whole.customers, [], whole.numbers, None, latest=whole.latest)
        return np.log(prediction.revenue_at_risk(part, 12, "EUR", (6, 9))[0].estimate)

    one = prediction.revenue_at_risk(whole, 12, "EUR", (6, 9))[0]
    left_out = np.array([lost(who) for who in range(300)])
    jackknife = np.sqrt(299 / 300 * np.sum((left_out - left_out.mean()) ** 2))
    assert np.log(one.ci_high / one.ci_low) / 3.92 == pytest.approx(jackknife, rel=0.06)


def test_those_who_left_are_no_customers_of_today(company):
    panel = company(8, 400)
    sample = churn.churn_sample(panel, "nps", 3, [])
    ids = np.sort(panel["customer_id"].unique())
    assert panel["is_active"].groupby(panel["customer_id"]).last().reindex(ids[sample.latest["customer"]]).all()
    assert 0 < len(sample.latest) < 400


@pytest.mark.parametrize("change", [{"is_churned_next": None}, {"is_churned_next": False}])
def test_without_leavers_or_dates_the_reason_is_given(company, change):
    sample = churn.churn_sample(company(8, 400).assign(**change), "nps", 3, [])
    made = prediction.prediction_claims(prediction.foretell(sample), sample)
    made += prediction.revenue_at_risk(sample, 12, "EUR", (6, 9))
    assert len(made) == 5 and all(c.estimate is None and c.reason for c in made)
    assert prediction.out_of_time_table(prediction.foretell(sample)).empty


def test_revenue_at_risk_is_that_of_the_last_twelve_months():
    """5 % left a month in the first year and 10 % in the second: the next month loses a tenth."""
    n, months = 400, 24
    share = np.where(np.tile(np.arange(months), n) < 12, 0.05, 0.10)
    left = np.zeros(n * months)
    for year, one in ((0, 20), (1, 10)):
        place = np.flatnonzero(share == (0.05, 0.10)[year])
        left[np.random.default_rng(year).permutation(place)[:len(place) // one]] = 1
    rows = pd.DataFrame({"customer": np.repeat(np.arange(n), months), "month": np.tile(np.arange(months), n),
                         "score": np.tile([3.0, 9.0], n * months // 2), "left": left})
    latest = pd.DataFrame({"customer": np.arange(40), "month": months, "score": np.nan, "value": 50.0})
    sample = churn.ChurnSample(rows, rows, n, [], [], None, latest=latest)
    assert prediction.revenue_at_risk(sample, 2, "EUR", (6, 9))[0].estimate == pytest.approx(40 * 50 * 0.1, rel=0.02)
    few = churn.ChurnSample(rows.assign(left=left * (rows["month"] < 12)), rows.assign(
        left=left * (rows["month"] < 12)), n, [], [], None, latest=latest)
    assert prediction.revenue_at_risk(few, 2, "EUR", (6, 9))[0].estimate == pytest.approx(40 * 50 * 0.025, rel=0.02)
