"""Workbooks with a cover, JSON that is no list of records, keys named twice, national ids: what inspect says."""

import json

import openpyxl
import pandas as pd
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import phrased, told
from pipeline.ingest.findings import findings
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.meaning import map_columns
from pipeline.ingest.proposal import propose
from tests.ingest.conftest import SALE, Workshop

HEAD = ["Pedido", "Cliente", "Importe neto"]
ROWS = [[f"P{n:03}", f"C{n % 9}", n + 1] for n in range(40)]


def book(shop: Workshop, sheets: dict[str, list[list]]):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made.save(shop.folder / "raw" / "export.xlsx")
    return inspect_file(shop.folder / "raw" / "export.xlsx")


@pytest.mark.parametrize("cover", [[["Informe de ventas"], ["Mayo", 2025]], [["Informe"]], []])
def test_the_sheet_with_the_table_is_looked_at_behind_a_cover(shop: Workshop, cover: list[list]):
    found = book(shop, {"Portada": cover, "Datos": [HEAD, *ROWS], "Notas": [["ojo", 1]] * 3})
    assert (found.headers, found.rows, found.sheets) == (HEAD, 40, ["Datos", "Portada", "Notas"])
    assert propose(found).raw["sheet"].startswith("TELL: which sheet? Datos, Portada, Notas (the first named")


def test_of_two_tables_the_first_is_looked_at_and_of_two_short_ones_the_longer(shop: Workshop):
    assert book(shop, {"Enero": [HEAD, *ROWS[:30]], "Febrero": [HEAD, *ROWS]}).sheets[0] == "Enero"
    assert book(shop, {"Notas": [["a", 1]] * 3, "Datos": [HEAD, *ROWS[:5]]}).sheets[0] == "Datos"


@pytest.mark.parametrize(("gap", "said"), [(3_010, 3_012), (2_000, None), (None, None)])
def test_an_empty_row_below_those_looked_at_is_told(shop: Workshop, gap: int | None, said: int | None):
    """The header is row 1; the row that is left out is the one behind `gap` rows."""
    rows = [[f"P{n}", f"C{n % 9}", n + 1] for n in range(3_050)]
    found = book(shop, {"Datos": [HEAD, *rows[:gap or 3_050], *([[], *rows[gap:]] if gap else [])]})
    assert found.gap == (said and said + 1)
    assert ("an empty row stands above row" in findings(found)) == bool(said)


FRAME = pd.DataFrame(ROWS, columns=HEAD)


@pytest.mark.parametrize(("orient", "found"), [("columns", "an object for each column"), ("index", "by their number"),
                                               ("split", "the names of the columns")])
def test_a_table_as_pandas_keeps_it_is_no_list_of_records(shop: Workshop, orient: str, found: str):
    text = FRAME.to_json(orient=orient)
    with pytest.raises(Refusal) as caught:
        inspect_file(shop.write(text, "export.json"))
    assert caught.value.rule == "JSON-RECORDS" and found in caught.value.found
    assert "no registros con sus claves" in told(caught.value, "es")
    contract = SALE | {"format": "json", "files": "export.json", "columns": {"order_id": "Pedido", "net_amount": "N"}}
    refusal = shop.refuse(None, "COL-TYPE" if orient == "columns" else "JSON-RECORDS", **contract)
    assert orient == "columns" or found in refusal.found


@pytest.mark.parametrize("record", [{"id": {"0": {"a": 1}}, "n": 1}, {"columns": ["a"], "data": [{"a": 1}]},
                                    {"id": "P1", "lines": {"first": 1}}])
def test_records_with_such_keys_are_records(shop: Workshop, record: dict):
    assert inspect_file(shop.write(json.dumps(record), "export.json")).rows == 1


def test_objects_that_name_a_key_twice_are_told_with_the_first_line(shop: Workshop):
    rows = ['{"id": 1, "n": 2}', '{"id": 2, "n": 3, "id": 4}', '{"id": 3, "in": {"a": 1, "a": 2}}']
    found = findings(inspect_file(shop.write("\n".join(rows) + "\n", "export.jsonl")))
    assert "2 objects name a key twice (line 2)" in found
    assert "twice" not in findings(inspect_file(shop.write(rows[0] + "\n" + rows[0] + "\n", "export.jsonl")))


@pytest.mark.parametrize("header", ["NIF", "DNI", "CIF", "NIF cliente", "CIF del cliente"])
def test_a_national_id_is_the_customer_unless_it_is_always_the_same(header: str):
    fits = {"Pedido": {"text"}, header: {"text", "repeats"}}
    assert map_columns("sales", list(fits), fits) == {"order_id": "Pedido", "customer_id": header}
    seller = {"Pedido": {"text"}, "CIF": {"text", "repeats", "seldom"}}
    assert "customer_id" not in map_columns("sales", list(seller), seller)


def test_a_customer_number_goes_before_a_national_id(shop: Workshop):
    fits = {"NIF": {"text"}, "Cliente": {"text"}, "Pedido": {"text"}}
    assert map_columns("sales", list(fits), fits)["customer_id"] == "Cliente"


def test_one_of_something_is_said_in_the_singular():
    assert [phrased(f"1 {word}", "es") for word in ("empty", "filled", "different")] == ["1 vacía", "1 llena",
                                                                                        "1 distinta"]
