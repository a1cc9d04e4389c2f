"""Damaged exports whose truth is known: what of them is wrong, kept and unaccounted for, family by family.

    python -m benchmarks.damage --files 2000 [--seed 7] [--json FILE]

A file is a small table (a survey, tickets, sales), broken in one way. A file without contract is read by what `inspect`
finds, every second one under its contract. `wrong`: loaded rows that are no row of the table. `kept`: share of the
table's rows, in loaded files, that came back. What leaves a file that nobody can tell from a good one is no family.
"""

import argparse
import csv
import json
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.outcomes import Outcome, ingest_file
from pipeline.contracts.params import Instrument, Source

WORDS = ("llegó", "tarde", "bien", "atendida", "señora", "🙂", "café", "rápido", "naïve", "late", "nobody", "answered")
Row = list[str]


@dataclass
class Table:
    """rows: the truth. delimiter, end: how it is written. text: place of its free text."""

    head: Row
    rows: list[Row]
    delimiter: str
    end: str
    text: int
    source: Source

    def cell(self, text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & {self.delimiter, '"', "\n", "\r"} else text

    def line(self, row: Row) -> str:
        return self.delimiter.join(map(self.cell, row))

    def file(self, lines: list[str]) -> str:
        return "".join(line + self.end for line in lines)


def _note(chance: random.Random) -> str:
    words = " ".join(chance.choices(WORDS, k=chance.randint(1, 8)))
    return chance.choice([words, words, words, words + ", " + words, f'un "{words}"', words + "\n" + words])


def survey(chance: random.Random, count: int) -> Table:
    rows = [[f"R{1000 + n}", f"c{chance.randint(1, 400):04d}", f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d} 10:30",
             str(chance.randint(0, 10)), chance.choice(["web", "tienda", "teléfono"]), _note(chance)]
            for n in range(count)]
    return Table(["id", "who", "back", "nps", "channel", "comment"], rows, ",", "\n", 5, Source(
        "surveys", ".", "*", "csv", {"response_id": "id", "customer_id": "who", "responded_at": "back",
                                     "channel": "channel", "comment": "comment"}, timestamps=["%Y-%m-%d %H:%M"],
        time_zone="UTC", instruments={"nps": Instrument(0, 10, "higher_is_better", "nps")}))


def tickets(chance: random.Random, count: int) -> Table:
    rows = [[str(50_000 + n), f"K-{chance.randint(1, 300)}", f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}T10:30:00",
             _note(chance), chance.choice(["solved", "open", "closed"])] for n in range(count)]
    return Table(["id", "customer", "created", "subject", "status"], rows, "\t", "\r\n", 3, Source(
        "tickets", ".", "*", "csv", {"ticket_id": "id", "customer_id": "customer", "created_at": "created",
                                     "reason": "subject", "status": "status"}, delimiter="\t",
        timestamps=["iso8601"], time_zone="UTC"))


def sales(chance: random.Random, count: int) -> Table:
    rows = [[f"P{10_000 + n}", f"{chance.randint(1, 999):05d}", f"{n % 28 + 1:02d}/{n % 12 + 1:02d}/2025",
             str(chance.randint(1, 9)), f"{chance.randint(1, 900)},{chance.randint(10, 99)}",
             chance.choice(["Madrid", "León"]), _note(chance)] for n in range(count)]
    return Table(["pedido", "cliente", "fecha", "unidades", "importe", "tienda", "nota"], rows, ";", "\r\n", 6, Source(
        "sales", ".", "*", "csv", {"order_id": "pedido", "customer_id": "cliente", "ordered_at": "fecha",
                                   "quantity": "unidades", "net_amount": "importe", "branch": "tienda"},
        delimiter=";", decimal=",", timestamps=["%d/%m/%Y"], time_zone="UTC", extra={"note": "nota"}))


TABLES = (survey, tickets, sales)
Family = Callable[[Table, random.Random], str]


def _one_row(change: Callable[[Table, Row, random.Random], str]) -> Family:
    """A family in which one row, of short cells, is written otherwise; `change` may change the truth too."""
    def family(table: Table, chance: random.Random) -> str:
        at = chance.randrange(len(table.rows))
        table.rows[at][table.text] = chance.choice(WORDS) + " bien"
        line = change(table, table.rows[at], chance)
        lines = list(map(table.line, table.rows))
        return table.file([table.line(table.head), *lines[:at], line, *lines[at + 1:]])
    return family


def _lost(table: Table, row: Row, chance: random.Random) -> str:
    at = chance.randrange(1, 3)
    return table.line([*row[:at], *row[at + 1:], ""])


def _moved(table: Table, row: Row, chance: random.Random) -> str:
    return table.line(row[1:] + row[:1])


def _other_sign(table: Table, row: Row, chance: random.Random) -> str:
    return next(sign for sign in ",;|" if sign != table.delimiter).join(row)


def _torn(table: Table, row: Row, chance: random.Random) -> str:
    row[table.text] = "uno" + chance.choice(["\n", "\n\n", "\r"]) + "dos"
    return table.delimiter.join(row)


def _left_open(table: Table, row: Row, chance: random.Random) -> str:
    return table.delimiter.join(f'"{cell}' if place == table.text else cell for place, cell in enumerate(row))


