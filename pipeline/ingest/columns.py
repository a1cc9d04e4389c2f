"""Texts to canonical columns: each parsed under the declared conventions, with the rules that watch it."""

from typing import Any

import narwhals as nw

from pipeline.contracts.params import Company, Source
from pipeline.contracts.tables import TABLES, Column
from pipeline.ingest import engine, footer
from pipeline.ingest.nobody import names_nobody
from pipeline.ingest.raw import ROW
from pipeline.ingest.rules import Check

NEGATIVE = "@negative"  # a constant that stands for "is the amount negative"
YES_NO = {
    **dict.fromkeys(("true", "t", "1", "yes", "y", "sí", "si", "s", "verdadero", "x"), True),
    **dict.fromkeys(("false", "f", "0", "no", "n", "falso"), False),
}
CLOSED = {"status": ("open", "pending", "solved", "closed"), "unit_kind": ("branch", "customer")}
NUMERIC = ("number", "integer", "money")
SCORE_PARTS = ("score", "instrument", "scale_min", "scale_max", "direction")  # made answer by answer
FEWEST_SECONDS, STRAIGHT = 5, 4  # below: nobody read the questions; so many equal answers: nobody read them either
SCIENTIFIC = "\\s*[+-]?\\d+([.,]\\d+)?[eE][+]?\\d+\\s*"
TYPES = {"money": "DECIMAL(18,4)", "number": "DOUBLE", "integer": "BIGINT", "timestamp": "TIMESTAMP",
         "boolean": "BOOLEAN"}


def record_columns(source: Source) -> list[Column]:
    """The canonical columns that a record fills before answers are told apart."""
    columns = TABLES[source.table].columns
    return [c for c in columns if source.table != "surveys" or c.name not in SCORE_PARTS or c.name == "instrument"]


def kept_columns(source: Source) -> list[str]:
    """What is kept of a record: canonical columns, the texts of answers (s_*), extras (x_*)."""
    wide = [name for name, kind in source.instruments.items() if kind.column] or [""]
    cells = [f"s_{name}" for name in wide] if source.table == "surveys" else []
    return [*(c.name for c in record_columns(source)), *cells, *(f"x_{name}" for name in source.extra)]


def fixed(source: Source, company: Company) -> dict[str, str]:
    """name -> expression over _file and _row, for columns outside the key that depend on no header."""
    signed = ("quantity", "net_amount", "margin", "is_return") if source.table == "sales" else ()
    return {c.name: _constant(c, source, company) for c in record_columns(source)
            if c.name not in source.columns and c.name not in TABLES[source.table].key
            and (c.name not in signed or source.constants.get(c.name) is None)}


def mapped(source: Source) -> list[Column]:
    return [column for column in record_columns(source) if column.name in source.columns]


def forced_id(x: str, is_exact: bool) -> str:
    """An id without what makes a spreadsheet take it for text: ="0007", and '0007 where ids are not exact; there too
    without the .0 of a program that took it for a number."""
    sign = engine.literal("'")
    bare = f"CASE WHEN {x}[1] = '=' THEN {engine.forced_text(x)} ELSE {x} END"
    quoted = f"{x}[1] = {sign} AND length({x}) > 1 AND {x}[-1] <> {sign}"
    number = f"CASE WHEN {x} LIKE '%.0' THEN regexp_full_match({x}, '\\d{{1,15}}\\.0') ELSE FALSE END"
    return bare if is_exact else f"CASE WHEN {quoted} THEN {x}[2:] WHEN {number} THEN {x}[:-3] ELSE {bare} END"


