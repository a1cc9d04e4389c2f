"""Catalogue F17, K03, K04, L05, L06, L08, L09, T06: what only its neighbours show to be wrong. Verdict and rule id."""

import pytest

from pipeline.contracts.params import Instrument
from tests.ingest.conftest import SALE, SURVEY, TICKET, Workshop

ASKED = SURVEY | {"columns": {"response_id": "id", "order_id": "order", "responded_at": "at"},
                  "timestamps": ["%Y-%m-%d"], "time_zone": "UTC"}
BACK = SALE | {"columns": SALE["columns"] | {"is_return": "back", "line_id": "line"}}


def verdicts(found) -> list[list]:
    return found.quarantine[["rule", "line"]].values.tolist()


def test_two_answers_for_one_order_go_to_quarantine_unless_the_last_one_counts(shop: Workshop):
    rows = "id,order,at,nps\n1,A,2025-01-01,9\n2,A,2025-01-03,2\n3,B,2025-01-01,8\n4,A,2025-01-02,\n5,,2025-01-01,7\n"
    found = shop.ingest(rows, **ASKED)
    assert verdicts(found) == [["SURVEY-DUP", 2], ["SURVEY-DUP", 3]]
    assert found.quarantine["column"].tolist() == ["order", "order"]
    found = shop.ingest(rows, **ASKED, latest_by="responded_at")
    assert verdicts(found) == [["SURVEY-DUP", 2]] and sorted(found.clean["score"].dropna()) == [2, 7, 8]


def test_one_answer_for_two_orders_goes_to_quarantine(shop: Workshop):
    found = shop.ingest("id,order,at,nps\n1,A,2025-01-01,9\n1,B,2025-01-01,9\n2,C,2025-01-01,8\n", **ASKED)
    assert verdicts(found) == [["SURVEY-MULTI", 2], ["SURVEY-MULTI", 3]]


def test_a_late_answer_is_kept_and_warned_of(shop: Workshop):
    contract = ASKED | {"columns": {"response_id": "id", "sent_at": "sent", "responded_at": "at"}}
    found = shop.ingest("id,sent,at,nps\n1,2025-01-01,2025-01-31,9\n2,2025-01-01,2025-02-01,9\n", **contract)
    assert found.rules == {"SURVEY-LATE:warned": 1} and len(found.clean) == 2


def test_how_late_an_answer_may_come_is_declared(shop: Workshop):
    contract = ASKED | {"columns": {"response_id": "id", "sent_at": "sent", "responded_at": "at"}}
    rows = "id,sent,at,nps\n1,2025-01-01,2025-01-08,9\n2,2025-01-01,2025-01-09,9\n"
    assert shop.ingest(rows, **contract).rules == {}
    assert shop.ingest(rows, **contract, late_days=7).rules == {"SURVEY-LATE:warned": 1}


def test_a_ticket_solved_again_is_kept_with_both_facts_and_counted(shop: Workshop):
    """Its last solution is its end (DECISIONS, business hours); how often it came back stays beside it."""
    contract = TICKET | {"columns": TICKET["columns"] | {"reopened": "again"}}
    rows = "1,01/03/2025 10:00,01/03/2025 12:00,0\n2,01/03/2025 10:00,03/03/2025 12:00,2\n3,01/03/2025 10:00,,1\n"
    found = shop.ingest("id,created,solved,again\n" + rows, **contract)
    assert found.rules == {"TTR-REOPEN:warned": 2} and found.clean["reopened"].tolist() == [0, 2, 1]
    assert str(found.clean["solved_at"][1]) == "2025-03-03 11:00:00"


def test_returns_above_the_sale_or_without_one_go_to_quarantine(shop: Workshop):
    rows = ("A,1,10.00,no\nA,2,-10.00,yes\nB,1,5.00,no\nB,2,-5.02,yes\nC,1,-3.00,yes\nD,1,4.00,no\n")
    found = shop.ingest("id,line,amount,back\n" + rows, **BACK)
    assert verdicts(found) == [["REFUND-EXCESS", 5], ["REFUND-EXCESS", 6]]
    assert sum(found.clean["net_amount"]) == 9


