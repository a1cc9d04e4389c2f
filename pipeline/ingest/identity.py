"""Ids in which case may tell one from another: the company says whether it does (company.ids)."""

import duckdb
import numpy as np

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import columns, engine
from pipeline.ingest.evidence_columns import SHORTEST
from pipeline.ingest.raw import Loaded

CASED = "[A-Za-z0-9_-]*"


def _cased(x: str) -> str:
    """`evidence_columns.is_cased` as an expression, the cheapest test first."""
    return (f"{x} <> upper({x}) AND {x} <> lower({x}) AND strlen({x}) >= {SHORTEST} "
            f"AND regexp_full_match({x}, '{CASED}') AND regexp_matches({x}, '.[A-Z]') "
            f"AND regexp_matches({x}, '[a-z]') AND regexp_matches({x}, '[0-9]')")


def refuse_case(con: duckdb.DuckDBPyConnection, source: Source, loaded: list[Loaded]) -> None:
    """Refusal (KEY-CASE) for the first column in which two such ids are the same but for case, where nobody said
    whether case counts: folding would make one customer of two, and keeping would make two of one."""
    for column in columns.mapped(source):
        if column.kind != "id":
            continue
        x = engine.quoted(column.name)
        number, file, row = engine.first(con, f"""
            WITH cased AS (SELECT {x} AS id, min((_file, _row)) AS place FROM records WHERE _failed = 0 AND {_cased(x)}
                           GROUP BY 1),
            several AS (SELECT count(*) AS ids, min(place) AS place FROM cased GROUP BY lower(id) HAVING count(*) > 1)
            SELECT coalesce(sum(ids), 0), min(place)[1], min(place)[2] FROM several""")
        if number:
            one = loaded[file]
            raise Refusal("KEY-CASE", "ids that differ by case alone, and nothing says whether they are the same",
                          file=one.export.name, line=int(one.lines_of(np.array([row]))[0]),
                          column=source.columns[column.name], found=f"{number} such ids",
                          expected="`company.ids: exact` if they are different ones (Salesforce), or "
                          "`company.ids: folded` if they are the same")
