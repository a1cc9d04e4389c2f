"""Presets: each layout is recognised by its header and read by ingest; a source's own keys win over its preset's.

The layouts are those that the preset files name (public exports, vendors' pages); every row here is invented.
"""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.params import Source, load_params, typed_source
from pipeline.contracts.presets import load_preset, preset_names, with_preset
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.presets import recognise
from tests.ingest.conftest import Outcome, Workshop

QUALTRICS = ["StartDate", "EndDate", "Status", "IPAddress", "Progress", "Finished", "RecordedDate", "ResponseId",
             "ExternalReference", "DistributionChannel", "Q1"]
NPS = {"nps": {"minimum": 0, "maximum": 10, "direction": "higher_is_better"}}


def lines(*rows: list[str], sign: str = ",") -> str:
    return "".join(sign.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)


QUALTRICS_3 = lines(
    QUALTRICS, [f"Text of\n{name}" for name in QUALTRICS], [json.dumps({"ImportId": name}) for name in QUALTRICS],
    ["2025-03-04 10:00:00", "2025-03-04 10:01:00", "0", "", "100", "1", "2025-03-04 10:01:01", "R_1", "C1", "web", "9"],
    ["2025-03-04 10:00:00", "2025-03-04 10:01:00", "1", "", "100", "1", "2025-03-04 10:01:01", "R_2", "C2", "web", "2"])
QUALTRICS_2 = "\ufeff" + lines(
    ["V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10", "Q1"],
    ["ResponseID", "ResponseSet", "Name", "ExternalDataReference", "EmailAddress", "IPAddress", "Status", "StartDate",
     "EndDate", "Finished", "How likely?"],
    ["R_1", "Default", "Anonymous", "C1", "", "", "0", "2025-03-04 10:00:00", "2025-03-04 10:01:00", "1", "9"])
QUALTRICS_2_AS_SEEN = QUALTRICS_2.replace('"\n', '",""\n')  # the published one ends every line with an empty column
SURVEYMONKEY = lines(
    ["Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address", "First Name",
     "Last Name", "Custom Data 1", "How likely, from 0 to 10?", "Which?", ""],
    ["", "", "", "", "", "", "", "", "", "Response", "One", "Two"],
    ["100", "7", "03/04/2025 10:00:00 AM", "03/04/2025 10:01:00 AM", "", "", "", "", "C1", "9", "One", ""])
TYPEFORM = lines(["#", "How likely?", "Start Date (UTC)", "Submit Date (UTC)", "Network ID"],
                 ["ab12", "9", "2025-03-04 10:00:00", "2025-03-04 10:01:00", "n1"])
DELIGHTED = lines(["id", "person", "survey_type", "score", "comment", "permalink", "created_at", "updated_at"],
                  ["1", "10", "nps", "9", "good", "", "1741082460", ""],
                  ["2", "11", "ces", "7", "", "", "1741082460", ""])
ZENDESK = lines(["id", "created_at", "due_at", "priority", "requester_id", "status", "subject", "via_channel"],
                ["1595", "2025-03-04 10:01:00", "", "", "C1", "hold", "s", "web"],
                ["1596", "2025-03-04 10:01:00", "", "", "C2", "deleted", "s", "web"])
FRESHDESK = lines(["Ticket Id", "Subject", "Status", "Type", "Requester Name", "First Response Time (in Hrs)",
                   "Resolution Time (in Hrs)", "Created time"],
                  ["1", "s", "Resolved", "Question", "N", "00:10:00", "01:00:00", "2025-03-04 10:01:00"])
INTERCOM_HEAD = ["message_id", "message_body", "conversation_id", "conversation_state", "conversation_created_at",
                 "conversation_first_response_at", "conversation_closed_at"]
INTERCOM = lines(INTERCOM_HEAD, *(
    [str(n), "text", "77", "closed", "2025-03-04 10:01:00", "2025-03-04 11:00:00", "2025-03-05 10:00:00"]
    for n in range(3)))
