"""An inspection as a source for params.yaml: what was found, and TELL where only the company knows."""

import re
from dataclasses import dataclass
from glob import escape
from typing import Any

from pipeline.contracts.presets import load_preset
from pipeline.contracts.tables import TABLES
from pipeline.ingest import meaning
from pipeline.ingest.columns import CLOSED, SCORE_PARTS, YES_NO
from pipeline.ingest.contract import TELL
from pipeline.ingest.evidence_columns import Column
from pipeline.ingest.evidence_dates import spelled
from pipeline.ingest.inspect import Inspection
from pipeline.ingest.questions import ask_ids, ask_shares, ask_silent, open_time, which_amount, which_header

DEFAULTS = {"encoding": "utf-8", "delimiter": ",", "quote": '"', "header_rows": 1, "skip_rows": 0}
KEYS = ("preset", "table", "folder", "files", "format", "sheet", "records", "encoding", "delimiter", "quote",
        "header_rows", "skip_rows", "decimal", "thousands", "timestamps", "time_zone", "missing", "columns",
        "constants", "words", "instruments")


@dataclass(frozen=True)
class Proposal:
    """name of the source; raw: its keys as params.yaml takes them; told: what must be told, key -> sentence (the
    values that are texts carry it themselves); later: lines for the block to be uncommented once they are told."""

    name: str
    raw: dict[str, Any]
    told: dict[str, str]
    later: tuple[str, ...] = ()


def propose(found: Inspection) -> Proposal:
    """The source that these findings make, with every open question marked."""
    raw: dict[str, Any] = {"folder": str(found.path.parent), "files": escape(found.path.name), "format": found.format}
    told: dict[str, str] = {}
    given = load_preset(found.tool.name)["source"] if found.tool else {}
    if found.tool:
        raw["preset"] = found.tool.name
    raw["table"] = found.table or (f"{TELL} {', '.join(TABLES)}? ({found.table_why}); `inspect --table NAME FILE` "
                                   "then says which header feeds which column")
    _dialect(found, raw, told)
    _numbers(found, raw, told)
    _times(found, raw, given)
    sure, perhaps = found.missing
    if sure:
        raw["missing"] = ["", *sure]
    if perhaps:
        told["missing"] = f"is {' or '.join(map(repr, perhaps))} a value, or missing? If missing, add it to `missing`"
    _columns(found, raw, given, told)
    ask_ids(found, told)
    ask_silent(found, given, told)
    ask_shares(found, told)
    later = _instruments(found, told) if found.table == "surveys" and not given.get("instruments") else ()
    kept = {key: raw[key] for key in KEYS if key in raw
            and (key in ("table", "format") or raw[key] != given.get(key, DEFAULTS.get(key)))}
    told |= {key: str(value) for key, value in _asked(kept)}
    name = re.sub(r"[^a-z0-9]+", "_", meaning.plain(found.path.stem)).strip("_") or "export"
    return Proposal(name if name[0].isalpha() else f"export_{name}", kept, told, later)


def _asked(value: Any, where: str = ""):
    if isinstance(value, str) and value.startswith(TELL):
        yield where, value.removeprefix(TELL).strip()
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from _asked(item, f"{where}.{key}".strip("."))
    for item in value if isinstance(value, list) else ():
        yield from _asked(item, where)


def _dialect(found: Inspection, raw: dict[str, Any], told: dict[str, str]) -> None:
    if found.format in ("csv", "xlsx"):
        raw["header_rows"], raw["skip_rows"] = found.header_rows, found.skip_rows
    if len(found.sheets) > 1:
        raw["sheet"] = f"{TELL} which sheet? {', '.join(found.sheets)} (the first named here was looked at)"
    if found.lists:
        raw["records"] = found.lists[0] if len(found.lists) == 1 else \
            f"{TELL} which list? {', '.join(found.lists)} (the first was looked at)"
    if found.sample:
        raw["encoding"] = found.sample.encoding or f"{TELL} {found.sample.why}"
    if found.layout:
        raw["delimiter"], raw["quote"] = found.layout.delimiter, found.layout.quote
        if not found.layout.quote and not found.sample.whole:
            raw["quote"] = f"{TELL} quotes stand inside texts and enclose none of those looked at; if they enclose " \
                           "none at all (inches), an empty text here"
        if found.layout.perhaps:
            sign = found.layout.perhaps
            raw["delimiter"] = f"{TELL} does {sign!r} stand between the columns? It splits every line alike: then " \
                               f"{sign!r}"
        elif not found.layout.is_sure:
            raw["delimiter"] = f"{TELL} no comma, semicolon, tab or bar splits most records alike: does a blank? " \
                "For a single column of texts, give a sign that stands in none of them"
        if found.layout.skips_values:
            told["skip_rows"] = (f"no header is found and {found.skip_rows} lines above the first whole record would "
                                 "be left out: is one of them a broken header, or a record?")


def _numbers(found: Inspection, raw: dict[str, Any], told: dict[str, str]) -> None:
    numbers = found.numbers
    if numbers.decimal:
        raw["decimal"] = numbers.decimal
        if numbers.thousands:
            raw["thousands"] = numbers.thousands
    elif numbers.contradicting:
        told["decimal"] = (f"{numbers.deciding[0][1]!r} (line {numbers.deciding[0][0]}) and "
                           f"{numbers.contradicting[0][1]!r} (line {numbers.contradicting[0][0]}) cannot both be read: "
                           'give `decimal: ","` or `decimal: "."`; the others go to quarantine')
    elif numbers.ambiguous:
        line, text = numbers.ambiguous[0]
        told["decimal"] = f"is {text!r} (line {line}) a thousand or a fraction? Give `decimal`, and `thousands` if used"


