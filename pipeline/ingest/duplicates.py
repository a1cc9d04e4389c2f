"""Records that share a key, within a file and across files: the same once more, an older version, or a conflict."""

from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest import columns, engine
from pipeline.ingest.header import declared_headers, normal
from pipeline.ingest.raw import OTHERS, ROW, Loaded, counts_whole

SAME, OLD, CONFLICT, MULTI = "KEY-DUP-SAME", "KEY-DUP-OLD", "KEY-DUP-CONFLICT", "SURVEY-MULTI"
DROPPED = (SAME, OLD)
SORTED = 1 << 23  # keys that are sorted together: 64 MB


def key_columns(source: Source, is_exact: bool = False) -> list[str]:
    """The expressions that tell records of a source apart: ids as they are hashed, other parts as they are."""
    table = TABLES[source.table]
    names = [name for name in table.key if name != "instrument" or "instrument" in source.columns]
    parts = [engine.normal_id(engine.quoted(n), is_exact) if table[n].kind == "id" else
             f"CAST({engine.quoted(n)} AS VARCHAR)" for n in names]
    return [f"coalesce({part}, '')" for part in parts]


def key_hash(source: Source, is_exact: bool = False) -> str:
    """A number that records of one key share, and few others."""
    return f"hash({', '.join(key_columns(source, is_exact))})"


def view_others(con: duckdb.DuckDBPyConnection, raw_tables: list[str]) -> None:
    """Make the view `others_of` (_file, _row, others): what each record says in columns that nobody declared."""
    con.execute("CREATE OR REPLACE VIEW others_of AS " + " UNION ALL ".join(
        f"SELECT {number}::INTEGER AS _file, rowid AS _row, {engine.quoted(OTHERS)} AS others "
        f"FROM {engine.quoted(table)}" for number, table in enumerate(raw_tables)))


def find_overlaps(con: duckdb.DuckDBPyConnection, source: Source, loaded: list[Loaded]) -> int:
    """How many records stand whole in an earlier file too, where the number of the record is the key ("@row").

    Records of one file are never set against each other: two people may answer alike. `repeats: drop` adds them to
    `twins` (KEY-DUP-SAME), `repeats: keep` lets them stand; without it they are refused (FILE-OVERLAP). Files whose
    undeclared columns are not the same ones are compared by the declared ones alone.
    """
    if len(loaded) < 2 or ROW not in [source.constants.get(name) for name in TABLES[source.table].key]:
        return 0
    written_alike = len({tuple(sorted(map(normal, one.extra))) for one in loaded}) == 1
    cells = ", ".join([*(f"nullif({engine.quoted(name)}, '')" for name in declared_headers(source)),
                       *([engine.quoted(OTHERS)] if written_alike else [])])
    whole = " UNION ALL ".join(f"SELECT {number}::INTEGER AS _file, rowid AS _row, hash({cells}) AS whole "
                               f"FROM {engine.quoted(one.table)}" for number, one in enumerate(loaded))
    con.execute(f"""
        CREATE OR REPLACE TABLE repeated AS
        WITH standing AS (SELECT _file, _row, whole FROM ({whole}) JOIN records USING (_file, _row)
                          ANTI JOIN twins USING (_file, _row) WHERE _failed = 0),
        copies AS (SELECT *, row_number() OVER (PARTITION BY whole, _file ORDER BY _row) AS copy FROM standing)
        SELECT _file, _row FROM copies QUALIFY row_number() OVER (PARTITION BY whole, copy ORDER BY _file) > 1""")
    if source.repeats == "drop":
        con.execute(f"INSERT INTO twins SELECT _file, _row, '{SAME}' FROM repeated")
    count, file, row = engine.first(con, "SELECT count(*), min(_file), arg_min(_row, (_file, _row)) FROM repeated")
    if count and source.repeats is None:
        one = loaded[file]
        raise Refusal("FILE-OVERLAP", "records of this file stand whole in another export of the source, and no column "
                      "tells whether they are the same", file=one.export.name, found=f"{count} records",
                      line=int(one.lines_of(np.array([row]))[0]),
                      expected="a header with an id, exports that do not overlap, or `repeats: drop` if they are the "
                      "same records and `repeats: keep` if they are others")
    return count if source.repeats == "keep" else 0


