"""Presets of export tools: data beside this module, merged under a source's own keys before the source is typed."""

import difflib
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.contracts.refusal import Refusal

PRESETS = Path(__file__).with_name("presets")
BY_CANONICAL = ("columns", "constants", "words", "extra", "instruments")  # merged name by name; other keys as a whole


def preset_names() -> list[str]:
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def load_preset(name: Any, where: str = "preset", file: str = "params.yaml") -> dict[str, Any]:
    """One preset: tool, seen, from documentation, from memory, recognise, tell and source; Refusal if there is none."""
    names = preset_names()
    if name not in names:
        near = difflib.get_close_matches(str(name), names, 1)
        raise Refusal("PARAM-PRESET", f"{where} names no preset", file=file, found=repr(name),
                      expected=repr(near[0]) if near else ", ".join(names))
    return deepcopy(_read(name))


@cache
def _read(name: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load((PRESETS / f"{name}.yaml").read_text(encoding="utf-8"))


def with_preset(own: Any, where: str, file: str = "params.yaml") -> Any:
    """A source as written, its preset's keys filled in under it; anything else as it is.

    The source's own keys win, name by name in columns, constants, words, extra and instruments; a column given as
    null, or fed by a constant of the source's own (and the other way round), takes the preset's mapping out.
    """
    if not isinstance(own, dict) or own.get("preset") is None:
        return own
    merged = dict(load_preset(own["preset"], f"{where}.preset", file).get("source", {}))
    for key, value in own.items():
        under = merged.get(key)
        both = key in BY_CANONICAL and isinstance(under, dict) and isinstance(value, dict)
        merged[key] = {**under, **value} if both else value
    for key, other in (("columns", "constants"), ("constants", "columns")):
        mine, theirs = merged.get(key), own.get(other)
        if isinstance(mine, dict):
            given = own.get(key) if isinstance(own.get(key), dict) else {}
            taken = theirs if isinstance(theirs, dict) else {}
            merged[key] = {name: value for name, value in mine.items()
                           if (value is not None or key != "columns") and (name in given or name not in taken)}
    return merged
