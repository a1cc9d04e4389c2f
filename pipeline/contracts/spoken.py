"""Refusals and help in the reader's language: English as they are made, Spanish by the id of their rule."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.contracts.refusal import Refusal

CATALOGUE = Path(__file__).with_name("refusals.es.yaml")
LANGUAGES = ("es", "en")
DECLARED = re.compile(r"^report:[^\n]*\n(?:[ \t#][^\n]*\n|\n)*?[ \t]+messages:[ \t]*[\"']?(es|en)\b", re.MULTILINE)
SECTIONS = "sources|company|privacy|report|sales|churn|experience|link|demo"
KEY = re.compile(rf"(?<![\w.])[a-z_]+(?:\.[\w-]+)+|(?<![\w.])(?:{SECTIONS})\b")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@cache
def catalogue() -> dict[str, Any]:
    """labels, words, rules and help in Spanish."""
    return YAML(typ="safe", pure=True).load(CATALOGUE.read_text(encoding="utf-8"))


def language(params: Path = Path("params.yaml")) -> str:
    """es or en: VIVENCIA_LANGUAGE, else report.messages as it stands in the params file, even a broken one; else en."""
    if os.environ.get("VIVENCIA_LANGUAGE") in LANGUAGES:
        return os.environ["VIVENCIA_LANGUAGE"]
    try:
        found = DECLARED.search(params.read_text(encoding="utf-8") + "\n")
    except (OSError, UnicodeDecodeError):
        return "en"
    return found[1] if found else "en"


def told(refusal: Refusal, tongue: str) -> str:
    """The refusal as one sentence: the same file, line, column, found and expected in either language."""
    if tongue == "en" or refusal.rule not in catalogue()["rules"]:
        return str(refusal)
    labels, words = catalogue()["labels"], catalogue()["words"]
    text, _, fix = (part.strip() for part in catalogue()["rules"][refusal.rule].partition("|"))
    place = [refusal.file] if refusal.file else []
    place += [f"{labels['line']} {refusal.line}"] if refusal.line is not None else []
    place += [f"{labels['column']} {refusal.column!r}"] if refusal.column else []
    facts = [f"{labels['found']} {words.get(refusal.found, refusal.found)}"] if refusal.found is not None else []
    expected = fix or words.get(refusal.expected, refusal.expected)
    facts += [f"{labels['expected']} {expected}"] if expected else []
    head = ", ".join(place) + ": " if place else ""
    return f"{head}{_filled(text, refusal.sentence)}{'; ' if facts else ''}{', '.join(facts)} [{refusal.rule}]."


def _filled(text: str, sentence: str) -> str:
    """The Spanish text with what the English one names: a key of the params, a quoted name, a number."""
    for place, pattern in (("{key}", KEY), ("{quoted}", QUOTED), ("{number}", re.compile(r"\d+"))):
        if place in text:
            found = pattern.search(sentence)
            text = text.replace(place, found[0] if found else "")
    return re.sub(r"\s+", " ", text).strip(" :")


def said(text: str, tongue: str) -> str:
    """A sentence of help in the language; as it is where the catalogue has none."""
    return catalogue()["help"].get(text, text) if tongue == "es" else text
