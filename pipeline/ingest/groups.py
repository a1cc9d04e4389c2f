"""Rules over records that belong together: answers of one order, lines of one order, texts of a source."""

import duckdb
import numpy as np

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import columns, engine
from pipeline.ingest.raw import Loaded

MOJIBAKE_SHARE = 0.01
CENT = "0.01"
STATUS_LEAST = 5  # returns from which on it can be asked what they mean
DRIFT_BEFORE, DRIFT_LEAST, DRIFT_SHARE = 20, 5, 0.1
COLUMN = {"SURVEY-DUP": "order_id", "SURVEY-MULTI": "order_id", "REFUND-EXCESS": "net_amount",
          "SUM-MISMATCH": "net_amount"}
ORDER_TOTAL = "order_total"  # the name under `extra` that declares an order's total beside its lines


def find_group_faults(con: duckdb.DuckDBPyConnection, source: Source, turned: int = 0, is_exact: bool = False,
                      twisted: dict[str, int] | None = None) -> None:
    """Add to `twins` (_file, _row, rule) what only its neighbours show to be wrong, the first rule that applies.

    SURVEY-DUP: answers to one order and touchpoint; the last stays where `latest_by` says so.
    REFUND-EXCESS: returns above the order's sales, or without them. SUM-MISMATCH: lines of an order that do not add
    up to its declared total. ENC-MOJIBAKE: texts decoded wrongly, where they are over 1 % of a column.
    turned: the bit of _noted that says that a return was written without its minus. is_exact: of company.ids. twisted:
    column -> bit of _noted that says that its text was decoded wrongly; the rule is followed by a blank and the column.
    """
    given, own = {column.name for column in columns.mapped(source)}, engine.normal_id("order_id", is_exact)
    if source.table == "surveys" and "order_id" in given:
        _add(con, "SURVEY-DUP", _answers_of_one_order(source, given, own))
    if source.table == "sales" and "order_id" in given:
        if source.returns is None and "is_return" in given:
            _refuse_status(con, source, turned, own)
        if source.returns != "status":
            _add(con, "REFUND-EXCESS", _refunds(own))
        if ORDER_TOTAL in source.extra:
            _add(con, "SUM-MISMATCH", _sums(source, own))
    bits = {name: f"(_noted & {1 << bit}) <> 0" for name, bit in (twisted or {}).items()}
    if bits and engine.first(con, f"SELECT bool_or({' OR '.join(bits.values())}) FROM records WHERE _failed = 0")[0]:
        for name, is_twisted in bits.items():
            share = f"count(*) FILTER ({is_twisted}) > {MOJIBAKE_SHARE} * count({engine.quoted(name)})"
            _add(con, f"ENC-MOJIBAKE {name}",
                 f"SELECT _file, _row FROM standing WHERE {is_twisted} AND (SELECT {share} FROM standing)")


def _add(con: duckdb.DuckDBPyConnection, rule: str, query: str) -> None:
    standing = "SELECT * FROM records ANTI JOIN twins USING (_file, _row) WHERE _failed = 0"
    con.execute(f"INSERT INTO twins WITH standing AS ({standing}) SELECT _file, _row, '{rule}' FROM ({query})")


def _answers_of_one_order(source: Source, given: set[str], own: str) -> str:
    """Answered records whose order and touchpoint (and instrument, in a long export) another answer shares."""
    cells = [name for name, kind in source.instruments.items() if kind.column] or [""]
    said = " OR ".join(f"{engine.quoted(f's_{name}')} IS NOT NULL" for name in cells)
    parts = [own] + [f"coalesce({name}, '')" for name in ("touchpoint", "instrument")
                                              if name in given]
    group = f"PARTITION BY {', '.join(parts)}"
    late = source.latest_by
    last = f"row_number() OVER ({group} ORDER BY {late} DESC NULLS LAST, _file DESC, _row DESC) = 1"
    stays = last if late else "FALSE"
    return f"""SELECT _file, _row FROM (SELECT _file, _row, count(*) OVER ({group}) AS answers, {stays} AS stays
               FROM standing WHERE order_id IS NOT NULL AND ({said})) WHERE answers > 1 AND NOT stays"""


