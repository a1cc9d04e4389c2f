"""Excel and Parquet: sheets, formulas, errors, dates of both systems, ids as text, types kept exact."""

from datetime import datetime
from decimal import Decimal

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pipeline.contracts.refusal import Refusal
from pipeline.ingest.cell_formats import currency_in
from pipeline.ingest.sheets import read_parquet_rows
from tests.ingest.conftest import SALE, TICKET, Workshop

TICKETS = TICKET | {"format": "xlsx", "files": "export.xlsx"}


def book(shop: Workshop, rows: list[list], name: str = "export.xlsx", sheets: tuple[str, ...] = ("Data",), epoch=None):
    made = openpyxl.Workbook()
    made.remove(made.active)
    if epoch:
        made.epoch = epoch
    for title in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made.save(shop.folder / "raw" / name)
    return made


ROWS = [["id", "created", "solved"], ["00123", datetime(2025, 4, 3, 10, 0), None], [124, "03/04/2025 10:00", None]]


def test_cells_that_are_times_need_no_format_and_ids_stay_text(shop: Workshop):
    book(shop, ROWS)
    found = shop.ingest(None, **TICKETS)
    assert found.clean["created_at"].astype(str).tolist() == ["2025-04-03 08:00:00"] * 2
    assert found.clean["ticket_id"].nunique() == 2


def test_dates_of_the_1904_system(shop: Workshop):
    book(shop, ROWS, epoch=CALENDAR_MAC_1904)
    assert str(shop.ingest(None, **TICKETS).clean["created_at"][0]) == "2025-04-03 08:00:00"


def test_a_serial_number_is_a_date_only_where_the_contract_says_so(shop: Workshop):
    book(shop, [*ROWS, ["125", 45750, None]])
    found = shop.ingest(None, **TICKETS)
    assert found.quarantine[["rule", "line", "found"]].values.tolist() == [["XLS-DATE", 4, "45750"]]
    found = shop.ingest(None, **TICKETS | {"timestamps": ["%d/%m/%Y %H:%M", "excel_serial"]})
    assert str(found.clean["created_at"][2]) == "2025-04-02 22:00:00"  # 3 April in Madrid


def test_the_sheet_must_be_named_where_there_are_several(shop: Workshop):
    book(shop, ROWS, sheets=("May", "June"))
    assert "'May', 'June'" in str(shop.refuse(None, "XLS-SHEET", **TICKETS))
    shop.refuse(None, "XLS-SHEET", **TICKETS, sheet="July")
    assert shop.ingest(None, **TICKETS, sheet="June").account.total("clean") == 2


def test_formulas_without_value_and_errors_go_to_quarantine(shop: Workshop):
    book(shop, [["id", "amount"], ["1", 10.5], ["2", "=1+1"], ["3", "#N/A"], [None, None], ["4", "#¡REF!"]])
    found = shop.ingest(None, **SALE | {"decimal": None}, format="xlsx", files="export.xlsx")
    assert found.quarantine["rule"].tolist() == ["XLS-FORMULA"] * 3 and found.quarantine["line"].tolist() == [3, 4, 6]
    assert found.rules["FMT-BLANK:dropped"] == 1
    assert found.clean["net_amount"].tolist() == [Decimal("10.5")]


def test_numbers_as_text_need_a_convention_and_typed_ones_do_not(shop: Workshop):
    book(shop, [["id", "amount"], ["1", 1234.56], ["2", "1.234"]])
    excel = {"format": "xlsx", "files": "export.xlsx"}
    refusal = shop.refuse(None, "NUM-LOCALE", **SALE | {"decimal": None}, **excel)
    assert (refusal.line, refusal.column) == (3, "amount")
    found = shop.ingest(None, **SALE | {"decimal": ","}, thousands=".", **excel)
    assert found.clean["net_amount"].tolist() == [Decimal("1234.56"), Decimal(1234)]


def test_a_long_number_as_id_has_lost_digits(shop: Workshop):
    book(shop, [["id", "amount"], [1, 0.1 + 0.2], [12345678901234567, 2]])
    found = shop.ingest(None, **SALE, format="xlsx", files="export.xlsx")
    assert found.quarantine["rule"].tolist() == ["ID-PRECISION"]
    assert found.clean["net_amount"].tolist() == [Decimal("0.3")]


def test_hidden_rows_are_read_and_warned_of(shop: Workshop):
    made = book(shop, [["id", "amount"], ["1", 1], ["2", 2]])
    made["Data"].row_dimensions[3].hidden = True
    made.save(shop.folder / "raw" / "export.xlsx")
    found = shop.ingest(None, **SALE, format="xlsx", files="export.xlsx")
    assert found.rules == {"XLS-HIDDEN:warned": 1} and len(found.clean) == 2


def test_macros_and_cut_workbooks_are_refused(shop: Workshop):
    book(shop, ROWS, name="export.xlsm")
    shop.refuse(None, "XLS-MACRO", **TICKETS | {"files": "export.xlsm"})
    book(shop, ROWS)
    whole = (shop.folder / "raw" / "export.xlsx").read_bytes()
    shop.write(whole[:-300], "export.xlsx")
    shop.refuse(None, "FILE-TRUNC", **TICKETS)


