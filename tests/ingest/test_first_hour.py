"""What a user meets in the first hour is said so that it can be mended: place, cause, remedy, in both languages."""

import sqlite3
from pathlib import Path

import openpyxl
import pytest
from ruamel.yaml import YAML

from pipeline.contracts.params import Database, Source, typed_source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told
from pipeline.ingest.__main__ import main
from pipeline.ingest.fetch import fetch
from pipeline.ingest.inspect import inspect_file
from tests.ingest.conftest import SALE, Workshop

CSV = "pedido;cliente;fecha;importe;tienda\n"


@pytest.mark.parametrize("content", [b"id,amount\n1,2.5\n2,\x00\x01\x02\n", bytes(range(1, 256)) + b"\n" + bytes(300)])
def test_a_file_that_is_no_text_is_not_asked_for_its_encoding(shop: Workshop, content: bytes):
    with pytest.raises(Refusal) as caught:
        inspect_file(shop.write(content))
    lines = content[:content.index(b"\0")].count(b"\n")
    assert (caught.value.rule, caught.value.line) == ("FMT-NUL", lines + 1)
    assert "NUL bytes: it is no text" in str(caught.value) and "no es un texto" in told(caught.value, "es")


@pytest.mark.parametrize(("query", "column"), [
    ("SELECT id, id FROM sales", "id"), ("SELECT * FROM sales JOIN sales AS s USING (id)", "amount"),
    ("SELECT id, amount AS ID FROM sales", "ID")])
def test_a_query_that_names_a_column_twice_is_refused(shop: Workshop, query: str, column: str):
    path = shop.folder / "shop.db"
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE sales(id, amount)")
        con.execute("INSERT INTO sales VALUES (1, 2)")
    con.close()
    source = Source("sales", str(shop.folder / "raw"), "a.parquet", "parquet", {"order_id": "id"},
                    database=Database("sqlite", query, str(path)))
    with pytest.raises(Refusal) as caught:
        fetch(source, "sales")
    assert (caught.value.rule, caught.value.column, caught.value.found) == ("COL-DUP", column, "2 times")
    assert "la consulta nombra esta columna más de una vez" in told(caught.value, "es")
    assert not list(Path(source.folder).glob("*.parquet"))


def test_a_query_may_name_a_column_as_sqlite_would_number_it(shop: Workshop):
    path = shop.folder / "shop.db"
    sqlite3.connect(path).close()
    source = Source("sales", str(shop.folder / "raw"), "a.parquet", "parquet", {"order_id": "id"},
                    database=Database("sqlite", 'SELECT 1 AS id, 2 AS "at:1"', str(path)))
    assert fetch(source, "sales").rows == 1


def formulas(shop: Workshop, rows: list) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Ventas"
    for row in rows:
        book.active.append(row)
    book.save(shop.folder / "raw" / "export.xlsx")
    return shop.folder / "raw" / "export.xlsx"


EXCEL = SALE | {"decimal": None, "format": "xlsx", "files": "export.xlsx"}


def test_a_formula_without_value_is_named_with_its_sheet_row_and_column(shop: Workshop):
    formulas(shop, [["note", "id", "amount"], ["x", "1", 10.5], ["y", "2", "=1+1"], ["z", "3", "#N/A"]])
    found = shop.ingest(None, **EXCEL).quarantine
    assert found[["line", "column", "found"]].values.tolist() == [
        [3, "amount", "no value in C3 of sheet 'Ventas'"], [4, "amount", "#N/A in C4 of sheet 'Ventas'"]]
    formulas(shop, [["id", "amount"], ["1", "=1+1"]])
    refusal = shop.refuse(None, "XLS-FORMULA", **EXCEL)
    assert (refusal.file, refusal.line, refusal.column) == ("export.xlsx", 2, "amount")
    assert "in B2 of sheet 'Ventas'" in str(refusal) and "en B2 de la hoja 'Ventas'" in told(refusal, "es")


def block_of(printed: str) -> dict:
    text = printed.split("# for params.yaml")[-1].split("\n", 1)[1]
    return next(iter(YAML(typ="safe", pure=True).load(text).values()))


@pytest.mark.parametrize("plain", ["enero", "marzo"])
def test_a_month_of_ascii_letters_alone_goes_with_the_others(shop: Workshop, capsys, plain: str):
    months = {"enero": "A1;C1;03/01/2025;10,5;Ávila\n", "febrero": "A2;C1;25/02/2025;1,5;León\n",
              "marzo": "A3;C2;04/03/2025;7,5;Cádiz\n"}
    months[plain] = "A9;C9;30/03/2025;7,5;Madrid\n"
    paths = [shop.write((CSV + row).encode("cp1252"), f"{month}.csv") for month, row in months.items()]
    assert main(["inspect", "--table", "sales", *map(str, paths)]) == 0
    printed = capsys.readouterr().out
    source = typed_source(block_of(printed) | {"time_zone": "UTC"})
    assert printed.count("# for params.yaml") == 1 and (source.encoding, source.files) == ("windows-1252", "*.csv")
    shops = shop.ingest(None, **vars(source)).clean["branch"]
    assert sorted(shops) == sorted({"enero": ["Madrid", "León", "Cádiz"], "marzo": ["Ávila", "León", "Madrid"]}[plain])


def test_months_in_two_encodings_stay_two_sources_and_ascii_goes_with_most(shop: Workshop, capsys):
    rows = {"a": "A1;C1;23/01/2025;1,5;Ávila\n", "b": "A2;C1;25/02/2025;1,5;León\n",
            "c": "A3;C2;24/03/2025;7,5;Madrid\n"}
    paths = [shop.write((CSV + row).encode("utf-8" if name == "b" else "cp1252"), f"{name}.csv")
             for name, row in rows.items()]
    paths.append(shop.write((CSV + "A4;C2;24/04/2025;7,5;Jaén\n").encode("cp1252"), "d.csv"))
    assert main(["inspect", "--table", "sales", *map(str, paths)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("# for params.yaml") == 2 and "one source of 3 files" in printed


@pytest.mark.parametrize("folder", ["gone", "raw"])
def test_an_export_that_is_not_there_says_that_its_block_goes_too(shop: Workshop, folder: str):
    refusal = shop.refuse(None, "SET-MISSING", **SALE | {"folder": str(shop.folder / folder)})
    assert "without this export, take the block sources.export out of params.yaml" in str(refusal)
    assert "sin esta exportación, quite el bloque sources.export de params.yaml" in told(refusal, "es")