def texts(source: Source, is_exact: bool = False) -> dict[str, str]:
    """t_<canonical>, s_<instrument>, x_<extra>: the texts of a record, tidied; ids byte for byte as they came, and
    e_<canonical>: whether an id stood in a form that forces a spreadsheet. A customer_id that names nobody is null."""
    def tidied(header: str) -> str:
        return engine.tidy(engine.quoted(header), source.missing)

    def verbatim(header: str, is_customer: bool) -> str:
        bare = forced_id(engine.quoted(header), is_exact)
        nobody = f" AND NOT {names_nobody(bare)}" if is_customer else ""
        return f"CASE WHEN {engine.tidy(bare, source.missing)} IS NOT NULL{nobody} THEN {bare} END"

    found = {f"e_{c.name}": f"coalesce({forced_id(x, is_exact)} <> {x}, FALSE)" for c in mapped(source)
             if c.kind == "id" for x in [engine.quoted(source.columns[c.name])]}
    found |= {f"t_{c.name}": verbatim(header, c.name == "customer_id") if c.kind == "id" else tidied(header)
              for c in mapped(source) for header in [source.columns[c.name]]}
    if source.table == "surveys":
        wide = {n: i.column for n, i in source.instruments.items() if i.column}
        found |= {f"s_{n}": tidied(header) for n, header in (wide or {"": source.columns["score"]}).items()}
    return found | {f"x_{n}": engine.visible(tidied(header)) for n, header in source.extra.items()}


def parsed(source: Source, company: Company) -> dict[str, str]:
    """Typed expressions over the tidied texts: <canonical>, and l_ / u_ (local, UTC) for times."""
    found: dict[str, str] = {}
    for column in record_columns(source):
        name, text = column.name, f"t_{column.name}"
        if name in source.columns:
            if column.kind == "timestamp":
                found[f"l_{name}"], found[f"u_{name}"] = engine.instant(text, formats(source))
            else:
                found[name] = _value(column, text, source)
        elif source.constants.get(name) == NEGATIVE:
            continue
        else:
            found[name] = _constant(column, source, company)
    return found


def formats(source: Source) -> list[str]:
    typed = ["iso8601"] if source.format not in ("csv", "json") else []  # cells that are real times come as ISO text
    return list(dict.fromkeys([*source.timestamps, *typed]))


def _value(column: Column, text: str, source: Source) -> str:
    words = source.words.get(column.name, {})
    if column.kind in NUMERIC:
        digits = engine.number(text, source.decimal, source.thousands, f"b_{column.name}")
        value = engine.cast(digits, number_kind(column, source))
        return engine.looked_up(text, words, value) if words else value
    if column.kind == "boolean":
        return engine.looked_up(text, words or own_words(column))
    if column.kind == "category":
        if words or own_words(column):
            return engine.looked_up(text, words or own_words(column))
        return f"upper({text})" if column.name == "currency" else engine.visible(text)
    return engine.visible(text) if column.kind in ("text", "comment") else text


def number_kind(column: Column, source: Source) -> str:
    """The kind of a number as it stands: what is declared per unit is a price, with more decimals than money."""
    return "price" if source.per_unit and column.name in ("net_amount", "margin") else column.kind


def own_words(column: Column) -> dict[str, Any]:
    """The words that a column takes where the contract declares none: yes and no, or a closed list of its own."""
    if column.kind == "boolean":
        return YES_NO
    return {word: word for word in CLOSED.get(column.name, ())} if column.kind == "category" else {}


def _constant(column: Column, source: Source, company: Company) -> str:
    value = source.constants.get(column.name)
    if value == ROW:
        return "_file || ':' || (_row + 1)"
    if value is None and source.table == "sales":
        value = {"line_id": "1", "currency": company.currency}.get(column.name)
    return f"CAST({engine.literal(value)} AS {TYPES.get(column.kind, 'VARCHAR')})"


