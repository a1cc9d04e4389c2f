"""A program's answer, one object around the list of records: refused with the list's name, and read by it."""

import io
import json

import pytest
from ruamel.yaml import YAML

from pipeline.contracts.params import typed_source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told
from pipeline.ingest import json_text, json_walk
from pipeline.ingest.check import account_text
from pipeline.ingest.findings import findings
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.json_text import Beside, items_in
from pipeline.ingest.json_walk import ITEM_LIMIT
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


def test_a_list_behind_and_before_any_amount_of_other_keys_is_read(shop: Workshop):
    """Seventeen megabytes of other things, in one value and in many, before the records and behind them."""
    other = {"log": ["x" * 99] * (ITEM_LIMIT // 90), "deep": {"text": "y" * 2000, "n": [[1, {"a": "]}"}]] * 9}}
    text = json.dumps({"before": other, "orders": ORDERS, "behind": other["log"], "next": None})
    assert len(text) > 2 * ITEM_LIMIT
    assert shop.ingest(text, **SOLD, records="orders").account.total("clean") == 3
    assert shop.refuse(None, "JSON-RECORDS", **SOLD, records="tickets").found == "orders"
    shop.refuse(text[:-40], "FMT-JSON", **SOLD, records="orders")
    path = shop.write(text, "long.json")
    assert inspect_file(path).lists == ["orders"] and inspect_file(path).rows == 3


def test_a_list_that_begins_with_null_is_a_list_and_its_null_is_kept_out(shop: Workshop):
    text = json.dumps({"count": 3, "orders": [None, *ORDERS[:2], 7, ORDERS[2]]}, indent=0)
    assert shop.refuse(text, "JSON-RECORDS", **SOLD).found == "orders"
    found = shop.ingest(text, **SOLD, records="orders")
    assert found.quarantine[["rule", "line"]].values.tolist() == [["JSON-LINE", 4], ["JSON-LINE", 23]]
    assert found.account.total("clean") == 3 and found.account.total("rows_in") == 5
    assert inspect_file(shop.write(text, "nulls.json")).lists == ["orders"]


PAGED = [({"next_page": "https://x.es/2"}, "next_page"), ({"has_more": True}, "has_more"), ({"next": 2}, "next"),
         ({"paging": {"next": {"after": "10"}}}, "paging.next.after"), ({"links": {"next": "u"}}, "links.next"),
         ({"data": {"pageInfo": {"hasNextPage": True}}}, "data.pageInfo.hasNextPage"),
         ({"@odata.nextLink": "u"}, "@odata.nextLink"), ({"nextRecordsUrl": "u", "done": False}, "nextRecordsUrl"),
         ({"page": 1, "total_pages": 3}, "page"), ({"page": 3, "total_pages": 3}, "page"), ({"last": False}, "last"),
         ({"end_of_stream": False, "next_page": "u"}, "end_of_stream"),
         ({"total": 200, "startAt": 0, "maxResults": 3}, "total"), ({"totalSize": 4}, "totalSize"),
         ({"@odata.count": 9}, "@odata.count"), ({"count": 12}, "count"),
         ({"meta": {"total_count": 7}}, "meta.total_count"),
         ({"page": {"size": 3, "number": 0, "totalPages": 2}}, "page.number"),
         ({"has_more": False, "total": 4}, "total"),
         ({"links": [{"rel": "self", "href": "a"}, {"rel": "next", "href": "b"}]}, "links.next"),
         ({"link": [{"relation": "next", "url": "b"}]}, "link.next")]
WHOLE = [{"next_page": None}, {"has_more": False}, {"next": ""}, {"paging": {}}, {"links": {"next": None}},
         {"has_more": False, "links": {"next": "u"}}, {"end_of_stream": True, "next_page": "u"},
         {"links": [{"rel": "self", "href": "a"}, {"rel": "prev", "href": "b"}]}, {"total": 3}, {"@odata.count": "3"},
         {"total": 59, "currency": "EUR"}, {"total": "59.00"}, {"summary": {"total": 59}}, {"last": {"count": 9}},
         {"count": 100, "total": 3}, {"meta": {"id": {"total": 9}}}, {"total": 2, "done": True},
         {"page": 1, "total_pages": 1}, {"page": 1, "size": 100}, {"next": False}, {"meta": {"step": "next"}}]


@pytest.mark.parametrize(("beside", "key"), [*PAGED, *((beside, "") for beside in WHOLE)])
@pytest.mark.parametrize("is_behind", [True, False])
def test_an_answer_that_says_that_more_follows_is_told(shop: Workshop, beside: dict, key: str, is_behind: bool):
    answer = {"orders": ORDERS} | beside if is_behind else beside | {"orders": ORDERS}
    path = shop.write(json.dumps(answer))
    found = shop.ingest(None, **SOLD, records="orders")
    assert found.account.total("clean") == 3
    assert found.rules.get("JSON-PAGE:warned", 0) == (1 if key else 0)
    assert (f"{key!r} says that there are more records" in account_text(found.account, {})) == bool(key)
    assert ("hay más registros de los que contienen los ficheros" in account_text(found.account, {}, "es")) == bool(key)
    path = path.rename(path.with_suffix(".json"))
    assert inspect_file(path).more_at == key
    assert ("dice que hay más registros" in findings(inspect_file(path), "es")) == bool(key)
    assert (f"{key!r} says that there are more records" in findings(inspect_file(path))) == bool(key)


def pages(shop: Workshop, *besides: dict, sizes: tuple[int, ...] = ()) -> list[str]:
    """The JSON-PAGE sentences of a folder with one file for each of these, of three orders or so many."""
    count = 0
    for place, beside in enumerate(besides):
        size = sizes[place] if sizes else 3
        orders = [{"id": f"B{count + n}", "amount": 1.5} for n in range(size)]
        shop.write(json.dumps({"orders": orders} | beside), f"part-{place}.json")
        count += size
    found = shop.ingest(None, **SOLD, records="orders", files="part-*.json").account
    told_of = [sentence for sentence in found.odd if "JSON-PAGE" in sentence]
    assert sum(rule.rows for rule in found.rules if rule.rule == "JSON-PAGE") == len(told_of)
    return told_of


def address(of: str) -> dict:
    return {"next": f"https://x.es/orders?{of}&size=3"}


@pytest.mark.parametrize("besides", [
    [{"total": 9}] * 3, [{"totalSize": 9, "nextRecordsUrl": "u"},
     {"totalSize": 9, "nextRecordsUrl": "v"}, {"totalSize": 9}],
    [{"count": 6, "next": "https://x.es/?page=2"}, {"count": 6, "next": None}],
    [{"total": 150, "size": 0}, {"total": 151, "size": 1}], [{"total": 6}, {"total": 6}, {"total": 3}],
    [{"page": 1, "total_pages": 3}, {"page": 2, "total_pages": 3}, {"page": 3, "total_pages": 3}],
    [{"page": 0, "total_pages": 2}, {"page": 1, "total_pages": 2}],
    [{"page": 1, "pages": 2}, {"page": 2, "pages": 2}, {"page": 1, "pages": 2}, {"page": 2, "pages": 2}],
    [{"page": 1, "pages": 2}, {"page": 2, "pages": 3}, {"page": 3, "pages": 3}],
    [{"page": 1, "has_more": True}, {"page": 2, "has_more": True}, {"page": 3, "has_more": False}],
    [{"offset": 0, "has_more": True}, {"offset": 3, "has_more": True}, {"offset": 6, "has_more": False}],
    [address("page=2"), address("page=3"), {"next": None}], [address("offset=3"), address("offset=6"), {"next": ""}],
    [{"paging": {"next": {"after": "31"}}}, {"paging": {"next": {"after": "90"}}},
     {"paging": {"next": {"after": "95"}}}, {}],
    [address("cursor=ab"), address("cursor=cd"), {"next": None}],
    [address("month=1&page=2"), {"next": None}, address("month=2&page=2"), {"next": None}],
])
def test_nothing_is_told_of_pages_that_all_lie_there(shop: Workshop, besides: list[dict]):
    sizes = (100, 50) if "size" in besides[0] else ()
    assert pages(shop, *besides, sizes=sizes) == []


@pytest.mark.parametrize(("besides", "expected"), [
    ([{"total": 10}] * 3, "part-0.json, part-1.json, part-2.json: 'total' says that there are more records"),
    ([{"total": 6}, {"total": 12}, {"total": 12}, {"total": 6}], "part-1.json, part-2.json: 'total'"),
    ([{"page": 1, "total_pages": 3}, {"page": 3, "total_pages": 3}], "part-0.json, part-1.json: 'page'"),
    ([{"page": 2, "total_pages": 3}, {"page": 3, "total_pages": 3}], "part-0.json, part-1.json: 'page'"),
    ([{"page": 1, "pages": 2}, {"page": 2, "pages": 2}, {"page": 1, "pages": 2}],
     "part-0.json, part-1.json, part-2.json"),
    ([{"page": 1, "has_more": True}, {"page": 2, "has_more": True}], "part-1.json: 'has_more'"),
    ([{"page": 1, "has_more": True}, {"page": 3, "has_more": False}], "part-0.json: 'has_more'"),
    ([{"offset": 0, "has_more": True}, {"offset": 6, "has_more": False}], "part-0.json: 'has_more'"),
    ([address("page=2"), address("page=3")], "part-0.json, part-1.json: 'next'"),
    ([address("page=2"), address("page=4"), {"next": None}], "part-0.json, part-1.json: 'next'"),
    ([address("page=3"), {"next": None}], "part-0.json: 'next'"),
    ([address("offset=3"), address("offset=9"), {}], "part-0.json, part-1.json: 'next'"),
    ([address("offset=6"), address("offset=9"), {}], "part-0.json, part-1.json: 'next'"),
    ([address("month=1&page=2"), {"next": None}, address("month=2&page=2")], "part-2.json: 'next'"),
    ([address("cursor=ab"), address("cursor=cd")], "part-0.json, part-1.json: 'next'"),
])
def test_a_page_that_is_not_there_is_told_with_the_files_it_belongs_to(shop: Workshop,
                                                                       besides: list[dict], expected: str):
    told_of = pages(shop, *besides)
    assert told_of and told_of[0].startswith(expected)


NUMBERS = '{"took": 12.5, "none": 1e-5, "many": [1.25e+10, -0.5E3, 7], "r": [{"id": 1.5}, {"id": 2e-3}, {"id": 30}]}'


@pytest.mark.parametrize("piece", range(1, 12))
def test_a_number_may_go_on_in_the_next_piece(monkeypatch, piece):
    monkeypatch.setattr(json_walk, "PIECE", piece)
    monkeypatch.setattr(json_walk, "AHEAD", 4)
    beside = Beside()
    found = [item.value["id"] for item in items_in(io.StringIO(NUMBERS), "r.json", "r", beside)]
    assert found == ["1.5", "2e-3", "30"]
    assert (beside.values["took"], beside.values["none"]) == ("12.5", "1e-5")


def test_one_endless_line_is_not_held_as_a_record(monkeypatch):
    monkeypatch.setattr(json_text, "ITEM_LIMIT", 40)
    wrapped = '{"orders": [' + ", ".join(f'{{"id": {n}}}' for n in range(40)) + "]}"
    handle = io.StringIO(wrapped + "\n")
    assert [(item.line, item.rule) for item in items_in(handle, "o.json")] == [(1, "JSON-LINE")]
    assert handle.tell() <= 41
    with pytest.raises(Refusal, match="a line never ends"):
        list(items_in(io.StringIO('{"id": 1}\n' + wrapped), "o.json"))
