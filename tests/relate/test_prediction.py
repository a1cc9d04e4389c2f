"""Foretelling who leaves: held against hand arithmetic, the law of an invented company, and a model made worse."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.relate import at_risk, churn, prediction
from pipeline.report.words import Words

NOBODY = pd.DataFrame()  # where only what was foretold is judged, no sample stands behind it


def by_id(claims):
    return {c.claim_id: c for c in claims}


@pytest.fixture(scope="module")
def sample(company):
    return churn.churn_sample(company(8, 4000), "nps", 3, ["segment", "value_band"])


@pytest.fixture(scope="module")
def words():
    return Words("en")


def told_of(left, hazard, customer=None):
    who = np.arange(len(left)) if customer is None else np.asarray(customer)
    return prediction.Foretold(pd.DataFrame({"customer": who, "month": 0, "left": np.asarray(left, float),
                                             "hazard": np.asarray(hazard, float), "plain_hazard": 0.25}), 0.25)


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
                                                    churn.ChurnSample(NOBODY, NOBODY, 20_000, [], [], None)))
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


def test_what_the_score_adds_by_hand():
    """With the score 6.5 of 8 pairs are ranked right, without it (all alike) 4; Brier .25 of everybody gains nothing.

    Every row twice, of the same customers: the same interval, for the error is that of customers.
    """
    left, hazard = np.array([1, 1, 0, 0, 0, 0.0] * 4), np.array([0.8, 0.4, 0.6, 0.4, 0.1, 0.1] * 4)
    who = np.arange(24)

    def judged(left, hazard, who):
        sample = churn.ChurnSample(NOBODY, NOBODY, 24, [], [], None)
        return by_id(prediction.prediction_claims(told_of(left, hazard, who), sample))

    once, twice = judged(left, hazard, who), judged(np.tile(left, 2), np.tile(hazard, 2), np.tile(who, 2))
    assert once["churn.prediction.auc.without_score"].estimate == 0.5
    assert once["churn.prediction.auc.added_by_score"].estimate == pytest.approx(6.5 / 8 - 0.5)
    assert once["churn.prediction.brier_gain.without_score"].estimate == 0
    assert once["churn.prediction.brier_gain.added_by_score"].estimate == pytest.approx(100 * (1 - 0.94 / 1.375))
    for name in ("auc", "brier_gain"):
        one, other = (found[f"churn.prediction.{name}.added_by_score"] for found in (once, twice))
        assert (one.ci_low, one.ci_high) == pytest.approx((other.ci_low, other.ci_high))


def test_the_paired_difference_is_surer_than_either_area():
    """Two hazards that share nearly all they know: the interval of the difference is that of a bootstrap by customer
    (500 draws, within 15 %), and far narrower than if both areas had been taken for strangers."""
    random = np.random.default_rng(11)
    n = 3000
    known, score = random.normal(size=n), random.normal(size=n)
    left = (random.random(n) < -np.expm1(-np.exp(-2 + 0.8 * known + 0.3 * score))).astype(float)
    told = told_of(left, -np.expm1(-np.exp(-2 + 0.8 * known + 0.3 * score)))
    told.rows["plain_hazard"] = -np.expm1(-np.exp(-2 + 0.8 * known))
    found = by_id(prediction.prediction_claims(told, churn.ChurnSample(NOBODY, NOBODY, n, [], [], None)))
    added = found["churn.prediction.auc.added_by_score"]
    drawn = []
    for _ in range(500):
        rows = told.rows.iloc[random.integers(0, n, n)]
        ranks = [stats.mannwhitneyu(rows.loc[rows["left"] == 1, name], rows.loc[rows["left"] == 0, name]).statistic
                 for name in ("hazard", "plain_hazard")]
        drawn.append((ranks[0] - ranks[1]) / (rows["left"].sum() * (1 - rows["left"]).sum()))
    error = (added.ci_high - added.ci_low) / 3.92
    assert error == pytest.approx(np.std(drawn), rel=0.15)
    areas = [found[f"churn.prediction.auc{end}"] for end in ("", ".without_score")]
    assert error < 0.6 * np.hypot(*((area.ci_high - area.ci_low) / 3.92 for area in areas))


def test_a_score_that_moves_nothing_adds_nothing(company, words):
    """Forty companies whose churn does not know the score: more than 5 that see it add something, or spoil something,
    come once in 2,000 times (binomial, .025 each). A score that never varies: no figure, and the reason."""
    said = []
    for seed in range(1, 41):
        without = churn.churn_sample(company(seed, 1500, churn=0.0), "nps", 3, ["segment", "value_band"])
        found = by_id(prediction.prediction_claims(prediction.foretell(without), without))
        said.append([words.state(found[f"churn.prediction.{name}.added_by_score"]) for name in ("auc", "brier_gain")])
    for part in zip(*said, strict=True):
        assert part.count("good") <= 5 and part.count("bad") <= 5 and part.count("zero") >= 30
    flat = company(8, 4000).assign(last_nps=lambda rows: rows["last_nps"].where(rows["last_nps"].isna(), 7.0))
    sample = churn.churn_sample(flat, "nps", 3, ["segment"])
    found = by_id(prediction.prediction_claims(prediction.foretell(sample), sample))
    assert {found[f"churn.prediction.{name}"].reason for name in
            ("auc", "auc.without_score", "auc.added_by_score", "brier_gain.added_by_score")} == {"constant_score"}


def test_the_model_without_the_score_holds_all_the_rest(sample):
    """All have an answer: the column that says so never varies and is left out. No numbers: the categories are held.
    Neither: what the model ranks the score ranks, and there is nothing to compare."""
    answered = churn.ChurnSample(sample.rows, sample.rows, sample.customers, sample.categories, sample.numbers, None)
    fit = prediction.fit_prediction(answered, answered.at_risk, score=False)
    assert "tenure_months" in fit.names and {"score", "no_score"}.isdisjoint(fit.names)
    grouped = churn.ChurnSample(sample.rows, sample.rows, sample.customers, ["segment"], [], None)
    told = prediction.foretell(grouped)
    found = by_id(prediction.prediction_claims(told, grouped))
    rates = sample.rows.groupby("segment")["left"].mean()
    fit = prediction.fit_prediction(grouped, sample.rows, score=False)
    rows = sample.rows.drop_duplicates("segment")
    assert prediction.hazard_of(fit, grouped, rows) == pytest.approx(rates[rows["segment"]].to_numpy(), rel=1e-6)
    areas = [stats.mannwhitneyu(*(told.rows.loc[told.rows["left"] == gone, name] for gone in (1, 0))).statistic
             / ((told.rows["left"] == 1).sum() * (told.rows["left"] == 0).sum()) for name in ("hazard", "plain_hazard")]
    assert found["churn.prediction.auc.added_by_score"].estimate == pytest.approx(areas[0] - areas[1], rel=1e-9)
    bare = churn.ChurnSample(sample.rows, sample.rows, sample.customers, [], [], None)
    found = by_id(prediction.prediction_claims(prediction.foretell(bare), bare))
    assert found["churn.prediction.auc.added_by_score"].reason == "nothing_but_score"
    assert found["churn.prediction.auc"].estimate > 0.5


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
                         "left": np.column_stack([rng.permutation(np.tile([1, 0, 0, 0, 0.0], n // 5))
                                                  for _ in range(months)]).ravel()})
    latest = pd.DataFrame({"customer": np.arange(40), "month": months, "score": np.nan, "value": 50.0})
    sample = churn.ChurnSample(rows, rows, n, [], [], None, latest=latest)
    made = at_risk.revenue_at_risk(sample, 3, "EUR", (6, 9))
    assert [c.segment for c in made] == ["months:3", "answer:no_recent_answer", "horizon:3"]
    assert made[0].estimate == pytest.approx(40 * 50 * (0.2 + 0.36), rel=0.02)
    assert made[0].ci_low < made[0].estimate < made[0].ci_high
    assert {c.level for c in made[:2]} == {"forecast"}
    assert (made[2].estimate, made[2].n_used, made[2].level) == (40 * 50 * 3.0, 40, "described")
    short, year = (at_risk.revenue_at_risk(replace(sample, latest=latest.assign(value_months=known)), 3, "EUR", (6, 9))
                   for known in ([7] * 39 + [9], 12))
    assert [(c.claim_id, c.estimate, c.n_used) for c in short[3:]] == [("churn.revenue_at_risk.base_months", 9.0, 40)]
    assert len(year) == 3


def test_error_of_the_revenue_at_risk_is_that_of_leaving_one_customer_out(company):
    """Within 5 % of the jackknife over 300 customers (customers of today held fixed)."""
    panel = company(8, 300)
    whole = churn.churn_sample(panel, "nps", 3, [])

    def lost(who):
        rows = whole.at_risk[whole.at_risk["customer"] != who].reset_index(drop=True)
        part = churn.ChurnSample(whole.rows, rows, whole.customers, [], whole.numbers, None, latest=whole.latest)
        return np.log(at_risk.revenue_at_risk(part, 12, "EUR", (6, 9))[0].estimate)

    one = at_risk.revenue_at_risk(whole, 12, "EUR", (6, 9))[0]
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
    made += at_risk.revenue_at_risk(sample, 12, "EUR", (6, 9))
    assert len(made) == 9 and all(c.estimate is None and c.reason for c in made)
    assert prediction.out_of_time_table(prediction.foretell(sample)).empty


def test_what_an_answer_foretells_fades():
    """0.5 % a month, and 2 % more for each of the last three answers that is a 3: 4.5 % against 2.5 % in the first
    three months after one answer, and 3.5 % for all when it no longer counts. Summed by hand over twelve months.
    """
    rng, n, months = np.random.default_rng(5), 6000, 24
    score = rng.choice([3.0, 9.0], (n, months))
    lately = np.stack([np.roll(score, back, axis=1) == 3 for back in range(3)]).sum(axis=0)
    left = rng.random((n, months)) < 0.005 + 0.02 * lately
    rows = pd.DataFrame({"customer": np.repeat(np.arange(n), months), "month": np.tile(np.arange(months), n),
                         "score": score.ravel(), "left": left.ravel().astype(float)})
    latest = pd.DataFrame({"customer": np.arange(400), "month": months, "score": np.repeat([3.0, 9.0], 200),
                           "value": 50.0})
    made = {c.segment: c.estimate for c in at_risk.revenue_at_risk(
        churn.ChurnSample(rows, rows, n, [], [], None, latest=latest), 12, "EUR", (6, 9))}
    told = {}
    for group, first in (("detractor", 0.045), ("promoter", 0.025)):  # one answer of three is known, two are as may be
        gone = np.cumsum([0, *[first] * 3, *[0.035] * 8])
        told[group] = 200 * 50 * (1 - np.exp(-gone)).sum()
        assert made[f"answer:{group}"] == pytest.approx(told[group], rel=0.05)
    ratio = made["answer:detractor"] / made["answer:promoter"]
    assert ratio == pytest.approx(told["detractor"] / told["promoter"], rel=0.03)


def test_who_spends_more_and_stays_puts_less_at_risk():
    """Half spend 190 and leave at 1 % a month, half spend 10 and leave at 3 %: money weighs the first, heads do not."""
    rng, n, months = np.random.default_rng(6), 4000, 24
    spend = np.repeat([190.0, 10.0], n // 2)
    rows = pd.DataFrame({"customer": np.repeat(np.arange(n), months), "month": np.tile(np.arange(months), n),
                         "score": np.tile([3.0, 9.0], n * months // 2), "spend": np.repeat(spend, months)})
    rows["left"] = (rng.random(n * months) < np.where(rows["spend"] > 100, 0.01, 0.03)).astype(float)
    latest = pd.DataFrame({"customer": np.arange(n), "month": months, "score": np.nan, "spend": spend, "value": spend})
    made = at_risk.revenue_at_risk(churn.ChurnSample(rows, rows, n, [], [], None, latest=latest), 2, "EUR", (6, 9))
    assert made[0].estimate == pytest.approx(n / 2 * (190 * 0.01 + 10 * 0.03), rel=0.06)


def test_how_many_leave_is_that_of_the_last_half_year():
    """3 % a month left until half a year ago and 1.5 % since: the next month loses 1.5 %."""
    rng, n, months = np.random.default_rng(7), 2000, 24
    month = np.tile(np.arange(months), n)
    rows = pd.DataFrame({"customer": np.repeat(np.arange(n), months), "month": month,
                         "score": np.tile([3.0, 9.0], n * months // 2),
                         "left": (rng.random(n * months) < np.where(month < 18, 0.03, 0.015)).astype(float)})
    latest = pd.DataFrame({"customer": np.arange(40), "month": months, "score": np.nan, "value": 50.0})
    made = at_risk.revenue_at_risk(churn.ChurnSample(rows, rows, n, [], [], None, latest=latest), 2, "EUR", (6, 9))
    share = rows.loc[month >= 18, "left"].mean()
    assert 0.012 < share < 0.018 and made[0].estimate == pytest.approx(40 * 50 * share, rel=0.02)


def test_the_spending_of_a_month_is_the_mean_of_twelve(company):
    """Of the last month's customers: what `value` says; of the third month: the mean of three."""
    panel = company(8, 300)
    sample = churn.churn_sample(panel, "nps", 3, [])
    np.testing.assert_allclose(sample.latest["spend"], sample.latest["value"])
    three = panel.sort_values(["customer_id", "period"]).groupby("customer_id").head(3)
    ids, third = np.sort(panel["customer_id"].unique()), sample.at_risk.groupby("customer").nth(2)
    expected = three.groupby("customer_id")["revenue"].mean().reindex(ids[third["customer"]])
    np.testing.assert_allclose(third["spend"], expected)


