"""An inspection in words, and a proposal as the block for params.yaml."""

from collections.abc import Iterator
from typing import Any

from pipeline.contracts.spoken import phrased
from pipeline.contracts.tables import TABLES
from pipeline.ingest import meaning
from pipeline.ingest.contract import TELL
from pipeline.ingest.evidence import Cell
from pipeline.ingest.evidence_layout import DELIMITERS, RARE
from pipeline.ingest.inspect import Inspection
from pipeline.ingest.proposal import Proposal, propose, scalar
from pipeline.ingest.questions import TIMES
from pipeline.ingest.rules import REMEDIES

LOOSE = ("decimal", "missing", "instruments", "skip_rows", "response_id", "company.ids", "timestamps", "customer_id",
         "is_return", "net_amount", "margin", *TIMES.values())  # questions beside the keys of the block
LIMIT = 40  # columns that are listed
WIDE = {"en": 11, "es": 14}  # letters of the word before a finding, with the blanks behind it


def findings(found: Inspection, tongue: str = "en") -> str:
    """What the file is, with the evidence; ids masked, names, addresses and comments never shown."""
    proposal = propose(found)
    lines = [f"{found.path.name}: {phrased(_kind(found), tongue)}"]

    def tell(label: str, *parts: str) -> None:
        lines.append(f"  {phrased(label, tongue):<{WIDE[tongue]}}" + ": ".join(phrased(part, tongue) for part in parts))

    if found.tool:
        tell("tool", f"{found.tool.tool}  (preset {found.tool.name})")
        for basis in found.tool.basis:
            tell("", basis)
    if found.sample:
        tell("encoding", found.sample.encoding or "cannot be told", found.sample.why)
    if found.layout:
        tell("delimiter", (DELIMITERS | RARE).get(found.layout.delimiter, found.layout.delimiter), found.layout.why)
        if not found.layout.quote:
            tell("quotes", "they stand inside texts (inches) and enclose none")
        if found.layout.is_backslashed:
            tell("quotes", "a backslash stands before those inside a text: such rows go to quarantine (FMT-QUOTE); an "
                 "export that doubles them (\"\") is read")
        tell("header", _header(found))
        if found.layout.uneven:
            shown = ", ".join(map(str, found.layout.uneven[:5]))
            tell("uneven", f"{len(found.layout.uneven)} of the first {found.layout.looked_at} records have another "
                 f"number of fields (line {shown}): they would go to quarantine")
        if found.footer:
            tell("footer", "the file ends with totals: kept out and counted (FMT-FOOTER)")
    if found.apart:
        tell("apart", f"{len(found.apart)} rows under an empty one are another table (line {found.apart[0]}): kept out "
             f"and counted (FMT-TABLE); {REMEDIES['FMT-TABLE']}")
    if found.gap:
        tell("apart", f"an empty row stands above row {found.gap}, below those looked at: what is another table there "
             "is kept out and counted (FMT-TABLE)")
    if found.sheets:
        tell("sheets", ", ".join(found.sheets))
        tell("header", _header(found))
    if found.lists:
        tell("", f"the file is one object; its records stand in a list: {', '.join(found.lists)}")
    if found.more_at:
        tell("pages", f"{found.more_at!r} says that there are more records than this file holds (JSON-PAGE): put the "
             "files of the other pages beside it, if they are not there")
    if found.twice:
        tell("keys", f"{len(found.twice)} objects name a key twice (line {found.twice[0]}): they would go to "
             "quarantine (JSON-KEYS)")
    tell("numbers", _numbers(found))
    tell("times", _times(found))
    tell("table", found.table or "cannot be told", found.table_why)
    if found.also:
        tell("", f"it holds answers too ({', '.join(found.also.values())}): a second source of table surveys can read "
             "the same file")
    if found.repeated:
        tell("repeated", f"headers that stand twice and cannot be mapped: {', '.join(found.repeated[:8])}")
    lines.append(f"  {phrased('columns', tongue)}")
    lines += list(_columns(found, tongue))
    if proposal.told or found.tool:
        lines += ["", phrased("What cannot be known from the file and must be told:", tongue)]
        lines += [f"  - {key}: {phrased(text, tongue)}" for key, text in proposal.told.items()]
        known = {*proposal.told, *proposal.raw}  # said above, or found out
        lines += [f"  - {phrased(text, tongue)}" for text in (found.tool.tell if found.tool else ())
                  if text.split(":")[0] not in known]
    return "\n".join(line.rstrip() for line in lines)


def _kind(found: Inspection) -> str:
    if found.sample:
        text = "text" if found.format == "csv" else "JSON"
        return f"{text}, {found.sample.lines:,} lines; {found.rows:,} records looked at"
    return f"{'an Excel workbook' if found.format == 'xlsx' else 'a Parquet file'}; {found.rows:,} records looked at"


def _header(found: Inspection) -> str:
    skip = found.skip_rows
    if not found.header_rows:
        return "none: the first record holds values, so that columns are named by position"
    above = f", {skip} lines stand above it" if skip else ""
    return f"{found.header_rows} row{'s' * (found.header_rows > 1)} from line {skip + 1}{above}; " \
           f"{len(found.headers)} columns"


