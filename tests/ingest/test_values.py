"""Catalogue T, K and L: what stands in the cells. Each case: input, verdict and rule id."""

from decimal import Decimal

import pandas as pd
import pytest

from pipeline.contracts.params import Company, Drop, Instrument
from pipeline.contracts.tables import SALES
from tests.ingest.conftest import COMPANY, CUSTOMER, NPS, SALE, SURVEY, TICKET, Workshop

CES = {"ces": Instrument(1, 7, "lower_is_better", "ces", {"Muy fácil": 1})}


@pytest.mark.parametrize(("cell", "rule"), [
    ("11", "NPS-RANGE"), ("-1", "NPS-RANGE"), ("99", "NPS-RANGE"), ("8.5", "NPS-NUM"), ('"8,5"', "NPS-NUM"),
    ("Depende", "NPS-LABEL"), ("😀", "NPS-LABEL"), ("9e0", "NPS-LABEL"), ("1234567", "NPS-NUM"),
])
def test_an_answer_that_cannot_be_one_goes_to_quarantine(shop: Workshop, cell: str, rule: str):
    found = shop.ingest(f"id,nps\n1,9\n2,{cell}\n", **SURVEY)
    assert found.quarantine[["rule", "line", "column", "found"]].values.tolist() == [[rule, 3, "nps", cell.strip('"')]]
    assert found.clean["score"].tolist() == [9.0]


@pytest.mark.parametrize(("cell", "score", "rule"), [
    ("9", 9, None), ("10 - Muy probable", 10, "NPS-LABEL"), ("0 -  NADA probable ", 0, "NPS-LABEL"),
    ("9.0", 9, "NPS-NUM"), ('"9,0"', 9, "NPS-NUM"), ("\u00a09 ", 9, None), ("１０", 10, "NPS-NUM"),
])
def test_an_answer_written_otherwise_is_repaired_and_counted(shop: Workshop, cell: str, score: int, rule: str | None):
    found = shop.ingest(f"id,nps\n1,{cell}\n", **SURVEY)
    assert found.clean["score"].tolist() == [float(score)]
    assert found.rules == ({f"{rule}:repaired": 1} if rule else {})


def test_no_answer_stays_as_a_row_and_is_never_zero(shop: Workshop):
    found = shop.ingest("id,nps\n1,\n2,0\n3,No contesta\n", **SURVEY, missing=["", "No contesta"])
    assert found.clean["score"].isna().tolist() == [True, False, True]
    assert found.account.total("clean") == 3


def test_words_for_missing_are_those_declared_so_that_namibia_stays(shop: Workshop):
    found = shop.ingest("id,segment\n1,NA\n2,None\n3,null\n4,nan\n5,-\n", **CUSTOMER, missing=["-"])
    assert found.clean["segment"].tolist()[:4] == ["NA", "None", "null", "nan"]
    assert pd.isna(found.clean["segment"][4])


def test_the_direction_of_a_scale_is_kept_as_declared_and_must_be_declared(shop: Workshop):
    found = shop.ingest("id,ces\n1,Muy fácil\n2,7\n", **SURVEY | {"instruments": CES})
    assert found.clean[["score", "direction", "scale_min", "scale_max"]].values.tolist() == [
        [1.0, "lower_is_better", 1.0, 7.0], [7.0, "lower_is_better", 1.0, 7.0]]
    assert found.rules == {"CSAT-MAP:repaired": 1}
    refusal = shop.refuse("id,score\n1,2\n", "CES-DIR", table="surveys",
                          columns={"response_id": "id", "score": "score"}, constants={"instrument": "ces"})
    assert "params.yaml" in str(refusal) and "direction" in str(refusal)


def test_a_wide_record_melts_and_answers_are_counted_beside_records(shop: Workshop):
    kinds = NPS | {"ces": Instrument(1, 7, "lower_is_better", "ces", not_asked=["n.a."])}
    rows = "1,9,\n2,12,3\n3,12,n.a.\n4,8,N.A.\n5,,\n6,7,9\n"
    found = shop.ingest("id,nps,ces\n" + rows, **SURVEY | {"instruments": kinds})
    rows = found.clean[["instrument", "score"]].assign(score=found.clean["score"].fillna(-1)).values.tolist()
    assert rows == [["nps", 9], ["ces", -1], ["ces", 3], ["nps", 8], ["nps", -1], ["ces", -1], ["nps", 7]]
    one = found.account
    assert (one.total("rows_in"), one.total("clean"), one.total("quarantined"), one.total("dropped")) == (6, 5, 1, 0)
    assert one.answers == {"answers_in": 12, "answers_clean": 7, "answers_quarantined": 3, "answers_not_asked": 2}
    assert one.as_json()["counted"] == "answers"
    assert found.clean["response_id"].nunique() == 5


