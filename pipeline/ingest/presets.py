"""Which tool wrote an export: the preset whose marks its first rows carry."""

from dataclasses import dataclass
from typing import Any

from pipeline.contracts.presets import load_preset, preset_names
from pipeline.ingest.header import normal


@dataclass(frozen=True)
class Recognised:
    """A preset that fits: its name, the tool, and what of the layout was seen or only read or remembered."""

    name: str
    tool: str
    basis: tuple[str, ...]
    tell: tuple[str, ...]


def recognise(rows: list[list[str]], dialect: dict[str, str | None]) -> Recognised | None:
    """The preset with the most marks in these rows (the file's first ones) and this dialect; None when none fits."""
    fitting = []
    for name in preset_names():
        preset = load_preset(name)
        marks = preset["recognise"]
        if all(_holds(mark, rows, dialect) for mark in marks):
            fitting.append((sum(len(mark.get("cells", ())) + 1 for mark in marks), name, preset))
    if not fitting:
        return None
    _, name, preset = max(fitting, key=lambda found: (found[0], found[1]))
    basis = tuple(f"{kind}: {preset[kind]}" for kind in ("seen", "from documentation", "from memory") if kind in preset)
    return Recognised(name, preset["tool"], basis, tuple(preset.get("tell", ())))


def _holds(mark: dict[str, Any], rows: list[list[str]], dialect: dict[str, str | None]) -> bool:
    """One mark: cells in a row of the header, a text in all of its cells, or the dialect."""
    if "row" not in mark:
        return all(dialect.get(key) in (value if isinstance(value, list) else [value]) for key, value in mark.items())
    if mark["row"] > len(rows):
        return False
    row = rows[mark["row"] - 1]
    if "cells" in mark:
        return {normal(cell) for cell in mark["cells"]} <= {normal(cell) for cell in row}
    return any(row) and all(mark["contains"] in cell for cell in row if cell)
