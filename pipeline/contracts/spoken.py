"""Refusals and help in the reader's language: English as they are made, Spanish by the id of their rule."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.contracts.refusal import Refusal

CATALOGUE = Path(__file__).with_name("refusals.es.yaml")
PHRASES = Path(__file__).with_name("phrases.es.yaml")
REASONS = Path(__file__).parents[1] / "report" / "wording" / "rules.es.yaml"  # the same words as on the pages
SLOT = re.compile(r"\{\*?\}")
DEPTH = 4  # of phrases within phrases
SENTENCE, WHOLE = 12, 24  # letters by which a sentence is known, and what to do instead of what the rule says
LANGUAGES = ("es", "en")
GENERAL = ("rows as the contract describes them", "records as the header announces them")  # the rule says more
REPORT = r"[\"']?report[\"']?[ \t]*:"
DRESS = r"(?:\s|(?<=\s)#[^\n]*(?=\n)|(?<=\s)[&!][^\s,{}\[\]]*)*"  # blanks, lines, remarks, anchors, tags before a value
BLOCK = re.compile(rf"^{REPORT}[^\n]*\n(?:[ \t#][^\n]*\n|\n)*?[ \t]+[\"']?messages[\"']?[ \t]*:{DRESS}"
                   r"[\"']?(es|en)\b(?![\"']?[ \t]*:)", re.MULTILINE)
FLOW = re.compile(rf"^{REPORT}{DRESS}\{{", re.MULTILINE)  # report: {language: es, messages: es}
INNER = re.compile(r"^\s*\{(?:.*,)?\s*" + REPORT + rf"{DRESS}\{{", re.DOTALL)  # one such group, as JSON is
PIECE = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:''|[^'])*'|(?<=\s)#[^\n]*|[{}\[\],:]|[^\s{}\[\],:\"']+")
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
        text = params.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n") + "\n"
    except OSError:
        return "en"
    flow, found = FLOW.search(text) or INNER.search(text), BLOCK.search(text)
    said_there = _in_flow(text, flow.end()) if flow else found[1] if found else ""
    return said_there or (_parsed(text) if "messages" in text else "") or "en"


def _parsed(text: str) -> str:
    """es or en: report.messages where only a parser finds it, behind an alias for instance; "" where it does not."""
    try:
        value = YAML(typ="safe", pure=True).load(text)
        found = value["report"]["messages"]
    except (YAMLError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return found if found in LANGUAGES else ""


def _in_flow(text: str, at: int) -> str:
    """es or en: `messages` of the group of keys between braces that begins before `at`; "" where it says neither."""
    depth, before, key = 1, ",", ""
    for piece in PIECE.finditer(text, at):
        word = piece[0].strip("\"'")
        if word.startswith(("#", "&", "!")) and piece[0] == word:
            continue
        depth += (word in ("{", "[")) - (word in ("}", "]"))
        if not depth:
            break
        if depth == 1 and (before, key) == (":", "messages"):
            return word if word in LANGUAGES else ""
        key = word if before == "," else key if word == ":" else ""
        before = word
    return ""


def told(refusal: Refusal, tongue: str) -> str:
    """The refusal as one sentence: the same file, line, column, found and expected in either language."""
    if tongue == "en" or refusal.rule not in catalogue()["rules"]:
        return str(refusal)
    labels = catalogue()["labels"]
    text, _, fix = (part.strip() for part in catalogue()["rules"][refusal.rule].partition("|"))
    place = [refusal.file] if refusal.file else []
    place += [f"{labels['line']} {refusal.line}"] if refusal.line is not None else []
    place += [f"{labels['column']} {refusal.column!r}"] if refusal.column else []
    facts = [f"{labels['found']} {phrased(refusal.found, tongue)}"] if refusal.found is not None else []
    wanted = refusal.expected or ""
    own = phrased(wanted, tongue, least=WHOLE if fix else 0)  # a phrase of few letters would leave the rest in English
    expected = fix if fix and (own == wanted or wanted in GENERAL) else own
    facts += [f"{labels['expected']} {expected}"] if expected else []
    head = ", ".join(place) + ": " if place else ""
    said_so = _sentence(text, refusal.sentence, tongue)
    return f"{head}{said_so}{'; ' if facts else ''}{', '.join(facts)} [{refusal.rule}]."


def _sentence(text: str, sentence: str, tongue: str) -> str:
    """The sentence itself where a phrase fits it, else that of its rule."""
    own = phrased(sentence, tongue, least=SENTENCE)
    return _filled(text, sentence) if own == sentence else own


def _filled(text: str, sentence: str) -> str:
    """The Spanish text with what the English one names: a key of the params, a quoted name, a number."""
    for place, pattern in (("{key}", KEY), ("{quoted}", QUOTED), ("{number}", re.compile(r"\d+"))):
        if place in text:
            found = pattern.search(sentence)
            text = text.replace(place, found[0] if found else "")
    return re.sub(r"\s+", " ", text).strip(" :")


@cache
def phrases() -> tuple[dict[str, str], list[tuple[re.Pattern, str]]]:
    """Spanish by English phrase: those that stand as they are, and those with slots, most letters first."""
    yaml = YAML(typ="safe", pure=True)
    known = yaml.load(PHRASES.read_text(encoding="utf-8"))["phrases"] | catalogue()["words"] | catalogue()["help"]
    reasons = yaml.load(REASONS.read_text(encoding="utf-8"))["texts"]
    known |= {key.removeprefix("value."): text for key, text in reasons.items()}
    open_ones = sorted((one for one in known if SLOT.search(one)), key=lambda one: -len(SLOT.sub("", one)))
    return ({one: text for one, text in known.items() if not SLOT.search(one)},
            [(re.compile("(.*?)".join(map(re.escape, SLOT.split(one))), re.DOTALL), known[one]) for one in open_ones])


def phrased(text: str, tongue: str, depth: int = 0, least: int = 0) -> str:
    """A phrase in the language: what stands in its slots as it is ({}), or phrased in its turn ({*} in Spanish); as it
    is where no phrase fits. Blanks around it stay. least: letters that a phrase with slots must have of its own."""
    bare = text.strip(" ")
    if tongue == "en" or not bare or depth > DEPTH:
        return text
    whole, open_ones = phrases()
    told = whole.get(bare)
    for pattern, spanish in open_ones if told is None else ():
        if len(pattern.pattern) - 5 * pattern.groups >= least and (found := pattern.fullmatch(bare)):
            told = _filled_in(spanish, list(found.groups()), tongue, depth)
            break
    at = text.index(bare)
    return text if told is None else text[:at] + told + text[at + len(bare):]


def _filled_in(spanish: str, parts: list[str], tongue: str, depth: int) -> str:
    """The Spanish phrase with the parts in its slots, in their order."""
    slots = SLOT.findall(spanish)
    parts = [phrased(part, tongue, depth + 1) if slot == "{*}" else part
             for slot, part in zip(slots, parts, strict=True)]
    pieces = SLOT.split(spanish)
    return "".join(piece + part for piece, part in zip(pieces, [*parts, ""], strict=True))


def said(text: str, tongue: str) -> str:
    """A sentence of help in the language; as it is where the catalogue has none."""
    return catalogue()["help"].get(text, text) if tongue == "es" else text
