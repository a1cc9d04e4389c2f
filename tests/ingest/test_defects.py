"""Readings that once lost, invented or showed what they should not: each with the sentence or the rows expected."""

import pandas as pd
import pytest

from tests.ingest.conftest import CUSTOMER, SALE, Workshop

CONTACT = {"table": "contacts", "format": "json", "timestamps": ["iso8601"],
           "columns": {"contact_id": "id", "customer_id": "customer.id", "happened_at": "when"}}


@pytest.mark.parametrize(("text", "rule", "found"), [
    ("id,amount\n1,2.00,\n2,3.00,\n", "FMT-WIDTH", "3 fields"),
    ("id,amount\n1,2,00\n2,3,00\n", "FMT-WIDTH", "3 fields"),
    ('id,c,amount\n1, "a, b", 2.00\n', "FMT-QUOTE", None),
])
def test_a_file_of_rejects_is_told_by_its_first_one(shop: Workshop, text: str, rule: str, found: str | None):
    refusal = shop.refuse(text, rule, **SALE)
    assert (refusal.line, refusal.found) == (2, found)
    assert found is None or refusal.expected == "2 fields"


@pytest.mark.parametrize(("inner", "rule"), [
    ('"b"', "COL-TYPE"), ('[{"id":"a"}]', "COL-TYPE"), ('{"id":"a","id":"b"}', "JSON-KEYS")])
def test_a_path_that_does_not_lead_on_keeps_the_line_out(shop: Workshop, inner: str, rule: str):
    line = '{"id":%d,"customer":%s,"when":"2025-01-01T00:00:00Z"}\n'
    shop.write("".join(line % (n, '{"id":"a"}') for n in range(1, 9)) + line % (9, inner), "export.json")
    found = shop.ingest(None, files="export.json", **CONTACT)
    assert found.quarantine[["rule", "line"]].values.tolist() == [[rule, 9]]
    assert found.clean["customer_id"].notna().all()


def test_a_path_that_is_null_everywhere_is_there(shop: Workshop):
    shop.write('{"id":1,"customer":{"id":null},"when":"2025-01-01T00:00:00Z"}\n', "export.json")
    found = shop.ingest(None, files="export.json", **CONTACT)
    assert found.clean["customer_id"].isna().all() and found.account.total("clean") == 1


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "cp850"])
def test_utf8_under_another_encoding_is_refused(shop: Workshop, encoding: str):
    refusal = shop.refuse("id,segment\n1,a\n2,Autónomo\n", "ENC-INVALID", encoding=encoding, **CUSTOMER)
    assert (refusal.line, refusal.found) == (3, "UTF-8")
    good = shop.ingest("id,segment\n1,a\n2,Autónomo\n".encode(encoding), encoding=encoding, **CUSTOMER)
    assert good.clean["segment"].tolist() == ["a", "Autónomo"]


@pytest.mark.parametrize(("text", "moment"), [
    ("2025-01-01 00:00:00 +0000", "2025-01-01 00:00:00"), ("2025-01-01 02:00:00 Z", "2025-01-01 02:00:00"),
    ("2025-01-01 02:00:00.5 +01:00", "2025-01-01 01:00:00.5"), ("2025-01-01 02:00 -05", "2025-01-01 07:00:00"),
    ("2025-01-01T02:00:00 +0200", "2025-01-01 00:00:00"), ("2025-01-01 00:00:00+00:00", "2025-01-01 00:00:00")])
def test_a_blank_before_the_zone_is_read(shop: Workshop, text: str, moment: str):
    sale = SALE | {"columns": SALE["columns"] | {"ordered_at": "when"}, "timestamps": ["iso8601"]}
    found = shop.ingest(f"id,amount,when\n1,2.00,{text}\n", **sale)
    assert found.clean["ordered_at"].tolist() == [pd.Timestamp(moment)]
