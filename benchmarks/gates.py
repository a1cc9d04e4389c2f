"""What coverage, bias, power and level must be, and the verdict on one claim over all companies of a world."""

import math
from dataclasses import dataclass

from pipeline.contracts.claims import Claim

CERTAIN = 2.576  # 99 % of the simulation's own noise is granted
MOST_BIAS = {"feedback": 0.10}  # share of the truth; elsewhere 5 %
POWER = {"sales.per_point": 0.95, "churn.hazard_ratio_per_point": 0.75}  # at CUSTOMERS_FOR_POWER, world base
CUSTOMERS_FOR_POWER = 2000
SAYS_ASSOCIATED = 0.95  # under feedback, share of companies whose report must not say "effect"


@dataclass(frozen=True)
class Verdict:
    """One claim over all companies of one world.

    coverage, tail_low (truth below the interval), tail_high: shares of companies; a company without an interval does
    not cover. bias_share: mean estimate over truth, minus 1 (of ratios: of their logarithms); None where the truth is
    zero. shown: share of intervals without "nothing" in them: power, or size where nothing is the truth.
    effect: share of companies whose level is "effect". gate: what must hold. naive: the gate must not hold.
    """

    claim_id: str
    method: str
    world: str
    companies: int
    coverage: float
    tail_low: float
    tail_high: float
    bias_share: float | None
    gate: str
    ok: bool
    naive: bool
    customers: int
    estimated: int
    truth: float
    mean: float | None
    shown: float
    effect: float


def coverage_band(companies: int, unit: str) -> tuple[float, float]:
    """Lowest and highest coverage that pass: 93.5-96.5 % at 2,000 companies, 92.5-97.5 % at 500, money 92-98 %.

    Between and below, the band is as wide as what 95 % shows by chance alone.
    """
    noise = CERTAIN * math.sqrt(0.95 * 0.05 / companies)
    half = max(noise, 0.03 if unit.isupper() else 0.015)
    return 0.95 - half, min(0.95 + half, 1.0)


def judge(claim_id: str, claims: list[Claim], world: str, target: float, customers: int = 0) -> Verdict:
    """The claims of one id, one per company, against the truth."""
    given = [c for c in claims if c.ci_low is not None and c.ci_high is not None]
    n, first = len(claims), claims[0]
    low, high = sum(target < c.ci_low for c in given), sum(target > c.ci_high for c in given)
    coverage = (len(given) - low - high) / n
    nothing = 1.0 if first.unit == "ratio" else 0.0
    shown = sum(not c.ci_low <= nothing <= c.ci_high for c in given) / n
    effect = sum(c.level == "effect" for c in claims) / n
    bias, noise = _bias(given, target, first.unit)
    least, most = coverage_band(n, first.unit)
    gates = {f"{least:.3f} <= coverage <= {most:.3f}": least <= coverage <= most}
    if not first.naive:
        if world == "feedback":
            gates = {f"associated in {SAYS_ASSOCIATED:.0%}": effect <= 1 - SAYS_ASSOCIATED}
        if bias is not None:
            limit = MOST_BIAS.get(world, 0.05)
            gates[f"|bias| <= {limit:.0%} + {noise:.1%} of noise"] = abs(bias) <= limit + noise
        if claim_id in POWER and world == "base" and customers >= CUSTOMERS_FOR_POWER:
            gates[f"power >= {POWER[claim_id]:.0%}"] = shown >= POWER[claim_id]
    holds = all(gates.values())
    mean = math.fsum(c.estimate for c in given) / len(given) if given else None
    return Verdict(claim_id, first.method, world, n, coverage, low / n, high / n, bias,
                   ("not: " if first.naive else "") + "; ".join(gates), coverage < least if first.naive else holds,
                   first.naive, customers, len(given), target, mean, shown, effect)


def _bias(given: list[Claim], target: float, unit: str) -> tuple[float | None, float]:
    """Share by which the mean estimate misses the truth, and the simulation's noise in it."""
    turn = math.log if unit == "ratio" else float
    if not given or turn(target) == 0:
        return None, 0.0
    shares = [turn(c.estimate) / turn(target) - 1 for c in given]
    mean = math.fsum(shares) / len(shares)
    spread = math.sqrt(math.fsum((s - mean) ** 2 for s in shares) / max(len(shares) - 1, 1))
    return mean, CERTAIN * spread / math.sqrt(len(shares))
