"""Quoting, widths and line ends: what is a record, on which line it stands, and that every line is accounted for."""

import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.ingest import proof as proof_module
from pipeline.ingest import read_csv
from pipeline.ingest.proof import prove
from pipeline.ingest.records import read_records, split_fields
from tests.ingest.conftest import SALE, SURVEY, Workshop

COMMENTED = {"table": "surveys", "instruments": SURVEY["instruments"],
             "columns": {"response_id": "id", "comment": "comment"}}


@pytest.mark.parametrize(("text", "comments"), [
    ('1,"a, b",9\n', ["a, b"]),
    ('1,"says ""hi""",9\n', ['says "hi"']),
    ('1,"two\nlines",9\n', ["two\nlines"]),
    ('1,"two\r\nlines",9\n', ["two\r\nlines"]),
    ('1,"",9\n', [None]),
    ("1,#no comment,9\n#2,b,8\n", ["#no comment", "b"]),
    ("1,=cmd|' /C calc'!A0,9\n2,-5,8\n", ["=cmd|' /C calc'!A0", "-5"]),
    ('1,{"type": 1},9\n'.replace('{"type": 1}', '"{""type"": 1}"'), ['{"type": 1}']),
    ("1,año ☃,9", ["año ☃"]),
])
def test_what_is_quoted_is_kept(shop: Workshop, text: str, comments: list):
    found = shop.ingest("id,comment,nps\n" + text, **COMMENTED)
    assert found.clean["comment"].replace({np.nan: None}).tolist() == comments
    assert found.account.total("quarantined") == 0


@pytest.mark.parametrize(("body", "rule", "lines", "kept"), [
    ("1,a,9\n2,b\n3,c,8\n", "FMT-WIDTH", [3], 2),
    ("1,a,9\n2,slow, but ok,8\n3,c,8\n", "FMT-WIDTH", [3], 2),
    ("1,a,9\n2,,b,\n3,c,8\n", "FMT-WIDTH", [3], 2),  # the engine would read ('2', null, 'b') and no error
    ("1,a,9\nTotal,17\n", "FMT-FOOTER", [3], 1),
    ("1,a,9\nTotal,,\n", "FMT-FOOTER", [3], 1),
    ('1,a,9\n2,y"z,8\n3,c,8\n', "FMT-QUOTE", [3], 2),
    ('1,a,9\n2,"b"x,8\n3,c,8\n', "FMT-QUOTE", [3], 2),
    ('1,"good,9\n2,fine,8\n3,bad,2\n', "FMT-QUOTE", [2], 2),
    ('1,"good,9\n2,fine,8\n3,bad,2\n4,"ok",7\n', "FMT-QUOTE", [2], 3),
    ('1,"good,9\n2,fine,8\n3,bad,2\n4,ok",7\n5,y"z,1\n6,x,1\n', "FMT-QUOTE", [2, 3, 4, 5, 6], 1),
    ('1,"good,9\n2,fine,8\nthanks",7,\n5,x,1\n', "FMT-WIDTH", [2], 1),
])
def test_a_line_that_is_no_record_goes_to_quarantine_with_its_line(shop: Workshop, body, rule, lines, kept):
    found = shop.ingest("id,comment,nps\n" + body, **COMMENTED)
    assert found.quarantine["line"].tolist() == lines
    assert set(found.quarantine["rule"]) == {rule}
    assert found.account.total("clean") == kept


@pytest.mark.parametrize("damage", ["", "10,3.00\n", "11,3.00,ok\r\n"])
def test_a_comment_cannot_inject_records(shop: Workshop, damage: str):
    """A text whose quotes are balanced has one reading (Python's csv gives the same), whatever else is wrong in it."""
    text = 'id,amount,c\n1,2.00,"mi pedido:\n777,999.00,xx\ngracias"\n'
    text += "".join(f"{n},3.00,ok\n" for n in range(2, 10)) + damage
    found = shop.ingest(text, **SALE)
    good = [row for row in csv.reader(io.StringIO(text, newline="")) if len(row) == 3][1:]
    assert found.clean["net_amount"].astype(float).tolist() == [float(row[1]) for row in good]
    assert len(found.quarantine) == (damage == "10,3.00\n")


def test_a_comment_of_many_lines_is_one_field_whatever_else_is_wrong(shop: Workshop):
    comment = "\n".join(f"{n},injected,9" for n in range(300))
    found = shop.ingest(f'id,comment,nps\n1,"{comment}",9\n2,b\n3,c,8\r\n', **COMMENTED)
    assert found.clean["score"].tolist() == [9.0, 8.0]
    assert found.quarantine[["rule", "line"]].values.tolist() == [["FMT-WIDTH", 302]]


def test_blank_lines_are_dropped_and_counted_and_lines_stay_right(shop: Workshop):
    found = shop.ingest('id,comment,nps\n1,"a\n\nb",9\n\n\n2,c,12\n3,d\n\n4,e,99\n', **COMMENTED)
    assert found.rules["FMT-BLANK:dropped"] == 3
    assert found.quarantine[["rule", "line"]].values.tolist() == [["NPS-RANGE", 7], ["FMT-WIDTH", 8], ["NPS-RANGE", 10]]
    assert found.quarantine["file"].unique().tolist() == ["export.csv"]


