"""Sales against companies whose truth is known: the honest methods find it, the naive ones do not, checks see feedback.

Seeds are fixed. Where an interval is held against the truth, one company is one draw: the count over 60 companies is
the business of benchmarks/validity.py, here the tolerance is four standard errors.
"""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.relate import conversion, naive, sales
from pipeline.relate.estimate import Estimate, NotEstimable, claim
from pipeline.relate.sample import ASKED, SalesSample, explained, fit_sales, sales_sample, score_groups
from pipeline.relate.timing import answer_memory, level_of, timing_of, with_lags


@pytest.fixture(scope="module")
def sample(company):
    return sales_sample(company(5, 6000), "nps", 1, ["exposure_months"])


def by_id(claims):
    return {c.claim_id: c for c in claims}


def test_the_effect_per_point_is_found_and_the_naive_figures_miss_it(sample):
    effect = fit_sales(sample, ["score"])["score"]
    assert abs(effect.value - 0.06) < 4 * effect.se
    shown = by_id(naive.naive_sales(sample, "EUR"))
    assert shown["sales.naive.log1p_per_point"].ci_low > 100 * np.expm1(0.06)
    assert shown["sales.naive.group_gap"].ci_low > 20  # the true value of a conversion is about 12.6
    assert all(c.naive for c in shown.values())


def test_conversion_value_is_what_the_same_customers_would_spend_as_promoters(company):
    """Sales are replaced by their expectation, so that only the method's own bias is left: at most 4 % of the truth.

    Truth by the law of the company: detractors' expected spend with a promoter's answer instead of theirs.
    """
    panel = company(9, 6000)
    noiseless = sales_sample(panel.assign(revenue_next=panel["spend_next"]), "nps", 1, ["exposure_months"])
    rows = panel[panel["is_at_risk_next"] & panel["score_nps"].notna()]
    score, spend = rows["score_nps"], rows["spend_next"]
    promoter = np.exp(0.06 * score[score >= 9]).mean()
    made = by_id(conversion.conversion(noiseless, "EUR", 12))
    for source, group in (("detractor", score <= 6), ("passive", (score > 6) & (score < 9))):
        truth = (spend[group] * (promoter / np.exp(0.06 * score[group]) - 1)).mean()
        value = made[f"sales.conversion_value.{source}_to_promoter"].estimate
        assert value == pytest.approx(truth, rel=0.04)
        assert made[f"sales.break_even_cost.{source}_to_promoter"].estimate == pytest.approx(12 * value)


def test_conversion_interval_agrees_with_a_bootstrap_by_customer(company):
    """120 resamples of customers; standard errors within 25 % (the bootstrap's own error is 7 %)."""
    small = sales_sample(company(11, 500), "nps", 1, [])
    ours = conversion.conversion_value(small, sales.fit_groups(small), "detractor")
    rng, values, rows = np.random.default_rng(1), [], small.rows
    places = rows.groupby("customer").indices
    ids = list(places)
    for _ in range(120):
        drawn = [places[i] for i in rng.choice(ids, len(ids))]
        customer = np.repeat(np.arange(len(drawn)), [len(places) for places in drawn])
        part = rows.iloc[np.concatenate(drawn)].reset_index(drop=True).assign(customer=customer)
        again = SalesSample(part, part, len(drawn), [], small.account, small.groups)
        values.append(conversion.conversion_value(again, sales.fit_groups(again), "detractor").value)
    assert ours.se == pytest.approx(np.std(values), rel=0.25)


