"""What was kept out: one row per record or answer, with its rule, reason, file, line, column and what was found."""

from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest import engine
from pipeline.ingest.answers import answer_checks
from pipeline.ingest.duplicates import DROPPED
from pipeline.ingest.groups import COLUMN
from pipeline.ingest.raw import OTHERS, Loaded
from pipeline.ingest.redact import shown
from pipeline.ingest.rules import IN_WORDS, OF_QUARANTINE, REASONS, REMEDIES, Check
from pipeline.ingest.tables import Plan

STRETCH = 122_880  # records that are looked at together
LAYOUT = pa.schema([("rule", pa.string()), ("reason", pa.string()), ("file", pa.string()), ("line", pa.int64()),
                    ("column", pa.string()), ("found", pa.string()), ("record", pa.string())])


def collect(con: duckdb.DuckDBPyConnection, plan: Plan, is_survey: bool) -> None:
    """Make the table `fates`: _file, _row, rule, canonical, header, verdict, is_record; one row per record that a
    rule keeps out, and per answer of the records that stay."""
    source = plan.source
    key = TABLES[source.table].key[0]
    own = {f"{note.rule} {note.column}": note.column for note in plan.notes if note.rule == "ENC-MOJIBAKE"}
    headers = {name: source.columns.get(name, "") for name in (*COLUMN.values(), *own.values(), key)}
    parts = [_judged("records", plan.checks, "canonical", source.columns, True),
             f"SELECT _file, _row, split_part(rule, ' ', 1), {_by_rule(COLUMN | own, key)}, "
             f"{_by_rule({rule: headers[name] for rule, name in (COLUMN | own).items()}, headers[key])}, "
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
    with pq.ParquetWriter(path, LAYOUT, use_dictionary=["rule", "reason", "file", "column", "found"]) as writer:
        for number, one in enumerate(loaded):
            for stretch in _stretches(con, plan, number, one):
                if len(stretch):
                    writer.write_table(stretch)


def _stretches(con: duckdb.DuckDBPyConnection, plan: Plan, number: int, one: Loaded) -> Iterator[pa.Table]:
    """What of one file is quarantined, in the order of its lines, some at a time."""
    query, words = _told(con, plan, number, one), REASONS | OF_QUARANTINE
    rejects = sorted(one.rejects, key=lambda reject: reject.line)
    for start in range(0, max(one.rows, 1), STRETCH):
        within = " AND ".join(f"{row} >= {start} AND {row} < {start + STRETCH}" for row in ("f._row", "t.rowid"))
        rows = con.sql(f"{query} AND {within}").to_arrow_table() if one.rows else None
        lines = one.lines_of(rows["_row"].to_numpy()) if rows else np.empty(0, dtype=np.int64)
        last = start + STRETCH >= one.rows
        until = len(rejects) if last else bisect_left(rejects, one.lines_of(np.array([start + STRETCH]))[0],
                                                      key=lambda reject: reject.line)
        here, rejects = rejects[:until], rejects[until:]
        parts = {"rule": pa.array([reject.rule for reject in here], pa.string()),
                 "line": pa.array([reject.line for reject in here], pa.int64()),
                 "column": pa.array([reject.column for reject in here], pa.string()),
                 "found": pa.array([reject.found for reject in here], pa.string()),
                 "record": pa.array([reject.text for reject in here], pa.string())}
        told = pa.table(parts)
        if rows:
            told = pa.concat_tables([rows.drop_columns("_row").append_column("line", pa.array(lines, pa.int64()))
                                     .select(told.column_names).cast(told.schema), told])
        told = told.sort_by([("line", "ascending"), ("rule", "ascending"), ("column", "ascending")])
        coded = told["rule"].combine_chunks().dictionary_encode()
        reasons = pa.array([words.get(rule, "") for rule in coded.dictionary.to_pylist()], pa.string())
        told = told.append_column("reason", reasons.take(coded.indices))
        told = told.append_column("file", pa.repeat(pa.scalar(one.export.name), len(told)))
        yield told.select(LAYOUT.names).cast(LAYOUT)


def _told(con: duckdb.DuckDBPyConnection, plan: Plan, number: int, one: Loaded) -> str:
    """The query for the rows of one file: _row, rule, column, found, record."""
    table = engine.quoted(one.table)
    headers = [row[0] for row in con.execute(f"DESCRIBE {table}").fetchall() if row[0] != OTHERS]
    record = ", ".join(f"{engine.literal(h)}: t.{engine.quoted(h)}" for h in headers)
    kinds = {c.name: c.kind for c in TABLES[plan.source.table].columns}
    ids = ", ".join(engine.literal(name) for name, kind in kinds.items() if kind == "id")
    comments = ", ".join(engine.literal(name) for name, kind in kinds.items() if kind == "comment") or "''"
    cells = " ".join(f"WHEN {engine.literal(h)} THEN t.{engine.quoted(h)}" for h in headers)
    value = f"CASE f.header {cells} END" if cells else "CAST(NULL AS VARCHAR)"
    told = f"to_json({{{record}}})" if record else "'{}'"
    found = (f"CASE WHEN f.canonical IN ({ids}) THEN CASE WHEN length({value}) > 5 "
             f"THEN left({value}, 2) ELSE '' END || '…' "
             f"WHEN f.canonical IN ({comments}) THEN NULL ELSE {value} END")
    return (f"SELECT f._row, f.rule, nullif(f.header, '') AS \"column\", {found} AS found, "
             f"CAST({told} AS VARCHAR) AS record FROM fates f JOIN {table} t ON t.rowid = f._row "
             f"WHERE f._file = {number} AND f.verdict = 'quarantined'")


def nothing_left(con: duckdb.DuckDBPyConnection, path: Path) -> Refusal:
    """The refusal for a source of which no row came through: its most frequent rule, at its first line."""
    kept_out = f"read_parquet({engine.literal(str(path))})"
    rule = engine.first(con, f"SELECT rule FROM {kept_out} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    if rule is None:
        return Refusal("FILE-NOROWS", "no row is left once the declared rows are left out", expected="rows")
    facts = f'SELECT file, line, "column", found, reason FROM {kept_out} WHERE rule = ? LIMIT 1'
    row = engine.first(con, facts, list(rule))
    return Refusal(rule[0], f"no row of this source can be read: {row[4]}", file=row[0], line=row[1], column=row[2],
                   found=None if row[3] is None else (row[3] if rule[0] in IN_WORDS else repr(shown(row[3]))),
                   expected=REMEDIES.get(rule[0], "rows as the contract describes them"))
