"""The wording of one language, read strictly from wording/*.yaml; what its entries mean stands in words.py."""

import string
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parent / "wording"
STATES = ("good", "bad", "zero", "weak", "described")
STATUSES = ("not_enough_data", "not_estimable", "too_early", "suppressed")
CLAIM_FIELDS = {"label", "better", "against", "phrase", *STATES, *STATUSES}


class MissingWording(KeyError):
    """A text or a claim without wording in the catalogue; the message names it."""

    def __str__(self) -> str:
        return self.args[0]


@cache
def catalogue(language: str) -> dict[str, dict[str, Any]]:
    """{"texts": …, "claims": …} of one language; a key that stands in two files is an error."""
    merged: dict[str, dict[str, Any]] = {"texts": {}, "claims": {}}
    files = sorted(FOLDER.glob(f"*.{language}.yaml"))
    if not files:
        raise MissingWording(f"there is no wording in language {language!r}")
    for file in files:
        content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")) or {}
        if set(content) - set(merged):
            raise ValueError(f"{file.name}: only `texts` and `claims` belong at the top")
        for part, entries in content.items():
            twice = merged[part].keys() & (entries or {}).keys()
            if twice:
                raise ValueError(f"{file.name}: {sorted(twice)} stand in another file too")
            merged[part] |= entries or {}
    for claim_id, entry in merged["claims"].items():
        if set(entry) - CLAIM_FIELDS:
            raise ValueError(f"{claim_id} ({language}): {sorted(set(entry) - CLAIM_FIELDS)} mean nothing in a wording")
    return merged


def placeholders(text: Any) -> set[str]:
    """Names in braces of a text, or of all variants of a text."""
    if isinstance(text, dict):
        return set().union(*(placeholders(part) for part in text.values()))
    return {name for _, name, _, _ in string.Formatter().parse(str(text)) if name}
