"""Rows accounted for, who answered, what is behind the answers, on frames counted by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.measure.accounts import LINKED, account_claims, account_table, rule_table, warning_table
from pipeline.measure.coverage import (
    composition,
    customer_claims,
    invitations,
    order_claims,
    response_claims,
    response_metric,
    revenue_claims,
)
from pipeline.measure.disclosure import Limits
from pipeline.measure.silence import spend_claims
from pipeline.report.words import Words
from pipeline.stages.link import WARNINGS

_spec = importlib.util.spec_from_file_location("measure_company", Path(__file__).with_name("company.py"))
company = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(company)

LIMITS = Limits(10, 30, 0.10)


def account(source="sales", rows_in=100, clean=95, quarantined=3, dropped=2, repaired=7) -> dict:
    return {"source": source, "table": source, "rows_in": rows_in, "clean": clean, "quarantined": quarantined,
            "dropped": dropped, "counted": "rows",
            "files": [{"file": "a.csv", "rows_in": rows_in, "clean": clean, "quarantined": quarantined,
                       "dropped": dropped}],
            "rules": [{"rule": "NUM-COMMA", "verdict": "repaired", "rows": repaired, "reason": "decimal comma"},
                      {"rule": "KEY-DUP", "verdict": "dropped", "rows": dropped, "reason": "same row twice"},
                      {"rule": "DATE-BAD", "verdict": "quarantined", "rows": 0, "reason": "no date"}]}


def by_id(claims) -> dict:
    return {c.claim_id: c for c in claims if c.segment == "all"}


def test_every_row_is_accounted_for():
    table = account_table([account(), account("tickets", 10, 10, 0, 0, 0)])
    assert table["source"].tolist() == ["sales", "tickets"]
    claims = account_claims(table)
    found = {(c.claim_id, c.segment): c.estimate for c in claims}
    assert found["data.rows_in", "all"] == 110
    assert found["data.rows_quarantined", "source:sales"] == 3
    assert found["data.rows_repaired", "all"] == 7
    assert found["data.rows_clean_share", "all"] == pytest.approx(105 / 110)
    assert rule_table([account()])["rule"].tolist() == ["NUM-COMMA", "KEY-DUP"]  # rules that met nothing are left out


def test_every_warning_of_the_last_run_is_listed_and_no_id_with_it():
    """Those of ingest by source, those of the linked tables by table; what was kept out stands in the other table."""
    warned = account()
    warned["rules"].append({"rule": "FILE-UNREAD", "verdict": "warned", "rows": 2, "reason": "files nobody reads"})
    linkage = {"warnings": [{"rule": "KEY-ORPHAN", "table": "surveys", "rows": 40},
                            {"rule": "KEY-SHARED", "table": "sales", "ids": 1, "rows": 90},
                            {"rule": "SET-STALE", "table": "tickets", "days": 45}]}
    table = warning_table([account("tickets", 10, 10, 0, 0, 0), warned], linkage)
    assert table[["source", "rule"]].to_numpy().tolist() == [
        ["sales", "FILE-UNREAD"], ["surveys", "KEY-ORPHAN"], ["sales", "KEY-SHARED"], ["tickets", "SET-STALE"]]
    assert table["rows"].tolist() == [2, 40, 90, pd.NA] and table["days"].tolist() == [pd.NA] * 3 + [45]
    assert "FILE-UNREAD" not in rule_table([warned])["rule"].tolist()
    assert list(warning_table([account()], {"warnings": []}).columns) == list(table.columns)
    for language in ("es", "en"):
        assert all(Words(language).has(f"value.{text}") for text in table["reason"][1:])
    assert set(LINKED) == set(WARNINGS)  # of every rule that the link stage can warn by


@pytest.mark.parametrize("where", ["total", "file"])
def test_a_lost_row_is_an_error(where):
    broken = account()
    (broken if where == "total" else broken["files"][0])["clean"] -= 1
    with pytest.raises(ValueError, match="rows in are not"):
        account_table([broken])


def asked(answered: int, silent: int, **fields) -> pd.DataFrame:
    rows = [{"score": 9.0, "customer_id": f"a{i}"} | fields for i in range(answered)]
    return company.surveys(rows + [{"customer_id": f"s{i}", "responded_at": None} | fields for i in range(silent)])


def test_response_rate_counts_invitations_not_questions():
    surveys = asked(30, 70)
    twice = pd.concat([surveys, surveys.assign(instrument="csat", score=np.nan)], ignore_index=True)
    rate = by_id(response_claims(twice, LIMITS))["data.response_rate"]
    assert (rate.estimate, rate.n_used) == (0.3, 100)
    assert rate.ci_low < 0.3 < rate.ci_high
    assert len(invitations(twice)) == 100


def test_answers_only_give_no_rate_and_are_called_a_selection():
    found = by_id(response_claims(asked(40, 0, comment="bien"), LIMITS))
    assert (found["data.response_rate"].status, found["data.response_rate"].reason) == ("not_estimable", "only_answers")
    assert found["data.comment_share"].estimate == 1.0
    assert "data.every_answer_commented" in found
    assert found.keys() - by_id(response_claims(asked(40, 0), LIMITS)).keys() == {"data.comment_share",
                                                                                  "data.every_answer_commented"}
    assert by_id(response_claims(None, LIMITS))["data.response_rate"].reason == "no_surveys"


def test_an_answer_to_every_order_is_called_a_selection():
    surveys = asked(40, 0).assign(order_id=[f"o{i}" for i in range(40)])
    sales = pd.DataFrame({"order_id": [f"o{i}" for i in range(40)]})
    assert [c.claim_id for c in order_claims(surveys, sales, LIMITS)] == ["data.orders_answered_share",
                                                                          "data.every_order_answered"]
    more = pd.concat([sales, pd.DataFrame({"order_id": ["o99"] * 2})])
    assert [c.estimate for c in order_claims(surveys, more, LIMITS)] == [pytest.approx(40 / 41)]
    assert order_claims(asked(40, 0), sales, LIMITS) == []


def test_revenue_behind_the_answers():
    sales = pd.DataFrame({"customer_id": pd.array(["a0", "a0", "s0", None], dtype="str"),
                          "net_amount": [60.0, -10.0, 30.0, 20.0]})
    found = by_id(revenue_claims(sales, asked(1, 1)))
    assert found["data.revenue_linked_share"].estimate == 0.8
    assert found["data.revenue_of_respondents_share"].estimate == 0.5
    anonymous = by_id(revenue_claims(sales.assign(customer_id=pd.array([None] * 4, dtype="str")), asked(1, 1)))
    assert anonymous["data.revenue_of_respondents_share"].reason == "no_customer_key"
    assert {c.reason for c in revenue_claims(None, None)} == {"no_sales"}
    refunds = sales.assign(net_amount=[-60.0, 10.0, 30.0, -20.0])
    assert {c.reason for c in revenue_claims(refunds, asked(1, 1))} == {"net_returns"}
    assert {c.reason for c in revenue_claims(sales.assign(net_amount=0.0), asked(1, 1))} == {"no_revenue"}


def totals() -> pd.DataFrame:
    return pd.DataFrame({"customer_id": [f"c{i}" for i in range(100)], "count_answers": [1.0] * 40 + [0.0] * 60,
                         "revenue": [200.0] * 40 + [50.0] * 59 + [np.nan],
                         "segment": ["home"] * 50 + ["firm"] * 45 + [None] * 5})


def test_customers_and_what_they_spend():
    found = by_id(customer_claims(totals(), company.surveys([{"score": 9.0}]), LIMITS))
    assert (found["data.customers"].estimate, found["data.customers_answered_share"].estimate) == (100, 0.4)
    undated = totals().assign(revenue=[150.0, 250.0] * 20 + [50.0] * 59 + [np.nan])
    spend = by_id(spend_claims(None, undated, "EUR", LIMITS))
    assert spend["data.revenue_answered"].estimate == 200
    assert spend["data.revenue_silent"].estimate == pytest.approx(50 * 59 / 60)  # no order is zero, not missing
    assert spend["data.revenue_gap"].ci_low > 0
    assert {c.reason for c in spend.values()} == {"whole_period"}
    assert {c.reason for c in spend_claims(None, None, "EUR", LIMITS)} == {"no_customer_key"}
    one_sided = totals().assign(count_answers=1.0)
    assert {c.reason for c in spend_claims(None, one_sided, "EUR", LIMITS)} == {"one_side_empty"}
    everybody = customer_claims(one_sided, company.surveys([{"score": 9.0}]), LIMITS)
    assert [c.claim_id for c in everybody if c.reason == "selection"] == ["data.every_customer_answered"]


def test_composition_hides_small_groups_and_the_one_that_tells_them():
    table = composition(totals(), ["segment", "branch"], LIMITS).set_index("segment")
    assert table.loc["home", "customers_share"] == 0.5
    assert table.loc["home", "answered_share"] == 1.0
    assert table.loc["unknown"].drop("dimension").isna().all()
    assert table.loc["firm"].drop("dimension").isna().all()


def people(groups: dict[str, tuple[int, int, int]]) -> pd.DataFrame:
    """Per branch so many customers; the first of them answered, the first of them bought for 10 each."""
    return pd.concat([pd.DataFrame({"branch": name, "count_answers": np.arange(n) < answered,
                                    "revenue": np.where(np.arange(n) < bought, 10.0, 0.0)})
                      for name, (n, answered, bought) in groups.items()], ignore_index=True)


@pytest.mark.parametrize(("groups", "no_answers", "no_revenue"), [
    ({"a": (225, 218, 225), "b": (126, 120, 126), "c": (89, 87, 89), "d": (10, 9, 10)}, "cd", ""),
    ({"a": (225, 218, 90), "b": (126, 120, 80), "c": (89, 87, 70), "d": (10, 10, 3)}, "", "cd"),
    ({"a": (50, 40, 9), "b": (50, 9, 50), "c": (50, 30, 30)}, "bc", "ac"),
    ({"a": (50, 40, 40), "b": (30, 3, 30), "c": (30, 4, 30), "d": (30, 20, 30)}, "bcd", ""),
    ({"a": (50, 40, 40), "b": (50, 10, 10)}, "", ""),
    ({"a": (50, 40, 40), "b": (50, 0, 0)}, "", ""),
    ({"a": (50, 40, 40), "b": (50, 9, 9)}, "ab", "ab"),
    ({"a": (50, 20, 20), "b": (60, 30, 30), "c": (9, 9, 9), "d": (40, 40, 40)}, "cd", "cd"),
], ids=["nine_answered", "three_bought", "either", "seven_of_both", "ten", "none", "two_groups", "few_customers"])
def test_a_share_of_fewer_than_ten_people_is_hidden_with_the_one_that_tells_it(groups, no_answers, no_revenue):
    """A group of enough customers of whom too few answered (or bought) tells how many did, as a share of all who did:
    so does the sum of what is hidden, while it is of fewer than ten."""
    table = composition(people(groups), ["branch"], LIMITS).set_index("segment")
    assert "".join(table.index[table["answered_share"].isna()]) == no_answers
    assert "".join(table.index[table["revenue_share"].isna()]) == no_revenue
    few = any(n < 10 for n, _, _ in groups.values())
    assert "".join(table.index[table["customers_share"].isna()]) == ("cd" if few else "")
    shown = table["answered_share"].dropna()
    assert shown.to_dict() == pytest.approx(
        {name: groups[name][1] / sum(answered for _, answered, _ in groups.values()) for name in shown.index})


def test_response_is_clustered_by_customer():
    surveys = asked(30, 70)
    score = response_metric(invitations(surveys)).score(invitations(surveys))
    same = invitations(surveys.assign(customer_id=pd.array(["x", "y"] * 50, dtype="str")))
    wider = response_metric(same).score(same)
    assert wider.n_clusters == 2
    assert wider.high - wider.low > score.high - score.low