def column_checks(source: Source, company: Company) -> list[Check]:
    """What makes a record unusable, column by column, in the order in which the first one decides."""
    key = TABLES[source.table].key
    first = [c.name for c in mapped(source)[:1]] or [""]
    checks = [Check("FMT-FOOTER", first[0], "quarantined", nw.col("f_footer"))]
    for column in mapped(source):
        name, text = column.name, nw.col(f"t_{column.name}")
        if column.kind == "id":
            checks.append(Check("ID-PRECISION", name, "quarantined", nw.col(f"f_precision_{name}")))
        if name in key or (column.kind == "id" and column.required):
            checks.append(Check("KEY-MISSING", name, "quarantined", text.is_null()))
        elif column.required and column.kind not in NUMERIC:
            checks.append(Check("MISS-VALUE", name, "quarantined", text.is_null()))
        unread = ~text.is_null() & nw.col(name).is_null() if column.kind not in ("id", "text", "comment") else None
        if column.kind in NUMERIC:
            checks += _number_checks(column, unread, source)
        elif column.kind == "timestamp":
            checks += _time_checks(column, source)
        elif column.kind == "boolean":
            checks.append(Check("BOOL-MAP", name, "quarantined", unread))
        elif column.kind == "category" and name == "instrument":
            checks.append(Check("SURVEY-KIND", name, "quarantined", ~nw.col(name).is_in(list(source.instruments))))
        elif column.kind == "category" and is_closed(column, source):
            checks.append(Check("CAT-MAP", name, "quarantined", unread))
    return checks


def _number_checks(column: Column, unread: nw.Expr, source: Source) -> list[Check]:
    name, value = column.name, nw.col(column.name)
    checks = []
    if source.decimal is None:
        checks.append(Check("NUM-LOCALE", name, "refused", unread & nw.col(f"f_point_{name}")))
    checks += [Check("NUM-FINITE", name, "quarantined", unread & nw.col(f"f_infinite_{name}")),
               Check("NUM-LOCALE", name, "quarantined", unread)]
    if column.minimum is not None:
        checks.append(Check("NUM-RANGE", name, "quarantined", value < column.minimum))
    if column.maximum is not None:
        checks.append(Check("NUM-RANGE", name, "quarantined", value > column.maximum))
    return checks


def _time_checks(column: Column, source: Source) -> list[Check]:
    name = column.name
    unread = ~nw.col(f"t_{name}").is_null() & nw.col(f"l_{name}").is_null() & nw.col(f"u_{name}").is_null()
    is_epoch = any(form in engine.EPOCHS for form in source.timestamps)
    checks = []
    if source.time_zone is None:
        checks.append(Check("TIME-ZONE", name, "refused", ~nw.col(f"l_{name}").is_null()))
    if source.format == "xlsx":
        checks.append(Check("XLS-DATE", name, "quarantined", unread & nw.col(f"f_serial_{name}")))
    checks += [Check("DATE-RANGE", name, "quarantined", unread & nw.col(f"f_calendar_{name}")),
               Check("DATE-FMT", name, "quarantined", unread),
               Check("TIME-GAP", name, "quarantined", nw.col(f"f_gap_{name}")),
               Check("DATE-EPOCH" if is_epoch else "DATE-RANGE", name, "quarantined",
                     ~nw.col(f"t_{name}").is_null() & nw.col(f"f_range_{name}"))]
    if not name.startswith("promised"):
        checks.append(Check("DATE-FUTURE", name, "quarantined", nw.col(f"f_future_{name}")))
    return checks


def worded(source: Source) -> list[str]:
    """The mapped columns in which a line of totals can name itself: all but numbers and comments."""
    return [c.name for c in mapped(source) if c.kind not in (*NUMERIC, "comment")]


