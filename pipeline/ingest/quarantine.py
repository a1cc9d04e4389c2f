"""What was kept out: one row per record or answer, with its rule, reason, file, line, column and what was found."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest import engine
from pipeline.ingest.answers import answer_checks
from pipeline.ingest.duplicates import DROPPED
from pipeline.ingest.groups import COLUMN
from pipeline.ingest.raw import Loaded
from pipeline.ingest.rules import OF_QUARANTINE, REASONS, Check
from pipeline.ingest.tables import Plan

LAYOUT = pa.schema([("_file", pa.int64()), ("_row", pa.int64()), ("line", pa.int64()), ("rule", pa.string()),
                    ("record", pa.string())])


def collect(con: duckdb.DuckDBPyConnection, plan: Plan, is_survey: bool) -> None:
    """Make the table `fates`: _file, _row, rule, canonical, header, verdict, is_record; one row per record that a
    rule keeps out, and per answer of the records that stay."""
    source = plan.source
    key = TABLES[source.table].key[0]
    headers = {name: source.columns.get(name, "") for name in (*COLUMN.values(), key)}
    parts = [_judged("records", plan.checks, "canonical", source.columns, True),
             f"SELECT _file, _row, rule, {_by_rule(COLUMN, key)}, "
             f"{_by_rule({rule: headers[name] for rule, name in COLUMN.items()}, headers[key])}, "
             f"CASE WHEN rule IN {DROPPED} THEN 'dropped' ELSE 'quarantined' END, TRUE FROM twins"]
    if is_survey:
        cells = {name: kind.column or source.columns["score"] for name, kind in source.instruments.items()}
        parts.append(_judged("answers", answer_checks(), "instrument", cells, False))
        parts.append("SELECT _file, _row, 'SURVEY-NONE', '', '', 'dropped', TRUE FROM kept "
                     "ANTI JOIN answers USING (_file, _row)")
    con.execute("CREATE OR REPLACE TABLE fates(_file INTEGER, _row BIGINT, rule VARCHAR, canonical VARCHAR, "
                "header VARCHAR, verdict VARCHAR, is_record BOOLEAN)")
    for part in parts:
        con.execute(f"INSERT INTO fates {part}")


def _by_rule(values: dict[str, str], otherwise: str) -> str:
    cases = " ".join(f"WHEN {engine.literal(rule)} THEN {engine.literal(value)}" for rule, value in values.items())
    return f"CASE rule {cases} ELSE {engine.literal(otherwise)} END"


def _judged(table: str, checks: list[Check], header_by: str, headers: dict[str, str], is_record: bool) -> str:
    """The rows of a masked table with their first failed check."""
    judged = ", ".join(f"({1 << k}, {engine.literal(c.rule)}, {engine.literal(c.column)}, {engine.literal(c.verdict)})"
                       for k, c in enumerate(checks))
    if not checks:
        return "SELECT 0, 0, '', '', '', '', TRUE WHERE FALSE"
    cases = " ".join(f"WHEN {engine.literal(name)} THEN {engine.literal(header)}" for name, header in headers.items())
    header = f"CASE {header_by} {cases} ELSE canonical END" if cases else "canonical"
    return (f"SELECT _file, _row, rule, canonical, {header}, verdict, {is_record} FROM {table} "
            f"JOIN (VALUES {judged}) checks(bit, rule, canonical, verdict) ON (_failed & -_failed) = bit "
            "WHERE _failed <> 0 ORDER BY _file, _row")


def write_quarantine(con: duckdb.DuckDBPyConnection, plan: Plan, loaded: list[Loaded], path: Path) -> None:
    """rule, reason, file, line, column, found (ids masked, comments left out), record; in the order of the lines."""
    con.register("incoming", pa.Table.from_batches(
        [batch for n, one in enumerate(loaded) for batch in _located(con, n, one)], schema=LAYOUT))
    con.execute("CREATE OR REPLACE TABLE located AS SELECT * FROM incoming")
    con.unregister("incoming")
    kinds = {c.name: c.kind for c in TABLES[plan.source.table].columns}
    ids = ", ".join(engine.literal(name) for name, kind in kinds.items() if kind == "id")
    comments = ", ".join(engine.literal(name) for name, kind in kinds.items() if kind == "comment") or "''"
    value = "json_extract_string(l.record, '$.' || to_json(f.header))"
    found = (f"CASE WHEN f.canonical IN ({ids}) THEN left({value}, 2) || '…' "
             f"WHEN f.canonical IN ({comments}) THEN NULL ELSE {value} END")
    names = " ".join(f"WHEN {n} THEN {engine.literal(one.export.name)}" for n, one in enumerate(loaded))
    words = REASONS | OF_QUARANTINE
    reasons = " ".join(f"WHEN {engine.literal(rule)} THEN {engine.literal(text)}" for rule, text in words.items())
    con.execute(f"""
        CREATE OR REPLACE TABLE quarantine AS
        WITH all_rows AS (
            SELECT f._file, l.line, f.rule, f.header AS "column", {found} AS found, l.record
            FROM fates f JOIN located l USING (_file, _row) WHERE f.verdict = 'quarantined'
            UNION ALL SELECT _file, line, rule, NULL, NULL, record FROM located WHERE _row IS NULL)
        SELECT rule, CASE rule {reasons} ELSE '' END AS reason, CASE _file {names} END AS file, line,
               nullif("column", '') AS "column", found, record
        FROM all_rows ORDER BY _file, line, rule, "column" """)
    con.execute(f"COPY quarantine TO {engine.literal(str(path))} (FORMAT parquet)")


def _located(con: duckdb.DuckDBPyConnection, number: int, one: Loaded) -> list[pa.RecordBatch]:
    """Line and raw record of everything of one file that is quarantined."""
    table = engine.quoted(one.table)
    headers = [row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()]
    record = ", ".join(f"{engine.literal(h)}: {engine.quoted(h)}" for h in headers)
    chosen = f"(SELECT _row FROM fates WHERE _file = {number} AND verdict = 'quarantined')"
    rows = con.sql(f"SELECT rowid AS _row, CAST(to_json({{{record}}}) AS VARCHAR) AS record FROM {table} "
                   f"WHERE rowid IN {chosen}")
    batches = []
    for batch in rows.to_arrow_reader(50_000):
        ordinals = batch.column(0).to_numpy()
        batches.append(_batch(number, ordinals, one.lines_of(ordinals), [None] * len(ordinals), batch.column(1)))
    if one.rejects:
        batches.append(_batch(number, [None] * len(one.rejects), [r.line for r in one.rejects],
                              [r.rule for r in one.rejects], pa.array([r.text for r in one.rejects], pa.string())))
    return batches


def _batch(number: int, rows, lines, rules, records: pa.Array) -> pa.RecordBatch:
    columns = [pa.array(np.full(len(records), number), pa.int64()), pa.array(rows, pa.int64()),
               pa.array(lines, pa.int64()), pa.array(rules, pa.string()), records.cast(pa.string())]
    return pa.RecordBatch.from_arrays(columns, schema=LAYOUT)


def nothing_left(con: duckdb.DuckDBPyConnection) -> Refusal:
    """The refusal for a source of which no row came through: its most frequent rule, at its first line."""
    rule = engine.first(con, "SELECT rule FROM quarantine GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    if rule is None:
        return Refusal("FILE-NOROWS", "no row is left once the declared rows are left out", expected="rows")
    facts = 'SELECT file, line, "column", found, reason FROM quarantine WHERE rule = ? LIMIT 1'
    row = engine.first(con, facts, list(rule))
    return Refusal(rule[0], f"no row of this source can be read: {row[4]}", file=row[0], line=row[1], column=row[2],
                   found=None if row[3] is None else repr(row[3]), expected="rows as the contract describes them")
