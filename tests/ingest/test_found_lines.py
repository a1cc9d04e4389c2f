"""Files that no one delimiter reads, or a rare one: refused or asked about, never read wrongly. The texts are made
here, so that what stands in them is known."""

import pytest

from benchmarks.found import found_contract
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told
from pipeline.ingest.evidence_layout import find_layout
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.proposal import propose
from tests.ingest.conftest import SALE, Workshop

NOTES = ("todo bien", "fatal, tarde", "nada", "llamar a las 10:30")
HEAD = ["Pedido", "Cliente", "Importe", "Nota"]
ROWS = [[f"P{n:03}", f"C{n * 7 % 50}", f"{n},50", NOTES[n * n % 4]] for n in range(60)]


def text(rows: list[list[str]], sign: str) -> str:
    return "".join(sign.join(row) + "\n" for row in rows)


def refused(shop: Workshop, content: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        inspect_file(shop.write(content))
    return caught.value


@pytest.mark.parametrize("first, second", [(";", "\t"), (";", "|"), ("|", ";"), ("\t", ";")])
@pytest.mark.parametrize("upto", [10, 20, 30, 45])
def test_a_delimiter_that_changes_on_the_way_is_refused_where_it_changes(shop: Workshop, first, second, upto):
    refusal = refused(shop, text([HEAD, *ROWS[:upto]], first) + text(ROWS[upto:], second))
    assert (refusal.rule, refusal.line) == ("FMT-DELIM", upto + 2)
    assert "el separador cambia por el camino" in told(refusal, "es")


def test_a_delimiter_that_changes_far_below_the_records_looked_at_is_refused(shop: Workshop):
    refusal = refused(shop, text([HEAD, *ROWS * 20], ";") + text(ROWS * 5, "|"))
    assert (refusal.rule, refusal.line) == ("FMT-DELIM", 20 * len(ROWS) + 2)


def test_lines_inside_a_quoted_text_are_no_records_of_another_delimiter(shop: Workshop):
    rows = "".join(f'{n};"uno, dos\ntres, cuatro\ncinco, seis"\n' for n in range(30))
    assert inspect_file(shop.write(f"id;texto\n{rows}")).rows == 30


@pytest.mark.parametrize("length", [25, 30])
def test_lines_cut_at_one_length_are_refused(shop: Workshop, length: int):
    lines = text([["id", "cliente", "fecha", "nota", "zona"],
                  *([row[0], row[1], "02/01/2025", row[3], "Norte"] for row in ROWS)], ";").splitlines()
    cut = [line[at:at + length] for line in lines for at in range(0, len(line), length)]
    refusal = refused(shop, "\n".join(cut) + "\n")
    assert refusal.rule == "FMT-WIDTH" and refusal.found == f"{length} characters a line"
    assert "se cortaron a una misma longitud" in told(refusal, "es")


def test_records_of_one_length_are_whole(shop: Workshop):
    """All lines have the longest length; one of them lost a field."""
    rows = "".join(f"{n:04};{n % 7};2025-01-{n % 28 + 1:02}\n" for n in range(60))
    assert inspect_file(shop.write(f"idno;a;2025-01-xx\n0000;1 2025-01-01\n{rows}")).rows == 60


@pytest.mark.parametrize("sign", ["^", "~"])
def test_a_rare_delimiter_that_splits_every_record_alike_is_proposed(shop: Workshop, sign: str):
    found = inspect_file(shop.write(text([HEAD, *ROWS], sign)))
    assert propose(found).raw["delimiter"] == sign and found.headers == HEAD and found.rows == 60
    assert find_layout(f"a{sign}b,c\n1,5\n2,6\n3,7\n", True).delimiter == ","


def test_a_colon_that_splits_every_line_alike_is_asked_about(shop: Workshop):
    proposal = propose(inspect_file(shop.write(text([row[:3] for row in [HEAD, *ROWS]], ":"))))
    assert "does ':' stand between the columns?" in proposal.told["delimiter"]
    with pytest.raises(Refusal, match="FMT-DELIM"):
        found_contract(shop.folder / "raw" / "export.csv")


def test_columns_at_fixed_places_are_refused(shop: Workshop):
    refusal = refused(shop, "".join(f"{a:<10}{b:<8}{c:>9} {d:<20}\n" for a, b, c, d in [HEAD, *ROWS]))
    assert refusal.rule == "FMT-DELIM" and "fixed places" in refusal.sentence
    assert refusal.found.startswith("columns at characters 1, 11, ")
    assert "lugares fijos" in told(refusal, "es")


@pytest.mark.parametrize("cells", [[str(n % 11) for n in range(50)], [f"{n % 24:02}:30" for n in range(50)],
                                   [" ".join(["bien", "muy", "al  fin", "a"][n * k % 4] for k in range(1, n % 9 + 2))
                                    for n in range(50)]])
def test_a_single_column_is_one(shop: Workshop, cells: list[str]):
    found = inspect_file(shop.write("\n".join(["valor", *cells]) + "\n"))
    assert found.headers == ["valor"] and found.layout.is_sure and found.rows + cells.count("") == 50


def test_a_single_column_of_prose_with_commas_is_asked_about(shop: Workshop):
    rows = "".join(("bien, gracias\n", "mal\n", "nada que decir, la verdad\n", "sin más\n")[n % 4] for n in range(40))
    assert "a single column of texts" in propose(inspect_file(shop.write(f"comentario\n{rows}"))).told["delimiter"]


def test_typographic_quotes_around_texts_with_delimiters_are_refused(shop: Workshop):
    rows = [[*row[:3], "”mal; tarde”"] if n % 9 == 4 else row for n, row in enumerate(ROWS)]
    refusal = refused(shop, text([HEAD, *rows], ";"))
    assert (refusal.rule, refusal.line) == ("FMT-QUOTE", 6) and "comillas tipográficas" in told(refusal, "es")
    said = [[*row[:3], "dijo “mal”, y “tarde”"] for row in ROWS]
    assert inspect_file(shop.write(text([HEAD, *said], ";"))).rows == 60


def test_lines_cut_at_one_length_are_refused_under_a_contract_too(shop: Workshop):
    lines = text([["id", "amount", "note"], *([row[0], f"{n}.50", row[3] * 3] for n, row in enumerate(ROWS))],
                 ",").replace("fatal, tarde", "fatal").splitlines()
    cut = "\n".join(line[at:at + 24] for line in lines for at in range(0, len(line), 24)) + "\n"
    assert shop.refuse(cut, "FMT-WIDTH", **SALE).found == "24 characters a line"
    assert len(shop.ingest("\n".join(lines) + "\n", **SALE).clean) == 60
