"""A program's answer, one object around the list of records: refused with the list's name, and read by it."""

import json

import pytest
from ruamel.yaml import YAML

from pipeline.contracts.params import typed_source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.sample import HEAD
from tests.ingest.conftest import SALE, Workshop, block, report

ORDERS = [{"id": f"A{n}", "amount": n + 0.5, "lines": [{"sku": 1}]} for n in range(1, 4)]
SOLD = SALE | {"format": "json"}
ANSWER = {"count": 3, "meta": {"page": 1, "notes": ["x"]}, "orders": ORDERS, "next_page": None}


@pytest.mark.parametrize("indent", [None, 1])
def test_the_list_inside_is_named_and_read_once_it_is_declared(shop: Workshop, indent):
    text = json.dumps(ANSWER, indent=indent)
    refusal = shop.refuse(text, "JSON-RECORDS", **SOLD)
    assert refusal.found == "orders" and refusal.expected == "`records: orders` in this source"
    assert "un solo objeto" in told(refusal, "es") and "`records: orders` en esta fuente" in told(refusal, "es")
    found = shop.ingest(text, **SOLD, records="orders")
    assert [str(x) for x in found.clean["net_amount"]] == ["1.5000", "2.5000", "3.5000"]
    assert found.account.total("rows_in") == 3


def test_a_list_deeper_inside_is_named_by_its_path(shop: Workshop):
    text = json.dumps({"data": {"sales": {"orders": ORDERS}}, "errors": []})
    assert shop.refuse(text, "JSON-RECORDS", **SOLD).found == "data.sales.orders"
    assert shop.ingest(text, **SOLD, records="data.sales.orders").account.total("clean") == 3


def test_a_list_that_is_not_there_or_cut_is_refused(shop: Workshop):
    refusal = shop.refuse(json.dumps(ANSWER), "JSON-RECORDS", **SOLD, records="tickets")
    assert refusal.found == "orders" and "ninguna lista de objetos está bajo la clave 'tickets'" in told(refusal, "es")
    shop.refuse(json.dumps(ANSWER)[:-60], "FMT-JSON", **SOLD, records="orders")


@pytest.mark.parametrize("behind", [
    json.dumps(ANSWER), "<html>oops", ", 1", '{"orders": []}'])
def test_nothing_stands_behind_the_object_unread(shop: Workshop, behind: str):
    assert "behind" in str(shop.refuse(f"{json.dumps(ANSWER)}\n{behind}\n", "FMT-JSON", **SOLD, records="orders"))


@pytest.mark.parametrize("end", ["", ', "next": null', ', "orders": [{"id": "B1", "amount": 1}]}', "]", ', "a" 1}',
                                 ', "deep": {"orders": []}} {}'])
def test_the_object_around_the_list_ends_once_and_names_it_once(shop: Workshop, end: str):
    text = '{"count": 3, "orders": ' + json.dumps(ORDERS) + end
    shop.refuse(text, "FMT-JSON", **SOLD, records="orders")
    assert shop.ingest(text[:text.index("]}]") + 3] + ', "deep": {"orders": [2]}, "n": 1}\n', **SOLD,
                       records="orders").account.total("clean") == 3


def test_a_month_without_records_is_an_empty_month(shop: Workshop):
    text = '{"orders": [], "next": null}'
    shop.refuse(text, "FILE-NOROWS", **SOLD, records="orders")
    assert shop.ingest(text, **SOLD, records="orders", allow_empty=True).account.total("rows_in") == 0


def test_one_record_that_holds_a_list_of_its_own_is_a_record(shop: Workshop):
    assert shop.ingest(json.dumps(ORDERS[0]), **SOLD).account.total("clean") == 1


def test_inspect_looks_into_the_list_and_its_block_reads_it(shop: Workshop):
    orders = [{"order_id": f"A{n}", "amount": n + 0.5, "note": "x" * 300} for n in range(9000)]
    path = shop.write(json.dumps({"count": 9000, "orders": orders}), "answer.json")
    assert path.stat().st_size > 2 * HEAD
    found = inspect_file(path)
    assert found.table == "sales" and "its records stand in a list: orders" in report(found)
    raw = next(iter(YAML(typ="safe", pure=True).load(block(found)).values()))
    assert shop.ingest(None, **vars(typed_source(raw))).account.total("clean") == 9000
    two = inspect_file(shop.write(json.dumps({"orders": orders[:9], "refunds": orders[9:20]}), "two.json"))
    assert "TELL: which list? orders, refunds" in block(two)


def test_inspect_takes_an_object_a_line_for_what_it_is(shop: Workshop):
    lines = "".join(json.dumps(order) + "\n" for order in ORDERS)
    assert inspect_file(shop.write(lines, "lines.jsonl")).lists == []
    with pytest.raises(Refusal):
        inspect_file(shop.write(json.dumps(ANSWER)[:-60], "cut.json"))
