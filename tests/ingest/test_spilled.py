"""A comma inside a text that no quote encloses: the row has a cell too many, and the last column takes it in."""

import pytest

from tests.ingest.conftest import NPS, Workshop

SURVEY = {"table": "surveys", "columns": {"response_id": "id", "comment": "why"}, "instruments": NPS,
          "extra": {"reason": "reason", "note": "note"}}


def answers(*rows: str) -> str:
    return "id,nps,why,reason,note\n" + "".join(f"{n},{n % 11},good,price,\n" for n in range(100, 160)) + "\n".join(
        rows) + "\n"


def test_a_text_cut_at_its_own_comma_is_set_aside(shop: Workshop):
    read = shop.ingest(answers("10,7,bueno, malo,precio"), **SURVEY)
    assert (len(read.clean), read.rules["FMT-SHIFT:quarantined"]) == (60, 1)
    row = read.quarantine.iloc[0]
    assert (row["line"], row["column"], row["found"]) == (62, "reason", "under 'reason' stands a cell that fits 'why'")


@pytest.mark.parametrize("row", ["10,7,bueno,malo,a note", "10,7,bueno, malo,", '10,7,"bueno, malo",precio,a note'])
def test_a_note_or_a_blank_alone_is_no_cell_too_many(shop: Workshop, row: str):
    assert len(shop.ingest(answers(row), **SURVEY).clean) == 61


def test_where_cells_begin_with_blanks_or_the_last_column_is_often_filled_nothing_is_told(shop: Workshop):
    blanks = answers("10,7,bueno, malo,precio").replace(",price,", ", price,")
    notes = answers("10,7,bueno, malo,precio", *(f"{n},7,bueno,malo,note" for n in range(200, 210)))
    assert [len(shop.ingest(text, **SURVEY).clean) for text in (blanks, notes)] == [61, 71]
