"""Catalogue F: what a file may be, and what it may not. Each case: input, verdict and rule id."""

import gzip
import os
import zipfile

import pytest

from tests.ingest.conftest import CUSTOMER, SALE, SURVEY, Workshop

GOOD = "id,nps\n1,9\n2,8\n"


@pytest.mark.parametrize(("content", "rule"), [
    (b"", "FILE-EMPTY"),
    (b"id,nps\n", "FILE-NOROWS"),
    (b"id,rating\n1,9\n", "COL-MISSING"),
    (b"id,nps,nps\n1,9,2\n", "COL-DUP"),
    (b"id;nps\n1;9\n", "FMT-DELIM"),
    (b"Export of May\n\nid,nps\n1,9\n", "FMT-PREAMBLE"),
    (b"id,nps\n1,9\nid,nps\n2,8\n", "FMT-REHEADER"),
    (b"id,nps\n1,\x009\n", "FMT-NUL"),
    (b"<!DOCTYPE html><html><body>Please, sign in</body></html>", "FMT-HTML"),
    (b'{"error": "not allowed"}', "FMT-HTML"),
    (b"%PDF-1.7 ...", "FMT-MAGIC"),
    (b"PK\x03\x04 zip", "FMT-MAGIC"),
    ("id,nps\n1,9\n".encode("utf-16"), "ENC-UTF16"),
    ("id,nps\n1,9\n".encode("utf-16-le"), "ENC-UTF16"),
    (b"sep=;\nid,nps\n1,9\n", "FMT-SEPLINE"),
    (gzip.compress(GOOD.encode() * 1000, mtime=0)[:-20], "FILE-TRUNC"),
    (gzip.compress(b"0" * 50_000_000, mtime=0), "FILE-SIZE"),
])
def test_a_file_that_breaks_its_contract_is_refused(shop: Workshop, content: bytes, rule: str):
    refusal = shop.refuse(content, rule, **SURVEY)
    assert refusal.file == "export.csv"
    assert str(refusal).count("\n") == 0


def test_a_missing_column_is_named_with_those_present_and_the_nearest(shop: Workshop):
    contract = SURVEY | {"columns": {"response_id": "id", "channel": "Fecha de creación"}}
    refusal = shop.refuse("id,Fecha de creacion,nps\n1,a,9\n", "COL-MISSING", **contract)
    text = str(refusal)
    assert "export.csv, line 1, column 'Fecha de creación'" in text
    assert "nearest is 'Fecha de creacion'" in text and "found id, Fecha de creacion, nps" in text


def test_a_delimiter_that_nobody_declared_is_not_called_declared(shop: Workshop):
    told = str(shop.refuse("id;nps\n1;9\n", "FMT-DELIM", **SURVEY))
    assert "the expected delimiter; found semicolon (';'), expected ',', or `delimiter: ';'`" in told
    assert "the declared delimiter" in str(shop.refuse("id;nps\n1;9\n", "FMT-DELIM", **SURVEY, delimiter="|"))


def test_a_bad_byte_is_named_with_line_and_byte(shop: Workshop):
    lines = "".join(f"{n},9\n" for n in range(2, 50_001))
    refusal = shop.refuse(f"id,nps\n{lines}".encode() + b"x\xf1y,9\n", "ENC-INVALID", **SURVEY)
    assert refusal.line == 50_001 and refusal.found == "byte 0xF1" and "byte 2 of the line" in refusal.sentence


def test_windows_1252_is_read_only_where_it_is_declared(shop: Workshop):
    content = "id,nps,canal\n1,9,Teléfono\n".encode("windows-1252")
    contract = SURVEY | {"columns": {"response_id": "id", "channel": "canal"}}
    assert shop.ingest(content, **contract, encoding="windows-1252").clean["channel"].tolist() == ["Teléfono"]
    assert shop.refuse(content, "ENC-INVALID", **contract).line == 2


def test_utf_16_is_read_where_it_is_declared(shop: Workshop):
    found = shop.ingest("id\tnps\tcanal\n1\t9\tcafé\n".encode("utf-16"), **SURVEY | {
        "columns": {"response_id": "id", "channel": "canal"}}, encoding="utf-16", delimiter="\t")
    assert found.clean["channel"].tolist() == ["café"]


def test_mark_sepline_and_header_spelling_are_repaired_and_counted(shop: Workshop):
    found = shop.ingest("\ufeffsep=,\n ID ,nps\n1,9\n2,11\n", **SURVEY)
    assert found.clean["score"].tolist() == [9.0]
    assert found.rules == {"ENC-BOM:repaired": 1, "FMT-SEPLINE:repaired": 1, "COL-NORM:repaired": 1,
                           "NPS-RANGE:quarantined": 1}
    assert found.quarantine["line"].tolist() == [4]  # of the file as it came, with the line that was taken off


