"""The canonical table, written once: ids as pseudonyms, comments redacted, columns and types as in the contract.

Rows leave the engine stretch by stretch in the order of the exports, so that memory and sorting stay small whatever
the size; each stretch has its ids hashed and its comments blacked out on the way to the file. The three steps (read,
hash, write) work side by side on three stretches.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.contracts.ahead import ahead
from pipeline.contracts.params import Source
from pipeline.contracts.tables import TABLES
from pipeline.ingest import answers, columns, engine
from pipeline.ingest.duplicates import key_columns
from pipeline.ingest.privacy import count_variants, find_redactions
from pipeline.ingest.pseudonyms import Pseudonyms

STRETCH = 122_880  # records that are written together
ARROW = {"money": pa.decimal128(18, 4), "number": pa.float64(), "integer": pa.int64(), "timestamp": pa.timestamp("us"),
         "boolean": pa.bool_()}
OWN = "own_"  # in front of a name: the text of a unit that is no customer


def write_clean(con: duckdb.DuckDBPyConnection, source: Source, key: bytes, path: Path, rows: list[int],
                is_exact: bool = False, say: Callable[[str], None] = lambda what: None) -> Counter:
    """Write the clean rows in the order of the exports; returns rows by (KEY-NORM and PII-TEXT, "repaired"), or
    (KEY-EXACT, "warned") where ids are taken as they stand (is_exact).

    rows: records in each file. key: of the pseudonyms.
    """
    counts: Counter = Counter()
    odd = ("KEY-EXACT", "warned") if is_exact else ("KEY-NORM", "repaired")
    table, given = TABLES[source.table], {column.name for column in columns.mapped(source)}
    selected, said, ids, redacted, is_survey = [], [], {}, {}, source.table == "surveys"
    for column in table.columns:
        name = engine.quoted(column.name)
        into = said if is_survey and column.name in answers.told(source) else selected
        if column.name == "unit_id" or (column.kind == "id" and column.name in given):
            of_customers = "unit_kind = 'customer'" if column.name == "unit_id" else "TRUE"
            is_key = column.kind == "id" and len(key_columns(source)) == 1 and column.name in table.key
            if column.name in given:
                counts[odd] += count_variants(con, "kept", column.name, of_customers, is_key)
            into.append(f"CASE WHEN {of_customers} THEN {engine.normal_id(name, is_exact)} END AS {name}")
            if column.name == "unit_id":
                into.append(f"{name} AS {OWN}{column.name}")
            ids[column.name] = Pseudonyms(key, is_key)
        elif column.kind == "id":
            into.append(f"CAST({name} AS VARCHAR) AS {name}")
            ids[column.name] = Pseudonyms(key)
        else:
            into.append(f"CAST({name} AS {columns.TYPES.get(column.kind, 'VARCHAR')}) AS {name}")
        if column.kind == "comment" and column.name in given:
            redacted[column.name], counts["PII-TEXT", "repaired"] = find_redactions(con, "kept", column.name)
    extras = _extras(con, source)
    selected += [f"{expression} AS {engine.quoted(f'x_{name}')}" for name, (expression, _) in extras.items()]
    fields = [(column.name, ARROW.get(column.kind, pa.string())) for column in table.columns]
    schema = pa.schema([*fields, *((f"x_{name}", kind) for name, (_, kind) in extras.items())])
    few = [name for name in schema.names if name not in ids and name not in redacted]
    read = ahead(_read(con, selected, said, rows, say))
    hashed = ahead(tuple(_private(table, ids, redacted) for table in stretch) for stretch in read)
    with pq.ParquetWriter(path, schema, use_dictionary=few) as writer:
        for records, *own in hashed:
            stretch = _answered(records, *own) if own else records
            writer.write_table(stretch.select(schema.names).cast(schema))
    return counts


def _read(con: duckdb.DuckDBPyConnection, selected: list[str], said: list[str], rows: list[int],
          say: Callable[[str], None]) -> Iterator[tuple[pa.Table, ...]]:
    """Stretch by stretch the records that came through, and of a survey their answers."""
    for done, within in enumerate(_stretches(rows)):
        say(f"writing: {min(done * STRETCH, sum(rows))} of {sum(rows)} rows")
        queries = [f"SELECT _row, {', '.join(selected)} FROM kept WHERE {within} ORDER BY _row"]
        if said:
            queries.append(f"SELECT _row, {', '.join(said)} FROM answers WHERE _failed = 0 AND {within} "
                           "ORDER BY _row, _order")
        yield tuple(con.sql(query).to_arrow_table() for query in queries)


def _stretches(rows: list[int]) -> Iterator[str]:
    """The records of the exports in their order, some at a time, as conditions."""
    for number, count in enumerate(rows):
        for start in range(0, count, STRETCH):
            yield f"_file = {number} AND _row >= {start} AND _row < {start + STRETCH}"


def _answered(records: pa.Table, answers: pa.Table) -> pa.Table:
    """One row per answer: its own columns, and those of its record."""
    places = np.searchsorted(records["_row"].to_numpy(), answers["_row"].to_numpy())
    found = records.drop_columns("_row").take(pa.array(places))
    for name in answers.column_names[1:]:
        found = found.append_column(name, answers[name])
    return found


def _private(stretch: pa.Table, ids: dict[str, Pseudonyms], redacted: dict[str, dict[str, str]]) -> pa.Table:
    for name, pseudonyms in ids.items():
        if name not in stretch.column_names:
            continue
        found = pseudonyms.of(stretch[name].combine_chunks())
        if OWN + name in stretch.column_names:
            found = pc.coalesce(found, stretch[OWN + name].combine_chunks())
        stretch = stretch.set_column(stretch.column_names.index(name), name, found)
    for name, changed in redacted.items():
        if changed and name in stretch.column_names:
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
