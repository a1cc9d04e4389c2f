"""Discrete-time hazard against Singer and Willett, and the data that give none.

Applied Longitudinal Data Analysis, tables 11.1 and 11.3 (age at first sex): pupils at risk and events by grade and
parental transition, as published; coefficients and deviances at the book's printed digits (tolerance 0.006).
"""

import time

import numpy as np
import pandas as pd
import pytest

from pipeline.relate import churn
from pipeline.relate.estimate import NotEstimable
from pipeline.relate.hazard import fit_hazard

AT_RISK = {0: [72, 70, 68, 60, 52, 42], 1: [108, 95, 90, 74, 53, 38]}
EVENTS = {0: [2, 2, 8, 8, 10, 8], 1: [13, 5, 16, 21, 15, 18]}
TOLERANCE = 0.006


def first_sex():
    rows = [(grade, transition, float(i < EVENTS[transition][g]))
            for transition in (0, 1) for g, grade in enumerate(range(7, 13)) for i in range(AT_RISK[transition][g])]
    frame = pd.DataFrame(rows, columns=["grade", "transition", "event"])
    assert len(frame) == 822 and frame["event"].sum() == 126
    return frame


def fit(link):
    frame = first_sex()
    return fit_hazard(frame["event"], frame[["transition"]], frame[["grade"]], np.arange(len(frame)), len(frame), link)


def test_logit_hazard_of_singer_and_willett():
    model = fit("logit")
    assert model["transition"].value == pytest.approx(0.8736, abs=TOLERANCE)
    assert model["constant"].value == pytest.approx(-2.9943, abs=TOLERANCE)
    assert [model["constant"].value + model[f"grade_{g}"].value for g in (8, 9)] == pytest.approx(
        [-3.7001, -2.2811], abs=TOLERANCE)
    assert model.deviance == pytest.approx(634.66, abs=TOLERANCE)


def test_cloglog_hazard_of_singer_and_willett():
    model = fit("cloglog")
    assert model["transition"].value == pytest.approx(0.7854, abs=TOLERANCE)
    assert model.deviance == pytest.approx(634.5, abs=0.06)  # printed with one decimal


def test_rows_alike_count_as_one_and_change_nothing():
    """4,000 customers by 12 months, three segments: coefficients and errors of statsmodels row by row, to 1e-8.

    And faster, which the grouping is for: 5 times here, 20 times with 24 months and 12,000 customers.
    """
    import statsmodels.api as sm
    rng = np.random.default_rng(3)
    customer, month = np.repeat(np.arange(4000), 12), np.tile(np.arange(12), 4000)
    segment = rng.choice(["a", "b", "c"], 4000)[customer]
    score = rng.integers(0, 11, customer.size).astype(float)
    left = (rng.random(customer.size) < 0.03 * np.exp(-0.2 * (score - 7))).astype(float)
    start = time.process_time()
    model = fit_hazard(left, pd.DataFrame({"score": score}), pd.DataFrame({"month": month, "segment": segment}),
                       customer, 4000)
    ours, start = time.process_time() - start, time.process_time()
    theirs = sm.GLM(left, model.design, family=sm.families.Binomial(link=sm.families.links.CLogLog())).fit(
        cov_type="cluster", cov_kwds={"groups": customer}, tol=1e-12, maxiter=100)
    plain = time.process_time() - start
    np.testing.assert_allclose(model.coef, theirs.params, rtol=1e-8)
    assert model["score"].se == pytest.approx(theirs.bse[0], rel=1e-6)
    assert model.deviance == pytest.approx(theirs.deviance, rel=1e-10)
    assert plain > 2 * ours  # machines are busy


def test_clustered_error_equals_statsmodels():
    import statsmodels.api as sm
    frame = first_sex()
    customer = np.arange(len(frame)) % 90
    model = fit_hazard(frame["event"], frame[["transition"]], frame[["grade"]], customer, 90)
    family = sm.families.Binomial(link=sm.families.links.CLogLog())
    theirs = sm.GLM(frame["event"].to_numpy(), model.design, family=family).fit(
        cov_type="cluster", cov_kwds={"groups": customer})
    assert model["transition"].se == pytest.approx(theirs.bse[0], rel=1e-8)


def test_absolute_effect_is_the_mean_change_of_the_hazard():
    """With one 0/1 regressor and no categories the fitted hazards are the two shares, so it can be done by hand."""
    x = np.repeat([0.0, 1.0], [400, 100])
    left = np.r_[np.repeat([1.0, 0.0], [40, 360]), np.repeat([1.0, 0.0], [20, 80])]
    model = fit_hazard(left, pd.DataFrame({"x": x}), pd.DataFrame(index=range(500)), np.arange(500), 500)
    ratio = np.log(1 - 0.2) / np.log(1 - 0.1)
    two_up = 1 - np.exp(np.log(1 - 0.2) * ratio)
    expected = 100 * (400 * (0.2 - 0.1) + 100 * (two_up - 0.2)) / 500
    assert model["x"].value == pytest.approx(np.log(ratio), rel=1e-6)
    assert model.absolute("x").value == pytest.approx(expected, rel=1e-6)


