"""The claim: every number that a report prints is one row of one table."""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import pandas as pd

from pipeline.contracts.rules import rule_of

Level = Literal["described", "associated", "effect", "forecast"]
Status = Literal["ok", "not_enough_data", "not_estimable", "too_early", "suppressed"]
DIGITS = 10  # significant digits kept; the 15th differs between Python versions


@dataclass(frozen=True)
class Claim:
    """One printed number, with its interval and everything that decides how it may be worded.

    claim_id: dotted name, for instance `sales.conversion_value.detractor_to_promoter`.
    segment: "all", or "dimension:value" (for instance "touchpoint:delivery").
    period: "2025-03", "2025-01/2025-12" (months, both included) or "all".
    estimate, ci_low, ci_high: None where there is none; the interval is 95 %.
    unit: points, share, percent, pp (percentage points), EUR (any ISO 4217 code), hours, ratio, count, months.
    n_in, n_used: rows offered and rows used; None where there is no estimate and so few that they are not told.
    method: short name of the estimator, with its source in the function that made it.
    level: set by diagnostics, never by the author. status: why there is no estimate, when there is none.
    reason: one machine word or short phrase that explains status or level ("separation", "lead_not_zero").
    readable_on: date (YYYY-MM-DD) on which a too_early claim will be readable.
    detectable: smallest effect (same unit) that these data show with 80 % power.
    comparisons: how many were made alongside this one. naive: True for an unadjusted figure shown for contrast.
    people: customers behind the rows used, where one may have several; None where a row is a person, or unknown.
    """

    claim_id: str
    estimate: float | None
    unit: str
    n_used: int | None
    method: str
    level: Level = "described"
    status: Status = "ok"
    segment: str = "all"
    period: str = "all"
    ci_low: float | None = None
    ci_high: float | None = None
    n_in: int | None = None
    reason: str = ""
    readable_on: str = ""
    detectable: float | None = None
    comparisons: int = 1
    naive: bool = False
    people: int | None = None

    def __post_init__(self):
        if self.status == "ok" and self.estimate is None:
            raise ValueError(f"{self.claim_id}: status ok needs an estimate")
        if self.n_used is None and self.estimate is not None:
            raise ValueError(f"{self.claim_id}: an estimate needs n_used")
        if self.status in ("suppressed", "not_estimable") and self.estimate is not None:
            raise ValueError(f"{self.claim_id}: status {self.status} must not carry an estimate")
        for name in ("estimate", "ci_low", "ci_high", "detectable"):
            value = getattr(self, name)
            if value is not None:
                if not math.isfinite(value):
                    raise ValueError(f"{self.claim_id}: {name} is not finite")
                object.__setattr__(self, name, rounded(value))

    @property
    def rule(self) -> str:
        """Id of the rule by which the figure is withheld or warned of (pipeline.contracts.rules); "" without one."""
        return rule_of(self.status, self.reason)

    @property
    def fewest(self) -> int | None:
        """Rows used or the people behind them, whichever are fewer: by it a group is small. None where not told."""
        counts = [count for count in (self.n_used, self.people) if count is not None]
        return min(counts) if self.n_used is not None else None

    @property
    def covers_zero(self) -> bool | None:
        """Whether the interval holds zero; None without an interval."""
        if self.ci_low is None or self.ci_high is None:
            return None
        return self.ci_low <= 0 <= self.ci_high


COLUMNS = [field.name for field in fields(Claim)]


def rounded(value: float) -> float:
    """The value at DIGITS significant digits, so that printed bytes do not hang on the last bits."""
    return float(f"{float(value):.{DIGITS}g}")


def write_claims(claims: list[Claim], path: Path) -> None:
    """Write claims as a JSON list, in the order given; (claim_id, segment, period) must be unique."""
    keys = [(c.claim_id, c.segment, c.period) for c in claims]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise ValueError(f"claims stand twice: {twice[:3]}")
    rows = ",\n".join(json.dumps(asdict(c), ensure_ascii=False) for c in claims)
    path.write_text(f"[\n{rows}\n]\n", encoding="utf-8")


def read_claims(path: Path) -> list[Claim]:
    return [Claim(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def claims_frame(claims: list[Claim]) -> pd.DataFrame:
    """One row per claim, columns as in Claim."""
    return pd.DataFrame([asdict(c) for c in claims], columns=COLUMNS)
