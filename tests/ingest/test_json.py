"""JSON as it is exported: an object a line or one array; ids byte for byte, money to the cent, no line lost."""

import gzip
import json

import pytest
from ruamel.yaml import YAML

from pipeline.contracts.params import Instrument, typed_source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told
from pipeline.ingest.inspect import ROWS, inspect_file
from pipeline.ingest.sample import HEAD
from tests.ingest.conftest import NPS, SALE, SURVEY, TICKET, Workshop, block, report

JSON = {"format": "json"}
SOLD = SALE | JSON | {"extra": {"as_it_came": "id"}}


def test_numbers_stay_as_written_and_a_path_reaches_into_an_object(shop: Workshop):
    """An id of 20 digits would lose its last ones as a float, 0.1 + 0.2 its cents."""
    lines = ('{"id": 12345678901234567890, "amount": 0.10, "customer": {"id": 9007199254740993}}\n'
             '{"amount": 0.2, "customer": {"id": "007"}, "id": "A-1"}\n'
             '{"id": 3, "amount": 1.25e1, "customer": null}\n')
    columns = SALE["columns"] | {"customer_id": "customer.id", "line_id": "id"}
    found = shop.ingest(lines, **SOLD | {"columns": columns, "extra": {"who": "customer.id", "own": "id"}})
    assert found.clean["x_own"].tolist() == ["12345678901234567890", "A-1", "3"]
    assert found.clean["line_id"].tolist() == ["12345678901234567890", "A-1", "3"]
    assert found.clean["x_who"].tolist()[:2] == ["9007199254740993", "007"]
    assert str(sum(found.clean["net_amount"])) == "12.8000"
    assert found.clean["customer_id"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("layout", ["lines", "array", "indented"])
def test_lines_and_arrays_hold_the_same_records(shop: Workshop, layout: str):
    rows = [{"id": f"R{n}", "nps": n % 11, "more": [1, {"a": 2}]} for n in range(5000)]
    text = {"lines": "".join(json.dumps(row) + "\n" for row in rows), "array": json.dumps(rows),
            "indented": json.dumps(rows, indent=2)}[layout]
    found = shop.ingest(text, **SURVEY | JSON)
    assert found.account.total("clean") == 5000
    assert sum(found.clean["score"]) == sum(n % 11 for n in range(5000))
    assert found.rules == {"COL-EXTRA:warned": 1}


def test_what_is_no_object_goes_to_quarantine_with_its_line(shop: Workshop):
    lines = ['{"id": 1, "nps": 9}', "", '{"id": 2, "nps": 9', "[1, 2]", '{"id": 4, "nps": 1, "nps": 9}', "Total: 5",
             '{"id": 6, "nps": NaN}', '{"id": "\\ud800", "nps": 3}', '{"id": 8, "nps": 12}', '{"id": 9}']
    found = shop.ingest("\r\n".join(lines), **SURVEY | JSON)
    assert found.quarantine[["rule", "line"]].values.tolist() == [
        ["JSON-LINE", 3], ["JSON-LINE", 4], ["JSON-KEYS", 5], ["JSON-LINE", 6], ["JSON-LINE", 7], ["JSON-LINE", 8],
        ["NPS-RANGE", 9]]
    assert found.account.total("rows_in") == 10 and found.rules["FMT-BLANK:dropped"] == 1
    assert found.clean["score"].tolist()[:1] == [9.0] and found.account.total("clean") == 2


def test_items_of_an_array_are_counted_with_the_line_on_which_they_begin(shop: Workshop):
    found = shop.ingest('[\n {"id": 1,\n  "nps": 9},\n 7,\n\n {"id": 2, "nps": 11}\n]\n', **SURVEY | JSON)
    assert found.quarantine[["rule", "line"]].values.tolist() == [["JSON-LINE", 4], ["NPS-RANGE", 6]]


@pytest.mark.parametrize(("content", "rule", "line"), [
    ('{"id": 1, "rating": 9}\n', "COL-MISSING", None),
    ('{"error": "not allowed"}\n', "COL-MISSING", None),
    ('{"id": 1, "nps": {"value": 9}}\n', "COL-TYPE", 1),
    ('{"id": 1, "nps": 9}\n{"id": [2], "nps": 9}\n', "COL-TYPE", 2),
    ('[{"id": 1, "nps": 9},\n{"id": 2', "FMT-JSON", 2),
    ('[{"id": 1, "nps": 9},\n', "FILE-TRUNC", 2),
    ('[{"id": 1, "nps": 9}\n{"id": 2, "nps": 9}]', "FMT-JSON", 2),
    ('[{"id": 1, "nps": 9}]\n[]', "FMT-JSON", 2),
    ("[]", "FILE-NOROWS", None), ("[1, 2]", "JSON-LINE", 1), ('{"id": 1,\n "nps" 9}', "JSON-LINE", 2),
    ("[" * 100_000, "FMT-JSON", 1),
    ("id,nps\n1,9\n", "FMT-MAGIC", None), ("PK\x03\x04", "FMT-MAGIC", None), ("<html>", "FMT-MAGIC", None),
    ('{"id": 1, "nps": 9}'.encode("utf-16"), "ENC-UTF16", 1), (b'{"id": "\xf1", "nps": 9}\n', "ENC-INVALID", 1),
    (b'{"id": 1, "nps": 9}\n\0', "FMT-NUL", 2),
    (gzip.compress(b'{"id": 1}\n' * 5000, mtime=0)[:-9], "FILE-TRUNC", None),
])
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(shop: Workshop, content, rule: str, line):
    refusal = shop.refuse(content, rule, **SURVEY | JSON)
    assert refusal.file == "export.csv" and refusal.line == line and "\n" not in str(refusal)


def test_the_refusal_of_an_object_says_how_a_value_inside_it_is_declared(shop: Workshop):
    refusal = shop.refuse('{"id": 1, "nps": {"value": 9}}', "COL-TYPE", **SURVEY | JSON)
    assert refusal.column == "nps" and "nps.name" in refusal.expected
    kinds = {"nps": Instrument(0, 10, "higher_is_better", "nps.value")}
    found = shop.ingest('{"id": 1, "nps": {"value": 9}}', **SURVEY | JSON | {"instruments": kinds})
    assert found.clean["score"].tolist() == [9.0]


@pytest.mark.parametrize(("text", "key", "found"), [
    ('[{"id":"1","amount":1.5,"amount":2.5,"id":"2"}]', "amount", None),
    ('[{"id":"1","Amount":1.5,"AMOUNT":2.5}]', "amount", "'Amount', 'AMOUNT'"),
    ('{"id":"1","amount":1.5,"amount":2.5}\n', "amount", None),
])
def test_the_key_that_comes_twice_in_one_object_is_named(shop: Workshop, text: str, key: str, found: str | None):
    refusal = shop.refuse(text, "JSON-KEYS", **SOLD)
    assert (refusal.line, refusal.column, refusal.found) == (1, key, found)
    assert "no record of this file can be read: an object that names a key twice" in str(refusal)
    assert "ningún registro de este fichero se puede leer: " in told(refusal, "es") and "1.5" not in str(refusal)
    assert "cada clave una vez [" in told(refusal, "es") and refusal.expected == "each key once"
    mixed = shop.ingest(text.strip("[]\n") + '\n{"id":"3","amount":4}\n', **SOLD)
    assert mixed.quarantine[["rule", "column"]].values.tolist() == [["JSON-KEYS", key]] and len(mixed.clean) == 1


def test_the_key_that_comes_twice_deeper_is_named(shop: Workshop):
    contract = SOLD | {"columns": SOLD["columns"] | {"net_amount": "paid.amount"}}
    refusal = shop.refuse('[{"id":"1","paid":{"amount":1.5,"by":"a","by":"b"}}]', "JSON-KEYS", **contract)
    assert refusal.column == "paid.by"


def test_a_number_written_as_text_needs_its_convention(shop: Workshop):
    contract = SOLD | {"decimal": None}
    refusal = shop.refuse('{"id": 1, "amount": "1.234"}', "NUM-LOCALE", **contract)
    assert (refusal.line, refusal.column) == (1, "amount")
    told = SOLD | {"decimal": ",", "thousands": "."}
    found = shop.ingest('{"id": 1, "amount": "1.234"}\n{"id": 2, "amount": 1.234}\n', **told)
    assert [str(x) for x in found.clean["net_amount"]] == ["1234.0000", "1.2340"]


def test_times_words_and_keys_in_another_case_are_read_as_declared(shop: Workshop):
    lines = '{"ID": 7, "created": "01/03/2025 10:00", "solved": null}\n'
    found = shop.ingest(lines, **TICKET | JSON)
    assert str(found.clean["created_at"][0]) == "2025-03-01 09:00:00"
    assert found.rules == {"COL-NORM:repaired": 1}
    shop.refuse(lines, "DATE-FMT", **TICKET | JSON | {"timestamps": []})


def test_an_exponent_beyond_any_amount_goes_to_quarantine(shop: Workshop):
    lines = "".join(f'{{"id": {n}, "amount": {x}}}\n' for n, x in enumerate(["1e308", "1e999999999", "2"]))
    found = shop.ingest(lines, **SOLD)
    assert found.rules == {"NUM-FINITE:quarantined": 2} and len(found.clean) == 1


def test_packed_and_marked_json_is_read(shop: Workshop):
    found = shop.ingest(gzip.compress(b'\xef\xbb\xbf{"id": 1, "nps": 9}\n'), **SURVEY | JSON | {"instruments": NPS})
    assert found.rules == {"ENC-BOM:repaired": 1} and found.clean["score"].tolist() == [9.0]


def test_inspect_knows_json_and_its_block_ingests_the_file(shop: Workshop):
    rows = [{"ticket_id": 9007199254740993 + n, "created_at": f"2025-03-{n + 1:02d}T10:00:00Z", "status": "solved",
             "requester": {"id": f"C{n}", "name": "Ana Pérez"}, "tags": ["a"]} for n in range(12)]
    for name, text in (("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)), ("b.json", json.dumps(rows))):
        found = inspect_file(shop.write(text, name))
        assert (found.format, found.table) == ("json", "tickets")
        assert "Ana" not in report(found) and "tags" not in found.headers
        loaded = next(iter(YAML(typ="safe", pure=True).load(block(found)).values()))
        loaded["columns"]["customer_id"] = "requester.id"
        read = shop.ingest(None, **vars(typed_source(loaded)))
        assert read.account.total("clean") == 12 and read.clean["customer_id"].nunique() == 12
    shop.write('{"error": "no"}', "page.csv")
    with pytest.raises(Refusal) as caught:
        inspect_file(shop.folder / "raw" / "page.csv")
    assert caught.value.rule == "FMT-HTML"


def test_inspect_sees_the_first_objects_of_a_long_array_only(shop: Workshop):
    text = json.dumps([{"order_id": f"A{n}", "amount": n + 0.5, "note": "x" * 300} for n in range(9000)])
    assert len(text) > 2 * HEAD
    found = inspect_file(shop.write(text, "long.json"))
    assert found.table == "sales" and 1000 < found.rows <= ROWS


PRETTY = [{"id": f"R{n}", "nps": n % 11, "note": "}{", "in": {"deep": [1]}} for n in range(40)]


@pytest.mark.parametrize("text", [
    "\n".join(json.dumps(row, indent=2) for row in PRETTY), "".join(json.dumps(row, indent=2) for row in PRETTY),
    "".join(json.dumps(row) for row in PRETTY), " ".join(json.dumps(row) for row in PRETTY) + "\n"])
def test_whole_objects_one_after_the_other_are_read(shop: Workshop, text: str):
    found = shop.ingest(text, **SURVEY | JSON)
    assert found.clean["response_id"].nunique() == 40
    assert sum(found.clean["score"]) == sum(n % 11 for n in range(40)) and not len(found.quarantine)
    assert inspect_file(shop.write(text, "pretty.json")).rows == 40


def test_lines_of_such_a_file_are_counted_and_its_end_is_told(shop: Workshop):
    rows = [json.dumps({"id": 1, "nps": 12}, indent=1), "", json.dumps({"id": 2, "nps": 9}, indent=1)]
    assert shop.ingest("\n".join(rows), **SURVEY | JSON).quarantine["line"].tolist() == [1]
    refusal = shop.refuse(",\n".join(rows[::2]), "JSON-LINE", **SURVEY | JSON)
    refusal = shop.refuse("\n".join(rows) + "\n,\n" + rows[2], "FMT-JSON", **SURVEY | JSON)
    assert (refusal.line, refusal.found) == (10, "',' (place 1 of the line)")
    assert "una lista de ellos" in told(refusal, "es") and "posición 1 de la línea" in told(refusal, "es")
    refusal = shop.refuse("\n".join(rows)[:-3], "FMT-JSON", **SURVEY | JSON)
    assert refusal.line == 8 and "the end of the file" in refusal.found


@pytest.mark.parametrize(("text", "line", "found", "expected"), [
    ('[{"id": 1, "nps": 9},\n {"id": 2, "nps" 9}]', 2, "a digit (place 18 of the line)", "a colon"),
    ('[{"id": 1, "nps": 9},\n {"id": 2,, "nps": 9}]', 2, "',' (place 11 of the line)", "a key in double quotes"),
    ("[{'id': 1}]", 1, "\"'\" (place 3 of the line)", "a key in double quotes"),
    ('[{"id": 1}\n {"id": 2}]', 2, "'{' (place 2 of the line)", "','"),
    ('[{"id": Ana}]', 1, "a letter (place 9 of the line)", "a value"),
    ('[{"id": 1, "nps": NaN}]', 1, "NaN or Infinity", "a number, or null"),
    ('[{"id": "Ana\nPérez"}]', 1, "the end of the line (place 13 of the line)",
     "a text without line ends and control signs"),
    ('[' + '{"id": 1, "nps": 9},' * 60_000 + '{"id" 2}]', 1, "a digit (place 1200008 of the line)", "a colon"),
])
def test_a_broken_array_is_told_with_its_place_and_no_value_of_it(shop: Workshop, text, line, found, expected):
    refusal = shop.refuse(text, "FMT-JSON", **SURVEY | JSON)
    assert (refusal.line, refusal.found, refusal.expected) == (line, found, expected)
    spanish = told(refusal, "es")
    assert "Ana" not in str(refusal) and "place" not in spanish and "se esperaba" in spanish


def test_a_file_without_one_object_says_where_the_first_one_breaks(shop: Workshop):
    refusal = shop.refuse('{"id": 1,\n "nps": 9,\n}', "JSON-LINE", **SURVEY | JSON)
    assert (refusal.line, refusal.found[:3], refusal.expected) == (3, "'}'", "a key in double quotes")
    with pytest.raises(Refusal, match="place 1 of the line"):
        inspect_file(shop.write('{"id": 1,\n "nps": 9,\n}', "one.json"))


def test_keys_that_differ_by_case_alone_are_told_as_in_a_table_with_a_header(shop: Workshop):
    """The declared spelling is read, the other one is a column nobody asked for; of two others neither is taken."""
    table = shop.ingest("id,nps,NPS\nA,1,9\n", **SURVEY)
    assert table.clean["score"].tolist() == [1.0] and table.rules == {"COL-EXTRA:warned": 1}
    for rows in ('{"id": "A", "nps": 1, "NPS": 9}\n', '[{"id": "A", "NPS": 9, "nps": 1}]'):
        found = shop.ingest(rows, **SURVEY | JSON)
        assert found.clean["score"].tolist() == [1.0] and found.rules == {"COL-EXTRA:warned": 1}
    wrapped = shop.ingest('{"rows": [{"id": "A", "nps": 1, "NPS": 9}]}', **SURVEY | JSON, records="rows")
    assert wrapped.rules == {"COL-EXTRA:warned": 1}
    mixed = shop.ingest('{"id": "A", "NPS": 9}\n{"id": "B", "NPS": 9, "nps": 1}\n{"id": "C", "Nps": 2, "NPS": 3}\n',
                        **SURVEY | JSON)
    assert mixed.clean["score"].tolist() == [9.0, 1.0]
    assert mixed.rules == {"COL-EXTRA:warned": 1, "COL-NORM:repaired": 1, "JSON-KEYS:quarantined": 1}


def test_true_is_no_id_no_amount_and_no_time(shop: Workshop):
    lines = ('{"id": true, "amount": 5, "vip": true}\n{"id": "A", "amount": false}\n'
             '{"id": "true", "amount": 7, "vip": false}\n')
    for decimal in (".", ",", None):
        found = shop.ingest(lines, **SOLD | {"decimal": decimal, "extra": {"vip": "vip"}})
        assert found.quarantine[["rule", "line", "column", "found"]].values.tolist() == [
            ["COL-TYPE", 1, "id", "true"], ["COL-TYPE", 2, "amount", "false"]]
        assert [str(x) for x in found.clean["net_amount"]] == ["7.0000"] and found.clean["x_vip"].tolist() == ["false"]
    dated = TICKET | JSON
    timed = shop.ingest('{"id": 1, "created": true, "solved": null}\n'
                        '{"id": 2, "created": "01/03/2025 10:00", "solved": null}\n', **dated)
    assert timed.rules == {"COL-TYPE:quarantined": 1}
    refusal = shop.refuse('{"id": true, "amount": 5}', "COL-TYPE", **SOLD)
    assert (refusal.line, refusal.column, refusal.found) == (1, "id", "true")
    assert "ningún registro" in told(refusal, "es") and "no es del tipo declarado" in told(refusal, "es")
