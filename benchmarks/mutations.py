"""Damaged exports: small good files of every table, broken in the ways that files break; the seed decides all."""

import random
from collections.abc import Iterator

from pipeline.contracts.params import Instrument, Source

SURVEY = ("id,who,sent,back,nps,csat,comment\n" + "".join(
    f'{n},c{n % 7},2025-03-{n % 28 + 1:02d} 10:00,2025-03-{n % 28 + 1:02d} 12:{n % 60:02d},{n % 11},{n % 5 + 1},'
    f'"a ""good"" one, {n}\nof two lines"\n' for n in range(30)))
SALES = "pedido;línea;cliente;fecha;unidades;importe;moneda\r\n" + "".join(
    f"P{n // 2};{n % 2 + 1};00{n % 9};{n % 28 + 1:02d}/03/2025;{n % 4 + 1};1.{n:03d},{n % 100:02d};EUR\r\n"
    for n in range(40))
TICKETS = "id\tcustomer\tcreated\tsolved\tstatus\tcomplaint\n" + "".join(
    f"{n}\tc{n % 5}\t{1741000000 + n * 3600}\t{1741000000 + n * 7200 if n % 3 else ''}\tsolved\t"
    f"{'yes' if n % 4 else 'no'}\n"
    for n in range(30))
CUSTOMERS = "id,segment,since\n" + "".join(f"{n:05d},{'ABC'[n % 3]},2024-0{n % 9 + 1}-01\n" for n in range(25))

SOURCES = {
    "survey.csv": (SURVEY, Source(
        "surveys", ".", "*", "csv", {"response_id": "id", "customer_id": "who", "sent_at": "sent",
                                     "responded_at": "back", "comment": "comment"},
        timestamps=["%Y-%m-%d %H:%M"], time_zone="Europe/Madrid",
        instruments={"nps": Instrument(0, 10, "higher_is_better", "nps"),
                     "csat": Instrument(1, 5, "higher_is_better", "csat")})),
    "sales.csv": (SALES, Source(
        "sales", ".", "*", "csv", {"order_id": "pedido", "line_id": "línea", "customer_id": "cliente",
                                   "ordered_at": "fecha", "quantity": "unidades", "net_amount": "importe",
                                   "currency": "moneda"},
        delimiter=";", decimal=",", thousands=".", timestamps=["%d/%m/%Y"], time_zone="Europe/Madrid")),
    "tickets.csv": (TICKETS, Source(
        "tickets", ".", "*", "csv", {"ticket_id": "id", "customer_id": "customer", "created_at": "created",
                                     "solved_at": "solved", "status": "status", "is_complaint": "complaint"},
        delimiter="\t", timestamps=["epoch_s"])),
    "customers.csv": (CUSTOMERS, Source(
        "customers", ".", "*", "csv", {"customer_id": "id", "segment": "segment", "acquired_at": "since"},
        timestamps=["iso8601"], time_zone="UTC", extra={"segment_again": "segment"})),
}

PIECES = (b'"', b"'", b",", b";", b"\t", b"\n", b"\r\n", b"\r", b"\n\n", b"\0", b"\xff", b"\xc3", b"\xe2\x80\xae", b" ",
          b"\xef\xbb\xbf", b"\xff\xfe", b"-", b"=cmd|' /C calc'!A0", b"9" * 40, b"1e308", b"nan", b"31/02/2025",
          b"0000-00-00", b"99999999999999999999", "１２".encode(), "\u200b".encode(), "é".encode(), "e\u0301".encode(),
          b"\\", b"\\N", b"NULL", b"#N/A", b"<html>", b"sep=;\n", b'{"a":1}', b"PK\x03\x04", b"\x1f\x8b", b"%", b"$1",
          b"x" * 5000, b"(", b"[", b"'; DROP TABLE records; --", b'""', b'","', b'";"', b"Total;;;;;;\n")


def mutated_files(count: int, seed: int, first: int = 0) -> Iterator[tuple[str, bytes, Source]]:
    """(name, bytes, contract) of `count` damaged exports from number `first` on; file k depends on seed and k only."""
    names = list(SOURCES)
    for k in range(first, first + count):
        chance = random.Random(seed * 1_000_003 + k)
        name = names[k % len(names)]
        text, source = SOURCES[name]
        content = text.encode()
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8, 30))):
            content = chance.choice(WAYS)(content, chance)
        yield f"{k:06d}_{name}", content, source


def _insert(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(PIECES) + content[at:]


def _delete(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + content[at + chance.choice((1, 1, 2, 5, 50)):]


def _flip(content: bytes, chance: random.Random) -> bytes:
    if not content:
        return content
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1:]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[:chance.randrange(len(content) + 1)]


def _lines(content: bytes, chance: random.Random) -> bytes:
    """A line twice, gone, elsewhere, or joined with the next."""
    lines = content.split(b"\n")
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    way = chance.randrange(4)
    if way == 0:
        lines.insert(to, lines[at])
    elif way == 1:
        del lines[at]
    elif way == 2:
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines[at:at + 2] = [b"".join(lines[at:at + 2])]
    return b"\n".join(lines)


def _cell(content: bytes, chance: random.Random) -> bytes:
    """One field becomes something else."""
    lines = content.split(b"\n")
    at = chance.randrange(len(lines))
    sign = max((b",", b";", b"\t"), key=lines[0].count)
    fields = lines[at].split(sign)
    fields[chance.randrange(len(fields))] = chance.choice(PIECES)
    lines[at] = sign.join(fields)
    return b"\n".join(lines)


def _everywhere(content: bytes, chance: random.Random) -> bytes:
    """One byte sequence replaced throughout: another delimiter, quote or line end."""
    old = chance.choice((b",", b";", b"\t", b'"', b"\n", b"\r\n", b".", b"-", b"0"))
    return content.replace(old, chance.choice(PIECES))[:200_000]


WAYS = (_insert, _insert, _delete, _flip, _cut, _lines, _cell, _cell, _everywhere)