def find_duplicates(con: duckdb.DuckDBPyConnection, records: str, source: Source, name: str,
                    is_exact: bool = False) -> None:
    """Make the table `twins` (_file, _row, rule) of records to leave out, among those that no rule keeps out; the
    records carry their `key_hash` as _key.

    A sale without line_id is the same only where all columns of its file are, declared or not: what differs in another
    column (the product) is another line of the order, which the key cannot tell apart.
    The same content under one key: the first stays, the others are dropped (KEY-DUP-SAME). Different content: all
    versions go to quarantine (KEY-DUP-CONFLICT), unless the contract names a time in `latest_by`: then the version
    with the latest one stays and the older ones are dropped (KEY-DUP-OLD). Two latest versions are a conflict; in a
    survey that names orders, one answer for several orders is SURVEY-MULTI.
    """
    latest = source.latest_by
    if latest is not None and latest not in {c.name for c in columns.mapped(source) if c.kind == "timestamp"}:
        raise Refusal("PARAM-UNKNOWN", f"sources.{name}.latest_by must be a mapped time", file="params.yaml",
                      found=repr(latest))
    is_short = source.table == "sales" and counts_whole(source)
    beside, others = (" JOIN others_of USING (_file, _row)", "CAST(others AS VARCHAR)") if is_short else ("", "''")
    good = f"FROM {engine.quoted(records)}{beside} WHERE _failed = 0"
    key = ", ".join(key_columns(source, is_exact))
    moment = engine.quoted(latest) if latest else ""
    is_multi = source.table == "surveys" and "order_id" in source.columns
    orders = "count(DISTINCT order_id)" if is_multi else "1"
    order = "order_id" if is_multi else "NULL"
    is_last = f"{moment} IS NOT DISTINCT FROM max({moment}) OVER (PARTITION BY key)" if latest else "TRUE"
    con.register("met", pa.table({"met": _met(con, records)}))
    con.execute(f"""
        CREATE OR REPLACE TABLE twins AS
        WITH candidates AS (SELECT *, [{key}] AS key, {_content(con, records, source, is_exact)} || {others} AS content
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
    con.unregister("met")


def _met(con: duckdb.DuckDBPyConnection, records: str) -> np.ndarray:
    """The keys (`key_hash`) that more than one good record has, a stretch of the numbers at a time: sorting them costs
    a fraction of grouping by them."""
    good = f"FROM {engine.quoted(records)} WHERE _failed = 0"
    parts = 1 + engine.first(con, f"SELECT count(*) {good}")[0] // SORTED
    edges, found = [k * 2**64 // parts for k in range(parts + 1)], []
    for low, high in pairwise(edges):
        within = f" AND _key BETWEEN {low} AND {high - 1}" if parts > 1 else ""
        keys = np.ma.getdata(con.execute(f"SELECT _key {good}{within}").fetchnumpy()["_key"])
        keys.sort()
        found.append(np.unique(keys[1:][keys[1:] == keys[:-1]]))
    return np.concatenate(found)


def _content(con: duckdb.DuckDBPyConnection, records: str, source: Source, is_exact: bool) -> str:
    """All that a record says, as one text, ids as they are hashed; nulls told from empty texts."""
    names = [row[0] for row in con.execute(f"DESCRIBE {engine.quoted(records)}").fetchall()]
    said = [name for name in names if not name.startswith("_")]
    ids = {column.name for column in columns.mapped(source) if column.kind == "id"}
    cells = {name: engine.normal_id(engine.quoted(name), is_exact) if name in ids else engine.quoted(name)
             for name in said}
    parts = ", ".join(f"{engine.literal(name)}: {cell}" for name, cell in cells.items())
    return f"CAST(to_json({{{parts}}}) AS VARCHAR)"
