"""Ids whose case tells one from another: byte for byte where the company says so, asked about where nobody does."""

import hashlib
import hmac
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.privacy import PUBLIC_KEY
from tests.ingest.conftest import COMPANY, CUSTOMER, SURVEY, Workshop, block

EXACT, FOLDED = replace(COMPANY, ids="exact"), replace(COMPANY, ids="folded")
ASKED = SURVEY | {"columns": {"response_id": "id", "customer_id": "who"}}
TWINS = ["0015g00000Kq1Za", "0015g00000kq1Za", "0015g00000Kq1ZA"]


def pseudonyms(ids: list[str]) -> list[str]:
    """By the standard library."""
    return [hmac.new(PUBLIC_KEY, one.encode(), hashlib.sha256).hexdigest()[:32] for one in ids]


def test_exact_ids_come_out_byte_for_byte(shop: Workshop):
    ids = [*TWINS, "Ana@x.es", "ana@x.es", " A1 ", "A1", "a\u200db", "a\u200cb", "ab", "Jose\u0301", "José", "ＡＢ",
           "Ab", "007", "7"]
    found = shop.ingest("id,nps,who\n" + "".join(f"{n},9,{who}\n" for n, who in enumerate(ids)), EXACT, **ASKED)
    assert found.clean["customer_id"].tolist() == pseudonyms(ids)
    assert found.rules["KEY-EXACT:warned"] > 0 and "KEY-NORM:repaired" not in found.rules
    found = shop.ingest("id,segment\n" + "".join(f'"{one}",a\n' for one in ids), EXACT, **CUSTOMER)
    assert found.clean["customer_id"].tolist() == pseudonyms(ids)


@pytest.mark.parametrize(("company", "people"), [(EXACT, 3), (FOLDED, 1)])
def test_orders_of_exact_ids_are_told_apart(shop: Workshop, company, people: int):
    rows = "".join(f"{who},10.00,{n}\n" for n, who in enumerate(TWINS))
    found = shop.ingest("order,amount,line\n" + rows, company, table="sales", decimal=".", returns="lines",
                        columns={"order_id": "order", "net_amount": "amount", "line_id": "line"})
    assert found.clean["order_id"].nunique() == people and len(found.clean) == 3


def test_ids_of_machines_that_differ_by_case_alone_are_asked_about(shop: Workshop):
    rows = "id,nps,who\n1,9,C-0007\n2,9,c-0007\n3,9,Ana1980\n"
    rows += "".join(f"{n},9,{who}\n" for n, who in enumerate(TWINS, 4))
    told = shop.refuse(rows, "KEY-CASE", **ASKED)
    assert (told.file, told.line, told.column, told.found) == ("export.csv", 5, "who", "3 such ids")
    assert shop.ingest(rows, FOLDED, **ASKED).clean["customer_id"].nunique() == 3
    quiet = "id,nps,who\n1,9,C-0007\n2,9,c-0007\n3,9,Ana1980\n4,9,ana1980\n"
    quiet += "5,9,cus_NffrFeUfNV2Hib\n6,9,cus_NffrFeUfNV2Hib\n"
    assert shop.ingest(quiet, **ASKED).clean["customer_id"].nunique() == 3


@pytest.mark.parametrize(("ids", "expected"), [
    (["0015g00000Kq1Za", "0015g00000Lr2Yb", "0015g00000Mt3Xc"], "ids: exact` under `company`, and they"),
    (["cus_NffrFeUfNV2Hib", "cus_nffrFeUfNV2Hib", "cus_3"], "ids: exact` under `company`, and they"),
    (["K1", "k1", "K2"], "2 of 'Customer ID' are the same but for case"),
    (["K1", "K2", "K3"], None), (["ana@x.es", "Ana@x.es", "bea@x.es"], None),
])
def test_inspect_says_when_case_tells_ids_apart(shop: Workshop, ids: list[str], expected: str | None):
    path = shop.write("Customer ID,Segment,Signup date\n" + "".join(f"{one},s{n % 2},2025-01-0{n + 1}\n"
                                                                     for n, one in enumerate(ids)))
    shown = block(inspect_file(Path(path)))
    assert (expected in shown) if expected else ("company.ids" not in shown)


@pytest.mark.parametrize("company", [COMPANY, EXACT])
def test_words_that_name_nobody_are_no_customer_and_no_part_of_a_name_is(shop: Workshop, company):
    words = ["guest", " Anonymous ", "ANÓNIMO", "ano\u0301nimo", "Consumidor final", "n/a",
             "\u200bguest", '="Contado"', "test@test.com"]
    people = ["guestson", "guest1", "contado-7", "latest", "A1"]
    rows = "".join(f'{n},9,"{who.replace(chr(34), 2 * chr(34))}"\n' for n, who in enumerate([*words, *people]))
    found = shop.ingest("id,nps,who\n" + rows, company, **ASKED)
    assert found.clean["customer_id"].isna().tolist() == [True] * len(words) + [False] * len(people)
    assert found.clean["customer_id"].dropna().tolist() == pseudonyms(
        people if company.ids == "exact" else [one.lower() for one in people])
    assert found.rules["KEY-NULL:warned"] == len(words)
    register = shop.ingest("id,segment\nGuest,a\nA1,b\n", company, **CUSTOMER)
    assert (len(register.clean), register.rules["KEY-MISSING:quarantined"]) == (1, 1)
    orders = shop.ingest("id,amount\nguest,1.00\n", company, table="sales", decimal=".",
                         columns={"order_id": "id", "net_amount": "amount"})
    assert orders.clean["order_id"].tolist() == pseudonyms(["guest"])
