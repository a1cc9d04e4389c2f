"""The cheap way and the careful way: whichever rows take which, what comes out is the same to the last cell."""

import csv
import io
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.params import Company, Drop, Instrument
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import clean, engine, quarantine, write
from pipeline.ingest import proof as proof_module
from pipeline.ingest.proof import prove
from tests.ingest.conftest import Workshop

MADRID = Company("Example", "public", "EUR", "Europe/Madrid", "2025-06-30")
IDS = ["A1", "a1", "a1 ", " A1", "00123", "1e5", "3E5f", "1.5E+7", "Total", "ſubtotal", "Total:", "T0001", "", "NULL",
       "NULL ", "Ñandú", "Nˈandu", "\u200bA1", "a\u00a0", "\t", "-", "€9", "guest",
       "Guest", "guest ", "anónimo", "n/a", "N/A", "  ", " \t", " '0007", ' ="7"', " 5.0", " 1e5 ", " -", " \u200b",
       " total"]
AMOUNTS = ["1", "12.50", "+3", "-4.5", " 7", "1,234.50", "12,50", "€ 5", "USD 5", "5-", "(3)", "0", "abc", "1e3", "inf",
           "99999999999999999999", "12345678901234.5", "0.00001", "", "NULL", " -", "１２", "-0", "2.", ".5"]
TIMES = ["2025-01-05 10:00:00", "2025-03-30 02:30:00", "2025-10-26 02:30:00", "2025-03-30 12:00:00",
         "2025-02-30 10:00:00", "05/01/2025", " 2025-01-05 10:00:00", "05/01/2025 ", "01/13/2025",
         "2031-01-01 00:00:00", "1969-01-01 00:00:00", "2150-01-01 00:00:00", "01/01/1900", " 01/01/1900",
         "2025-01-05T10:00:00", "2025-01-05", "20250105", "", "NULL"]
ISO = ["2025-01-05", "2025-01-05 10:00:00", "2025-01-05T10:00:00", "2025-01-05T10:00:00Z", "2025-01-05 10:00:00+02:00",
       "2025-01-05T10:00:00.5", "2025-1-5", "2025-02-30", "2025-01-05T25:00:00Z", "10:00:00", " 2025-01-05", "",
       "2025-01-05T10:00Z", "12025-01-05", "2025-01-05T10:00:0Z", "infinity", "epoch"]
WORDS = ["no", "yes", "YES", " yes", "maybe", "", "NULL", "sí", "1", "true"]
TEXTS = ["Tienda", "ok", "tienda ", "Atención", "cafe\u0301", "a\u0007b", "Ã±", "â€™s", "mail a@b.es", "x\u00ad",
         "\u202eabc", "1\n2", "", "NULL", "-", "total", "“ok”", "日本"]
SCORES = ["9", "10", "0", "11", "-1", "9,0", "8.5", "nueve", "9 ", "x", "", "NULL", "n/a", "99", "007"]
SALES = {"table": "sales", "decimal": ".", "thousands": ",", "time_zone": "Europe/Madrid",
         "missing": ["", "NULL", "-", "01/01/1900"], "timestamps": ["%Y-%m-%d %H:%M:%S", "%d/%m/%Y"],
         "drop": [Drop("ROW-TEST", "kind", ["test", "ok"])],
         "columns": {"order_id": "id", "customer_id": "who", "ordered_at": "at", "delivered_at": "then",
                     "net_amount": "amount", "quantity": "units", "is_return": "back", "product_category": "kind"},
         "words": {"is_return": {"yes": True, "no": False}}, "extra": {"note": "note"}}
SURVEYS = {"table": "surveys", "time_zone": "Europe/Madrid", "missing": ["", "NULL"], "timestamps": ["iso8601"],
           "columns": {"response_id": "id", "customer_id": "who", "responded_at": "at", "touchpoint": "kind",
                       "comment": "note"},
           "instruments": {"nps": Instrument(0, 10, "higher_is_better", "a", {"nueve": 9}, ["n/a"]),
                           "csat": Instrument(1, 7, "higher_is_better", "b")}}
TICKETS = {"table": "tickets", "time_zone": "UTC", "timestamps": ["iso8601"], "decimal": ",",
           "columns": {"ticket_id": "id", "created_at": "at", "solved_at": "then", "reopened": "units",
                       "is_complaint": "back", "status": "kind", "reason": "note"},
           "words": {"reopened": {"yes": 1, "no": 0}}}