def _refunds(own: str) -> str:
    """Returns of orders whose returns exceed their sales. Where no return at all names an order that was sold, returns
    carry numbers of their own and nothing can be said."""
    return f"""
        WITH returned AS (SELECT DISTINCT {own} AS ordered FROM standing WHERE is_return),
        orders AS (SELECT {own} AS ordered,
                          coalesce(sum(net_amount) FILTER (NOT coalesce(is_return, FALSE)), 0) AS sold,
                          coalesce(-sum(net_amount) FILTER (is_return), 0) AS back
                   FROM standing WHERE {own} IN (SELECT ordered FROM returned) GROUP BY 1),
        known AS (SELECT coalesce(bool_or(sold > 0), FALSE) AS is_known FROM orders)
        SELECT _file, _row FROM standing WHERE is_return AND (SELECT is_known FROM known)
        AND {own} IN (SELECT ordered FROM orders WHERE back > sold + {CENT})"""


def _refuse_status(con: duckdb.DuckDBPyConnection, source: Source, turned: int, own: str) -> None:
    """Refusal (RETURN-STATUS) where most returns are written like sales and their orders sold nothing: the mark seems
    to say what became of the sold line itself, and turning its sign would take off what was never counted."""
    back, alone = engine.first(con, f"""
        WITH returned AS MATERIALIZED (SELECT {own} AS ordered, (_noted & {turned}) <> 0 AS is_turned FROM records
                                       WHERE _failed = 0 AND is_return AND order_id IS NOT NULL),
        sold AS (SELECT DISTINCT {own} AS ordered FROM records WHERE _failed = 0 AND NOT coalesce(is_return, FALSE)
                 AND {own} IN (SELECT ordered FROM returned WHERE is_turned))
        SELECT count(*), count(*) FILTER (is_turned AND ordered NOT IN (SELECT ordered FROM sold)) FROM returned""")
    if back >= STATUS_LEAST and 2 * alone > back:
        raise Refusal("RETURN-STATUS", "most lines marked as returned stand in orders that sold nothing, with the "
                      "amount of a sale", file=source.folder, column=source.columns["is_return"],
                      found=f"{alone} of {back} returns", expected="`returns: status` if the mark says that the sold "
                      "line came back (they cancel out), `returns: lines` if each return is a line of its own")


def _sums(source: Source, own: str) -> str:
    total = engine.cast(engine.number(f"x_{ORDER_TOTAL}", source.decimal, source.thousands), "money")
    return f"""
        SELECT _file, _row FROM standing WHERE {own} IN (
            SELECT {own} FROM standing WHERE NOT coalesce(is_return, FALSE) GROUP BY 1
            HAVING abs(sum(net_amount) - max({total})) > {CENT} OR max({total}) <> min({total}))"""


def refuse_drift(con: duckdb.DuckDBPyConnection, source: Source, loaded: list[Loaded]) -> None:
    """Refusal (SCALE-DRIFT) where answers of one question leave the declared scale from one point of a file on."""
    found = engine.first(con, f"""
        WITH told AS (SELECT _file, _row, instrument, score, scale_max,
                             score < scale_min OR score > scale_max AS outside
                      FROM answers WHERE score IS NOT NULL AND scale_max < 100 AND score <= 100),
        firsts AS (SELECT _file, instrument, min(_row) AS since FROM told WHERE outside GROUP BY 1, 2)
        SELECT _file, since, instrument, max(score), any_value(scale_max)
        FROM told JOIN firsts USING (_file, instrument)
        GROUP BY _file, since, instrument
        HAVING count(*) FILTER (_row < since) >= {DRIFT_BEFORE} AND count(*) FILTER (outside) >= {DRIFT_LEAST}
           AND count(*) FILTER (outside) >= {DRIFT_SHARE} * count(*) FILTER (_row >= since)
           AND count(DISTINCT score) FILTER (outside) <= 5 AND max(score) FILTER (outside) <= 2 * any_value(scale_max)
        ORDER BY 1, 2, 3 LIMIT 1""")
    if found is None:
        return
    number, row, instrument, highest, top = found
    one = loaded[number]
    raise Refusal("SCALE-DRIFT", f"from here on the answers to {instrument} leave their declared scale: the question "
                  "changed", file=one.export.name, line=int(one.lines_of(np.array([row]))[0]),
                  column=source.instruments[instrument].column or source.columns.get("score"),
                  found=f"answers up to {highest:g}", expected=f"at most {top:g}; split the export where it changed")
