"""A contract for a file that came without one: what `inspect` finds of it, and every column that has a name as text."""

from pathlib import Path

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.header import normal
from pipeline.ingest.inspect import Inspection, inspect_file


def found_contract(path: Path) -> Source:
    """A Source that keeps every named column; Refusal where inspect refuses, or asks what a benchmark cannot tell."""
    found = inspect_file(path)
    if found.layout and not found.layout.is_sure:
        raise Refusal("FMT-DELIM", "no delimiter splits most lines into the same number of fields", file=path.name,
                      found="none of comma, semicolon, tab, bar", expected="a contract that names it")
    if found.layout and found.layout.skips_values:
        raise Refusal("FMT-WIDTH", "the first line has another number of fields than the others", file=path.name,
                      line=1, expected=f"{found.layout.width}")
    kept = {"table": "customers", "folder": str(path.parent), "files": path.name, "columns": {},
            "constants": {"customer_id": "@row"}, "format": found.format, "extra": _named(found)}
    if found.format in ("csv", "xlsx"):
        kept |= {"header_rows": found.header_rows, "skip_rows": found.skip_rows}
    if found.sheets:
        kept["sheet"] = found.sheets[0]
    if found.sample:
        kept["encoding"] = found.sample.encoding or "utf-8"
    if found.layout:
        sure = found.layout.quote or ("" if found.sample.whole else '"')
        kept |= {"delimiter": found.layout.delimiter, "quote": sure}
    return Source(**kept, **({} if found.format == "csv" else {"time_zone": "UTC"}))


def _named(found: Inspection) -> dict[str, str]:
    """Own name -> header; columns without a name cannot be declared and are left out."""
    headers = list(dict.fromkeys(name for name in found.headers if normal(name)))
    return {f"c{place}": header for place, header in enumerate(headers)}
