"""Cells that a tool writes on the first line of an order only, taken down to its other lines."""

from dataclasses import replace

import duckdb

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.engine import first, quoted
from pipeline.ingest.header import declared_headers
from pipeline.ingest.raw import OTHERS, Loaded


def fill_down(con: duckdb.DuckDBPyConnection, loaded: Loaded, source: Source) -> Loaded:
    """The same export, its table with the empty cells of `fill_down` as on the nearest line above of the same order.

    Rows and their order stay; the rows that took a cell are counted (ORDER-FILL). An order is the lines of one file
    with one text under the header of order_id; what no line above holds stays empty.
    """
    if not source.fill_down:
        return loaded
    key, known = source.columns.get("order_id"), declared_headers(source)
    strange = [name for name in source.fill_down if name not in known or name == key]
    if key is None or strange:
        own = "fill_down names the header of columns.order_id, whose own cells cannot be filled"
        raise Refusal("PARAM-UNKNOWN", own if key is not None and strange[0] == key else
                      "fill_down names headers of this source, and needs columns.order_id",
                      file="params.yaml", found=repr(strange[0]) if strange else "no order_id",
                      expected=", ".join(name for name in known if name != key))
    table, above = quoted(loaded.table), f"OVER (PARTITION BY {quoted(key)} ORDER BY rowid ROWS UNBOUNDED PRECEDING)"
    filled = {name: f"CASE WHEN {quoted(key)} IS NULL THEN nullif({quoted(name)}, '') ELSE "
                    f"last_value(nullif({quoted(name)}, '') IGNORE NULLS) {above} END" for name in source.fill_down}
    taken = " OR ".join(f"(nullif({quoted(name)}, '') IS NULL AND {sql} IS NOT NULL)" for name, sql in filled.items())
    columns = ", ".join(f"{filled[name]} AS {quoted(name)}" if name in filled else quoted(name)
                        for name in (*known, OTHERS))
    rows = first(con, f"SELECT count(*) FILTER (taken) FROM (SELECT {taken} AS taken FROM {table})")[0]
    con.execute(f"CREATE OR REPLACE TABLE filled AS SELECT {columns} FROM {table} ORDER BY rowid")
    con.execute(f"DROP TABLE {table}; ALTER TABLE filled RENAME TO {table}")
    return replace(loaded, notes=loaded.notes | ({"ORDER-FILL": rows} if rows else {}))
