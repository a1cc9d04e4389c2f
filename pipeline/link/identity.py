"""Who is who: sources of one table united, accounts resolved to the surviving one, ids that name nobody set aside."""

from collections.abc import Mapping
from dataclasses import dataclass

import narwhals as nw

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.link.engine import Native, kept, rows

SHARED_SHARE = 0.01  # an id on more than this share of a table's rows …
SHARED_TIMES = 10  # … and on this many times the rows of an average id is not one customer ('guest')
NEARLY_ALL = 0.9  # nor is an id on more than this share of a table's rows …
SOME_ROWS = 30  # … that has so many of them, whatever the other ids have ('anonymous')
OWNED = ("surveys", "tickets", "sales", "contacts")  # tables whose rows belong to a customer


@dataclass(frozen=True)
class Resolved:
    """Tables whose customer_id is the surviving account; how many accounts went into another one, and per
    table how many rows changed hands."""

    tables: dict[str, Native]
    merged_accounts: int
    rows_resolved: dict[str, int]


def lazy(native: Native) -> nw.LazyFrame:
    return nw.from_native(native).lazy()


def unite(sources: Mapping[str, Native], table: str) -> Native:
    """All rows of the sources of one table, one below the other; of several, with the column `source`.

    A key that stands in two sources is refused (KEY-TWICE): ingest has proved it unique within each.
    """
    if len(sources) == 1:
        return next(iter(sources.values()))
    parts = [lazy(native).with_columns(source=nw.lit(name)) for name, native in sources.items()]
    united = nw.concat(parts, how="diagonal")
    key = list(TABLES[table].key)
    twice = united.group_by(key).agg(first=nw.col("source").min(), last=nw.col("source").max())
    twice = twice.filter(nw.col("first") != nw.col("last"))
    found = rows(twice.group_by("first", "last").agg(n=nw.len()).sort("first", "last"))
    if found:
        raise Refusal("KEY-TWICE", f"the same {' and '.join(key)} stands in two sources of {table}",
                      found=f"{found[0]['n']} keys in both {found[0]['first']} and {found[0]['last']}",
                      expected="each row in one source; leave the overlap out of one of them")
    return united.to_native()


def resolve_accounts(tables: Mapping[str, Native]) -> Resolved:
    """The tables with every customer_id replaced by the surviving account (customers.merged_into).

    customers keeps one row per surviving account: its own, with the earliest acquired_at of all its accounts;
    when the survivor itself is not exported, the row of its first account. A circle of mergers, which no account
    survives, and a chain, whose links may be of different days, are refused (KEY-MERGE).
    """
    accounts = tables.get("customers")
    if accounts is None or "merged_into" not in accounts.columns:
        return Resolved(dict(tables), 0, {})
    moved = lazy(accounts).filter(~nw.col("merged_into").is_null()).select("customer_id", "merged_into")
    _refuse_chains(moved)
    count = rows(moved.select(n=nw.len()))[0]["n"]
    if not count:
        return Resolved(dict(tables), 0, {})
    moved = moved.select(old_id="customer_id", survivor="merged_into")
    changed = {}
    resolved = dict(tables)
    for name in OWNED:
        if name in tables:
            changed[name] = rows(lazy(tables[name]).join(moved, left_on="customer_id", right_on="old_id")
                                 .select(n=nw.len()))[0]["n"]
            resolved[name] = replaced(lazy(tables[name]), "customer_id", moved).to_native()
    if "actions" in tables:
        resolved["actions"] = replaced(lazy(tables["actions"]), "unit_id", moved).to_native()
    left = survivors(lazy(accounts), moved).with_columns(merged_into=nw.lit(None).cast(nw.String))
    for column in {"account_id", "referred_by"} & set(accounts.columns):
        left = replaced(left, column, moved)
    resolved["customers"] = left.to_native()
    return Resolved(resolved, count, changed)


def _refuse_chains(moved: nw.LazyFrame) -> None:
    """Refusal KEY-MERGE where an account was merged into one that was merged itself: into itself in the end (a circle),
    or into one that lives on (a chain)."""
    targets = moved.select(middle="merged_into").unique()
    middle = rows(moved.join(targets, left_on="customer_id", right_on="middle"))
    if not middle:
        return
    into = {row["customer_id"]: row["merged_into"] for row in middle}  # every account of a circle is in the middle
    circling = set(into)
    while ended := {account for account in circling if into[account] not in circling}:
        circling -= ended
    if circling:
        raise Refusal("KEY-MERGE", "accounts were merged in a circle, so that none of them survives",
                      column="merged_into", found=f"{len(circling)} such accounts, in a circle",
                      expected="every merged_into names an account that lives on")
    raise Refusal("KEY-MERGE", "accounts were merged into accounts that were merged themselves: a chain",
                  column="merged_into", found=f"{len(into)} accounts in the middle of a chain",
                  expected="every merged_into names directly the account that lives on at the end of its chain")


