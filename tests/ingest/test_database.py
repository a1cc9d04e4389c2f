"""A query's result as an export: from SQLite, and from a real PostgreSQL that the tests start.

Without PostgreSQL on the machine its tests are skipped and say so; VIVENCIA_POSTGRES=required makes that a failure.
"""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from pipeline.contracts.params import Database, Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import phrased
from pipeline.ingest import fetch as fetching
from pipeline.ingest.fetch import fetch, line_of
from pipeline.ingest.fetch_sqlite import Answer
from pipeline.ingest.inspect import inspect_file
from tests.ingest.conftest import Workshop

ROOT = Path(__file__).parents[2]
COLUMNS = {"order_id": "id", "customer_id": "customer", "ordered_at": "at", "net_amount": "amount"}
SECRET = "s3cret's \\word"


def declared(shop: Workshop, database: Database, **more) -> Source:
    return Source(**{"table": "sales", "folder": str(shop.folder / "raw"), "files": "sales.parquet",
                     "format": "parquet", "columns": COLUMNS, "time_zone": "UTC", "database": database} | more)


def ingested(shop: Workshop, source: Source):
    return shop.ingest(None, **vars(source))


def refused(source: Source, rule: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        fetch(source, "sales")
    assert caught.value.rule == rule, str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(Path(source.folder).glob(".*.part"))
    return caught.value


@pytest.fixture
def lite(shop: Workshop) -> Source:
    path = shop.folder / "shop's.db"
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE sales(id, customer TEXT, at TEXT, amount, note BLOB)")
        con.executemany("INSERT INTO sales VALUES (?, ?, ?, ?, NULL)", [
            (9007199254740993, "007", "2025-03-01 10:00:00", 0.1), ("A-2", "C1", "2025-03-02 10:00:00", 0.2),
            (3, None, "31/02/2025", 1e-3), (4, "C2", "2025-03-04T10:00:00+02:00", 12)])
    con.close()
    return declared(shop, Database("sqlite", "SELECT id, customer, at, amount FROM sales ORDER BY rowid;", str(path)))


def test_the_rows_of_sqlite_come_exactly_and_the_file_says_when(shop: Workshop, lite: Source):
    found = fetch(lite, "sales")
    assert (found.rows, found.is_new) == (4, True)
    assert pq.read_metadata(found.path).num_rows == 4
    told = pq.read_metadata(found.path).metadata
    assert told[b"vivencia.fetched_at"].decode() == found.fetched_at and found.fetched_at.endswith("Z")
    read = ingested(shop, replace(lite, extra={"own": "id"}))
    assert read.clean["x_own"].tolist() == ["9007199254740993", "A-2", "4"]
    assert str(sum(read.clean["net_amount"])) == "12.3000"
    assert str(read.clean["ordered_at"].iloc[2]) == "2025-03-04 08:00:00"
    assert read.quarantine[["rule", "line"]].values.tolist() == [["DATE-FMT", 3]]


def test_the_same_rows_leave_the_file_and_its_date_and_other_rows_replace_it(lite: Source):
    first = fetch(lite, "sales")
    before = first.path.read_bytes()
    again = fetch(lite, "sales")
    assert (again.is_new, again.fetched_at) == (False, first.fetched_at) and first.path.read_bytes() == before
    assert phrased(line_of("ventas", first), "es") == f"ventas: 4 filas de {first.fetched_at} en {first.path}"
    said = f"ventas: 4 filas, las mismas que las de {first.fetched_at}: se deja como está {first.path}"
    assert phrased(line_of("ventas", again), "es") == said
    with sqlite3.connect(lite.database.file) as con:
        con.execute("UPDATE sales SET amount = 13 WHERE id = 4")
    con.close()
    assert fetch(lite, "sales").is_new and first.path.read_bytes() != before


def test_a_column_that_holds_texts_among_its_numbers_needs_its_convention(shop: Workshop, lite: Source):
    with sqlite3.connect(lite.database.file) as con:
        con.execute("INSERT INTO sales VALUES (5, 'C3', '2025-03-05', '1.234,50', NULL)")
    con.close()
    fetch(lite, "sales")
    shop.refuse(None, "NUM-LOCALE", **vars(lite))


@pytest.mark.parametrize(("query", "rule"), [
    ("SELECT id FROM nowhere", "SQL-QUERY"), ("SELECT 1); DELETE FROM sales; --", "SQL-QUERY"),
    ("DELETE FROM sales", "SQL-QUERY"), ("SELECT 1; SELECT 2", "SQL-QUERY"), ("SELECT x'00ff' AS id", "COL-TYPE"),
    ("SELECT CAST(x'ff' AS TEXT) AS id", "ENC-INVALID"),
])
def test_what_is_no_question_is_refused_and_changes_nothing(lite: Source, query: str, rule: str):
    refused(replace(lite, database=replace(lite.database, query=query)), rule)
    with sqlite3.connect(lite.database.file) as con:
        assert con.execute("SELECT count(*) FROM sales").fetchone() == (4,)
    con.close()
    assert list(Path(lite.folder).iterdir()) == []


@pytest.mark.parametrize(("query", "names"), [
    ('SELECT id, customer AS score, amount AS "score:1" FROM sales', ["id", "score", "score:1"]),
    ("SELECT * FROM scores", ["id", "score", "SCORE:1"]),  # as its table has them
    ("SELECT s.id, x.score, y.score FROM sales s, scores x, scores y", None),
    ("SELECT * FROM (SELECT s.id, x.score, y.score FROM sales s, scores x, scores y)", None),
    ('SELECT score, score, "SCORE:1" FROM scores', None),
    ("SELECT * FROM (SELECT a.score, b.score FROM marks a, marks b)", None),  # another table has a column score:1
    ("WITH two AS (SELECT a.score, b.score FROM marks a, marks b) SELECT * FROM two", None),
    ("SELECT * FROM doubled", None),  # a view
    ("SELECT * FROM (SELECT * FROM scores)", ["id", "score", "SCORE:1"]),
])
def test_a_name_that_sqlite_would_give_to_a_second_column_is_a_name_where_somebody_wrote_it(lite: Source, query, names):
    with sqlite3.connect(lite.database.file) as con:
        con.execute('CREATE TABLE scores AS SELECT 1 AS id, 2 AS score, 3 AS "SCORE:1"')
        con.execute('CREATE TABLE numbered AS SELECT 5 AS "score:1"')
        con.execute("CREATE TABLE marks AS SELECT 4 AS score")
        con.execute("CREATE VIEW doubled AS SELECT a.score, b.score FROM marks a, marks b")
    con.close()
    asked = replace(lite, database=replace(lite.database, query=query))
    if names is None:
        assert (refused(asked, "COL-DUP").column, refused(asked, "COL-DUP").found) == ("score", "2 times")
    else:
        assert pq.read_schema(fetch(asked, "sales").path).names == names


def test_a_missing_file_no_database_and_a_pattern_are_refused(shop: Workshop, lite: Source):
    refused(replace(lite, database=replace(lite.database, file=str(shop.folder / "none.db"))), "SQL-CONNECT")
    (shop.folder / "text.db").write_text("id,amount\n" * 100)
    refused(replace(lite, database=replace(lite.database, file=str(shop.folder / "text.db"))), "FMT-MAGIC")
    refused(replace(lite, files="*.parquet"), "PARAM-TYPE")
    refused(replace(lite, format="csv"), "PARAM-TYPE")


def test_rows_that_are_not_those_of_the_count_are_refused(lite: Source, monkeypatch):
    """An answer that breaks off must not look like a short one."""
    whole = Answer.batches.fget
    monkeypatch.setattr(Answer, "batches", property(lambda self: (b.slice(1) for b in whole(self))))
    refusal = refused(lite, "SQL-COUNT")
    assert refusal.found == "3 rows" and not (Path(lite.folder) / "sales.parquet").exists()


def test_memory_holds_one_group_of_rows(lite: Source, monkeypatch):
    """The rows are written group by group: no table of the whole result is ever made."""
    monkeypatch.setattr(fetching, "GROUP", 100)
    sizes = []
    plainly = fetching._groups
    monkeypatch.setattr(fetching, "_groups", lambda *given: (sizes.append(len(t)) or t for t in plainly(*given)))
    series = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 950) SELECT id FROM n"
    found = fetch(replace(lite, database=replace(lite.database, query=series)), "sales")
    assert found.rows == 950 and sizes == [100] * 9 + [50]
    assert pd.read_parquet(found.path)["id"].tolist() == [str(n) for n in range(1, 951)]


