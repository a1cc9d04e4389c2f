"""A Parquet export as a table of text, so that every format goes through the same rules."""

import json

import duckdb
import numpy as np
import pyarrow.parquet as pq

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest.engine import literal, quoted
from pipeline.ingest.files import Export
from pipeline.ingest.header import match_header
from pipeline.ingest.raw import OTHERS, Loaded, check_loaded, count_rows, hash_of, other_places

NUMBERS = b"vivencia.numbers"  # in the file's metadata: columns whose texts are numbers with a point (JSON list)
WHOLE = {"DOUBLE": 2**53, "FLOAT": 2**24}  # from here on neighbouring whole numbers are one
NESTED = ("STRUCT", "MAP", "UNION", "BLOB", "[]")


def load_parquet(con: duckdb.DuckDBPyConnection, export: Export, source: Source, table: str) -> Loaded:
    """The file as `table`; exact types keep every digit, times are ISO text with Z where they carry a zone."""
    scan = f"read_parquet([{literal(str(export.path))}])"
    try:
        types = {row[0]: row[1] for row in con.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()}
    except duckdb.Error:
        raise Refusal("FILE-TRUNC", "the Parquet file cannot be read", file=export.name,
                      expected="a whole file") from None
    header = match_header(list(types), source, export.name)
    names = list(types)
    canonical = {h: n for n, h in source.columns.items()}
    ids = {column.name for column in TABLES[source.table].columns if column.kind == "id"}
    spelled = json.loads((pq.read_metadata(export.path).metadata or {}).get(NUMBERS, b"[]"))
    columns = []
    for declared, place in header.positions.items():
        kind = "DECIMAL" if names[place] in spelled else types[names[place]]
        _check_type(declared, kind, canonical.get(declared), source, export.name)
        is_id = canonical.get(declared) in ids
        columns.append(f"{_text(quoted(names[place]), kind, source.decimal, is_id)} AS {quoted(declared)}")
    others = hash_of([f"CAST({quoted(names[place])} AS VARCHAR)" for place in other_places(header, source)])
    columns.append(f"{others} AS {quoted(OTHERS)}")
    con.execute(f"CREATE OR REPLACE TABLE {quoted(table)} AS SELECT {', '.join(columns)} FROM {scan}")
    rows = count_rows(con, table)
    loaded = Loaded(export, table, rows, lambda ordinals: np.asarray(ordinals) + 1, notes=header.repairs)
    return check_loaded(con, loaded, header, source)


def _check_type(column: str, kind: str, canonical: str | None, source: Source, name: str) -> None:
    if any(part in kind for part in NESTED):
        raise Refusal("COL-TYPE", "a column holds neither text, number nor time", file=name, column=column, found=kind,
                      expected="a plain column")
    table = TABLES[source.table]
    numeric = canonical in table.names and table[canonical].kind in ("number", "money") and canonical != "score"
    if numeric and kind == "VARCHAR" and source.decimal is None:
        raise Refusal("NUM-LOCALE", "numbers are stored as text and the contract does not say how they are written",
                      file=name, column=column, found="text", expected='`decimal: ","` or `decimal: "."`')


def spelled_time(x: str, kind: str) -> str | None:
    """A time of this type as ISO text, with Z where it carries a zone; None for what is no time."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime(make_timestamp(epoch_us({x})), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"strftime({x}, '%Y-%m-%dT%H:%M:%S.%f')" if kind.startswith("TIMESTAMP") else None


def _text(x: str, kind: str, decimal: str | None, is_id: bool) -> str:
    if time := spelled_time(x, kind):
        return time
    if is_id and kind in WHOLE:  # written as what it is: an id that lost digits (ID-PRECISION)
        return (f"CASE WHEN abs({x}) >= {WHOLE[kind]} THEN printf('%.14E', {x}) "
                f"ELSE regexp_replace(CAST({x} AS VARCHAR), '\\.0$', '') END")
    text = f"CAST({x} AS VARCHAR)"
    if kind in ("DOUBLE", "FLOAT"):
        text = f"regexp_replace({text}, '\\.0$', '')"
    is_number = kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL")
    return f"replace({text}, '.', {literal(decimal)})" if is_number and decimal and decimal != "." else text
