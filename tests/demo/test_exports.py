"""The exports: same bytes for the same company, every good row recoverable, every planted row counted.

Files are read back with the standard library only, so that nothing of the product checks itself.
"""

import csv
import hashlib
import io
import re
import zipfile
from collections import Counter

import openpyxl
import pytest

from pipeline.demo.company import simulate
from pipeline.demo.exports import write_exports

ENCODINGS = {"surveys": "windows-1252", "tickets": "utf-8", "sales": "utf-8-sig", "actions": "utf-8"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    company = simulate(customers=600, seed=21)
    paths, planted, second = write_exports(company, folder)
    return company, folder, paths, {(p.file, p.kind): p.rows for p in planted}, planted, second


def test_bytes_are_the_same_again(made, tmp_path):
    _, folder, paths, *_ = made
    write_exports(simulate(customers=600, seed=21), tmp_path)
    for path in paths:
        first, again = ((base / path).read_bytes() for base in (folder, tmp_path))
        assert hashlib.sha256(first).hexdigest() == hashlib.sha256(again).hexdigest(), path


def test_workbook_tells_no_time_of_making(made):
    _, folder, *_ = made
    with zipfile.ZipFile(folder / "customers/clientes.xlsx") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(rb"\d{4}-\d\d-\d\dT", archive.read("docProps/core.xml"))) == {b"2020-01-01T"}


def test_records_are_good_rows_and_what_was_planted(made):
    company, folder, paths, _, planted, second = made
    good = Counter({"surveys": company.surveys["response_id"].nunique(), "tickets": len(company.tickets),
                    "sales": len(company.sales), "customers": len(company.customers) + second,
                    "actions": len(company.actions)})
    records, extra = Counter(), Counter()
    for path in paths:
        records[path.split("/")[0]] += len(rows_of(folder, path))
    for entry in planted:
        extra[entry.table] += 0 if entry.verdict == "repaired" else entry.rows
    assert records == good + extra


def test_planted_counts_are_what_stands_in_the_files(made):
    _, folder, paths, counts, *_ = made
    for path in (p for p in paths if p.startswith("sales")):
        header, *rows = lines_of(folder, path)
        amount, order = header.index("Importe neto"), header.index("Pedido")
        whole = [row for row in rows if len(row) == len(header)]
        found = {
            "currency sign in an amount": sum("€" in row[amount] for row in whole),
            "typographic minus": sum("\u2212" in row[amount] for row in whole),
            "no-break space in an amount": sum("\u00a0" in row[amount] for row in whole),
            "impossible date": sum(row[3].startswith("31/02") for row in whole),
            "id in scientific notation": sum("E+" in row[order] for row in whole),
            "empty id": sum(row[order] == "" for row in whole),
            "blank line": sum(row == [] for row in rows),
            "wrong number of fields": sum(len(row) not in (0, len(header)) for row in rows),
            "footer with a total": sum(row[order] == "Total" for row in whole),
            "customer id written otherwise": sum(not re.fullmatch(r"(CL-\d{6})?", row[2]) for row in whole),
        }
        assert found == {kind: counts[path, kind] for kind in found}
    header, *rows = lines_of(folder, "surveys/encuestas.csv")
    nps = Counter(row[9] for row in rows if len(row) == len(header))
    for text, kind in (("11", "score above the scale"), ("-1", "score below the scale"),
                       ("99", "code for no answer in place of a score"), ("8,5", "fraction of a point")):
        assert nps[text] == counts["surveys/encuestas.csv", kind] > 0


def test_about_two_percent_of_rows_are_dirty(made):
    _, folder, paths, _, planted, _ = made
    dirty = sum(entry.rows for entry in planted if entry.kind != "customer id written otherwise")
    assert 0.012 < dirty / sum(len(rows_of(folder, path)) for path in paths) < 0.03


