"""Who is who: sources united, accounts resolved, shared ids set aside; no money lost or doubled on the way."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told
from pipeline.link.identity import owners_of, resolve_accounts, shared_ids, unite, without_shared
from pipeline.link.panel import build_panel
from pipeline.link.totals import build_totals


def register(**merged_into: str | None) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(merged_into), "merged_into": list(merged_into.values())})


def sales_of(*customers: str | None, amount: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame({"order_id": [f"o{i}" for i in range(len(customers))], "line_id": "1",
                         "customer_id": list(customers), "net_amount": amount,
                         "ordered_at": pd.Timestamp("2025-01-10")})


def test_rows_of_a_merged_account_go_to_the_one_that_lives_on():
    found = resolve_accounts({"customers": register(a=None, b="a", c=None), "sales": sales_of("b", "a", "c", None)})
    assert found.tables["sales"]["customer_id"].isna().tolist() == [False, False, False, True]
    assert found.tables["sales"]["customer_id"].tolist()[:3] == ["a", "a", "c"]
    assert sorted(found.tables["customers"]["customer_id"]) == ["a", "c"]
    assert (found.merged_accounts, found.rows_resolved) == (1, {"sales": 1})


def test_the_survivor_keeps_its_own_traits_and_the_earliest_beginning():
    customers = register(a=None, b="a").assign(segment=["home", "firm"], acquired_at=pd.to_datetime(["2024-05-01",
                                                                                                     "2023-01-01"]))
    survivor = resolve_accounts({"customers": customers}).tables["customers"].iloc[0]
    assert (survivor["customer_id"], survivor["segment"]) == ("a", "home")
    assert survivor["acquired_at"] == pd.Timestamp("2023-01-01")


def test_a_survivor_that_was_not_exported_takes_the_row_of_its_first_account():
    customers = register(b="gone", c="gone").assign(segment=["firm", "home"])
    found = resolve_accounts({"customers": customers, "sales": sales_of("b", "c")}).tables
    assert found["customers"][["customer_id", "segment"]].to_numpy().tolist() == [["gone", "firm"]]
    assert found["sales"]["customer_id"].tolist() == ["gone", "gone"]


@pytest.mark.parametrize("merged", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": None}, {"a": "a"}],
                         ids=["circle", "chain", "itself"])
def test_a_chain_or_a_circle_of_mergers_is_refused(merged, on_duckdb):
    for tables in ({"customers": register(**merged)}, on_duckdb({"customers": register(**merged)})):
        with pytest.raises(Refusal) as refusal:
            resolve_accounts(tables)
        assert refusal.value.rule == "KEY-MERGE"


@pytest.mark.parametrize(("merged", "english", "spanish"), [
    ({"a": "b", "b": "c", "c": "d", "d": None}, "directly the account that lives on", "otra: una cadena"),
    ({"a": "b", "b": "c", "c": "d"}, "2 accounts in the middle of a chain", "nombra directamente la última cuenta"),
    ({"a": "b", "b": "c", "c": "b", "x": "y", "y": None}, "2 such accounts, in a circle", "ninguna sobrevive"),
], ids=["chain", "survivor not exported", "circle"])
def test_the_refusal_of_mergers_says_whether_an_account_survives(merged, english: str, spanish: str):
    with pytest.raises(Refusal) as refusal:
        resolve_accounts({"customers": register(**merged)})
    assert english in told(refusal.value, "en") and spanish in told(refusal.value, "es")
    assert ("circle" in str(refusal.value), "chain" in str(refusal.value)) == ("c" in merged and merged["c"] == "b",
                                                                              merged.get("c") != "b")


def test_an_action_for_a_merged_customer_is_one_for_the_survivor():
    actions = pd.DataFrame({"action_id": ["x", "x"], "unit_id": ["b", "north"], "unit_kind": ["customer", "branch"]})
    found = resolve_accounts({"customers": register(a=None, b="a"), "actions": actions}).tables["actions"]
    assert found["unit_id"].tolist() == ["a", "north"]


def test_merging_neither_loses_nor_doubles_a_cent(random_tables, on_duckdb):
    """Half of the accounts are second accounts; Python's decimals say what the panel and the totals must add up to."""
    tables = random_tables(7)
    tables["customers"]["merged_into"] = [None, "c0", None, "c2", None, "c4", None, "c6"]
    owned = tables["sales"].dropna(subset=["customer_id"])
    truth = sum((Decimal(str(amount)) for amount in owned["net_amount"]), Decimal(0))
    for world in (tables, on_duckdb(tables)):
        panel, totals = build_panel(world, "Europe/Madrid", as_of="2025-05-31"), build_totals(world, "Europe/Madrid")
        for made in (panel, totals):  # a frame, a reader or a relation
            frame = made if isinstance(made, pd.DataFrame) else pa.table(made).to_pandas()
            assert sum((Decimal(str(amount)) for amount in frame["revenue"]), Decimal(0)) == truth
            assert set(frame["customer_id"]) <= {"c0", "c2", "c4", "c6", "stray"}


