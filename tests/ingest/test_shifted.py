"""Damage that leaves the number of cells right: cells in the wrong columns, records torn by a line end, files put one
behind the other. What can be seen is kept out; good rows stay."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from benchmarks.found import found_contract
from pipeline.contracts.params import Instrument, Privacy, Source, load_params
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.check import check_source
from pipeline.ingest.shapes import learn, shape_of, surely_fits
from pipeline.ingest.shifted import shift_of
from tests.ingest.conftest import COMPANY, Workshop

ROOT = Path(__file__).parents[2]
HEAD = "pedido;cliente;fecha;unidades;importe;tienda;nota\n"
ROWS = [f"P{100 + n};C{n * 7 % 31:03d};{n % 27 + 1:02d}/03/2025;{n % 4 + 1};{n},{n % 90 + 10};{'LC'[n % 2]}-shop;"
        f"llegó {'muy ' * (n % 3)}bien" for n in range(30)]
CONTRACT = {"table": "sales", "delimiter": ";", "decimal": ",", "timestamps": ["%d/%m/%Y"], "time_zone": "UTC",
            "columns": {"order_id": "pedido", "net_amount": "importe", "branch": "tienda"},
            "extra": {"who": "cliente", "day": "fecha", "units": "unidades", "note": "nota"}}


def text_of(rows: list[str]) -> str:
    return HEAD + "\n".join(rows) + "\n"


def with_row(row: str, at: int = 10) -> str:
    return text_of([*ROWS[:at], row, *ROWS[at + 1:]])


@pytest.mark.parametrize(("row", "column", "found"), [
    ("P110;11/03/2025;3;10,20;L-shop;llegó bien;", "cliente",  # the customer is lost
     "under 'cliente', 'fecha', 'unidades', 'importe' stand cells that fit 'fecha', 'unidades', 'importe', 'tienda', "
     "in this order (and 1 more)"),
    (";P110;C003;11/03/2025;10,20;L-shop;llegó bien", "cliente",  # the units are lost, a cell more in front
     "under 'cliente', 'fecha', 'unidades' stand cells that fit 'pedido', 'cliente', 'fecha', in this order"),
    ("P110;C003;11/03/2025;10,20;L-shop;llegó bien;3", "unidades",  # the units went to the end
     "under 'unidades', 'importe', 'tienda' stand cells that fit 'importe', 'tienda', 'nota', in this order"),
    ("P110C003;;11/03/2025;3;10,20;L-shop;llegó bien", "pedido",  # two cells in one, an empty one behind it
     "under 'pedido' stands in one cell what fits 'pedido' and 'cliente' once it is cut in two"),
    ("# page 2;;;;;;", "pedido", "nothing but a cell under 'pedido' that fits no column"),
])
def test_a_row_with_its_cells_in_the_wrong_columns_is_kept_out_and_its_columns_are_named(
        shop: Workshop, row: str, column: str, found: str):
    told = shop.ingest(with_row(row), **CONTRACT)
    assert told.quarantine[["rule", "line", "column", "found"]].values.tolist() == [["FMT-SHIFT", 12, column, found]]
    assert len(told.clean) == 29 and told.account.total("rows_in") == 30


def test_what_to_do_with_a_shifted_row_is_said_in_both_languages(shop: Workshop):
    shop.write(with_row("P110;11/03/2025;3;10,20;L-shop;llegó bien;"))
    params = replace(load_params(ROOT / "params.yaml"), company=COMPANY, privacy=Privacy("public"), sources={
        "ventas": Source(folder=str(shop.folder / "raw"), files="export.csv", format="csv", **CONTRACT)})
    for tongue, found, remedy in (
            ("en", "export.csv, line 12, column 'cliente': under 'cliente', 'fecha', 'unidades', 'importe' stand cells "
             "that fit 'fecha', 'unidades', 'importe', 'tienda', in this order (and 1 more)\n",
             "each cell under its "),
            ("es", "export.csv, línea 12, columna 'cliente': bajo 'cliente', 'fecha', 'unidades', 'importe' hay celdas "
             "que encajan en 'fecha', 'unidades', 'importe', 'tienda', por este orden (y 1 más)\n",
             "cada celda bajo su columna: ")):
        text, _ = check_source("ventas", params, shop.folder / "none", tongue=tongue)
        assert found in text and remedy in text, text


@pytest.mark.parametrize(("missing", "rules"), [
    (["pendiente"], ["FMT-SHIFT"]), ([""], []),  # nobody said that it is no value: a word of the column, as any
])
def test_what_the_contract_calls_missing_is_no_value_of_a_column(shop: Workshop, missing: list, rules: list):
    """Not yet delivered, by a word of the company's own: a shop under the date is seen once the word is declared."""
    rows = [f"P{100 + n};{'pendiente' if n % 5 < 2 else f'{n % 27 + 1:02d}/03/2025'};{('Lugo', 'Soria')[n % 2]}"
            for n in range(30)]
    contract = {"table": "customers", "delimiter": ";", "columns": {"customer_id": "pedido"},
                "extra": {"day": "entrega", "shop": "tienda"}, "missing": missing}
    rows[10] = "P110;Lugo;"
    found = shop.ingest("pedido;entrega;tienda\n" + "\n".join(rows) + "\n", **contract)
    assert found.quarantine["rule"].tolist() == rules and len(found.clean) == 30 - len(rules)


