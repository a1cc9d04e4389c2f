"""data/clean -> data/linked: who is who, the customer × month panel, totals, events, and how well the sources meet."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts.params import Params, load_params
from pipeline.contracts.progress import progress
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.link.accounts import group_contacts
from pipeline.link.base import prepare
from pipeline.link.context import survey_context, ticket_context
from pipeline.link.engine import at_home
from pipeline.link.identity import owners_of, resolve_accounts, rows_shared, shared_ids, unite, without_shared
from pipeline.link.journey import build_events
from pipeline.link.linkage import build_linkage
from pipeline.link.panel import build_panel
from pipeline.link.totals import build_totals
from pipeline.stages import run, write_json

CLEAN, LINKED = Path("data/clean"), Path("data/linked")
CONTEXT = {"surveys": survey_context, "tickets": ticket_context}
MEMORY = "1100MB"
VARIED = ("happened_at", "amount", "ref_id", "ttr_hours", "revenue", "margin", "revenue_next", "margin_next")
WARNINGS = {
    "KEY-SHARED": "{rows} rows of {table} carry an id that too many share for one customer; counted, joined to nobody",
    "KEY-ORPHAN": "{rows} rows of {table} belong to customers whom no register knows",
    "SET-STALE": "{table} ends {days} days before the data do",
}


def main(argv: list[str]) -> None:
    params = load_params()
    accounts = read_accounts(params, CLEAN)
    with _connected() as con, _fresh(LINKED) as folder:
        linkage = link(con, params, accounts, CLEAN, folder)
        write_json(linkage, folder / "linkage.json")
    rows = ", ".join(f"{fact['rows']} {name}" for name, fact in linkage["tables"].items())
    print(f"link: {rows}; {linkage['customers']} customers, {linkage['customer_months']} customer-months, "
          f"{linkage['merged_accounts']} accounts merged, data to {linkage['as_of'] or 'no date'}")
    for warning in linkage["warnings"]:
        told = WARNINGS[warning["rule"]].format(**warning)
        print(f"link: {told} [{warning['rule']}]")


def read_accounts(params: Params, clean: Path) -> dict[str, dict[str, Any]]:
    """The accounts of the declared sources; refused when one is not there or when their pseudonyms do not match."""
    accounts = {}
    for name in params.sources:
        path = clean / f"{name}.account.json"
        if not path.exists() or not (clean / f"{name}.parquet").exists():
            raise Refusal("LINK-SOURCE", f"source {name} has not been ingested", file=str(path),
                          expected=f"run `dvc repro ingest@{name}` first")
        accounts[name] = json.loads(path.read_text(encoding="utf-8"))
    keys = {name: str(account.get("key_id")) for name, account in accounts.items()}
    if len(set(keys.values())) > 1:
        raise Refusal("KEY-MIX", "the sources carry pseudonyms made with different keys, so that nobody would be found "
                      "in two of them", found=", ".join(f"{name}: {key}" for name, key in keys.items()),
                      expected="one key and one `company.ids`: run ingest again for all sources")
    return accounts


def link(con: duckdb.DuckDBPyConnection, params: Params, accounts: dict, clean: Path, folder: Path) -> dict[str, Any]:
    """Write every linked table into `folder`; returns the facts for linkage.json."""
    say = progress("link")
    zone, as_of, contractual = params.company.time_zone, params.company.as_of, params.link.contractual
    by_table: dict[str, dict[str, Any]] = {}
    for name, source in params.sources.items():
        by_table.setdefault(source.table, {})[name] = con.read_parquet(str(clean / f"{name}.parquet"))
    united = {table: unite(sources, table) for table, sources in sorted(by_table.items())}
    say("who is who")
    owners = owners_of(united)
    shared = shared_ids(owners)
    resolved = resolve_accounts(without_shared(united, shared))
    grouped = group_contacts(resolved.tables) if params.link.customer == "account" else None
    tables = resolved.tables if grouped is None else grouped.tables
    is_as_it_came = {name: table is united[name] for name, table in tables.items()}
    say("orders, answers and tickets of each customer")
    base = prepare(tables, zone, as_of, owners if all(is_as_it_came.values()) else None)
    linkage = build_linkage(base, zone, as_of=as_of, currency=params.company.currency,
                            orphan_share=params.link.orphan_warning_share, stale_days=params.link.stale_days,
                            most_orphans=params.link.most_orphans)
    linkage |= {"sources": sorted(params.sources), "merged_accounts": resolved.merged_accounts,
                "rows_resolved": resolved.rows_resolved,
                "invented": any(account.get("made_by_demo") for account in accounts.values()),
                "key_id": next(iter(accounts.values()))["key_id"], "customer_months": 0,
                "grouped_contacts": grouped.merged_accounts if grouped else 0}
    linkage["warnings"] += [{"rule": "KEY-SHARED", "table": name, "ids": len(shared.get(name, [])), "rows": count}
                            for name, count in rows_shared(owners, shared).items()]
    if linkage["customers"]:
        say("customer_totals")
        _write(build_totals(base, zone, contractual=contractual), folder / "customer_totals.parquet")
        say("customer_periods")
        panel = build_panel(base, zone, contractual=contractual)
        if panel is not None:
            linkage["customer_months"] = _write_pieces(panel, folder / "customer_periods.parquet")
        say("events")
        events = build_events(base, zone)
        if events is not None:
            _write_pieces(events, folder / "events.parquet")
    for name, table in tables.items():
        say(name)
        if name in CONTEXT:
            _write(CONTEXT[name](tables), folder / f"{name}.parquet")
        elif is_as_it_came[name] and len(by_table[name]) == 1:
            shutil.copyfile(clean / f"{next(iter(by_table[name]))}.parquet", folder / f"{name}.parquet")
        else:
            # A join leaves the order of rows to the engine; without one they stay in the order of the exports.
            in_order = table.order(", ".join(TABLES[name].key)) if resolved.merged_accounts or grouped else table
            _write(in_order, folder / f"{name}.parquet")
    return linkage


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine of its own, bounded in memory (VIVENCIA_MEMORY, else MEMORY), that spills to a folder which is gone
    afterwards. Refusal LINK-MEMORY where the bound does not do."""
    memory = os.environ.get("VIVENCIA_MEMORY", MEMORY)
    with tempfile.TemporaryDirectory(prefix="vivencia-link-") as spill, duckdb.connect() as con:
        con.execute(f"SET memory_limit = '{memory}'")
        con.execute("SET temp_directory = $1", [spill])
        try:
            with at_home(con):
                yield con
        except duckdb.OutOfMemoryException:
            raise Refusal("LINK-MEMORY", "linking these data takes more memory, or more room for temporary files, than "
                          "the engine was given", found=memory, expected="more than that in the environment variable "
                          "VIVENCIA_MEMORY, for instance 3GB, and free disk where TMPDIR lies") from None


@contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` that takes its place when all went well, so that nothing stale stays."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        shutil.rmtree(target, ignore_errors=True)
        os.replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(table: duckdb.DuckDBPyRelation, path: Path) -> None:
    """Write the relation as Parquet from the engine.

    The footer tells pandas that flags are booleans with missing values, which Parquet alone does not.
    """
    flags = [name for name, kind in zip(table.columns, table.types, strict=True) if str(kind) == "BOOLEAN"]
    table.query("made", f"COPY made TO {_literal(str(path))} (FORMAT parquet, COMPRESSION snappy, "
                        f"KV_METADATA {{pandas: {_literal(json.dumps(_about(flags)))}}})")


def _write_pieces(pieces: pa.RecordBatchReader, path: Path) -> int:
    """Write what the reader yields as Parquet; returns its rows. Nothing is written when there are none."""
    about = json.dumps(_about([field.name for field in pieces.schema if pa.types.is_boolean(field.type)]))
    few, count = [field.name for field in pieces.schema if field.name not in VARIED], 0
    with pq.ParquetWriter(path, pieces.schema, compression="snappy", store_schema=False, use_dictionary=few) as writer:
        writer.add_key_value_metadata({"pandas": about})
        for piece in pieces:
            writer.write_batch(piece)
            count += piece.num_rows
    if not count:
        path.unlink()
    return count


def _about(flags: list[str]) -> dict[str, Any]:
    columns = [{"name": name, "field_name": name, "pandas_type": "bool", "numpy_type": "boolean", "metadata": None}
               for name in flags]
    return {"index_columns": [], "column_indexes": [], "columns": columns, "pandas_version": "3.0.0"}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    run(main)
