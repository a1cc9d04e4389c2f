"""The canonical table, written once: ids as pseudonyms, comments redacted, columns and types as in the contract.

Rows leave the engine stretch by stretch in the order of the exports, so that memory and sorting stay small whatever
the size; each stretch has its ids hashed and its comments blacked out on the way to the file.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.contracts.params import Source
from pipeline.contracts.tables import TABLES
from pipeline.ingest import columns, engine
from pipeline.ingest.duplicates import key_columns
from pipeline.ingest.privacy import count_variants, find_redactions
from pipeline.ingest.pseudonyms import Pseudonyms

STRETCH = 122_880  # records that are written together
ARROW = {"money": pa.decimal128(18, 4), "number": pa.float64(), "integer": pa.int64(), "timestamp": pa.timestamp("us"),
         "boolean": pa.bool_()}
OWN = "own_"  # in front of a name: the text of a unit that is no customer


def write_clean(con: duckdb.DuckDBPyConnection, source: Source, key: bytes, path: Path, rows: list[int]) -> Counter:
    """Write the clean rows in the order of the exports; returns rows by (KEY-NORM and PII-TEXT, "repaired").

    rows: records in each file. key: of the pseudonyms.
    """
    counts: Counter = Counter()
    table, given = TABLES[source.table], {column.name for column in columns.mapped(source)}
    selected, ids, redacted = [], {}, {}
    for column in table.columns:
        name = engine.quoted(column.name)
        if column.name == "unit_id" or (column.kind == "id" and column.name in given):
            of_customers = "unit_kind = 'customer'" if column.name == "unit_id" else "TRUE"
            if column.name in given:
                is_key = column.kind == "id" and len(key_columns(source)) == 1 and column.name in table.key
                counts["KEY-NORM", "repaired"] += count_variants(con, "kept", column.name, of_customers, is_key)
            selected.append(f"CASE WHEN {of_customers} THEN {engine.normal_id(name)} END AS {name}")
            if column.name == "unit_id":
                selected.append(f"{name} AS {OWN}{column.name}")
            ids[column.name] = Pseudonyms(key)
        elif column.kind == "id":
            selected.append(f"CAST({name} AS VARCHAR) AS {name}")
            ids[column.name] = Pseudonyms(key)
        else:
            selected.append(f"CAST({name} AS {columns.TYPES.get(column.kind, 'VARCHAR')}) AS {name}")
        if column.kind == "comment" and column.name in given:
            redacted[column.name], counts["PII-TEXT", "repaired"] = find_redactions(con, "kept", column.name)
    extras = _extras(con, source)
    selected += [f"{expression} AS {engine.quoted(f'x_{name}')}" for name, (expression, _) in extras.items()]
    fields = [(column.name, ARROW.get(column.kind, pa.string())) for column in table.columns]
    schema = pa.schema([*fields, *((f"x_{name}", kind) for name, (_, kind) in extras.items())])
    few = [name for name in schema.names if name not in ids and name not in redacted]
    with pq.ParquetWriter(path, schema, use_dictionary=few) as writer:
        for stretch in _stretches(con, ", ".join(selected), rows, source.table == "surveys"):
            writer.write_table(_private(stretch, ids, redacted).select(schema.names).cast(schema))
    return counts


def _stretches(con: duckdb.DuckDBPyConnection, selected: str, rows: list[int], is_survey: bool) -> Iterator[pa.Table]:
    """The clean rows, in the order of the exports, some at a time."""
    table, good, order = ("answers", "_failed = 0 AND", ", _order") if is_survey else ("kept", "", "")
    for number, count in enumerate(rows):
        for start in range(0, count, STRETCH):
            yield con.sql(f"SELECT {selected} FROM {table} WHERE {good} _file = {number} AND _row >= {start} "
                          f"AND _row < {start + STRETCH} ORDER BY _row{order}").to_arrow_table()


def _private(stretch: pa.Table, ids: dict[str, Pseudonyms], redacted: dict[str, dict[str, str]]) -> pa.Table:
    for name, pseudonyms in ids.items():
        found = pseudonyms.of(stretch[name].combine_chunks())
        if OWN + name in stretch.column_names:
            found = pc.coalesce(found, stretch[OWN + name].combine_chunks())
        stretch = stretch.set_column(stretch.column_names.index(name), name, found)
    for name, changed in redacted.items():
        if changed:
            coded = stretch[name].combine_chunks().dictionary_encode()
            texts = [changed.get(text, text) for text in coded.dictionary.to_pylist()]
            found = pa.array(texts, pa.string()).take(coded.indices)
            stretch = stretch.set_column(stretch.column_names.index(name), name, found)
    return stretch


def _extras(con: duckdb.DuckDBPyConnection, source: Source) -> dict[str, tuple[str, pa.DataType]]:
    """Extra columns as numbers where every value is one without a leading zero or over 15 digits, else as text."""
    found = {}
    for name in source.extra:
        text = engine.quoted(f"x_{name}")
        number = engine.cast(engine.number(text, source.decimal, source.thousands), "number")
        texts = engine.first(con, f"SELECT count(*) FILTER ({text} IS NOT NULL AND ({number} IS NULL OR "
                                  f"regexp_matches({text}, '^[+-]?(0\\d|\\d{{16}})'))) FROM kept")[0]
        found[name] = (text, pa.string()) if texts else (number, pa.float64())
    return found