def test_a_long_export_takes_the_scale_of_its_instrument(shop: Workshop):
    kinds = {"nps": Instrument(0, 10, "higher_is_better"), "csat": Instrument(1, 5, "higher_is_better")}
    found = shop.ingest("id,kind,score\n1,NPS,10\n1,CSAT,5\n2,CSAT,10\n3,FCR,1\n", table="surveys", instruments=kinds,
                        columns={"response_id": "id", "instrument": "kind", "score": "score"},
                        words={"instrument": {"NPS": "nps", "CSAT": "csat", "FCR": "fcr"}})
    assert found.clean[["instrument", "score", "scale_max"]].values.tolist() == [["nps", 10, 10], ["csat", 5, 5]]
    assert found.quarantine[["line", "rule"]].values.tolist() == [[4, "SCORE-RANGE"], [5, "SURVEY-KIND"]]


@pytest.mark.parametrize(("cell", "amount", "rule"), [
    ("1234.56", "1234.5600", None), ("1,234.56", "1234.5600", None), ("1,234", "1234.0000", None),
    ("12.5", "12.5000", None), ("€ 12.00", "12.0000", "NUM-CURR"), ("12.00 €", "12.0000", "NUM-CURR"),
    ("12.00\u00a0€", "12.0000", "NUM-CURR"), ("EUR\u202f12", "12.0000", "NUM-CURR"),
    ("\u00a012.00\u202f", "12.0000", None),
])
def test_an_amount_is_read_in_its_convention_and_kept_exact(shop: Workshop, cell: str, amount: str, rule: str | None):
    found = shop.ingest(f'id,amount\n1,"{cell}"\n', **SALE, thousands=",")
    assert found.clean["net_amount"].tolist() == [Decimal(amount)]
    assert found.rules == ({f"{rule}:repaired": 1} if rule else {})


@pytest.mark.parametrize(("cell", "amount"), [("−12,50", "-12.5"), ("(12,50)", "-12.5"), ("12,50-", "-12.5"),
                                              ("-€ 12,50", "-12.5"), ("1.234,56 €-", "-1234.56")])
def test_signs_are_read_wherever_they_stand_and_counted(shop: Workshop, cell: str, amount: str):
    found = shop.ingest(f'id,amount,back\n1,"{cell}",S\n', **SALE | {"decimal": ",", "columns": SALE["columns"] | {
        "is_return": "back"}}, thousands=".", words={"is_return": {"S": True}})
    assert found.clean["net_amount"].tolist() == [Decimal(amount)]
    assert "NUM-SIGN:repaired" in found.rules or cell.startswith("-")


@pytest.mark.parametrize(("cell", "rule"), [
    ("1.234,56", "NUM-LOCALE"), ("1,23,456.00", "NUM-LOCALE"), ("abc", "NUM-LOCALE"), ("12 34", "NUM-LOCALE"),
    ("", "NUM-FINITE"), ("0.00", "NUM-FINITE"), ("1e308", "NUM-FINITE"), ("inf", "NUM-FINITE"), ("NaN", "NUM-FINITE"),
    ("123456789012345678.00", "NUM-FINITE"), ("-5.00", "SALE-NEG"), ("12 USD", "CUR-MIX"), ("£ 12", "CUR-MIX"),
])
def test_an_amount_that_cannot_be_read_or_be_a_sale_goes_to_quarantine(shop: Workshop, cell: str, rule: str):
    found = shop.ingest(f'id,amount\n1,10.00\n2,"{cell}"\n', **SALE, thousands=",")
    assert found.quarantine[["rule", "line", "column"]].values.tolist() == [[rule, 3, "amount"]]


def test_a_point_without_a_declared_convention_refuses_the_file(shop: Workshop):
    refusal = shop.refuse("id,amount\n1,10\n2,1.234\n", "NUM-LOCALE", **SALE | {"decimal": None})
    assert (refusal.line, refusal.column, refusal.found) == (3, "amount", "'1.234'")
    assert "decimal" in refusal.expected


def test_whole_numbers_need_no_convention(shop: Workshop):
    assert shop.ingest("id,amount\n1,10\n", **SALE | {"decimal": None}).clean["net_amount"].tolist() == [Decimal(10)]