def flags(source: Source) -> dict[str, str]:
    """f_<what>_<canonical>: facts about texts that the rules ask for; what is rare is asked only where it can be."""
    columns = mapped(source)
    identity = [f"t_{c.name}" for c in columns if c.kind in ("id", "timestamp")]
    found = {"f_footer": footer.is_total([f"t_{name}" for name in worded(source)] + [f"x_{n}" for n in source.extra],
                                         identity)}
    if source.extra:
        found["f_mojibake_x"] = " OR ".join(_twisted(f"x_{name}") for name in source.extra)
    if source.table == "surveys":
        found["f_quality"] = is_careless(source)
    for column in columns:
        name, text = column.name, f"t_{column.name}"
        if column.kind == "id":
            scientific = f"regexp_full_match({text}, {engine.literal(SCIENTIFIC)})"
            found[f"f_formula_{name}"] = f"e_{name}"
            found[f"f_mojibake_{name}"] = _twisted(text)
            found[f"f_precision_{name}"] = (f"CASE WHEN contains({text}, 'E') OR contains({text}, 'e') "
                                            f"THEN {scientific} ELSE FALSE END")
        elif column.kind in NUMERIC:
            found |= _number_flags(name, text)
            if column.kind == "money":
                digits = engine.number(text, source.decimal, source.thousands, f"b_{name}")
                rounded = engine.is_rounded(digits, number_kind(column, source))
                many = f"regexp_matches({text}, '\\d{{5}}')"
                found[f"f_rounded_{name}"] = f"CASE WHEN {many} THEN {rounded} ELSE FALSE END"
        elif column.kind == "timestamp":
            unread = f"{text} IS NOT NULL AND l_{name} IS NULL AND u_{name} IS NULL"
            for what, test in (("serial", f"regexp_full_match({text}, '\\d+([.,]\\d+)?')"),
                               ("calendar", _no_day(text, source))):
                found[f"f_{what}_{name}"] = f"CASE WHEN {unread} THEN {test} ELSE FALSE END"
        elif column.kind in ("comment", "text") or (column.kind == "category" and not is_closed(column, source)):
            odd = f"NOT regexp_full_match({text}, '[ -~]*')"
            test = f"regexp_matches({text}, {engine.literal(engine.INVISIBLE_TEXT)})"
            bent = f"{text} <> nfc_normalize({text}) OR regexp_matches({text}, {engine.literal(engine.WIDE_BLANKS)})"
            found[f"f_bent_{name}"] = f"CASE WHEN {odd} THEN {bent} ELSE FALSE END"
            found[f"f_control_{name}"] = f"CASE WHEN {odd} THEN {test} ELSE FALSE END"
            found[f"f_mojibake_{name}"] = _twisted(text)
    return found


def _twisted(text: str) -> str:
    return f"CASE WHEN NOT regexp_full_match({text}, '[ -~]*') THEN {engine.is_twisted(text)} ELSE FALSE END"


def is_careless(source: Source) -> str:
    """A questionnaire that its tool calls unfinished, that took some seconds (`finished` and `duration_s` under
    `extra`), or that holds one and the same answer to four questions or more."""
    tests = []
    if "finished" in source.extra:
        tests.append(f"NOT {engine.looked_up('x_finished', YES_NO)}")
    if "duration_s" in source.extra:
        tests.append(f"try_cast(x_duration_s AS DOUBLE) < {FEWEST_SECONDS}")
    cells = [f"s_{name}" for name, kind in source.instruments.items() if kind.column]
    if len(cells) >= STRAIGHT:
        tests.append(" AND ".join(f"{engine.quoted(cells[0])} = {engine.quoted(cell)}" for cell in cells[1:]))
    return f"coalesce({' OR '.join(f'coalesce({test}, FALSE)' for test in tests) or 'FALSE'}, FALSE)"


def is_closed(column: Column, source: Source) -> bool:
    """Whether a category takes declared words only."""
    return column.name in source.words or column.name in CLOSED or column.name == "instrument"


def _number_flags(name: str, text: str) -> dict[str, str]:
    dressed = f"CASE WHEN NOT m_{name} THEN {{}} ELSE FALSE END"
    unread = f"CASE WHEN {text} IS NOT NULL AND {name} IS NULL THEN {{}} ELSE FALSE END"
    infinite = (f"regexp_full_match({text}, '(?i)[+-]?(inf(inity)?|nan)|[+-]?\\d+([.,]\\d+)?e[+-]?\\d+') "
                f"OR length(regexp_replace({text}, '\\D', '', 'g')) > 14")
    return {f"f_dressed_{name}": dressed.format(engine.is_dressed(text)),
            f"f_turned_{name}": dressed.format(engine.is_turned(text)),
            f"f_point_{name}": unread.format(f"regexp_matches({text}, '\\d[.,]\\d')"),
            f"f_infinite_{name}": unread.format(f"CASE WHEN m_{name} AND strlen({text}) <= 14 THEN FALSE "
                                                f"ELSE {infinite} END")}


