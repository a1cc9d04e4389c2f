"""Do the printed intervals hold the truth? Invented companies with known effects, by the functions of the notebooks.

    python -m benchmarks.validity --companies 60 --customers 1500 [--world base] [--json FILE]

Company k has seed k: fixed beforehand, never chosen afterwards. Each is simulated, linked into the customer x month
panel and analysed exactly as notebooks 03 and 04 do with the defaults of params.yaml; every claim is then held
against the truth of its world. Naive methods stand beside them and must fail, or the gate would check nothing.
"""

import argparse
import json
import math
import multiprocessing
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.contracts.claims import Claim
from pipeline.demo.company import simulate
from pipeline.demo.truth import truth
from pipeline.link.panel import build_panel
from pipeline.relate import churn, conversion, naive, sales
from pipeline.relate.sample import sales_sample
from pipeline.relate.timing import timing_of

LEAST_HONEST, MOST_NAIVE = 52 / 60, 20 / 60
CURRENCY, TIME_ZONE, PROCESSES = "EUR", "Europe/Madrid", 2
HEADLINE = {  # claim: the claim whose truth it is held against; naive ones borrow it
    "sales.per_point": "sales.per_point",
    "sales.conversion_value.detractor_to_promoter": "sales.conversion_value.detractor_to_promoter",
    "sales.conversion_value.passive_to_promoter": "sales.conversion_value.passive_to_promoter",
    "churn.hazard_ratio_per_point": "churn.hazard_ratio_per_point",
    "churn.absolute_effect_per_point": "churn.absolute_effect_per_point",
    "sales.naive.log1p_per_point": "sales.per_point",
    "sales.naive.group_gap": "sales.conversion_value.detractor_to_promoter",
}


@dataclass(frozen=True)
class Verdict:
    """One claim over all companies. coverage, tail_low (truth below the interval), tail_high: shares of companies.

    bias_share: mean estimate over truth, minus 1. gate: what coverage must be; naive: must fail to cover.
    estimated: companies that gave an interval; the others count as not covered. effect: share that said "effect".
    """

    claim_id: str
    method: str
    world: str
    companies: int
    estimated: int
    covered: int
    coverage: float
    tail_low: float
    tail_high: float
    truth: float
    mean: float | None
    bias_share: float | None
    effect: float
    gate: str
    ok: bool
    naive: bool


def claims_of(seed: int, customers: int, world: str) -> list[Claim]:
    """The claims that the notebooks would print about company `seed`, those of HEADLINE."""
    company = simulate(customers=customers, seed=seed, world=world)
    tables = {name: getattr(company, name) for name in ("surveys", "tickets", "sales", "customers", "actions")}
    panel = build_panel(tables, TIME_ZONE)
    sample = sales_sample(panel, "nps", 1, ["exposure_months"])
    timing = timing_of(sample)
    claims = sales.per_point(sample, timing.level, timing.reason)[0]
    claims += conversion.conversion(sample, CURRENCY, 12, timing.level, timing.reason)
    claims += naive.naive_sales(sample, CURRENCY)
    claims += churn.hazard_claims(churn.churn_sample(panel, "nps", 1, ["segment", "value_band"]))
    return [claim for claim in claims if claim.claim_id in HEADLINE]


def truths(world: str) -> dict[str, float]:
    """True value of each adjusted claim in that world."""
    known = truth(world)
    value, planted = known["ledger"]["conversion_of_respondents"], known["structural"]
    return {
        "sales.per_point": planted["sales_percent_per_point"],
        "sales.conversion_value.detractor_to_promoter": value["detractor_to_promoter"],
        "sales.conversion_value.passive_to_promoter": value["passive_to_promoter"],
        "churn.hazard_ratio_per_point": planted["churn_hazard_ratio_per_point"],
        "churn.absolute_effect_per_point": known["ledger"]["churn_pp_per_point"],
    }


def judge(claim_id: str, claims: list[Claim], world: str, target: float) -> Verdict:
    """The claims of one id, one per company, against the truth."""
    given = [claim for claim in claims if claim.ci_low is not None and claim.ci_high is not None]
    low = sum(target < claim.ci_low for claim in given)
    high = sum(target > claim.ci_high for claim in given)
    covered, n = len(given) - low - high, len(claims)
    mean = math.fsum(claim.estimate for claim in given) / len(given) if given else None
    bias = mean / target - 1 if given and target else None
    is_naive = claims[0].naive
    gate = f"<= {MOST_NAIVE:.4f}" if is_naive else f">= {LEAST_HONEST:.4f}"
    ok = covered / n <= MOST_NAIVE if is_naive else covered / n >= LEAST_HONEST
    says_effect = sum(claim.level == "effect" for claim in claims) / n
    return Verdict(claim_id, claims[0].method, world, n, len(given), covered, covered / n, low / n, high / n, target,
                   mean, bias, says_effect, gate, ok, is_naive)


def validate(companies: int, customers: int, world: str) -> list[Verdict]:
    """Verdicts over companies 1 to `companies`, in the order of HEADLINE."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # inherited by the workers: two processes, one thread each
    jobs = [(seed, customers, world) for seed in range(1, companies + 1)]
    with multiprocessing.get_context("spawn").Pool(min(PROCESSES, companies)) as pool:
        made = pool.starmap(claims_of, jobs, chunksize=1)
    target = truths(world)
    return [judge(claim_id, [c for claims in made for c in claims if c.claim_id == claim_id], world, target[like])
            for claim_id, like in HEADLINE.items()]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validity", description=__doc__.split("\n")[0])
    parser.add_argument("--companies", type=int, default=60)
    parser.add_argument("--customers", type=int, default=1500)
    parser.add_argument("--world", default="base")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(argv)
    verdicts = validate(given.companies, given.customers, given.world)
    print(f"{'claim':<46}{'covered':>9}{'low':>6}{'high':>6}{'truth':>9}{'mean':>9}{'bias':>8}{'effect':>8}  verdict")
    for v in verdicts:
        share = f"{v.covered}/{v.companies}"
        print(f"{v.claim_id:<46}{share:>9}{v.tail_low:>6.2f}{v.tail_high:>6.2f}{v.truth:>9.3f}{v.mean or 0:>9.3f}"
              f"{_percent(v.bias_share):>8}{v.effect:>8.2f}  {'ok' if v.ok else 'FAILS'} ({v.gate})")
    if given.json:
        text = json.dumps([asdict(v) for v in verdicts], indent=1, allow_nan=False, default=float)
        given.json.write_text(text + "\n", encoding="utf-8")
    return 0 if all(v.ok for v in verdicts) else 1


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:+.1%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