def test_bootstrap_in_one_product_agrees_and_takes_no_longer_than_a_loop_of_twenty(company):
    """2,000 replicates; standard error within 6 % of the joint influence's. 20 refits: what a loop does meanwhile."""
    sample = sales_sample(company(5, 1500), "nps", 1, [])
    fit = sales.fit_groups(sample)
    start = time.process_time()
    drawn = conversion.bootstrap_values(sample, fit, "detractor")
    taken, start = time.process_time() - start, time.process_time()
    for _ in range(20):
        sales.fit_groups(sample)
    looped = time.process_time() - start
    ours = conversion.conversion_value(sample, fit, "detractor")
    assert len(drawn) == 2000 and taken < 1.5 * looped
    assert ours.se == pytest.approx(drawn.std(), rel=0.06)
    assert np.median(drawn) == pytest.approx(ours.value, abs=0.15 * ours.se)


def test_what_comes_first_is_seen(company, sample):
    """Without feedback both checks lie about zero; when sales raise the score of their month, the level drops."""
    honest = timing_of(sample)
    assert all(abs(check.value) < 3 * check.se for check in honest.checks.values())
    assert honest.level == "effect"
    fed = timing_of(sales_sample(company(5, 3000, feedback=0.35), "nps", 1, ["exposure_months"]))
    assert (fed.level, fed.reason) == ("associated", "same_month_not_zero")
    assert timing_of(sales_sample(company(5, 100), "nps", 1, [])).level == "associated"


def test_excess_over_carry_over_carries_both_errors(sample):
    """excess = gamma - rho beta, and each customer's share in it likewise."""
    rows = with_lags(sample.grid, (0, 1))
    gamma, beta = (fit_sales(sample, [name], rows=rows)[name] for name in ("score_lag0", "score_lag1"))
    check = timing_of(sample).checks[0]
    rho = (gamma.value - check.value) / beta.value
    assert 0 < rho < 0.5
    np.testing.assert_allclose(check.influence, gamma.influence - rho * beta.influence, atol=1e-12)


def test_memory_of_answers_is_the_autocorrelation_within_customers():
    """Answers a + e with AR(.6) e of variance 1: r_k = .6^k whatever the spread of a."""
    rng = np.random.default_rng(3)
    drift, rows = rng.normal(size=4000), []
    taste = 3 * rng.normal(size=4000)
    for month in range(20):
        drift = 0.6 * drift + 0.8 * rng.normal(size=4000)
        rows.append(pd.DataFrame({"customer": np.arange(4000), "month": month, "answer": taste + drift}))
    frame = pd.concat(rows)
    memory = answer_memory(frame[rng.random(len(frame)) < 0.4])
    assert memory[:4] == pytest.approx([1, 0.6, 0.36, 0.216], abs=0.03)


def test_only_answers_before_the_sales_enter():
    """An answer in the month of the sales, or older than declared, is no row."""
    months = pd.date_range("2025-01-01", periods=4, freq="MS")
    panel = pd.DataFrame({
        "customer_id": "a", "period": months, "score_nps": [9.0, np.nan, np.nan, 3.0],
        "last_nps": [9.0, 9.0, 9.0, 3.0], "age_nps": [0, 1, 2, 0], "revenue_next": [10.0, 20.0, 30.0, np.nan],
        "is_at_risk_next": [True, True, True, False]})
    one, two = (sales_sample(panel, "nps", age, []) for age in (1, 2))
    assert one.rows[["score", "revenue"]].to_numpy().tolist() == [[9, 10]]
    assert two.rows[["score", "revenue"]].to_numpy().tolist() == [[9, 10], [9, 20]]
    assert one.account["rows"].tolist() == [4, 3, 1, 1]


def test_groups_follow_the_declared_limits():
    score = pd.Series([0, 6, 7, 8, 9, 10, np.nan])
    assert score_groups(score, (6, 9)).tolist()[:6] == ["detractor"] * 2 + ["passive"] * 2 + ["promoter"] * 2
    assert score_groups(score, (6, 9)).isna().tolist() == [False] * 6 + [True]


def test_rare_answers_join_their_neighbour_towards_the_middle():
    score = pd.Series([0] * 2 + [4] * 10 + [7] * 50 + [8] * 40 + [10] * 35)
    joined = sales.join_rare(score, 30)
    assert joined.value_counts().to_dict() == {7: 62, 8: 40, 10: 35}


