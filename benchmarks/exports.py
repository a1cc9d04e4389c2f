"""Seeded exports of any size for the benchmark of speed: sales, surveys and tickets with the dirt that exports have."""

from pathlib import Path
from typing import Any

import duckdb
from ruamel.yaml import YAML

SEED = 20250301
SIZES = {"small": (4_000, 800, 400), "S": (1_000_000, 200_000, 100_000), "M": (10_000_000, 2_000_000, 1_000_000),
         "L": (100_000_000, 20_000_000, 10_000_000)}  # sale lines, questionnaires, tickets
CLOCK, ZONE = "%Y-%m-%d %H:%M:%S", "Europe/Madrid"
START, DAYS = "2023-01-01 08:00:00", 730
CATEGORIES = ["Electrónica", "Hogar", "Moda", "Deporte", "Niños", "Libros"]
TOUCHPOINTS = ["tienda", "web", "entrega", "soporte", "factura"]
CHANNELS = ["email", "web", "phone", "chat"]
COMMENTS = ["Muy buen servicio", "Too slow", "Llegó tarde, otra vez", '"Best" shop ever', "ok", "Hard to reach support",
            "Write to me: ana.perez@example.com", "Call 612 345 678 please", "Line one\nline two"]
INSTRUMENTS = {"nps": (0, 10), "csat": (1, 7)}
COLUMNS = {
    "sales": {"order_id": "Order", "line_id": "Line", "customer_id": "Customer", "ordered_at": "Date",
              "quantity": "Units", "net_amount": "Amount", "is_return": "Return", "product_category": "Category",
              "channel": "Channel"},
    "surveys": {"response_id": "Response", "customer_id": "Customer", "sent_at": "Sent", "responded_at": "Answered",
                "touchpoint": "Touchpoint", "channel": "Channel", "comment": "Comment"},
    "tickets": {"ticket_id": "Ticket", "customer_id": "Customer", "created_at": "Created",
                "first_reply_at": "First reply", "solved_at": "Solved", "reopened": "Reopened", "channel": "Channel",
                "reason": "Reason"},
}


def _draw(what: int, below: int, by: str = "i") -> str:
    """A whole number from 0, drawn for row i (or order o) and purpose `what`."""
    return f"CAST(hash({by}, {what}, {SEED}) % {below} AS BIGINT)"


def _pick(words: list[str], what: int) -> str:
    listed = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
    return f"[{listed}][{_draw(what, len(words))} + 1]"


def _customer(count: int, by: str) -> str:
    """An id as it is usually written; of 1,000 rows 20 without one, 30 with blanks and another case."""
    number = f"lpad(({_draw(1, count, by)})::VARCHAR, 8, '0')"
    return (f"CASE WHEN dirt BETWEEN 30 AND 49 THEN '' WHEN dirt BETWEEN 50 AND 79 THEN ' c' || {number} || ' ' "
            f"ELSE 'C' || {number} END")


def _at(moment: str) -> str:
    return f"strftime({moment}, '{CLOCK}')"