def test_revenue_at_risk_is_that_of_the_last_twelve_months():
    """5 % left a month in the first year and 10 % in the second: the next month loses a tenth."""
    n, months = 400, 24
    rng = np.random.default_rng(1)
    left = np.column_stack([rng.permutation(n) < n * (0.05 if month < 12 else 0.10)
                            for month in range(months)]).astype(float).ravel()
    rows = pd.DataFrame({"customer": np.repeat(np.arange(n), months), "month": np.tile(np.arange(months), n),
                         "score": np.tile([3.0, 9.0], n * months // 2), "left": left})
    latest = pd.DataFrame({"customer": np.arange(40), "month": months, "score": np.nan, "value": 50.0})
    sample = churn.ChurnSample(rows, rows, n, [], [], None, latest=latest)
    assert at_risk.revenue_at_risk(sample, 2, "EUR", (6, 9))[0].estimate == pytest.approx(40 * 50 * 0.1, rel=0.02)
    few = churn.ChurnSample(rows.assign(left=left * (rows["month"] < 12)), rows.assign(
        left=left * (rows["month"] < 12)), n, [], [], None, latest=latest)
    assert at_risk.revenue_at_risk(few, 2, "EUR", (6, 9))[0].estimate == pytest.approx(
        40 * 50 * (12 + 11) * 20 / (400 * (24 + 23)), rel=0.002)  # the first month is nobody's second month ahead


def test_a_mean_month_says_of_how_many_months_it_is():
    """Of three months of data with sales in two of them, and of fifteen, of which a year counts."""
    for months, known, base in ((3, 2, 2), (15, 15, 12)):
        periods = pd.DataFrame({"customer_id": "a", "period": pd.date_range("2024-01-01", periods=months, freq="MS"),
                                "is_at_risk_next": True, "is_churned_next": False,
                                "revenue": [np.nan] * (months - known) + [10.0] * known})
        assert churn.churn_sample(periods, "nps", 1, []).latest["value_months"].tolist() == [base]


def test_where_nobody_answered_only_what_needs_answers_is_missing(company):
    """Of a company without surveys: no word of a constant score, and sales at risk told apart by all the rest."""
    panel = company(8, 1500).drop(columns=["last_nps", "age_nps"])
    sample = churn.churn_sample(panel, "nps", 3, ["segment", "value_band"])
    judged = prediction.prediction_claims(prediction.foretell(sample), sample)
    assert judged and {c.reason for c in judged} == {"no_scores"}
    lost = by_id(at_risk.revenue_at_risk(sample, 12, "EUR", (6, 9)))["churn.revenue_at_risk"]
    known = churn.churn_sample(company(8, 1500), "nps", 3, ["segment", "value_band"])
    other = by_id(at_risk.revenue_at_risk(known, 12, "EUR", (6, 9)))["churn.revenue_at_risk"]
    assert lost.ci_low < lost.estimate < lost.ci_high
    assert abs(lost.estimate / other.estimate - 1) < 0.1  # the level does not hang on who answered


def test_sales_at_risk_ask_for_ten_who_left(company):
    """A leaver stands in up to twelve landmarks, and is one all the same."""
    panel = company(8, 1500)
    sample = churn.churn_sample(panel, "nps", 3, ["segment", "value_band"])
    leavers = sample.at_risk.loc[sample.at_risk["left"] == 1, "customer"]
    for many, status in ((9, "not_enough_data"), (40, "ok")):
        stays = ~sample.at_risk["customer"].isin(leavers.iloc[many:])
        few = replace(sample, at_risk=sample.at_risk[stays].reset_index(drop=True))
        assert at_risk.revenue_at_risk(few, 12, "EUR", (6, 9))[0].status == status


def test_sales_at_risk_where_all_answer_alike(company):
    alike = company(8, 1500).assign(last_nps=lambda panel: panel["last_nps"].where(panel["last_nps"].isna(), 8.0))
    sample = churn.churn_sample(alike, "nps", 3, ["segment", "value_band"])
    assert at_risk.revenue_at_risk(sample, 12, "EUR", (6, 9))[0].status == "ok"
