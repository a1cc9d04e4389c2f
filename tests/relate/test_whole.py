"""A month cut short by the day of an export moves no figure: the company cut on any day reads as at the month's end."""

import numpy as np
import pandas as pd
import pytest

from pipeline.relate import churn, growth
from pipeline.relate.retention import cohort_of, retention_claims
from pipeline.relate.whole import Whole, whole_months

JANUARY = 2024 * 12  # the first month of the panels here


def orders_of(days):
    return pd.DataFrame({"ordered_at": pd.to_datetime(list(days)) + pd.Timedelta(hours=12)})


def every(first, last, on=None):
    days = pd.date_range(first, last)
    return orders_of(days if on is None else days[days.day == on])


@pytest.mark.parametrize(("orders", "last", "as_of", "expected"), [
    (every("2024-01-01", "2024-12-31"), "2024-12", None, (0, 11)),
    (every("2024-01-25", "2024-12-31"), "2024-12", None, (1, 11)),
    (every("2024-01-01", "2024-12-12"), "2024-11", None, (0, 10)),
    (every("2024-01-01", "2024-12-12"), "2024-12", None, (0, 10)),  # other exports go on to the end of the month
    (every("2024-01-01", "2024-12-12"), "2024-12", "2024-12-31", (0, 11)),  # declared: nothing was sold after
    (every("2024-01-01", "2024-10-12"), "2024-12", None, (0, 8)),
    (every("2024-01-01", "2024-12-31", on=15), "2024-12", None, (0, 11)),  # bills on the 15th
    (every("2024-01-25", "2024-01-31"), "2024-01", None, (1, 0)),
    (every("2024-01-01", "2024-01-31"), "2024-01", None, (0, 0)),
])
def test_the_months_that_are_whole(orders, last, as_of, expected):
    found = whole_months({"last_whole_month": last}, orders, "Europe/Madrid", as_of)
    assert (found.first - JANUARY, found.sold - JANUARY) == expected
    assert found.last == JANUARY + int(last[5:]) - 1


def test_the_day_is_that_of_the_company():
    """An order on 31 December at 23:30 UTC is one of January in Madrid, and of its first day."""
    first = pd.DataFrame({"ordered_at": [pd.Timestamp("2023-12-31 23:30")]})
    orders = pd.concat([first, every("2024-01-02", "2024-12-31")])
    assert whole_months({"last_whole_month": "2024-12"}, orders, "Europe/Madrid").first == JANUARY
    assert whole_months({"last_whole_month": "2024-12"}, orders, "UTC").first == JANUARY


def test_without_times_or_sales():
    assert whole_months({"last_whole_month": None}, pd.DataFrame(), "UTC") is None
    assert whole_months({"last_whole_month": "2024-12"}, pd.DataFrame(), "UTC") == Whole(0, JANUARY + 11, JANUARY + 11)


def cut(panel, month, share):
    """The panel with the sales of this month (0..) cut to a share, as an export in the middle of it leaves them."""
    is_cut = panel["month"] == month
    return panel.assign(revenue=panel["revenue"].where(~is_cut, share * panel["revenue"]))


def known_until(panel, last):
    """The panel as linked on a day of the month after `last`: nothing of that month is an outcome."""
    shown = panel[panel["month"] <= last + 1].copy()
    late = shown["month"] + 1 > last
    shown["is_at_risk_next"] &= ~late
    shown["is_churned_next"] = shown["is_churned_next"].mask(late)
    return shown


def figures(panel, whole=None):
    made = retention_claims(cohort_of(panel, whole), ["small"])
    made += growth.growth_claims(panel, "nps", (6, 9), whole=whole)
    return [(c.claim_id, c.segment, c.period, c.estimate, c.ci_low, c.ci_high) for c in made]


def test_a_last_month_cut_short_is_in_no_figure(company):
    panel = company(8, 600)
    start = 2023 * 12
    whole_only = panel[panel["month"] <= 21].assign(
        is_churned_next=panel["is_churned_next"].mask(panel["month"] == 21))
    shown = cut(known_until(panel, 21), 22, 0.1)
    assert figures(shown, Whole(start, start + 21, start + 21)) == figures(whole_only)
    assert figures(shown) != figures(whole_only)
    assert figures(whole_only)[0][2] == "2023-12/2024-10"


def test_a_first_month_cut_short_is_in_no_figure(company):
    panel, start = company(8, 600), 2023 * 12
    later = panel[(panel["month"] >= 1) & (panel["month"] <= 22)]
    shown = cut(panel[panel["month"] <= 22], 0, 0.1)
    assert figures(shown, Whole(start + 1, start + 22, start + 22)) == figures(later)


def test_a_leaver_of_a_month_without_whole_sales_is_not_yet_one_of_the_span(company):
    """Sales end before the ends of contracts do: who left after the span is still there in it."""
    panel, start = company(8, 600), 2023 * 12
    rows = cohort_of(panel, Whole(start, start + 19, start + 23)).rows
    left = panel.loc[panel["is_churned_next"].eq(True), ["customer_id", "month"]].set_index("customer_id")["month"] + 1
    expected = rows["customer"].map(left).between(10, 19)
    assert rows["gone"].eq(expected.astype(float)).all()
    assert 0 < expected.sum() < rows["customer"].isin(left.index).sum()


def test_no_whole_month_yet_is_too_early(company):
    panel = company(8, 100)
    cohort = cohort_of(panel[panel["month"] == 0], Whole(2023 * 12 + 1, 2023 * 12, 2023 * 12))
    assert (cohort.problem.status, cohort.problem.readable_on) == ("too_early", "2023-08-01")


def test_todays_customers_and_their_spending_are_those_of_the_last_whole_month(company):
    panel, start = company(8, 600), 2023 * 12
    whole = Whole(start, start + 21, start + 21)
    shown = churn.churn_sample(cut(known_until(panel, 21), 22, 0.1), "nps", 3, ["segment"], whole)
    plain = churn.churn_sample(known_until(panel, 21)[lambda rows: rows["month"] <= 21], "nps", 3, ["segment"])
    pd.testing.assert_frame_equal(shown.latest.drop(columns="customer"), plain.latest.drop(columns="customer"))
    pd.testing.assert_frame_equal(shown.at_risk, plain.at_risk)
    assert shown.latest["month"].eq(start + 21).all()


def test_spending_leaves_a_first_month_cut_short_out(company):
    panel, start = company(8, 300), 2023 * 12
    whole = Whole(start + 1, start + 23, start + 23)
    one, other = (churn.churn_sample(cut(panel, 0, share), "nps", 3, [], whole) for share in (0.1, 1.0))
    np.testing.assert_array_equal(one.at_risk["spend"], other.at_risk["spend"])
    first = one.at_risk["month"] == start
    assert one.at_risk.loc[first, "spend"].isna().all() and one.at_risk.loc[~first, "spend"].notna().all()
