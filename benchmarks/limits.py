"""What each printed figure tends to in very large companies: the truth of figures that no planted parameter gives.

    python -m benchmarks.limits [--worlds base,null,feedback,nonresponse]

The same functions on COMPANIES companies of CUSTOMERS customers a world; the mean stands in limits.json beside this
file (a minute a company; a run that was broken off goes on). After a change of a method: delete the file first.
Of tickets, whose longest times are rare, TICKET_COMPANIES of them are drawn but not analysed: nature knows how long
each lasts. An interval held against it is shown to be as wide as it must be; whether the figure is the right one to ask
for is another question, which the verdicts keep apart (`truth_kind`).
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

from benchmarks.printed import MONTHS, WINDOW_MONTHS, linked, printed
from pipeline.contracts.claims import Claim
from pipeline.demo.latent import draw_latent
from pipeline.demo.service import draw_tickets
from pipeline.demo.truth import LEDGER_SEED, rounded
from pipeline.demo.worlds import world_named
from pipeline.measure.tickets import HORIZON_HOURS

FILE = Path(__file__).with_name("limits.json")
CUSTOMERS, COMPANIES, FIRST_SEED = 60_000, 12, 900_001
TICKET_COMPANIES, FIRST_MONTH = 100, "2024-01"
WORLDS = "base,null,feedback,nonresponse"
OF_TICKETS = ("experience.ttr_median_hours", "experience.ttr_p90_hours", "experience.ttr_restricted_mean_hours",
              "experience.requester_wait_median_hours")


def limits(world: str, customers: int, seeds: list[int]) -> dict[str, float]:
    """claim@segment -> mean estimate of these large companies (of ratios: the mean of logarithms, turned back)."""
    found: dict[str, list[Claim]] = {}
    for seed in seeds:
        for claim in printed(linked([seed], customers, world)[0]):
            if claim.estimate is not None and claim.claim_id.removesuffix("_change") not in OF_TICKETS:
                found.setdefault(f"{claim.claim_id}@{claim.segment}", []).append(claim)
    return {name: _mean(claims) for name, claims in found.items()}


def merged(old: dict[str, float], count: int, new: dict[str, float], more: int) -> dict[str, float]:
    """Means over `count` companies and over `more` of them, as one; a figure that only one of them has keeps it."""
    both = {name: (count * old[name] + more * value) / (count + more) if name in old else value
            for name, value in new.items()}
    return old | both


def _mean(claims: list[Claim]) -> float:
    if claims[0].unit == "ratio" and all(c.estimate > 0 for c in claims):
        return math.exp(math.fsum(math.log(c.estimate) for c in claims) / len(claims))
    return math.fsum(c.estimate for c in claims) / len(claims)


def tickets_of(world: str, customers: int, seeds: list[int]) -> dict[str, float]:
    """Time to resolution as nature knows it, open tickets included: medians, nine in ten, mean of at most 30 days; and
    the median wait for the company."""
    month, hours, waits = (np.concatenate(parts) for parts in zip(*[_tickets(world, customers, seed) for seed in seeds],
                                                           strict=True))
    now = month >= MONTHS - WINDOW_MONTHS
    before = (month >= MONTHS - 2 * WINDOW_MONTHS) & ~now
    made = {"experience.ttr_restricted_mean_hours@all": float(np.minimum(hours[now], HORIZON_HOURS).mean())}
    for name, share, lasted in (("ttr_median_hours", 0.5, hours), ("ttr_p90_hours", 0.9, hours),
                                ("requester_wait_median_hours", 0.5, waits)):
        level, earlier = (float(np.quantile(lasted[part], share)) for part in (now, before))
        made |= {f"experience.{name}@all": level, f"experience.{name}_change@all": level - earlier}
    return made


def _tickets(world: str, customers: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Month, hours to the solution and hours of waiting for the company of every ticket of one company."""
    latent = draw_latent(customers, MONTHS, seed, world_named(world), LEDGER_SEED)
    drawn = draw_tickets(latent, np.arange(customers).astype(str).astype(object), seed, FIRST_MONTH)
    return drawn.month, drawn.ttr_hours, drawn.wait_hours


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__.split("\n")[0])
    parser.add_argument("--worlds", default=WORLDS)
    parser.add_argument("--companies", type=int, default=COMPANIES, help="in all, those already in the file included")
    given = parser.parse_args(argv)
    held = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {"worlds": {}, "companies": {}}
    for world in given.worlds.split(","):
        if held.setdefault("ticket_companies", {}).get(world, 0) < TICKET_COMPANIES:
            seeds = list(range(FIRST_SEED, FIRST_SEED + TICKET_COMPANIES))
            held["worlds"][world] = held["worlds"].get(world, {}) | rounded(tickets_of(world, CUSTOMERS, seeds))
            held["ticket_companies"][world] = TICKET_COMPANIES
            _write(held)
    for number in range(given.companies):
        for world in given.worlds.split(","):
            count = held["companies"].get(world, 0)
            if count > number:
                continue
            new = limits(world, CUSTOMERS, [FIRST_SEED + count])
            held["worlds"][world] = rounded(merged(held["worlds"].get(world, {}), count, new, 1))
            held["companies"][world] = count + 1
            _write(held)
            print(f"{FILE.name}: {world}, {count + 1} companies, {len(new)} figures", flush=True)


def _write(held: dict) -> None:
    whole = {"invented": True, "made_by": "python -m benchmarks.limits", "customers": CUSTOMERS,
             "first_seed": FIRST_SEED, "companies": held["companies"],
             "ticket_companies": held["ticket_companies"], "worlds": held["worlds"]}
    FILE.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
