"""python -m pipeline.ingest fetch: the result of a declared query as an export in data/raw, whole and dated.

The query runs once, read-only, in one snapshot that also counts its rows. What lies in data/raw is a file like any
other: a run can be repeated without the database, and a changed result is a changed file.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts.params import Params, Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.fetch_postgresql import ask_postgresql
from pipeline.ingest.fetch_sqlite import ask_sqlite
from pipeline.ingest.read_parquet import NUMBERS

GROUP = 50_000  # rows of a row group: they are what is held in memory
DIGEST, FETCHED, QUERY = b"vivencia.digest", b"vivencia.fetched_at", b"vivencia.query"
SILENCE_S = 5.0  # without a word on how far it is
ASK: dict[str, Callable[..., AbstractContextManager]] = {"postgresql": ask_postgresql, "sqlite": ask_sqlite}


@dataclass(frozen=True)
class Fetched:
    """rows of the result; fetched_at: the database's time of the file that lies there now; is_new: it was written."""

    path: Path
    rows: int
    fetched_at: str
    is_new: bool


def fetchable(names: list[str], params: Params) -> list[str]:
    """The named sources, or all that declare a database; Refusal for one that does not."""
    for name in names:
        if name not in params.sources or params.sources[name].database is None:
            raise Refusal("PARAM-UNKNOWN", "this source declares no database", file="params.yaml", found=repr(name),
                          expected=", ".join(n for n, s in params.sources.items() if s.database) or "`database:` in it")
    return names or [name for name, source in params.sources.items() if source.database]


def fetch(source: Source, name: str) -> Fetched:
    """Ask the database and put the result in place of the last one; it stays when the same rows came again.

    Refusals: SQL-CONNECT, SQL-QUERY, SQL-COUNT (the rows are not those that the same snapshot counted), FILE-NOROWS,
    COL-TYPE.
    """
    target = _target(source, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with ASK[source.database.kind](source.database, f"sources.{name}.database") as answer:
            rows, digest = _write(answer, part, name, source.database.query)
            if rows != answer.count:
                raise Refusal("SQL-COUNT", "the rows that came are not those that the database counted in the same "
                              "snapshot", file=f"sources.{name}.database", found=f"{rows} rows",
                              expected=f"{answer.count}; a query that draws by chance cannot be an export")
            if not rows and not source.allow_empty:
                raise Refusal("FILE-NOROWS", "the query brought no row, and what lies in data/raw stays",
                              file=f"sources.{name}.database", found="0 rows", expected="rows, or `allow_empty: true`")
            fetched_at = answer.fetched_at
        before = _metadata(target)
        if before.get(DIGEST) == digest.encode():
            return Fetched(target, rows, before.get(FETCHED, b"").decode(), False)
        with open(part, "rb+") as handle:
            os.fsync(handle.fileno())
        os.chmod(part, 0o600)
        os.replace(part, target)
        return Fetched(target, rows, fetched_at, True)
    finally:
        part.unlink(missing_ok=True)


def _target(source: Source, name: str) -> Path:
    if source.format != "parquet" or any(sign in source.files for sign in "*?[/"):
        raise Refusal("PARAM-TYPE", f"sources.{name} keeps the result of its query in one Parquet file",
                      file="params.yaml", found=f"{source.format}, {source.files}",
                      expected=f"`format: parquet` and `files: {name}.parquet`")
    return Path(source.folder) / source.files


def _metadata(path: Path) -> dict[bytes, bytes]:
    try:
        return pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return {}


def _write(answer, part: Path, name: str, query: str) -> tuple[int, str]:
    """(rows, digest of names, types and cells) of the answer, written row group by row group."""
    said, rows, digest = time.monotonic(), 0, hashlib.sha256(query.encode())
    digest.update(answer.schema.to_string(show_schema_metadata=False).encode())
    with pq.ParquetWriter(part, answer.schema) as writer:
        for group in _groups(answer.batches, answer.schema):
            writer.write_table(group)
            rows += len(group)
            for column in group.to_batches()[0].columns if len(group) else ():
                digest.update(repr(column.to_pylist()).encode())
            if time.monotonic() - said > SILENCE_S:
                said = time.monotonic()
                print(f"{name}: {rows} of {answer.count} rows", file=sys.stderr, flush=True)
        writer.add_key_value_metadata({
            NUMBERS: json.dumps(answer.numbers()).encode(), DIGEST: digest.hexdigest().encode(),
            FETCHED: answer.fetched_at.encode(), QUERY: query.encode()})
    return rows, digest.hexdigest()


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in groups of one size, so that how the network cut them leaves no trace."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += len(batch)
        while size >= GROUP:
            table = pa.Table.from_batches(held, schema)
            yield table.slice(0, GROUP).combine_chunks()
            held = table.slice(GROUP).to_batches()
            size -= GROUP
    yield pa.Table.from_batches(held, schema).combine_chunks()


def line_of(name: str, found: Fetched) -> str:
    """One line for people."""
    state = f"of {found.fetched_at}" if found.is_new else f"the same as those of {found.fetched_at}: left as it is"
    return f"{name}: {found.rows} rows {state} in {found.path}"
