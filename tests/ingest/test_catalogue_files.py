"""Catalogue F13, F27, F29, F31: headers of two rows, totals, files cut in a line, full cells."""

from tests.ingest.conftest import SALE, SURVEY, Workshop


def test_a_header_of_two_rows_is_joined_where_names_are_blank(shop: Workshop):
    """As SurveyMonkey writes it: the question once, its choices below, blank names beside it."""
    content = "Respondent ID,Why?,,nps\n,Price,Service,Response\nR1,x,,9\nR2,,y,12\n"
    contract = SURVEY | {"columns": {"response_id": "Respondent ID", "touchpoint": "Why? Service"}}
    found = shop.ingest(content, **contract, header_rows=2)
    assert found.rules == {"SRC-SM-HDR:repaired": 1, "COL-EXTRA:warned": 1, "NPS-RANGE:quarantined": 1}
    assert found.clean["score"].tolist() == [9.0] and found.quarantine["line"].tolist() == [4]


def test_a_line_of_totals_as_wide_as_a_record_goes_to_quarantine(shop: Workshop):
    found = shop.ingest("id,amount\n1,10.00\n2,5.00\nTotal,15.00\n", **SALE)
    assert found.quarantine[["rule", "line"]].values.tolist() == [["FMT-FOOTER", 4]]
    assert sum(found.clean["net_amount"]) == 15


def test_a_comment_as_long_as_a_cell_can_be_is_warned_of(shop: Workshop):
    contract = SURVEY | {"columns": {"response_id": "id", "comment": "text"}}
    found = shop.ingest(f"id,nps,text\n1,9,{'é' * 32_767}\n2,9,{'é' * 32_766}\n", **contract)
    assert found.rules == {"TXT-XLIMIT:warned": 1} and len(found.clean) == 2


def test_totals_in_an_export_without_mapped_columns(shop: Workshop):
    found = shop.ingest("name,sum\na,1\nb,2\nTotal,3\n", table="customers", columns={}, extra={"n": "name", "s": "sum"},
                        constants={"customer_id": "@row"})
    assert found.quarantine["rule"].tolist() == ["FMT-FOOTER"]


def test_long_numbers_in_extra_columns_keep_every_digit(shop: Workshop):
    found = shop.ingest("id,ref\n1,9007199254740993\n2,9007199254740992\n", table="customers",
                        columns={"customer_id": "id"}, extra={"ref": "ref"})
    assert found.clean["x_ref"].tolist() == ["9007199254740993", "9007199254740992"]


def test_a_file_cut_in_its_last_line_is_refused_where_the_tool_ends_it(shop: Workshop):
    assert shop.refuse("id,nps\n1,9\n2,1", "FILE-TRUNC", **SURVEY, final_newline=True).line == 3
    assert len(shop.ingest("id,nps\n1,9\n2,1\n", **SURVEY, final_newline=True).clean) == 2
    assert len(shop.ingest("id,nps\n1,9\n2,1", **SURVEY).clean) == 2
