"""What the tables need and Narwhals lacks, written for DuckDB: small functions that return one SQL expression each.

Another engine is another module with these names. `derive` is the one place where such text meets a Narwhals frame.
"""

import os
import re
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw

BLANKS = "\t\n\r\v\f \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u3000"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
WIDE_BLANKS = "[\u00a0\u2007\u202f]"  # unbreakable: to the eye they are blanks
INVISIBLE_TEXT = "[\\x01-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\u202a-\u202e\u2066-\u2069]"
# Two bytes of UTF-8 read as two letters: by windows-1252, latin-1 or Mac Roman. IRMÃ” and MAÇÃ… are Portuguese.
TWISTED = ("Ã[\u0080-\u00bfƒŠŒŽšœžŸˆ‰˜™€‚„†‡‹]|Ã[‘’“”•–—…›][[:alpha:]]|"
           "Â[\u00a0-\u00bf]|â€|â[\u0080-\u009f]|√[±©°≠≥∫≤¢]|\ufffd")
WIDE_DIGITS = ("０１２３４５６７８９", "0123456789")
CURRENCIES = {"€": "EUR", "£": "GBP", "¥": "JPY", "R$": "BRL", "US$": "USD", "S/": "PEN", "CHF": "CHF"}
DOLLARS = ("USD", "MXN", "ARS", "CLP", "COP", "CAD", "AUD")
PLACES = {"money": 4, "price": 8}  # decimals that are kept; those of a price, until it is multiplied
EXACT = {"money": "DECIMAL(18,4)", "price": "DECIMAL(22,8)"}
REST = "[A-Z]{3}|US\\$|R\\$|S/|[€$£¥]"  # how a currency is written beside an amount


def connect(workdir: Path, memory: str = "") -> duckdb.DuckDBPyConnection:
    """A database in memory that spills to `workdir` beyond `memory` (or VIVENCIA_MEMORY, else 1500MB); threads and
    zone fixed so that results repeat."""
    memory = memory or os.environ.get("VIVENCIA_MEMORY", "1500MB")
    threads = int(os.environ.get("VIVENCIA_THREADS", "2"))
    spill = workdir / "spill"
    con = duckdb.connect(config={"threads": threads, "memory_limit": memory, "temp_directory": str(spill),
                                 "preserve_insertion_order": True})
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")  # our own sentences tell how far it is
    return con


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A Python value as a literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def first(con: duckdb.DuckDBPyConnection, sql: str, values: list | None = None) -> tuple | None:
    """The first row of a query, fetched to its end so that the connection is free again."""
    rows = con.execute(sql, values).fetchall()
    return rows[0] if rows else None


def frame(con: duckdb.DuckDBPyConnection, sql: str) -> nw.LazyFrame:
    """A query as a lazy Narwhals frame."""
    return nw.from_native(con.sql(sql))


def derive(table: nw.LazyFrame, columns: dict[str, str], keep: list[str] | None = None) -> nw.LazyFrame:
    """The frame with more columns (name -> expression); with `keep`, only those of its own columns."""
    relation = table.to_native()
    own = [duckdb.StarExpression()] if keep is None else [duckdb.ColumnExpression(name) for name in keep]
    new = [duckdb.SQLExpression(sql).alias(name) for name, sql in columns.items()]
    return nw.from_native(relation.select(*own, *new)) if own or new else table


def create_table(con: duckdb.DuckDBPyConnection, name: str, table: nw.LazyFrame) -> None:
    """Run the frame and keep its rows, in order, as table `name`."""
    con.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
    table.to_native().create(name)


def scan_csv(path: Path, width: int, delimiter: str, quote: str, skip: int) -> str:
    """The strict reader as a table function: all text, nothing detected, lines that are no record set aside."""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
    return (f"read_csv({literal(str(path))}, columns = {{{columns}}}, auto_detect = false, header = false, "
            f"skip = {skip}, delim = {literal(delimiter)}, quote = {literal(quote)}, escape = {literal(quote)}, "
            "comment = '', strict_mode = true, null_padding = false, store_rejects = true, rejects_limit = 0, "
            "rejects_table = 'csv_rejects', rejects_scan = 'csv_scans')")