def _binaries() -> Path | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(places[-1]) if places else shutil.which("initdb")
    return Path(found).parent if found else None


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of its own on a socket in a temporary folder: (folder of the socket, password)."""
    binaries = _binaries()
    if binaries is None:
        if os.environ.get("VIVENCIA_POSTGRES") == "required":
            pytest.fail("PostgreSQL is required on this machine and not installed")
        pytest.skip("PostgreSQL is not installed: nothing of reading from it was tested")
    folder = Path(tempfile.mkdtemp(prefix="vivencia-pg-"))
    who = {"user": "nobody"} if os.geteuid() == 0 else {}  # the server refuses to run as root
    (folder / "password").write_text(SECRET)
    if who:
        for path in (folder, folder / "password"):
            shutil.chown(path, "nobody")
    tidy = {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}, "cwd": folder, "check": True,
            "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | who
    try:
        subprocess.run([binaries / "initdb", "-D", folder / "data", "-U", "owner", "-A", "scram-sha-256", "-E", "UTF8",
                        f"--pwfile={folder / 'password'}", "--no-sync"], **tidy)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        subprocess.run([binaries / "pg_ctl", "-D", folder / "data", "-o", options, "-w", "start"], **tidy)
        try:
            yield folder
        finally:
            subprocess.run([binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop"], **tidy)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def asked(shop: Workshop, server: Path, monkeypatch) -> Source:
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    return declared(shop, Database("postgresql", "SELECT 1 AS id, 2 AS amount, 3 AS customer, now() AS at",
                                   host=str(server), name="postgres", user="owner", password_env="SHOP_PASSWORD"))


def query(source: Source, text: str, **more) -> Source:
    return replace(source, database=replace(source.database, query=text), **more)


ROWS = """SELECT * FROM (VALUES
    (9007199254740993, '007', timestamptz '2025-03-30 02:30:00+02', 1234.10::numeric),
    (2, 'Ñandú', '2025-03-02 10:00:00.5+00', 0.20), (3, NULL, NULL, 12.00), (4, '=1+1', '2025-01-01', 'NaN'))
    AS t(id, customer, at, amount) ORDER BY id DESC"""


def test_the_rows_of_postgresql_come_exactly(shop: Workshop, asked: Source):
    """Ids of 16 digits, cents, an instant of a summer night, letters and a formula, as they lie in the server."""
    found = fetch(query(asked, ROWS), "sales")
    assert (found.rows, found.is_new, found.fetched_at[:2]) == (4, True, "20")
    read = ingested(shop, query(asked, ROWS, extra={"own": "id", "who": "customer"}))
    assert read.clean["x_own"].tolist() == ["9007199254740993", "3", "2"]
    assert read.clean["x_who"].dropna().tolist() == ["007", "Ñandú"]
    assert str(sum(read.clean["net_amount"])) == "1246.3000"
    assert str(read.clean["ordered_at"][0]) == "2025-03-30 00:30:00"
    assert read.quarantine["rule"].tolist() == ["NUM-FINITE"]
    assert fetch(query(asked, ROWS), "sales").is_new is False


def test_many_rows_are_streamed_and_counted(shop: Workshop, asked: Source, monkeypatch):
    monkeypatch.setattr(fetching, "GROUP", 10_000)
    text = "SELECT n AS id, n / 100.0 AS amount, now() AS at, 'C' || n % 7 AS customer FROM generate_series(1, 45001) n"
    found = fetch(query(asked, text), "sales")
    assert found.rows == 45_001 and pq.ParquetFile(found.path).num_row_groups == 5
    amounts = pd.read_parquet(found.path)["amount"]
    assert amounts.iloc[-1].startswith("450.01")


def test_every_plain_type_is_read_and_others_are_named(shop: Workshop, asked: Source):
    text = ("SELECT gen_random_uuid() AS id, true AS b, 0.1::float8 AS amount, date '2025-03-04' AS at, "
            "'x'::char(3) AS customer, time '10:00' AS t")
    fetch(query(asked, text), "sales")
    read = ingested(shop, query(asked, text, extra={"clock": "t"}))
    assert str(read.clean["net_amount"][0]) == "0.1000" and str(read.clean["ordered_at"][0]) == "2025-03-04 00:00:00"
    assert read.clean["x_clock"].tolist() == ["10:00:00"]
    for kind in ("'{1}'::int[]", "'{}'::jsonb", "'a'::bytea", "interval '1 day'", "'1'::money"):
        assert refused(query(asked, f"SELECT {kind} AS id"), "COL-TYPE").column == "id"
    assert refused(query(asked, "SELECT 1 AS id, 2 AS id"), "COL-DUP").found == "2 times"


def test_the_server_is_asked_and_never_told(asked: Source):
    for text in ("DELETE FROM pg_class", "SELECT 1); CREATE TABLE x(a int); --", "SELECT 1; COMMIT; SELECT 2",
                 "CREATE TABLE x(a int)"):
        refused(query(asked, text), "SQL-QUERY")
    lock = "SELECT oid AS id FROM pg_class FOR UPDATE"  # needs the right to write
    assert "read-only" in str(refused(query(asked, lock), "SQL-QUERY"))
    said = refused(query(asked, "SELECT id FROM nowhere"), "SQL-QUERY")
    assert said.found == 'relation "nowhere" does not exist'


def test_a_failing_cast_names_no_value(asked: Source):
    """What the server says of a bad value repeats it: a name, an address. The refusal says the kind of error only."""
    text = "SELECT CAST(n AS int) AS id FROM (VALUES ('Ana Pérez')) t(n)"
    said = refused(query(asked, text), "SQL-QUERY")
    assert "Ana" not in str(said) and said.found == "SQLSTATE 22P02"


def test_the_password_comes_from_its_variable_and_is_never_printed(asked: Source, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "wr0ng-word")
    said = refused(asked, "SQL-CONNECT")
    assert "wr0ng-word" not in str(said) and "password authentication failed" in said.found
    monkeypatch.delenv("SHOP_PASSWORD")
    assert refused(asked, "PARAM-SECRET").found == "SHOP_PASSWORD"
    said = refused(replace(asked, database=replace(asked.database, host="/nowhere", password_env=None)), "SQL-CONNECT")
    assert "No such file" in said.found


def test_a_user_fetches_by_command_and_refusals_exit_with_2(asked: Source, server: Path, tmp_path: Path):
    params = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    block = {"table": "sales", "folder": "raw", "files": "shop.parquet", "format": "parquet", "columns": COLUMNS,
             "time_zone": "UTC", "database": {"kind": "postgresql", "query": ROWS, "host": str(server),
                                              "name": "postgres", "user": "owner", "password_env": "SHOP_PASSWORD"}}
    params["sources"] |= {"shop": block, "bad": block | {"database": block["database"] | {"query": "SELECT x"}}}
    (tmp_path / "params.yaml").write_text(json.dumps(params))  # JSON is YAML

    def run(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-m", "pipeline.ingest", "fetch", *words], cwd=tmp_path, text=True,
                              capture_output=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)})
    done = run()
    assert done.returncode == 2 and done.stdout.startswith("shop: 4 rows of 20") and (tmp_path / "raw").is_dir()
    assert done.stderr.count("\n") == 1 and "bad: refused: " in done.stderr and "[SQL-QUERY]" in done.stderr
    assert run("shop").returncode == 0
    assert "PARAM-UNKNOWN" in run("tickets").stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_query_without_rows_leaves_what_lies_there(lite: Source):
    path = fetch(lite, "sales").path
    before = path.read_bytes()
    nothing = replace(lite, database=replace(lite.database, query="SELECT id, customer, at, amount FROM sales WHERE 0"))
    assert refused(nothing, "FILE-NOROWS").found == "0 rows" and path.read_bytes() == before
    assert fetch(replace(nothing, allow_empty=True), "sales").rows == 0


def test_a_fetched_file_is_for_its_owner_alone(lite: Source):
    assert stat.S_IMODE(fetch(lite, "sales").path.stat().st_mode) == 0o600


def test_inspect_says_how_a_database_is_declared(lite: Source):
    with pytest.raises(Refusal) as caught:
        inspect_file(Path(lite.database.file))
    told = caught.value
    assert (told.rule, told.file, told.found) == ("SQL-FILE", "shop's.db", "tables sales")
    assert "kind: sqlite" in told.expected and "fetch" in told.expected
