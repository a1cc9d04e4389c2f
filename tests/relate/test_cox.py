"""Cox with late entry against statsmodels, a jackknife, and the hazard whose check it is."""

import warnings

import numpy as np
import pandas as pd
import pytest

from pipeline.relate import churn
from pipeline.relate.cox import cox_check, fit_cox


def late_entries(n=300, seed=4):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 8, n).astype(float)
    x = pd.DataFrame({"a": rng.normal(size=n), "b": rng.integers(0, 2, n).astype(float)})
    stop = start + 1 + rng.geometric(0.15 * np.exp(0.3 * x["a"].clip(-2, 2)).clip(upper=3), n)
    return start, stop.to_numpy() if hasattr(stop, "to_numpy") else stop, rng.random(n) < 0.8, x


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_equals_statsmodels_with_late_entry_and_ties(ties):
    """statsmodels takes entry <= t as at risk, hence 1e-6 later."""
    from statsmodels.duration.hazard_regression import PHReg
    start, stop, event, x = late_entries()
    ours = fit_cox(start, stop, event, x, np.arange(len(x)), len(x), ties)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = PHReg(stop, x.to_numpy(), status=event.astype(int), entry=start + 1e-6, ties=ties).fit()
    np.testing.assert_allclose(ours.coef, theirs.params, rtol=1e-5)
    np.testing.assert_allclose(ours.model_se, theirs.bse, rtol=1e-4)


def test_error_by_customer_is_that_of_leaving_one_out():
    """Within 6 % of the jackknife over 150 customers who have two rows each."""
    start, stop, event, x = late_entries()
    customer = np.arange(300) // 2
    fit = fit_cox(start, stop, event, x, customer, 150)
    values = np.array([fit_cox(start[kept], stop[kept], event[kept], x[kept], customer[kept], 150).coef
                       for kept in (customer != who for who in range(150))])
    jackknife = np.sqrt(149 / 150 * ((values - fit.coef) ** 2).sum(axis=0))
    assert [fit[name].se for name in ("a", "b")] == pytest.approx(jackknife, rel=0.06)


def test_the_check_agrees_with_the_hazard(company):
    """Months as risk sets or as dummies: the same ratio within a tenth of its error, and an error alike within 5 %."""
    sample = churn.churn_sample(company(8, 2500), "nps", 1, ["segment"])
    check, hazard = cox_check(sample), churn.hazard_claims(sample)[0]
    width = np.log(hazard.ci_high / hazard.ci_low)
    assert abs(np.log(check.estimate / hazard.estimate)) < 0.1 * width / 3.92
    assert np.log(check.ci_high / check.ci_low) == pytest.approx(width, rel=0.05)


def test_what_is_alike_for_all_at_risk_in_a_month_is_absorbed_by_it(company):
    """All began in one month: their tenure says the month, and the check is that without it, not a separation."""
    panel = company(2, 1500)
    begun = panel.assign(tenure_months=pd.factorize(panel["period"], sort=True)[0].astype(float))
    plain = cox_check(churn.churn_sample(panel.drop(columns="tenure_months", errors="ignore"), "nps", 1, ["segment"]))
    assert plain.estimate is not None
    assert cox_check(churn.churn_sample(begun, "nps", 1, ["segment"])) == plain


def test_a_score_that_is_alike_for_all_in_each_month_is_not_told_from_it(company):
    panel = company(2, 1500)
    score = pd.factorize(panel["period"], sort=True)[0] % 3 + 5.0
    sample = churn.churn_sample(panel.assign(score_nps=score, last_nps=score), "nps", 1, [])
    assert cox_check(sample).reason == "collinear"


def test_nobody_left_gives_the_reason(company):
    panel = company(8, 400)
    sample = churn.churn_sample(panel.assign(is_churned_next=False), "nps", 1, [])
    assert (cox_check(sample).estimate, cox_check(sample).reason) == (None, "no_leavers")
