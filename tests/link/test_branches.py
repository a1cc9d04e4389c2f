"""An action for a branch meets the customers of that branch, however either source wrote its name."""

import narwhals as nw
import pandas as pd
import pytest

from pipeline.link.branches import spelled_as_register

ACTIONS = pd.DataFrame({"action_id": list("vwxyz"), "unit_id": ["NORTE", "Sur", "a1", "ESTE", "NORTE"],
                        "unit_kind": ["branch", "branch", "branch", "branch", "customer"]})
PEOPLE = pd.DataFrame({"customer_id": list("abcde"), "branch": ["Norte", "Sur", "a1", "A1", None]})


def units(tables: dict) -> list[str]:
    found = nw.from_native(tables["actions"])
    frame = found.collect() if isinstance(found, nw.LazyFrame) else found
    return frame.sort("action_id")["unit_id"].to_list()


@pytest.mark.parametrize("is_engine", [True, False])
def test_a_branch_in_another_case_takes_the_spelling_of_the_register(on_duckdb, is_engine: bool):
    tables = {"actions": ACTIONS.iloc[:4], "customers": PEOPLE}
    found = spelled_as_register(on_duckdb(tables) if is_engine else tables)
    assert units(found) == ["Norte", "Sur", "a1", "ESTE"]  # a1 and A1 are two; no register knows Este


def test_what_is_spelled_alike_and_what_has_no_register_stays_the_very_table():
    for tables in ({"actions": ACTIONS[1:3], "customers": PEOPLE}, {"actions": ACTIONS}, {"customers": PEOPLE},
                   {"actions": ACTIONS, "customers": PEOPLE[["customer_id"]]}):
        assert all(spelled_as_register(tables)[name] is table for name, table in tables.items())
