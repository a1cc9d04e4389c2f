"""Branches that actions and the customers' register spell otherwise but for case."""

from collections.abc import Mapping

import narwhals as nw

from pipeline.link.engine import Native, rows
from pipeline.link.flows import known
from pipeline.link.identity import lazy, replaced


def spelled_as_register(tables: Mapping[str, Native]) -> dict[str, Native]:
    """The tables with actions.unit_id of a branch spelled as customers.branch is, where that has one spelling alone.

    Ingest gives the words of each source the case of most of its rows, so that a branch that an action names in another
    case would meet no customer (DECISIONS 28). The same tables where every branch is found as it stands.
    """
    customers, actions = tables.get("customers"), tables.get("actions")
    if customers is None or actions is None or "branch" not in customers.columns:
        return dict(tables)
    register = lazy(customers).filter(known("branch")).select("branch").unique()
    register = register.with_columns(low=nw.col("branch").str.to_lowercase())
    alone = register.group_by("low").agg(survivor=nw.col("branch").min(), n=nw.len()).filter(nw.col("n") == 1)
    units = lazy(actions).filter(known("unit_id"), nw.col("unit_kind") == "branch").select(old_id="unit_id").unique()
    units = units.with_columns(low=nw.col("old_id").str.to_lowercase()).join(alone, on="low")
    moved = units.filter(nw.col("old_id") != nw.col("survivor")).select("old_id", "survivor")
    if not rows(moved.select(n=nw.len()))[0]["n"]:
        return dict(tables)
    return {**tables, "actions": replaced(lazy(actions), "unit_id", moved).to_native()}
