"""What stands under an empty row and is another table becomes no customer and no sale; what is the same table stays."""

import openpyxl
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told
from pipeline.ingest.check import account_text
from pipeline.ingest.findings import findings
from pipeline.ingest.gaps import Gaps
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.share import check_share
from tests.ingest.conftest import CUSTOMER, Workshop

PEOPLE = CUSTOMER | {"columns": {"customer_id": "id", "segment": "segment", "branch": "shop", "value_band": "band"}}
ROWS = [["C1", "Hogar", "Norte", "A"], ["C2", "Empresa", "Sur", "B"], ["C3", "Hogar", "Sur", "A"],
        ["C4", "Hogar", "Norte", "C"]]
HEAD = ["id", "segment", "shop", "band"]
SECOND = [["Tienda", "Ciudad", None, None], ["Norte", "Bilbao", None, None], ["Sur", "Cádiz", None, None]]
NOTES = [["Fuente: CRM, extraído en mayo", None, None, None]]
EMPTY = [None] * 4


def as_csv(rows: list[list], is_bare: bool = False) -> str:
    return "".join(("" if is_bare and not any(row) else ",".join(f'"{cell}"' if cell and "," in cell else cell or ""
                                                                 for cell in row)) + "\n" for row in rows)


def write(shop: Workshop, kind: str, rows: list[list]) -> dict:
    if kind != "xlsx":
        shop.write(as_csv(rows, kind == "empty line"))
        return {}
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(shop.folder / "raw" / "export.xlsx")
    return {"format": "xlsx", "files": "export.xlsx"}


@pytest.mark.parametrize("kind", ["empty line", "empty cells", "xlsx"])
@pytest.mark.parametrize("below", [SECOND, NOTES, SECOND[1:]])
def test_another_table_under_an_empty_row_is_kept_out(shop: Workshop, kind: str, below: list):
    contract = write(shop, kind, [HEAD, *ROWS, EMPTY, EMPTY, *below])
    found = shop.ingest(None, **PEOPLE | contract)
    apart = found.quarantine[found.quarantine.rule == "FMT-TABLE"]
    assert sorted(apart["line"]) == list(range(8, 8 + len(below)))
    assert len(found.clean) == 4 and set(found.clean["segment"]) == {"Hogar", "Empresa"}
    assert found.account.total("rows_in") == 4 + 2 + len(below)


@pytest.mark.parametrize("kind", ["empty line", "empty cells", "xlsx"])
def test_the_same_table_goes_on_under_an_empty_row_and_behind_another_one(shop: Workshop, kind: str):
    more = [["C5", "Hogar", "Sur", "A"], ["C6", "Empresa", "Norte", None]]
    contract = write(shop, kind, [HEAD, *ROWS, EMPTY, *more, EMPTY, *SECOND, EMPTY, ["C9", "Hogar", "Este", "C"]])
    found = shop.ingest(None, **PEOPLE | contract)
    assert found.clean["branch"].tolist() == ["Norte", "Sur", "Sur", "Norte", "Sur", "Norte", "Este"]
    assert found.quarantine[found.quarantine.rule == "FMT-TABLE"]["line"].tolist() == [10, 11, 12]


def test_lines_behind_what_was_set_apart_keep_their_number(shop: Workshop):
    rows = [HEAD, *ROWS, EMPTY, *SECOND, EMPTY, ["C9", "Hogar", "Este", "C"], ["", "Hogar", "Este", "C"]]
    found = shop.ingest(as_csv(rows, True), **PEOPLE).quarantine
    assert found[found.rule == "KEY-MISSING"]["line"].tolist() == [12]


def test_totals_under_an_empty_row_stay_totals(shop: Workshop):
    found = shop.ingest(as_csv([HEAD, *ROWS, EMPTY, ["Total", None, None, None]], True), **PEOPLE)
    assert found.rules == {"FMT-FOOTER:quarantined": 1, "FMT-BLANK:dropped": 1}


def test_ids_without_digits_are_no_header(shop: Workshop):
    rows = [["Ana", "Hogar", "Sur", "A"], ["Luis", "Hogar", "Sur", "A"], ["Eva", "Empresa", "Sur", "B"]]
    found = shop.ingest(as_csv([HEAD, *rows, EMPTY, ["Paz", "Hogar", "Norte", "A"]], True), **PEOPLE)
    assert len(found.clean) == 4


SALE_HEAD = ["order", "date", "client", "units", "amount", "notes"]
SALES = {"table": "sales", "decimal": ".", "timestamps": ["%Y-%m-%d"], "time_zone": "UTC", "columns": {
    "order_id": "order", "ordered_at": "date", "customer_id": "client", "quantity": "units", "net_amount": "amount",
    "product_category": "notes"}}


def sale(number: int, notes: str | None = "x") -> list[str | None]:
    return [f"P{number}", "2025-03-01", f"C{number}", "1", f"{number}.50", notes]


@pytest.mark.parametrize("below", [
    [["P90", "2025-03-02", None, None, "9.50", None], ["P91", "2025-03-02", None, None, "8.50", None]],  # sparse sales
    [["PX", "2025-03-02", None, None, "9.50", None], sale(91)],  # the first one is odd, the others are not
])
def test_rows_that_look_like_those_above_stay_whatever_they_lack(shop: Workshop, below: list):
    found = shop.ingest(as_csv([SALE_HEAD, *map(sale, range(1, 60)), EMPTY, *below], True), **SALES)
    assert not [rule for rule in found.rules if rule.startswith("FMT-TABLE")]
    assert found.account.total("clean") == 61


