"""Text that was decoded wrongly, in any column and in the header, and forms that force a spreadsheet."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.ingest import engine
from tests.ingest.conftest import COMPANY, CUSTOMER, SALE, TICKET, Workshop

RIGHT = ["España", "PORTUGUÊS", "MAÇÃ", "Âncora", "café", "Ángel", "IRMÃ”", "MAÇÃ…", "€ 12", "Ñandú", "日本",
         "Åse", "2 × 3", "naïve"]
ORIGINALS = ["España", "CAMIÓN", "Éxito", "PERÚ", "À la carte", "¿qué?", "Nº 3", "señor", "Ñandú", "über",
             "don’t", "ÉL"]


@pytest.mark.parametrize("through", ["windows-1252", "latin-1"])
def test_texts_read_through_another_encoding_are_known(tmp_path, through: str):
    con = engine.connect(tmp_path)
    told = [con.execute(f"SELECT {engine.is_twisted('?')}", [text.encode().decode(through)]).fetchone()[0]
            for text in ORIGINALS if through == "latin-1" or _has_letters(text)]
    assert all(told) and len(told) > 8
    assert not any(con.execute(f"SELECT {engine.is_twisted('?')}", [text]).fetchone()[0] for text in RIGHT)


def _has_letters(text: str) -> bool:
    try:
        return bool(text.encode().decode("windows-1252"))
    except UnicodeDecodeError:  # bytes that windows-1252 does not have: such a file is refused
        return False


@pytest.mark.parametrize(("twisted", "expected"), [
    (1, {"ENC-MOJIBAKE:warned": 1}), (3, {"ENC-MOJIBAKE:quarantined": 3})])
def test_a_name_decoded_wrongly_is_another_segment_and_never_in_silence(shop: Workshop, twisted: int, expected: dict):
    rows = "".join(f"{n},{'EspaÃ±a' if n < twisted else 'España'}\n" for n in range(200))
    found = shop.ingest("id,segment\n" + rows, **CUSTOMER)
    assert found.rules == expected
    assert set(found.quarantine["column"]) <= {"segment"} and set(found.quarantine["found"]) <= {"EspaÃ±a"}
    assert found.clean["segment"].nunique() == (2 if twisted == 1 else 1)


def test_lines_of_another_encoding_in_one_file_are_set_aside(shop: Workshop):
    """Two exports pasted together: one in windows-1252, one in UTF-8."""
    lines = [f"{n},España\n".encode("windows-1252" if n < 95 else "utf-8") for n in range(100)]
    found = shop.ingest(b"id,segment\n" + b"".join(lines), **CUSTOMER, encoding="windows-1252")
    assert found.rules == {"ENC-MOJIBAKE:quarantined": 5} and set(found.clean["segment"]) == {"España"}


def test_a_header_an_id_and_a_declared_predictor_are_looked_at_too(shop: Workshop):
    rows = "".join(f"{'PeÃ±a' if n < 2 else 'Peña'}{n},a,{'CÃ¡diz' if n > 997 else 'Cádiz'}\n" for n in range(1000))
    found = shop.ingest("id,segment,PoblaciÃ³n\n" + rows, **CUSTOMER, extra={"town": "PoblaciÃ³n"})
    assert found.rules == {"ENC-MOJIBAKE:warned": 5}


@pytest.mark.parametrize("cells", [['"=""0007"""', "'0007", "0007"], ['="0007"', "'0007", "0007"]])
def test_forms_that_force_a_spreadsheet_are_one_id(shop: Workshop, cells: list[str]):
    rows = "".join(f"{n},{who},01/02/2025 10:00,\n" for n, who in enumerate(cells))
    contract = TICKET | {"columns": TICKET["columns"] | {"customer_id": "who"}}
    found = shop.ingest("id,who,created,solved\n" + rows, **contract, quarantine_limit=1.0)
    assert found.clean["customer_id"].nunique() == 1
    assert len(found.clean) + found.rules.get("FMT-QUOTE:quarantined", 0) == 3
    assert found.rules["KEY-FORMULA:repaired"] == len(found.clean) - 1
    plain = shop.ingest("id,who,created,solved\n1,0007,01/02/2025 10:00,\n", **contract)
    assert plain.clean["customer_id"][0] == found.clean["customer_id"][0]


def test_amounts_with_more_decimals_than_money_has_are_rounded_and_said(shop: Workshop):
    found = shop.ingest("id,amount\n1,1.23456\n2,10.00000000\n3,2.5\n4,€ 3.00005\n5,0.12344\n", **SALE)
    assert list(found.clean["net_amount"]) == [Decimal(x) for x in ("1.2346", "10", "2.5", "3.0001", "0.1234")]
    assert found.rules == {"NUM-ROUND:repaired": 3, "NUM-CURR:repaired": 1}


def test_ids_that_a_program_took_for_numbers_meet_the_others(shop: Workshop):
    contract = TICKET | {"columns": TICKET["columns"] | {"customer_id": "who"}}
    when = "01/02/2025 10:00,"
    rows = f"1,1234.0,{when}\n2,1234,{when}\n3,v1.0,{when}\n4,1.50,{when}\n5,12345678901234567.0,{when}\n"
    found = shop.ingest("id,who,created,solved\n" + rows, **contract)
    assert found.clean["customer_id"].nunique() == 4 and found.rules == {"KEY-FORMULA:repaired": 1}
    exact = shop.ingest("id,who,created,solved\n" + rows, replace(COMPANY, ids="exact"), **contract)
    assert exact.clean["customer_id"].nunique() == 5


def test_names_that_look_alike_are_one_segment(shop: Workshop):
    names = ["España", "Espan\u0303a", "Plan\u00a0Oro", "Plan Oro", "Plan\u202fOro"]
    found = shop.ingest("id,segment\n" + "".join(f"{n},{name}\n" for n, name in enumerate(names)), **CUSTOMER)
    assert found.clean["segment"].tolist() == ["España"] * 2 + ["Plan Oro"] * 3
    assert found.rules == {"TXT-NORM:repaired": 3}


@pytest.mark.parametrize("again", ["\ufeffid,segment", "ID,Segment", '"id","segment"', " id ,segment", "id,segment"])
def test_a_header_in_the_middle_is_no_customer(shop: Workshop, again: str):
    told = shop.refuse(f"id,segment\n1,a\n2,b\n{again}\n3,c\n", "FMT-REHEADER", **CUSTOMER)
    assert told.line == 4
    assert len(shop.ingest("id,segment\n1,a\nid,b\n", **CUSTOMER).clean) == 2


def test_a_price_keeps_its_decimals_until_it_is_multiplied(shop: Workshop):
    contract = SALE | {"columns": SALE["columns"] | {"quantity": "q"}, "per_unit": True}
    found = shop.ingest("id,amount,q\n1,0.12345,1000\n2,€ 0.00333333,3000\n3,0.123456789,1\n", **contract)
    assert list(found.clean["net_amount"]) == [Decimal(x) for x in ("123.45", "10.0000", "0.1235")]
    assert found.rules == {"NUM-ROUND:repaired": 1, "NUM-CURR:repaired": 1}
