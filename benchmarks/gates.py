"""What coverage, bias, power, size and level must be, and the verdict on one figure over all companies of a world."""

import fnmatch
import math
from dataclasses import dataclass, replace

from benchmarks.records import BAND, P_VALUES, Record
from benchmarks.truths import behind

CERTAIN = 2.576  # 99 % of the simulation's own noise is granted below the numbers of companies that the bands are for
EXACT, FEWER = (2000, 0.015), (500, 0.025)  # companies and half width of the band of coverage
MONEY = 0.03  # half width for money and restricted means
WIDE = ("experience.ttr_restricted_mean_hours",)
USUAL_BIAS, MOST_BIAS = 0.05, {"feedback": 0.10}  # share of the truth; by world where it differs
SCALES = {  # differences, which may be nothing: their bias is held against a size of their own unit, not a small truth
    "experience.nps*_change": 10.0, "experience.nps_weighting_shift": 10.0, "experience.index*_change": 10.0,  # points
    "experience.csat*_change": 5.0, "experience.csat_weighting_shift": 5.0,  # a twentieth of the scale, as of NPS: pp
    "experience.ces*_change": 0.3, "experience.ces_weighting_shift": 0.3, "experience.mean_change.*": 0.3,  # of 1 to 7
    "experience.ttr_*_change": 8.0, "experience.first_reply_*_change": 8.0,  # hours: a working day
    "sales.growth.contribution": 5.0,  # pp
    "sales.complaints.per_point": 5.0, "sales.contacts.per_point": 5.0, "sales.lag": 5.0,
    "sales.asymmetry": 5.0,  # percent, as logarithms: the smallest effect that matters
}
GIVEN_EFFECT = ("sales.per_point", "sales.conversion_value.detractor_to_promoter")  # where "effect" is said
POWER = {"sales.per_point": 0.95, "churn.hazard_ratio_per_point": 0.75}  # at CUSTOMERS_FOR_POWER, world base
CUSTOMERS_FOR_POWER = 2000
SAYS_ASSOCIATED = 0.95  # under feedback, share of companies whose report must not say "effect"
CAUSAL = ("sales.per_point", "sales.group.", "sales.asymmetry", "sales.conversion_", "sales.break_even_cost.",
          "sales.orders.", "sales.order_value.", "sales.repeat_purchase.", "sales.shape.", "sales.stale_score.",
          "sales.lag", "sales.same_month_check", "sales.lead_check")  # what feedback upsets
HELD_UNDER_FEEDBACK = ("sales.per_point", "sales.group.promoter", "sales.conversion_value.detractor_to_promoter",
                       "sales.conversion_value.passive_to_promoter")  # their bias has a limit there
UPSET_BY_SILENCE = ("experience.nps_weighted", "experience.nps_weighted_change", "experience.nps_raked",
                    "experience.nps_weighting_shift")
MOST_SIZE, SIZE = 0.055, (0.035, 0.065)  # of a change test; of placebo and permutation
MOST_FALSE = 0.10
MOST_OFF = 0.10  # by which a detectable effect may miss the one that the estimates' spread says
CHANGE_TESTS = ("size.nps_change", "size.csat_change")
WHERE_SEEN = ("sales.growth.share_of_promoters", "sales.lag", "sales.growth.contribution", "sales.shape.spline",
              "sales.shape.answer", "churn.revenue_at_risk.by_answer",
              "sales.referrals.per_point", "sales.complaints.per_point")  # printed only where the data allow it
FEWEST = 30  # companies that print it, below which there is no verdict


