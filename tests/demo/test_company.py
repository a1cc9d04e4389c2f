"""The invented company obeys METHODS §10; expected figures are typed from there, not taken from the code."""

import time

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.tables import TABLES
from pipeline.demo.company import simulate
from pipeline.demo.orders import draw_orders

TABLE_NAMES = ("surveys", "tickets", "sales", "customers", "actions")


@pytest.fixture(scope="module")
def company():
    return simulate(customers=3000, seed=11)


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_tables_are_canonical(company, name):
    frame, table = getattr(company, name), TABLES[name]
    assert list(frame.columns) == table.names
    assert len(frame) > 0 and not frame.duplicated(list(table.key)).any()
    for column in table.columns:
        if column.kind == "timestamp":
            assert frame[column.name].dtype == "datetime64[us]", column.name
        if column.kind in ("id", "text", "category", "comment"):
            assert frame[column.name].dtype == "str", column.name
        if column.missing == "never":
            assert frame[column.name].notna().all(), column.name


def test_same_arguments_same_company_and_another_seed_another():
    first, again, other = simulate(300, 12, seed=5), simulate(300, 12, seed=5), simulate(300, 12, seed=6)
    for name in TABLE_NAMES:
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name))
    assert not first.sales["net_amount"].head(100).equals(other.sales["net_amount"].head(100))


def test_expected_orders_follow_the_published_equation(company):
    """exp(-.1 + .8 v + .25 sin(2 pi t / 12) + .01 t + .06 (X of the month before - 7) + tau ramp)."""
    latent = company.latent
    t = np.arange(24)
    tau = np.array([0.04, 0.10, 0.16])[latent.segment]
    before = np.column_stack([latent.potential_before, latent.potential[:, :-1]])
    expected = np.exp(-0.1 + 0.8 * latent.value[:, None] + 0.25 * np.sin(2 * np.pi * t / 12) + 0.01 * t
                      + 0.06 * (before - 7) + tau[:, None] * latent.ramp)
    np.testing.assert_allclose(latent.expected_orders, expected, rtol=1e-12)


def test_ramp_starts_with_the_rollout_and_builds_up(company):
    latent = company.latent
    of_eight = latent.ramp[latent.cohort == 8][0]
    assert of_eight[7] == 0
    np.testing.assert_allclose(of_eight[8:10], [0.1535183, 0.2834687], atol=1e-7)  # 1 - exp(-1/6), 1 - exp(-2/6)
    assert sorted(np.unique(latent.branch_cohort)[:4]) == [8, 11, 14, 17]
    assert np.unique(latent.branch_cohort, return_counts=True)[1].tolist() == [8] * 5


def test_orders_rise_six_percent_per_point_of_the_answer_of_the_month_before(company):
    """Orders over what they would be at X = 7, per value of X: log-linear with slope .06 (SE about .004 here)."""
    latent = company.latent
    x = latent.potential_lagged
    at_seven = latent.expected_orders * np.exp(-0.06 * (x - 7))
    values = np.arange(3, 11)
    ratio = [np.log(latent.orders[x == v].sum() / at_seven[x == v].sum()) for v in values]
    slope = np.polyfit(values, ratio, 1, w=[np.sqrt(latent.orders[x == v].sum()) for v in values])[0]
    assert abs(slope - 0.06) < 0.012


def test_departures_follow_the_published_hazard():
    """cloglog: -3.9 - .20 (X of the month before - 7) - .5 big - .3 third segment + .02 min(t, 12); 4 SE a group."""
    latent = simulate(6000, seed=12).latent
    x, at_risk = latent.potential_lagged, latent.is_active
    hazard = 1 - np.exp(-np.exp(-3.9 - 0.20 * (x - 7) - 0.5 * latent.is_big[:, None]
                                - 0.3 * (latent.segment == 2)[:, None] + 0.02 * np.minimum(np.arange(24), 12)))
    third, big = (latent.segment == 2)[:, None], latent.is_big[:, None]
    for group in (x <= 5, (x > 5) & (x < 9), x >= 9, big & at_risk, ~big & at_risk, third & at_risk):
        rows = group & at_risk
        assert abs(latent.churned[rows].sum() - hazard[rows].sum()) < 4 * np.sqrt(hazard[rows].sum())
    assert not latent.churned[~at_risk].any()


