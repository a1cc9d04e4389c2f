"""data/clean -> data/linked: who is who, the customer × month panel, totals, events, and how well the sources meet."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.contracts.params import Params, load_params
from pipeline.contracts.progress import progress
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import language, phrased
from pipeline.contracts.tables import TABLES
from pipeline.link.accounts import group_contacts
from pipeline.link.base import Whole, observe, prepare, with_referrals
from pipeline.link.branches import spelled_as_register
from pipeline.link.context import survey_context, ticket_context
from pipeline.link.engine import at_home
from pipeline.link.identity import OWNED, owners_of, resolve_accounts, rows_shared, shared_ids, unite, without_shared
from pipeline.link.journey import build_events
from pipeline.link.linkage import Met, all_met, build_linkage, meet, orphaned, refuse_currencies
from pipeline.link.panel import build_panel
from pipeline.link.ranges import AT_ONCE, FEW, HELD, Relations, bounds, crowds, literal, selected, split, stands_out
from pipeline.link.totals import build_totals
from pipeline.stages import PRIVATE, run, write_json
from pipeline.stages.growing import Growing, about

CLEAN, LINKED = Path("data/clean"), Path("data/linked")
CONTEXT = {"surveys": survey_context, "tickets": ticket_context}
MEMORY = "1100MB"
VARIED = {"customer_totals": ("customer_id", "revenue", "first_order_at", "last_order_at"),
          "customer_periods": ("ttr_hours", "revenue", "margin", "revenue_next", "margin_next"),
          "events": ("happened_at", "amount", "ref_id")}
WARNINGS = {
    "KEY-SHARED": "{rows} rows of {table} carry an id that too many share for one customer; counted, joined to nobody",
    "KEY-ORPHAN": "{rows} rows of {table} belong to customers whom no register knows",
    "SET-STALE": "{table} ends {days} days before the data do",
}


def main(argv: list[str]) -> None:
    params = load_params()
    tongue = language()
    say = progress("link", tongue=tongue)
    accounts = read_accounts(params, CLEAN)
    with _connected() as con, _fresh(LINKED) as folder:
        linkage = link(con, params, accounts, CLEAN, folder, say)
        write_json(linkage, folder / "linkage.json")
    rows = ", ".join(f"{fact['rows']} {name}" for name, fact in linkage["tables"].items())
    told = (f"{rows}; {linkage['customers']} customers, {linkage['customer_months']} customer-months, "
            f"{linkage['merged_accounts']} accounts merged, data to {linkage['as_of'] or 'no date'}")
    print(f"link: {phrased(told, tongue)}")
    for warning in linkage["warnings"]:
        told = WARNINGS[warning["rule"]].format(**warning)
        print(f"link: {phrased(told, tongue)} [{warning['rule']}]")


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


def link(con: duckdb.DuckDBPyConnection, params: Params, accounts: dict, clean: Path, folder: Path,
         say: Callable[[str], None]) -> dict[str, Any]:
    """Write every linked table into `folder`; returns the facts for linkage.json."""
    by_table: dict[str, dict[str, Any]] = {}
    for name, source in params.sources.items():
        by_table.setdefault(source.table, {})[name] = con.read_parquet(str(clean / f"{name}.parquet"))
    united = {table: unite(sources, table) for table, sources in sorted(by_table.items())}
    say("who is who")
    crowd = {name: crowds(table) for name, table in united.items() if name in HELD}
    with at_home(con):
        shared, rows_of_shared = _shared(united, crowd)
    resolved = resolve_accounts(without_shared(united, shared))
    grouped = group_contacts(resolved.tables) if params.link.customer == "account" else None
    named = resolved.tables if grouped is None else grouped.tables
    tables = spelled_as_register(named)
    whole = observe(tables, params.company.time_zone, params.company.as_of)
    refuse_currencies(whole.frames, params.company.currency)
    linkage = {"sources": sorted(params.sources), "merged_accounts": resolved.merged_accounts,
               "rows_resolved": resolved.rows_resolved,
               "invented": any(account.get("made_by_demo") for account in accounts.values()),
               "key_id": next(iter(accounts.values()))["key_id"], "customer_months": 0,
               "grouped_contacts": grouped.merged_accounts if grouped else 0}
    files = {name: Growing(folder / f"{name}.parquet", VARIED[name]) for name in VARIED}
    with _parts(con, tables, bounds(list(crowd.values()), AT_ONCE), say) as parts:
        met = _people(con, with_referrals(whole, parts), parts, params, files, say)
    facts = build_linkage(whole, params.company.time_zone, met=met, as_of=params.company.as_of,
                          orphan_share=params.link.orphan_warning_share, stale_days=params.link.stale_days,
                          most_orphans=params.link.most_orphans)
    linkage = facts | linkage
    linkage["warnings"] += [{"rule": "KEY-SHARED", "table": name, "ids": len(shared.get(name, [])), "rows": count}
                            for name, count in rows_of_shared.items()]
    for name, table in tables.items():
        say(name)
        if name in CONTEXT:
            _write(con, CONTEXT[name](tables), folder / f"{name}.parquet")
        elif table is united[name] and len(by_table[name]) == 1:
            shutil.copyfile(clean / f"{next(iter(by_table[name]))}.parquet", folder / f"{name}.parquet")
        else:
            # A join leaves the order of rows to the engine; without one they stay in the order of the exports.
            is_joined = resolved.merged_accounts or grouped or table is not named[name]
            in_order = table.order(", ".join(TABLES[name].key)) if is_joined else table
            _write(con, in_order, folder / f"{name}.parquet")
    count = {name: file.close() for name, file in files.items()}
    return linkage | {"customer_months": count["customer_periods"]}


def _shared(tables: Relations, crowd: Mapping[str, pa.Table]) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Ids that too many share, by table, and the rows that carry one. Only where a crowd stands out are ids counted."""
    standing_out = {name: tables[name] for name, found in crowd.items() if name in OWNED and stands_out(found)}
    shared = shared_ids(owners_of(standing_out)) if standing_out else {}
    return shared, rows_shared(owners_of(tables), shared) if shared else {}


