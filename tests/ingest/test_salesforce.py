"""Ids of Salesforce with 15 and with 18 characters name the same records: inspect says so, with the ids that do."""

import pytest

from pipeline.ingest.__main__ import main
from pipeline.ingest.evidence_columns import describe
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.salesforce import length_of, long_form
from tests.ingest.conftest import Workshop, report


def test_the_long_form_of_an_id():
    assert long_form("001A0000006Vm9r") == "001A0000006Vm9rIAC"
    assert long_form("a" * 15) == "a" * 15 + "AAA" and long_form("A" * 15) == "A" * 15 + "555"
    assert long_form("A" + "a" * 14)[15:] == "BAA" and long_form("aaaaB" + "a" * 10)[15:] == "QAA"


SHORT = [f"0015g00000Kq{n}Za" for n in range(1, 8)]


def test_what_is_of_salesforce_is_told_by_its_form_and_its_check():
    assert length_of(SHORT) == 15 and length_of(map(long_form, SHORT)) == 18
    assert length_of([f"{short}AAA" for short in SHORT]) == 0 and length_of(SHORT[:2]) == 0
    assert length_of([f"cus_NffrFeUfNV2H{n}" for n in range(9)]) == 0
    assert length_of([f"00000000000{n:04}" for n in range(9)]) == 0
    assert describe("Id", [(n, text) for n, text in enumerate(SHORT, 2)]).salesforce == 15


def test_fifteen_characters_of_another_program_are_not_called_ids_of_salesforce(shop: Workshop):
    others = [(n, f"aXk9Bq{n}Lm3TzR8v"[:15]) for n in range(10, 40)]
    assert all(len(text) == 15 for _, text in others)
    assert not [note for note in describe("Id", others).notes if "Salesforce" in note]
    assert [note for note in describe("Id", others, is_salesforce=True).notes if "Salesforce" in note]
    assert [note for note in describe("Id", [(n, text) for n, text in enumerate(SHORT)]).notes if "Salesforce" in note]
    longer = [(n, long_form(text)) for n, text in others]
    assert [note for note in describe("Id", longer).notes if "18 characters" in note]  # their check digits say so


@pytest.mark.parametrize(("tongue", "words"), [
    ("en", "4 ids of 'AccountId' in sales.csv are the first 15 characters"),
    ("es", "4 identificadores de 'AccountId' en sales.csv son los primeros")])
def test_two_files_that_name_the_same_records_in_two_ways_are_told(shop: Workshop, capsys, monkeypatch, tongue, words):
    monkeypatch.setenv("VIVENCIA_LANGUAGE", tongue)
    people = shop.write("customer id,segment\n" + "".join(f"{long_form(i)},Hogar\n" for i in SHORT[3:]), "people.csv")
    sales = shop.write("order id,AccountId,amount\n" + "".join(f"A{i[-3]},{i},1.5\n" for i in SHORT), "sales.csv")
    assert main(["inspect", str(people), str(sales)]) == 0
    assert words in capsys.readouterr().out
    assert main(["inspect", str(sales)]) == 0
    printed = capsys.readouterr().out
    assert words not in printed and ("15 characters" if tongue == "en" else "15 caracteres") in printed


def test_the_note_names_no_id(shop: Workshop):
    found = inspect_file(shop.write("order id,AccountId,amount\n" + "".join(f"A{i[-3]},{i},1.5\n" for i in SHORT)))
    assert "ids of Salesforce with 15 characters" in report(found) and SHORT[0] not in report(found)
