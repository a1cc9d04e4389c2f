"""Do the printed intervals hold the truth? Invented companies with known effects, by the functions of the notebooks.

    python -m benchmarks.validity --companies 200 --worlds base,null,feedback,nonresponse [--json FILE]

Company k of every world has seed k: fixed beforehand, never chosen afterwards. Each is simulated, linked into the
customer x month panel and analysed exactly as the notebooks do with the defaults of params.yaml; every claim is then
held against the truth of its world. Naive methods stand beside them and must fail in the worlds that fool them, or
the gates would check nothing. Exit code 0 when every gate holds, 1 otherwise.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before numpy: a thread per process
    os.environ[_name] = "1"

import argparse  # noqa: E402
import json  # noqa: E402
import multiprocessing  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import asdict  # noqa: E402
from pathlib import Path  # noqa: E402

from benchmarks.companies import BORROWED, HONEST, STEADY, TRAPS, claims_of, truths  # noqa: E402
from benchmarks.gates import Verdict, judge  # noqa: E402
from pipeline.demo.worlds import WORLDS  # noqa: E402

PROCESSES = 2
DEFAULT_WORLDS = "base,null,feedback,nonresponse"


def validate(companies: int, customers: int, worlds: list[str]) -> list[Verdict]:
    """Verdicts over companies 1 to `companies` of each world, worlds and claims in their declared order."""
    jobs = [(seed, customers, world) for world in worlds for seed in range(1, companies + 1)]
    with multiprocessing.get_context("spawn").Pool(min(PROCESSES, len(jobs))) as pool:
        made = pool.starmap(claims_of, jobs, chunksize=2)
    verdicts = []
    for place, world in enumerate(worlds):
        target = truths(world)
        claims = [c for each in made[place * companies:(place + 1) * companies] for c in each]
        wanted = [name for name in HONEST if world in STEADY.get(name, worlds)]
        wanted += [name for name, traps in TRAPS.items() if world in traps]
        verdicts += [judge(name, [c for c in claims if (c.claim_id, c.segment) == (name, "all")], world,
                           target[BORROWED.get(name, name)], customers) for name in wanted]
    return verdicts


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validity", description=__doc__.split("\n")[0])
    parser.add_argument("--companies", type=int, default=200, help="in each world")
    parser.add_argument("--customers", type=int, default=800, help="of each company")
    parser.add_argument("--worlds", default=DEFAULT_WORLDS)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(argv)
    worlds = [name.strip() for name in given.worlds.split(",") if name.strip()]
    unknown = [name for name in worlds if name not in WORLDS]
    if unknown or not worlds or given.companies < 1:
        parser.error(f"worlds are {', '.join(WORLDS)}; companies at least 1")
    start = time.monotonic()
    verdicts = validate(given.companies, given.customers, worlds)
    pace = 60 * given.companies * len(worlds) / (time.monotonic() - start)
    print(f"{'world':<12}{'claim':<46}{'covered':>9}{'low':>6}{'high':>6}{'truth':>9}{'mean':>9}{'bias':>8}"
          f"{'shown':>7}{'effect':>8}  verdict")
    for v in verdicts:
        verdict = f"{'ok' if v.ok else 'FAILS'} ({v.gate})"
        print(f"{v.world:<12}{v.claim_id:<46}{v.coverage:>9.3f}{v.tail_low:>6.3f}{v.tail_high:>6.3f}{v.truth:>9.3f}"
              f"{v.mean or 0:>9.3f}{_percent(v.bias_share):>8}{v.shown:>7.2f}{v.effect:>8.2f}  {verdict}")
    print(f"{pace:.0f} companies of {given.customers} customers a minute")
    if given.json:
        text = json.dumps([asdict(v) for v in verdicts], indent=1, allow_nan=False, default=float)
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(text + "\n", encoding="utf-8")
    return 0 if all(v.ok for v in verdicts) else 1


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:+.1%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