def test_parquet_keeps_ids_amounts_and_zones(shop: Workshop):
    table = pa.table({
        "id": pa.array([9007199254740993, 9007199254740992]), "amount": pa.array([Decimal("10.10"), Decimal("0.30")]),
        "at": pa.array([datetime(2025, 7, 1, 10), datetime(2025, 7, 1, 10)], pa.timestamp("us", "Europe/Madrid")),
        "due": pa.array([datetime(2025, 7, 1, 10), None], pa.timestamp("us"))})
    pq.write_table(table, shop.folder / "raw" / "export.parquet")
    contract = SALE | {"decimal": None, "columns": SALE["columns"] | {"ordered_at": "at", "promised_at": "due"}}
    found = shop.ingest(None, **contract, format="parquet", files="export.parquet", time_zone="Europe/Madrid")
    assert found.clean["order_id"].nunique() == 2
    assert found.clean["net_amount"].tolist() == [Decimal("10.10"), Decimal("0.30")]
    assert found.clean["ordered_at"].astype(str).tolist() == ["2025-07-01 10:00:00"] * 2  # the instant
    assert str(found.clean["promised_at"][0]) == "2025-07-01 08:00:00"  # naive: a clock in Madrid


@pytest.mark.parametrize("texts", [["1.5", "2.5"]])
def test_numbers_stored_as_text_in_parquet_need_a_convention(shop: Workshop, texts):
    pd.DataFrame({"id": ["1", "2"], "amount": texts}).to_parquet(shop.folder / "raw" / "export.parquet")
    contract = {"format": "parquet", "files": "export.parquet"}
    shop.refuse(None, "NUM-LOCALE", **SALE | {"decimal": None}, **contract)
    assert sum(shop.ingest(None, **SALE, **contract).clean["net_amount"]) == Decimal(4)


def test_inspect_reads_parquet_times_with_a_zone_as_ingest_does(shop: Workshop):
    at = pa.array([datetime(2025, 7, 1, 10), None], pa.timestamp("us", "Europe/Madrid"))
    path = shop.folder / "raw" / "export.parquet"
    pq.write_table(pa.table({"order id": ["a", "b"], "amount": pa.array([1, 2]), "order date": at}), path)
    names, header, *rows = flat(read_parquet_rows(path, 10))
    assert (names, header, [row[2] for row in rows]) == ([], ["order id", "amount", "order date"],
                                                         ["2025-07-01T10:00:00.000000Z", ""])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Refusal, match="FILE-TRUNC"):
        read_parquet_rows(path, 10)


def flat(read: tuple) -> list:
    """The sheets, then the fields of each row."""
    return [read[0], *(fields for _, fields in read[1])]


@pytest.mark.parametrize(("kind", "exact"), [(pa.float64(), 2**53), (pa.float32(), 2**24)])
def test_ids_stored_as_floats_that_cannot_hold_them_have_lost_digits(shop: Workshop, kind, exact):
    """From 2^53 (2^24 in single precision) on, neighbouring whole numbers are one float: customers would merge."""
    ids = pa.array([float(exact - 1), float(exact), float(exact + 2), -float(exact)], kind)
    pq.write_table(pa.table({"id": ["1", "2", "3", "4"], "who": ids, "amount": pa.array([1, 2, 3, 4])}),
                   shop.folder / "raw" / "export.parquet")
    contract = SALE | {"columns": SALE["columns"] | {"customer_id": "who"}}
    found = shop.ingest(None, **contract, format="parquet", files="export.parquet")
    assert found.quarantine["rule"].tolist() == ["ID-PRECISION"] * 3
    assert found.clean["net_amount"].tolist() == [Decimal(1)]


@pytest.mark.parametrize(("form", "sign"), [
    ("[$$-409]#,##0.00", "USD"), ("[$$-80A]#,##0.00", "MXN"), ('#,##0.00 "€"', "€"), ("#,##0.00\\ €", "€"),
    ('#,##0.00 "EUR";[Red]-#,##0.00 "EUR"', "EUR"), ("[Red][$£-809]#,##0", "£"), ("[$-409]#,##0.00", ""),
    ("#,##0.00 [$€-x-euro2]", "€"), ("[$kr-41D] #,##0", "kr"), ('0 "uds"', ""), ("General", ""), (None, "")])
def test_the_currency_that_a_format_shows(form, sign):
    assert currency_in(form) == sign


def test_what_the_format_of_a_cell_shows_counts(shop: Workshop):
    """Dollars beside euros are no euros (CUR-MIX), and an id shown as 00007 is 00007."""
    made = book(shop, [["id", "who", "amount"], ["1", 7, 10.5], ["2", "00007", 20], ["3", 7, 30], ["4", 8, 40]])
    for row, form in ((2, '#,##0.00 "€"'), (3, "[$$-409]#,##0.00"), (4, "0.00"), (5, "[$kr-41D] #,##0")):
        made["Data"].cell(row, 3).number_format = form
        made["Data"].cell(row, 2).number_format = "00000"
    made.save(shop.folder / "raw" / "export.xlsx")
    contract = SALE | {"columns": SALE["columns"] | {"customer_id": "who"}, "format": "xlsx", "files": "export.xlsx"}
    found = shop.ingest(None, **contract)
    assert found.quarantine[["rule", "line"]].values.tolist() == [["CUR-MIX", 3], ["NUM-LOCALE", 5]]
    assert found.clean["net_amount"].tolist() == [Decimal("10.5"), Decimal(30)]
    shop.write(b"id,who,amount\n1,00007,1.00\n", "export.csv")
    assert found.clean["customer_id"].unique().tolist() == shop.ingest(
        None, **contract | {"format": "csv", "files": "export.csv"}).clean["customer_id"].tolist()
