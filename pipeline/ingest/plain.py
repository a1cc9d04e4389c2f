"""The rows that are written as most are: read by few and cheap expressions, with the same outcome as the careful way.

A row is plain when every text is spelled in the simplest form of its kind, so that no rule about spelling can speak of
it, and no rule between columns keeps it out. All others go the careful way (tables.records).
"""

from typing import Any

import duckdb
import narwhals as nw

from pipeline.contracts.params import Source
from pipeline.contracts.tables import Column
from pipeline.ingest import columns, engine, footer
from pipeline.ingest.nobody import names_nobody
from pipeline.ingest.rules import any_of, mask
from pipeline.ingest.tables import EARLIEST, EPOCH_EARLIEST, LATEST, NO_DAYS, Plan, held, shaped

# Printable ASCII, Latin letters and dashes, no blank at either end. Not among them: the soft hyphen, Â, Ã and the sign
# of the euro, which may be letters decoded wrongly, and the long s, which is an s without regard to case.
SEEN = "!-~¡-¬®-ÁÄ-žƀ-ɏ‐-‧"
TEXT = f"[{SEEN}](?:[\\t\\n\\r {SEEN}]*[{SEEN}])?"
APOSTROPHE = "'"
WHOLE = "[+-]?\\d{1,18}"


def plain_rows(con: duckdb.DuckDBPyConnection, raw: nw.LazyFrame, plan: Plan) -> nw.LazyFrame:
    """One row per raw row: as tables.records but without columns.fixed, with _is_plain; where that is false nothing
    else of the row counts."""
    source = plan.source
    texts, spelled = _texts(source)
    parsed, read = _values(source, plan)
    drops = {f"d_{k}": held(f"coalesce({engine.quoted(drop.column)}, '')", drop) for k, drop in enumerate(source.drop)}
    parts = engine.derive(raw, texts | parsed | drops | {"_spelled": " AND ".join(spelled) or "TRUE"},
                          keep=["_file", "_row"])
    parts = engine.derive(parts, _flags(source))
    parts, placed = _moments(con, parts, plan)
    parts = shaped(parts, plan)
    parts = engine.derive(parts, {"_sound": " AND ".join(["_spelled", *read, *placed])})
    parts = parts.with_columns(_noted=mask(plan.notes),
                               _is_plain=nw.col("_sound").fill_null(False) & ~any_of(plan.checks))
    fixed = columns.fixed(source, plan.company)
    kept = [name for name in columns.kept_columns(source) if name not in fixed]
    return parts.select("_file", "_row", *kept, "_noted", "_is_plain")


def _texts(source: Source) -> tuple[dict[str, str], list[str]]:
    """t_, s_ and x_ as the texts stand, and the conditions under which that is what they say."""
    named = {f"t_{c.name}": (source.columns[c.name], c) for c in columns.mapped(source)}
    if source.table == "surveys":
        wide = {n: i.column for n, i in source.instruments.items() if i.column}
        named |= {f"s_{n}": (header, None) for n, header in (wide or {"": source.columns["score"]}).items()}
    named |= {f"x_{n}": (header, None) for n, header in source.extra.items()}
    absent = [word.strip() for word in dict.fromkeys(source.missing) if word.strip()]
    texts, spelled, exact = {}, [], set()
    for name, (header, column) in named.items():
        x = engine.quoted(header)
        texts[name] = f"nullif({x}, '')"
        loose = column is not None and column.kind in ("id", "timestamp")  # may still carry blanks at its ends
        if column is None or (column.kind in ("text", "comment", "category") and not _words(column, source)):
            spelled.append(_is_text(x, name.startswith("s_")))
        elif column.kind == "id":
            spelled.append(_is_id(x))
            spelled += [f"NOT {names_nobody(x)}"] if column.name == "customer_id" else []
        if absent:
            bare = f"trim({x}, {engine.literal(engine.BLANKS)})" if loose else x
            spelled.append(f"coalesce({bare} NOT IN ({', '.join(map(engine.literal, absent))}), TRUE)")
        if not loose:
            exact.add(header)
    first = [texts[f"t_{name}"] for name in columns.worded(source)] + [texts[f"x_{name}"] for name in source.extra]
    first = f"coalesce({', '.join([*first, 'NULL'])})"
    spelled.append(f"NOT {footer.may_be_total(first)}")
    return texts, spelled + [_is_text(engine.quoted(drop.column), False) for drop in source.drop
                             if drop.column not in exact]


def _words(column: Column, source: Source) -> dict[str, Any]:
    """The words of a column that takes words only."""
    if column.kind not in ("boolean", "category"):
        return {}
    return source.words.get(column.name) or columns.own_words(column)