def plainly(source: Source) -> dict[str, str]:
    """p_<canonical>: whether a number is written plainly; m_<canonical>: digits, points and commas and nothing else."""
    return {name: f"coalesce({test}, TRUE)" for c in mapped(source) if c.kind in NUMERIC for name, test in (
        (f"p_{c.name}", engine.is_plain(f"t_{c.name}", source.decimal, source.thousands)),
        (f"m_{c.name}", f"regexp_full_match(t_{c.name}, '[+-]?[\\d.,]*\\d')"))}


def bared(source: Source) -> dict[str, str]:
    """b_<canonical>: the number behind currency and odd signs, only where it is not written plainly."""
    return {f"b_{c.name}": f"CASE WHEN p_{c.name} THEN NULL WHEN m_{c.name} THEN t_{c.name} "
                           f"ELSE {engine.bare_number(f't_{c.name}')} END"
            for c in mapped(source) if c.kind in NUMERIC}


def _no_day(text: str, source: Source) -> str:
    """Looks like a declared format and names no day of the calendar: 31/02, 00/00; not 04/13 (another convention)."""
    tests = [f"regexp_full_match({text}, '\\d{{4}}-\\d{{2}}-\\d{{2}}.*')"] if "iso8601" in formats(source) else []
    for form in source.timestamps:
        if "%" in form:
            pattern = engine.shape(form)
            month = f"regexp_extract({text}, {engine.literal(engine.shape(form, '%m'))}, 1)"
            tests.append(f"(regexp_full_match({text}, {engine.literal(pattern)}) AND "
                         f"coalesce(try_cast(nullif({month}, '') AS INTEGER), 0) <= 12{_names_month(text, form)})")
    return " OR ".join(tests) or "FALSE"


def _names_month(text: str, form: str) -> str:
    """More of a condition, where the format has the name of a month: it is the name of one."""
    return f" AND {engine.month_number(text, form)} IS NOT NULL" if "%b" in form or "%B" in form else ""


def note_checks(source: Source) -> list[Check]:
    """What was repaired or is worth a warning; none of it keeps a record out."""
    notes = []
    for column in mapped(source):
        name, flag = column.name, (lambda what, name=column.name: nw.col(f"f_{what}_{name}"))
        if column.kind in NUMERIC:
            notes += [Check("NUM-CURR", name, "repaired", flag("dressed")),
                      Check("NUM-SIGN", name, "repaired", flag("turned"))]
            notes += [Check("NUM-ROUND", name, "repaired", flag("rounded"))] if column.kind == "money" else []
        elif column.kind == "timestamp":
            notes.append(Check("TIME-FOLD", name, "repaired", flag("fold")))
        elif column.kind in ("comment", "text") or (column.kind == "category" and not is_closed(column, source)):
            notes += [Check("TXT-CTRL", name, "repaired", flag("control")),
                      Check("TXT-NORM", name, "repaired", flag("bent"))]
            notes.append(Check("ENC-MOJIBAKE", name, "warned", flag("mojibake")))
        elif column.kind == "id":
            notes += [Check("KEY-FORMULA", name, "repaired", flag("formula")),
                      Check("ENC-MOJIBAKE", name, "warned", flag("mojibake"))]
        if column.kind == "comment":
            notes.append(Check("TXT-XLIMIT", name, "warned", nw.col(f"t_{name}").str.len_chars() == 32767))
        if name == "customer_id" and source.table != "customers":
            notes.append(Check("KEY-NULL", name, "warned", nw.col(f"t_{name}").is_null()))
    if source.extra:
        notes.append(Check("ENC-MOJIBAKE", f"x_{next(iter(source.extra))}", "warned", nw.col("f_mojibake_x")))
    return notes