def test_every_good_sale_can_be_recovered(made):
    company, folder, paths, *_ = made
    merged = merged_accounts(folder)
    recovered = {}
    for path in (p for p in paths if p.startswith("sales")):
        header, *rows = lines_of(folder, path)
        for row in (dict(zip(header, row, strict=False)) for row in rows if len(row) == len(header)):
            amount = row["Importe neto"].replace("\u2212", "-").strip(" €\u00a0").replace(".", "").replace(",", "")
            customer = row["Cliente"].strip().upper()
            key = (row["Pedido"], row["Línea"], merged.get(customer, customer))
            if row["Pedido"].startswith("41") and key not in recovered and amount.lstrip("-").isdigit():
                recovered[key] = int(amount)
    sales = company.sales
    good = dict(zip(zip(sales["order_id"], sales["line_id"], sales["customer_id"].fillna(""), strict=True),
                    (sales["net_amount"] * 100).round().astype(int), strict=True))
    assert {key: recovered.get(key) for key in good} == good
    assert sum(recovered.values()) == sum(good.values())


def test_every_answer_can_be_recovered_and_scales_stand_as_asked(made):
    company, folder, *_ = made
    header, *rows = lines_of(folder, "surveys/encuestas.csv")
    answers = {}
    for row in (dict(zip(header, row, strict=False)) for row in rows if len(row) == len(header)):
        for instrument, column in (("nps", 9), ("csat", 10), ("ces", 11)):
            text = row[header[column]].strip("\u00a0")
            answers.setdefault((row["Id respuesta"], instrument), text)
    surveys = company.surveys
    for record, instrument, score in surveys[["response_id", "instrument", "score"]].itertuples(index=False):
        text = answers[record, instrument]
        assert (text == "") if score != score else (int(text.split(" - ")[0]) == score), record
    texts = set(answers.values())
    assert {"10 - Muy probable", "1 - Muy fácil", "7 - Muy difícil", "No aplica", "9"} <= texts


def test_second_accounts_name_a_first_one_and_carry_part_of_what_it_did(made):
    company, folder, _, _, _, second = made
    merged = merged_accounts(folder)
    assert second == len(merged) == 30  # 5 % of 600
    assert set(merged.values()) <= set(company.customers["customer_id"]) and not set(merged) & set(merged.values())
    header, *rows = lines_of(folder, "sales/ventas-2025.csv")
    booked = Counter(row[2] in merged for row in rows if len(row) == len(header))
    assert booked[True] > 50


def test_moments_are_written_in_their_own_zone(made):
    company, folder, *_ = made
    summer = company.surveys[company.surveys["sent_at"].dt.month == 7].iloc[0]
    _, *rows = lines_of(folder, "surveys/encuestas.csv")
    text = next(row[2] for row in rows if row and row[0] == summer["response_id"])
    utc = summer["sent_at"]
    assert text == f"{utc:%d/%m/%Y} {utc.hour + 2:02d}:{utc:%M}"  # Madrid is two hours ahead in July
    ticket = company.tickets.iloc[0]
    _, *rows = lines_of(folder, "tickets/tickets.csv")
    assert next(row[2] for row in rows if row and row[0].strip() == ticket["ticket_id"]) == (
        f"{ticket['created_at']:%Y-%m-%dT%H:%M:%SZ}")


def lines_of(folder, path) -> list[list[str]]:
    table = path.split("/")[0]
    text = (folder / path).read_bytes().decode(ENCODINGS[table])
    return list(csv.reader(io.StringIO(text, newline=""), delimiter="," if table == "tickets" else ";"))


def rows_of(folder, path) -> list:
    if path.endswith("xlsx"):
        return list(openpyxl.load_workbook(folder / path)["Clientes"].iter_rows(min_row=2, values_only=True))
    return lines_of(folder, path)[1:]


def merged_accounts(folder) -> dict[str, str]:
    """Second account -> first, for rows that are whole."""
    rows = rows_of(folder, "customers/clientes.xlsx")
    pairs = {str(row[0]).strip().upper(): row[7] for row in rows if row[0] and row[7]}
    return {second: first for second, first in pairs.items() if not second.startswith("CL-8")}
