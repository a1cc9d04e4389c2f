"""Spline, staleness and growth: held against formulas worked by hand and companies whose law is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.relate import sales
from pipeline.relate.estimate import Estimate
from pipeline.relate.growth import fieller, growth_claims
from pipeline.relate.sample import fit_sales, sales_sample
from pipeline.relate.spline import bends, knots_of, spline
from pipeline.relate.staleness import stale_score


def test_the_spline_is_straight_outside_its_knots_and_smooth_inside():
    """Harrell's basis for knots 0, 1, 3, 4 at 2: (8 - 1 * 4 / 1 + 0) / 16 by hand for the first column.

    cube(2 - 0) = 8, the third knot lies ahead (0), the last too: 8 / 16 = .5; second column 1 / 16.
    """
    knots = np.array([0.0, 1.0, 3.0, 4.0])
    assert bends(np.array([2.0]), knots)[0] == pytest.approx([0.5, 1 / 16])
    for outside in (np.array([-3.0, -2, -1]), np.array([5.0, 6, 7])):
        np.testing.assert_allclose(np.diff(bends(outside, knots), 2, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(bends(np.array([-1.0, 0.0]), knots), 0)


def test_knots_stay_apart_where_answers_bunch():
    assert len(np.unique(knots_of(np.repeat([0.0, 8, 9, 10], [50, 30, 900, 20])))) == 4


def test_a_straight_law_shows_no_bend_and_a_bent_one_does(company):
    panel = company(5, 6000)
    sample = sales_sample(panel, "nps", 1, ["exposure_months"])
    straight, curve = spline(sample)
    assert straight.estimate > 0.01
    line = fit_sales(sample, ["score"])["score"].value
    ends = np.log1p(curve["spline"].iloc[[4, -1]] / 100).to_numpy()
    assert ends[1] - ends[0] == pytest.approx(line * (curve["score"].iloc[-1] - curve["score"].iloc[4]), abs=0.1)
    bent = panel.assign(revenue_next=panel["revenue_next"] * np.where(panel["score_nps"] >= 9, 1.5, 1.0))
    kinked, curve = spline(sales_sample(bent, "nps", 1, ["exposure_months"]))
    assert kinked.estimate < 0.001
    assert curve["spline_low"].le(curve["spline"]).all() and curve["spline"].iloc[-1] > 20
    assert spline(sales_sample(panel.assign(score_nps=np.nan), "nps", 1, []))[0].reason == "no_scores"


def test_an_old_answer_tells_less(company):
    """Only the answer of the month before acts, and satisfaction forgets: older ones must tell less per point."""
    fresh, _, old, lost = stale_score(company(5, 6000), "nps", ["exposure_months"])
    assert [fresh.segment, old.segment] == ["age:1", "age:4-6"]
    assert fresh.ci_low > 0 and lost.ci_high < 0 and old.estimate < fresh.estimate
    assert lost.estimate == pytest.approx(100 * ((1 + old.estimate / 100) / (1 + fresh.estimate / 100) - 1))
    plain = sales.per_point(sales_sample(company(5, 6000), "nps", 1, ["exposure_months"]))[0][0]
    assert (fresh.estimate, fresh.ci_low) == pytest.approx((plain.estimate, plain.ci_low))  # one question, one answer
    one = stale_score(pd.DataFrame(), "nps", [])
    assert {(c.estimate, c.reason) for c in one} == {(None, "no_panel")}


def growing(kinds):
    """kinds: group of ten customers -> (last answer, sales a month of the earlier and of the later half year)."""
    rows = [{"customer_id": f"{name}{k}", "period": pd.Timestamp(2025, m, 1), "is_active": True,
             "last_nps": score if m == 6 else 5.0,
             "age_nps": 2.0, "revenue": float(before if m <= 6 else after), "is_churned_next": False}
            for name, (score, before, after) in kinds.items() for k in range(10) for m in range(1, 13)]
    return pd.DataFrame(rows)


def test_growth_by_hand():
    """Earlier 10 + 10 + 20 = 40, later 19 + 11 + 18 = 48: +20 %; promoters +9 of 8, passives +1, detractors -2."""
    panel = growing({"p": (10, 10, 19), "n": (8, 10, 11), "d": (3, 20, 18)})
    panel["revenue"] *= 1 + 0.01 * (panel["customer_id"].str[1:].astype(int) - 4.5) / 4.5  # not all alike
    made = {(c.claim_id.rpartition(".")[2], c.segment): c.estimate for c in growth_claims(panel, "nps", (6, 9))}
    assert made["existing_customers", "all"] == pytest.approx(20)
    assert made["contribution", "answer:promoter"] == pytest.approx(22.5)
    assert made["contribution", "answer:passive"] == pytest.approx(2.5)
    assert made["contribution", "answer:detractor"] == pytest.approx(-5)
    assert made["share_of_promoters", "all"] == pytest.approx(9 / 8)


def test_limits_of_a_share_of_growth_are_where_the_t_test_of_that_share_turns():
    """Fieller: a share r is inside as long as "what they added - r x growth" is not told from nothing by a t test."""
    random = np.random.default_rng(4)
    growth = random.normal(2, 3, 60)
    added = np.where(np.arange(60) < 25, growth, 0.0)
    low, high = fieller(added, growth)
    for end in (low, high):
        assert stats.ttest_1samp(added - end * growth, 0).pvalue == pytest.approx(0.05)
    assert low < added.sum() / growth.sum() < high
    assert np.isnan(fieller(added, growth - growth.mean())).all()


def test_the_share_of_promoters_is_lopsided_where_growth_is_barely_told():
    random = np.random.default_rng(8)
    panel = growing({"p": (10, 10, 14), "n": (8, 10, 11), "d": (3, 20, 20)})
    factor = pd.Series(np.exp(random.normal(0, 0.24, 30)), panel["customer_id"].unique())
    panel["revenue"] *= np.where(pd.DatetimeIndex(panel["period"]).month > 6, panel["customer_id"].map(factor), 1.0)
    share = next(c for c in growth_claims(panel, "nps", (6, 9)) if c.claim_id == "sales.growth.share_of_promoters")
    months = panel.groupby(["customer_id", pd.DatetimeIndex(panel["period"]).month > 6])["revenue"].sum().unstack()
    growth, promoters = (months[True] - months[False]).to_numpy(), months.index.str.startswith("p")
    assert (share.ci_low, share.ci_high) == pytest.approx(fieller(growth * promoters, growth))
    assert share.ci_high - share.estimate > 1.2 * (share.estimate - share.ci_low)


def test_no_share_of_a_fall(company):
    falling = growing({"p": (10, 20, 19), "d": (3, 20, 10)})
    made = {c.claim_id: c for c in growth_claims(falling, "nps", (6, 9))}
    assert made["sales.growth.share_of_promoters"].reason == "no_growth"
    assert growth_claims(pd.DataFrame(), "nps", (6, 9))[0].reason == "no_sales_by_customer"


def test_errors_two_ways_by_hand():
    """Variance of customers 4, of months 9, of both 4: 4 + 9 - 4 = 9; 21 months leave 20 degrees of freedom, whose t at
    .975 is 2.086 in every table."""
    one = Estimate(1.0, np.full(101, 2 / np.sqrt(101)), 500, 500, 101)
    both = sales.two_ways(one, 9.0, 4.0, 21)
    assert both.se == pytest.approx(3)
    assert both.interval()[1] - 1 == pytest.approx(3 * 2.086, abs=1e-3)
    assert sales.two_ways(one, 4.0, 4.1, 21) == one  # months that add nothing take no degrees of freedom either


def test_shocks_that_move_a_month_of_many_customers_widen_the_interval(company):
    """Half of the customers score higher in some months and spend more in others, drawn apart: it is months that say
    how far chance may go."""
    panel = company(5, 1500)
    random, side = np.random.default_rng(2), panel["customer_id"].str[1:].astype(int) % 2 * 2 - 1
    mood, money = random.normal(size=(2, 24))
    month = panel["month"].to_numpy()
    shaken = panel.assign(score_nps=(panel["score_nps"] + side * np.round(mood[month])).clip(0, 10),
                          revenue_next=panel["revenue_next"] * np.exp(0.6 * side * money[month]))
    one, _, both = sales.per_point(sales_sample(shaken, "nps", 1, []))[0]
    assert both.ci_high - both.ci_low > 1.5 * (one.ci_high - one.ci_low)


def test_months_may_only_widen_the_interval(company):
    one, _, both = sales.per_point(sales_sample(company(5, 1500), "nps", 1, []))[0]
    assert both.estimate == one.estimate
    assert both.ci_low <= one.ci_low and one.ci_high <= both.ci_high
    both_ways = [sales.per_point(sales_sample(company(seed, 800), "nps", 1, []))[0] for seed in (3, 2)]
    alone, with_months = ([claims[0].ci_high == claims[2].ci_high for claims in both_ways], both_ways[1][2])
    assert alone == [True, False]  # where months add nothing, they take no degrees of freedom either
    assert with_months.ci_high > both_ways[1][0].ci_high
    short = sales.per_point(sales_sample(company(5, 1500).query("month < 8"), "nps", 1, []))[0][2]
    assert short.reason == "few_months"