def test_returns_by_word_or_by_declared_sign(shop: Workshop):
    columns = SALE["columns"] | {"is_return": "type", "quantity": "units"}
    found = shop.ingest("id,amount,type,units\n1,10.00,sale,1\n2,-10.00,refund,-1\n3,4.00,refund,2\n", **SALE | {
        "columns": columns}, words={"is_return": {"sale": False, "refund": True}})
    assert found.clean["net_amount"].tolist() == [Decimal(10), Decimal(-10), Decimal(-4)]
    assert found.clean["quantity"].tolist() == [1, -1, -2]
    assert found.rules == {"SALE-SIGN:repaired": 1}
    by_sign = shop.ingest("id,amount\n1,10.00\n2,-10.00\n", **SALE, constants={"is_return": "@negative"})
    assert by_sign.clean["is_return"].tolist() == [False, True]


def test_sums_of_money_equal_to_the_cent(shop: Workshop):
    cents = [(n * 7919) % 1_000_003 + 1 for n in range(3000)]
    rows = (f"{n};{c // 100:,}".replace(",", ".") + f",{c % 100:02d}\n" for n, c in enumerate(cents))
    found = shop.ingest("id;amount\n" + "".join(rows), **SALE | {"decimal": ","}, delimiter=";", thousands=".")
    assert sum(found.clean["net_amount"]) == Decimal(sum(cents)) / 100


@pytest.mark.parametrize(("cell", "rule"), [
    ("04/13/2025 10:00", "DATE-FMT"), ("2025-04-03 10:00", "DATE-FMT"), ("31/02/2025 10:00", "DATE-RANGE"),
    ("00/00/0000 00:00", "DATE-RANGE"), ("01/01/1900 00:00", "DATE-RANGE"), ("03/04/25 10:00", "DATE-RANGE"),
    ("30/03/2025 02:30", "TIME-GAP"), ("tomorrow", "DATE-FMT"),
])
def test_a_time_that_is_none_goes_to_quarantine(shop: Workshop, cell: str, rule: str):
    found = shop.ingest(f"id,created,solved\n1,03/04/2025 10:00,\n2,{cell},\n", **TICKET)
    assert found.quarantine[["rule", "line", "column", "found"]].values.tolist() == [[rule, 3, "created", cell]]
    assert str(found.clean["created_at"][0]) == "2025-04-03 08:00:00"  # day first, Madrid in summer


def test_the_hour_that_comes_twice_is_taken_as_the_first_and_counted(shop: Workshop):
    found = shop.ingest("id,created,solved\n1,26/10/2025 02:30,26/10/2025 04:30\n", **TICKET)
    times = [str(found.clean[name][0]) for name in ("created_at", "solved_at")]
    assert times == ["2025-10-26 00:30:00", "2025-10-26 03:30:00"]
    assert found.rules == {"TIME-FOLD:repaired": 1}


def test_a_duration_across_the_change_of_clocks_is_that_of_utc(shop: Workshop):
    found = shop.ingest("id,created,solved\n1,30/03/2025 01:50,30/03/2025 03:10\n", **TICKET)
    assert (found.clean["solved_at"] - found.clean["created_at"])[0] == pd.Timedelta(minutes=20)


def test_a_date_without_a_clock_time_begins_even_where_midnight_was_skipped(shop: Workshop):
    """In São Paulo 2017-10-15 began at 01:00, which was 03:00 UTC."""
    found = shop.ingest("id,created\n1,2017-10-15\n", table="tickets", timestamps=["%Y-%m-%d"],
                        time_zone="America/Sao_Paulo", columns={"ticket_id": "id", "created_at": "created"})
    assert str(found.clean["created_at"][0]) == "2017-10-15 03:00:00"


@pytest.mark.parametrize(("formats", "cell", "utc"), [
    (["iso8601"], "2025-07-01T10:00:00Z", "2025-07-01 10:00:00"),
    (["iso8601"], "2025-07-01T10:00:00+02:00", "2025-07-01 08:00:00"),
    (["iso8601"], "2025-07-01 10:00:00.250", "2025-07-01 08:00:00.250000"),
    (["epoch_s"], "1751364000", "2025-07-01 10:00:00"), (["epoch_ms"], "1751364000000", "2025-07-01 10:00:00"),
    (["%d/%m/%Y", "%d/%m/%Y %H:%M"], "01/07/2025 12:00", "2025-07-01 10:00:00"),
    (["%Y-%m-%d %H:%M:%S%z"], "2025-07-01 12:00:00+0200", "2025-07-01 10:00:00"),
    (["excel_serial"], "45839.5", "2025-07-01 10:00:00"),
])
def test_times_in_every_declared_manner(shop: Workshop, formats: list[str], cell: str, utc: str):
    found = shop.ingest(f"id,created,solved\n1,{cell},\n", **TICKET | {"timestamps": formats})
    assert str(found.clean["created_at"][0]) == utc


