"""Segments that differ by case alone are one segment; accents and other letters tell them apart."""

from tests.ingest.conftest import CUSTOMER, SALE, Workshop


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
