"""Writes the invented company's exports as they look in real life, the same bytes for the same company."""

import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl import Workbook

from pipeline.demo.company import Company
from pipeline.demo.dirt import Planted, kinds_of, soiled
from pipeline.demo.latent import stream
from pipeline.demo.layouts import (
    Sheet,
    actions_sheet,
    customers_sheet,
    sales_sheets,
    surveys_sheet,
    tickets_sheet,
)
from pipeline.demo.moments import end_of_data, month_start, to_local, to_utc

SECOND_ACCOUNT_SHARE = 0.05
CSV_DIALECTS = {  # encoding, delimiter
    "surveys": ("windows-1252", ";"),
    "tickets": ("utf-8", ","),
    "sales": ("utf-8-sig", ";"),
    "actions": ("utf-8", ";"),
}
SHEET_NAME = "Clientes"
FIXED_DATE = "2020-01-01T00:00:00Z"


def write_exports(company: Company, folder: Path) -> tuple[list[str], list[Planted], int]:
    """Write all exports under `folder`; the paths written, the dirt planted and the number of second accounts.

    Every row of the company's clean tables is in the exports in a form that a right ingest recovers exactly, once
    accounts are resolved; what is planted beside them is to be quarantined or dropped.
    """
    accounts = second_accounts(company)
    surveys, tickets, sales = (
        spread_over_accounts(frame, moment, accounts, stream(company.seed, f"accounts of {moment}"))
        for frame, moment in ((company.surveys, "sent_at"), (company.tickets, "created_at"),
                              (company.sales, "ordered_at")))
    customers = pd.concat([company.customers, accounts], ignore_index=True)
    customers = customers.sort_values("customer_id", kind="stable", ignore_index=True)
    sheets = [surveys_sheet(surveys), tickets_sheet(tickets), *sales_sheets(sales), customers_sheet(customers),
              actions_sheet(company.actions)]
    planted: list[Planted] = []
    for sheet in sheets:
        kinds = kinds_of(sheet, int(company.first_month[:4]))
        fresh = _fresh_ids(sheet, len(kinds) + len(sheet.rows) // 10)
        dirty, found = soiled(sheet, kinds, fresh, stream(company.seed, f"dirt in {sheet.path}"))
        planted += found
        if sheet.table == "sales":
            dirty.rows.append(_footer(sheet))
            planted.append(Planted("footer with a total", "sales", sheet.path, 1, "dropped"))
        _write(dirty, folder / sheet.path)
    return [sheet.path for sheet in sheets], planted, len(accounts)


def second_accounts(company: Company) -> pd.DataFrame:
    """Second accounts of 5 % of the customers, as rows of `customers`; merged_into names the first account.

    acquired_at: when the second account was opened, while the customer was one and within the data.
    """
    random = stream(company.seed, "second accounts")
    customers, months = company.customers, company.latent.orders.shape[1]
    chosen = np.sort(random.choice(len(customers), round(SECOND_ACCOUNT_SHARE * len(customers)), replace=False))
    first = customers.iloc[chosen]
    start = to_utc(month_start(company.first_month, np.array([0])))[0]
    since = first["acquired_at"].clip(lower=pd.Timestamp(start))
    until = first["ended_at"].fillna(pd.Timestamp(end_of_data(company.first_month, months)))
    opened = since + (until - since) * random.random(len(chosen))
    used = set(customers["customer_id"])
    highest = int(customers["customer_id"].max()[3:])
    numbers = random.permutation(np.arange(1000, highest + 10 * len(chosen) + 100))
    free = [f"CL-{number:06d}" for number in numbers if f"CL-{number:06d}" not in used]
    return first.assign(
        customer_id=pd.array(free[:len(chosen)], dtype="str"),
        merged_into=first["customer_id"].to_numpy(),
        acquired_at=to_utc(to_local(opened).astype("datetime64[D]")),
        ended_at=np.full(len(chosen), np.datetime64("NaT"), dtype="datetime64[us]"),
    )


def spread_over_accounts(frame: pd.DataFrame, moment: str, accounts: pd.DataFrame,
                         random: np.random.Generator) -> pd.DataFrame:
    """The frame with half of what a customer did after opening a second account booked under that account.

    What belongs to one order or one invitation stays together.
    """
    second = accounts.set_index("merged_into")
    is_later = frame[moment] >= frame["customer_id"].map(second["acquired_at"])
    unit = pd.factorize(frame["order_id" if moment == "ordered_at" else frame.columns[0]])[0]
    is_second = is_later.to_numpy() & (random.random(len(frame)) < 0.5)[unit]
    if moment == "ordered_at":  # a return follows its order's account even where only the return is later
        is_second = pd.Series(is_second).groupby(unit).transform("min").to_numpy()
    booked = frame["customer_id"].where(~is_second, frame["customer_id"].map(second["customer_id"]))
    return frame.assign(customer_id=booked.astype("str"))


def _fresh_ids(sheet: Sheet, count: int) -> list[str]:
    """Ids in the sheet's manner that no good row bears."""
    first = {"surveys": "R9{:06d}", "tickets": "9{:06d}", "sales": "49{:08d}", "customers": "CL-8{:05d}",
             "actions": "X{:04d}"}[sheet.table]
    year = int(sheet.path[-8:-4]) % 10 * 1_000_000 if sheet.table == "sales" else 0
    return [first.format(year + number) for number in range(count)]


def _footer(sheet: Sheet) -> list[str]:
    """The line that a person added below the rows: "Total" and the sum of the good rows' amounts."""
    amount = sheet.header.index("Importe neto")
    cents = sum(int(row[amount].replace(".", "").replace(",", "")) for row in sheet.rows)
    cells = dict.fromkeys(sheet.header, "") | {"Pedido": "Total", "Importe neto": f"{cents // 100},{cents % 100:02d}"}
    return list(cells.values())


def _write(sheet: Sheet, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".xlsx":
        path.write_bytes(_workbook(sheet))
        return
    encoding, delimiter = CSV_DIALECTS[sheet.table]
    with open(path, "w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(sheet.header)
        writer.writerows(sheet.rows)


def _workbook(sheet: Sheet) -> bytes:
    """The sheet as XLSX bytes without a trace of when they were made."""
    book = Workbook(write_only=True)
    page = book.create_sheet(SHEET_NAME)
    page.append(sheet.header)
    for row in sheet.rows:
        page.append([None if cell == "" else cell for cell in row])
    raw, fixed = io.BytesIO(), io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as made, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in sorted(made.namelist()):
            content = made.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", FIXED_DATE.encode(), content)
            out.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