HUBSPOT = lines(["Ticket ID", "Ticket name", "Create date", "Close date", "Time to Close (HH:mm:ss)"],
                ["5", "t", "2025-03-04 10:01", "", ""])
SALESFORCE = ("\ufeff" + lines(
    ["Opportunity Name", "Account Name", "Stage", "Amount", "Close Date"],
    ["Deal", "Acme", "Won", "1000.50", "04/03/2025"],
    sign="\t") + '\n\n"Grand Totals (1 records)"\n"Confidential Information - Do Not Distribute"\n'
    '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."\n').encode("utf-16-le")
SHOPIFY_HEAD = ["Name", "Email", "Financial Status", "Currency", "Subtotal", "Taxes", "Created at", "Lineitem quantity",
                "Lineitem name", "Lineitem price"]
SHOPIFY = lines(
    SHOPIFY_HEAD,
    ["#1001", "ann@example.com", "paid", "EUR", "70.10", "0.00", "2025-03-04 10:01:00 +0100", "1", "Cup", "20.10"],
    ["#1001", "ann@example.com", "", "", "", "", "", "2", "Pot", "25.00"],
    ["#1002", "bob@example.com", "paid", "EUR", "25.00", "0.00", "2025-07-04 10:01:00 +0200", "1", "Pot", "25.00"])
WOOCOMMERCE = lines(["order_id", "order_number", "order_date", "status", "order_total", "order_subtotal",
                     "order_currency", "customer_id"],
                    ["31", "31", "2025-03-04 10:01:00", "completed", "12.10", "10.00", "EUR", "8"])
STRIPE = lines(["id", "Created (UTC)", "Amount", "Amount Refunded", "Currency", "Status", "Customer ID"],
               ["ch_1", "2025-03-04 10:01", "1250,25", "0,00", "eur", "Paid", "cus_1"],
               ["ch_2", "2025-03-04 10:01", "9,00", "0,00", "eur", "Failed", "cus_1"])
SPANISH = "Pedido;Cliente;Fecha;Importe\nA1;C1;04/03/2025 10:01;1.250,25\n".encode("cp1252")

CASES = {  # preset: its export, what its user must say, clean rows, one column and its value
    "qualtrics": (QUALTRICS_3, {"time_zone": "UTC", "instruments": {"nps": {"column": "Q1", **NPS["nps"]}}}, 1,
                  ("score", 9.0)),
    "qualtrics_legacy": (QUALTRICS_2, {"time_zone": "UTC", "instruments": {"nps": {"column": "Q1", **NPS["nps"]}}}, 1,
                         ("responded_at", pd.Timestamp("2025-03-04 10:01"))),
    "surveymonkey": (SURVEYMONKEY, {"time_zone": "UTC", "timestamps": ["%m/%d/%Y %I:%M:%S %p"], "instruments": {
        "nps": {"column": "How likely, from 0 to 10?", **NPS["nps"]}}}, 1,
        ("responded_at", pd.Timestamp("2025-03-04 10:01"))),
    "typeform": (TYPEFORM, {"instruments": {"nps": {"column": "How likely?", **NPS["nps"]}}}, 1, ("score", 9.0)),
    "delighted": (DELIGHTED, {}, 2, ("responded_at", pd.Timestamp("2025-03-04 10:01"))),
    "zendesk": (ZENDESK, {}, 1, ("status", "pending")),
    "freshdesk": (FRESHDESK, {"columns": {"created_at": "Created time"}, "timestamps": ["iso8601"], "time_zone": "UTC"},
                  1, ("status", "solved")),
    "intercom": (INTERCOM, {}, 1, ("solved_at", pd.Timestamp("2025-03-05 10:00"))),
    "hubspot": (HUBSPOT, {"time_zone": "UTC"}, 1, ("created_at", pd.Timestamp("2025-03-04 10:01"))),
    "salesforce": (SALESFORCE, {"decimal": ".", "timestamps": ["%d/%m/%Y"], "time_zone": "UTC"}, 1,
                   ("net_amount", "1000.5000")),
    "shopify": (SHOPIFY, {}, 2, ("ordered_at", pd.Timestamp("2025-03-04 09:01"))),
    "woocommerce": (WOOCOMMERCE, {"columns": {"net_amount": "order_subtotal"}, "decimal": ".", "time_zone": "UTC"}, 1,
                    ("net_amount", "10.0000")),
    "stripe": (STRIPE, {"decimal": ","}, 1, ("net_amount", "1250.2500")),
    "spanish_excel": (SPANISH, {"table": "sales", "time_zone": "Europe/Madrid", "columns": {
        "order_id": "Pedido", "customer_id": "Cliente", "ordered_at": "Fecha", "net_amount": "Importe"}}, 1,
        ("net_amount", "1250.2500")),
}