def test_a_question_that_was_not_asked_is_no_value_of_its_column(shop: Workshop):
    rows = [f"R{n},{'No aplica' if n % 5 < 2 else n % 11},{('web', 'tienda')[n % 2]}" for n in range(30)]
    rows[10] = "R10,web,"
    asked = Instrument(0, 10, "higher_is_better", "nps", not_asked=["no aplica"])
    found = shop.ingest("id,nps,canal\n" + "\n".join(rows) + "\n", table="surveys", instruments={"nps": asked},
                        columns={"response_id": "id", "channel": "canal"})
    assert found.quarantine[["rule", "column"]].values.tolist() == [["FMT-SHIFT", "nps"]]


@pytest.mark.parametrize("row", [
    "P110;C003;11/03/2025;3;10,20;L-shop;",  # no note
    "P110;C003;;;10,20;;",  # little is known of it
    "P110;C003;n/a;n/a;10,20;-;?",
    "P110;C003;11/03/2025;3;1.010,20;B-shop;¡Perfecto! 5 de 5, 20/03/2025",  # a new shop, a big order
    "X-9;C003;11/03/2025;-3;-10,20;L-shop;devuelto",  # an id of another kind, a return
])
def test_an_unusual_row_whose_cells_stand_in_their_columns_stays(shop: Workshop, row: str):
    found = shop.ingest(with_row(row), **CONTRACT | {"thousands": ".", "constants": {"is_return": "@negative"}})
    assert not len(found.quarantine) and len(found.clean) == 30


def test_rows_of_a_tool_that_writes_its_ids_and_words_in_a_new_way_stay(shop: Workshop):
    later = [f"{7000 + n};{n * 11 % 31 + 100};{n % 27 + 1:02d}/04/2025;{n % 4 + 1};{n},{n % 90 + 10};app;bien"
             for n in range(30)]
    found = shop.ingest(text_of([*ROWS, *later]), **CONTRACT)
    assert not len(found.quarantine) and len(found.clean) == 60


def test_rows_of_another_kind_of_record_stay(shop: Workshop):
    """Customers abroad: in three columns of five their cells look like no other's, and stand where they belong."""
    here = [f"{n},Ana,6000000{n:02d},28007,2024-08-{n % 27 + 1:02d},B123456{n:02d}" for n in range(60)]
    abroad = [f"{n},John,+44 20 7946 00{n},SW1A {n % 9}AA,2024-07-10,GB 123 4567 {n}" for n in range(60, 64)]
    contract = {"table": "customers", "columns": {"customer_id": "id"}, "extra": {
        name: name for name in ("name", "phone", "zip", "since", "vat")}}
    found = shop.ingest("id,name,phone,zip,since,vat\n" + "\n".join([*here, *abroad]) + "\n", **contract)
    assert not len(found.quarantine) and len(found.clean) == 64


