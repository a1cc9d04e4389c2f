"""The reader's language: every text and sentence of a page, chosen from the claim, never written by hand.

The catalogue is wording/*.es.yaml and *.en.yaml; every file holds two mappings:

    texts:
      sales.title: "¿Vende más una mejor experiencia?"
      sales.rows: {one: "{count} fila", other: "{count} filas"}   # chosen by the fact `count`
    claims:
      sales.effect_per_point:            # a claim id; `*` stands for one dotted part, given as {part}
        label: "Ventas por punto de NPS" # short name: scorecard, tables
        better: higher                   # or lower: which sign is good news (same in both languages)
        against: 0                       # value of "nothing happens"; 1 for a ratio
        good: "Cada punto más va con {size} más de ventas ({size_interval})."
        bad: "Cada punto más va con {size} menos de ventas ({size_interval})."
        zero: "No se aprecia relación: {estimate} ({interval})."
        weak: …                          # optional, for zero: these data could not have shown an effect that matters
        described: …                     # the only one needed where the figure is not compared with nothing
        not_estimable: …                 # optional: not_enough_data, not_estimable, too_early, suppressed

Each wording may be a mapping {described: …, associated: …, effect: …} where the level changes the words.

Placeholders of claims: {estimate} {signed} {low} {high} {interval} {size} {size_interval} (no sign) {n} {n_in} {people}
{period} {segment} {dimension} {label} {part} {detectable} {reason} {readable_on} {comparisons}. All come formatted,
with their unit, at decimals that the width of the interval supports. Points carry no unit word.
"""

import fnmatch
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from pipeline.contracts.claims import Claim
from pipeline.contracts.params import Churn, Sales
from pipeline.report import numerals
from pipeline.report.catalogue import MissingWording, catalogue, placeholders
from pipeline.report.numerals import MINUS, NBSP

JOINT = " + "  # between the names of groups that were made one
BELOW = "below"  # reason of a claim whose estimate is a bound: the value itself is smaller

@dataclass(frozen=True)
class Wording:
    """A claim in words: the sentence, the level's phrase, and the state that chose them."""

    text: str
    level: str
    state: str

    def __str__(self) -> str:
        return f"{self.text} {self.level}".strip()