def test_an_epoch_in_another_unit_goes_to_quarantine(shop: Workshop):
    found = shop.ingest("id,created,solved\n1,1751364000000,\n2,1751364000,\n", **TICKET | {"timestamps": ["epoch_ms"]})
    assert found.quarantine["rule"].tolist() == ["DATE-EPOCH"]


def test_times_must_be_declared(shop: Workshop):
    rows = "id,created,solved\n1,03/04/2025 10:00,\n"
    shop.refuse(rows, "DATE-FMT", **TICKET | {"timestamps": []})
    shop.refuse(rows, "DATE-FMT", **TICKET | {"timestamps": ["%d/%m/%Y", "%m/%d/%Y"]})
    shop.refuse(rows, "TIME-ZONE", **TICKET | {"time_zone": None})
    shop.refuse(rows, "TIME-ZONE", **TICKET | {"time_zone": "Madrid"})
    mixed = "id,created,solved\n1,2025-07-01T10:00:00Z,\n2,2025-07-01T10:00:00,\n"
    assert shop.refuse(mixed, "TIME-ZONE", **TICKET | {"timestamps": ["iso8601"], "time_zone": None}).line == 3


def test_what_happened_after_the_last_day_of_the_data_goes_to_quarantine(shop: Workshop):
    company = Company("Example", "public", "EUR", "Europe/Madrid", as_of="2025-06-30")
    found = shop.ingest("id,created,solved\n1,30/06/2025 23:59,\n2,01/07/2025 00:00,\n", company=company, **TICKET)
    assert found.quarantine[["rule", "line"]].values.tolist() == [["DATE-FUTURE", 3]]


def test_order_of_times_within_a_record(shop: Workshop):
    found = shop.ingest("id,created,solved\n1,03/04/2025 10:00,03/04/2025 09:59\n2,03/04/2025 10:00,\n", **TICKET)
    assert found.quarantine["rule"].tolist() == ["TTR-NEG"]
    assert found.clean["solved_at"].isna().tolist() == [True]  # open: censored, not dropped
    survey = SURVEY | {"columns": {"response_id": "id", "sent_at": "sent", "responded_at": "back"}}
    early = shop.ingest("id,nps,sent,back\n1,9,2025-01-02,2025-01-01\n2,9,2025-01-02,2025-01-02\n", **survey,
                        timestamps=["%Y-%m-%d"], time_zone="UTC")
    assert early.quarantine["rule"].tolist() == ["SURVEY-EARLY"]


def test_closed_words_yes_and_no_and_ranges(shop: Workshop):
    contract = {"table": "tickets", "columns": {"ticket_id": "id", "status": "s", "is_complaint": "c", "reopened": "r"}}
    rows = "1,Open,Sí,2\n2,solved,0,\n3,escalated,no,1\n4,open,maybe,1\n5,open,no,-1\n6,open,no,1.5\n"
    found = shop.ingest("id,s,c,r\n" + rows, **contract, decimal=".")
    assert found.clean[["status", "is_complaint"]].values.tolist() == [["open", True], ["solved", False]]
    assert found.quarantine["rule"].tolist() == ["CAT-MAP", "BOOL-MAP", "NUM-RANGE", "NUM-LOCALE"]


def test_ids_are_text_and_scientific_notation_goes_to_quarantine(shop: Workshop):
    ids = ("00123", "0123", "123", "9007199254740993", "9007199254740992", "1.23E+17", "1E5")
    found = shop.ingest("id,segment\n" + "".join(f"{one},a\n" for one in ids), **CUSTOMER)
    assert found.clean["customer_id"].nunique() == 5
    assert found.quarantine[["rule", "found"]].values.tolist() == [["ID-PRECISION", "1.…"], ["ID-PRECISION", "…"]]


def test_the_same_record_is_dropped_and_a_conflict_goes_to_quarantine(shop: Workshop):
    found = shop.ingest("id,segment\n1,a\n1,a\n2,a\n2,b\n3,a\n,a\n", **CUSTOMER)
    assert found.rules == {"KEY-DUP-SAME:dropped": 1, "KEY-DUP-CONFLICT:quarantined": 2, "KEY-MISSING:quarantined": 1}
    assert len(found.clean) == 2


