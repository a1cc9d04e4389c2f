"""The canonical table, written once: ids as pseudonyms, comments redacted, columns and types as in the contract."""

from collections import Counter
from pathlib import Path

import duckdb

from pipeline.contracts.params import Source
from pipeline.contracts.tables import TABLES
from pipeline.ingest import columns, engine
from pipeline.ingest.privacy import make_forms, make_redactions


def write_clean(con: duckdb.DuckDBPyConnection, source: Source, path: Path, is_survey: bool) -> Counter:
    """Write the clean rows in the order of the exports; returns rows by (KEY-NORM and PII-TEXT, "repaired")."""
    table = TABLES[source.table]
    rows = "answers" if is_survey else "kept"
    counts: Counter = Counter()
    joins, selected = [], []
    given = {column.name for column in columns.mapped(source)}
    for column in table.columns:
        name = engine.quoted(column.name)
        if column.name in given and (column.kind == "id" or column.name == "unit_id"):
            where = "unit_kind = 'customer'" if column.name == "unit_id" else "TRUE"
            counts["KEY-NORM", "repaired"] += make_forms(con, "kept", column.name, f"forms_{column.name}", where)
            joins.append(f"LEFT JOIN forms_{column.name} ON r.{name} = forms_{column.name}.raw")
            plain = f"r.{name}" if column.name == "unit_id" else "NULL"
            selected.append(f"coalesce(forms_{column.name}.pseudonym, {plain}) AS {name}")
        elif column.kind == "id":
            selected.append(f"{engine.pseudonym(f'CAST(r.{name} AS VARCHAR)')} AS {name}")
        elif column.kind == "comment" and column.name in given:
            make_redactions(con, "kept", column.name, "redacted")
            counts["PII-TEXT", "repaired"] += engine.first(
                con, f"SELECT count(*) FROM kept JOIN redacted ON kept.{name} = redacted.raw")[0]
            joins.append(f"LEFT JOIN redacted ON r.{name} = redacted.raw")
            selected.append(f"coalesce(redacted.redacted, r.{name}) AS {name}")
        else:
            selected.append(f"CAST(r.{name} AS {columns.TYPES.get(column.kind, 'VARCHAR')}) AS {name}")
    selected += [f"{expression} AS x_{name}" for name, expression in _extras(con, source).items()]
    order = "r._file, r._row" + (", r._order" if is_survey else "")
    good = "WHERE r._failed = 0" if is_survey else ""
    query = f"SELECT {', '.join(selected)} FROM {rows} r {' '.join(joins)} {good} ORDER BY {order}"
    con.execute(f"COPY ({query}) TO {engine.literal(str(path))} (FORMAT parquet)")
    return counts


def _extras(con: duckdb.DuckDBPyConnection, source: Source) -> dict[str, str]:
    """Extra columns as numbers where every value is one without a leading zero or over 15 digits, else as text."""
    found = {}
    for name in source.extra:
        text = engine.quoted(f"x_{name}")
        number = engine.cast(engine.number(text, source.decimal, source.thousands), "number")
        texts = engine.first(con, f"SELECT count(*) FILTER ({text} IS NOT NULL AND ({number} IS NULL OR "
                                  f"regexp_matches({text}, '^[+-]?(0\\d|\\d{{16}})'))) FROM kept")[0]
        found[name] = f"r.{text}" if texts else engine.cast(
            engine.number(f"r.{text}", source.decimal, source.thousands), "number")
    return found