def replaced(frame: nw.LazyFrame, column: str, moved: nw.LazyFrame) -> nw.LazyFrame:
    """The frame with `column` replaced by the survivor where its account was merged; columns stay in order."""
    names = frame.collect_schema().names()
    joined = frame.join(moved, left_on=column, right_on="old_id", how="left")
    return joined.with_columns(nw.coalesce("survivor", column).alias(column)).select(*names)


def survivors(accounts: nw.LazyFrame, moved: nw.LazyFrame) -> nw.LazyFrame:
    """The rows of the accounts that live on, with the earliest acquired_at of all that went into each; one that has no
    row of its own takes that of its first account. moved: old_id and survivor."""
    names = accounts.collect_schema().names()
    own = accounts.join(moved.select("old_id"), left_on="customer_id", right_on="old_id", how="anti")
    stranded = moved.join(own.select("customer_id"), left_on="survivor", right_on="customer_id", how="anti")
    first = stranded.group_by("survivor").agg(nw.col("old_id").min())
    adopted = accounts.join(first, left_on="customer_id", right_on="old_id")
    adopted = adopted.with_columns(customer_id=nw.col("survivor"))
    alive = nw.concat([own.select(*names), adopted.select(*names)], how="vertical")
    if "acquired_at" in names:
        everyone = replaced(accounts.select("customer_id", "acquired_at"), "customer_id", moved)
        earliest = everyone.group_by("customer_id").agg(earliest=nw.col("acquired_at").min())
        alive = alive.join(earliest, on="customer_id", how="left").with_columns(acquired_at=nw.col("earliest"))
    return alive.select(*names)


def owners_of(tables: Mapping[str, Native | nw.LazyFrame]) -> dict[str, nw.LazyFrame]:
    """Per table that knows customers, one row per known customer_id with its rows `n`."""
    return {name: kept(lazy(table).filter(~nw.col("customer_id").is_null()).group_by("customer_id").agg(n=nw.len()))
            for name, table in tables.items() if name in (*OWNED, "customers")}


def shared_ids(owners: Mapping[str, nw.LazyFrame]) -> dict[str, list[str]]:
    """Per table the ids that stand on more than 1 % of its rows and on far more than an average id does, and one that
    stands on nearly all of some rows: of one id or two the average tells nothing."""
    found = {}
    for name in OWNED:
        if name in owners:
            total = rows(owners[name].select(rows=nw.col("n").sum(), ids=nw.len()))[0]
            if total["ids"]:
                count = int(total["rows"])
                limit = max(SHARED_SHARE * count, SHARED_TIMES * count / total["ids"])
                limit = min(limit, NEARLY_ALL * count) if count >= SOME_ROWS else limit
                many = rows(owners[name].filter(nw.col("n") > limit).sort("customer_id"))
                if many:
                    found[name] = [row["customer_id"] for row in many]
    return found


def rows_shared(owners: Mapping[str, nw.LazyFrame], shared: Mapping[str, list[str]]) -> dict[str, int]:
    """Per table the rows that carry an id which is shared in any of them; tables without one are left out."""
    ids = sorted({i for listed in shared.values() for i in listed})
    if not ids:
        return {}
    found = {name: rows(owners[name].filter(nw.col("customer_id").is_in(ids)).select(nw.col("n").sum()))[0]["n"]
             for name in OWNED if name in owners}
    return {name: int(count) for name, count in found.items() if count}


def without_shared(tables: Mapping[str, Native], shared: Mapping[str, list[str]]) -> dict[str, Native]:
    """The tables with shared ids made missing, everywhere: their rows stay, they are never joined."""
    ids = sorted({i for listed in shared.values() for i in listed})
    if not ids:
        return dict(tables)
    cleared = dict(tables)
    for name in OWNED:
        if name in tables:
            own = nw.when(~nw.col("customer_id").is_in(ids)).then(nw.col("customer_id"))
            cleared[name] = lazy(tables[name]).with_columns(customer_id=own).to_native()
    if "customers" in tables:
        cleared["customers"] = lazy(tables["customers"]).filter(~nw.col("customer_id").is_in(ids)).to_native()
    return cleared
