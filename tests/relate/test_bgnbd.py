"""BG/NBD: its likelihood by hand, its own companies found again, and the reasons where it cannot be fitted."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from pipeline.relate.bgnbd import (
    Rhythm,
    chance_there,
    fit_rhythm,
    log_likelihood,
    rhythm_claims,
    rhythm_of,
    still_there,
    within_one,
)
from pipeline.relate.estimate import Estimate, NotEstimable

PLANTED = np.array([0.8, 6.0, 0.8, 2.5])


def buyers(seed: int, n: int = 1500) -> tuple[Rhythm, np.ndarray]:
    """Customers of the model, one at a time, and whether each is still there."""
    rng = np.random.default_rng(seed)
    r, alpha, a, b = PLANTED
    rows = []
    for rate, chance, age in zip(rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), rng.uniform(16, 52, n), strict=True):
        at, last, count, is_there = 0.0, 0.0, 0, True
        while is_there and (at := at + rng.exponential(1 / rate)) <= age:
            last, count, is_there = at, count + 1, rng.random() >= chance
        rows.append((count, last, age, is_there))
    made = np.array(rows, float)
    return Rhythm(made[:, 0], made[:, 1], made[:, 2]), made[:, 3]


def test_repeats_recency_and_age_in_weeks():
    days = pd.DataFrame({"customer_id": ["b", "a", "a", "a", "a"], "day": pd.to_datetime(
        ["2025-01-08", "2025-01-01", "2025-01-08", "2025-01-22", "2025-03-01"])})
    found = rhythm_of(days, pd.Timestamp("2025-01-29"))  # what came later is not looked at
    np.testing.assert_allclose([found.repeats, found.recency, found.age], [[2, 0], [3, 0], [4, 3]])


def test_the_likelihood_is_the_integral_over_customers():
    """Equation 5 for one customer, integrated numerically over the gamma rate and the beta chance."""
    r, alpha, a, b = PLANTED
    chance = (np.arange(4000) + 0.5) / 4000
    beta = chance**(a - 1) * (1 - chance)**(b - 1) / special.beta(a, b)
    rate = (np.arange(20_000) + 0.5) / 5000
    gamma = alpha**r * rate**(r - 1) * np.exp(-alpha * rate) / special.gamma(r)
    for x, recency, age in ((0, 0.0, 10.0), (3, 4.0, 10.0)):
        there = np.sum(rate**x * np.exp(-rate * age) * gamma) / 5000 * np.sum((1 - chance)**x * beta) / 4000
        left = (np.sum(rate**x * np.exp(-rate * recency) * gamma) / 5000
                * np.sum(chance * (1 - chance)**(x - 1) * beta) / 4000) if x else 0.0
        one = Rhythm(np.array([float(x)]), np.array([recency]), np.array([age]))
        assert log_likelihood(PLANTED, one)[0] == pytest.approx(np.log(there + left), abs=0.02)
        assert chance_there(PLANTED, one)[0] == pytest.approx(there / (there + left), abs=0.005)


def test_the_planted_rhythm_is_found_and_the_interval_holds_the_share():
    """40 companies of 1,500: of intervals that hold with 95 % at least 34 do, but for one time in a thousand."""
    shares, intervals, fits = [], [], []
    for seed in range(40):
        rhythm, is_there = buyers(seed)
        fits.append(fit_rhythm(rhythm))
        shares.append(is_there.mean())
        intervals.append(still_there(rhythm, fits[-1]).interval())
    truth = np.mean(shares)
    assert sum(low <= truth <= high for low, high in intervals) >= 34
    assert np.mean(intervals) == pytest.approx(truth, abs=0.01)
    np.testing.assert_allclose(np.median(fits, axis=0), PLANTED, rtol=0.15)


def test_the_unit_of_time_moves_nothing_but_alpha():
    rhythm, _ = buyers(1)
    days = Rhythm(rhythm.repeats, 7 * rhythm.recency, 7 * rhythm.age)
    np.testing.assert_allclose(fit_rhythm(days), fit_rhythm(rhythm) * [1, 7, 1, 1], rtol=1e-3)


def test_claims_beside_the_windows():
    rhythm, _ = buyers(2, 400)
    bought = [(f"c{i:04d}", pd.Timestamp("2025-12-31") - pd.Timedelta(days=round(7 * (age - recency * k / max(x, 1)))))
              for i, (x, recency, age) in enumerate(zip(rhythm.repeats, rhythm.recency, rhythm.age, strict=True))
              for k in range(int(x) + 1)]
    days = pd.DataFrame(bought, columns=["customer_id", "day"]).drop_duplicates()
    made = rhythm_claims(days, pd.Timestamp("2025-12-31"), [45, 90])
    assert [(c.claim_id, c.segment) for c in made] == [
        ("churn.inactivity.still_there", "all"), ("churn.inactivity.not_silent", "window:45"),
        ("churn.inactivity.not_silent", "window:90")]
    assert made[0].ci_low < made[0].estimate < made[0].ci_high
    newest = days.groupby("customer_id")["day"].max()
    assert made[2].estimate == np.mean(newest >= pd.Timestamp("2025-10-02"))


def test_the_limits_of_a_share_lie_between_nothing_and_all():
    """93 % with an error of 6.51 points is 2.587 +- 1.96 on the scale of log odds: 65.2 % to 99.0 %, not 80 to 106."""
    influence = np.full(10_000, 0.0651 / 100)
    low, high = within_one(Estimate(0.93, influence, 10_000, 10_000, 10_000))
    assert (round(low, 3), round(high, 3)) == (0.652, 0.990)
    with pytest.raises(NotEstimable):
        within_one(Estimate(1.0, influence, 10_000, 10_000, 10_000))


@pytest.mark.parametrize(("repeats", "reason"), [(np.zeros(200), "few_repeats"), (np.full(200, 5.0), "no_rhythm")])
def test_where_nobody_or_everybody_comes_back_there_is_no_rhythm(repeats, reason):
    """All customers alike, and each bought on the last day: neither rates nor chances of leaving vary."""
    ages = np.linspace(30, 50, 200)
    with pytest.raises(NotEstimable) as why:
        fit_rhythm(Rhythm(repeats, np.where(repeats > 0, ages, 0.0), ages))
    assert why.value.reason == reason


def test_without_purchases_the_reason_is_told():
    nothing = pd.DataFrame({"customer_id": pd.Series(dtype="str"), "day": pd.Series(dtype="datetime64[us]")})
    assert [c.reason for c in rhythm_claims(nothing, pd.Timestamp("2025-12-31"), [90])] == ["no_dated_sales"]


def test_a_window_as_long_as_the_data_says_nothing_of_who_bought_lately():
    """First purchase on 1 January, data to 31 March (89 days): 89 days say nothing yet, 88 do."""
    days = pd.DataFrame({"customer_id": ["a", "b", "b"], "day": pd.to_datetime(
        ["2025-01-01", "2025-01-20", "2025-03-30"])})
    _, shown, early = rhythm_claims(days, pd.Timestamp("2025-03-31"), [88, 89])
    assert (shown.estimate, shown.status) == (0.5, "ok")
    assert (early.estimate, early.status, early.readable_on) == (None, "too_early", "2025-04-01")


def test_a_flat_likelihood_is_no_certainty():
    """A month of purchases at one rate by customers who all stay: the chance of stopping may be anything near none."""
    rng = np.random.default_rng(6)  # ends at 99.99999996 % without the guards
    days = pd.DataFrame([(str(who), day) for who, rate in enumerate(rng.gamma(1, 0.15, 600))
                         for day in np.flatnonzero(rng.random(31) < rate)], columns=["customer_id", "day"])
    days["day"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(days["day"], unit="D")
    made = rhythm_claims(days, pd.Timestamp("2025-01-31"), [90])[0]
    assert made.estimate is None and made.reason == "no_rhythm"