@dataclass(frozen=True)
class Verdict:
    """One figure over all companies of one world.

    coverage, tail_low (truth below the interval), tail_high: shares of companies; a company without an interval does
    not cover, unless the figure is printed only where it can be (WHERE_SEEN). bias_share: mean estimate over truth,
    minus 1 (of ratios: of their logarithms), or their difference over the scale (SCALES); None where the truth is zero
    and there is no scale. shown: share of intervals without "nothing"
    in them: power, or size where nothing is the truth. effect: share of companies whose level is "effect". least, most:
    what coverage, size, power or share may be. gate: all that must hold, in words. naive: the gate must not hold.
    check: coverage, size, level, power, false_discovery, warning, detectable or enumeration. proves: lines of the
    table of limits. truth_kind: see benchmarks.truths.
    """

    claim_id: str
    segment: str
    method: str
    world: str
    check: str
    proves: list[str]
    companies: int
    customers: int
    estimated: int
    coverage: float | None
    tail_low: float | None
    tail_high: float | None
    truth: float | None
    truth_kind: str
    mean: float | None
    bias_share: float | None
    shown: float | None
    effect: float | None
    least: float | None
    most: float | None
    gate: str
    ok: bool
    naive: bool


def coverage_band(companies: int, is_wide: bool) -> tuple[float, float]:
    """Lowest and highest coverage that pass: 93.5-96.5 % at 2,000 companies, 92.5-97.5 % at 500, money 92-98 %.

    Between them the band narrows with the simulation's own noise; below 500 it is as wide as 95 % shows by chance.
    """
    noise = CERTAIN * math.sqrt(0.95 * 0.05 / companies)
    half = max(noise, EXACT[1]) if companies < FEWER[0] else max(min(noise, FEWER[1]), EXACT[1])
    half = max(half, MONEY) if is_wide else half
    return 0.95 - half, min(0.95 + half, 1.0)


def size_band(companies: int, low: float, high: float, rate: float = 0.05) -> tuple[float, float]:
    """The band of a size, below EXACT companies as much wider as the simulation is noisier than with so many."""
    more = max(math.sqrt(rate * (1 - rate)) * (1 / math.sqrt(companies) - 1 / math.sqrt(EXACT[0])), 0.0)
    return max(low - CERTAIN * more, 0.0), high + CERTAIN * more


def judge(records: list[Record], world: str, customers: int) -> Verdict | None:
    """The records of one figure, one per company, against their truths; None where there is nothing to judge."""
    first = records[0]
    if first.claim_id == "size.false_discoveries":
        return _false_discoveries(records, world, customers)
    if first.claim_id in P_VALUES:
        return _p_values(records, world, customers)
    if first.claim_id in WHERE_SEEN:
        records = [r for r in records if r.low is not None]
    given = [r for r in records if r.low is not None and r.high is not None and r.truth is not None]
    if not given or (first.claim_id in WHERE_SEEN and len(given) < FEWEST):
        return None
    n = len(records)
    low, high = (sum(v) for v in ((r.truth < r.low for r in given), (r.truth > r.high for r in given)))
    coverage = (len(given) - low - high) / n
    bias, noise = _bias(given, customers, world)
    shown = sum(not r.low <= _nothing(r) <= r.high for r in given) / n
    effect = sum(r.level == "effect" for r in records) / n
    gates, check, proves, band = _gates(given, world, n, coverage, bias, noise, shown, effect)
    ok = not all(gates.values()) if first.naive else all(gates.values())
    mean = math.fsum(r.estimate for r in given) / len(given)
    return Verdict(first.claim_id, first.segment, first.method, world, check, proves, n, customers, len(given),
                   coverage, low / n, high / n, math.fsum(r.truth for r in given) / len(given), first.kind, mean, bias,
                   shown, effect, *band, ("not: " if first.naive else "") + "; ".join(gates), ok, first.naive)