def _escaped(table: Table, row: Row, chance: random.Random) -> str:
    row[table.text] = f'dijo "hola"{table.delimiter} y ya'
    return table.delimiter.join('"' + cell.replace('"', '\\"') + '"' for cell in row)


def _two_in_one(table: Table, row: Row, chance: random.Random) -> str:
    return table.line(row) + table.line(row)


def _between(line: Callable[[Table], str]) -> Family:
    """A family in which a line that is no record stands between two rows."""
    def family(table: Table, chance: random.Random) -> str:
        lines, at = list(map(table.line, table.rows)), chance.randrange(1, len(table.rows))
        return table.file([table.line(table.head), *lines[:at], line(table), *lines[at:]])
    return family


def _turned(table: Table, chance: random.Random) -> str:
    at = chance.randrange(1, len(table.rows))
    return table.file([*map(table.line, [table.head, *table.rows[:at]]),
                       *(table.line(row[::-1]) for row in [table.head, *table.rows[at:]])])


def _wider_header(table: Table, chance: random.Random) -> str:
    return table.file([table.line(table.head) + table.delimiter, *map(table.line, table.rows)])


def _other_block(table: Table, chance: random.Random) -> str:
    lines, at = list(map(table.line, table.rows)), chance.randrange(len(table.rows))
    lines[at:at + 4] = [line.replace(table.delimiter, "|") for line in lines[at:at + 4]]
    return table.file([table.line(table.head), *lines])


def _changed(table: Table, chance: random.Random) -> str:
    lines, at = list(map(table.line, table.rows)), chance.randrange(1, len(table.rows))
    sign = next(one for one in "|;,\t" if one != table.delimiter)
    other = [line.replace(table.delimiter, sign) for line in lines[at:]]
    return table.file([table.line(table.head), *lines[:at], *other])


def _wrapped(table: Table, chance: random.Random) -> str:
    text, length = table.file(list(map(table.line, [table.head, *table.rows]))), chance.randrange(30, 70)
    return table.file([line[at:at + length] for line in text.splitlines() for at in range(0, len(line), length)])


FAMILIES: dict[str, Family] = {
    "nothing": lambda table, chance: table.file(list(map(table.line, [table.head, *table.rows]))),
    "cell lost": _one_row(_lost), "cell moved": _one_row(_moved), "other delimiter": _one_row(_other_sign),
    "torn row": _one_row(_torn), "quote left open": _one_row(_left_open), "escaped quotes": _one_row(_escaped),
    "two rows in one": _one_row(_two_in_one), "block of another delimiter": _other_block,
    "comment line": _between(lambda table: "# page 2"), "empty cells": _between(
        lambda table: table.delimiter * (len(table.head) - 1)), "header again": _between(
        lambda table: table.line(table.head)), "header in another order": _turned, "wider header": _wider_header,
    "another delimiter from a row on": _changed, "lines cut at one length": _wrapped,
    "page line": _between(lambda table: "# page 2" + table.delimiter * (len(table.head) - 1))}


def damaged(count: int, seed: int) -> Iterator[tuple[str, Table, str]]:
    """(family, the table with its truth, the damaged text); file k depends on seed and k only."""
    for k in range(count):
        chance, family = random.Random(seed * 1_000_003 + k), list(FAMILIES)[k % len(FAMILIES)]
        table = chance.choice(TABLES)(chance, chance.choice((12, 30, 60, 200)))
        yield family, table, FAMILIES[family](table, chance)


def outcomes(count: int, seed: int) -> Iterator[tuple[str, Outcome]]:
    """(family, what became of the file) for each of them."""
    with tempfile.TemporaryDirectory(prefix="vivencia-") as place:
        path, truth = Path(place) / "export.csv", Path(place) / "truth.csv"
        for number, (family, table, text) in enumerate(damaged(count, seed)):
            path.write_bytes(text.encode())
            with open(truth, "w", encoding="utf-8", newline="") as handle:
                csv.writer(handle, quoting=csv.QUOTE_ALL).writerows([table.head, *table.rows])
            source = table.source if number // len(FAMILIES) % 2 else None
            yield family, ingest_file(path, path.name, source, truth)


def by_family(count: int, seed: int) -> dict[str, Counter]:
    """Family -> files, refused, wrong, kept and truth (rows, in loaded files), unaccounted."""
    found: dict[str, Counter] = defaultdict(Counter)
    for family, one in outcomes(count, seed):
        found[family].update(files=1, refused=bool(one.rule), wrong=one.wrong, kept=one.kept, truth=one.truth,
                             unaccounted=one.unaccounted)
    return dict(found)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damage", description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    told = parser.parse_args(argv)
    found = by_family(told.files, told.seed)
    for family, one in found.items():
        kept = f"{one['kept'] / one['truth']:.4f}" if one["truth"] else "-"
        print(f"{family:<28} files {one['files']:>5}  refused {one['refused']:>5}  wrong {one['wrong']:>4}  kept "
              f"{kept:>6}  unaccounted {one['unaccounted']}")
    if told.json:
        told.json.parent.mkdir(parents=True, exist_ok=True)
        told.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return int(any(one["wrong"] or one["unaccounted"] for one in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
