"""Quotes that are a part of the texts, and dates with names of months: what inspect proposes is what ingest reads."""

import csv

import pytest

from benchmarks.outcomes import _read_truth
from pipeline.contracts.params import typed_source
from pipeline.contracts.spoken import phrased
from pipeline.ingest.evidence_columns import describe
from pipeline.ingest.evidence_dates import read_dates
from pipeline.ingest.findings import findings
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.proposal import propose
from pipeline.ingest.sample import HEAD
from pipeline.ingest.together import one_source
from tests.ingest.conftest import Workshop

LED = 'TV 24" LED'
INCH = "Pedido;Cliente;Importe neto;Familia\n" + "".join(
    f"P{n:03};C{n % 9};{n + 1},50;{LED if n % 8 == 0 else 'Hogar'}\n" for n in range(64))


def ingested(shop: Workshop, **answers):
    contract = propose(inspect_file(shop.folder / "raw" / "export.csv")).raw | answers
    return shop.ingest(None, **vars(typed_source(contract)))


def test_quotes_that_never_enclose_a_field_are_a_part_of_it(shop: Workshop):
    found = inspect_file(shop.write(INCH))
    assert propose(found).raw["quote"] == "" and "enclose none" in findings(found)
    read = ingested(shop, extra={"family": "Familia"})
    assert len(read.clean) == 64 and (read.clean["x_family"] == 'TV 24" LED').sum() == 8


@pytest.mark.parametrize("line", ['P900;C1;1,50;"Hogar; mesa"\n', 'P900;"C1";1,50;Hogar\n', 'P900;C1;1,50; "Hogar"\n'])
def test_one_field_between_quotes_keeps_the_quotes(shop: Workshop, line: str):
    assert "quote" not in propose(inspect_file(shop.write(INCH + line))).raw


def test_one_stray_quote_is_a_damage(shop: Workshop):
    once = INCH.replace('24"', "24").replace("Hogar", 'Hog"ar', 1)
    assert "quote" not in propose(inspect_file(shop.write(once))).raw


def test_a_file_that_was_not_seen_whole_asks_whether_quotes_enclose_a_field(shop: Workshop):
    head, *rows = INCH.splitlines(keepends=True)
    many = head + "".join(rows * (2 * HEAD // len(INCH)))
    assert "enclose none of those looked at" in propose(inspect_file(shop.write(many))).told["quote"]
    assert "quote" not in propose(inspect_file(shop.write(many + 'P9;"C1;2";1,50;Hogar\n' * 20_000))).raw


def test_months_with_and_without_inches_are_one_source_unless_quotes_enclose_a_text(shop: Workshop):
    plain, quoted = INCH.replace('24"', "24"), INCH.replace('TV 24" LED', '"TV; LED"')
    inches, months, texts = (inspect_file(shop.write(text, name)) for name, text in
                             (("a.csv", INCH), ("b.csv", plain), ("c.csv", quoted)))
    assert one_source([months, inches]).raw["quote"] == ""
    assert one_source([inches, texts]).raw["quote"].startswith("TELL: some files put texts between quotes")


def test_a_backslash_before_a_quote_is_said(shop: Workshop):
    rows = "".join(f'"P{n}";"1,50";"TV 55\\" negra"\n' for n in range(9))
    assert "a backslash stands before" in findings(inspect_file(shop.write(f"Pedido;Importe neto;Nota\n{rows}")))
    assert "backslash" not in findings(inspect_file(shop.write('Pedido;Ruta\n"P1";"C:\\"\n"P2";"D:\\"\n')))


@pytest.mark.parametrize(("text", "form", "expected"), [
    ("3 de marzo de 2025", "%d de %B de %Y", "2025-03-03 00:00:00"),
    ("13 de Septiembre del 2025", "%d de %B del %Y", "2025-09-13 00:00:00"),
    ("3-mar-2025", "%d-%b-%Y", "2025-03-03 00:00:00"), ("02-ene-25", "%d-%b-%y", "2025-01-02 00:00:00"),
    ("3 sept. 2025", "%d %b %Y", "2025-09-03 00:00:00"), ("3 agosto 2025", "%d %B %Y", "2025-08-03 00:00:00"),
    ("3/dic/2025 18:30", "%d/%b/%Y %H:%M", "2025-12-03 18:30:00"),
    ("31/01/2025 8:05 a. m.", "%d/%m/%Y %I:%M %p", "2025-01-31 08:05:00"),
    ("31/01/2025 8:05:09 p.\u00a0m.", "%d/%m/%Y %I:%M:%S %p", "2025-01-31 20:05:09"),
    ("31/01/2025 8:05\u202fp. m.", "%d/%m/%Y %I:%M %p", "2025-01-31 20:05:00"),
    ("2 de enero de 2025 8:00 p. m.", "%d de %B de %Y %I:%M %p", "2025-01-02 20:00:00"),
])
def test_names_of_months_and_halves_of_the_day_are_proposed_as_ingest_reads_them(shop: Workshop, text, form, expected):
    rows = "".join(f"P{n};C{n % 3};{text};{n + 1},50\n" for n in range(9))
    proposal = propose(inspect_file(shop.write(f"Pedido;Cliente;Fecha;Importe neto\n{rows}")))
    assert proposal.raw["timestamps"] == [form] and proposal.raw["columns"]["ordered_at"] == "Fecha"
    read = ingested(shop, time_zone="UTC")
    assert len(read.clean) == 9 and set(read.clean["ordered_at"].astype(str)) <= {expected, expected[:10]}


@pytest.mark.parametrize("text", ["3 de mayor de 2025", "12 manzanas 2025", "3-abc-2025", "calle 3 de mayo 2025"])
def test_other_words_are_no_months(text: str):
    assert read_dates([(2, text)]).formats == ()


def test_the_truth_of_a_long_cell_is_read(tmp_path):
    limit = csv.field_size_limit()
    long = "x" * (limit + 1)
    (tmp_path / "t.csv").write_text(f"a,b\n1,{long}\n", encoding="utf-8")
    try:
        assert _read_truth(tmp_path / "t.csv", True) == [["1", long]]
    finally:
        csv.field_size_limit(limit)


@pytest.mark.parametrize(("cell", "said"), [("1,5O", "are no numbers"), ("1x", "are no numbers"), ("n/d", ""),
                                            ("2,50", "")])
def test_a_cell_that_is_none_of_its_column_is_told_with_its_line(cell: str, said: str):
    notes = describe("Importe", [*((n, f"{n},50") for n in range(2, 40)), (40, cell)]).notes
    assert notes == ((f"1 of its cells {said}, the first on line 40: mapped, they go to quarantine",) if said else ())
    if said:
        assert phrased(notes[0], "es").startswith("1 de sus celdas no son números, la primera en la línea 40")


def test_a_garbled_date_among_dates_is_told():
    cells = [*((n, f"{n % 28 + 1:02}/03/2025") for n in range(2, 40)), (40, "1/O3/2025")]
    assert "1 of its cells are no times, the first on line 40" in describe("Fecha", cells).notes[0]