def _times(found: Inspection, raw: dict[str, Any], given: dict[str, Any]) -> None:
    dates = found.dates
    mapped = found.table is None or any(found.columns[h].kind == "time" for h in found.mapped.values())
    if not dates.formats or not (mapped or open_time(found)):
        return
    undecided = [form for form in dates.formats if "{a}" in form]
    if undecided:
        ways = " or ".join(spelled(undecided[0], first) for first in (True, False))
        cell = dates.open or (dates.deciding or (None,))[0]
        both = f"; {dates.contradicting[0][1]} needs the other order" if dates.contradicting else ""
        raw["timestamps"] = [f"{TELL} {ways}? {cell[1] if cell else ''} can be read both ways{both}"
                             if not both else f"{TELL} {ways}? {dates.deciding[0][1]} needs the first{both}"]
        raw["timestamps"] += [form for form in dates.formats if form not in undecided]
    elif not set(dates.formats) <= {*given.get("timestamps", ()), *(["iso8601"] if given.get("timestamps") else ())}:
        raw["timestamps"] = list(dates.formats)
    if dates.turned and "timestamps" in raw:
        raw["timestamps"].insert(0, f"{TELL} all dates like {dates.turned[1]} have days up to 12, all like "
                                 f"{dates.deciding[0][1]} days above: did a spreadsheet change day and month of the "
                                 "former? Then export anew, as text; if not, the formats alone")
    if given.get("time_zone") or dates.zone == "offset":
        return
    raw["time_zone"] = "UTC" if found.says_utc or dates.zone == "UTC" else \
        f"{TELL} where did the clock hang that wrote these times? For instance Europe/Madrid or UTC"


def _columns(found: Inspection, raw: dict[str, Any], given: dict[str, Any], told: dict[str, str]) -> None:
    theirs = given.get("columns", {})
    columns = {name: head for name, head in found.mapped.items() if theirs.get(name) != head}
    columns |= {name: None for name, head in theirs.items() if head not in found.columns and found.headers}
    constants: dict[str, Any] = {}
    words: dict[str, dict[str, Any]] = {}
    if found.table:
        table = TABLES[found.table]
        for column in table.columns:
            if not column.required or column.name in found.mapped or column.name in SCORE_PARTS:
                continue
            if column.name == "response_id":
                constants[column.name] = "@row"
                told[column.name] = ("no header is known to number the answers, so each row counts as one (@row); is "
                                     "one of them an id? Without it, exports that overlap are refused")
                columns.pop(column.name, None)
            else:
                columns[column.name] = which_header(found, column.name)
        if (late := open_time(found)) and not theirs:
            columns[late] = which_header(found, late)
        if found.table == "sales" and "net_amount" not in theirs and (doubt := which_amount(found)):
            columns["net_amount"] = doubt
        one_line = any(drop["rule"] == "ORDER-LINE" for drop in given.get("drop", ()))  # the others are left out
        if found.repeats_key and "line_id" not in found.mapped and not one_line:
            columns["line_id"] = f"{TELL} order ids repeat: which header numbers or names the lines of an order?"
        for name, head in found.mapped.items():
            if name not in given.get("words", {}) and (known := _words(name, found.columns[head])):
                words[name] = known
    raw["columns"] = columns
    raw |= {key: value for key, value in (("constants", constants), ("words", words)) if value}


def _words(name: str, column: Column) -> dict[str, Any] | None:
    """The closed map of a column that needs one, None when its words are known as they stand."""
    if name in CLOSED:
        if {word.lower() for word in column.words} <= set(CLOSED[name]):
            return None
        ways = " or ".join(CLOSED[name])
        return {word: meaning.known_word(name, word) or f"{TELL} {ways}?" for word in column.words}
    if name in ("is_direct", "is_complaint", "is_return", "is_churned", "eligible"):
        if {word.casefold() for word in column.words} <= set(YES_NO):
            return None
        return {word: YES_NO.get(word.casefold(), f"{TELL} true or false?") for word in column.words}
    return None


def _instruments(found: Inspection, told: dict[str, str]) -> tuple[str, ...]:
    """The questions as lines to be uncommented: a scale's ends and its direction are never taken for granted."""
    asked = found.asked or {"nps": f"{TELL} which header is the question?"}
    lines = ["instruments:"]
    for name, head in asked.items():
        column = found.columns.get(head)
        low, high = scale(name, column)
        seen = f"seen: {column.scale[0]} to {column.scale[1]}" if column and column.scale else "nothing seen"
        lines += [f"  {name}:", f"    column: {scalar(head)}", f"    minimum: {low}",
                  f"    maximum: {high}    # {seen}"]
        lines.append(f"    direction: {'higher_is_better' if name == 'nps' else 'higher_is_better or lower_is_better'}")
        if column and column.labels:
            lines.append("    words: {" + ", ".join(f"{scalar(t)}: {n}" for t, n in column.labels) + "}")
        if column and column.not_asked:
            lines.append("    not_asked: [" + ", ".join(map(scalar, column.not_asked)) + "]    # no part of the survey")
    told["instruments"] = "each question's scale, and which end of it is good; uncomment the lines once they are right"
    return tuple(lines)


def scale(name: str, column: Column | None) -> tuple[int, int]:
    """The usual scale that holds the answers seen."""
    low, high = column.scale if column and column.scale else (0, 10)
    if name == "nps":
        return 0, 10
    return min(low, 1), next(end for end in (5, 7, 10) if high <= end)


def scalar(text: str) -> str:
    """A text as YAML reads it back."""
    plainly = re.fullmatch(r"[A-Za-zÀ-ÿ_/][\wÀ-ÿ ./()@-]*", text) and text == text.strip()
    if plainly and text.lower() not in ("yes", "no", "true", "false", "on", "off", "null", "y", "n"):
        return text
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