def _gates(given: list[Record], world: str, n: int, coverage: float, bias: float | None, noise: float, shown: float,
           effect: float) -> tuple[dict[str, bool], str, list[str], tuple[float | None, float | None]]:
    """What must hold of these and whether it does, the kind of check, the lines it proves, and its band."""
    first, unbound = given[0], (None, None)
    least, most = band = coverage_band(n, first.unit.isupper() or first.claim_id in WIDE)
    covers = {f"{least:.3f} <= coverage <= {most:.3f}": least <= coverage <= most}
    limit = MOST_BIAS.get(world, USUAL_BIAS)
    of_what = "" if scale_of(first.claim_id) is None else " of the scale"
    is_right = {} if bias is None else {
        f"|bias| <= {limit:.0%}{of_what} + {noise:.1%} of noise": abs(bias) <= limit + noise}
    if first.naive:
        return covers | is_right, "coverage", ["naive"], band
    if first.claim_id == BAND:
        return {"band in every report": len(given) == n}, "warning", ["warning"], unbound
    if world == "nonresponse" and first.claim_id in UPSET_BY_SILENCE:
        return {"none: answering hangs on the answer, and the headline says so": True}, "warning", ["warning"], unbound
    if first.claim_id.startswith("size."):
        is_change = first.claim_id in CHANGE_TESTS
        allowed = size_band(n, *((0.0, MOST_SIZE) if is_change else SIZE))
        return _sized(shown, *allowed), "size", ["change_test" if is_change else "placebo"], allowed
    if first.claim_id in ("sales.same_month_check", "sales.lead_check") and world != "feedback":
        allowed = size_band(n, *SIZE)
        return covers | _sized(shown, *allowed), "size", ["intervals", "placebo"], allowed
    if world == "feedback" and first.claim_id.startswith(CAUSAL):
        told = {f"associated in {SAYS_ASSOCIATED:.0%}": effect <= 1 - SAYS_ASSOCIATED}
        has_limit = first.claim_id in HELD_UNDER_FEEDBACK
        return told | (is_right if has_limit else {}), "level", ["bias"], unbound
    return covers | is_right, "coverage", ["intervals"] + ["bias"] * bool(is_right), band


def _sized(shown: float, low: float, high: float) -> dict[str, bool]:
    words = f"size <= {high:.3f}" if low <= 0 else f"{low:.3f} <= size <= {high:.3f}"
    return {words: low <= shown <= high}


def _nothing(record: Record) -> float:
    return 1.0 if record.unit == "ratio" else 0.0


def scale_of(claim_id: str) -> float | None:
    """The size of a difference in its own unit that its bias is held against; None for what is no difference."""
    return next((scale for name, scale in SCALES.items() if fnmatch.fnmatchcase(claim_id, name)), None)


def _log_percent(value: float) -> float:
    return 100 * math.log1p(max(value, -99.99) / 100)


def _bias(given: list[Record], customers: int, world: str) -> tuple[float | None, float]:
    """Share by which the mean estimate misses the mean truth, and the simulation's noise in it (that of a truth which
    is itself the mean over large companies included).
    """
    scale = scale_of(given[0].claim_id)
    turn = math.log if given[0].unit == "ratio" else float
    if scale and given[0].unit == "percent":
        turn = _log_percent
    told = scale or math.fsum(turn(r.truth) for r in given) / len(given)
    if abs(told) < 1e-12:
        return None, 0.0
    shares = [(turn(r.estimate) - turn(r.truth)) / told for r in given]
    mean = math.fsum(shares) / len(shares)
    spread = math.sqrt(math.fsum((s - mean) ** 2 for s in shares) / max(len(shares) - 1, 1))
    return mean, CERTAIN * spread * math.sqrt(1 / len(shares) + customers / behind(given[0].kind, world))


def _plain(first: Record, world: str, check: str, proves: str, n: int, customers: int, shown: float | None,
           mean: float | None, gates: dict[str, bool], band: tuple[float | None, float | None]) -> Verdict:
    """A verdict without intervals."""
    return Verdict(first.claim_id, first.segment, first.method, world, check, [proves], n, customers, n, None, None,
                   None, first.truth, first.kind, mean, None, shown, None, *band, "; ".join(gates), all(gates.values()),
                   first.naive)


