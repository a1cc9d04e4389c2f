"""Records of each canonical table: texts parsed, local times turned to UTC, the rules between columns."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import narwhals as nw

from pipeline.contracts.params import Company, Drop, Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import columns, engine
from pipeline.ingest.header import declared_headers
from pipeline.ingest.rules import Check, mask
from pipeline.ingest.zones import day_table, find_zone

EARLIEST, LATEST = datetime(1971, 1, 1), datetime(2100, 1, 1)
EPOCH_EARLIEST = datetime(2000, 1, 1)
NO_DAYS = "zone_days"


@dataclass(frozen=True)
class Plan:
    """What a source's records are checked for: `checks` keep a record out, the first one decides; `notes` do not."""

    source: Source
    company: Company
    checks: list[Check]
    notes: list[Check]
    end: datetime | None  # first UTC moment after the last day of the data


def plan(source: Source, company: Company) -> Plan:
    """The rules of one source, in their order: declared drops, columns, then what must hold between columns."""
    drops = [Check(drop.rule, drop.column, "dropped", nw.col(f"d_{k}")) for k, drop in enumerate(source.drop)]
    between, notes = _between(source)
    checks = [*drops, *columns.column_checks(source, company), *between]
    return Plan(source, company, checks, columns.note_checks(source) + notes, _end_of_data(company))


