"""Words of an open category that differ by case alone are one word, spelled as most rows spell it."""

import duckdb

from pipeline.contracts.params import Source
from pipeline.ingest import columns, engine


def fold_words(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Give each word of a category without a declared list the spelling that most records of the source give it (the
    first in the order of its letters where several are as frequent), and note the records in the table `folded`.

    Only case is folded: accents and signs tell words apart. Records that broke a rule have no say.
    """
    con.execute("CREATE OR REPLACE TABLE folded(_file INTEGER, _row BIGINT)")
    for column in columns.mapped(source):
        if column.kind != "category" or columns.is_closed(column, source) or column.name == "currency":
            continue
        x = engine.quoted(column.name)
        con.execute(f"CREATE OR REPLACE TEMP TABLE spelled AS WITH words AS (SELECT {x} AS word, count(*) AS rows "
                    f"FROM records WHERE _failed = 0 AND {x} IS NOT NULL GROUP BY 1) SELECT word, "
                    "first(word) OVER (PARTITION BY lower(word) ORDER BY rows DESC, word) AS usual FROM words "
                    "QUALIFY word <> usual")
        if engine.first(con, "SELECT count(*) FROM spelled")[0]:
            con.execute(f"INSERT INTO folded SELECT _file, _row FROM records SEMI JOIN spelled ON {x} = word")
            for way in ("plain", "careful"):
                con.execute(f"UPDATE {way} SET {x} = usual FROM spelled WHERE {x} = word")
    con.execute("DROP TABLE IF EXISTS spelled")


def count_folded(con: duckdb.DuckDBPyConnection) -> int:
    """Records that came through with a word in another spelling than they were given."""
    return engine.first(con, "SELECT count(*) FROM kept SEMI JOIN folded USING (_file, _row)")[0]