def _queries(size: str) -> dict[str, str]:
    """The rows of each export, without those that come twice. Of 1,000 rows, 10 to 15 break a rule."""
    lines, questionnaires, tickets = SIZES[size]
    customers, span = max(lines // 10, 10), DAYS * 86400
    began = f"TIMESTAMP '{START}'"
    sales = f"""SELECT i, 'O' || lpad(o::VARCHAR, 10, '0') AS "Order", (i % 2 + 1)::VARCHAR AS "Line",
        {_customer(customers, 'o')} AS "Customer",
        CASE WHEN dirt < 5 THEN 'n/a' ELSE {_at(f"{began} + to_seconds(o * {span} // {lines // 2})")} END AS "Date",
        (CASE WHEN back THEN -units ELSE units END)::VARCHAR AS "Units",
        CASE WHEN dirt BETWEEN 5 AND 9 THEN 'abc' ELSE CASE WHEN dirt BETWEEN 10 AND 29 THEN '€ ' ELSE '' END
            || CASE WHEN back THEN '-' ELSE '' END || printf('%d.%02d', cents // 100, cents % 100) END AS "Amount",
        CASE WHEN back THEN 'yes' ELSE 'no' END AS "Return", {_pick(CATEGORIES, 2)} AS "Category",
        {_pick(CHANNELS[1:], 3)} AS "Channel"
        FROM (SELECT i, i // 2 AS o, {_draw(4, 1000)} AS dirt, {_draw(5, 33, 'i // 2')} = 0 AS back,
                     1 + {_draw(6, 4)} AS units, 500 + {_draw(7, 40000)} AS cents FROM range({lines}) rows(i))"""
    surveys = f"""SELECT i, 'R' || lpad(i::VARCHAR, 10, '0') AS "Response", {_customer(customers, 'i')} AS "Customer",
        CASE WHEN dirt < 5 THEN 'unknown' ELSE {_at('sent')} END AS "Sent",
        CASE WHEN silent THEN '' ELSE {_at(f"sent + to_seconds(7200 + {_draw(11, 200000)})")} END AS "Answered",
        {_pick(TOUCHPOINTS, 12)} AS "Touchpoint", {_pick(CHANNELS, 13)} AS "Channel",
        CASE WHEN silent THEN '' WHEN dirt BETWEEN 5 AND 9 THEN '99' ELSE ({_draw(14, 11)})::VARCHAR END AS "NPS",
        CASE WHEN silent THEN '' WHEN dirt BETWEEN 10 AND 14 THEN 'x' ELSE (1 + {_draw(15, 7)})::VARCHAR END AS "CSAT",
        CASE WHEN silent OR {_draw(16, 10)} > 2 THEN '' ELSE {_pick(COMMENTS, 17)} END AS "Comment"
        FROM (SELECT i, {_draw(18, 1000)} AS dirt, {_draw(19, 5)} = 0 AS silent,
                     {began} + to_seconds(i * {span} // {questionnaires}) AS sent
              FROM range({questionnaires}) rows(i))"""
    reasons = ["billing", "delivery", "defect", "refund"]
    calls = f"""SELECT i, 'T' || lpad(i::VARCHAR, 10, '0') AS "Ticket", {_customer(customers, 'i')} AS "Customer",
        CASE WHEN dirt < 5 THEN '0000-00-00' ELSE {_at('asked')} END AS "Created",
        {_at(f"asked + to_seconds({_draw(21, 20000)})")} AS "First reply",
        CASE WHEN {_draw(22, 25)} = 0 THEN '' WHEN dirt BETWEEN 5 AND 9 THEN {_at("asked - INTERVAL 40 DAY")}
            ELSE {_at(f"asked + to_seconds(20000 + {_draw(23, 400000)})")} END AS "Solved",
        CASE WHEN {_draw(24, 12)} = 0 THEN 'yes' ELSE 'no' END AS "Reopened", {_pick(CHANNELS, 25)} AS "Channel",
        {_pick(reasons, 26)} AS "Reason"
        FROM (SELECT i, {_draw(27, 1000)} AS dirt, {began} + to_seconds(i * {span} // {tickets}) AS asked
              FROM range({tickets}) rows(i))"""
    return {"sales": sales, "surveys": surveys, "tickets": calls}


def write_exports(size: str, workspace: Path, params: Path) -> dict[str, int]:
    """Write data/raw and params.yaml of one size into `workspace`; returns the rows of each export.

    One row of 100 comes again at the end of its file. Same size, same engine: same bytes.
    """
    rows = {}
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as con:
        con.execute("SET TimeZone = 'UTC'")
        for name, query in _queries(size).items():
            path = workspace / "data" / "raw" / name / f"{name}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            again = f"SELECT 1 AS part, * FROM ({query}) WHERE {_draw(30, 100)} = 0"
            made = f"SELECT * EXCLUDE (part, i) FROM (SELECT 0 AS part, * FROM ({query}) UNION ALL {again})"
            rows[name] = con.execute(f"COPY ({made}) TO '{path}' (HEADER, DELIMITER ',')").fetchone()[0]
    _write_params(workspace / "params.yaml", params)
    return rows


def _write_params(target: Path, template: Path) -> None:
    """The params of the project with the sources of these exports."""
    params: dict[str, Any] = YAML(typ="safe").load(template)
    params["company"] |= {"data": "public", "time_zone": ZONE, "currency": "EUR"}
    params["sources"] = {name: {"table": name, "folder": f"data/raw/{name}", "files": "*.csv", "format": "csv",
                                "timestamps": [CLOCK], "time_zone": ZONE, "columns": columns}
                         for name, columns in COLUMNS.items()}
    params["sources"]["sales"] |= {"decimal": ".", "words": {"is_return": {"yes": True, "no": False}}}
    params["sources"]["tickets"] |= {"words": {"reopened": {"yes": 1, "no": 0}}}
    params["sources"]["surveys"] |= {"instruments": {
        name: {"column": name.upper(), "minimum": low, "maximum": high, "direction": "higher_is_better"}
        for name, (low, high) in INSTRUMENTS.items()}}
    with open(target, "w", encoding="utf-8") as handle:
        YAML(typ="safe").dump(params, handle)
