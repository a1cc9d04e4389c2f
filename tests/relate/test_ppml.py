"""Fixed-effects Poisson against hand arithmetic and pyfixest.

Tolerances: coefficients 1e-7 and errors 1e-6 relative, where both solvers stop; pyfixest's clustered errors are
compared under its small-sample convention k_fixef="none", which is ours.
"""

import time
import warnings

import numpy as np
import pandas as pd
import pytest

from pipeline.relate.estimate import NotEstimable
from pipeline.relate.leverage import without_each
from pipeline.relate.ppml import fit_ppml


def panel(seed=1, customers=300, months=10, share=0.5):
    rng = np.random.default_rng(seed)
    unit, month = np.repeat(np.arange(customers), months), np.tile(np.arange(months), customers)
    taste = rng.normal(size=customers)
    x = np.column_stack([rng.normal(size=unit.size) + taste[unit], rng.integers(0, 2, unit.size)])
    y = rng.poisson(np.exp(-1 + 0.5 * taste[unit] + 0.06 * x[:, 0] + 0.02 * month)) * rng.gamma(2, 20, unit.size)
    keep = rng.random(unit.size) < share
    return y[keep], x[keep], unit[keep], month[keep], customers


def test_two_months_by_hand():
    """Given each customer's total, the share of month 2 is logistic: treated 50:30, others 40:60, so e^b = 2.5."""
    y = np.array([10, 30, 20, 20, 30, 10, 30, 30], float)
    x = np.array([0, 1, 0, 1, 0, 0, 0, 0], float)
    fit = fit_ppml(y, x, ["x"], np.repeat(np.arange(4), 2), np.tile([0, 1], 4), 4)
    assert fit["x"].value == pytest.approx(np.log((50 / 30) / (40 / 60)), rel=1e-9)


def test_equals_pyfixest_with_zeros_and_singletons():
    pf = pytest.importorskip("pyfixest")
    y, x, unit, month, units = panel(share=0.25)
    fit = fit_ppml(y, x, ["x", "z"], unit, month, units)
    frame = pd.DataFrame({"y": y, "x": x[:, 0], "z": x[:, 1], "unit": unit, "month": month})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pf.fepois("y ~ x + z | unit + month", frame, vcov={"CRV1": "unit"}, ssc=pf.ssc(k_fixef="none"),
                           iwls_tol=1e-12)
    assert len(fit.rows) == theirs._N < len(y)
    assert len(y) - len(fit.rows) == sum(fit.account.values())
    np.testing.assert_allclose(fit.coef, theirs.coef().to_numpy(), rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.sandwich)), theirs.se().to_numpy(), rtol=1e-5)


def test_error_is_that_of_leaving_out_one_customer_in_turn():
    """Refitted without each of 80 customers, one of whom spends like all the others together; within 3 %.

    The plain sandwich, which trusts that customer's own residuals, is a quarter to two fifths too small here.
    """
    y, x, unit, month, units = panel(customers=80, months=6, share=0.7)
    y = np.where(unit == 3, 60 * (y + 10), y)
    fit = fit_ppml(y, x, ["x", "z"], unit, month, units)
    values = np.array([fit_ppml(y[unit != who], x[unit != who], ["x", "z"], unit[unit != who], month[unit != who],
                                units).coef for who in np.unique(unit[fit.rows])])
    jackknife = np.sqrt((len(values) - 1) / len(values) * ((values - fit.coef) ** 2).sum(axis=0))
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), jackknife, rtol=0.03)
    assert np.all(np.diag(fit.sandwich) < 0.64 * np.diag(fit.covariance))


def test_error_by_month_is_that_of_leaving_out_one_month_in_turn():
    """pyfixest refits without each of 10 months; ours is one step of it, within 1 %. Its factor is left out by both."""
    pf = pytest.importorskip("pyfixest")
    y, x, unit, month, units = panel(share=0.5)
    fit = fit_ppml(y, x, ["x", "z"], unit, month, units)
    covariance, _, months = fit.by_period_and_row(y, unit, month)
    frame = pd.DataFrame({"y": y, "x": x[:, 0], "z": x[:, 1], "unit": unit, "month": month})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pf.fepois("y ~ x + z | unit + month", frame, vcov={"CRV3": "month"},
                           ssc=pf.ssc(k_adj=False, G_adj=False), iwls_tol=1e-12)
    assert months == 10
    np.testing.assert_allclose(np.sqrt(np.diag(covariance) * 10 / 9), theirs.se().to_numpy(), rtol=0.01)


