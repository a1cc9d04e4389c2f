"""Records that share a key, within a file and across files: the same once more, an older version, or a conflict."""

import duckdb

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest import columns, engine

SAME, OLD, CONFLICT, MULTI = "KEY-DUP-SAME", "KEY-DUP-OLD", "KEY-DUP-CONFLICT", "SURVEY-MULTI"
DROPPED = (SAME, OLD)


def key_columns(source: Source) -> list[str]:
    """The expressions that tell records of a source apart: ids as they are hashed, other parts as they are."""
    table = TABLES[source.table]
    names = [name for name in table.key if name != "instrument" or "instrument" in source.columns]
    parts = [engine.normal_id(engine.quoted(n)) if table[n].kind == "id" else f"CAST({engine.quoted(n)} AS VARCHAR)"
             for n in names]
    return [f"coalesce({part}, '')" for part in parts]


def key_hash(source: Source) -> str:
    """A number that records of one key share, and few others."""
    return f"hash({', '.join(key_columns(source))})"


def find_duplicates(con: duckdb.DuckDBPyConnection, records: str, source: Source, name: str) -> None:
    """Make the table `twins` (_file, _row, rule) of records to leave out, among those that no rule keeps out; the
    records carry their `key_hash` as _key.

    The same content under one key: the first stays, the others are dropped (KEY-DUP-SAME). Different content: all
    versions go to quarantine (KEY-DUP-CONFLICT), unless the contract names a time in `latest_by`: then the version
    with the latest one stays and the older ones are dropped (KEY-DUP-OLD). Two latest versions are a conflict; in a
    survey that names orders, one answer for several orders is SURVEY-MULTI.
    """
    latest = source.latest_by
    if latest is not None and latest not in {c.name for c in columns.mapped(source) if c.kind == "timestamp"}:
        raise Refusal("PARAM-UNKNOWN", f"sources.{name}.latest_by must be a mapped time", file="params.yaml",
                      found=repr(latest))
    good = f"FROM {engine.quoted(records)} WHERE _failed = 0"
    key = ", ".join(key_columns(source))
    moment = engine.quoted(latest) if latest else ""
    is_multi = source.table == "surveys" and "order_id" in source.columns
    orders = "count(DISTINCT order_id)" if is_multi else "1"
    order = "order_id" if is_multi else "NULL"
    is_last = f"{moment} IS NOT DISTINCT FROM max({moment}) OVER (PARTITION BY key)" if latest else "TRUE"
    con.execute(f"""
        CREATE OR REPLACE TABLE twins AS
        WITH met AS (SELECT _key AS met {good} GROUP BY 1 HAVING count(*) > 1),
        candidates AS (SELECT *, [{key}] AS key, {_content(con, records)} AS content
                       {good} AND _key IN (SELECT met FROM met)),
        facts AS (SELECT _file, _row, key, content, {order} AS order_id, {is_last} AS is_last,
                         row_number() OVER (PARTITION BY key, content ORDER BY _file, _row) AS copy
                  FROM candidates),
        versions AS (SELECT key, count(DISTINCT content) AS versions, {orders} AS orders,
                            count(DISTINCT content) FILTER (is_last) AS last_versions FROM facts GROUP BY key)
        SELECT _file, _row, CASE WHEN copy > 1 THEN '{SAME}' WHEN last_versions > 1 AND orders > 1 THEN '{MULTI}'
                                 WHEN last_versions > 1 THEN '{CONFLICT}' ELSE '{OLD}' END AS rule
        FROM facts JOIN versions USING (key)
        WHERE copy > 1 OR last_versions > 1 OR (versions > 1 AND NOT is_last)""")


def _content(con: duckdb.DuckDBPyConnection, records: str) -> str:
    """All that a record says, as one text; nulls told from empty texts."""
    names = [row[0] for row in con.execute(f"DESCRIBE {engine.quoted(records)}").fetchall()]
    said = [name for name in names if not name.startswith("_")]
    parts = ", ".join(f"{engine.literal(name)}: {engine.quoted(name)}" for name in said)
    return f"CAST(to_json({{{parts}}}) AS VARCHAR)"
