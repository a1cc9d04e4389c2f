"""Silence as churn, on days that can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.results import Results
from pipeline.relate import inactivity
from pipeline.report.pages import churn as churn_page
from pipeline.report.words import Words

DAYS = {"stays": ["2025-01-10", "2025-02-20", "2025-03-15", "2025-04-20", "2025-05-25"], "stops": ["2025-01-20"]}


def bought(days=DAYS):
    return pd.DataFrame([(who, day) for who, dates in days.items() for day in dates],
                        columns=["customer_id", "day"]).assign(day=lambda f: pd.to_datetime(f["day"]))


def test_silent_is_who_buys_nothing_in_the_window_after_the_month():
    sample = inactivity.silence_sample(bought(), pd.DataFrame(), "nps", 1, 45, pd.Timestamp("2025-05-31"), [])
    rows = sample.at_risk.assign(month=sample.at_risk["month"] - 2025 * 12 + 1)
    assert rows[["customer", "month", "left"]].to_numpy().tolist() == [
        [0, 1, 0], [0, 2, 0], [0, 3, 0], [1, 1, 1]]  # April ends less than 45 days before the data do


def test_who_left_in_the_table_of_decisions():
    """DECISIONS.md 6: data to 31 December, 90 days."""
    days = bought({"A": ["2025-01-05"], "B": ["2025-08-20"], "C": ["2025-06-05", "2025-09-25", "2025-11-20"],
                   "D": ["2025-10-01"], "E": ["2025-12-28"]})
    sample = inactivity.silence_sample(days, pd.DataFrame(), "nps", 1, 90, pd.Timestamp("2025-12-31"), [])
    rows = sample.at_risk.assign(month=sample.at_risk["month"] - 2025 * 12 + 1)
    assert rows[["customer", "month", "left"]].to_numpy().tolist() == [
        [0, 1, 1], [1, 8, 1], [2, 6, 0], [2, 7, 0], [2, 8, 0], [2, 9, 0]]


def test_nobody_is_scored_inside_the_last_window():
    for window in (30, 60, 90):
        sample = inactivity.silence_sample(bought(), pd.DataFrame(), "nps", 1, window, pd.Timestamp("2025-05-31"), [])
        month_end = pd.to_datetime({"year": sample.at_risk["month"] // 12, "month": sample.at_risk["month"] % 12 + 1,
                                    "day": 1}) + pd.offsets.MonthEnd(0)
        assert ((pd.Timestamp("2025-05-31") - month_end).dt.days >= window).all()


def test_later_purchases_do_not_change_who_is_at_risk_or_when():
    """Look-ahead: what happens after month end + window changes nothing of that month's row."""
    early = inactivity.silence_sample(bought(), pd.DataFrame(), "nps", 1, 30, pd.Timestamp("2025-04-30"), []).at_risk
    later = bought(DAYS | {"stops": ["2025-01-20", "2025-06-01"]})
    again = inactivity.silence_sample(later, pd.DataFrame(), "nps", 1, 30, pd.Timestamp("2025-06-30"), []).at_risk
    known = again[again["month"] <= early["month"].max()].reset_index(drop=True)
    pd.testing.assert_frame_equal(known[known["customer"] == 1], early[early["customer"] == 1])


def test_days_are_those_of_the_company_and_returns_do_not_count():
    sales = pd.DataFrame({"customer_id": ["a", "a", "a"], "ordered_at": pd.to_datetime(
        ["2025-01-31 23:30", "2025-02-01 10:00", "2025-03-01 10:00"]), "is_return": [False, None, True]})
    assert inactivity.order_days(sales, "Europe/Madrid")["day"].tolist() == [pd.Timestamp("2025-02-01")]
    assert inactivity.order_days(pd.DataFrame(), "UTC").empty


