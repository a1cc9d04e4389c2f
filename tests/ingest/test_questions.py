"""What inspect would lose or mistake without a word it asks, and a refusal names what to declare."""

import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import phrased, told
from pipeline.ingest.check import account_text
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.proposal import propose
from pipeline.ingest.share import check_share
from tests.ingest.conftest import SALE, Workshop, block, report

ODD = ("Pedido;Cliente;Momento;Total raro\nP1;C1;25/02/2026 09:30;12,50\nP2;C2;26/02/2026 10:30;13,20\n"
       "P3;C1;27/02/2026 11:30;8,10\n")


def test_a_time_and_an_amount_that_no_header_names_are_asked_for_with_the_headers_that_could_hold_them(shop: Workshop):
    raw = propose(inspect_file(shop.write(ODD), "sales")).raw
    assert raw["columns"]["ordered_at"].startswith("TELL:") and "'Momento'" in raw["columns"]["ordered_at"]
    assert raw["columns"]["net_amount"].startswith("TELL:") and "'Total raro'" in raw["columns"]["net_amount"]
    assert raw["timestamps"] == ["%d/%m/%Y %H:%M"] and raw["time_zone"].startswith("TELL:")


def test_a_key_that_no_header_names_is_asked_for_with_those_that_never_repeat(shop: Workshop):
    raw = propose(inspect_file(shop.write(ODD.replace("Pedido", "Nro").replace("Momento", "Fecha")), "sales")).raw
    assert "'Nro'" in raw["columns"]["order_id"] and "Cliente" not in raw["columns"]["order_id"]


@pytest.mark.parametrize(("content", "table", "name"), [
    ("ticket;Momento\n1;25/02/2026\n2;26/02/2026\n", "tickets", "created_at"),
    ("id respuesta;nps;Momento\nr1;9;25/02/2026\nr2;3;26/02/2026\n", "surveys", "responded_at")])
def test_the_time_of_tickets_and_answers_is_asked_for_too(shop: Workshop, content, table, name):
    assert "'Momento'" in propose(inspect_file(shop.write(content), table)).raw["columns"][name]


def test_a_file_without_any_time_says_what_will_be_missing_and_asks_nothing_that_has_no_answer(shop: Workshop):
    found = inspect_file(shop.write("Pedido;Cliente;Importe\nP1;C1;2,5\nP2;C2;3,5\n"), "sales")
    assert "ordered_at" not in propose(found).raw["columns"]
    assert "# TELL: ordered_at:" in block(found) and "these rows belong to no month" in block(found)


def test_a_time_that_is_mapped_is_not_asked_for(shop: Workshop):
    found = inspect_file(shop.write(ODD.replace("Momento", "Fecha").replace("Total raro", "Importe")))
    assert propose(found).raw["columns"] == {"order_id": "Pedido", "customer_id": "Cliente", "ordered_at": "Fecha",
                                             "net_amount": "Importe"}
    assert "is_return" not in propose(found).told


NEGATIVE = ODD.replace("Total raro", "Importe").replace("13,20", "-13,20").replace("8,10", "(8,10)")


def test_negative_amounts_are_mentioned_and_asked_about(shop: Workshop):
    found = inspect_file(shop.write(NEGATIVE), "sales")
    assert "2 negative" in report(found)
    assert "'Importe' holds negative amounts (2)" in block(found) and '{is_return: "@negative"}' in block(found)
    first, *rows = NEGATIVE.splitlines()
    lines = [f"{first};Devolucion", *(f"{row};{'si' if '-13' in row else 'no'}" for row in rows)]
    marked = inspect_file(shop.write("\n".join(lines) + "\n", "marked.csv"), "sales")
    assert marked.mapped["is_return"] == "Devolucion" and "is_return" not in propose(marked).told


def test_negative_sales_say_what_to_declare_and_that_mends_them(shop: Workshop):
    content = "id,amount\n" + "".join(f"{n},-5.00\n" for n in range(9))
    refusal = shop.refuse(content, "SALE-NEG", **SALE)
    assert '`constants: {is_return: "@negative"}`' in str(refusal)
    assert '`constants: {is_return: "@negative"}`' in told(refusal, "es") and "devoluciones" in told(refusal, "es")
    assert shop.ingest(content, **SALE, constants={"is_return": "@negative"}).clean.net_amount.sum() == -45
    some = shop.ingest(content + "10,7.00\n", **SALE, quarantine_limit=1.0).account
    assert 'is_return: "@negative"' in account_text(some, {})


def test_an_inch_mark_names_its_remedy_and_that_mends_it(shop: Workshop):
    content = "id,amount,name\n" + "".join(f'{n},5.00,TV {n}" wide\n' for n in range(9))
    contract = SALE | {"columns": SALE["columns"] | {"product_category": "name"}}
    refusal = shop.refuse(content, "FMT-QUOTE", **contract)
    assert '`quote: ""`' in str(refusal) and '`quote: ""`' in told(refusal, "es") and "pulgadas" in told(refusal, "es")
    assert list(shop.ingest(content, **contract, quote="").clean.product_category) == [f'TV {n}" wide'
                                                                                     for n in range(9)]


def test_a_wrong_description_says_what_it_may_want(shop: Workshop):
    out = shop.ingest("id,amount\n" + "".join(f"{n},{-5 if n % 2 else 5}.00\n" for n in range(10)), **SALE)
    with pytest.raises(Refusal, match="QUARANTINE-SHARE") as caught:
        check_share(out.account, 0.2, "")
    assert 'it may want `constants: {is_return: "@negative"}`' in str(caught.value)
    assert 'quizá quiera `constants: {is_return: "@negative"}` si' in told(caught.value, "es")


SHOPIFY = ("Name,Email,Financial Status,Paid at,Subtotal,Taxes,Created at,Currency,Lineitem quantity,Lineitem name,"
           "Lineitem price\n#1,a@x.es,paid,,10.00,0.00,2025-03-04 10:00:00 +0100,EUR,1,Taza,4.00\n"
           "#1,,,,,,,,1,Plato,6.00\n#2,b@x.es,paid,,5.00,0.00,2025-03-05 10:00:00 +0100,EUR,1,Taza,5.00\n")


def test_orders_whose_further_lines_are_left_out_ask_for_no_line_number(shop: Workshop):
    raw = propose(inspect_file(shop.write(SHOPIFY))).raw
    assert raw["preset"] == "shopify" and "line_id" not in raw.get("columns", {})


def test_what_is_asked_is_asked_in_spanish():
    for text in ("which header holds it? (order, UTC); 'Momento' could",
                 "no header is known to hold it, nor any times: without it these rows belong to no month"):
        assert phrased(text, "es") != text