def test_a_row_of_the_shape_says_which_answers_it_took_in(company):
    """Every answer belongs to exactly one row, and as many answers lie between its ends as it counts."""
    sample = sales_sample(company(2, 400), "nps", 1, [])
    table = sales.shape(sample)[1]
    given = sample.rows["score"].to_numpy()
    spans = table[["score_from", "score_to"]].to_numpy()
    assert spans[0, 0] == given.min() and spans[-1, 1] == given.max() and spans[0, 0] < table["score"].iloc[0]
    assert [((given >= low) & (given <= high)).sum() for low, high in spans] == table["n"].tolist()
    assert (spans[1:, 0] > spans[:-1, 1]).all()
    inside = [sample.rows["score"].round().between(low, high) for low, high in zip(
        table["score_from"], table["score_to"], strict=True)]
    assert table["people"].tolist() == [len(set(sample.rows.loc[part, "customer"])) for part in inside]
    assert (table["people"] < table["n"]).all()


def test_the_biggest_spenders_are_left_out():
    rows = pd.DataFrame({"customer": np.repeat(np.arange(200), 2), "revenue": np.repeat(np.arange(200.0), 2)})
    assert set(rows["customer"]) - set(sales.without_top_spenders(rows)["customer"]) == {198, 199}


def spoiled(panel, kind):
    rng = np.random.default_rng(0)
    seen = panel["score_nps"].notna()
    changes = {
        "constant_score": lambda: panel.assign(score_nps=panel["score_nps"].where(~seen, 8.0)),
        "no_outcome": lambda: panel.assign(revenue_next=0.0),
        "net_returns": lambda: panel.assign(revenue_next=10.0 - 5 * panel["revenue_next"].clip(lower=5)),
        "one_customer": lambda: panel[panel["customer_id"] == panel.loc[seen, "customer_id"].mode()[0]],
        "one_month": lambda: panel[panel["month"] == 3],
        "no_overlap": lambda: panel.assign(is_at_risk_next=panel["is_at_risk_next"] & ~seen),
        "no_repeat_answers": lambda: panel.assign(score_nps=panel["score_nps"].where(
            seen & ~panel[seen].duplicated("customer_id").reindex(panel.index, fill_value=True))),
        "collinear": lambda: panel.assign(score_nps=(panel["customer_id"].str[1:].astype(int) % 11).where(seen)),
        "no_scores": lambda: panel.assign(score_nps=np.nan),
        "no_next_sales": lambda: panel.assign(revenue_next=np.nan),
        "separation": lambda: panel.assign(score_nps=rng.permutation(np.where(np.arange(len(panel)) % 2, 9.0, 2.0)),
                                           ).pipe(lambda p: p.assign(revenue_next=p["revenue_next"].where(
                                               p["score_nps"] > 5, 0.0))),
    }
    return changes[kind]()


@pytest.mark.parametrize("reason", ["constant_score", "no_outcome", "net_returns", "one_customer", "one_month",
                                    "no_overlap", "no_repeat_answers", "collinear", "no_scores", "no_next_sales",
                                    "separation"])
def test_no_coefficient_where_the_data_hold_none(company, reason):
    """Each gives the reason and no estimate, and nothing else falls over."""
    sample = sales_sample(spoiled(company(2, 400), reason), "nps", 1, [])
    made, _ = sales.per_point(sample)
    assert {(c.estimate, c.status, c.reason) for c in made} == {
        (None, "too_early" if reason == "one_month" else "not_estimable", reason)}
    timing = timing_of(sample)
    others = conversion.conversion(sample, "EUR", 12) + sales.by_group(sample) + sales.other_outcomes(sample)
    assert timing.level == "associated" and timing.claims()
    assert all(c.estimate is None for c in others if reason not in ("separation", "no_outcome", "net_returns"))
    assert sales.shape(sample)[0] and naive.naive_sales(sample, "EUR")