def test_a_status_on_the_sold_line_is_asked_about_and_then_cancels_out(shop: Workshop):
    """Eight orders of 10.00, six came back: 20.00 stay. As returns of their own they would make it -40.00."""
    rows = "id,line,amount,back\n" + "".join(f"A{n},1,10.00,{'yes' if n < 6 else 'no'}\n" for n in range(8))
    refusal = shop.refuse(rows, "RETURN-STATUS", **BACK)
    assert refusal.found == "6 of 6 returns" and "`returns: status`" in refusal.expected
    found = shop.ingest(rows, **BACK, returns="status")
    assert found.rules == {"RETURN-STATUS:repaired": 6} and len(found.clean) == 8
    assert sum(found.clean["net_amount"]) == 20 and sum(found.clean["is_return"]) == 6


def test_returns_with_numbers_of_their_own_are_not_held_against_orders(shop: Workshop):
    found = shop.ingest("id,line,amount,back\nA,1,10.00,no\nR1,1,-10.00,yes\n", **BACK)
    assert len(found.clean) == 2


def test_lines_that_do_not_add_up_to_the_total_go_to_quarantine(shop: Workshop):
    contract = SALE | {"columns": SALE["columns"] | {"line_id": "line"}, "extra": {"order_total": "total"}}
    rows = "A,1,10.00,15.00\nA,2,5.00,15.00\nB,1,10.00,15.02\nB,2,5.00,15.02\nC,1,1.00,1.01\nD,1,2.00,\n"
    found = shop.ingest("id,line,amount,total\n" + rows, **contract)
    assert verdicts(found) == [["SUM-MISMATCH", 4], ["SUM-MISMATCH", 5]]


def test_careless_questionnaires_are_flagged_and_dropped_only_by_contract(shop: Workshop):
    names = "abcd"
    kinds = {name: Instrument(1, 5, "higher_is_better", name) for name in names}
    contract = {"table": "surveys", "columns": {"response_id": "id"}, "instruments": kinds,
                "extra": {"finished": "done", "duration_s": "took"}}
    rows = "1,1,90,1,2,3,4\n2,0,90,1,2,3,4\n3,1,2,1,2,3,4\n4,1,90,5,5,5,5\n"
    found = shop.ingest("id,done,took,a,b,c,d\n" + rows, **contract)
    assert found.rules == {"SURVEY-QUAL:warned": 3} and found.account.total("clean") == 4


@pytest.mark.parametrize(("bad", "rules"), [
    (1, {"ENC-MOJIBAKE:warned": 1}), (2, {"ENC-MOJIBAKE:quarantined": 2})])
def test_wrongly_decoded_comments_are_warned_of_and_over_one_percent_quarantined(shop: Workshop, bad: int, rules):
    rows = "".join(f"{n},9,{'AtenciÃ³n' if n < bad else 'Atención'}\n" for n in range(100))
    found = shop.ingest("id,nps,text\n" + rows, **SURVEY | {"columns": {"response_id": "id", "comment": "text"}})
    assert found.rules == rules


def test_a_scale_that_changes_on_the_way_is_refused_at_its_first_line(shop: Workshop):
    kinds = {"csat": Instrument(1, 5, "higher_is_better", "csat")}
    before, after = [n % 5 + 1 for n in range(40)], [n % 7 + 1 for n in range(35)]
    rows = "".join(f"{n},{score}\n" for n, score in enumerate(before + after))
    refusal = shop.refuse("id,csat\n" + rows, "SCALE-DRIFT", **SURVEY | {"instruments": kinds})
    assert refusal.line == 2 + 40 + 5 and refusal.column == "csat"
    strays = "".join(f"{n},{99 if n % 10 == 9 else score}\n" for n, score in enumerate(before * 3))
    assert shop.ingest("id,csat\n" + strays, **SURVEY | {"instruments": kinds}).rules == {
        "SCORE-RANGE:quarantined": 12}
