"""Words of an open category that differ by case alone are one word, spelled as most rows spell it."""

from datetime import datetime

import duckdb

from pipeline.contracts.params import Source
from pipeline.contracts.tables import Column
from pipeline.ingest import columns, engine
from pipeline.ingest.account import named
from pipeline.ingest.raw import Loaded

CODE = "[A-Za-z0-9._/-]{2,12}"  # with a digit and no four letters in a row: a1, XL-07; Norte2 is a word
LEAST, SHARE = 20, 0.1  # rows in the rarer spelling, and its share of both, from which it is no slip


def fold_words(con: duckdb.DuckDBPyConnection, source: Source, loaded: list[Loaded]) -> dict[str, int]:
    """Give each word of a category without a declared list the spelling that most records of the source give it (the
    first in the order of its letters where several are as frequent), and note the records in the table `folded`.

    Only case is folded: accents and signs tell words apart. Records that broke a rule have no say. Codes of which two
    spellings are frequent side by side, in one file or over the same days in all of them, are left as they are:
    returned is a sentence for each such pair (CAT-CODE) with the records of its rarer spelling.
    """
    con.execute("CREATE OR REPLACE TABLE folded(_file INTEGER, _row BIGINT)")
    codes: dict[str, int] = {}
    for column in columns.mapped(source):
        if column.kind != "category" or columns.is_closed(column, source) or column.name == "currency":
            continue
        x = engine.quoted(column.name)
        con.execute(f"CREATE OR REPLACE TEMP TABLE spelled AS WITH words AS (SELECT {x} AS word, count(*) AS rows "
                    f"FROM records WHERE _failed = 0 AND {x} IS NOT NULL GROUP BY 1) SELECT word, "
                    "first(word) OVER (PARTITION BY lower(word) ORDER BY rows DESC, word) AS usual FROM words "
                    "QUALIFY word <> usual")
        for word, usual, files, rows in _codes_apart(con, source, column):
            con.execute("DELETE FROM spelled WHERE word = ?", [word])
            where = f"{named([loaded[file].export.name for file in files])}, column {source.columns[column.name]!r}"
            codes[f"{where}: {word!r} and {usual!r} both "
                  "stand often side by side, and are taken for two codes; `words` makes them one (CAT-CODE)"] = rows
        if engine.first(con, "SELECT count(*) FROM spelled")[0]:
            con.execute(f"INSERT INTO folded SELECT _file, _row FROM records SEMI JOIN spelled ON {x} = word")
            for way in ("plain", "careful"):
                con.execute(f"UPDATE {way} SET {x} = usual FROM spelled WHERE {x} = word")
    con.execute("DROP TABLE IF EXISTS spelled")
    return codes


Apart = tuple[str, str, list[int], int]


def _codes_apart(con: duckdb.DuckDBPyConnection, source: Source, column: Column) -> list[Apart]:
    """(rarer spelling, usual one, files, records of the rarer one): the first file in which both are frequent at the
    same time, or all with either where they are so over the source as a whole (which only times can tell)."""
    is_code = (f"regexp_full_match(word, {engine.literal(CODE)}) AND regexp_matches(word, '[0-9]') "
               "AND NOT regexp_matches(word, '[A-Za-z]{4}')")
    pairs = con.execute(f"SELECT word, usual FROM spelled WHERE {is_code} ORDER BY ALL").fetchall()
    if not pairs:
        return []
    time = next((c.name for c in columns.mapped(source) if c.kind == "timestamp"), None)
    day = engine.quoted(time) if time and source.table != "customers" else "NULL::TIMESTAMP"
    x = engine.quoted(column.name)
    found = con.execute(f"SELECT {x}, _file, count(*), quantile_disc({day}, 0.05), quantile_disc({day}, 0.95) "
                        f"FROM records WHERE _failed = 0 AND {x} IN (SELECT word FROM spelled UNION SELECT usual FROM "
                        "spelled) GROUP BY GROUPING SETS ((1, 2), (1))").fetchall()
    facts = {(word, file): rest for word, file, *rest in found if file is not None}
    whole = {word: rest for word, file, *rest in found if file is None}
    apart = []
    for word, usual in pairs:
        either = sorted({file for own, file in facts if own in (word, usual)})
        files = [file for file in either if {(word, file), (usual, file)} <= facts.keys()
                 and _stand_together(facts[word, file], facts[usual, file])][:1]
        if not files and day != "NULL::TIMESTAMP" and _stand_together(whole[word], whole[usual]):
            files = either
        if files:
            apart.append((word, usual, files, whole[word][0]))
    return apart


def _stand_together(one: list[int | datetime], other: list[int | datetime]) -> bool:
    """Whether both are frequent, and most of the shorter time of theirs is one of the other too (rows, begin, end)."""
    rows = sorted((one[0], other[0]))
    if rows[0] < LEAST or rows[0] < SHARE * sum(rows):
        return False
    if None in (*one, *other):
        return True
    common = min(one[2], other[2]) - max(one[1], other[1])
    return common * 2 >= min(one[2] - one[1], other[2] - other[1]) and min(one[2], other[2]) >= max(one[1], other[1])


def count_folded(con: duckdb.DuckDBPyConnection) -> int:
    """Records that came through with a word in another spelling than they were given."""
    return engine.first(con, "SELECT count(*) FROM kept SEMI JOIN folded USING (_file, _row)")[0]