def tidy(text: Any, limit: int = 80) -> str:
    """A name that came with the data, fit for a page: no control or direction marks, one line, at most `limit` long."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in str(text)
                   if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))
    flat = re.sub(r"\s+", " ", kept).strip()
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


class Words:
    """Texts, numbers and sentences of one language ("es" or "en").

    smallest_effect: percent of sales per point that was declared to matter (`sales.smallest_effect`);
    smallest_churn_effect: percent of the risk of leaving (`churn.smallest_effect`).
    """

    def __init__(self, language: str, smallest_effect: float = Sales.smallest_effect,
                 smallest_churn_effect: float = Churn.smallest_effect):
        self.language = language
        self.smallest_effect, self.smallest_churn_effect = smallest_effect, smallest_churn_effect
        self.convention = numerals.CONVENTIONS[language]
        self._catalogue = catalogue(language)

    # texts
    def has(self, key: str) -> bool:
        return key in self._catalogue["texts"]

    def text(self, key: str, **facts: Any) -> str:
        """The text of that key with its facts put in; numbers among the facts are written in the reader's way.

        A text with {one, other} is chosen by the fact `count`.
        """
        if not self.has(key):
            raise MissingWording(f"no {self.language} text for {key!r}")
        entry = self._catalogue["texts"][key]
        if isinstance(entry, dict):
            entry = entry["one" if facts["count"] == 1 else "other"]
        return str(entry).format(**{name: self._fact(value) for name, value in facts.items()})

    def name(self, group: str, value: Any) -> str:
        """Text `group.value` where the catalogue has one, else the value itself, tidied: for names from the data."""
        key = f"{group}.{value}"
        return self.text(key) if self.has(key) else tidy(value)

    def _fact(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return str(value)
        return self.number(value, 0 if float(value).is_integer() else 1)

    def listed(self, items: list[str]) -> str:
        """'a, b and c'."""
        head, last = ", ".join(items[:-1]), "".join(items[-1:])
        return self.text("list.and", head=head, last=last) if head else last

    # numbers
    def number(self, value: float, digits: int = 0) -> str:
        """1234.5 as 1.234,5; missing as an en dash."""
        return "–" if value is None or not math.isfinite(value) else numerals.number(value, digits, self.convention)

    def percent(self, share: float, digits: int = 1) -> str:
        """A share 0-1 as a percentage: 0.123 as 12,3 %."""
        return self.number(share * 100, digits) + self.convention.percent

    def points(self, value: float, digits: int = 1) -> str:
        """Points of a score, with their sign: +3,2 or −3,2."""
        return ("+" if round(value, digits) > 0 else "") + self.number(value, digits)

    def money(self, value: float, currency: str, digits: int | None = None) -> str:
        """1234.5 EUR as 1.234,50 €; by default without cents from 1,000 on."""
        digits = numerals.digits_for(currency, value) if digits is None else digits
        return numerals.money(value, currency, digits, self.convention)

    def month(self, value: Any, short: bool = False) -> str:
        """A month ('2025-03', a date or a timestamp) as 'marzo de 2025'; short: 'mar 2025'."""
        return numerals.month(str(value), self.convention, short)

    def date(self, value: Any) -> str:
        """A date ('2025-03-31' or a timestamp) as '31 de marzo de 2025'."""
        return numerals.date(str(value), self.convention)

    def period(self, period: str) -> str:
        """A claim's period in words: 'marzo de 2025', 'julio a diciembre de 2025', or all of the data."""
        if period == "all":
            return self.text("period.all")
        first, _, last = period.partition("/")
        if not last:
            return self.month(first) if re.fullmatch(r"\d{4}-\d{2}", first) else tidy(first)
        opening = self.month(first)
        if first[:4] == last[:4]:
            opening = self.convention.months[int(first[5:7]) - 1]
        return self.text("period.range", first=opening, last=self.month(last))

    def value(self, value: float | None, unit: str, digits: int | None = None, *, signed: bool = False,
              brief: bool = False, scale: float | None = None) -> str:
        """A number with its unit; `digits` as by numerals.digits_for (of the claim's own unit) when None.

        Shares become percentages; hours become minutes or days by the size of `scale` (default: the value).
        brief: units as abbreviated in tables.
        """
        if value is None or not math.isfinite(value):
            return "–"
        family = numerals.kind(unit)
        digits = numerals.digits_for(unit, value) if digits is None else digits
        if family == "money":
            text = numerals.money(value, unit, digits, self.convention)
        elif family == "share":
            text = self.number(value * 100, digits - 2) + self.convention.percent
        elif family == "percent":
            text = self.number(value, digits) + self.convention.percent
        elif family in ("points", "ratio", "count"):
            text = self.number(value, digits)
        else:
            factor, name = numerals.told_in(unit, value if scale is None else scale)
            shown = self.number(value * factor, digits)
            form = "brief" if brief else "one" if shown == self.number(1) else "other"
            text = shown + NBSP + self.text(f"unit.{name}.{form}")
        is_zero = not re.search(r"[1-9]", text)
        if is_zero and value and digits >= numerals.FINEST and family == "ratio":
            return "<" + self.number(10.0**-digits, digits)
        return "+" + text if signed and value > 0 and not is_zero else text

    def rounded(self, value: float, low: float, high: float, unit: str) -> str:
        """The value at the decimals that its limits (missing: none) support, as a table writes it; for figures."""
        limits = [None if limit is None or math.isnan(limit) else float(limit) for limit in (low, high)]
        if value is None or math.isnan(value):
            return "–"
        return self.value(value, unit, numerals.digits_for(unit, float(value), *limits),
                          scale=numerals.largest(float(value), *limits))

    def interval(self, low: float, high: float, unit: str, digits: int | None = None, scale: float | None = None,
                 brief: bool = False) -> str:
        """'entre 10 y 20', with the unit; brief: '10 a 20' for tables."""
        digits = numerals.digits_for(unit, None, low, high) if digits is None else digits
        scale = numerals.largest(low, high) if scale is None else scale
        low_text, high_text = (self.value(v, unit, digits, scale=scale, brief=brief) for v in (low, high))
        if brief:
            return self.text("interval.brief", low=low_text, high=high_text)
        suffix = ".percent" if numerals.kind(unit) in ("share", "percent") else ""
        is_spoken = numerals.kind(unit) in ("hours", "office_hours", "months", "pp")
        unit_text = low_text.partition(NBSP)[2] if is_spoken else ""
        low_text = low_text.removesuffix(NBSP + unit_text) if unit_text else low_text
        return self.text("interval.between" + suffix, low=low_text, high=high_text)

    def answers(self, score: float, lowest: float | None, highest: float | None) -> str:
        """The answers that a row stands for: '3', '≤ 3' or '≥ 9' where it takes in those beyond, '4–6' both ways."""
        low, high = (None if end is None or math.isnan(end) else end for end in (lowest, highest))
        below, above = low is not None and low < score, high is not None and high > score
        if below and above:
            return f"{self.number(low)}–{self.number(high)}"
        return ("≤" + NBSP if below else "≥" + NBSP if above else "") + self.number(score)

    # claims
    def entry(self, claim_id: str) -> tuple[dict[str, Any], str]:
        """The wording of a claim id and the part that a `*` stood for; MissingWording names an id without one."""
        claims = self._catalogue["claims"]
        if claim_id in claims:
            return claims[claim_id], ""
        parts = claim_id.split(".")
        for pattern in sorted((p for p in claims if "*" in p), key=lambda p: (p.count("*"), p)):
            names = pattern.split(".")
            if len(names) == len(parts) and all(fnmatch.fnmatchcase(p, n) for p, n in zip(parts, names, strict=True)):
                return claims[pattern], parts[names.index("*")] if "*" in names else ""
        raise MissingWording(f"no {self.language} wording for the claim {claim_id!r}")

    def unworded(self, claims: list[Claim]) -> list[str]:
        """Claim ids that have no wording, each once, in order."""
        missing = []
        for claim_id in dict.fromkeys(claim.claim_id for claim in claims):
            try:
                self.entry(claim_id)
            except MissingWording:
                missing.append(claim_id)
        return missing

    def claim_label(self, claim: Claim) -> str:
        """The claim's short name, for scorecards and tables."""
        entry, part = self.entry(claim.claim_id)
        return str(entry["label"]).format(part=self.name("part", part) if part else "")

    def compares(self, claim: Claim) -> float | None:
        """The value of "nothing happens" that the claim is held against; None for a figure that is only described."""
        entry, _ = self.entry(claim.claim_id)
        return float(entry.get("against", 0)) if any(state in entry for state in ("good", "bad", "zero")) else None

    def segment(self, segment: str, claim_id: str = "") -> tuple[str, str]:
        """(dimension, value) of a segment in words; ("", "all customers") for all. Of groups that were made one ("big +
        other") each is named. claim_id: whose dimension may have a name of its own."""
        if segment == "all":
            return "", self.text("segment.all")
        dimension, _, value = segment.partition(":")
        if dimension == "covariate":
            return self.text("dimension.covariate"), self.name("dimension", value)
        own = f"segment_value.{dimension}"  # a number alone does not say of what
        parts = [self.name(own if self.has(f"{own}.{part}") else "segment_value", part) for part in value.split(JOINT)]
        told = f"dimension.{dimension}.{claim_id}"
        return self.text(told) if self.has(told) else self.name("dimension", dimension), tidy(JOINT.join(parts))

    def estimate(self, claim: Claim, brief: bool = True) -> str:
        """The claim's estimate with its unit, at the decimals its interval supports; signed when compared with 0."""
        text = self.value(claim.estimate, claim.unit, self._digits(claim), scale=_scale(claim), brief=brief,
                          signed=self.compares(claim) == 0)
        return f"<{NBSP}{text}" if claim.reason == BELOW else text

    def range(self, claim: Claim, brief: bool = True) -> str:
        """The claim's interval, or "" where it has none."""
        if claim.ci_low is None or claim.ci_high is None:
            return ""
        return self.interval(claim.ci_low, claim.ci_high, claim.unit, self._digits(claim), _scale(claim), brief)

    def state(self, claim: Claim) -> str:
        """good, bad, zero (the interval covers "nothing happens") or described; or the status when it is not ok."""
        if claim.status != "ok":
            return claim.status
        entry, nothing = self.entry(claim.claim_id)[0], self.compares(claim)
        if nothing is None or claim.ci_low is None or claim.ci_high is None:
            return "described"
        if claim.ci_low <= nothing <= claim.ci_high:
            return "zero"
        return "good" if (claim.ci_low > nothing) == (entry.get("better", "higher") == "higher") else "bad"

    def wording(self, claim: Claim) -> Wording:
        """The claim as a Wording: text by claim id, state and level, then the phrase of the level."""
        entry, part = self.entry(claim.claim_id)
        state = self.state(claim)
        template = entry.get("weak", entry.get(state)) if self._is_weak(claim, state) else entry.get(state)
        if isinstance(template, dict):
            template = template.get(claim.level)
        if template is None or (claim.estimate is None and "estimate" in placeholders(template)):
            if claim.status == "ok":
                raise MissingWording(f"no {self.language} wording of {claim.claim_id!r} for {state!r} ({claim.level})")
            template = self._catalogue["texts"][f"status.{state}{self._status_variant(claim)}"]
        facts = self._claim_facts(claim, part)
        one, other = self.text("unit.points.one"), self.text("unit.points.other")
        text = re.sub(rf"(?<![\d.,])1 {other}\b", f"1 {one}", str(template).format(**facts))
        if claim.segment != "all" and "segment" not in placeholders(template):
            text = text[:1].lower() + text[1:] if text[1:2].islower() else text
            own = f"segment.prefix.{claim.segment.partition(':')[0]}"  # a number of days or months is no name
            text = self.text(own if self.has(own) else "segment.prefix", dimension=facts["dimension"],
                             segment=facts["segment"], sentence=text)
        elif claim.estimate is not None and self.has(f"of.{claim.reason}"):  # which answers a headline counts
            text = f"{text} {self.text(f'of.{claim.reason}')}"
        return Wording(text, "" if claim.estimate is None else self._level(claim, state), state)

    def _status_variant(self, claim: Claim) -> str:
        """Too few data are told with the figure where there is one, else with the reason where it has words."""
        if claim.status != "not_enough_data":
            return ""
        if claim.estimate is not None:
            return ".estimate" if claim.fewest == claim.n_used else ".estimate.people"
        return ".because" if self.has(f"reason.{claim.reason}") else ".untold" if claim.n_used is None else ""

    def _is_weak(self, claim: Claim, state: str) -> bool:
        """Whether the claim covers "nothing happens" only because an effect that matters could not have been seen.

        Percent per point is held against smallest_effect, a ratio against smallest_churn_effect, either way; of other
        units none is declared: what would show is said.
        """
        if state != "zero" or claim.detectable is None:
            return False
        if claim.unit == "ratio" and claim.detectable > 0:
            return max(claim.detectable, 1 / claim.detectable) > 1 + max(self.smallest_churn_effect, 0.0) / 100
        return claim.unit != "percent" or claim.detectable > self.smallest_effect

    def _level(self, claim: Claim, state: str) -> str:
        """The phrase of the claim's level; an association says why it is no more than that, where a check decided, and
        where nothing is seen there is no effect to be read."""
        if claim.naive:
            return self.text("level.naive")
        if claim.level == "associated" and claim.reason:
            return self.text("level.associated.because", reason=self.reason(claim))
        own = f"level.{claim.level}.{state}"
        return self.text(own if self.has(own) else f"level.{claim.level}.phrase")

    def sentence(self, claim: Claim) -> str:
        """The claim as one or two plain sentences, with its interval and the phrase of its level."""
        return str(self.wording(claim))

    def reason(self, claim: Claim) -> str:
        """Why there is no estimate, or why the level dropped, in words."""
        return self.name("reason", claim.reason) if claim.reason else self.text("reason.unknown")

    def _claim_facts(self, claim: Claim, part: str) -> dict[str, str]:
        digits, scale = self._digits(claim), _scale(claim)
        dimension, segment = self.segment(claim.segment)
        offered = claim.n_used if claim.n_in is None else claim.n_in
        counts = {"n": claim.n_used, "n_in": offered, "people": claim.people}
        facts = {"label": self.claim_label(claim), "part": self.name("part", part) if part else "",
                 **{name: "–" if count is None else self.number(count) for name, count in counts.items()},
                 "period": self.period(claim.period), "segment": segment, "dimension": dimension,
                 "reason": self.reason(claim), "comparisons": self.number(claim.comparisons),
                 "readable_on": self.date(claim.readable_on) if claim.readable_on else self.text("date.unknown"),
                 "detectable": self._detectable(claim, digits)}
        limits = (claim.ci_low, claim.ci_high)
        facts["estimate"] = self.value(claim.estimate, claim.unit, digits, scale=scale)
        if claim.reason == BELOW:
            facts["estimate"] = f"<{NBSP}{facts['estimate']}"
        facts["signed"] = self.value(claim.estimate, claim.unit, digits, scale=scale, signed=True)
        facts["low"], facts["high"] = (self.value(v, claim.unit, digits, scale=scale) for v in limits)
        facts["size"] = facts["estimate"].removeprefix(MINUS)
        facts["interval"] = facts["size_interval"] = self.text("interval.none")
        if None not in limits:
            sizes = sorted(map(abs, limits)) if limits[0] * limits[1] >= 0 else limits
            facts["interval"] = self.interval(*limits, claim.unit, digits, scale)
            facts["size_interval"] = self.interval(*sizes, claim.unit, digits, scale)
        return facts

    def _digits(self, claim: Claim) -> int:
        return numerals.digits_for(claim.unit, claim.estimate, claim.ci_low, claim.ci_high, self.compares(claim) or 0.0)

    def _detectable(self, claim: Claim, digits: int) -> str:
        """At the decimals of the interval, unless it would read as "nothing happens" then."""
        reach = claim.detectable
        own = reach is None or abs(reach - (self.compares(claim) or 0.0)) < 0.5 * 10.0**-digits
        return self.value(reach, claim.unit, None if own else digits, scale=reach if own else _scale(claim))


def _scale(claim: Claim) -> float | None:
    """The largest number that will stand in the sentence: all of them are told in the unit that suits it."""
    values = [abs(v) for v in (claim.estimate, claim.ci_low, claim.ci_high) if v is not None]
    return max(values, default=None)
