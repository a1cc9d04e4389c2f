"""What inspect, check and ingest say in Spanish is true of the case at hand, and no English word is left in it."""

import zipfile

import openpyxl
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import phrased, told
from pipeline.ingest.__main__ import main
from pipeline.ingest.inspect import inspect_file
from tests.ingest.conftest import SALE, TICKET, Workshop

DATED = SALE | {"columns": SALE["columns"] | {"ordered_at": "at"}, "timestamps": ["%d/%m/%Y"]}
ROWS = "id,amount,at\n1,{},03/04/2025\n"


@pytest.mark.parametrize(("amount", "contract", "expected"), [
    ("1.50", DATED | {"decimal": ",", "time_zone": "UTC"}, "no es un número en la convención declarada"),
    ("1.50", DATED | {"time_zone": "Madrid"}, "esta zona horaria no existe; se encontró 'Madrid'"),
    ("1.50", DATED | {"timestamps": ["%d/%m/%Y", "%m/%d/%Y"], "time_zone": "UTC"},
     "sources.export.timestamps contiene dos formatos que leen un mismo texto como dos días distintos; se encontró "
     "%d/%m/%Y, %m/%d/%Y, se esperaba uno de los dos"),
    ("1.50", DATED | {"columns": {"order_id": "id"}, "time_zone": "UTC"},
     "sources.export.columns debe decir qué cabecera contiene net_amount"),
    ("1e3", DATED | {"time_zone": "UTC"}, "puede haber perdido cifras (1e3"),
])
def test_a_refusal_says_what_is_the_case(shop: Workshop, amount, contract, expected):
    shop.write(ROWS.format(amount))
    with pytest.raises(Refusal) as caught:
        shop.ingest(None, **contract)
    assert expected in told(caught.value, "es")


def test_a_formula_without_value_is_told_in_spanish_words(shop: Workshop):
    """Rows that break each in their own way: the refusal of the whole file, and the line of `check`."""
    book = openpyxl.Workbook()
    book.active.title = "Ventas"
    for row in (["id", "amount"], [None, 5], ["1", "=1+1"], ["2", "#N/A"]):
        book.active.append(row)
    book.save(shop.folder / "raw" / "export.xlsx")
    refusal = shop.refuse(None, "XLS-FORMULA", **SALE | {"decimal": None, "format": "xlsx", "files": "export.xlsx"})
    assert "se encontró \"sin valor en B3 de la hoja 'Ventas'\", se esperaba guarde" in told(refusal, "es")
    example = "export.xlsx, line 8, column 'amount', found \"no value in D8 of sheet 'Mayo'\""
    assert phrased(example, "es") == \
        "export.xlsx, línea 8, columna 'amount', se encontró \"sin valor en D8 de la hoja 'Mayo'\""


def test_the_path_of_a_value_inside_an_object_is_told_in_spanish(shop: Workshop):
    contract = {"table": "sales", "columns": {"order_id": "id", "net_amount": "n"}, "format": "json", "decimal": "."}
    refusal = shop.refuse('{"id": {"name": "P1"}}', "COL-TYPE", **contract)
    assert "se encontró un objeto, se esperaba un texto, un número, true o false; un valor que está dentro se " \
        "declara por su ruta, como id.name [" in told(refusal, "es")


@pytest.mark.parametrize(("columns", "fill", "english", "spanish"), [
    ({"order_id": "id", "customer_id": "who"}, ["who", "id"],
     "fill_down names the header of columns.order_id, whose own cells cannot be filled; found 'id', expected who,",
     "fill_down nombra la cabecera de columns.order_id, cuyas celdas no se pueden rellenar; se encontró 'id', se "
     "esperaba who,"),
    ({"order_id": "id", "customer_id": "who"}, ["nobody"],
     "fill_down names headers of this source, and needs columns.order_id; found 'nobody'",
     "fill_down nombra cabeceras de esta fuente, y necesita columns.order_id; se encontró 'nobody'"),
])
def test_what_fill_down_cannot_fill_is_told_in_both_languages(shop: Workshop, columns, fill, english, spanish):
    refusal = shop.refuse("id,who,amount\nA,ann,1.00\nA,,2.00\n", "PARAM-UNKNOWN", table="sales", decimal=".",
                          columns=columns | {"net_amount": "amount"}, fill_down=fill)
    assert english in str(refusal) and spanish in told(refusal, "es")
    refusal = shop.refuse("id,created,solved\n1,03/04/2025 10:00,\n", "PARAM-UNKNOWN", **TICKET, fill_down=["created"])
    assert "y necesita columns.order_id; se encontró ningún order_id, se esperaba id," in told(refusal, "es")


@pytest.mark.parametrize(("english", "spanish"), [
    ("decimal '.': decided by '1.5' (line 14), '2.5' (line 15)", "'1.5' (línea 14), '2.5' (línea 15)"),
    ("%d/%m/%Y or %m/%d/%Y? 05/01/2025 can be read both ways", "%d/%m/%Y o %m/%d/%Y"),
    ("No such file or directory", "no existe tal fichero o carpeta")])
def test_no_english_word_is_left_in_what_inspect_says(english, spanish):
    assert spanish in phrased(english, "es")


def test_the_command_line_names_its_words_in_spanish(capsys, monkeypatch):
    monkeypatch.setenv("VIVENCIA_LANGUAGE", "es")
    with pytest.raises(SystemExit):
        main([])
    assert "verbo" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["inspect", "-h"])
    printed = capsys.readouterr().out
    assert "FICHERO" in printed and "TABLA" in printed and "FILE" not in printed


def test_a_zip_with_exports_in_it_says_to_unpack_it(shop: Workshop):
    with zipfile.ZipFile(shop.folder / "raw" / "export.zip", "w") as archive:
        archive.writestr("enero.csv", "id,amount\n1,2.50\n")
    with pytest.raises(Refusal, match="its files: unpack it") as caught:
        inspect_file(shop.folder / "raw" / "export.zip")
    assert "sus ficheros: descomprímalo" in told(caught.value, "es")