def test_columns_are_taken_by_name_and_unknown_ones_never_passed_on(shop: Workshop):
    found = shop.ingest("phone,nps,id\n600111222,9,1\n", **SURVEY)
    assert found.rules == {"COL-EXTRA:warned": 1}
    assert not found.clean.astype(str).apply(lambda column: column.str.contains("600111222")).any().any()


def test_a_column_without_a_name_cannot_be_declared(shop: Workshop):
    shop.refuse("id,,nps\n1,x,9\n", "COL-MISSING", **SURVEY | {"columns": {"response_id": "id", "channel": ""}})


def test_gzip_is_unpacked(shop: Workshop):
    assert shop.ingest(gzip.compress(GOOD.encode()), **SURVEY).account.total("clean") == 2


def test_a_link_a_pipe_and_a_folder_are_no_files(shop: Workshop):
    target = shop.write(GOOD, "real.csv")
    place = shop.folder / "raw" / "export.csv"
    place.symlink_to(target)
    assert "a link" in str(shop.refuse(None, "FILE-KIND", **SURVEY))
    place.unlink()
    os.mkfifo(place)
    assert "a pipe" in str(shop.refuse(None, "FILE-KIND", **SURVEY))
    place.unlink()
    place.mkdir()
    assert "a folder" in str(shop.refuse(None, "FILE-KIND", **SURVEY))


def test_a_pattern_may_not_leave_its_folder_and_names_are_plain(shop: Workshop):
    shop.refuse(GOOD, "FILE-NAME", **SURVEY, files="../raw/export.csv")
    shop.write(GOOD, "bad\nname.csv")
    shop.refuse(None, "FILE-NAME", **SURVEY, files="bad*.csv")
    shop.write(GOOD, "-año [1] *.csv")
    assert shop.ingest(None, **SURVEY, files="-año*.csv").account.files[0].file == "-año [1] *.csv"


def test_the_same_file_twice_is_refused_and_no_file_too(shop: Workshop):
    shop.write(GOOD, "a.csv")
    shop.write(GOOD, "b.csv")
    assert "the very bytes of a.csv" in str(shop.refuse(None, "FILE-DUP", **SURVEY, files="*.csv"))
    assert "a.csv, b.csv" in str(shop.refuse(None, "SET-MISSING", **SURVEY, files="*.txt"))
    shop.refuse(None, "SET-MISSING", **SURVEY, folder=str(shop.folder / "nowhere"))


def test_an_empty_export_is_accepted_only_by_contract(shop: Workshop):
    found = shop.ingest("id,nps\n", **SURVEY, allow_empty=True)
    assert len(found.clean) == 0 and "score" in found.clean


def test_a_full_sheet_is_warned_of(shop: Workshop):
    content = "id,segment\n" + "".join(f"{n},a\n" for n in range(65_535))
    assert shop.ingest(content, **CUSTOMER).rules == {"FILE-XLIMIT:warned": 65_535}


def test_several_header_rows_are_consumed_even_with_line_ends_inside(shop: Workshop):
    content = 'id,nps\nResponse,"How likely\nare you?"\n"{""ImportId"":""a""}","{""ImportId"":""b""}"\nR1,9\nR2,11\n'
    found = shop.ingest(content, **SURVEY, header_rows=3)
    assert found.clean["score"].tolist() == [9.0]
    assert found.rules["SRC-QUALTRICS-HDR:repaired"] == 2
    assert found.quarantine["line"].tolist() == [6]


def test_lines_above_the_header_are_skipped_by_contract(shop: Workshop):
    found = shop.ingest('Report "May\n\nid,nps\n1,9\n2,12\n', **SURVEY, skip_rows=2)
    assert found.account.total("clean") == 1 and found.quarantine["line"].tolist() == [5]


def test_blank_separated_text_without_a_header_is_read_by_position(shop: Workshop):
    found = shop.ingest(" 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\r\n",
                        table="sales", delimiter=" ", quote="", header_rows=0, decimal=".", timestamps=["%Y%m%d"],
                        time_zone="UTC", constants={"order_id": "@row"},
                        columns={"customer_id": "1", "ordered_at": "3", "quantity": "4", "net_amount": "5"})
    assert [str(x) for x in found.clean["net_amount"]] == ["29.3300", "29.7300"]
    assert found.clean["order_id"].nunique() == 2 and found.clean["customer_id"].nunique() == 1
    assert str(found.clean["ordered_at"][0]) == "1997-01-01 00:00:00"


def test_a_workbook_under_the_name_of_a_csv_and_the_reverse(shop: Workshop):
    with zipfile.ZipFile(shop.folder / "raw" / "export.csv", "w") as archive:
        archive.writestr("a.txt", "x")
    shop.refuse(None, "FMT-MAGIC", **SALE)
    shop.refuse(GOOD, "FMT-MAGIC", **SURVEY, format="xlsx")
    shop.refuse(GOOD, "FMT-MAGIC", **SURVEY, format="parquet")