def test_leaving_out_a_month_or_a_row_is_least_squares_of_the_rest():
    """One step from the fit without each month and each row: weighted least squares with dummies of both effects.

    Some customers have two rows, of which one goes.
    """
    y, x, unit, month, units = panel(customers=40, months=8, share=0.5)
    fit = fit_ppml(y, x, ["x", "z"], unit, month, units)
    u, t = (np.unique(column[fit.rows], return_inverse=True)[1] for column in (unit, month))
    gap, root = y[fit.rows] - fit.fitted, np.sqrt(fit.fitted)
    design = np.hstack([x[fit.rows], np.eye(u.max() + 1)[u], np.eye(8)[t]]) * root[:, None]

    def moved(keep):
        return np.linalg.lstsq(design[keep], (gap / root)[keep], rcond=1e-12)[0][:2]

    by_month, by_row = without_each(fit.residualised, fit.fitted, gap, u, t)
    assert np.bincount(u).min() == 2 and (fit.fitted / np.bincount(u, fit.fitted)[u]).max() < 0.95
    np.testing.assert_allclose(by_month, [moved(t != m) for m in range(8)], atol=1e-9)
    np.testing.assert_allclose(by_row, [moved(np.arange(len(t)) != place) for place in range(len(t))], atol=1e-9)
    of_months, of_rows, months = fit.by_period_and_row(y, unit, month)
    np.testing.assert_allclose(of_months, 7 / 8 * by_month.T @ by_month)
    np.testing.assert_allclose(of_rows, (1 - 1 / len(t)) * by_row.T @ by_row)
    assert months == 8


def test_money_may_be_counted_in_cents():
    y, x, unit, month, units = panel()
    euros, cents = (fit_ppml(y * scale, x, ["x", "z"], unit, month, units) for scale in (1, 100))
    np.testing.assert_allclose(euros.coef, cents.coef, rtol=1e-8)
    np.testing.assert_allclose(euros.covariance, cents.covariance, rtol=1e-6)


def test_a_month_of_returns_is_kept_as_it_is():
    y, x, unit, month, units = panel()
    place = np.flatnonzero(y > 100)[0]
    y[place] = -5.0
    fit = fit_ppml(y, x, ["x", "z"], unit, month, units)
    assert place in fit.rows
    moments = fit.residualised.T @ (y[fit.rows] - fit.fitted)
    assert np.abs(moments).max() < 1e-5 * np.abs(y).sum()


def test_what_the_fixed_effects_absorb_is_left_out_of_adjusters_and_refused_as_a_question():
    y, x, unit, month, units = panel()
    wide = np.column_stack([x[:, 0], unit % 3, month**2])
    assert fit_ppml(y, wide, ["x", "segment", "season"], unit, month, units, wanted=1).names == ("x",)
    with pytest.raises(NotEstimable, match="collinear"):
        fit_ppml(y, wide, ["x", "segment", "season"], unit, month, units)


def test_a_question_that_an_adjuster_repeats_has_no_answer():
    """Whichever came first would be credited with both."""
    y, x, unit, month, units = panel()
    with pytest.raises(NotEstimable, match="collinear"):
        fit_ppml(y, np.column_stack([x[:, 0], x[:, 0] * 2 + month]), ["x", "copy"], unit, month, units, wanted=1)


def test_rows_that_an_adjuster_separates_are_left_out_and_counted():
    """No row is dropped silently (FIT-N): those used and those left out are all of them."""
    y, x, unit, month, units = panel()
    never = (np.arange(len(y)) % 7 == 0).astype(float)
    sold = np.where(never == 1, 0.0, y)
    fit = fit_ppml(sold, np.column_stack([x[:, 0], never]), ["x", "never"], unit, month, units, wanted=1)
    alone = fit_ppml(sold[never == 0], x[never == 0, 0], ["x"], unit[never == 0], month[never == 0], units)
    assert fit["x"].value == pytest.approx(alone["x"].value, rel=1e-8)
    assert fit.account["separated"] > 0 and len(fit.rows) == len(alone.rows)
    assert not never[fit.rows].any()


def test_a_dummy_that_never_sells_is_separation():
    y, _, unit, month, units = panel()
    never = (np.arange(len(y)) % 7 == 0).astype(float)
    with pytest.raises(NotEstimable, match="separation"):
        fit_ppml(np.where(never == 1, 0.0, y), never, ["never"], unit, month, units)


def test_joint_wald_of_one_coefficient_is_its_t_squared():
    y, x, unit, month, units = panel()
    fit = fit_ppml(y, x, ["x", "z"], unit, month, units)
    f, p = fit.wald(np.array([[1.0, 0.0]]))
    assert f == pytest.approx((fit["x"].value / fit["x"].se) ** 2, rel=1e-9)
    assert p == pytest.approx(fit["x"].p_value(), rel=1e-6)


def test_fast_at_the_size_of_a_benchmark_company():
    """1,500 customers by 24 months in well under 0.3 s; the limit leaves room for a busy machine."""
    y, x, unit, month, units = panel(customers=1500, months=24, share=1.0)
    start = time.process_time()
    fit_ppml(y, x, ["x", "z"], unit, month, units)
    assert time.process_time() - start < 0.6


def test_customers_who_send_back_more_than_they_buy_are_told_as_such():
    """Each answers four times, buys 10 twice and sends 30 back: it is not answers that are missing."""
    unit, period = np.repeat(np.arange(20), 4), np.tile(range(4), 20)
    outcome = np.where((unit + period) % 2, 10.0, -15.0)
    score = np.random.default_rng(1).integers(0, 11, 80).astype(float)
    with pytest.raises(NotEstimable) as caught:
        fit_ppml(outcome, score, ["score"], unit, period, 20)
    assert caught.value.reason == "net_returns"
