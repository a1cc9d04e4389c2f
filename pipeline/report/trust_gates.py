"""What each gate of a verdict says by itself: what was measured, what is allowed, and whether it holds.

A verdict of the validity benchmark is one figure in one world and may have several gates ("coverage; |bias|"); its `ok`
is of all of them together. Here they are told apart, from the words of the gate and the figures of the verdict.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipeline.report.words import Words

NUMBER = r"([\d.]+)"
FORMS = {  # kind of gate -> how it is worded
    "coverage": rf"{NUMBER} <= coverage <= {NUMBER}",
    "bias": rf"\|bias\| <= {NUMBER}%(?: of the scale)? \+ {NUMBER}% of noise",
    "size": rf"(?:{NUMBER} <= )?size <= {NUMBER}", "power": rf"power >= {NUMBER}%",
    "false_discovery": rf"false discoveries <= {NUMBER}", "lowest": rf"lowest >= {NUMBER}",
    "mean": rf"{NUMBER} <= mean <= {NUMBER}", "level": rf"associated in {NUMBER}%", "band": r"band in every report",
    "detectable": rf"\|detectable / \({NUMBER} sd\) - 1\| <= {NUMBER}% \+ {NUMBER}% of noise",
}
LINES = {"coverage": "intervals", "lowest": "nps_exact", "mean": "nps_exact", "band": "warning"}  # else the kind itself
SEEN = 0.5  # share of intervals without "nothing" in them; below it, the truth lies nearer to nothing than their reach
NEARLY = 1e-9  # figures of the run are rounded
MOST_DIGITS = 5


@dataclass(frozen=True)
class Gate:
    """One gate of one verdict.

    kind: key of FORMS. line: of the table of limits. measured, least, most: shares; no least or most where there is
    none. of bias and of detectable, measured has a sign and least is -most. is_held: by this gate alone.
    """

    kind: str
    line: str
    measured: float
    least: float | None
    most: float | None
    is_held: bool

    @property
    def margin(self) -> float:
        """How far inside what is allowed; below zero outside."""
        edges = [] if self.least is None else [self.measured - self.least]
        return min(edges + ([] if self.most is None else [self.most - self.measured]))


def gates_of(verdicts: Iterable[dict[str, Any]]) -> list[tuple[dict[str, Any], list[Gate]]]:
    """Each verdict with its gates, none for one that asks for nothing ("none: ..."); ValueError for unknown words.

    The gates of a verdict together say what its `ok` says: where the rounded figures of a run do not, the gate that
    is nearest to its limit is the one that did not hold.
    """
    verdicts = list(verdicts)
    bands = {text: (v["least"], v["most"]) for v in verdicts if v["check"] == "coverage" and v["least"] is not None
             for text in _texts(v) if "coverage" in text}
    return [(verdict, _agreed(verdict, list(_gates(verdict, bands)))) for verdict in verdicts]


def _texts(verdict: dict[str, Any]) -> list[str]:
    return verdict["gate"].removeprefix("not: ").split("; ")


def _gates(verdict: dict[str, Any], bands: dict[str, tuple[float, float]]) -> Iterator[Gate]:
    if verdict["gate"].startswith("none:"):
        return
    for text in _texts(verdict):
        kind, found = next(((kind, match) for kind, form in FORMS.items() if (match := re.fullmatch(form, text))),
                           (None, None))
        if kind is None:
            raise ValueError(f"the gate {text!r} of {verdict['claim_id']!r} is worded in no known way")
        measured, least, most = _read(kind, [float(x) for x in found.groups() if x], verdict, bands.get(text))
        gate = Gate(kind, _line(kind, verdict), measured, least, most, True)
        yield replace(gate, is_held=gate.margin >= -NEARLY)


def _read(kind: str, told: list[float], verdict: dict[str, Any],
          band: tuple[float, float] | None) -> tuple[float, float | None, float | None]:
    """Measured, least and most; the band of the verdict itself, which is not rounded, where it has it."""
    if kind == "coverage":
        return verdict["coverage"], *(band or told)
    if kind in ("bias", "detectable"):
        most = (told[-2] + told[-1]) / 100
        return verdict["bias_share"], -most, most
    if kind == "size":
        return verdict["shown"], None if len(told) == 1 else verdict["least"], verdict["most"]
    if kind == "power":
        return verdict["shown"], told[0] / 100, None
    if kind == "false_discovery":
        return verdict["mean"], None, verdict["most"]
    if kind == "lowest":
        return verdict["mean"], told[0], None
    if kind == "mean":
        return verdict["coverage"], told[0], told[1]
    if kind == "level":
        return 1 - verdict["effect"], told[0] / 100, None
    return verdict["estimated"] / verdict["companies"], 1.0, None


def _line(kind: str, verdict: dict[str, Any]) -> str:
    if kind == "bias" and verdict["world"] == "feedback":
        return "bias_feedback"
    if kind == "size":
        return "change_test" if "change_test" in verdict["proves"] else "placebo"
    return LINES.get(kind, kind)


def _agreed(verdict: dict[str, Any], gates: list[Gate]) -> list[Gate]:
    if verdict["ok"] != verdict["naive"]:
        return [replace(gate, is_held=True) for gate in gates]
    if gates and all(gate.is_held for gate in gates):
        nearest = min(gates, key=lambda gate: gate.margin)
        return [replace(gate, is_held=gate is not nearest) for gate in gates]
    return gates


def is_small(verdict: dict[str, Any]) -> bool:
    """Whether the truth is so small against its interval that a bias told as a share of it says nothing."""
    return not verdict["naive"] and (verdict["shown"] is None or verdict["shown"] < SEEN)


def is_edge(gate: Gate, companies: int) -> bool:
    """Whether a coverage outside its band is no farther from it than the chance of so many companies (95 %)."""
    if gate.kind != "coverage" or gate.is_held:
        return False
    return -gate.margin <= 1.96 * math.sqrt(gate.measured * (1 - gate.measured) / companies)


def told(gate: Gate, words: Words) -> tuple[str, str]:
    """What was measured and what is allowed, with as many decimals as tell the one from the other."""
    digits = next((d for d in range(1, MOST_DIGITS) if _is_told_apart(gate, d)), MOST_DIGITS)
    sign = "+" if gate.kind in ("bias", "detectable") and round(gate.measured, digits + 2) > 0 else ""
    measured = sign + words.percent(gate.measured, digits)
    low, high = (None if edge is None else words.percent(edge, digits) for edge in (gate.least, gate.most))
    if gate.kind in ("bias", "detectable"):
        return measured, words.text("trust.allowed.either", high=high)
    if low is None or high is None:
        return measured, words.text("trust.allowed.most" if low is None else "trust.allowed.least", high=high, low=low)
    return measured, words.text("interval.brief", low=low, high=high)


def _is_told_apart(gate: Gate, digits: int) -> bool:
    """Whether measured and limits, rounded to so many decimals of a percentage, stand in the order that was judged."""
    measured, low, high = (None if x is None else round(x * 100, digits)
                           for x in (gate.measured, gate.least, gate.most))
    is_inside = (low is None or low <= measured) and (high is None or measured <= high)
    return is_inside == gate.is_held


def outcome(verdict: dict[str, Any], gates: list[Gate], words: Words) -> str:
    """Yes where all hold, else the names of those that do not; of a naive method, whether it is at the edge."""
    names = [words.text("trust.check.at_edge" if verdict["naive"] and is_edge(gate, verdict["companies"])
                        else f"trust.check.{gate.kind}") for gate in gates if not gate.is_held]
    return words.text("trust.outcome.failed", names=words.listed(names).lower()) if names else words.text("yes")
