"""The panel against months counted by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.link.panel import build_panel, is_contractual

NONE = np.nan


@pytest.fixture
def panel(by_hand):
    return build_panel(by_hand, "Europe/Madrid", as_of="2025-04-30")


def months_of(panel: pd.DataFrame, customer: str, columns: list[str]) -> list[list]:
    rows = panel[panel["customer_id"] == customer]
    return [[month.strftime("%m"), *values] for month, *values in rows[["period", *columns]].itertuples(index=False)]


def test_one_row_per_customer_and_month_from_acquisition_to_the_end(panel):
    found = list(zip(panel["customer_id"], panel["period"].dt.strftime("%Y-%m-%d"), strict=True))
    assert found == [
        ("ana", "2025-01-01"), ("ana", "2025-02-01"), ("ana", "2025-03-01"), ("ana", "2025-04-01"),
        ("bea", "2025-02-01"), ("bea", "2025-03-01"), ("carl", "2025-04-01")]
    assert panel["is_active"].all()


def test_sales_fall_into_the_month_of_the_company_and_returns_are_subtracted(panel):
    """o1 of 31 January 23:30 UTC is half past midnight of 1 February in Madrid: 15.50 + 20.00 in February."""
    assert months_of(panel, "ana", ["count_orders", "revenue", "count_returns"]) == [
        ["01", 1, 1.00, 0], ["02", 2, 35.50, 0], ["03", 0, -20.00, 1], ["04", 0, 0.00, 0]]
    assert months_of(panel, "carl", ["count_orders", "revenue"]) == [["04", 1, 7.25]]


def test_a_month_with_a_line_of_unknown_margin_has_no_margin(panel):
    """Line 2 of o1 says no margin: 4.00 would be too little for February, and 0 would be wrong."""
    assert panel.loc[panel["customer_id"] == "ana", "margin"].tolist() == pytest.approx([0.5, NONE, -8.0, 0.0],
                                                                                       nan_ok=True)


def test_scores_are_the_mean_of_the_month_and_the_last_one_with_its_age(panel):
    """nps 9 on 3 February and 6 on the 21st: mean 7.5, last 6. ces 2 of 1-7, low is good: 1 + 7 - 2 = 6."""
    ana = panel[panel["customer_id"] == "ana"]
    expected = {"score_nps": [NONE, 7.5, NONE, NONE], "last_nps": [NONE, 6, 6, 6], "age_nps": [NONE, 0, 1, 2],
                "score_ces": [NONE, 6, NONE, NONE], "last_ces": [NONE, 6, 6, 6], "age_ces": [NONE, 0, 1, 2],
                "count_invitations": [1, 1, 0, 0], "count_answers": [0, 2, 0, 0]}
    assert {name: ana[name].tolist() for name in expected} == {
        name: pytest.approx(values, nan_ok=True) for name, values in expected.items()}


def test_a_ticket_is_open_at_the_end_of_february_although_it_is_solved_in_march(panel):
    """t1 from 15 February 10:00 to 1 March 10:00: 14 days of 24 hours. The ticket export begins in February."""
    ana = panel[panel["customer_id"] == "ana"]
    assert ana["count_tickets"].tolist() == pytest.approx([NONE, 1, 0, 0], nan_ok=True)
    assert ana["count_open_tickets"].tolist() == pytest.approx([NONE, 1, 0, 0], nan_ok=True)
    assert ana["ttr_hours"].tolist() == pytest.approx([NONE, NONE, 336, NONE], nan_ok=True)
    assert months_of(panel, "bea", ["count_tickets", "count_complaints", "count_open_tickets"]) == [
        ["02", 0, 0, 0], ["03", 1, 1, 1]]


def test_tenure_and_exposure_count_months(panel):
    """Ana came in December; the action began in the north on 20 February, and never in the south."""
    ana, bea = panel[panel["customer_id"] == "ana"], panel[panel["customer_id"] == "bea"]
    assert ana["tenure_months"].tolist() == [1, 2, 3, 4]
    assert ana["exposure_months"].tolist() == pytest.approx([NONE, 0, 1, 2], nan_ok=True)
    assert bea["tenure_months"].tolist() == [0, 1]
    assert bea["exposure_months"].isna().all()
    assert panel.loc[panel["customer_id"] == "carl", "tenure_months"].isna().all()


def test_next_columns_hold_the_following_month_and_nothing_beyond_the_data(panel):
    ana = panel[panel["customer_id"] == "ana"]
    assert ana["revenue_next"].tolist() == pytest.approx([35.5, -20, 0, NONE], nan_ok=True)
    assert ana["count_orders_next"].tolist() == pytest.approx([2, 0, 0, NONE], nan_ok=True)
    assert ana["is_at_risk_next"].tolist() == [True, True, True, False]
    assert ana["is_churned_next"].tolist() == [False, False, False, pd.NA]


def test_churn_belongs_to_the_month_before_it_and_an_unlisted_customer_has_none(panel):
    """Bea ends on 20 March: known as an outcome of February, after which she is not at risk any more."""
    bea = panel[panel["customer_id"] == "bea"]
    assert bea["is_churned_next"].tolist() == [True, pd.NA]
    assert bea["is_at_risk_next"].tolist() == [True, False]
    assert panel.loc[panel["customer_id"] == "carl", "is_churned_next"].tolist() == [pd.NA]


def test_a_month_cut_short_is_a_row_but_no_outcome(by_hand):
    """Data to 20 April: April stands there, but what April would have brought is not known in March."""
    panel = build_panel(by_hand, "Europe/Madrid", as_of="2025-04-20")
    ana = panel[panel["customer_id"] == "ana"]
    assert ana["period"].dt.month.tolist() == [1, 2, 3, 4]
    assert ana["revenue_next"].tolist() == pytest.approx([35.5, -20, NONE, NONE], nan_ok=True)
    assert ana["is_at_risk_next"].tolist() == [True, True, False, False]


def test_without_a_declared_end_an_export_that_stops_is_missing_not_zero(by_hand):
    """The last sale is of 2 April and the last ticket of March: no ticket is known of April. April is cut short."""
    ana = build_panel(by_hand, "Europe/Madrid").query("customer_id == 'ana'")
    assert ana["count_tickets"].tolist() == pytest.approx([NONE, 1, 0, NONE], nan_ok=True)
    assert ana["revenue"].tolist() == [1.0, 35.5, -20.0, 0.0]
    assert ana["revenue_next"].tolist() == pytest.approx([35.5, -20, NONE, NONE], nan_ok=True)


def test_what_happens_outside_the_contract_is_kept_and_marked(by_hand):
    """Bea buys in May, after her end in March: the sale has its row, April has none, and nothing follows March."""
    late = by_hand["sales"].iloc[[0]].assign(order_id="o9", customer_id="bea", ordered_at=pd.Timestamp("2025-05-05"))
    tables = by_hand | {"sales": pd.concat([by_hand["sales"], late])}
    bea = build_panel(tables, "Europe/Madrid", as_of="2025-05-31").query("customer_id == 'bea'")
    assert list(zip(bea["period"].dt.month, bea["is_active"], bea["revenue"], strict=True)) == [
        (2, True, 0.0), (3, True, 0.0), (5, False, 1.0)]
    assert bea["revenue_next"].tolist() == pytest.approx([0, 0, NONE], nan_ok=True)
    assert bea["is_at_risk_next"].tolist() == [True, False, False]


def test_not_contractual_means_nobody_is_known_to_have_churned(by_hand):
    panel = build_panel(by_hand, "Europe/Madrid", as_of="2025-04-30", contractual=False)
    assert panel["is_churned_next"].isna().all()


@pytest.mark.parametrize("absent", ["sales", "surveys", "tickets", "customers", "actions"])
def test_any_one_source_may_be_missing(by_hand, absent):
    """The columns stay; those of the missing source are missing, never 0."""
    whole = build_panel(by_hand, "Europe/Madrid", as_of="2025-04-30")
    panel = build_panel({n: t for n, t in by_hand.items() if n != absent}, "Europe/Madrid", as_of="2025-04-30")
    scores = [name for name in whole if name.endswith(("_nps", "_ces"))]
    assert list(panel.columns) == [name for name in whole if not (absent == "surveys" and name in scores)]
    owned = {"sales": ["revenue", "count_orders", "revenue_next", "margin"], "tickets": ["count_tickets", "ttr_hours"],
             "surveys": ["count_invitations", "count_answers"], "customers": ["segment", "is_churned_next"],
             "actions": ["exposure_months"]}
    assert panel[owned[absent]].isna().all(axis=None)
    others = [name for source, names in owned.items() if source != absent for name in names]
    assert panel[others].notna().any().sum() >= len(others) - 3  # churn and exposure need customers as well


def test_nothing_with_a_time_gives_no_panel(by_hand):
    dateless = by_hand["surveys"].assign(sent_at=pd.NaT, responded_at=pd.NaT)
    assert build_panel({"surveys": dateless, "customers": by_hand["customers"]}, "Europe/Madrid") is None


def recommended(by_hand: dict, **referred_by: str | None) -> dict:
    """The company by hand with five more customers of February and April, and who recommended each."""
    when = {"dan": "2025-02-03", "eva": "2025-02-28 23:30", "fay": "2025-04-02", "gus": "2025-04-03", "hal": None}
    more = pd.DataFrame({"customer_id": list(when), "acquired_at": pd.to_datetime(pd.Series(list(when.values())),
                                                                                  format="ISO8601")})
    customers = pd.concat([by_hand["customers"], more], ignore_index=True)
    customers["acquired_at"] = customers["acquired_at"].astype("datetime64[us]")
    customers["referred_by"] = customers["customer_id"].map(referred_by)
    return by_hand | {"customers": customers}


def test_recommendations_count_in_the_month_in_which_the_new_customer_came(by_hand):
    """Ana: Dan in February, Eva on 1 March by the clock of Madrid, Hal without a date. Gus names himself, and Fay
    somebody whom nobody knows. The first recommendation known is of February; before, nobody asked."""
    told = recommended(by_hand, dan="ana", eva="ana", hal="ana", gus="gus", fay="nobody", bea="carl")
    panel = build_panel(told, "Europe/Madrid", as_of="2025-04-30")
    assert panel.loc[panel["customer_id"] == "ana", "count_referrals"].tolist() == pytest.approx(
        [NONE, 1, 1, 0], nan_ok=True)
    assert months_of(panel, "carl", ["count_referrals"]) == [["02", 1], ["03", 0], ["04", 0]]  # Bea, of whom he spoke
    assert panel["count_referrals"].sum() == 3


def test_an_undeclared_end_of_the_register_is_its_last_customer(by_hand):
    told = recommended(by_hand, dan="ana")
    told["customers"] = told["customers"][~told["customers"]["customer_id"].isin(["fay", "gus"])]
    panel = build_panel(told, "Europe/Madrid")
    assert panel.loc[panel["customer_id"] == "ana", "count_referrals"].tolist() == pytest.approx(
        [NONE, 1, 0, NONE], nan_ok=True)


def test_a_merged_account_hands_its_recommendations_on(by_hand):
    told = recommended(by_hand, dan="old", eva="ana", ana="old")
    old = pd.DataFrame({"customer_id": ["old"], "merged_into": ["ana"]})
    told["customers"] = pd.concat([told["customers"], old], ignore_index=True)
    panel = build_panel(told, "Europe/Madrid", as_of="2025-04-30")
    assert panel["count_referrals"].sum() == 2
    assert panel.loc[panel["customer_id"] == "ana", "count_referrals"].sum() == 2


def test_no_recommendation_known_is_missing_not_zero(panel):
    assert panel["count_referrals"].isna().all()


@pytest.mark.parametrize(("customers", "declared", "seen"), [
    ({"rows": 5, "ended_at": 2}, None, True), ({"rows": 5, "ended_at": 2}, False, False),
    ({"rows": 5, "ended_at": 0}, None, False), ({"rows": 5, "ended_at": 0}, True, True),
    ({"rows": 5, "ended_at": 0, "is_churned": 5}, True, False), ({}, True, False)])
def test_ends_that_would_be_written_are_seen_though_nobody_ended(customers, declared, seen):
    assert is_contractual({"customers": customers}, declared) is seen