def test_contacts_and_additional_services_follow_the_published_odds():
    """Contact logit -3 + .5 big (+ .25 in a bad mood); cross-sale logit -4.2 + .9 contact within 2 months + .5 big."""
    latent = simulate(6000, seed=12).latent
    for big in (False, True):
        mood = 0.1587  # share of a standard normal below -1
        expected = (1 - mood) / (1 + np.exp(3 - 0.5 * big)) + mood / (1 + np.exp(2.75 - 0.5 * big))
        assert latent.contact[latent.is_big == big].mean() == pytest.approx(expected, abs=0.003)
    recent = latent.contact[:, 1:] | latent.contact[:, :-1]
    for contact in (False, True):
        rows = (recent == contact) & latent.is_active[:, 1:] & ~latent.is_big[:, None]
        expected = 1 / (1 + np.exp(4.2 - 0.9 * contact))
        assert latent.cross_sold[:, 1:][rows].mean() == pytest.approx(expected, rel=0.12)


def test_lines_sum_to_their_order_and_returns_give_back_a_line(company):
    orders = draw_orders(company.latent, company.seed, company.first_month)
    sales = company.sales.assign(cents=(company.sales["net_amount"] * 100).round().astype(int))
    sold = sales[~sales["is_return"]].groupby("order_id")["cents"].sum()
    assert (sold.reindex(orders.order_id) == orders.amount_cents).all() and sales["cents"].abs().min() > 0
    back = sales[sales["is_return"]].merge(sales[~sales["is_return"]], on="order_id", suffixes=("_back", ""))
    given = back[(back["cents_back"] == -back["cents"]) & (back["quantity_back"] == -back["quantity"])]
    assert given["order_id"].nunique() == sales["is_return"].sum()
    own = (orders.customer >= 0) & ~orders.is_cross_sale
    assert orders.amount_cents[own].mean() / 100 == pytest.approx(40, rel=0.02)  # Gamma(shape 2, scale 20)
    assert orders.amount_cents[own].std() / 100 == pytest.approx(28.284, rel=0.03)  # 20 sqrt 2


def test_marginal_rates(company):
    """Plausible by METHODS §10: shares .6/.3/.1, 40 % in the high band, invitation .4, logit response near -1."""
    latent = company.latent
    np.testing.assert_allclose(np.bincount(latent.segment) / 3000, [0.6, 0.3, 0.1], atol=0.03)
    assert 0.36 < latent.is_big.mean() < 0.44
    assert abs(latent.invited.sum() / latent.is_active.sum() - 0.4) < 0.01
    assert 0.26 < latent.answered.sum() / latent.invited.sum() < 0.34
    assert 0.012 < latent.churned.sum() / latent.is_active.sum() < 0.030
    assert 0.15 < (latent.acquired_month >= 1).mean() < 0.25 and latent.acquired_month.max() == 18
    tickets = company.tickets
    assert 0.03 < tickets["solved_at"].isna().mean() < 0.05
    assert 0.06 < (tickets["reopened"] > 0).mean() < 0.11
    sales = company.sales
    returned = sales.loc[sales["is_return"], "order_id"].nunique() / sales["order_id"].nunique()
    assert 0.033 < returned < 0.045


def test_monthly_answers_are_those_of_their_calendar_month(company):
    answers = company.surveys.query("instrument == 'nps' and score.notna()")
    month = months_of(answers["responded_at"], company)
    who = positions(answers["customer_id"], company)
    np.testing.assert_array_equal(company.latent.potential[who, month], answers["score"])
    assert (months_of(answers["sent_at"], company) == month).all()
    assert len(answers) == company.latent.answered.sum()


def test_monthly_sales_are_those_of_the_latent_orders(company):
    own = company.sales.query("customer_id.notna() and product_category != 'servicio adicional'")
    orders = own.drop_duplicates("order_id")
    counted = np.zeros(company.latent.orders.shape, int)
    np.add.at(counted, (positions(orders["customer_id"], company), months_of(orders["ordered_at"], company)), 1)
    np.testing.assert_array_equal(counted, np.where(company.latent.is_active, company.latent.orders, 0))
    assert abs(own["net_amount"].sum() / len(orders) - 40 * 0.9706) < 0.6  # returns take 4 % x mean of 1 / lines
    monthly = own.assign(month=months_of(own["ordered_at"], company),
                         cents=(own["net_amount"] * 100).round()).groupby(["customer_id", "month"])["cents"].sum()
    assert monthly.min() >= 0  # a return never falls into another month than its order


