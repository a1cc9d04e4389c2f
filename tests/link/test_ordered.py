"""What the engine sorts by numbers alone comes out as if every text had been sorted by, whatever the pieces."""

import random

import duckdb
import narwhals as nw
import pyarrow as pa
import pytest

from pipeline.link import ordered
from pipeline.link.engine import at_home, latest

KINDS = {"t": "timestamp", "kind": "text", "ref": "text", "instrument": "text"}
WORDS = {"kind": ["answer", "order"], "instrument": ["csat", "it's", "nps"]}


@pytest.fixture
def con():
    with duckdb.connect() as made, at_home(made):
        yield made


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_rows_that_are_alike_are_settled_by_their_texts(con, piece):
    draw = random.Random(5)
    rows = [(draw.randrange(4), draw.randrange(3), draw.choice(WORDS["kind"]), draw.choice(["b", "a", "ñ", "Z"]),
             draw.choice([*WORDS["instrument"], None])) for _ in range(400)]
    given = pa.table(dict(zip(("person", "t", "kind", "ref", "instrument"), zip(*rows, strict=True), strict=True)))
    con.register("given", given)
    made = con.sql("SELECT person::INTEGER AS person, make_timestamp(t::BIGINT) AS t, kind, ref, instrument FROM given")
    native = ordered.coded(nw.from_native(made), WORDS).to_native().to_arrow_table()
    types = {"person": "place", "t": "timestamp", "kind": "place", "ref": "text", "instrument": "place"}
    coded = nw.from_native(con.from_arrow(native))
    by_numbers = ordered.finished(coded, types, ["person", "t", "kind", "instrument"]).to_arrow_table()
    batches = by_numbers.combine_chunks().to_batches(max_chunksize=piece)
    settled = ordered._settled(batches, ["person", "t", "kind"], ["ref", "instrument"])
    found = pa.Table.from_batches(list(settled)).drop_columns("t").to_pylist()
    expected = sorted(rows, key=lambda row: (*row[:3], row[3].encode(), row[4] is None, row[4] or ""))
    places = {name: {word: place for place, word in enumerate(listed)} for name, listed in WORDS.items()}
    assert [tuple(row.values()) for row in found] == [
        (row[0], places["kind"][row[2]], row[3], places["instrument"].get(row[4])) for row in expected]


def test_words_and_ids_come_back(con):
    frame = nw.from_native(con.sql(
        "SELECT * FROM (VALUES (1::INTEGER, TIMESTAMP '2025-01-01', 'order', 'x', NULL::VARCHAR),"
        " (0, TIMESTAMP '2025-01-02', 'answer', 'r', 'nps'), (0, TIMESTAMP '2025-01-02', 'answer', 'q', 'nps'),"
        " (0, TIMESTAMP '2025-01-02', 'answer', 'q', 'it''s')) rows(person, t, kind, ref, instrument)"))
    people = nw.from_native(con.sql("SELECT i::INTEGER AS person, 'C' || i AS customer_id FROM range(2) t(i)"))
    made = ordered.in_order(ordered.coded(frame, WORDS), KINDS, ["person", "t", "kind", "ref", "instrument"], WORDS,
                            people).read_all()
    assert made.drop_columns("t").to_pylist() == [
        {"customer_id": "C0", "kind": "answer", "ref": "q", "instrument": "it's"},
        {"customer_id": "C0", "kind": "answer", "ref": "q", "instrument": "nps"},
        {"customer_id": "C0", "kind": "answer", "ref": "r", "instrument": "nps"},
        {"customer_id": "C1", "kind": "order", "ref": "x", "instrument": None}]


def test_the_latest_of_several_is_by_time_and_then_by_id(con):
    frame = nw.from_native(con.sql(
        "SELECT * FROM (VALUES ('A', 1::BIGINT, 3, 'x'), ('A', 2, 4, 'w'), ('A', 5, 4, 'y'), ('B', 7, 1, 'z'), "
        "('C', 8, 9, 'a'), ('C', 9, 2, 'b')) rows(who, points, t, id)"))
    made = latest(frame, ["who"], "points", ["t", "id"], ["points"]).to_native().order("who").fetchall()
    assert made == [("A", 8, 5), ("B", 7, 7), ("C", 17, 8)]
