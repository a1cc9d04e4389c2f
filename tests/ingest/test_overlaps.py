"""Records met twice: across exports that overlap, and under a key that does not tell the lines of an order apart."""

from pathlib import Path

from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.proposal import propose
from tests.ingest.conftest import CUSTOMER, SALE, SURVEY, Workshop, block

ROWED = SURVEY | {"columns": {"customer_id": "id"}, "constants": {"response_id": "@row"}, "files": "*.csv"}


def write_months(shop: Workshop, first: int = 30, last: int = 60) -> None:
    rows = [f"C{n},{n % 11},2025-01-01,{n}\n" for n in range(last)]
    shop.write("id,nps,day,other\n" + "".join(rows[:first]), "enero.csv")
    shop.write("id,nps,day,other\n" + "".join(rows), "febrero.csv")


def test_a_month_that_holds_the_one_before_is_not_counted_twice_in_silence(shop: Workshop):
    write_months(shop)
    told = shop.refuse(None, "FILE-OVERLAP", **ROWED)
    assert told.file == "febrero.csv" or told.file == "enero.csv"
    assert told.found == "30 records"


def test_the_analyst_says_whether_repeats_are_the_same_records(shop: Workshop):
    write_months(shop)
    dropped = shop.ingest(None, **ROWED, repeats="drop")
    assert (len(dropped.clean), dropped.rules["KEY-DUP-SAME:dropped"]) == (60, 30)
    kept = shop.ingest(None, **ROWED, repeats="keep")
    assert (len(kept.clean), kept.rules["FILE-OVERLAP:warned"]) == (90, 30)


def test_equal_records_of_one_file_and_records_that_differ_in_any_column_are_no_overlap(shop: Workshop):
    shop.write("id,nps,other\nC1,9,a\nC1,9,a\n", "enero.csv")
    shop.write("id,nps,other\nC1,9,b\nC1,9,b\n", "febrero.csv")
    assert len(shop.ingest(None, **ROWED).clean) == 4
    shop.write("other,id,nps\na,C1,9\nb,C2,9\n", "febrero.csv")  # the same columns in another order
    found = shop.ingest(None, **ROWED, repeats="drop")
    assert len(found.clean) == 3 and found.rules["KEY-DUP-SAME:dropped"] == 1


def test_lines_of_one_order_with_the_same_price_and_another_product_are_not_the_same_record(shop: Workshop):
    content = "id,product,amount\n1,A,10.00\n1,B,10.00\n2,A,5.00\n2,A,5.00\n3,A,5.00\n4,A,5.00\n"
    found = shop.ingest(content, **SALE, quarantine_limit=1.0)
    assert found.rules == {"KEY-DUP-CONFLICT:quarantined": 2, "KEY-DUP-SAME:dropped": 1, "COL-EXTRA:warned": 1}
    lines = SALE | {"columns": SALE["columns"] | {"line_id": "product"}}
    assert str(sum(shop.ingest(content, **lines).clean["net_amount"])) == "35.0000"


def test_inspect_finds_the_number_of_an_answer_or_asks_for_it(shop: Workshop):
    rows = "".join(f"{n};C{n % 3};{n % 11}\n" for n in range(1, 40))
    path = shop.write("Nº respuesta;Cliente;¿Nos recomendaría? (NPS)\n" + rows)
    found = propose(inspect_file(Path(path)))
    assert found.raw["columns"]["response_id"] == "Nº respuesta" and "constants" not in found.raw
    path = shop.write("Sucursal;Cliente;¿Nos recomendaría? (NPS)\n" + rows)
    assert "# TELL: response_id:" in block(inspect_file(Path(path)))


def test_a_column_that_only_one_of_the_exports_has_hides_no_repeats(shop: Workshop):
    shop.write("id,nps,other\nC1,9,a\nC2,8,b\n", "enero.csv")
    shop.write("id,nps,other,exported\nC1,9,a,2025-02-01\nC2,8,b,2025-02-01\nC3,7,c,2025-02-01\n", "febrero.csv")
    assert shop.refuse(None, "FILE-OVERLAP", **ROWED).found == "2 records"


def test_lines_of_one_order_in_json_are_told_apart_by_keys_that_nobody_declared(shop: Workshop):
    line = '{{"id": "1", "product": "{}", "amount": 10.0}}\n'
    shop.write(line.format("A") + line.format("B") + line.format("B").replace('"1"', '"2"'), "export.jsonl")
    found = shop.ingest(None, **SALE | {"files": "export.jsonl", "format": "json", "quarantine_limit": 1.0})
    assert found.rules["KEY-DUP-CONFLICT:quarantined"] == 2 and len(found.clean) == 1


def test_the_same_record_under_its_id_written_otherwise_is_the_same_record(shop: Workshop):
    shop.write("id,segment\nA-1,x\nB-2,y\n", "enero.csv")
    shop.write("id,segment\n a-1 ,x\nb-2,z\n", "febrero.csv")
    found = shop.ingest(None, **CUSTOMER | {"files": "*.csv", "quarantine_limit": 1.0})
    assert found.rules["KEY-DUP-SAME:dropped"] == 1 and found.rules["KEY-DUP-CONFLICT:quarantined"] == 2
