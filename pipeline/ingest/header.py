"""The header of an export against its contract: every declared column must be there, once, by name."""

import difflib
import re
import unicodedata
from dataclasses import dataclass

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import engine
from pipeline.ingest.redact import is_data

TWISTED = re.compile(engine.TWISTED.replace("[[:alpha:]]", r"[^\W\d_]"))
SPACES = re.compile(r"[\s\u00a0\u202f\u200b\ufeff]+")
NAMED = 80  # letters of a header in a message
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "^": "caret", "~": "tilde"}


@dataclass(frozen=True)
class Header:
    """Where each declared header stands: header as declared -> position (from 0). `width`: fields of a record.
    repairs: rule -> count (COL-NORM; COL-EXTRA and ENC-MOJIBAKE are warnings). extra: names nobody asked for."""

    positions: dict[str, int]
    width: int
    repairs: dict[str, int]
    extra: tuple[str, ...]


def declared_headers(source: Source) -> list[str]:
    """Every header that the contract reads, in its order, once."""
    names = [*source.columns.values(), *source.extra.values(), *(drop.column for drop in source.drop)]
    names += [i.column for i in source.instruments.values() if i.column]
    return list(dict.fromkeys(names))


def match_header(found: list[str], source: Source, file: str, line: int = 1) -> Header:
    """The declared columns in the header found; COL-MISSING, COL-DUP, FMT-DELIM refused, COL-NORM counted."""
    wanted = declared_headers(source)
    if source.header_rows == 0:
        return _by_position(len(found), wanted, file)
    names = {normal(name): [] for name in found}
    for position, name in enumerate(found):
        names[normal(name)].append(position)
    positions, bent = {}, 0
    for header in wanted:
        if not normal(header):
            raise Refusal("COL-MISSING", "a column without a name cannot be declared by name", file="params.yaml",
                          found=repr(header), expected="a name, or `header_rows: 0` and positions")
        places = names.get(normal(header), [])
        exact = [p for p in places if found[p] == header]
        places = exact if len(exact) == 1 else places
        if len(places) > 1:
            raise Refusal("COL-DUP", "the header names this column more than once", file=file, line=line,
                          column=header, found=f"{len(places)} times", expected="once")
        if not places:
            raise missing_column(header, found, wanted, source, file, line)
        positions[header] = places[0]
        bent += found[places[0]] != header
    extra = tuple(name for p, name in enumerate(found) if p not in positions.values())
    repairs = {"COL-NORM": bent} if bent else {}
    twisted = sum(TWISTED.search(name) is not None for name in found)
    repairs |= {"ENC-MOJIBAKE": twisted} if twisted else {}
    return Header(positions, len(found), repairs | ({"COL-EXTRA": len(extra)} if extra else {}), extra)


def normal(name: str) -> str:
    """A header without what the eye does not see: outer and doubled blanks, case, composed or split accents."""
    return SPACES.sub(" ", unicodedata.normalize("NFC", name)).strip().casefold()


def _by_position(width: int, wanted: list[str], file: str) -> Header:
    positions = {}
    for name in wanted:
        if not name.isdigit() or not 1 <= int(name) <= width:
            raise Refusal("COL-MISSING", "a file without header names its columns by position", file=file, line=1,
                          column=name, found=f"{width} columns", expected=f"a number from 1 to {width}")
        positions[name] = int(name) - 1
    return Header(positions, width, {}, ())


def _shown(found: list[str], wanted: list[str]) -> list[str]:
    """The names of a header as they may be shown: where one of them is a value, all that nobody declared are hidden."""
    if not any(map(is_data, found)):
        return found
    known = {normal(name) for name in wanted}
    return [name if normal(name) in known else "…" for name in found]


def missing_column(header: str, found: list[str], wanted: list[str], source: Source, file: str,
                   line: int | None) -> Refusal:
    """The refusal for a declared header that is not among those found: it names them, and the nearest one."""
    absent = [name for name in wanted if normal(name) not in {normal(f) for f in found}]
    if len(found) == 1 and source.format == "csv":
        for sign, word in DELIMITERS.items():
            if sign != source.delimiter and found[0].count(sign) >= 1:
                own = "declared" if source.delimiter != Source.delimiter else "expected"  # a comma unless told
                return Refusal("FMT-DELIM", f"the header does not split at the {own} delimiter", file=file,
                               line=line, found=f"{word} ({sign!r})",
                               expected=f"{source.delimiter!r}, or `delimiter: {sign!r}`")
    found = _shown(found, wanted)
    near = difflib.get_close_matches(normal(header), [normal(f) for f in found], 1, 0.6)
    nearest = next((f for f in found if near and normal(f) == near[0]), None)
    shown = ", ".join(name[:NAMED] for name in found[:20]) + (f" and {len(found) - 20} more" if len(found) > 20 else "")
    hint = f"; the nearest is {nearest[:NAMED]!r}" if nearest else ""
    more = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
    return Refusal("COL-MISSING", f"a declared column is not in the header{more}{hint}", file=file, line=line,
                   column=header, found=shown, expected=repr(header))
