"""What each printed figure tends to in very large companies: the truth of figures that no planted parameter gives.

    python -m benchmarks.limits [--worlds base,null,feedback,nonresponse]

The same functions on COMPANIES companies of CUSTOMERS customers a world; the mean stands in limits.json beside this
file (a minute a company; a run that was broken off goes on). After a change of a method: delete the file first.
Of tickets, whose longest times are rare, TICKET_COMPANIES of them are drawn but not analysed: nature knows how long
each lasts. What an answer foretells of complaints and contacts comes from COUNT_COMPANIES, laid out without linking. An
interval held against a limit is shown to be as wide as it must be; whether the figure is the right one to ask for is
another question, which the verdicts keep apart (`truth_kind`).
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.printed import GROUPS, MONTHS, WINDOW_MONTHS, linked, printed
from pipeline.contracts.claims import Claim
from pipeline.demo.latent import Latent, draw_latent
from pipeline.demo.service import Tickets, draw_tickets
from pipeline.demo.truth import LEDGER_SEED, rounded
from pipeline.demo.worlds import world_named
from pipeline.measure.tickets import HORIZON_HOURS
from pipeline.relate.complaints import complaint_claims
from pipeline.relate.sample import SalesSample, sales_sample

FILE = Path(__file__).with_name("limits.json")
CUSTOMERS, COMPANIES, FIRST_SEED = 60_000, 12, 900_001
TICKET_COMPANIES, COUNT_COMPANIES, FIRST_MONTH = 100, 4, "2024-01"
WORLDS = "base,null,feedback,nonresponse"
OF_TICKETS = ("experience.ttr_median_hours", "experience.ttr_p90_hours", "experience.ttr_restricted_mean_hours",
              "experience.requester_wait_median_hours")
OF_COUNTS = ("sales.complaints.per_point", "sales.contacts.per_point")


def limits(world: str, customers: int, seeds: list[int]) -> dict[str, float]:
    """claim@segment -> mean estimate of these large companies (of ratios: the mean of logarithms, turned back)."""
    found: dict[str, list[Claim]] = {}
    for seed in seeds:
        for claim in printed(linked([seed], customers, world)[0]):
            if claim.estimate is not None and claim.claim_id.removesuffix("_change") not in (*OF_TICKETS, *OF_COUNTS):
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


def counts_of(world: str, customers: int, seeds: list[int]) -> dict[str, float]:
    """What an answer foretells of complaints and contacts, by the function of the notebook on panels laid out straight
    from what happened."""
    made = [claim for seed in seeds for claim in complaint_claims(*_counted(world, customers, seed))]
    by_name = {name: [c for c in made if c.claim_id == name and c.estimate is not None] for name in OF_COUNTS}
    return {f"{name}@all": _mean(claims) for name, claims in by_name.items() if claims}


def _counted(world: str, customers: int, seed: int) -> tuple[SalesSample, pd.DataFrame]:
    """The sample of one company and its customer x month panel: answers, who is there next month, tickets."""
    latent, drawn = _draw(world, customers, seed)
    who, month = np.nonzero(latent.is_active)
    known = drawn.customer >= 0
    panel = pd.DataFrame({
        "customer_id": who, "period": pd.date_range(FIRST_MONTH, periods=MONTHS, freq="MS")[month],
        "score_nps": np.where(latent.answered, latent.potential, np.nan)[who, month],
        "is_at_risk_next": np.column_stack([latent.is_active[:, 1:], np.zeros(customers, bool)])[who, month],
        "revenue_next": 1.0, "exposure_months": (month - latent.cohort[who]).astype(float)})
    panel["exposure_months"] = panel["exposure_months"].where(panel["exposure_months"] >= 0)
    for name, mine in (("count_tickets", known), ("count_complaints", known & drawn.frame["is_complaint"].to_numpy())):
        count = np.zeros(latent.is_active.shape)
        np.add.at(count, (drawn.customer[mine], drawn.month[mine]), 1.0)
        panel[name] = count[who, month]
    return sales_sample(panel, "nps", 1, ["exposure_months"], GROUPS), panel


def _tickets(world: str, customers: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Month, hours to the solution and hours of waiting for the company of every ticket of one company."""
    _, drawn = _draw(world, customers, seed)
    return drawn.month, drawn.ttr_hours, drawn.wait_hours


def _draw(world: str, customers: int, seed: int) -> tuple[Latent, Tickets]:
    latent = draw_latent(customers, MONTHS, seed, world_named(world), LEDGER_SEED)
    return latent, draw_tickets(latent, np.arange(customers).astype(str).astype(object), seed, FIRST_MONTH)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limits", description=__doc__.split("\n")[0])
    parser.add_argument("--worlds", default=WORLDS)
    parser.add_argument("--companies", type=int, default=COMPANIES, help="in all, those already in the file included")
    given = parser.parse_args(argv)
    held = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {"worlds": {}, "companies": {}}
    for world in given.worlds.split(","):
        for part, of, count in (("ticket_companies", tickets_of, TICKET_COMPANIES),
                                ("count_companies", counts_of, COUNT_COMPANIES)):
            if held.setdefault(part, {}).get(world, 0) < count:
                found = of(world, CUSTOMERS, list(range(FIRST_SEED, FIRST_SEED + count)))
                held["worlds"][world] = held["worlds"].get(world, {}) | rounded(found)
                held[part][world] = count
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
             **{part: held.get(part, {}) for part in ("ticket_companies", "count_companies")}, "worlds": held["worlds"]}
    FILE.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
