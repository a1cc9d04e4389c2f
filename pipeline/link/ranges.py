"""Ranges of customers: so many rows at a time that what is done with them fits in memory, whatever the whole holds.

A range holds whole customers, and the ranges follow each other in the order of ids: each can be worked through on its
own, and what comes out stands in order when it is put one below the other. Where the ranges begin moves no result.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.tables import TABLES
from pipeline.link.identity import OWNED, SHARED_SHARE

AT_ONCE = 4_000_000  # rows of all tables together that a range holds, about
FEW = 6  # ranges up to which reading the tables again for each costs less than writing them once by range
BUCKETS = 65_536
HELD = (*OWNED, "customers")
NEEDED = {  # of each table, besides the x_ columns, what becomes part of a person's totals, months and events
    "sales": ("order_id", "ordered_at", "net_amount", "margin", "is_return", "channel"),
    "surveys": ("response_id", "instrument", "score", "scale_min", "scale_max", "direction", "sent_at", "responded_at",
                "touchpoint", "channel", "is_direct"),
    "tickets": ("ticket_id", "created_at", "solved_at", "is_complaint", "touchpoint", "channel"),
    "contacts": ("contact_id", "happened_at", "touchpoint", "channel", "is_direct"),
    "customers": tuple(name for name in TABLES["customers"].names if name != "customer_id"),
}
Relations = dict[str, duckdb.DuckDBPyRelation]


def crowds(table: duckdb.DuckDBPyRelation) -> pa.Table:
    """The rows with a customer by buckets of ids: rows `n`, and one id of the bucket, drawn by its hash.

    In memory at most BUCKETS rows, whatever the table holds; a bucket has the rows of all its ids together.
    """
    return table.query("made", f"SELECT count(*) AS n, arg_min(customer_id, h) AS id FROM (SELECT customer_id, "
                       f"hash(customer_id) AS h FROM made WHERE customer_id IS NOT NULL) GROUP BY h % {BUCKETS}"
                       ).to_arrow_table()


def stands_out(crowd: pa.Table) -> bool:
    """Whether an id of these rows may stand on more than SHARED_SHARE of them: only where a bucket does."""
    return len(crowd) > 0 and pc.max(crowd["n"]).as_py() > SHARED_SHARE * pc.sum(crowd["n"]).as_py()


def bounds(found: Sequence[pa.Table], at_once: int = AT_ONCE) -> list[str]:
    """The ids with which all ranges but the first begin, for the crowds of every table: about `at_once` rows each."""
    crowd = pa.concat_tables(found).sort_by("id") if found else pa.table({"n": [], "id": []})
    below = np.cumsum(crowd["n"].to_numpy())
    total = int(below[-1]) if len(below) else 0
    count = -(-total // at_once)
    at = np.searchsorted(below, total * np.arange(1, count) / max(count, 1))
    return sorted(set(crowd["id"].take(pa.array(at)).to_pylist()))


def split(con: duckdb.DuckDBPyConnection, tables: Mapping[str, duckdb.DuckDBPyRelation], begins: Sequence[str],
          folder: Path) -> list[Relations]:
    """The tables of each range, as files in `folder`: rows with a customer, the NEEDED columns; actions stay whole.

    referrals: customers of another's recommendation, in the range of that one, who is their customer_id there.
    """
    owned, others = _owned(tables)
    for name, table in owned.items():
        place = _place(begins, 0, len(begins))
        table.query("made", f"COPY (SELECT *, {place} AS part FROM made WHERE customer_id IS NOT NULL) TO "
                    f"{literal(str(folder / name))} (FORMAT parquet, PARTITION_BY (part), COMPRESSION uncompressed)")
    return [{name: _part(con, table, folder / name / f"part={number}") for name, table in owned.items()} | others
            for number in range(len(begins) + 1)]


def selected(tables: Mapping[str, duckdb.DuckDBPyRelation], begins: Sequence[str]) -> list[Relations]:
    """The same rows and columns as `split` gives, looked for in the tables whenever a range is read."""
    owned, others = _owned(tables)
    found = []
    for low, high in zip([None, *begins], [*begins, None], strict=True):
        within = [f"customer_id >= {literal(low)}"] if low is not None else []
        within += [f"customer_id < {literal(high)}"] if high is not None else []
        found.append({name: table.filter(" AND ".join(within)) for name, table in owned.items()} | others)
    return found


def _owned(tables: Mapping[str, duckdb.DuckDBPyRelation]) -> tuple[Relations, Relations]:
    """The tables whose rows have a customer, with referrals, and the others."""
    owned = {name: _needed(table, name) for name, table in tables.items() if name in HELD}
    if "customers" in tables and "referred_by" in tables["customers"].columns:
        owned["referrals"] = referrals_of(tables["customers"])
    return owned, {name: table for name, table in tables.items() if name not in HELD}


def referrals_of(customers: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """customer_id of who recommended, and acquired_at of each customer that was won so."""
    acquired = "acquired_at" if "acquired_at" in customers.columns else "CAST(NULL AS TIMESTAMP) AS acquired_at"
    return customers.filter("customer_id <> referred_by").project(f"referred_by AS customer_id, {acquired}")


def _needed(table: duckdb.DuckDBPyRelation, name: str) -> duckdb.DuckDBPyRelation:
    chosen = [column for column in table.columns
              if column in ("customer_id", "source", *NEEDED[name]) or column.startswith("x_")]
    return table.project(", ".join(f'"{column}"' for column in chosen))


def _place(begins: Sequence[str], low: int, high: int) -> str:
    """SQL for the number of the range of a customer_id, one of low to high."""
    if low == high:
        return str(low)
    middle = (low + high) // 2
    return (f"CASE WHEN customer_id < {literal(begins[middle])} THEN {_place(begins, low, middle)} "
            f"ELSE {_place(begins, middle + 1, high)} END")


def _part(con: duckdb.DuckDBPyConnection, table: duckdb.DuckDBPyRelation, folder: Path) -> duckdb.DuckDBPyRelation:
    if not folder.exists():
        return table.filter("false")
    return con.read_parquet(f"{folder}/*.parquet", hive_partitioning=False)


def literal(text: str) -> str:
    """The text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