def take_rejects(con: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    """(byte offset of the line, kind of error, the line) of what the last scan set aside; clears the list."""
    rows = con.execute("SELECT line_byte_position, error_type, csv_line FROM csv_rejects "
                       "ORDER BY line_byte_position, byte_position").fetchall()
    con.execute("DROP TABLE csv_rejects; DROP TABLE csv_scans")
    lead = [len(line) - len(line.lstrip("\r\n")) for _, _, line in rows]
    return [(at - 1 + more, kind, line.strip("\r\n")) for (at, kind, line), more in zip(rows, lead, strict=True)]


def tidy(x: str, missing: list[str]) -> str:
    """Text without outer blanks; the declared words for missing, and nothing at all, become null."""
    bare = f"trim({x}, {literal(BLANKS)})"
    words = ", ".join(literal(word.strip()) for word in dict.fromkeys(["", *missing]))
    ends = f"{x} >= '!' AND {x} < '\x7f' AND {x}[-1] BETWEEN '!' AND '~'"  # nothing to trim: 12 x faster
    return (f"CASE WHEN {x} IN ({words}) THEN NULL WHEN {ends} THEN {x} "
            f"WHEN {bare} IN ({words}) THEN NULL ELSE {bare} END")


def looked_up(x: str, words: dict[str, Any], otherwise: str = "NULL") -> str:
    """The value that a closed map gives for a text; case and inner blanks do not matter."""
    if not words:
        return otherwise
    exact = " ".join(f"WHEN {literal(word)} THEN {literal(value)}" for word, value in words.items())
    loose = " ".join(f"WHEN {literal(fold(word))} THEN {literal(value)}" for word, value in words.items())
    loosely = f"CASE {folded(x)} {loose} ELSE {otherwise} END"
    return f"CASE WHEN {x} IS NULL THEN NULL ELSE CASE {x} {exact} ELSE {loosely} END END"


def fold(word: str) -> str:
    return re.sub(r"\s+", " ", word.strip()).lower()


def folded(x: str) -> str:
    return f"regexp_replace(lower(nfc_normalize({x})), '\\s+', ' ', 'g')"


def _plain(decimal: str | None, thousands: str | None) -> tuple[str, str]:
    """Patterns of a number written plainly and of one with grouped thousands."""
    point = f"(?:{re.escape(decimal)}\\d+)?" if decimal else ""
    group = {" ": "[ \u00a0\u202f]", "'": "['’]"}.get(thousands or "", re.escape(thousands or ","))
    return f"[+-]?\\d+{point}", f"[+-]?\\d{{1,3}}(?:{group}\\d{{3}})+{point}" if thousands else "\\b\\B"


def is_plain(x: str, decimal: str | None, thousands: str | None, kind: str = "") -> str:
    """Whether a text is a number written plainly: most are, and need nothing of what follows. kind: money or
    price, when it must hold its decimals too."""
    plain = _plain(decimal, thousands)[0]
    if kind in PLACES:
        plain = plain.replace("d+)?", f"d{{1,{PLACES[kind]}}}0*)?")
    return f"regexp_full_match({x}, {literal(plain)})"


def is_rounded(digits: str, kind: str) -> str:
    """Whether digits with a point have more decimals than money (or a price) keeps (NUM-ROUND)."""
    return f"coalesce(regexp_matches({digits}, '[.]\\d{{{PLACES[kind]}}}\\d*[1-9]'), FALSE)"


def number(x: str, decimal: str | None, thousands: str | None, bare: str = "") -> str:
    """The digits of a number as text with a point, null when it is not written in the declared convention.

    Beside the plain form: a currency before or after, blanks at the ends, a true minus sign, a minus behind,
    brackets for negative. Nothing else is a number; exponents, inf and nan are not. bare: a column that holds
    `bare_number(x)` already.
    """
    plain, grouped = _plain(decimal, thousands)
    point = f"replace({{}}, {literal(decimal)}, '.')" if decimal and decimal != "." else "{}"
    strip = {" ": " \u00a0\u202f", "'": "'’"}.get(thousands or "", thousands or "")
    bare = bare or bare_number(x)
    ungrouped = f"translate({bare}, {literal(strip)}, '')" if strip else bare
    return (f"CASE WHEN regexp_full_match({x}, {literal(plain)}) THEN {point.format(x)} "
            f"WHEN regexp_full_match({bare}, {literal(plain)}) THEN {point.format(bare)} "
            f"WHEN regexp_full_match({bare}, {literal(grouped)}) THEN {point.format(ungrouped)} END")


def bare_number(x: str) -> str:
    """A number without its currency, its minus in front."""
    unsigned = _undressed(f"translate({x}, '−﹣－', '---')")
    turned = f"regexp_replace({unsigned}, '^\\((.*)\\)$|^([^-].*)-$', '-\\1\\2')"
    return _undressed(turned)


def _undressed(x: str) -> str:
    space = "[\\s\u00a0\u202f]*"
    return f"regexp_replace({x}, '^(-?){space}(?:{REST}){space}|{space}(?:{REST})$', '\\1', 'g')"


def is_dressed(x: str) -> str:
    """Whether a number carries a currency sign (NUM-CURR)."""
    return f"coalesce(regexp_matches({x}, '{REST}'), FALSE)"


def is_turned(x: str) -> str:
    """Whether its minus is written in an unusual way (NUM-SIGN)."""
    return f"coalesce(regexp_matches({x}, '[−﹣－(]|-$'), FALSE)"


def currency_of(x: str, base: str) -> str:
    """ISO code of the currency written beside an amount; null when there is none."""
    dollar = base if base in DOLLARS else "USD"
    codes = CURRENCIES | {"$": dollar}
    cases = " ".join(f"WHEN {literal(sign)} THEN {literal(code)}" for sign, code in codes.items())
    sign = f"regexp_extract({x}, '{REST}')"
    return f"CASE WHEN {x} IS NULL THEN NULL ELSE nullif(CASE {sign} {cases} ELSE {sign} END, '') END"


def cast(x: str, kind: str) -> str:
    """Digits with a point as money or a price (exact), whole number or number; null when out of range."""
    if kind == "integer":
        return f"try_cast(regexp_extract({x}, '^([+-]?\\d+)(?:\\.0+)?$', 1) AS BIGINT)"
    return f"try_cast({x} AS {EXACT.get(kind, 'DOUBLE')})"


def is_twisted(x: str) -> str:
    """Whether a text shows letters that were decoded wrongly (ENC-MOJIBAKE)."""
    return f"coalesce(regexp_matches({x}, {literal(TWISTED)}), FALSE)"


def forced_text(x: str) -> str:
    """What stands in a cell that a spreadsheet was made to take for text: ="0007" as 0007."""
    return f"regexp_replace({x}, '^=\"([^\"]*)\"$', '\\1')"


def visible(x: str) -> str:
    """The text without control characters and marks that turn its direction, in one Unicode form, its blanks plain:
    what looks alike is alike."""
    shown = f"nfc_normalize(regexp_replace({x}, {literal(INVISIBLE_TEXT)}, '', 'g'))"
    shown = f"regexp_replace({shown}, {literal(WIDE_BLANKS)}, ' ', 'g')"
    return f"CASE WHEN regexp_full_match({x}, '[ -~]*') THEN {x} ELSE {shown} END"


def shape(form: str, caught: str = "") -> str:
    """A pattern for what a strptime format looks like, whatever the numbers; the part `caught` is a group."""
    parts = {"%d": r"\d{1,2}", "%m": r"\d{1,2}", "%Y": r"\d{2,4}", "%y": r"\d{2}", "%H": r"\d{1,2}", "%M": r"\d{1,2}",
             "%S": r"\d{1,2}", "%f": r"\d+", "%I": r"\d{1,2}", "%p": HALF, "%z": r"(?:Z|[+-]\d\d:?\d\d)",
             "%b": MONTH, "%B": MONTH}
    found = []
    for part in re.findall(r"%-?[A-Za-z]|.", form):
        pattern = parts.get(part.replace("-", "") if part.startswith("%") else part,
                            "[[:alpha:]]+" if part.startswith("%") else re.escape(part))
        found.append(f"({pattern})" if part == caught else pattern)
    return "".join(found)


def instant(x: str, formats: list[str]) -> tuple[str, str]:
    """(local time without zone, UTC) for a text under the declared formats, in their order; null where unmatched."""
    local, utc = [], []
    whole = x
    for form in formats:
        x = whole
        if form in EPOCHS:
            utc.append(EPOCHS[form].format(x=x))
        elif form == "excel_serial":
            days = f"CAST(replace({x}, ',', '.') AS DOUBLE)"  # a Spanish spreadsheet writes a decimal comma
            local.append(f"CASE WHEN regexp_full_match({x}, '\\d{{1,6}}([.,]\\d+)?') THEN TIMESTAMP '1899-12-30' + "
                         f"to_microseconds(CAST(round({days} * 86400) AS BIGINT) * 1000000) END")
        elif form == "iso8601":
            x = f"regexp_replace({x}, '(:[0-9.,]*) +(Z|[+-])', '\\1\\2')"  # a blank before the zone
            text = f"replace({x}, ' ', 'T')"
            local.append(f"CASE WHEN regexp_full_match({text}, {literal(ISO)}) THEN try_cast({x} AS TIMESTAMP) END")
            utc.append(f"CASE WHEN regexp_full_match({text}, {literal(ISO + OFFSET)}) THEN "
                       f"make_timestamp(epoch_us(try_cast({x} AS TIMESTAMPTZ))) END")
        elif "%z" in form:
            text = f"regexp_replace({x}, 'Z$', '+00:00')"
            utc.append(f"make_timestamp(epoch_us(try_strptime({text}, {literal(form)})))")
        else:
            local.append(_guarded(x, form))
    none = "CAST(NULL AS TIMESTAMP)"
    return tuple(f"coalesce({', '.join(parts)}, NULL)" if parts else none for parts in (local, utc))


def _guarded(x: str, form: str) -> str:
    """try_strptime where its separators stand in the text: a failure costs the engine ten times a success."""
    signs = [sign for sign in dict.fromkeys(re.sub("%-?[A-Za-z]", "", form)) if sign.isascii() and not sign.isspace()]
    tests = " AND ".join(f"contains({x}, {literal(sign)})" for sign in signs)
    parsed = f"try_strptime({x}, {literal(form)})"
    if any(part in form for part in ("%b", "%B", "%p")):
        parsed = f"coalesce({_worded(x, form)}, {parsed})"
    return f"CASE WHEN {tests} THEN {parsed} END" if tests else parsed


def _worded(x: str, form: str) -> str:
    """try_strptime of a text whose month or half of the day is a word of Spanish or English: 2 de enero, 8:00 a. m."""
    if "%p" in form:
        x = f"regexp_replace(translate({x}, '\u00a0\u202f', '  '), '([0-9 ])([AaPp])[.]? ?[Mm]\\b[.]?', '\\1\\2M')"
    if named := next((part for part in ("%B", "%b") if part in form), ""):
        before, after = (shape(piece) for piece in form.split(named, 1))
        whole = literal(f"^({before}){MONTH}({after})$")
        x = f"regexp_replace({x}, {whole}, '\\1' || {month_number(x, form)} || '\\2')"
        form = form.replace(named, "%m", 1)
    return f"try_strptime({x}, {literal(form)})"


def month_number(x: str, form: str) -> str:
    """Two digits of the month that a text names where the format has its name, in Spanish or English, whole or
    shortened; null where it names none."""
    named = "%B" if "%B" in form else "%b"
    word = f"lower(rtrim(regexp_extract({x}, {literal(f'^{shape(form, named)}$')}, 1), '.'))"
    cases = " ".join(f"WHEN {literal(name)} THEN '{number:02d}'" for name, number in MONTHS.items())
    return f"CASE {word} {cases} END"


def quick_instant(x: str, formats: list[str]) -> tuple[str, str]:
    """As `instant`, over a text as it stands; null wherever that is not sure to be the same."""
    none = "CAST(NULL AS TIMESTAMP)"
    if formats == ["iso8601"]:  # the engine's own way of writing a time, T for the blank, Z behind
        whole = f"CASE WHEN strlen({x}) IN (10, 19, 20) THEN try_cast({x} AS TIMESTAMP) END"
        full = f"replace(CAST({whole} AS VARCHAR), ' ', 'T')"
        local = f"CASE WHEN {full} IN (replace({x}, ' ', 'T'), {x} || 'T00:00:00') THEN {whole} END"
        return local, f"CASE WHEN {full} || 'Z' = replace({x}, ' ', 'T') THEN {whole} END"
    if formats and all("%" in form and "%z" not in form for form in formats):
        return f"coalesce({', '.join(_guarded(x, form) for form in formats)}, NULL)", none
    return instant(f"nullif({x}, '')", formats)


def quick_words(x: str, words: dict[str, Any], otherwise: str) -> str:
    """The value of a text that is exactly one of the words."""
    bare = {word: value for word, value in words.items() if word and word == word.strip(BLANKS)}
    cases = " ".join(f"WHEN {literal(word)} THEN {literal(value)}" for word, value in bare.items())
    return f"CASE {x} {cases} ELSE {otherwise} END" if bare else otherwise


ISO = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?"
OFFSET = r"\s*(Z|[+-]\d{2}(:?\d{2})?)"
MONTH, HALF = "[[:alpha:]]+[.]?", "[AaPp][.]?[ \u00a0\u202f]?[Mm][.]?"
MONTHS = {name: number for names in (
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ene feb mar abr may jun jul ago sep oct nov dic", "_ _ _ _ _ _ _ _ setiembre _ _ _", "_ _ _ _ _ _ _ _ sept _ _ _",
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec", "_ _ _ _ _ _ _ _ set _ _ _")
    for number, name in enumerate(names.split(), 1) if name != "_"}
EPOCHS = {
    "epoch_s": "CASE WHEN regexp_full_match({x}, '\\d{{1,10}}') THEN make_timestamp({x}::BIGINT * 1000000) END",
    "epoch_ms": "CASE WHEN regexp_full_match({x}, '\\d{{1,15}}') THEN make_timestamp({x}::BIGINT * 1000) END",
}


def normal_id(x: str, is_exact: bool = False) -> str:
    """An id as it is hashed: no blanks around, nothing invisible, one Unicode form, one case; as it is where exact."""
    if is_exact:
        return x
    full = f"lower(nfc_normalize(trim(translate({x}, {literal(INVISIBLE)}, ''), {literal(BLANKS)})))"
    return (f"CASE WHEN {is_bare(x)} THEN lower({x}) WHEN strlen({x}) = length({x}) "
            f"THEN lower(trim({x}, {literal(BLANKS)})) ELSE {full} END")


def is_bare(x: str) -> str:
    """Whether a text is ASCII with something to see at both ends: no blanks to trim, no accents, nothing invisible."""
    return f"strlen({x}) = length({x}) AND {x} >= '!' AND {x}[-1] BETWEEN '!' AND '~'"


def is_untidy(x: str) -> str:
    """Whether an id carries blanks around it, invisible marks or split accents."""
    full, bare = (f"trim({text}, {literal(BLANKS)})" for text in (f"translate({x}, {literal(INVISIBLE)}, '')", x))
    return (f"CASE WHEN {is_bare(x)} THEN FALSE WHEN strlen({x}) = length({x}) THEN {bare} <> {x} "
            f"ELSE {full} <> {x} OR nfc_normalize({x}) <> {x} END")


def minus_seconds(moment: str, seconds: str) -> str:
    return f"make_timestamp(epoch_us({moment}) - ({seconds}) * 1000000)"


def has_clock(x: str) -> str:
    """Whether a time was written with its hour, not as a date alone."""
    return f"coalesce(regexp_matches({x}, '[:T]'), FALSE)"


def narrow_digits(x: str) -> str:
    """Full-width digits as ordinary ones."""
    return f"translate({x}, {literal(WIDE_DIGITS[0])}, {literal(WIDE_DIGITS[1])})"