def test_a_missing_panel_is_explained_by_what_is_missing():
    dated = pd.DataFrame({"customer_id": ["a"], "responded_at": ["2025-01-01"], "ordered_at": ["2025-01-01"]})
    no_key = dated.assign(customer_id=None)
    nothing = sales_sample(pd.DataFrame(), "nps", 1, [])
    found = [explained(nothing, surveys, orders).problem.reason for surveys, orders in (
        (pd.DataFrame(), dated), (dated, pd.DataFrame()), (no_key, dated), (dated, dated.assign(ordered_at=None)))]
    assert found == ["surveys_absent", "sales_absent", "no_ids", "no_sale_dates"]
    silent = dated.assign(score=np.nan, responded_at=None)[ASKED]  # as the notebook reads them
    assert explained(nothing, silent, dated).problem.reason == "nobody_answered"
    assert explained(nothing, silent.assign(score=9.0), dated).problem.reason == "no_answer_dates"


def test_few_customers_give_no_number():
    few = Estimate(0.1, np.full(5, 0.01), 20, 20, 5)
    assert claim("sales.per_point", few, "percent", "ppml").status == "not_enough_data"
    with pytest.raises(NotEstimable):
        fit_sales(sales_sample(pd.DataFrame(), "nps", 1, []), ["score"])


def test_a_check_that_could_not_have_shown_an_effect_that_matters_does_not_pass(company):
    """In a small company both lie about zero and prove nothing; in a large one they pass.

    What a check could have shown in 80 of 100 companies is 1.960 + 0.842 of its standard errors.
    """
    weak = timing_of(sales_sample(company(2, 400), "nps", 1, []))
    assert (weak.level, weak.reason) == ("associated", "checks_too_weak")
    found = {c.claim_id: c for c in weak.claims() if c.claim_id.endswith("_check")}
    for lag, claim_id in ((0, "sales.same_month_check"), (-1, "sales.lead_check")):
        low, high = weak.checks[lag].interval()
        could_not_tell = low <= 0 <= high and 2.802 * weak.checks[lag].se > np.log(1.05)
        assert (found[claim_id].status == "not_enough_data") == could_not_tell
    assert "not_enough_data" in {c.status for c in found.values()}


def test_the_level_does_not_hang_on_the_size_of_the_estimate(company):
    """The same answers and checks beside an estimate ten times as large or as small: the same level."""
    sample = sales_sample(company(5, 3000), "nps", 1, ["exposure_months"])
    timing, fit = timing_of(sample), fit_sales(sample, ["score"])
    levels = {level_of(replace(fit, coef=fit.coef * factor), timing.checks) for factor in (0.1, 1, 10)}
    assert levels == {("effect", "checks_passed")}
    needed = max(100 * np.expm1(2.802 * check.se) for check in timing.checks.values())
    for smallest, level in ((needed * 1.01, "effect"), (needed * 0.99, "associated")):
        assert timing_of(sample, smallest).level == level


def test_a_p_value_too_small_to_tell_is_a_bound(company):
    strong = sales.shape(sales_sample(company(6, 1500, beta=0.3), "nps", 1, []))[0][0]
    plain = sales.shape(sales_sample(company(2, 400, beta=0.0), "nps", 1, []))[0][0]
    assert (strong.estimate, strong.reason) == (1e-4, "below")
    assert plain.estimate > 1e-4 and plain.reason == ""


@pytest.mark.parametrize(("freedom", "errors"), [(11, 2.201 + 0.876), (9, 2.262 + 0.883), (None, 1.962 + 0.842)])
def test_what_would_show_is_told_by_the_quantiles_of_the_interval(freedom, errors):
    """Student's t by table (97.5 % and 80 %): 12 or 10 months of errors, or 1,001 customers."""
    one = Estimate(0.0, np.full(1001, 0.01), 1001, 1001, 1001, freedom=freedom)
    assert one.detectable() / one.se == pytest.approx(errors, abs=0.002)
