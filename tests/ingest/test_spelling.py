"""Segments that differ by case alone are one segment; accents and other letters tell them apart."""

import pytest

from pipeline.contracts.spoken import phrased
from tests.ingest.conftest import CUSTOMER, SALE, Workshop

SOLD = SALE | {"columns": SALE["columns"] | {"branch": "shop", "ordered_at": "at"}, "timestamps": ["%Y-%m-%d"],
               "time_zone": "UTC"}


def test_words_that_differ_by_case_alone_take_the_spelling_of_most(shop: Workshop):
    words = ["Hogar", "hogar", "Hogar", "HOGAR", "empresa", "Empresa", "Pyme", "", "Hógar"]
    found = shop.ingest("id,segment\n" + "".join(f"C{n},{word}\n" for n, word in enumerate(words)), **CUSTOMER)
    assert found.clean["segment"].fillna("").tolist() == ["Hogar"] * 4 + ["Empresa"] * 2 + ["Pyme", "", "Hógar"]
    assert found.rules == {"CAT-CASE:repaired": 3}


def test_the_files_of_a_source_are_spelled_alike_and_rows_kept_out_have_no_say(shop: Workshop):
    sale = SALE | {"columns": SALE["columns"] | {"branch": "shop"}, "files": "*.csv"}
    shop.write("id,amount,shop\n1,5.00,norte\n2,x,norte\n3,x,norte\n4,0,norte\n", "a.csv")
    shop.write("id,amount,shop\n5,5.00,Norte\n6,5.00,Norte\n", "b.csv")
    found = shop.ingest(None, **sale)
    assert set(found.clean["branch"]) == {"Norte"} and found.rules["CAT-CASE:repaired"] == 1


def test_a_record_that_came_twice_in_two_spellings_is_the_same_record(shop: Workshop):
    found = shop.ingest("id,segment\nC1,Hogar\nC1,hogar\nC2,Hogar\n", **CUSTOMER)
    assert found.rules == {"KEY-DUP-SAME:dropped": 1}
    assert found.clean["segment"].tolist() == ["Hogar", "Hogar"]


def test_declared_words_stay_as_declared(shop: Workshop):
    words = {"segment": {"hogar": "Home", "HOGAR": "Home", "pyme": "small"}}
    found = shop.ingest("id,segment\nC1,hogar\nC2,HOGAR\nC3,pyme\n", **CUSTOMER, words=words)
    assert found.clean["segment"].tolist() == ["Home", "Home", "small"] and found.rules == {}


def days(words: list[str]) -> str:
    return "".join(f"1{n},5.00,{word},2025-{1 + n // 28:02}-{n % 28 + 1:02}\n" for n, word in enumerate(words))


def test_two_codes_that_stand_often_side_by_side_stay_two(shop: Workshop):
    found = shop.ingest("id,amount,shop,at\n" + days(["a1", "A1", "A1", "b2", "B2x"] * 20 + ["B2"]), **SOLD)
    assert found.clean["branch"].value_counts().to_dict() == {"A1": 40, "a1": 20, "b2": 21, "B2x": 20}
    assert found.rules == {"CAT-CASE:repaired": 1, "CAT-CODE:warned": 20}
    assert found.account.odd == ("export.csv, column 'shop': 'a1' and 'A1' both stand often side by side, and are "
                                 "taken for two codes; `words` makes them one (CAT-CODE)",)
    assert "se toman por dos códigos" in phrased(found.account.odd[0], "es")


@pytest.mark.parametrize("words", [
    ["norte", "Norte", "Norte"] * 20,  # words
    ["a1"] * 60 + ["A1"] * 60,  # a system that writes them otherwise from one day on
    ["A1"] * 100 + ["a1"] * 5 + ["A1"] * 100,  # a slip
    ["Tienda1", "tienda1"] * 30,  # a word with a number
])
def test_words_slips_and_another_way_of_writing_are_folded(shop: Workshop, words: list[str]):
    found = shop.ingest("id,amount,shop,at\n" + days(words), **SOLD)
    assert found.clean["branch"].nunique() == 1 and "CAT-CODE:warned" not in found.rules


def test_declared_words_make_codes_one(shop: Workshop):
    text = "id,segment\n" + "".join(f"C{n},{'Aa'[n % 2]}1\n" for n in range(100))
    assert shop.ingest(text, **CUSTOMER).rules == {"CAT-CODE:warned": 50}
    found = shop.ingest(text, **CUSTOMER, words={"segment": {"a1": "A1", "A1": "A1"}})
    assert set(found.clean["segment"]) == {"A1"} and found.rules == {}


def test_codes_of_which_each_fills_a_file_of_its_own_stay_two_where_their_days_are_the_same(shop: Workshop):
    head = "id,amount,shop,at\n"
    shop.write(head + days(["a1"] * 60), "one.csv")
    shop.write(head + days(["A1"] * 90).replace("\n1", "\n9").replace("10,", "90,", 1), "two.csv")
    found = shop.ingest(None, **SOLD, files="*.csv")
    assert found.clean["branch"].value_counts().to_dict() == {"A1": 90, "a1": 60}
    assert found.rules == {"CAT-CODE:warned": 60} and found.account.odd[0].startswith("one.csv, two.csv, column 'shop'")
    shop.write(head + days(["a1"] * 60).replace(",2025-", ",2024-"), "one.csv")  # another way of writing since January
    assert shop.ingest(None, **SOLD, files="*.csv").rules["CAT-CASE:repaired"] == 60
    timeless = SALE | {"columns": SALE["columns"] | {"branch": "shop"}}
    assert shop.ingest(None, **timeless, files="*.csv").rules["CAT-CASE:repaired"] == 60
