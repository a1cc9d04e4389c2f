"""The result of a query to an SQLite file as Arrow batches, read-only and from one snapshot."""

import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from pipeline.contracts.params import Database
from pipeline.contracts.refusal import Refusal

BATCH = 20_000


@dataclass
class Answer:
    """A result that is about to be read, all as text: SQLite types its cells, not its columns."""

    schema: pa.Schema
    count: int
    fetched_at: str
    cursor: sqlite3.Cursor
    where: str
    texts: set[str] = field(default_factory=set)  # columns in which a text was seen
    digits: set[str] = field(default_factory=set)  # columns in which a number was seen

    @property
    def batches(self) -> Iterator[pa.RecordBatch]:
        while rows := self.cursor.fetchmany(BATCH):
            columns = [[self._text(value, name) for value in column]
                       for name, column in zip(self.schema.names, zip(*rows, strict=True), strict=True)]
            yield pa.RecordBatch.from_arrays([pa.array(c, pa.string()) for c in columns], schema=self.schema)

    def numbers(self) -> list[str]:
        """Columns whose texts are numbers with a point: those of which no cell was a text."""
        return [name for name in self.schema.names if name in self.digits - self.texts]

    def _text(self, value: Any, column: str) -> str | None:
        if value is None:
            return None
        if isinstance(value, str):
            self.texts.add(column)
            return value
        if isinstance(value, bytes):
            raise Refusal("COL-TYPE", "a column of the query holds bytes", file=self.where, column=column,
                          found="a blob", expected="a cast in the query, or the query without it")
        self.digits.add(column)
        if isinstance(value, int) or not math.isfinite(value):
            return str(value)
        return format(Decimal(repr(value)), "f").removesuffix(".0")


@contextmanager
def ask_sqlite(database: Database, where: str) -> Iterator[Answer]:
    """The answer, inside a read transaction that ends with the block."""
    path = Path(database.file or "").expanduser()
    if not database.file or not path.is_file():
        raise Refusal("SQL-CONNECT", "there is no such SQLite file", file=where, found=repr(database.file),
                      expected="`file:` with the path of the database")
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        inner = f"({database.query.strip().rstrip(';')}\n)"
        count = connection.execute(f"SELECT count(*) FROM {inner}").fetchone()[0]
        cursor = connection.execute(f"SELECT * FROM {inner}")
        names = [column[0] for column in cursor.description]
        _refuse_twice(names, path, database.query, where)
        schema = pa.schema([(name, pa.string()) for name in names])
        yield Answer(schema, count, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), cursor, where)
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name == "SQLITE_NOTADB":
            raise Refusal("FMT-MAGIC", "this is no SQLite database", file=str(path),
                          expected="an SQLite file") from None
        if "decode" in str(error):
            raise Refusal("ENC-INVALID", "a text of the database is not UTF-8", file=where,
                          expected="the query without that column") from None
        raise Refusal("SQL-QUERY", "the database refuses this query", file=where, found=str(error).split("\n")[0],
                      expected="one SELECT") from None
    finally:
        connection.close()


def _refuse_twice(names: list[str], path: Path, query: str, where: str) -> None:
    """Refusal (COL-DUP) for a name that the query gives twice. SQLite calls the second one of an inner query score:1:
    a name of that form is taken for a name only where the query writes it, or reads it from a table."""
    known = {name.casefold() for name in names}
    numbered = {name: bare for name in names if (bare := re.sub(r":\d+$", "", name)) != name
                and bare.casefold() in known}
    if not numbered:
        return
    own, read = _own_names(path, query)
    written = query.casefold()
    for name, bare in numbered.items():
        times = own.count(bare.casefold())
        is_made = name.casefold() not in written and name.casefold() not in read
        if times > 1 or is_made:
            times = times if times > 1 else 1 + sum(other.casefold() == bare.casefold() for other in numbered.values())
            raise Refusal("COL-DUP", "the query names this column more than once", file=where, column=bare,
                          found=f"{times} times", expected="once: give one of them another name (AS)")


def _own_names(path: Path, query: str) -> tuple[list[str], set[str]]:
    """(the names that the query gives when it is not inside another one, the columns that it reads from tables)."""
    read: set[tuple[str, str]] = set()

    def note(action: int, table: str | None, column: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and table and column:
            read.add((table.casefold(), column.casefold()))
        return sqlite3.SQLITE_OK

    with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)) as connection:
        connection.execute("PRAGMA query_only = ON")
        tables = {name.casefold() for (name,) in
                  connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        connection.set_authorizer(note)
        own = [name.casefold() for name, *_ in connection.execute(query).description]
    return own, {column for table, column in read if table in tables}