def _is_text(x: str, is_short: bool) -> str:
    pattern = f"regexp_full_match({x}, {engine.literal(TEXT)})"
    short = f"WHEN strlen({x}) = 1 THEN {x} BETWEEN '!' AND '~' " if is_short else ""
    return f"CASE WHEN {x} IS NULL OR {x} = '' THEN TRUE {short}ELSE {pattern} END"


def _is_id(x: str) -> str:
    """ASCII with something to see in front, nothing that a spreadsheet or a program put on it, no scientific number."""
    power = f"regexp_full_match({x}, {engine.literal(columns.SCIENTIFIC)})"
    lossy = f"CASE WHEN {x} < ':' AND (contains({x}, 'E') OR contains({x}, 'e')) THEN NOT {power} ELSE TRUE END"
    forced = f"({x} >= '=' AND {x} < '>') OR ({x} >= {engine.literal(APOSTROPHE)} AND {x} < '(')"  # begins with = or '
    ascii = f"{x} >= '!' AND {x} < '\x7f' AND strlen({x}) = length({x}) AND {x} NOT LIKE '%.0'"
    return f"CASE WHEN {x} IS NULL OR {x} = '' THEN TRUE WHEN {ascii} AND NOT ({forced}) THEN {lossy} ELSE FALSE END"


def _values(source: Source, plan: Plan) -> tuple[dict[str, str], list[str]]:
    """Typed expressions over the raw texts, and the conditions under which they are the values."""
    found, read = columns.parsed(source, plan.company), []
    for column in columns.mapped(source):
        name, x = column.name, engine.quoted(source.columns[column.name])
        if column.kind == "timestamp":
            found[f"l_{name}"], found[f"u_{name}"] = engine.quick_instant(x, columns.formats(source))
            continue
        words = source.words.get(name, {}) if column.kind in columns.NUMERIC else _words(column, source)
        if column.kind in columns.NUMERIC:
            found[name] = engine.quick_words(x, words, _quick_number(x, columns.number_kind(column, source), source))
        elif words:
            found[name] = engine.quick_words(x, words, "NULL")
        else:
            found[name] = f"upper(nullif({x}, ''))" if name == "currency" else f"nullif({x}, '')"
            continue
        read.append(f"({name} IS NOT NULL OR t_{name} IS NULL)")
    return found, read


def _quick_number(x: str, kind: str, source: Source) -> str:
    if kind == "integer":
        return f"CASE WHEN regexp_full_match({x}, '{WHOLE}') THEN try_cast({x} AS BIGINT) END"
    point = f"replace({x}, ',', '.')" if source.decimal == "," else x
    plainly = engine.is_plain(x, source.decimal, source.thousands, kind)
    return f"CASE WHEN {plainly} THEN {engine.cast(point, kind)} END"


def _flags(source: Source) -> dict[str, str]:
    """All facts about odd spellings are false here; how a questionnaire was filled in is asked as ever."""
    found = {name: "FALSE" for name in columns.flags(source)}
    return found | ({"f_quality": columns.is_careless(source)} if source.table == "surveys" else {})


def _moments(con: duckdb.DuckDBPyConnection, parts: nw.LazyFrame, plan: Plan) -> tuple[nw.LazyFrame, list[str]]:
    """Each time as UTC; a day on which the clock changed, or far away, is not plain."""
    source, placed = plan.source, []
    for column in columns.mapped(source):
        if column.kind != "timestamp":
            continue
        name = column.name
        if source.time_zone in (None, "UTC"):
            parts = engine.derive(parts, {name: f"coalesce(u_{name}, l_{name})"})
        else:
            ordinary = f"FROM {NO_DAYS} WHERE changed_from IS NULL"
            days = engine.frame(con, f"SELECT day AS z_day, before AS z_before {ordinary}")
            parts = engine.derive(parts, {"z_own": f"CAST(l_{name} AS DATE)"})
            parts = parts.join(days, left_on="z_own", right_on="z_day", how="left")
            parts = engine.derive(parts, {name: f"coalesce(u_{name}, {engine.minus_seconds(f'l_{name}', 'z_before')})"})
            parts = parts.drop("z_own", "z_before").drop("z_day", strict=False)
        future = nw.col(name) >= nw.lit(plan.end) if plan.end else nw.lit(False)
        parts = parts.with_columns(future.alias(f"f_future_{name}"))
        parts = engine.derive(parts, {f"f_{what}_{name}": "FALSE" for what in ("gap", "fold", "range")})
        earliest = EPOCH_EARLIEST if any(form in engine.EPOCHS for form in source.timestamps) else EARLIEST
        within = f"{name} >= TIMESTAMP '{earliest}' AND {name} < TIMESTAMP '{LATEST}'"
        placed.append(f"(t_{name} IS NULL OR ({name} IS NOT NULL AND {within}))")
    return parts, placed
