"""inspect: what a header means is also told by its values and by the headers beside it; what they put in doubt is
asked. Expectations are worked out by hand from the texts."""

import pytest

from pipeline.contracts.spoken import phrased
from pipeline.ingest.inspect import Inspection, inspect_file
from pipeline.ingest.proposal import propose
from tests.ingest.conftest import Workshop, block

SALES = "Pedido;Cliente;Fecha;{}\n"


def seen(shop: Workshop, header: str, row: str, rows: int = 60) -> Inspection:
    """The findings on a file of so many rows; {i} in a row counts them, {w} is one of three words."""
    lines = [row.format(i=i, w=("Retraso", "Factura", "Avería")[i % 3], yes=("Sí", "No")[i % 2], d=f"{i % 28 + 1:02d}")
             for i in range(rows)]
    return inspect_file(shop.write(header + "\n" + "\n".join(lines) + "\n"))


@pytest.mark.parametrize("key", ["Nº de ticket", "Núm. de ticket", "N.º ticket", "No. ticket", "Ticket"])
def test_a_column_of_yes_and_no_is_no_key_and_a_complaint_is_told_as_one(shop: Workshop, key: str):
    found = seen(shop, f"{key};Solicitante;Creado;Resuelto;¿Reclamación?",
                 "{i};C{i};{d}/01/2025 10:00;{d}/02/2025 10:00;{yes}")
    assert found.table == "tickets"
    assert found.mapped["ticket_id"] == key and found.mapped["is_complaint"] == "¿Reclamación?"


def test_words_that_come_again_and_again_are_no_key_where_another_column_is_all_different(shop: Workshop):
    found = seen(shop, "Código;Cliente;Fecha apertura;Fecha cierre;Incidencia",
                 "{i};C{i};{d}/01/2025 10:00;{d}/02/2025 10:00;{w}")
    assert found.table == "tickets"
    assert found.mapped["ticket_id"] == "Código" and found.mapped["reason"] == "Incidencia"
    own = seen(shop, "Incidencia;Cliente;Fecha apertura;Fecha cierre", "I{i};C{i};{d}/01/2025;{d}/02/2025")
    assert own.mapped["ticket_id"] == "Incidencia"


def test_a_code_with_a_date_and_a_state_is_no_ticket_yet(shop: Workshop):
    assert seen(shop, "Código;Nombre;Fecha alta;Estado", "{i};N{i};{d}/01/2025;Activo").table is None


@pytest.mark.parametrize("key", ["Nº de pedido", "Num. pedido", "No. de factura", "N.º factura"])
def test_the_number_of_an_order_is_known_in_its_usual_spellings(shop: Workshop, key: str):
    found = seen(shop, f"{key};Cliente;Fecha;Importe neto", "{i};C{i};{d}/01/2025;{i},50")
    assert found.mapped["order_id"] == key


@pytest.mark.parametrize("header", ["Margen %", "% margen", "Margen pct", "Porcentaje de margen", "Tasa margen"])
def test_a_percentage_is_no_amount_and_what_is_left_out_is_said(shop: Workshop, header: str):
    found = seen(shop, SALES.format(f"Importe neto;{header}").strip(), "P{i};C{i};{d}/01/2025;{i},50;23,5")
    assert found.mapped["net_amount"] == "Importe neto" and "margin" not in found.mapped
    assert seen(shop, SALES.format("Importe neto;Margen").strip(), "P{i};C{i};{d}/01/2025;{i},50;3,5").mapped["margin"]
    asked = seen(shop, SALES.format("Ventas %").strip(), "P{i};C{i};{d}/01/2025;23,5")
    assert "net_amount" not in asked.mapped and "Ventas %" not in str(propose(asked).raw)


def test_the_percentage_left_out_is_named_in_the_block_and_in_spanish(shop: Workshop):
    found = seen(shop, SALES.format("Importe neto;Margen %").strip(), "P{i};C{i};{d}/01/2025;{i},50;23,5")
    sentence = propose(found).told["margin"]
    assert "# TELL: margin: 'Margen %' names a share" in block(found)
    assert phrased(sentence, "es") == "'Margen %' nombra un porcentaje, no un importe: no entra en margin"


def test_the_base_goes_before_the_total(shop: Workshop):
    found = seen(shop, SALES.format("Total;Base").strip(), "P{i};C{i};{d}/01/2025;1{i},21;1{i},00")
    assert propose(found).raw["columns"]["net_amount"] == "Base"


@pytest.mark.parametrize(("headers", "cells", "english", "spanish"), [
    ("Total;IVA", "9,50;1,90", "TELL: 'Total' stands beside the tax 'IVA': which",
     "'Total' está junto al impuesto 'IVA'"),
    ("Cantidad;Price", "3;9,50", "TELL: 'Price' stands beside 'Cantidad': is it the price of one unit? Then write",
     "'Price' está junto a 'Cantidad': ¿es el precio de una unidad? Entonces escriba 'Price' aquí y `per_unit: true`"),
])
def test_a_total_beside_a_tax_and_a_price_beside_a_quantity_are_asked_about(shop: Workshop, headers, cells, english,
                                                                           spanish):
    found = seen(shop, SALES.format(headers).strip(), "P{i};C{i};{d}/01/2025;" + cells)
    asked = propose(found).raw["columns"]["net_amount"]
    assert asked.startswith(english) and phrased(asked.removeprefix("TELL: "), "es").startswith(spanish)


@pytest.mark.parametrize(("headers", "cells", "amount"), [
    ("Total;Tienda", "9,50;Vigo", "Total"), ("Price;Freight", "9,50;1,50", "Price"),
    ("Importe;IVA;Total", "9,50;1,90;11,40", "Importe"), ("Total sin IVA;IVA", "9,50;1,90", "Total sin IVA"),
    ("Cantidad;Precio total", "3;9,50", "Precio total"),
])
def test_an_amount_that_nothing_puts_in_doubt_is_not_asked_about(shop: Workshop, headers, cells, amount):
    found = seen(shop, SALES.format(headers).strip(), "P{i};C{i};{d}/01/2025;" + cells)
    asked = propose(found).raw["columns"]["net_amount"]
    assert asked == amount


@pytest.mark.parametrize("question", [
    "¿Qué probabilidad hay de que nos recomiende a un amigo?", "¿Qué probabilidad hay de que nos recomiendes?",
    "How likely are you to recommend us to a friend?"])
def test_the_question_of_recommending_is_known_in_its_usual_wordings(shop: Workshop, question: str):
    lines = "".join(f"R{i};C{i};{i % 28 + 1:02d}/02/2025;{i % 11}\n" for i in range(60))
    found = inspect_file(shop.write(f"Id respuesta;Cliente;Fecha;{question}\n{lines}"))
    assert (found.table, found.asked) == ("surveys", {"nps": question})