@contextmanager
def _parts(con: duckdb.DuckDBPyConnection, tables: Relations, begins: list[str],
           say: Callable[[str], None]) -> Iterator[list[Relations]]:
    """The tables by ranges of customers, on disk where there are many; the files are gone afterwards."""
    if len(begins) < FEW:
        yield selected(tables, begins) if begins else [tables]
        return
    with tempfile.TemporaryDirectory(prefix="vivencia-link-") as folder:
        say(f"{len(begins) + 1} ranges of customers")
        yield split(con, tables, begins, Path(folder))


def _people(con: duckdb.DuckDBPyConnection, whole: Whole, parts: list[Relations], params: Params,
            files: Mapping[str, Growing], say: Callable[[str], None]) -> Met:
    """Add to customer_totals, customer_periods and events, range by range; returns what all people add to the facts.

    What of a range is left to do without the engine is done while the engine folds the next one, or writes what stands
    beside. Once it is certain that the whole will be refused (KEY-ORPHAN), nothing more is added."""
    zone, contractual = params.company.time_zone, ends_written(params)
    met = []
    for number, part in enumerate(parts, 1):
        say(f"range {number} of {len(parts)} of the customers")
        with at_home(con):
            base = prepare(part, zone, whole=whole)
            met.append(meet(base))
            if met[-1].customers and not orphaned(whole, all_met(met), params.link.most_orphans):
                totals = build_totals(base, zone, contractual=contractual)
                files["customer_totals"].add([totals.to_arrow_table()])
                files["customer_periods"].add(build_panel(base, zone, contractual=contractual) or [])
                files["events"].add(build_events(base, zone) or [])
    return all_met(met)


def ends_written(params: Params) -> bool | None:
    """Whether a source of customers says when they ended, even if none did; else as declared, but never true."""
    is_mapped = any(source.table == "customers" and ("ended_at" in source.columns or "ended_at" in source.constants)
                    for source in params.sources.values())
    return False if params.link.contractual is False else is_mapped or None


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine of its own, bounded in memory (VIVENCIA_MEMORY, else MEMORY) and threads (VIVENCIA_THREADS, else all),
    that spills to a folder which is gone afterwards. Refusal LINK-MEMORY where the bound does not do."""
    memory = os.environ.get("VIVENCIA_MEMORY", MEMORY)
    with tempfile.TemporaryDirectory(prefix="vivencia-link-") as spill, duckdb.connect() as con:
        con.execute(f"SET memory_limit = '{memory}'; SET enable_progress_bar = false")
        con.execute("SET temp_directory = $1", [spill])
        if threads := os.environ.get("VIVENCIA_THREADS"):
            con.execute(f"SET threads = {int(threads)}")
        try:
            with at_home(con):
                yield con
        except duckdb.OutOfMemoryException:
            raise Refusal("LINK-MEMORY", "linking these data takes more memory, or more room for temporary files, than "
                          "the engine was given", found=memory, expected="more than that in the environment variable "
                          "VIVENCIA_MEMORY, for instance 3GB, and free disk where TMPDIR lies") from None


@contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, closed to others, that takes its place when all went well, so that nothing stale
    stays."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    part.chmod(0o700)
    try:
        yield part
        for path in part.iterdir():
            path.chmod(PRIVATE)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(con: duckdb.DuckDBPyConnection, table: duckdb.DuckDBPyRelation, path: Path) -> None:
    """Write the relation as Parquet from the engine, by one thread: where several write, the bytes of a large file
    depend on who was first.

    The footer tells pandas that flags are booleans with missing values, which Parquet alone does not.
    """
    flags = [name for name, kind in zip(table.columns, table.types, strict=True) if str(kind) == "BOOLEAN"]
    con.execute("SET threads = 1")
    table.query("made", f"COPY made TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy, "
                        f"KV_METADATA {{pandas: {literal(json.dumps(about(flags)))}}})")
    con.execute("RESET threads")


if __name__ == "__main__":
    run(main)
