"""Totals, events and context against the company made by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.link.context import survey_context, ticket_context
from pipeline.link.journey import build_events
from pipeline.link.totals import build_totals

ZONE, NONE = "Europe/Madrid", np.nan


def test_totals_have_one_row_per_customer_of_any_table(by_hand):
    totals = build_totals(by_hand, ZONE, as_of="2025-04-30").set_index("customer_id")
    assert totals.index.tolist() == ["ana", "bea", "carl"]
    assert totals["revenue"].tolist() == [16.5, 0, 7.25]
    assert totals["count_orders"].tolist() == [3, 0, 1]  # the return of o2 is not an order of its own
    assert totals["count_tickets"].tolist() == [1, 1, 0]
    assert totals["count_invitations"].tolist() == [2, 1, 0]  # r2 asked two questions
    assert totals["count_answers"].tolist() == [2, 0, 0]
    assert totals["score_nps"].tolist() == pytest.approx([6, NONE, NONE], nan_ok=True)
    assert totals["mean_nps"].tolist() == pytest.approx([7.5, NONE, NONE], nan_ok=True)
    assert totals["score_ces"].tolist() == pytest.approx([6, NONE, NONE], nan_ok=True)
    assert totals["is_churned"].tolist() == [False, True, pd.NA]
    assert totals["tenure_months"].tolist() == pytest.approx([4, 1, NONE], nan_ok=True)
    assert totals.loc["ana", "first_order_at"] == pd.Timestamp("2025-01-10 12:00")
    assert totals.loc["ana", "last_order_at"] == pd.Timestamp("2025-03-05 12:00")


def test_totals_of_an_export_without_dates():
    """One row per customer, labels instead of dates: score, tenure, churn and declared extras all arrive."""
    customers = pd.DataFrame({"customer_id": ["a", "b", "c"], "is_churned": [True, False, None],
                              "tenure_months": [3.0, 40.0, None], "x_plan": ["flat", "open", "flat"],
                              "source": "crm"})
    surveys = pd.DataFrame({"response_id": ["1", "2", "3"], "customer_id": ["a", "b", "b"], "instrument": "csat",
                            "score": [1.0, 5.0, 4.0], "scale_min": 1.0, "scale_max": 5.0,
                            "direction": "higher_is_better", "x_agent": ["p", "q", "r"]})
    sales = pd.DataFrame({"order_id": ["a", "b"], "line_id": "1", "customer_id": ["a", "b"],
                          "net_amount": [10.0, 99.0], "x_segment_score": [1.5, 2.5]})
    totals = build_totals({"customers": customers, "surveys": surveys, "sales": sales}, ZONE)
    assert totals["is_churned"].tolist() == [True, False, pd.NA]
    assert totals["tenure_months"].tolist() == pytest.approx([3, 40, NONE], nan_ok=True)
    assert totals["mean_csat"].tolist() == pytest.approx([1, 4.5, NONE], nan_ok=True)
    assert totals["revenue"].tolist() == [10, 99, 0]
    assert totals["x_plan"].tolist() == ["flat", "open", "flat"]
    assert totals["x_segment_score"].tolist() == pytest.approx([1.5, 2.5, NONE], nan_ok=True)
    assert "x_agent" not in totals  # b answered twice: the surveys are not one row per customer


def test_counts_of_an_absent_table_are_missing_not_zero(by_hand):
    totals = build_totals({"customers": by_hand["customers"], "surveys": by_hand["surveys"]}, ZONE)
    assert totals[["revenue", "count_orders", "count_tickets"]].isna().all(axis=None)
    assert totals["count_answers"].tolist() == [2, 0]


def test_events_tell_the_journey_in_order(by_hand):
    """Two answers of one moment are ordered by instrument; the order comes with what was sold, the return apart."""
    events = build_events(by_hand, ZONE)
    ana = events[events["customer_id"] == "ana"]
    assert list(zip(ana["happened_at"].dt.strftime("%m-%d"), ana["kind"], ana["ref_id"], strict=True)) == [
        ("01-05", "invitation", "r1"), ("01-10", "order", "o4"), ("01-31", "order", "o1"), ("02-03", "answer", "r1"),
        ("02-10", "order", "o2"), ("02-15", "ticket_created", "t1"), ("02-20", "action", "a"),
        ("02-20", "invitation", "r2"), ("02-21", "answer", "r2"), ("02-21", "answer", "r2"),
        ("03-01", "ticket_solved", "t1"), ("03-05", "return", "o2")]
    assert ana.loc[ana["kind"] == "answer", ["instrument", "score_up"]].to_numpy().tolist() == [
        ["nps", 9], ["ces", 6], ["nps", 6]]
    assert ana.loc[ana["kind"].isin(["order", "return"]), "amount"].tolist() == [1, 15.5, 20, -20]
    assert events.loc[events["customer_id"] == "bea", "kind"].tolist() == ["invitation", "ticket_created"]


def test_answers_carry_who_and_whether_the_promise_was_kept(by_hand):
    """o1 was due on 5 February, one line came on the 4th and one on the 6th: broken. t1 was due on 20 February."""
    by_hand["sales"]["promised_at"] = pd.Timestamp("2025-02-05")
    by_hand["sales"]["delivered_at"] = pd.to_datetime(["2025-02-04", "2025-02-04", "2025-02-06", None, None, None])
    surveys = survey_context(by_hand).set_index(["response_id", "instrument"])
    assert surveys.index.tolist() == [("r1", "nps"), ("r2", "ces"), ("r2", "nps"), ("r4", "nps")]
    assert surveys["is_promise_kept"].tolist() == [False, False, False, pd.NA]
    assert surveys["score_up"].tolist() == pytest.approx([9, 6, 6, NONE], nan_ok=True)
    assert surveys["segment"].tolist() == ["home", "home", "home", "firm"]
    assert ticket_context(by_hand)[["branch", "segment"]].to_numpy().tolist() == [["north", "home"], ["south", "firm"]]


def test_a_promise_kept_to_the_second_is_kept(by_hand):
    by_hand["tickets"]["promised_at"] = by_hand["tickets"]["solved_at"]
    surveys = survey_context({"surveys": by_hand["surveys"], "tickets": by_hand["tickets"]})
    assert surveys["is_promise_kept"].tolist() == [pd.NA, True, True, pd.NA]


def test_without_any_customer_key_answers_keep_their_order(by_hand):
    """Orders with answers and no customers: neither totals of persons nor a panel, but the promise stands."""
    sales = by_hand["sales"].drop(columns="customer_id").assign(
        promised_at=pd.Timestamp("2025-02-05"), delivered_at=pd.Timestamp("2025-02-04"))
    surveys = survey_context({"sales": sales, "surveys": by_hand["surveys"].drop(columns="customer_id")})
    assert surveys["is_promise_kept"].tolist() == [True, pd.NA, pd.NA, pd.NA]
    assert surveys["segment"].isna().all()


def test_events_of_one_instant_stand_by_kind_then_ref_then_instrument(by_hand, on_duckdb):
    """Two orders, two tickets and an answer to two questions in one second, and one a microsecond earlier; in the
    engine as in pandas, whatever the order of the exports."""
    at = pd.Timestamp("2025-02-20 09:00")
    sales = pd.DataFrame({"order_id": ["o9", "o8", "o7"], "line_id": "1", "customer_id": "ana", "net_amount": 1.0,
                          "ordered_at": [at, at, at - pd.Timedelta(1, "us")]})
    surveys = pd.DataFrame({"response_id": ["r6", "r5", "r6", "r5"], "customer_id": "ana", "score": 5.0,
                            "instrument": ["nps", "nps", "ces", "ces"], "scale_min": 0.0, "scale_max": 10.0,
                            "direction": "higher_is_better", "responded_at": at})
    tickets = pd.DataFrame({"ticket_id": ["t2", "t1"], "customer_id": ["ana", "bea"], "created_at": at})
    tables = {"sales": sales, "surveys": surveys, "tickets": tickets}
    for world in (tables, on_duckdb(tables)):
        events = build_events(world, ZONE)
        events = events if isinstance(events, pd.DataFrame) else events.read_pandas()
        told = events[["customer_id", "ref_id"]].astype("str").agg(" ".join, axis=1).tolist()
        assert told == ["ana o7", "ana r5", "ana r5", "ana r6", "ana r6", "ana o8", "ana o9", "ana t2", "bea t1"]
        assert events["instrument"].tolist()[1:5] == ["ces", "nps", "ces", "nps"]