def test_a_missing_id_is_never_joined(by_hand):
    """Null meets null in a pandas merge; here an anonymous sale belongs to nobody, and no anonymous customer arises."""
    by_hand["sales"].loc[0, "customer_id"] = None
    by_hand["surveys"].loc[0, "customer_id"] = None
    panel = build_panel(by_hand, "Europe/Madrid", as_of="2025-04-30")
    assert panel["customer_id"].notna().all()
    assert panel["revenue"].sum() == pytest.approx(35.5 - 20 + 7.25)
    assert build_totals(by_hand, "Europe/Madrid")["customer_id"].tolist() == ["ana", "bea", "carl"]
    alone = build_panel({"sales": by_hand["sales"]}, "Europe/Madrid", as_of="2025-04-30")
    assert alone["customer_id"].unique().tolist() == ["ana", "carl"]


def test_an_id_on_more_than_one_row_in_a_hundred_that_stands_out_is_shared():
    """guest: 30 of 1,030 rows (2.9 %) where others have 2; an id on exactly 1 % is not."""
    ids = [f"c{i}" for i in range(500)] * 2 + ["guest"] * 30
    assert shared_ids(owners_of({"sales": sales_of(*ids)})) == {"sales": ["guest"]}
    few = [f"c{i}" for i in range(500)] * 2 + ["guest"] * 10
    assert shared_ids(owners_of({"sales": sales_of(*few)})) == {}


def test_a_company_with_few_customers_has_no_shared_ids():
    """Sixty clients with 50 to 110 rows each stand on more than 1 % of the rows, and each is somebody."""
    ids = np.repeat([f"c{i}" for i in range(60)], np.arange(50, 110)).tolist()
    assert shared_ids(owners_of({"sales": sales_of(*ids)})) == {}


def test_an_id_on_nearly_all_rows_is_shared_however_few_ids_there_are():
    """By hand: 28 of 30 are 93 %, 27 are 90 %; of fewer than 30 rows a customer may have made all."""
    def of(times: int, others: int) -> dict:
        return shared_ids(owners_of({"surveys": sales_of(*["one"] * times, *[f"c{i}" for i in range(others)])}))
    assert of(200, 0) == of(30, 0) == of(28, 2) == {"surveys": ["one"]}
    assert of(27, 3) == of(29, 0) == {}


def test_a_shared_id_keeps_its_rows_and_joins_nobody(on_duckdb):
    tables = {"sales": sales_of("a", "guest", "guest"), "surveys": pd.DataFrame({"customer_id": ["guest"]}),
              "customers": register(a=None, guest=None)}
    for world in (tables, on_duckdb(tables)):
        cleared = {name: table if isinstance(table, pd.DataFrame) else table.df()
                   for name, table in without_shared(world, {"sales": ["guest"]}).items()}
        assert cleared["sales"]["customer_id"].isna().tolist() == [False, True, True]
        assert cleared["surveys"]["customer_id"].isna().all()
        assert cleared["customers"]["customer_id"].tolist() == ["a"]


def test_sources_of_one_table_stand_below_each_other(on_duckdb):
    shop, web = sales_of("a"), sales_of("b").assign(order_id="w0", x_device="phone")
    for world in ({"shop": shop, "web": web}, on_duckdb({"shop": shop, "web": web})):
        made = unite(world, "sales")
        frame = made if isinstance(made, pd.DataFrame) else made.df()
        assert frame[["order_id", "source"]].to_numpy().tolist() == [["o0", "shop"], ["w0", "web"]]
        assert frame["x_device"].isna().tolist() == [True, False]


def test_the_same_key_in_two_sources_is_refused():
    with pytest.raises(Refusal, match=r"1 keys in both shop and web.*KEY-TWICE"):
        unite({"shop": sales_of("a"), "web": sales_of("a")}, "sales")