def test_quantiles_of_the_gaps():
    gaps = inactivity.purchase_gaps(bought({"a": ["2025-01-01", "2025-01-11", "2025-01-31"], "b": ["2025-01-01"]}))
    assert gaps["days"].iloc[0] == 15 and gaps["n"].iloc[0] == 2


def test_sales_alone_give_a_rate_and_no_ratio():
    rng = np.random.default_rng(2)
    days = pd.DataFrame({"customer_id": rng.integers(0, 200, 3000).astype(str),
                         "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 360, 3000), unit="D")})
    sample = inactivity.silence_sample(days, pd.DataFrame(), "nps", 1, 60, pd.Timestamp("2024-12-31"), [])
    rate, ratio = inactivity.silence_claims(sample, 60)
    assert 0 < rate.ci_low < rate.estimate < rate.ci_high < 1
    assert (ratio.estimate, ratio.reason) == (None, "no_scores")
    assert inactivity.silence_claims(inactivity.silence_sample(
        days, pd.DataFrame(), "nps", 1, 720, pd.Timestamp("2024-12-31"), []), 720)[0].reason == "window_too_long"


def test_windows_are_half_once_and_twice():
    assert inactivity.windows(90) == [45, 90, 180]
    with pytest.raises(TypeError):
        inactivity.windows("90")


def test_a_rate_of_nobody_carries_an_interval_with_width():
    base = pd.DataFrame({"score": 5.0, "left": 0.0, "customer": np.repeat(np.arange(20), 5), "month": 0})
    account = pd.DataFrame(columns=["step", "rows", "customers"])
    rate = inactivity.silence_claims(inactivity.ChurnSample(base, base, 20, [], [], account, None), 90)[0]
    # rule of Wilson for 0 of 100: upper end z²/(n + z²) = 4.3808 / 104.3808 with Student's 2.0930 of 20 customers
    assert (rate.estimate, rate.ci_low) == (0.0, 0.0)
    assert rate.ci_high == pytest.approx(0.04197, abs=1e-5)


def test_data_no_longer_than_the_window_do_not_call_it_long():
    gaps = pd.DataFrame({"share": [0.5, 0.99], "days": [10.0, 60.0], "n": 500, "people": 90})
    tables = {"gaps": gaps, "calibration": gaps[:0], "by_score": gaps[:0], "diagnostics": gaps[:0],
              "windows": pd.DataFrame({"estimate": [float("nan")]})}
    for status, notes in (("too_early", []), ("ok", ["churn.gaps.window_long"])):
        claims = [Claim(f"churn.inactivity.{name}", 0.1 if status == "ok" else None, "share", 500, "m", status=status,
                        segment=f"window:{days}") for name in ("monthly_rate", "not_silent") for days in (45, 90, 180)]
        page = churn_page.page(Results(claims, tables), Words("es"))
        assert [list(s.notes) for s in page.sections if s.key == "churn.gaps"] == [notes]


@pytest.mark.parametrize(("declared", "notes"), [(9, ["churn.gaps.window_short"]), (10, []), (60, []),
                                                 (61, ["churn.gaps.window_long"])])
def test_a_declared_window_outside_the_gaps_is_told(declared, notes):
    """Half of the gaps are up to 10 days long, 99 in 100 up to 60."""
    gaps = pd.DataFrame({"share": [0.5, 0.99], "days": [10.0, 60.0], "n": 500, "people": 90})
    claims = [Claim("churn.inactivity.monthly_rate", 0.1, "share", 500, "m", segment=f"window:{days}")
              for days in inactivity.windows(declared)]
    tables = {"gaps": gaps, "calibration": gaps[:0], "by_score": gaps[:0], "diagnostics": gaps[:0],
              "windows": pd.DataFrame({"estimate": [float("nan")]})}
    page = churn_page.page(Results(claims, tables), Words("es"))
    assert [list(s.notes) for s in page.sections if s.key == "churn.gaps"] == [notes]
    assert all(Words(language).has(note) for note in notes for language in ("es", "en"))