def _p_values(records: list[Record], world: str, customers: int) -> Verdict | None:
    """Size of a test of shape: every planted line is straight, and in the null world flat."""
    if world == "feedback" or (records[0].claim_id.endswith("any_difference") and world != "null"):
        return None
    given = [r for r in records if r.estimate is not None]
    if len(given) < FEWEST:
        return None
    size = sum(r.estimate < 0.05 for r in given) / len(given)
    allowed = size_band(len(given), *SIZE)
    return _plain(given[0], world, "size", "placebo", len(given), customers, size, None,
                  _sized(size, *allowed), allowed)


def _false_discoveries(records: list[Record], world: str, customers: int) -> Verdict:
    rate = math.fsum(r.estimate for r in records) / len(records)
    spread = math.sqrt(math.fsum((r.estimate - rate) ** 2 for r in records) / max(len(records) - 1, 1))
    more = CERTAIN * max(spread * (1 / math.sqrt(len(records)) - 1 / math.sqrt(EXACT[0])), 0.0)
    return _plain(records[0], world, "false_discovery", "false_discovery", len(records), customers, None, rate,
                  {f"false discoveries <= {MOST_FALSE + more:.3f}": rate <= MOST_FALSE + more},
                  (0.0, MOST_FALSE + more))


def judge_power(records: list[Record], world: str, customers: int) -> Verdict:
    """Share of companies whose interval leaves nothing out."""
    first = records[0]
    shown = sum(r.low is not None and not r.low <= _nothing(r) <= r.high for r in records) / len(records)
    least = POWER[first.claim_id]
    return _plain(first, world, "power", "power", len(records), customers, shown, None,
                  {f"power >= {least:.0%}": shown >= least}, (least, 1.0))


def judge_given_effect(records: list[Record], world: str, customers: int) -> Verdict | None:
    """Bias of a figure in those companies alone whose report calls it an effect: the level must not pick by size."""
    given = [r for r in records if r.level == "effect" and r.estimate is not None and r.truth is not None]
    if records[0].claim_id not in GIVEN_EFFECT or len(given) < FEWEST or given[0].truth == 0:
        return None
    bias, noise = _bias(given, customers, world)
    gates = {f"|bias| <= {USUAL_BIAS:.0%} + {noise:.1%} of noise": abs(bias) <= USUAL_BIAS + noise}
    mean = math.fsum(r.estimate for r in given) / len(given)
    verdict = _plain(given[0], world, "level", "bias", len(records), customers, 1.0, mean, gates, (None, None))
    return replace(verdict, claim_id=f"{given[0].claim_id}.given_effect", estimated=len(given), bias_share=bias,
                   effect=len(given) / len(records))


def judge_detectable(records: list[Record], world: str, customers: int) -> Verdict | None:
    """The effect called detectable, against what the spread of the estimates says: 2.80 of their standard deviations.

    Of differences in points, percentage points and money, where the scale is the estimate's own.
    """
    given = [r for r in records if r.detectable is not None and r.estimate is not None]
    is_difference = records[0].claim_id.startswith(("sales.", "churn.")) or "_change" in records[0].claim_id
    if len(given) < FEWEST or given[0].unit not in ("points", "pp", "EUR") or given[0].naive or not is_difference:
        return None
    mean = math.fsum(r.estimate for r in given) / len(given)
    spread = math.sqrt(math.fsum((r.estimate - mean) ** 2 for r in given) / (len(given) - 1))
    told, true = math.fsum(r.detectable for r in given) / len(given), 2.8016 * spread
    noise = CERTAIN / math.sqrt(2 * (len(given) - 1))
    bias = told / true - 1
    gate = f"|detectable / (2.80 sd) - 1| <= {MOST_OFF:.0%} + {noise:.1%} of noise"
    return Verdict(given[0].claim_id, given[0].segment, given[0].method, world, "detectable", ["detectable"],
                   len(given), customers, len(given), None, None, None, true, "ledger", told, bias, *[None] * 4, gate,
                   abs(bias) <= MOST_OFF + noise, False)
