"""Readings that once lost, invented or showed what they should not: each with the sentence or the rows expected."""

import io
import zipfile

import pandas as pd
import pytest

from pipeline.contracts.params import load_params
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.__main__ import _each
from pipeline.ingest.check import _examples
from pipeline.ingest.redact import shown
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


@pytest.mark.parametrize(("contract", "rule"), [
    ({"encoding": "hex"}, "ENC-UNKNOWN"), ({"encoding": "rot13"}, "ENC-UNKNOWN"),
    ({"encoding": "base64"}, "ENC-UNKNOWN"),
    ({"encoding": "punycode"}, "ENC-UNKNOWN"), ({"encoding": "undefined"}, "ENC-UNKNOWN"),
    ({"skip_rows": -5}, "PARAM-TYPE"), ({"header_rows": -1}, "PARAM-TYPE"), ({"late_days": -1}, "PARAM-TYPE"),
    ({"quarantine_limit": 2.0}, "PARAM-TYPE"), ({"thousands": "abc"}, "PARAM-TYPE"),
    ({"timestamps": ["%Q"]}, "PARAM-TYPE"), ({"timestamps": [""]}, "PARAM-TYPE"),
    ({"constants": {"margin": "abc"}}, "PARAM-TYPE"), ({"constants": {"quantity": [1]}}, "PARAM-TYPE"),
])
def test_a_contract_that_cannot_be_is_refused_by_its_key(shop: Workshop, contract: dict, rule: str):
    refusal = shop.refuse("id,amount\n1,2.00\n", rule, **SALE | contract)
    assert rule == "ENC-UNKNOWN" or f"sources.export.{next(iter(contract))}" in refusal.sentence


def test_what_may_not_be_read_is_a_sentence(shop: Workshop, monkeypatch):
    def forbidden(*_):
        raise PermissionError(13, "Permission denied", "/secret/place/export.csv")

    monkeypatch.setattr("pipeline.ingest.clean.find_exports", forbidden)
    refusal = shop.refuse("id,amount\n1,2.00\n", "FILE-READ", **SALE)
    assert refusal.file == "export.csv" and "/secret" not in str(refusal)


def test_a_workbook_with_a_cut_sheet_is_refused(shop: Workshop):
    whole, cut = io.BytesIO(), io.BytesIO()
    pd.DataFrame({"id": range(50), "amount": 2.5}).to_excel(whole, index=False)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(cut, "w") as new:
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, data[:len(data) // 2] if part.endswith("sheet1.xml") else data)
    shop.write(cut.getvalue(), "export.xlsx")
    shop.refuse(None, "FILE-TRUNC", files="export.xlsx", format="xlsx", **SALE)


def test_a_folder_is_no_params_file(tmp_path):
    with pytest.raises(Refusal) as caught:
        load_params(tmp_path)
    assert caught.value.rule == "PARAM-FILE"


def test_one_source_does_not_keep_check_from_the_next(capsys):
    def text_of(name: str) -> str:
        if name != "good":
            raise {"bad": Refusal("X", "no"), "broken": KeyError("x")}[name]
        return "read"

    assert _each(["bad", "broken", "good"], text_of, "en") == 1
    told = capsys.readouterr()
    assert "read" in told.out and "broken: Vivencia stopped on an unexpected KeyError" in told.err


@pytest.mark.parametrize(("text", "hidden"), [
    ("12345,ana@example.com,612345678\n12346,b@example.com,612345679\n", ["12345", "ana@", "612345678"]),
    ("77,Ana García López,612 345 678\n78,B,\n", ["García", "612"])])
def test_a_header_that_holds_data_is_not_shown(shop: Workshop, text: str, hidden: list[str]):
    refusal = shop.refuse(text, "COL-MISSING", **CUSTOMER)
    assert not [part for part in hidden if part in str(refusal)]
    assert "segmento" in str(shop.refuse("id,segmento\n1,a\n", "COL-MISSING", **CUSTOMER))


@pytest.mark.parametrize("value", ["ana@example.com", "Ana García López", "612 345 678"])
def test_a_personal_value_is_not_shown(shop: Workshop, value: str):
    contract = {"table": "tickets", "columns": {"ticket_id": "id", "status": "status"}}
    refusal = shop.refuse(f"id,status\n1,{value}\n", "CAT-MAP", **contract)
    found = shop.ingest(f"id,status\n1,{value}\n" + "".join(f"{n},open\n" for n in range(2, 9)), **contract)
    assert found.account.total("quarantined") == 1
    path = sorted(shop.folder.glob("work*/quarantine.parquet"))[-1]
    assert not {"ana@", "García", "612"} & {part for part in ("ana@", "García", "612")
                                            if part in str(refusal) + str(_examples(path, "en"))}
    assert shown("en espera") == "en espera" and shown("1.234,50") == "1.234,50"
