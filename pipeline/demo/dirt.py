"""Dirty rows of many kinds, planted on purpose and counted, so that ingest can be checked against the count."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from pipeline.demo.layouts import Sheet

Row = dict[str, object]
NBSP, MINUS = "\u00a0", "\u2212"


@dataclass(frozen=True)
class Planted:
    """How many rows of one kind of dirt stand in one file, and what an honest ingest does with each of them.

    verdict: repaired (the row's true content can be recovered), quarantined, or dropped (says nothing, or twice).
    """

    kind: str
    table: str
    file: str
    rows: int
    verdict: str


@dataclass(frozen=True)
class Kind:
    """One kind of dirt: which rows it can be made of, how many per row of the file, and how it is made.

    make turns a copy of a good row into the rows or raw lines that the file gets: in place of the good row when
    verdict is repaired, beside it otherwise. So every good row stays in the export in a form that can be recovered.
    """

    name: str
    verdict: str
    share: float
    make: Callable[[Row, str], list]
    fits: Callable[[Row], bool] = lambda row: True


def soiled(sheet: Sheet, kinds: list[Kind], fresh_ids: list[str], random: np.random.Generator) -> tuple[Sheet, list]:
    """The sheet with dirt among its rows, and one Planted per kind; no row carries two kinds.

    fresh_ids: ids that no good row bears, one taken for each new row. At least one row of each kind is made as
    long as a row fits; lines of a wrong width and blank lines are rows of other lengths than the header.
    """
    order = random.permutation(len(sheet.rows))
    taken: set[int] = set()
    instead: dict[int, list] = {}
    beside: dict[int, list] = {}
    planted = []
    fresh = iter(fresh_ids)
    for kind in kinds:
        wanted, made = max(1, round(kind.share * len(sheet.rows))), 0
        for place in order:
            if made >= wanted:
                break
            if place in taken:
                continue
            row = dict(zip(sheet.header, sheet.rows[place], strict=True))
            if not kind.fits(row):
                continue
            taken.add(place)
            rows = [_cells(new, sheet.header) for new in kind.make(row, next(fresh))]
            (instead if kind.verdict == "repaired" else beside)[place] = rows
            made += len(rows)
        planted.append(Planted(kind.name, sheet.table, sheet.path, made, kind.verdict))
    rows: list = []
    for place, row in enumerate(sheet.rows):
        rows += instead.get(place, [row])
        rows += beside.get(place, [])
    return replace(sheet, rows=rows), [entry for entry in planted if entry.rows]


def kinds_of(sheet: Sheet, first_year: int) -> list[Kind]:
    """The kinds of dirt that suit a sheet, together about 2 % of its rows plus 3 % of ids written otherwise."""
    year = int(sheet.path[-8:-4]) if sheet.table == "sales" else first_year
    return {
        "surveys": lambda: _survey_kinds(year), "tickets": lambda: _ticket_kinds(year),
        "sales": lambda: _sales_kinds(year), "customers": lambda: _customer_kinds(year), "actions": lambda: [],
    }[sheet.table]()


def _survey_kinds(year: int) -> list[Kind]:
    key, nps = "Id respuesta", "Recomendaría (NPS)"

    def answered(row: Row) -> bool:
        return row["Respondida"] != "" and row[nps] != "No aplica"

    def score(name: str, share: float, *texts: str) -> Kind:
        return _broken(name, share, key, nps, *texts, fits=answered)

    return [
        *_any_file("Id cliente", key, nps, answered, {"9": "4", "10": "4"}, "3"),
        _repaired("no-break space in a score", 0.002, nps, lambda text: f"{NBSP}{text}{NBSP}", answered),
        score("score above the scale", 0.001, "11"),
        score("score below the scale", 0.001, "-1"),
        score("code for no answer in place of a score", 0.001, "99"),
        score("fraction of a point", 0.001, "8,5"),
        score("word outside the closed list", 0.001, "Depende", "NS/NC", "bastante"),
        _broken("impossible date", 0.001, key, "Respondida", f"31/02/{year + 1} 10:15", fits=answered),
        _broken("time in the gap of spring", 0.0005, key, "Enviada", f"{_gap_day(year):%d/%m/%Y} 02:30"),
        _broken("answered before asked", 0.0005, key, "Respondida", f"02/01/{year - 1} 11:00", fits=answered),
        _broken("unknown channel", 0.0005, key, "Canal", "Paloma"),
        _broken("empty id", 0.0005, key, key, ""),
    ]


def _ticket_kinds(year: int) -> list[Kind]:
    key = "ticket_id"
    return [
        *_any_file("requester_id", key, "status", lambda row: row["solved_at"] != "", {"closed": "pending"}, "closed"),
        _repaired("no-break space in an id", 0.002, key, lambda text: f"{text}{NBSP}"),
        _broken("solved before created", 0.002, key, "solved_at", f"{year - 1}-06-30T09:00:00Z",
                fits=lambda row: row["solved_at"] != ""),
        _broken("impossible date", 0.001, key, "created_at", f"{year + 1}-02-31T10:15:00Z"),
        _broken("unknown status", 0.001, key, "status", "escalado a N2"),
        _broken("negative count", 0.001, key, "reopens", "-1"),
        _broken("id in scientific notation", 0.001, key, key, "7.00E+05", "7.01E+05"),
        _broken("empty id", 0.001, key, key, ""),
    ]


def _sales_kinds(year: int) -> list[Kind]:
    key, amount = "Pedido", "Importe neto"
    return [
        *_any_file("Cliente", key, amount, lambda row: row["Devolución"] == "N", {}, "1,00"),
        _repaired("currency sign in an amount", 0.005, amount, lambda text: f"{text} €"),
        _repaired("no-break space in an amount", 0.003, amount, lambda text: f"{text}{NBSP}"),
        _repaired("typographic minus", 0.002, amount, lambda text: text.replace("-", MINUS),
                  lambda row: row["Devolución"] == "S"),
        _broken("text in place of an amount", 0.001, key, amount, "pendiente", "s/c"),
        _broken("amount in the other convention", 0.0005, key, amount, "1,234.56"),
        _broken("impossible date", 0.001, key, "Fecha", f"31/02/{year} 10:15"),
        _broken("time in the gap of spring", 0.0005, key, "Fecha", f"{_gap_day(year):%d/%m/%Y} 02:30"),
        _broken("id in scientific notation", 0.001, key, key, "4,10E+09", "4,11E+09"),
        _broken("unknown channel", 0.0005, key, "Canal", "Paloma"),
        _broken("empty id", 0.0005, key, key, ""),
    ]


def _customer_kinds(year: int) -> list[Kind]:
    key = "Cuenta"
    return [kind for kind in _any_file(key, key, "Segmento", lambda row: True, {"Hogar": "Empresa"}, "Hogar")
            if kind.name != "wrong number of fields"] + [
        _broken("impossible date", 0.001, key, "Alta", f"31/02/{year}"),
        _broken("ended before it began", 0.001, key, "Baja", datetime(1999, 12, 31)),
        _broken("unknown segment", 0.001, key, "Segmento", "VIP??"),
        _broken("empty id", 0.001, key, key, ""),
    ]


def _any_file(customer: str, key: str, column: str, fits: Callable[[Row], bool], other: dict[str, str],
              otherwise: str) -> list[Kind]:
    """What happens to any export: ids typed by hand, rows twice, rows in two versions, broken and blank lines."""
    def two_versions(row: Row, fresh: str) -> list[Row]:
        changed = other.get(str(row[column]), otherwise)
        return [row | {key: fresh}, row | {key: fresh, column: changed if changed != row[column] else "2,00"}]

    spellings = (str.lower, lambda text: f" {text}", lambda text: f"{text} ", lambda text: f"{text.lower()} ")
    return [
        Kind("customer id written otherwise", "repaired", 0.03,
             lambda row, fresh: [row | {customer: spellings[_digit(fresh, 4)](str(row[customer]))}],
             lambda row: row[customer] != ""),
        Kind("row twice", "dropped", 0.003, lambda row, fresh: [row]),
        Kind("one id, two versions", "quarantined", 0.001, two_versions, fits),
        Kind("wrong number of fields", "quarantined", 0.0008,
             lambda row, fresh: [list(row.values())[:-2] if _digit(fresh, 2) else [*row.values(), "?"]]),
        Kind("blank line", "dropped", 0.0005, lambda row, fresh: [[]]),
    ]


def _broken(name: str, share: float, key: str, column: str, *cells: object,
            fits: Callable[[Row], bool] = lambda row: True) -> Kind:
    """A new row, under an id of its own, whose `column` holds one of `cells`."""
    return Kind(name, "quarantined", share,
                lambda row, fresh: [row | {key: fresh, column: cells[_digit(fresh, len(cells))]}], fits)


def _repaired(name: str, share: float, column: str, change: Callable[[str], str],
              fits: Callable[[Row], bool] = lambda row: True) -> Kind:
    return Kind(name, "repaired", share, lambda row, fresh: [row | {column: change(str(row[column]))}], fits)


def _digit(fresh: str, below: int) -> int:
    return int(fresh[-4:]) % below


def _cells(row: Row | list, header: list[str]) -> list:
    return [row[name] for name in header] if isinstance(row, dict) else row


def _gap_day(year: int) -> datetime:
    """Last Sunday of March: from two to three o'clock there is no time in Madrid."""
    last = datetime(year, 3, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
