"""What came in and what became of it: every row of every export, counted once."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.contracts.claims import Claim

TABLES = ("surveys", "tickets", "sales", "customers", "contacts")
LINKED = {  # what a warning of the linked tables says
    "KEY-ORPHAN": "rows of customers whom no register knows",
    "KEY-SHARED": "an id that too many share for one customer: counted, joined to nobody",
    "SET-STALE": "the table ends so many days before the data do",
}
KINDS = ("in", "clean", "quarantined", "dropped", "repaired")


def account_table(accounts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per source: rows in, clean, quarantined, dropped; repaired counts repairs, which are among the clean.

    ValueError when rows in are not clean + quarantined + dropped, for a source or for one of its files.
    """
    found = []
    for account in sorted(accounts, key=lambda a: a["source"]):
        for part in (account, *account["files"]):
            if part["rows_in"] != part["clean"] + part["quarantined"] + part["dropped"]:
                raise ValueError(f"{account['source']}: rows in are not clean + quarantined + dropped")
        repaired = sum(rule["rows"] for rule in account["rules"] if rule["verdict"] == "repaired")
        found.append((account["source"], account["table"], len(account["files"]), account["rows_in"], account["clean"],
                      account["quarantined"], account["dropped"], repaired))
    return pd.DataFrame(found, columns=["source", "table", "count_files", *(f"rows_{kind}" for kind in KINDS)])


def rule_table(accounts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per source and rule that met rows: verdict, rows, reason; the most frequent first. Not what was only
    warned of: see warning_table."""
    rows = [(account["source"], rule["rule"], rule["verdict"], rule["rows"], rule["reason"])
            for account in accounts for rule in account["rules"] if rule["rows"] and rule["verdict"] != "warned"]
    table = pd.DataFrame(rows, columns=["source", "rule", "verdict", "rows", "reason"])
    return table.sort_values(["source", "rows", "rule"], ascending=[True, False, True], ignore_index=True)


def warning_table(accounts: Sequence[Mapping[str, Any]], linkage: Mapping[str, Any]) -> pd.DataFrame:
    """One row per warning of the last run, of the exports by source and of the linked tables by table.

    source, rule, rows that it met, days (of a table that ends too early), reason: words of the rule; the figure that
    does not apply is missing. No warning: no row.
    """
    found = [(account["source"], rule["rule"], rule["rows"], None, rule["reason"])
             for account in sorted(accounts, key=lambda a: a["source"]) for rule in account["rules"]
             if rule["rows"] and rule["verdict"] == "warned"]
    found += [(warning["table"], warning["rule"], warning.get("rows"), warning.get("days"),
               LINKED.get(warning["rule"], warning["rule"])) for warning in linkage.get("warnings", ())]
    columns = ["source", "rule", "rows", "days", "reason"]
    return pd.DataFrame(found, columns=columns).astype({"rows": "Int64", "days": "Int64"})


def account_claims(table: pd.DataFrame) -> list[Claim]:
    """Counts of rows over all sources and for each, and the clean share; counts carry no interval."""
    parts = {"all": table} | {f"source:{name}": part for name, part in table.groupby("source", sort=True)}
    found = []
    for segment, part in parts.items():
        total = int(part["rows_in"].sum())
        found += [Claim(f"data.rows_{kind}", float(part[f"rows_{kind}"].sum()), "count", total, "count",
                        segment=segment) for kind in KINDS]
        share = float(part["rows_clean"].sum() / total) if total else None
        found.append(Claim("data.rows_clean_share", share, "share", total, "share", segment=segment,
                           status="ok" if total else "not_estimable", reason="" if total else "no_rows"))
    return found


def linked_tables(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per linked table that an export feeds: rows, and the share of them with a known customer."""
    found = [(name, len(frames[name]), frames[name]["customer_id"].notna().mean() if len(frames[name]) else None)
             for name in TABLES if name in frames and "customer_id" in frames[name]]
    return pd.DataFrame(found, columns=["table", "rows", "customer_share"]).astype({"customer_share": "float"})