def test_overlapping_exports_the_latest_version_stays_where_the_contract_says_so(shop: Workshop):
    shop.write("id,segment,acquired\n1,a,2025-01-01\n2,a,2025-01-01\n3,a,2025-01-01\n", "may.csv")
    shop.write("id,segment,acquired\n1,a,2025-01-01\n2,b,2025-02-01\n3,c,2025-01-01\n", "june.csv")
    contract = CUSTOMER | {"columns": CUSTOMER["columns"] | {"acquired_at": "acquired"}, "files": "*.csv",
                           "timestamps": ["%Y-%m-%d"], "time_zone": "UTC"}
    plain = shop.ingest(None, **contract)
    assert plain.rules == {"KEY-DUP-SAME:dropped": 1, "KEY-DUP-CONFLICT:quarantined": 4}
    latest = shop.ingest(None, **contract, latest_by="acquired_at")
    assert latest.rules == {"KEY-DUP-SAME:dropped": 1, "KEY-DUP-OLD:dropped": 1, "KEY-DUP-CONFLICT:quarantined": 2}
    assert sorted(latest.clean["segment"]) == ["a", "b"]
    assert [one.file for one in latest.account.files] == ["june.csv", "may.csv"]


def test_rows_left_out_by_contract_are_counted_under_their_rule(shop: Workshop):
    found = shop.ingest("id,nps,Status\n1,9,IP Address\n2,77,Survey Preview\n", **SURVEY,
                        drop=[Drop("ROW-TEST", "Status", ["Survey Preview", "Spam"])])
    assert found.rules == {"ROW-TEST:dropped": 1}


def test_anonymous_rows_are_kept_and_counted(shop: Workshop):
    columns = {"response_id": "id", "customer_id": "who"}
    found = shop.ingest("id,nps,who\n1,9,\n2,8,a\n", **SURVEY | {"columns": columns})
    assert found.rules == {"KEY-NULL:warned": 1}
    assert found.clean["customer_id"].isna().tolist() == [True, False]


def test_control_characters_and_turned_text_are_taken_out_of_comments(shop: Workshop):
    found = shop.ingest("id,nps,text\n1,9,bad\u202egood\x07\n2,9,fine\n", **SURVEY | {
        "columns": {"response_id": "id", "comment": "text"}})
    assert found.clean["comment"].tolist() == ["badgood", "fine"]
    assert found.rules == {"TXT-CTRL:repaired": 1}


def test_extra_columns_are_numbers_only_where_all_of_them_are(shop: Workshop):
    found = shop.ingest("id,segment,a,b,c\n1,x,1.5,1,007\n2,x,,z,12\n", **CUSTOMER, decimal=".",
                        extra={"plain": "a", "mixed": "b", "zip": "c"})
    assert found.clean["x_plain"].tolist()[0] == 1.5
    assert found.clean["x_mixed"].tolist() == ["1", "z"] and found.clean["x_zip"].tolist() == ["007", "12"]


def test_a_source_of_which_nothing_can_be_read_is_refused(shop: Workshop):
    refusal = shop.refuse("id,created,solved\n1,2025-01-01,\n2,2025-01-02,\n", "DATE-FMT", **TICKET)
    assert refusal.line == 2 and refusal.found == "'2025-01-01'"


def test_a_required_column_must_be_mapped_and_unknown_ones_are_refused(shop: Workshop):
    shop.refuse("id,nps\n1,9\n", "COL-MISSING", **SURVEY | {"columns": {}})
    shop.refuse("id,nps\n1,9\n", "PARAM-UNKNOWN", **SURVEY | {"columns": {"response_id": "id", "clarity": "nps"}})


def test_the_layout_is_the_canonical_one(shop: Workshop):
    found = shop.ingest("id,amount\n1,10.00\n", **SALE)
    assert list(found.clean.columns) == SALES.names
    assert found.clean[["line_id", "currency"]].values.tolist() == [["1", COMPANY.currency]]
    assert str(found.clean["ordered_at"].dtype) == "datetime64[us]"


@pytest.mark.parametrize(("form", "cell"), [
    ("%d de %B de %Y", "2 de enero de 2025"), ("%d-%b-%y", "02-ene.-25"), ("%d-%b-%y", "02-JAN-25"),
    ("%d/%m/%Y %I:%M %p", "02/01/2025 12:00 a. m."), ("excel_serial", "45659,0")])
def test_months_in_words_and_decimal_commas_are_read(shop: Workshop, form: str, cell: str):
    contract = TICKET | {"timestamps": [form], "time_zone": "UTC"}
    found = shop.ingest(f'id,created,solved\n1,"{cell}",\n', **contract)
    assert str(found.clean["created_at"][0]) == "2025-01-02 00:00:00"