def read(shop: Workshop, name: str, content: str | bytes, told: dict) -> Outcome:
    table = load_preset(name)["source"].get("table", "sales")
    raw = {"table": table, "folder": str(shop.folder / "raw"), "files": "export.csv", "preset": name, **told}
    return shop.ingest(content, **vars(typed_source(raw)))


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_export_of_each_tool_is_read_once_its_user_has_told_what_the_preset_asks(shop: Workshop, name: str):
    content, told, rows, (column, value) = CASES[name]
    found = read(shop, name, content, told)
    assert len(found.clean) == rows
    first = found.clean[column][0]
    assert (str(first) if isinstance(value, str) else first) == value


def test_an_empty_last_column_under_two_header_rows_is_no_question(shop: Workshop):
    assert len(read(shop, "qualtrics_legacy", QUALTRICS_2_AS_SEEN, CASES["qualtrics_legacy"][1]).clean) == 1


def test_every_preset_has_its_case_says_where_its_layout_comes_from_and_fits_the_contract_of_a_source():
    assert preset_names() == sorted([*CASES, "shopify_lines"])  # the same file as shopify's, read line by line
    for name in preset_names():
        preset = load_preset(name)
        assert {"seen", "from documentation"} & set(preset) and preset["tell"], name
        raw = {"table": "sales", "folder": "f", "files": "*", "columns": {}, "preset": name}
        assert isinstance(typed_source(raw), Source)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"spanish_excel"}))
def test_the_tool_is_recognised_by_its_header(name: str):
    content, sign = CASES[name][0], "\t" if name == "salesforce" else ","
    text = content.decode("utf-16-le") if isinstance(content, bytes) else content
    rows = list(csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), delimiter=sign))
    assert recognise(rows, {"delimiter": sign}).name == name


def test_a_header_of_no_tool_is_recognised_as_none():
    assert recognise([["id", "amount"], ["1", "2"]], {"delimiter": ",", "encoding": "utf-8"}) is None
    assert recognise([["V1", "V2", "V8", "V9", "V10"]], {}) is None  # its second row is missing


def test_further_lines_of_an_order_are_dropped_and_counted_and_the_sum_is_that_of_the_orders(shop: Workshop):
    found = read(shop, "shopify", SHOPIFY, {})
    assert found.rules["ORDER-LINE:dropped"] == 1 and found.account.total("quarantined") == 0
    assert str(found.clean["net_amount"].sum()) == "95.1000"


def test_an_order_whose_first_line_has_no_subtotal_is_no_further_line_of_another(shop: Workshop):
    first = next(csv.DictReader(SHOPIFY.splitlines()))
    row = ",".join("" if name == "Subtotal" else "#9999" if name == "Name" else value.replace(",", "")
                   for name, value in first.items())
    found = read(shop, "shopify", SHOPIFY.rstrip("\n") + "\n" + row + "\n", {})
    assert found.rules["ORDER-LINE:dropped"] == 1 and found.account.total("quarantined") == 1
    assert found.quarantine["column"].tolist() == ["Subtotal"]


