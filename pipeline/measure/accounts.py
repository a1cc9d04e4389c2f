"""What came in and what became of it: every row of every export, counted once."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.contracts.claims import Claim

KINDS = ("in", "clean", "quarantined", "dropped", "repaired")
TABLES = ("surveys", "tickets", "sales", "customers")


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
    """One row per source and rule that met rows: verdict, rows, reason; the most frequent first."""
    rows = [(account["source"], rule["rule"], rule["verdict"], rule["rows"], rule["reason"])
            for account in accounts for rule in account["rules"] if rule["rows"]]
    table = pd.DataFrame(rows, columns=["source", "rule", "verdict", "rows", "reason"])
    return table.sort_values(["source", "rows", "rule"], ascending=[True, False, True], ignore_index=True)


def account_claims(table: pd.DataFrame) -> list[Claim]:
    """Counts of rows over all sources and for each, and the clean share; counts carry no interval."""
    parts = {"all": table} | {f"source:{name}": part for name, part in table.groupby("source", sort=True)}
    found = []
    for segment, part in parts.items():
        total = int(part["rows_in"].sum())
        found += [Claim(f"data.rows_{kind}", float(part[f"rows_{kind}"].sum()), "count", total, "count",
                        segment=segment) for kind in KINDS]
        if total:
            share = part["rows_clean"].sum() / total
            found.append(Claim("data.rows_clean_share", float(share), "share", total, "share", segment=segment))
    return found


def missing_claims(frames: Mapping[str, pd.DataFrame]) -> list[Claim]:
    """One claim per table that was not exported; the reason says what cannot be answered for it."""
    return [Claim("data.table_missing", None, "count", 0, "", status="not_estimable", reason=f"no_{name}",
                  segment=f"table:{name}") for name in TABLES if name not in frames]