def test_answers_on_scales_have_no_place_of_their_own(shop: Workshop):
    """Numbers alike in all columns, some not given: nothing tells that one of them moved, and nothing is kept out."""
    rows = "".join(f"{n},{','.join(str((n * k) % 7 + 1) if (n * k) % 5 else '' for k in range(1, 9))}\n"
                   for n in range(1, 31))
    contract = {"table": "customers", "columns": {"customer_id": "id"}, "extra": {f"q{k}": f"q{k}" for k in range(8)}}
    found = shop.ingest("id," + ",".join(f"q{k}" for k in range(8)) + "\n" + rows, **contract)
    assert len(found.clean) == 30 and not len(found.quarantine)


CELLS = ["2025-03-01 10:00:00", " 2025-03-01 9:5:7 ", "2025-03-01\t10:00:00", "C0017",
         "c17 ", "C-17", "ñ17", "17", "+17",
         "１７", "17%", "€ 12.50", "-€12.5", "€ -12.5", "12,50", "1.234,50", "12 500", "(17)", "yes", "YES", " yes",
         "N/A ", "İ", "", " ", "\u00a0", "\n", "17\n", "0" * 60, "0" * 61, "C" + "1" * 60, None]
COLUMNS = [["2025-01-02 11:12:13"] * 20, [f"C{n:04d}" for n in range(20)], [str(n) for n in range(20)],
           [f"{n}.5" for n in range(20)], ["yes", "no"] * 10, [f"a b, {'c' * n}!" for n in range(20)],
           [f"12 {n:03d}" for n in range(20)], ["(9)"] * 20, ["yes", ""] * 20]


@pytest.mark.parametrize("column", range(len(COLUMNS)))
def test_what_surely_fits_fits(column: int) -> None:
    shape = learn(COLUMNS[column])
    with duckdb.connect() as con:
        con.execute("CREATE TABLE cells AS SELECT unnest(?::VARCHAR[]) AS cell", [CELLS + COLUMNS[column]])
        told = con.execute(f"SELECT {surely_fits('cell', shape)} FROM cells ORDER BY rowid").fetchall()
    sure = [cell for cell, (is_sure,) in zip(CELLS + COLUMNS[column], told, strict=True) if is_sure]
    assert [cell for cell in sure if not shape.fits(cell or "")] == []
    assert column in (6, 7) or set(COLUMNS[column]) <= set(sure)  # 12 001 and (9) are not plain: never sure


def test_what_a_column_looks_like():
    assert [shape_of(text) for text in ("2025-03-01 10:00", "P-17", "1.234,50", "-3", "León")] == \
        ["9-9-9 9:9", "a-9", "f", "i", "a"]
    assert learn(["1", "2", "7", "3", "", ""]).fits("") and not learn(["1", "2", "7", "3"] * 5).fits("x")
    assert not learn(["a b", "c, d", "e!", "f g h"]).is_firm
    assert learn(["web"] * 9 + ["shop"] * 9 + ["7"]).words == {"web", "shop"}
    pair = [learn(["1", "2", "3", "4", "5"] * 2), learn(["a1", "b2", "c3", "d4", "e5"] * 2)]
    assert shift_of(["c7", "8"], pair) and not shift_of(["8", "c7"], pair) and not shift_of(["8", ""], pair)