def test_a_line_end_in_a_cell_and_a_blank_line_elsewhere_make_no_section(shop: Workshop):
    rows = [sale(number, '"two\nlines"' if number == 59 else "x") for number in range(1, 60)]
    odd = ["Pz", "2025-03-02", None, None, None, None]  # quarantined for its amount, not as another table
    text = as_csv([SALE_HEAD, *rows, odd])
    found = shop.ingest(text + "\n", **SALES)
    assert found.rules["FMT-BLANK:dropped"] == 1
    assert not [rule for rule in found.rules if rule.startswith("FMT-TABLE")]


def test_a_table_begins_with_its_total_and_is_kept_out_all_the_same(shop: Workshop):
    summary = [["Total", None, None, None, "99.00", None], ["Hogar", None, None, None, "55.00", None]]
    found = shop.ingest(as_csv([SALE_HEAD, *map(sale, range(1, 60)), EMPTY, *summary], True), **SALES)
    assert found.rules["FMT-TABLE:quarantined"] == 1 and found.rules["FMT-FOOTER:quarantined"] == 1
    assert found.account.total("clean") == 59


def test_a_file_that_begins_with_empty_rows_is_read(shop: Workshop):
    bare = [[None] * 6] * 3
    found = shop.ingest(as_csv([SALE_HEAD, *bare, ["ACME", None, None, None, None, "y"], *map(sale, range(1, 60))]),
                        **SALES)
    assert found.account.total("clean") == 59


def test_what_is_kept_out_says_what_was_found_and_what_to_do(shop: Workshop):
    found = shop.ingest(as_csv([HEAD, *ROWS, EMPTY, *SECOND, [None, "x@y.es", None, None]]), **PEOPLE)
    apart = found.quarantine[found.quarantine.rule == "FMT-TABLE"]
    assert apart["found"].tolist() == ["Tienda", "Norte", "Sur", "x…@…"]
    assert "a file or a sheet of its own for that table" in account_text(found.account, {})
    assert "un fichero o una hoja propia para esa tabla" in account_text(found.account, {}, "es")
    with pytest.raises(Refusal) as caught:
        check_share(found.account, 0.2, "")
    assert "a file or a sheet of its own" in str(caught.value)
    assert "un fichero o una hoja propia" in told(caught.value, "es")


@pytest.mark.parametrize("kind", ["empty line", "empty cells", "xlsx"])
def test_inspect_tells_of_another_table_below(shop: Workshop, kind: str):
    sheet = [["customer id", "segment", "branch", "city"], *ROWS]
    contract = write(shop, kind, [*sheet, EMPTY, EMPTY, *SECOND])
    path = shop.folder / "raw" / contract.get("files", "export.csv")
    assert inspect_file(path).apart == (8, 9, 10)
    assert "3 rows under an empty one are another table (line 8): kept out" in findings(inspect_file(path))
    assert "3 filas debajo de una vacía son otra tabla (línea 8)" in findings(inspect_file(path), "es")
    write(shop, kind, [*sheet, EMPTY, ["C5", "Hogar", "Sur", "A"], EMPTY, ["Total", None, None, None]])
    assert inspect_file(path).apart == ()


def test_inspect_tells_of_another_table_at_the_end_of_a_long_file(shop: Workshop):
    rows = [[f"C{n}", "Hogar", "Norte", "A"] for n in range(5000)]
    path = shop.write(as_csv([["customer id", "segment", "branch", "city"], *rows, EMPTY, *SECOND], True))
    assert inspect_file(path).apart == (5003, 5004, 5005)


@pytest.mark.parametrize(("where", "is_bare"), [(3200, True), (20_000, False), (30_000, True)])
def test_inspect_tells_of_another_table_in_the_middle_of_a_long_file(shop: Workshop, where: int, is_bare: bool):
    """And ingest keeps out the very rows; what goes on as above under an empty row is the same table for both."""
    rows = [[f"C{n}", "Hogar", "Norte", "Aranjuez de la Frontera " * 2] for n in range(40_000)]
    head = ["customer id", "segment", "branch", "city"]
    path = shop.write(as_csv([head, *rows[:where], EMPTY, *SECOND, EMPTY, *rows[where:]], is_bare))
    assert path.stat().st_size > 2 << 20
    assert inspect_file(path).apart == (where + 3, where + 4, where + 5)
    found = shop.ingest(None, **CUSTOMER | {"columns": {"customer_id": "customer id", "segment": "segment"}})
    apart = found.quarantine[found.quarantine.rule == "FMT-TABLE"]
    assert tuple(apart["line"]) == inspect_file(path).apart and found.account.total("clean") == 40_000
    path = shop.write(as_csv([head, *rows[:where], EMPTY, EMPTY, *rows[where:]], is_bare))
    assert inspect_file(path).apart == ()


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_pieces_under_empty_rows_are_found_however_the_bytes_come(size: int):
    text = b"a,b\n\n1,2\r\n,\r\n3,4\n\n\n5,6\n" + b"7,8\n" * 400 + b' , ""\n9,9\n\n'
    gaps, few = Gaps(12, 9), Gaps(12, 2)
    for at in range(0, len(text), size):
        gaps.feed(text[at:at + size])
        few.feed(text[at:at + size])
    for one in (gaps, few):
        one.feed(b"", is_last=True)
    assert gaps.found == [(2, b"\n1,2\r\n,\r\n"), (4, b",\r\n3,4\n\n\n"), (7, b"\n5,6\n7,8\n"),
                          (409, b' , ""\n9,9\n\n')]
    assert few.found == [gaps.found[0], gaps.found[-1]]