def prepare_zone(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """The table of days of the source's time zone, for `records` to join."""
    if source.time_zone and source.time_zone != "UTC" and any(c.kind == "timestamp" for c in columns.mapped(source)):
        con.register("incoming", day_table(find_zone(source.time_zone)))
        con.execute(f"CREATE OR REPLACE TABLE {NO_DAYS} AS SELECT * FROM incoming")
        con.unregister("incoming")


def raw_rows(con: duckdb.DuckDBPyConnection, raw_tables: list[str], plan: Plan, rows: str = "TRUE") -> nw.LazyFrame:
    """The declared columns of the raw tables with _file (place in the list) and _row (from 0).

    rows: a condition on rowid and {file}; only the records that it holds for.
    """
    headers = ", ".join(map(engine.quoted, declared_headers(plan.source)))
    return engine.frame(con, " UNION ALL ".join(
        f"SELECT {number}::INTEGER AS _file, rowid AS _row, {headers or 'NULL'} FROM {engine.quoted(table)} "
        f"WHERE {rows.format(file=number)}" for number, table in enumerate(raw_tables)))


def records(con: duckdb.DuckDBPyConnection, raw: nw.LazyFrame, plan: Plan) -> nw.LazyFrame:
    """One row per raw row: _file, _row, canonical columns, answers (s_*), extras (x_*), and the masks _failed and
    _noted over the plan's checks and notes."""
    source = plan.source
    drops = {f"d_{k}": held(f"coalesce({engine.tidy(engine.quoted(drop.column), [])}, '')", drop)
             for k, drop in enumerate(source.drop)}
    parts = engine.derive(raw, columns.texts(source, plan.company.ids == "exact") | drops, keep=["_file", "_row"])
    parts = engine.derive(engine.derive(parts, columns.plainly(source)), columns.bared(source))
    parts = engine.derive(parts, columns.parsed(source, plan.company))
    parts = engine.derive(parts, columns.flags(source))
    parts = _to_utc(con, parts, plan)
    parts = shaped(parts, plan)
    parts = parts.with_columns(_failed=mask(plan.checks), _noted=mask(plan.notes))
    return parts.select("_file", "_row", *columns.kept_columns(source), "_failed", "_noted")


def held(text: str, drop: Drop) -> str:
    """Whether a text is one of the values by which rows are left out."""
    return f"{text} IN ({', '.join(engine.literal(value.strip()) for value in drop.values)})"


def _end_of_data(company: Company) -> datetime | None:
    if company.as_of is None:
        return None
    try:
        day = datetime.strptime(company.as_of, "%Y-%m-%d")
    except ValueError:
        raise Refusal("PARAM-TYPE", "company.as_of is no day", file="params.yaml", found=repr(company.as_of),
                      expected="YYYY-MM-DD") from None
    local = (day + timedelta(days=1)).replace(tzinfo=find_zone(company.time_zone))
    return (local - local.utcoffset()).replace(tzinfo=None)


def _to_utc(con: duckdb.DuckDBPyConnection, parts: nw.LazyFrame, plan: Plan) -> nw.LazyFrame:
    """Each time as UTC under its own name, with f_gap_, f_fold_, f_range_ and f_future_ beside it."""
    is_epoch = any(form in engine.EPOCHS for form in plan.source.timestamps)
    earliest = EPOCH_EARLIEST if is_epoch else EARLIEST
    for column in columns.mapped(plan.source):
        if column.kind != "timestamp":
            continue
        name = column.name
        if plan.source.time_zone in (None, "UTC"):
            parts = engine.derive(parts, {name: f"coalesce(u_{name}, l_{name})", f"f_gap_{name}": "FALSE",
                                          f"f_fold_{name}": "FALSE"})
        else:
            parts = _local_to_utc(con, parts, name)
        moment = nw.col(name)
        outside = (moment < nw.lit(earliest)) | (moment >= nw.lit(LATEST)) | moment.is_null()
        future = moment >= nw.lit(plan.end) if plan.end else nw.lit(False)
        parts = parts.with_columns(outside.alias(f"f_range_{name}"), future.alias(f"f_future_{name}"))
    return parts


def _local_to_utc(con: duckdb.DuckDBPyConnection, parts: nw.LazyFrame, name: str) -> nw.LazyFrame:
    """Join the zone's days; a date without a clock time that falls into a gap is the moment of the change."""
    facts = ("day", "before", "after", "changed_from", "changed_to", "is_gap")
    days = engine.frame(con, f"SELECT * FROM {NO_DAYS}").select(*(nw.col(f).alias(f"z_{f}") for f in facts))
    parts = engine.derive(parts, {"z_own": f"CAST(l_{name} AS DATE)"})
    parts = parts.join(days, left_on="z_own", right_on="z_day", how="left")
    local = f"l_{name}"
    offset = f"CASE WHEN z_changed_to IS NULL OR {local} < z_changed_to THEN z_before ELSE z_after END"
    twice = f"coalesce({local} >= z_changed_from AND {local} < z_changed_to, FALSE)"
    parts = engine.derive(parts, {
        name: f"coalesce(u_{name}, {engine.minus_seconds(local, offset)})",
        f"f_gap_{name}": f"{twice} AND z_is_gap AND {engine.has_clock(f't_{name}')}",
        f"f_fold_{name}": f"{twice} AND NOT z_is_gap",
    })
    return parts.drop("z_own", *(f"z_{f}" for f in facts if f != "day"), strict=False).drop("z_day", strict=False)


def shaped(parts: nw.LazyFrame, plan: Plan) -> nw.LazyFrame:
    """Columns that follow from several: the sign of returns, the currency beside an amount."""
    source = plan.source
    if source.table != "sales":
        return parts
    if source.per_unit:
        units = "CAST(quantity AS DECIMAL(12,4))"
        whole = {f"n_{name}": f"CAST(try_cast({name} * {units} AS DECIMAL(24,4)) AS DECIMAL(18,4))"
                 for name in ("net_amount", "margin")}
        parts = engine.derive(parts, whole).with_columns(net_amount=nw.col("n_net_amount"), margin=nw.col("n_margin"))
    if source.constants.get("is_return") == columns.NEGATIVE:
        parts = parts.with_columns(is_return=nw.col("net_amount") < 0)
    written = f"CASE WHEN f_dressed_net_amount THEN {engine.currency_of('t_net_amount', plan.company.currency)} END"
    parts = engine.derive(parts, {"f_mix": f"coalesce({written}, currency) <> {engine.literal(plan.company.currency)} "
                                           f"OR currency <> {engine.literal(plan.company.currency)}"})
    turned = (nw.col("is_return") & (nw.col("net_amount") > 0)).fill_null(False)
    signed = [nw.when(turned).then(-nw.col(name)).otherwise(nw.col(name)).alias(name)
              for name in ("net_amount", "margin")]
    if source.returns == "status":  # the marked line is the sale itself: what came in went out again
        back = nw.col("is_return").fill_null(False)
        nothing = [nw.when(back).then(0 * nw.col(name)).otherwise(nw.col(name)).alias(name)
                   for name in ("net_amount", "margin", "quantity")]
        return parts.with_columns(*nothing, f_turned=nw.lit(False))
    returned = nw.col("is_return").fill_null(False) & (nw.col("quantity") > 0)
    quantity = nw.when(returned.fill_null(False)).then(-nw.col("quantity")).otherwise(nw.col("quantity"))
    return parts.with_columns(*signed, quantity.alias("quantity"), f_turned=turned)


def _between(source: Source) -> tuple[list[Check], list[Check]]:
    """Rules between columns of one record: what keeps it out, what is only noted."""
    has = {column.name for column in columns.mapped(source)}

    def before(rule: str, later: str, earlier: str, verdict: str = "quarantined") -> list[Check]:
        return [Check(rule, later, verdict, nw.col(later) < nw.col(earlier))] if {later, earlier} <= has else []

    if source.table == "surveys":
        late = nw.col("responded_at") > nw.col("sent_at").dt.offset_by(f"{source.late_days}d")
        notes = [Check("SURVEY-LATE", "responded_at", "warned", late)] if {"responded_at", "sent_at"} <= has else []
        return before("SURVEY-EARLY", "responded_at", "sent_at"), [
            *notes, Check("SURVEY-QUAL", "score", "warned", nw.col("f_quality"))]
    if source.table == "tickets":
        again = [Check("TTR-REOPEN", "reopened", "warned", nw.col("reopened") > 0)] if "reopened" in has else []
        return (before("TTR-NEG", "solved_at", "created_at") + before("TTR-NEG", "first_reply_at", "created_at"),
                before("TTR-ORDER", "solved_at", "first_reply_at", "warned") + again)
    if source.table == "customers":
        return before("TENURE-NEG", "ended_at", "acquired_at"), []
    if source.table == "sales":
        sale = ~nw.col("is_return").fill_null(False)
        amount = nw.col("net_amount")
        nothing = (amount == 0) & sale if source.returns == "status" else amount == 0
        return ([Check("CUR-MIX", "currency" if "currency" in has else "net_amount", "quarantined", nw.col("f_mix")),
                 Check("NUM-FINITE", "net_amount", "quarantined", amount.is_null() | nothing),
                 Check("SALE-NEG", "net_amount", "quarantined", (amount < 0) & sale),
                 *([Check("SALE-NEG", "quantity", "quarantined", (nw.col("quantity") < 0) & sale)]
                   if "quantity" in has else [])],
                [Check("SALE-SIGN", "net_amount", "repaired", nw.col("f_turned")),
                 *([Check("RETURN-STATUS", "is_return", "repaired", ~sale)] if source.returns == "status" else []),
                 *before("DELIVERY-EARLY", "delivered_at", "ordered_at", "warned")])
    if source.table == "costs":
        return [Check("NUM-FINITE", "amount", "quarantined", nw.col("amount").is_null())], []
    return [], []