@pytest.mark.parametrize("content", [
    b"id,comment,nps\n1,a,9\r\n2,b,8\n3,c,7\n", b"id,comment,nps\r1,a,9\r2,b,8\r3,c,7\r",
    b"id,comment,nps\r\n1,a,9\r2,b,8\n3,c,7",
])
def test_mixed_line_ends_are_repaired_and_counted(shop: Workshop, content: bytes):
    found = shop.ingest(content, **COMMENTED)
    assert found.clean["score"].tolist() == [9.0, 8.0, 7.0]
    assert "FMT-EOL:repaired" in found.rules


def test_a_field_above_the_limit_goes_to_quarantine(shop: Workshop):
    found = shop.ingest(f"id,comment,nps\n1,a,9\n2,{'x' * 3_000_000},8\n3,b,7\n", **COMMENTED)
    assert found.quarantine["rule"].tolist() == ["FMT-HUGE"] and found.account.total("clean") == 2


def test_a_file_whose_count_cannot_be_proved_is_read_carefully(shop: Workshop, monkeypatch):
    """The engine reads `y"z` as a good field; the proof sees the quote, and the careful reader takes over."""
    slow = []
    monkeypatch.setattr(read_csv, "_slow", lambda *a, real=read_csv._slow: slow.append(1) or real(*a))
    shop.ingest("id,comment,nps\n1,a,9\n", **COMMENTED)
    assert not slow
    shop.ingest('id,comment,nps\n1,a,9\n2,y"z,8\n', **COMMENTED)
    assert slow


def test_split_fields_takes_what_the_format_allows_and_nothing_else():
    assert split_fields('a,"b,""c""",', ",", '"') == ["a", 'b,"c"', ""]
    assert split_fields('"a"b,c', ",", '"') is None
    assert split_fields('a"b,c', ",", '"') is None
    assert split_fields('a,"b', ",", '"') is None
    assert split_fields('a,"b', ",", "") == ["a", '"b']


CELL = st.text(alphabet=st.sampled_from(list('ab1 ",;\n\r\'é☃#=')), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12), end=st.sampled_from(["\n", "\r\n"]))
def test_a_well_written_file_gives_back_every_cell(tmp_path_factory, rows, end):
    """Whatever stands in the cells, a file written by Python's csv module has one record per row, at its line."""
    folder = tmp_path_factory.mktemp("csv")
    proof_module.BLOCK = 16  # so that records lie across the blocks in which a file is read
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("x", "y"), *rows])
    path = folder / "a.csv"
    path.write_bytes(text.getvalue().encode())
    proof = prove(path, ",", '"')
    assert proof.misplaced == 0 and proof.records == len(rows) + 1 and proof.blank == 0
    records = list(read_records(path, ",", '"', None))
    assert [tuple(record.fields) for record in records[1:]] == rows
    assert proof.lines_of(np.arange(len(rows) + 1)).tolist() == [_line_of(rows, n, end) for n in range(len(rows) + 1)]


@pytest.fixture(autouse=True)
def _usual_block():
    usual = proof_module.BLOCK
    yield
    proof_module.BLOCK = usual


def _line_of(rows, number: int, end: str) -> int:
    """Line ends as the file has them (LF; a CR alone ends no line in a file of LF or CRLF) before a record."""
    return 1 + sum(1 + cell[0].count("\n") + cell[1].count("\n") for cell in [("x", "y"), *rows][:number])


LINE = st.text(alphabet=st.sampled_from(list('19,,,"\n\ra')), max_size=40)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=LINE)
def test_every_line_of_a_damaged_file_is_accounted_for(tmp_path_factory, body):
    """Any damage below a good record: rows in = clean + quarantined + dropped (asserted by the account), no crash."""
    shop = Workshop(tmp_path_factory.mktemp("damaged"))
    found = shop.ingest("id,comment,nps\ngood,fine,9\n" + body, **COMMENTED)
    account = found.account
    assert account.total("rows_in") == account.total("clean") + account.total("quarantined") + account.total("dropped")
    assert account.total("clean") >= 1 or account.total("quarantined") >= 1
    assert len(found.quarantine) == account.total("quarantined")
    assert set(found.quarantine["line"]) <= set(range(2, 50))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELL, st.sampled_from(["", "", "\n", "\n\n"])), min_size=1, max_size=15))
def test_lines_and_offsets_agree_with_the_careful_reader(tmp_path_factory, rows):
    """Blank lines between records of several lines: the proof's lines are those of the record by record reader."""
    proof_module.BLOCK = 16
    path = tmp_path_factory.mktemp("lines") / "a.csv"
    written = ['"' + cell.replace('"', '""').replace("\r", "") + '",x\n' + blank for cell, blank in rows]
    path.write_bytes("".join(written).encode())
    proof = prove(path, ",", '"')
    records = [record.line for record in read_records(path, ",", '"', None) if record.fields is not None]
    assert proof.records == len(records)
    assert proof.lines_of(np.arange(len(records))).tolist() == records
    starts = np.cumsum([0] + [len(text.encode()) for text in written])[:-1]
    assert proof.records_at(starts).tolist() == list(range(len(records)))