CASES = {
    "sales": (SALES, {"id": IDS, "who": IDS, "at": TIMES, "then": TIMES, "amount": AMOUNTS, "units": AMOUNTS,
                      "back": WORDS, "kind": [*TEXTS, "test", " test"], "note": TEXTS}),
    "surveys": (SURVEYS, {"id": IDS, "who": IDS, "at": ISO, "kind": TEXTS, "note": TEXTS, "a": SCORES, "b": SCORES}),
    "tickets": (TICKETS, {"id": IDS, "at": ISO, "then": ISO, "units": [*WORDS, *AMOUNTS], "back": WORDS,
                          "kind": ["open", "Solved", "closed", "new", ""], "note": TEXTS}),
}


def _rows(cells: dict[str, list[str]]):
    """Good rows in each of which two cells, often one and the same, are anything: the others leave it to them."""
    odd = st.sampled_from([(name, text) for name, options in cells.items() for text in options])
    return st.lists(st.tuples(odd, odd, st.integers(0, 9)), min_size=1, max_size=30).map(lambda drawn: [
        [dict((one, other)).get(name, f"K{n}" if name == "id" else options[0])
         for name, options in cells.items()] for one, other, n in drawn])


def _all(shop: Workshop, text: str, contract: dict):
    """Everything that comes out, or the refusal."""
    try:
        found = shop.ingest(text, MADRID, allow_empty=True, **contract)
    except Refusal as refusal:
        return refusal.rule, refusal.line, refusal.found
    account = asdict(found.account)
    return found.clean.to_dict("list"), found.quarantine.to_dict("list"), account


def _same(left, right) -> bool:
    return repr(left) == repr(right)


@pytest.mark.parametrize("name", list(CASES))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rows_come_out_the_same_when_all_of_them_go_the_careful_way(tmp_path_factory, monkeypatch, name, data):
    contract, cells = CASES[name]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([list(cells), *data.draw(_rows(cells))])
    shop = Workshop(tmp_path_factory.mktemp("ways"))
    usual = _all(shop, text.getvalue(), contract)
    real = clean.plain.plain_rows
    with monkeypatch.context() as patch:
        patch.setattr(clean.plain, "plain_rows",
                      lambda *a: engine.derive(real(*a).drop("_is_plain"), {"_is_plain": "FALSE"}))
        careful = _all(shop, text.getvalue(), contract)
    assert _same(usual, careful)


@pytest.mark.parametrize("name", list(CASES))
def test_good_rows_do_go_the_cheap_way(shop: Workshop, monkeypatch, name):
    contract, cells = CASES[name]
    rows = [list(cells), *([f"A{n}" if c == "id" else options[0] for c, options in cells.items()] for n in range(9))]
    rows[1][list(cells).index("note")] = "\u202eodd"
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([[*row] for row in rows])
    seen = []
    real = clean.find_duplicates

    def spy(con, *rest):
        seen.append(con.execute("SELECT count(*) FILTER (_is_plain), count(*) FROM plain").fetchall()[0])
        return real(con, *rest)

    monkeypatch.setattr(clean, "find_duplicates", spy)
    shop.ingest(text.getvalue(), MADRID, allow_empty=True, **contract)
    assert seen == [(8, 9)]


def test_stretches_of_two_rows_write_what_one_stretch_writes(shop: Workshop, monkeypatch):
    contract, cells = CASES["sales"]
    longest = max(map(len, cells.values()))
    rows = [[f"K{n % 17}" if c == "id" else options[n % len(options)] for c, options in cells.items()]
            for n in range(3 * longest)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([list(cells), *rows])
    whole = _all(shop, text.getvalue() + "too,few\n", contract)
    for module in (write, quarantine):
        monkeypatch.setattr(module, "STRETCH", 2)
    assert _same(whole, _all(shop, text.getvalue() + "too,few\n", contract))
    assert len(whole[1]["rule"]) > 10 and len(whole[0]["order_id"]) > 2


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(st.sampled_from(["", "a,b", "a,\"b\"", "\"a\nb\",c", "x,y,z", "a\r", "\"\",\"\""]), max_size=12),
       end=st.sampled_from(["\n", "\r\n"]), is_cut=st.booleans())
def test_the_proof_is_the_same_however_the_file_is_cut_into_blocks(tmp_path_factory, lines, end, is_cut):
    """Blocks without quotes are counted at once; the count must not depend on what a block holds."""
    path = tmp_path_factory.mktemp("proof") / "a.csv"
    path.write_bytes((end.join(["h,i", *lines]) + ("" if is_cut else end)).encode())
    usual, found = proof_module.BLOCK, []
    try:
        for size in (1, 5, 16, usual):
            proof_module.BLOCK = size
            proof = prove(path, ",", '"')
            found.append((proof.records, proof.blank, proof.misplaced, proof.mixed, proof.inner,
                          proof.signs))
    finally:
        proof_module.BLOCK = usual
    assert len(set(found)) == 1