def test_nobody_acts_before_coming_or_after_leaving(company):
    customers = company.customers.set_index("customer_id")
    for frame, moments in ((company.sales, ["ordered_at"]), (company.tickets, ["created_at"]),
                           (company.surveys, ["sent_at", "responded_at"])):
        known = frame[frame["customer_id"].notna()]
        acquired, ended = (known["customer_id"].map(customers[name]) for name in ("acquired_at", "ended_at"))
        for moment in moments:
            assert not (known[moment] < acquired).any(), moment
            assert not (known[moment] > ended).any(), moment
    left = customers["ended_at"].notna().to_numpy()
    assert (left == company.latent.churned.any(axis=1)).all()
    month = months_of(customers.loc[left, "ended_at"], company)
    np.testing.assert_array_equal(month, company.latent.churned[left].argmax(axis=1))


@pytest.mark.parametrize(("world", "planted"), [("base", 0.25), ("null", 0.0)])
def test_new_customers_come_through_those_with_better_answers(world, planted):
    """Two thirds of those won in the data name somebody, a customer of that month; the log odds of being named rise
    by the planted amount per point (conditional logit by Newton's method, one choice per new customer)."""
    made = simulate(20_000, 24, seed=5, world=world)
    latent, by = made.latent, made.customers["referred_by"]
    won = latent.acquired_month >= 0
    assert by[~won].isna().all() and abs(by[won].notna().mean() - 2 / 3) < 0.03
    named = positions(by[by.notna()], made)
    months = latent.acquired_month[by.notna().to_numpy()]
    assert latent.is_active[named, months].all()
    before, slope = latent.potential_lagged, 0.0
    for _ in range(8):
        score = information = 0.0
        for month in np.unique(months):
            there = before[latent.is_active[:, month], month]
            weight = np.exp(slope * (there - 7))
            mean = (weight * there).sum() / weight.sum()
            information += (months == month).sum() * ((weight * there**2).sum() / weight.sum() - mean**2)
            score += (before[named[months == month], month] - mean).sum()
        slope += score / information
    assert abs(slope - planted) < 3 / np.sqrt(information)


def test_effort_runs_the_other_way(company):
    """CES is asked with 1 = very easy, so the unhappier answer high."""
    wide = company.surveys.pivot(index="response_id", columns="instrument", values="score")
    assert wide["csat"].corr(wide["ces"]) < -0.3
    assert set(company.surveys.query("instrument == 'ces'")["direction"]) == {"lower_is_better"}


def test_null_world_has_no_effect_at_all_and_feedback_raises_scores_with_orders():
    base, null, feedback = (simulate(2000, 24, seed=3, world=world).latent for world in ("base", "null", "feedback"))
    at_seven = np.exp(-0.1 + 0.8 * null.value[:, None] + 0.25 * np.sin(2 * np.pi * np.arange(24) / 12)
                      + 0.01 * np.arange(24))
    np.testing.assert_allclose(null.expected_orders, at_seven, rtol=1e-12)
    surprise = (feedback.orders - feedback.expected_orders) / np.sqrt(feedback.expected_orders)
    assert np.polyfit(surprise.ravel(), feedback.satisfaction.ravel(), 1)[0] == pytest.approx(0.35, abs=0.03)
    surprise = (base.orders - base.expected_orders) / np.sqrt(base.expected_orders)
    assert abs(np.polyfit(surprise.ravel(), base.satisfaction.ravel(), 1)[0]) < 0.03


def test_in_the_nonresponse_world_the_answer_decides_who_answers():
    for world, bias in (("base", 0.13), ("nonresponse", 0.65)):
        latent = simulate(3000, 12, seed=4, world=world).latent
        gap = latent.potential[latent.answered].mean() - latent.potential[latent.is_active].mean()
        assert abs(gap - bias) < 0.15, world


def test_unknown_world_is_refused_by_name():
    with pytest.raises(ValueError, match="there are base, feedback"):
        simulate(10, 3, world="upside_down")


def test_six_thousand_customers_take_seconds():
    """Measured: 0.7-0.9 s; the limit leaves room for a busy machine."""
    start = time.process_time()
    simulate(6000, 24, seed=1)
    assert time.process_time() - start < 5


def months_of(moments: pd.Series, company) -> np.ndarray:
    local = pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert("Europe/Madrid")
    return ((local.year - int(company.first_month[:4])) * 12 + local.month - int(company.first_month[5:])).to_numpy()


def positions(ids: pd.Series, company) -> np.ndarray:
    return ids.map({name: i for i, name in enumerate(company.customers["customer_id"])}).to_numpy()
