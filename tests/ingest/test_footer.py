"""Lines of totals: kept out whatever they are called, and a record of somebody called Total stays."""

from pathlib import Path

import pytest

from pipeline.ingest.inspect import inspect_file
from tests.ingest.conftest import SALE, Workshop, report

HEAD = "Pedido;Fecha;Cliente;Producto;Importe\n"
ROWS = "".join(f"A{n};0{n}/01/2025;C{n};Cuota;10,00\n" for n in range(1, 10))
CONTRACT = {"table": "sales", "delimiter": ";", "decimal": ",", "timestamps": ["%d/%m/%Y"], "time_zone": "UTC",
            "columns": {"order_id": "Pedido", "customer_id": "Cliente", "ordered_at": "Fecha", "net_amount": "Importe",
                        "product_category": "Producto"}}
SAYINGS = ["Total", "TOTAL:", "Total ventas", "Total 2025", "Suma total", "Importe total", "Gesamt", "Total (EUR)",
           "(9 filas)", "9 rows", "Subtotal", "Grand total", "Total general", "Totales", "Ventas totales", "Summe"]


@pytest.mark.parametrize("saying", SAYINGS)
def test_a_line_of_totals_is_no_sale_and_inspect_says_the_same(shop: Workshop, saying):
    path = shop.write(f"{HEAD}{ROWS}{saying};;;;90,00\n")
    found = shop.ingest(None, **CONTRACT)
    assert found.rules == {"FMT-FOOTER:quarantined": 1} and found.quarantine["line"].tolist() == [11]
    assert sum(found.clean["net_amount"]) == 90
    assert "FMT-FOOTER" in report(inspect_file(Path(path)))


@pytest.mark.parametrize("saying", SAYINGS)
def test_a_line_of_totals_of_two_cells_is_no_sale(shop: Workshop, saying):
    found = shop.ingest(f"id,amount\n1,10.00\n2,5.00\n{saying},15.00\n", **SALE)
    assert found.rules == {"FMT-FOOTER:quarantined": 1} and sum(found.clean["net_amount"]) == 15


def test_a_line_of_totals_is_found_where_the_number_of_the_line_is_the_id(shop: Workshop):
    columns = {name: head for name, head in CONTRACT["columns"].items() if name not in ("order_id", "ordered_at")}
    found = shop.ingest(f"{HEAD}{ROWS};;;Total productos;90,00\n", **CONTRACT | {
        "columns": columns, "constants": {"order_id": "@row"}})
    assert found.rules == {"FMT-FOOTER:quarantined": 1, "COL-EXTRA:warned": 2} and len(found.clean) == 9


def test_names_that_begin_like_totals_stay(shop: Workshop):
    rows = ("A1;01/01/2025;Total Fitness;Total care;1,00\nA2;01/01/2025;;Total Fitness;2,00\nTotally;;C1;Cuota;3,00\n"
            "A4;;Summertime;Total;4,00\n")
    found = shop.ingest(HEAD + rows, **CONTRACT | {"columns": CONTRACT["columns"] | {"ordered_at": "Fecha"}})
    assert found.rules == {"KEY-NULL:warned": 1} and sum(found.clean["net_amount"]) == 10
    customers = {"table": "customers", "columns": {"customer_id": "id", "segment": "segment"}}
    found = shop.ingest("id,segment\nTotal Fitness,Gold\nTotal Energies,\n3 rowsers,Gold\nSuma Ltd,Gold\n", **customers)
    assert found.rules == {} and len(found.clean) == 4
    path = shop.write("id,segment\n1,Gold\nTotal Fitness,Gold\n")
    assert "FMT-FOOTER" not in report(inspect_file(Path(path)))
