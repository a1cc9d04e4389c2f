"""The result of a query to PostgreSQL as Arrow batches, read-only and from one snapshot (driver: ADBC, on libpq)."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.contracts.params import Database
from pipeline.contracts.refusal import Refusal

AS_IS = {"int2", "int4", "int8", "text", "varchar", "bool", "timestamptz", "timestamp", "date", "float4", "float8"}
NO_VALUE = {"bytea", "json", "jsonb", "record", "interval", "xml", "money", "point", "tsvector"}
TELLING = ("08", "25", "28", "3D", "42", "53", "57")  # classes of SQLSTATE whose message names no value of a row


@dataclass(frozen=True)
class Answer:
    """A result that is about to be read: its rows as the snapshot counts them, and the batches, each read once."""

    schema: pa.Schema
    count: int
    fetched_at: str
    batches: Iterator[pa.RecordBatch]
    numeric: tuple[str, ...]

    def numbers(self) -> list[str]:
        """Columns whose texts are numbers with a point."""
        return list(self.numeric)


@contextmanager
def ask_postgresql(database: Database, where: str) -> Iterator[Answer]:
    """The answer, inside a read-only transaction of one snapshot that ends with the block."""
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi

    password = _password(database, where)
    try:
        connection = dbapi.connect(_address(database, password, where))
    except Error as error:
        raise _refusal("SQL-CONNECT", "the database cannot be reached", error, where, password) from None
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            inner = f"({database.query.strip().rstrip(';')}\n) AS q"
            schema = cursor.adbc_execute_schema(f"SELECT * FROM {inner}")
            columns, numeric = _columns(schema, where)
            cursor.execute("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
            now = cursor.fetchone()[0]
            cursor.execute(f"SELECT count(*) FROM {inner}")
            count = cursor.fetchone()[0]
            cursor.execute(f"SELECT {', '.join(columns)} FROM {inner}")
            reader = cursor.fetch_record_batch()
            plain = pa.schema([(field.name, field.type) for field in reader.schema])
            yield Answer(plain, count, now, (pa.RecordBatch.from_arrays(b.columns, schema=plain) for b in reader),
                         numeric)
            connection.rollback()
    except (Error, pa.ArrowException, OSError) as error:
        raise _refusal("SQL-QUERY", "the database refuses this query", error, where, password) from None
    finally:
        connection.close()


def _password(database: Database, where: str) -> str | None:
    if database.password_env is None:
        return None
    password = os.environ.get(database.password_env)
    if not password:
        raise Refusal("PARAM-SECRET", f"{where}.password_env names an environment variable that is not set",
                      file="params.yaml", found=database.password_env, expected="the password in that variable")
    return password


def _address(database: Database, password: str | None, where: str) -> str:
    """The connection string of libpq."""
    if not database.host or not database.name or not database.user:
        raise Refusal("PARAM-MISSING", f"{where} must say where the database is", file="params.yaml",
                      expected="host, name and user (and port, password_env)")
    parts: dict[str, Any] = {"host": database.host, "port": database.port, "dbname": database.name,
                             "user": database.user, "password": password, "sslmode": database.ssl,
                             "connect_timeout": 15, "application_name": "vivencia"}
    return " ".join(f"{key}='{_escaped(value)}'" for key, value in parts.items() if value is not None)


def _escaped(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace("'", "\\'")


def _columns(schema: pa.Schema, where: str) -> tuple[list[str], tuple[str, ...]]:
    """(select list, columns that are numbers spelled as text): exact types as they are, all others as their text."""
    names = schema.names
    folded = [name.casefold() for name in names]  # as the engine that reads the file takes them
    twice = [name for name in names if folded.count(name.casefold()) > 1]
    if twice:
        raise Refusal("COL-DUP", "the query names this column more than once", file=where, column=twice[0],
                      found=f"{folded.count(twice[0].casefold())} times",
                      expected="once: give one of them another name (AS)")
    found, numeric = [], []
    for field in schema:
        kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
        name = '"' + field.name.replace('"', '""') + '"'
        if kind in NO_VALUE or kind.startswith("_"):
            raise Refusal("COL-TYPE", "a column of the query holds neither text, number nor time", file=where,
                          column=field.name, found=kind, expected="a cast in the query, or the query without it")
        if kind == "numeric":
            numeric.append(field.name)
        found.append(name if kind in AS_IS else f"{name}::text AS {name}")
    return found, tuple(numeric)


def _refusal(rule: str, sentence: str, error: Exception, where: str, password: str | None) -> Refusal:
    """What the server said, in one line, without values of rows and without the password."""
    state = getattr(error, "sqlstate", None) or ""
    details = dict(getattr(error, "details", None) or ())
    said = details.get(b"PG_DIAG_MESSAGE_PRIMARY", details.get("PG_DIAG_MESSAGE_PRIMARY"))
    if said is None and (rule == "SQL-CONNECT" or state[:2] in TELLING):
        said = str(error)
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if said is None or (rule == "SQL-QUERY" and state[:2] not in TELLING):
        said = f"SQLSTATE {state}" if state else type(error).__name__
    said = re.sub(r"^.*?(FATAL|ERROR):\s*|^.*?\bfailed: ", "", said.strip().split("\n")[0]).strip()
    if password:
        said = said.replace(password, "…")
    return Refusal(rule, sentence, file=where, found=said, expected="a SELECT that this user may run"
                   if rule == "SQL-QUERY" else "host, port, name, user and password of a server that is up")