def test_the_footer_of_a_report_is_accounted_for_line_by_line(shop: Workshop):
    found = read(shop, "salesforce", SALESFORCE, CASES["salesforce"][1])
    assert found.rules["FMT-FOOTER:quarantined"] == 1 and found.rules["FMT-WIDTH:quarantined"] == 2
    assert found.rules["FMT-BLANK:dropped"] == 2


def test_test_answers_of_qualtrics_are_dropped_and_counted(shop: Workshop):
    assert read(shop, "qualtrics", QUALTRICS_3, CASES["qualtrics"][1]).rules["ROW-TEST:dropped"] == 1


def test_the_sources_own_keys_win_even_when_they_say_what_is_the_default_elsewhere():
    own = {"preset": "salesforce", "encoding": "utf-8", "delimiter": ",", "constants": {"currency": "EUR"},
           "columns": {"customer_id": "Client", "ordered_at": None}}
    merged = with_preset(own, "sources.x")
    assert (merged["encoding"], merged["delimiter"], merged["table"]) == ("utf-8", ",", "sales")
    assert merged["columns"] == {"order_id": "Opportunity Name", "customer_id": "Client", "net_amount": "Amount"}
    assert with_preset({"preset": "shopify", "columns": {"channel": "Source"}}, "x")["constants"] == {}
    assert "currency" not in with_preset({"preset": "shopify", "constants": {"currency": "EUR"}}, "x")["columns"]


def test_an_unknown_preset_is_refused_with_the_nearest_name():
    with pytest.raises(Refusal, match=r"x\.preset names no preset; .* expected .shopify. \[PARAM-PRESET\]"):
        with_preset({"preset": "shopfy"}, "sources.x")


def test_load_params_fills_the_preset_in(tmp_path: Path):
    text = (Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("\nlink:\n", "\n  web: {preset: shopify, folder: data/raw/web, files: '*.csv'}\n\nlink:\n", 1)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    web = load_params(tmp_path / "params.yaml").sources["web"]
    assert (web.table, web.columns["net_amount"], web.drop[0].rule) == ("sales", "Subtotal", "ORDER-LINE")


def test_line_items_take_the_order_cells_of_their_first_line(shop: Workshop):
    """1 cup at 20.10 and 2 pots at 25.00 in one order, a pot in the next: 95.10, each line with customer and time."""
    found = read(shop, "shopify_lines", SHOPIFY, {})
    assert found.rules["ORDER-FILL:repaired"] == 1 and found.account.total("clean") == 3
    assert [str(x) for x in found.clean["net_amount"]] == ["20.1000", "50.0000", "25.0000"]
    assert found.clean["customer_id"].nunique() == 2 and found.clean["ordered_at"].notna().all()
    assert str(found.clean["ordered_at"][1]) == "2025-03-04 09:01:00"


def test_cells_are_filled_down_within_one_order_only(shop: Workshop):
    rows = "id,line,who,amount\nA,1,ann,1.00\nB,1,,2.00\nA,2,,3.00\n,3,,4.00\nC,1,,5.00\nC,2,cid,6.00\n"
    contract = {"table": "sales", "decimal": ".", "fill_down": ["who"], "extra": {"who": "who"},
                "columns": {"order_id": "id", "line_id": "line", "net_amount": "amount"}}
    found = shop.ingest(rows, **contract)
    assert found.rules["ORDER-FILL:repaired"] == 1 and found.quarantine["line"].tolist() == [5]
    assert found.clean["x_who"].fillna("").tolist() == ["ann", "", "ann", "", "cid"]
    for strange in (["nobody"], ["id"]):
        shop.refuse(rows, "PARAM-UNKNOWN", **contract | {"fill_down": strange})