@pytest.mark.parametrize(("body", "out"), [
    (["P110;C003;11/03/2025;3;10,20;L-shop;llegó", "bien"], [12, 13]),  # torn in its last cell
    (["P110;C003;11/03/2025;3;10,20;L-shop;llegó", "", 'muy; bien"'], [12, 14]),
    (["P1", "10;C003;11/03/2025;3;10,20;L-shop;llegó bien"], [12, 13]),  # torn in its first one
    (["P110;C003;11/03/2025;3;10,20;L-shop;llegó bien", "P1101;C003;11/03/2025;3;L-shop"], [13]),
    (["P110;C003;11/03/2025;3;10,20;L-shop;llegó bien", "Total 17"], [13]),
    (["P110;C003;11/03/2025;3;10,20;L-shop;llegó bien", '""'], [13]),  # nothing in quotes is no piece
])
def test_the_other_piece_of_a_torn_record_is_kept_out_too(shop: Workshop, body: list, out: list):
    found = shop.ingest(text_of([*ROWS[:10], *body, *ROWS[11:]]), **CONTRACT)
    assert sorted(found.quarantine["line"]) == out
    assert len(found.clean) == 30 - (len(out) > 1)
    assert len(out) == 1 or "FMT-TORN" in set(found.quarantine["rule"])


def test_the_header_of_another_file_in_another_order_is_refused(shop: Workshop):
    turned = [";".join(reversed(row.split(";"))) for row in (HEAD.strip(), *ROWS[20:])]
    assert shop.refuse(text_of([*ROWS[:20], *turned]), "FMT-REHEADER", **CONTRACT).line == 22
    assert shop.refuse(text_of([*ROWS[:20], "pedido;CLIENTE;FECHA;Unidades;Importe;tienda;comentario", *ROWS[20:]]),
                       "FMT-REHEADER", **CONTRACT).line == 22


def test_the_mark_at_the_start_of_a_file_put_behind_another_is_no_part_of_an_id(shop: Workshop):
    found = shop.ingest(text_of([*ROWS[:20], "\ufeff" + ROWS[20], *ROWS[21:]]),
                        **CONTRACT | {"extra": {"order": "pedido"}})
    assert found.clean["x_order"].tolist() == [f"P{100 + n}" for n in range(30)]
    assert found.rules["ENC-BOM:repaired"] == 1


@pytest.mark.parametrize("bare", [";;;;;;", " ;\u00a0;;;;;", '"";"";"";"";"";"";""'])
def test_an_empty_record_is_no_record_where_its_number_would_be_its_id(shop: Workshop, bare: str):
    answers = {"table": "customers", "delimiter": ";", "columns": {}, "constants": {"customer_id": "@row"},
               "extra": {"order": "pedido", "who": "cliente"}}
    found = shop.ingest(text_of([*ROWS[:10], ";;;;;;nur", bare, *ROWS[10:]]), **answers)
    assert found.rules["FMT-BLANK:dropped"] == 1 and len(found.clean) == 31 and found.account.total("rows_in") == 32


def test_replaced_letters_are_told_as_wrongly_decoded(shop: Workshop):
    found = shop.ingest("id,segment\n1,Espa\ufffda\n" + "".join(f"{n},Norte\n" for n in range(2, 20)),
                        table="customers", columns={"customer_id": "id", "segment": "segment"})
    assert found.rules["ENC-MOJIBAKE:quarantined"] == 1


@pytest.mark.parametrize(("text", "rule"), [
    (text_of([row.replace(";", ",") if 3 < n < 9 else row for n, row in enumerate(ROWS)]), None),
    (HEAD.strip() + ";\n" + "\n".join(row.replace(";", "|") for row in ROWS).replace("|", ";") + "\n", "FMT-WIDTH"),
])
def test_a_file_without_contract_is_split_as_its_header_is(shop: Workshop, text: str, rule: str | None):
    path = shop.write(text)
    if rule is None:
        source = found_contract(Path(path))
        assert (source.delimiter, source.skip_rows, len(source.extra)) == (";", 0, 7)
        return
    with pytest.raises(Refusal) as caught:
        found_contract(Path(path))
    assert caught.value.rule == rule