def test_error_of_the_absolute_effect_agrees_with_a_jackknife_by_customer():
    """Leaving out one customer in turn, some of them only with months in which nobody left; within 3 %."""
    rng = np.random.default_rng(7)
    customer = np.repeat(np.arange(300), 5)
    month = np.tile(np.arange(5), 300)
    x = rng.normal(size=1500) + rng.normal(size=300)[customer]
    left = (rng.random(1500) < 0.15 * np.exp(-0.5 * x)) & (month != 4)

    def effect(kept):
        return fit_hazard(left[kept], pd.DataFrame({"x": x[kept]}), pd.DataFrame({"month": month[kept]}),
                          customer[kept], 300).absolute("x")

    values = np.array([effect(customer != who).value for who in range(300)])
    jackknife = np.sqrt(299 / 300 * np.sum((values - values.mean()) ** 2))
    assert effect(customer >= 0).se == pytest.approx(jackknife, rel=0.03)


def test_months_without_leavers_change_nothing_but_the_mean_change():
    frame = first_sex()
    quiet = frame.assign(grade=13, event=0.0).head(200)
    both = pd.concat([frame, quiet], ignore_index=True)
    alone = fit("cloglog")
    more = fit_hazard(both["event"], both[["transition"]], both[["grade"]], np.arange(len(both)), len(both))
    assert more["transition"].value == pytest.approx(alone["transition"].value, rel=1e-9)
    assert more.absolute("transition").value == pytest.approx(alone.absolute("transition").value * 822 / 1022)


@pytest.mark.parametrize(("score", "left", "reason"), [
    ([5] * 60, [0, 1] * 30, "constant_score"),
    ([1, 9] * 30, [0] * 60, "one_class"),
    ([1, 9] * 30, [1] * 60, "one_class"),
    ([1] * 20 + [5] * 20 + [9] * 20, [1] * 20 + [1, 0] * 10 + [0] * 20, "separation"),
    ([1, 9] * 30, [1, 1] + [0] * 58, "few_events"),
])
def test_no_coefficient_where_the_data_hold_none(score, left, reason):
    with pytest.raises(NotEstimable, match=reason):
        fit_hazard(np.array(left, float), pd.DataFrame({"score": np.array(score, float)}),
                   pd.DataFrame(index=range(60)), np.arange(60), 60)


def test_one_customer_is_no_sample():
    with pytest.raises(NotEstimable, match="one_customer"):
        fit_hazard(np.tile([0.0, 1.0], 30), pd.DataFrame({"score": np.arange(60.0)}), pd.DataFrame(index=range(60)),
                   np.zeros(60, int), 1)


def test_a_separated_one_off_export_gives_its_table_and_the_reason():
    """IBM telco: churn by score 922/922, 518/518, 429/2665, 0/1789, 0/1149 of 7,043 customers."""
    counts = {1: (922, 922), 2: (518, 518), 3: (429, 2665), 4: (0, 1789), 5: (0, 1149)}
    totals = pd.DataFrame([(score, i < left) for score, (left, n) in counts.items() for i in range(n)],
                          columns=["score_csat", "is_churned"])
    claims, table = churn.one_off(totals, "csat", [])
    by_id = {c.claim_id: c for c in claims}
    assert by_id["churn.rate"].estimate == pytest.approx(0.2654, abs=5e-5)
    for name in ("churn.hazard_ratio_per_point", "churn.absolute_effect_per_point"):
        assert (by_id[name].status, by_id[name].reason, by_id[name].estimate) == ("not_estimable", "separation", None)
    assert table["rate"].round(3).tolist() == [1, 1, 0.161, 0, 0]
    empty = churn.churn_sample(pd.DataFrame(), "csat", 1, [])
    assert churn.naive_churn(empty, totals, "csat").reason == "separation"


def test_the_interval_of_a_rate_solves_the_score_test():
    """Its ends are the shares p whose test (x - p)² / (p (1 - p) / n) stands at z²: checked by their own equation.

    100 customers, a month each, 5 leave: effective n = p (1 - p) / se² = 99, z = Student's 1.9842 (99 degrees). The
    same months twice, of the same customers, are no more customers than before.
    """
    rows = pd.DataFrame({"customer": np.arange(100), "month": 0, "left": np.repeat([1.0, 0.0], [5, 95])})
    for months in (rows, pd.concat([rows, rows])):
        rate = churn.monthly_rates(churn.ChurnSample(rows, months, 100, [], [], pd.DataFrame()), [])[0]
        assert 0 < rate.ci_low < rate.estimate == 0.05 < rate.ci_high
        for end in (rate.ci_low, rate.ci_high):
            assert (0.05 - end) ** 2 == pytest.approx(1.984217**2 * end * (1 - end) / 99, rel=1e-5)
        assert rate.ci_high - 0.05 > 0.05 - rate.ci_low  # few leave: more room above
