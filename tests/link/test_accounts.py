"""B2B: contacts of one company joined as one customer, where that is declared."""

import pandas as pd
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.link.accounts import group_contacts
from pipeline.link.identity import resolve_accounts
from pipeline.link.panel import build_panel

JUNE, JULY = pd.Timestamp("2024-06-01"), pd.Timestamp("2024-07-01")


def contacts(**account_id: str | None) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(account_id), "account_id": list(account_id.values())})


def both(tables, on_duckdb) -> list[dict[str, pd.DataFrame]]:
    """The grouped tables from pandas frames and from the engine."""
    made = [group_contacts(world).tables for world in (tables, on_duckdb(tables))]
    return [{name: table if isinstance(table, pd.DataFrame) else table.df() for name, table in world.items()}
            for world in made]


def test_rows_of_contacts_go_to_their_account_and_others_stay(on_duckdb):
    sales = pd.DataFrame({"order_id": list("1234"), "line_id": "1", "customer_id": ["a", "b", "c", None],
                          "net_amount": 1.0})
    for tables in both({"customers": contacts(a="firm", b="firm", c=None), "sales": sales}, on_duckdb):
        found = tables["sales"].sort_values("order_id")["customer_id"]
        assert found.tolist()[:3] == ["firm", "firm", "c"]
        assert found.isna().tolist() == [False, False, False, True]
        assert sorted(tables["customers"]["customer_id"]) == ["c", "firm"]


def test_an_account_with_a_row_of_its_own_keeps_it_and_the_earliest_beginning(on_duckdb):
    customers = contacts(a="firm", firm="firm").assign(segment=["home", "big"], acquired_at=[JUNE, JULY],
                                                       ended_at=[JULY, None])
    for tables in both({"customers": customers}, on_duckdb):
        assert tables["customers"]["segment"].tolist() == ["big"]
        assert tables["customers"]["acquired_at"].tolist() == [JUNE]
        assert tables["customers"]["ended_at"].isna().all()  # that a contact left says nothing of the firm


@pytest.mark.parametrize(("ends", "expected"), [([JUNE, JULY], JULY), ([JUNE, None], None)], ids=["all", "one"])
def test_an_account_without_a_row_has_ended_when_all_of_its_contacts_have(ends, expected, on_duckdb):
    customers = contacts(a="firm", b="firm").assign(ended_at=pd.Series(ends, dtype="datetime64[us]"))
    for tables in both({"customers": customers}, on_duckdb):
        found = tables["customers"]["ended_at"].tolist()
        assert found == [expected] if expected is not None else pd.isna(found[0])


def test_the_account_follows_when_it_was_merged():
    customers = contacts(a="old", new=None).assign(merged_into=None)
    customers = pd.concat([customers, pd.DataFrame({"customer_id": ["old"], "merged_into": ["new"]})])
    found = group_contacts(resolve_accounts({"customers": customers}).tables).tables["customers"]
    assert found["customer_id"].tolist() == ["new"]


def test_one_contacts_answer_meets_what_another_bought(by_hand):
    """Bea answers nothing and buys nothing; with Ana in one firm there is one panel, of the firm."""
    tables = group_contacts(by_hand | {"customers": by_hand["customers"].assign(account_id="firm")}).tables
    panel = build_panel(tables, "Europe/Madrid", as_of="2025-04-30")
    firm = panel[panel["customer_id"] == "firm"]
    assert firm["period"].dt.month.tolist() == [1, 2, 3, 4]
    assert firm["revenue"].tolist() == [1.0, 35.5, -20.0, 0.0]
    assert firm["count_complaints"].tolist()[1:] == [0, 1, 0]  # Bea's ticket of March


@pytest.mark.parametrize(("customers", "rule"), [(contacts(a=None), "LINK-ACCOUNT"),
                                                 (contacts(a="b", b="c"), "KEY-ACCOUNT")], ids=["none", "nested"])
def test_what_cannot_be_grouped_is_refused(customers, rule, on_duckdb):
    for tables in ({"customers": customers}, on_duckdb({"customers": customers})):
        with pytest.raises(Refusal) as refusal:
            group_contacts(tables)
        assert refusal.value.rule == rule