def _cells(cells: tuple[Cell, ...]) -> str:
    return ", ".join(f"{text.strip()!r} (line {line})" for line, text in cells)


def _numbers(found: Inspection) -> str:
    numbers = found.numbers
    if numbers.contradicting:
        return f"two conventions: {_cells(numbers.deciding[:2])} against {_cells(numbers.contradicting[:2])}"
    if numbers.decimal:
        groups = f", thousands {numbers.thousands!r}" if numbers.thousands else ""
        return f"decimal {numbers.decimal!r}{groups}: decided by {_cells(numbers.deciding)}"
    if numbers.ambiguous:
        return f"cannot be told: {_cells(numbers.ambiguous)} can be a thousand or a fraction, and nothing decides"
    return "typed cells" if found.format not in ("csv", "json") else "whole numbers only, or none"


def _times(found: Inspection) -> str:
    dates = found.dates
    if not dates.formats:
        return "none"
    forms = ", ".join(form.replace("{a}", "?").replace("{b}", "?") for form in dates.formats)
    zone = {"offset": "; each says its zone", "UTC": "; in UTC"}.get(dates.zone or "", "")
    zone = "; the header says UTC" if found.says_utc else zone or "; in which zone, the file does not say"
    if dates.contradicting:
        return f"{forms}: {_cells(dates.deciding)} against {_cells(dates.contradicting)}{zone}"
    if dates.deciding:
        return f"{forms}: decided by {_cells(dates.deciding)}{zone}"
    if any("?" in form for form in forms):
        return f"{forms}: no number above 12 decides between day and month, {dates.open[1]} can be both{zone}"
    return forms + zone


def _columns(found: Inspection, tongue: str) -> Iterator[str]:
    uses = {head: name for name, head in found.mapped.items()} | {head: f"question {name}" for name, head
                                                                  in found.asked.items()}
    width = min(max((len(name) for name in found.columns), default=0), 34)
    for name, column in list(found.columns.items())[:LIMIT]:
        facts = [column.kind, f"{column.filled:,} filled"] + ([f"{column.empty:,} empty"] if column.empty else [])
        facts += ["all different"] if column.is_unique else [f"{column.distinct:,} different"] if column.filled else []
        facts += [f"answers {column.scale[0]} to {column.scale[1]}"] if column.scale and name in uses else []
        facts += [f"{column.below_zero:,} negative"] if column.below_zero else []
        is_category = found.table and uses.get(name) in TABLES[found.table].names \
            and TABLES[found.table][uses[name]].kind in ("category", "boolean")
        facts += ["words: " + ", ".join(column.words[:6]) + (", …" if len(column.words) > 6 else "")] \
            if is_category and column.words else []
        personal = meaning.is_personal(name) and name not in uses
        tells = column.example.strip("…") and not personal and not is_category
        facts += [f"such as {column.example!r}"] if tells else []
        facts += ["names somebody: not mapped"] if personal else []
        told = ", ".join(phrased(fact, tongue) for fact in facts)
        use = phrased(uses.get(name, "-"), tongue)
        yield f"    {name[:34].replace(chr(10), ' '):<{width}}  -> {use:<16} {told}"
        yield from (f"    {'':<{width}}     {phrased(note, tongue)}" for note in column.notes)
    if len(found.headers) > LIMIT:
        yield f"    {phrased(f'and {len(found.headers) - LIMIT} more', tongue)}"


def block_of(proposal: Proposal, tongue: str = "en") -> str:
    """The source for params.yaml, ready to stand under `sources:`."""
    lines = [f"  {proposal.name}:"]
    for key, value in proposal.raw.items():
        lines += _entry(key, _phrased(value, tongue), "    ")
    loose = [key for key in proposal.told if key in LOOSE
            and not (key == "timestamps" and key in proposal.raw)]
    for key in loose:
        lines.append(f"    # TELL: {key}: {phrased(proposal.told[key], tongue)}")
    lines += [f"    # {_later(line, tongue)}" for line in proposal.later]
    return "\n".join(lines) + "\n"


def _phrased(value: Any, tongue: str) -> Any:
    """A value of the block, its questions in the language."""
    if isinstance(value, dict):
        return {key: _phrased(item, tongue) for key, item in value.items()}
    if isinstance(value, list):
        return [_phrased(item, tongue) for item in value]
    if isinstance(value, str) and value.startswith(TELL):
        return f"{TELL} {phrased(value.removeprefix(TELL).strip(), tongue)}"
    return value


def _later(line: str, tongue: str) -> str:
    """A line to be uncommented; what is said behind its own # in the language."""
    code, sign, remark = line.partition("    # ")
    name, _, value = code.partition(": ")
    if value.startswith(f'"{TELL}'):
        code = f"{name}: {scalar(_phrased(value.strip(chr(34)), tongue))}"
    code = f"{name}: {phrased(value, tongue)}" if name.strip() == "direction" else code
    return code + (sign + phrased(remark, tongue) if sign else "")


def _entry(key: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, dict) and value:
        return [f"{indent}{scalar(key)}:"] + [line for name, item in value.items()
                                              for line in _entry(name, item, indent + "  ")]
    return [f"{indent}{scalar(key)}: {_flow(value)}"]


def _flow(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value) if isinstance(value, int) else scalar(value)
