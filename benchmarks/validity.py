"""Do the printed intervals hold the truth? Invented companies with known effects, by the functions of the notebooks.

    python -m benchmarks.validity --companies 200 --worlds base,null,feedback,nonresponse [--json FILE]

Company k of every world has seed k: fixed beforehand, never chosen afterwards. Each is simulated, linked into the
customer x month panel and analysed exactly as the notebooks do with the defaults of params.yaml; every figure is then
held against the truth of its world (benchmarks.truths). Naive methods stand beside them and must fail in the worlds
that fool them, or the gates would check nothing. --keep FOLDER leaves every batch on disk, so that a long run that was
broken off goes on where it was; --page FILE writes what the page "How far to trust these numbers" is made of.
Exit code 0 when every gate holds, 1 otherwise.
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

from benchmarks import exact, gates  # noqa: E402
from benchmarks.gates import (  # noqa: E402
    CUSTOMERS_FOR_POWER,
    POWER,
    Verdict,
    judge,
    judge_detectable,
    judge_given_effect,
    judge_power,
)
from benchmarks.printed import PARTS  # noqa: E402
from benchmarks.records import TESTED, Record, as_known, kept, renewed, take_over  # noqa: E402
from benchmarks.sizes import SEGMENTS  # noqa: E402
from pipeline.contracts.fingerprint import fingerprint  # noqa: E402
from pipeline.demo.truth import LEDGER_CUSTOMERS, LEDGER_SEED, rounded  # noqa: E402
from pipeline.demo.worlds import WORLDS  # noqa: E402
from pipeline.report.trust_gates import gates_of  # noqa: E402

PROCESSES = 2
DEFAULT_WORLDS = "base,null,feedback,nonresponse"
BATCH = 10  # companies linked at once
DETECTABLE_IN = "base"
Key = tuple[str, str]


def validate(worlds: dict[str, int], customers: int, power: int = 0, folder: Path | None = None) -> list[Verdict]:
    """Verdicts over companies 1 to n of each world (world -> n), worlds and figures in their declared order.

    power: companies of CUSTOMERS_FOR_POWER customers of the world base, for the power of sales and churn, and for the
    bias of what their reports call an effect; and surveys of 40 segments for false discoveries.
    """
    folder = folder / fingerprint(TESTED) if folder else None
    jobs = [(folder, "claims", world, seeds, customers) for seeds in _batches(max(worlds.values()))
            for world, companies in worlds.items() if seeds[-1] <= companies or seeds in _batches(companies)]
    jobs += [(folder, maker, "base", seeds, size) for seeds in _batches(power)
             for maker, size in (("power", CUSTOMERS_FOR_POWER), ("discoveries", 0))]
    with multiprocessing.get_context("spawn").Pool(min(PROCESSES, len(jobs))) as pool:
        made = pool.starmap(kept, jobs, chunksize=1)
    by_kind: dict[tuple[str, str], list[Record]] = {}
    for (_, maker, world, *_), batch in zip(jobs, made, strict=True):
        by_kind.setdefault((maker, world), []).extend(record for company in batch for record in company)
    verdicts = [exact.verdict()]
    for world in worlds:
        figures = _by_figure([as_known(record, world) for record in by_kind[("claims", world)]])
        verdicts += [judge(records, world, customers) for records in figures.values()]
        verdicts += [judge_given_effect(records, world, customers) for records in figures.values()]
        if world == DETECTABLE_IN:
            verdicts += [judge_detectable(records, world, customers) for records in figures.values()]
    for (claim_id, _), records in _by_figure(by_kind.get(("power", "base"), [])).items():
        if claim_id in POWER:
            verdicts.append(judge_power(records, "base", CUSTOMERS_FOR_POWER))
        verdicts.append(judge_given_effect(records, "base", CUSTOMERS_FOR_POWER))
    for records in _by_figure(by_kind.get(("discoveries", "base"), [])).values():
        verdicts.append(judge(records, "base", 0))
    return [verdict for verdict in verdicts if verdict]


def _batches(companies: int) -> list[list[int]]:
    return [list(range(first, min(first + BATCH, companies + 1))) for first in range(1, companies + 1, BATCH)]


def _by_figure(records: list[Record]) -> dict[Key, list[Record]]:
    """Records by claim and segment, in the order in which they first appear."""
    found: dict[Key, list[Record]] = {}
    for record in records:
        found.setdefault((record.claim_id, record.segment), []).append(record)
    return found


def counted(text: str, companies: int) -> dict[str, int]:
    """"base,null=500" as companies by world; those without a number have `companies`."""
    parts = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    return {name: int(number or companies) for name, _, number in parts}


def facts(given: argparse.Namespace, worlds: dict[str, int]) -> dict:
    """What was run: companies, customers, worlds, seeds, and the fingerprint of the code that was tested."""
    return {"customers": given.customers, "worlds": worlds, "first_seed": 1, "power_companies": given.power,
            "power_customers": CUSTOMERS_FOR_POWER, "ledger_customers": LEDGER_CUSTOMERS,
            "network_seed": LEDGER_SEED, "tested": list(TESTED), "fingerprint": fingerprint(TESTED),
            "limits": _limits()} | (
                {"like": given.like, "like_companies": BATCH * len(worlds)} if given.like else {}) | (
                {"anew": given.anew} if given.anew else {})


def _limits() -> dict[str, float]:
    """The limits of the gates under the names by which the page tells them."""
    bands = {"many": gates.coverage_band(gates.EXACT[0], False), "some": gates.coverage_band(gates.FEWER[0], False),
             "money": gates.coverage_band(gates.EXACT[0], True), "size": gates.SIZE, "exact": exact.MEAN}
    return {f"{name}_{end}": value for name, band in bands.items() for end, value in
            zip(("low", "high"), band, strict=True)} | {
        "many": gates.EXACT[0], "some": gates.FEWER[0], "exact_lowest": exact.LOWEST, "change_test": gates.MOST_SIZE,
        "bias": gates.USUAL_BIAS, "bias_feedback": gates.MOST_BIAS["feedback"], "segments": SEGMENTS,
        "power_customers": gates.CUSTOMERS_FOR_POWER, "power_sales": gates.POWER["sales.per_point"],
        "power_churn": gates.POWER["churn.hazard_ratio_per_point"], "false_discovery": gates.MOST_FALSE,
        "detectable": gates.MOST_OFF}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validity", description=__doc__.split("\n")[0])
    parser.add_argument("--companies", type=int, default=200, help="in each world")
    parser.add_argument("--customers", type=int, default=1000, help="of each company")
    parser.add_argument("--power", type=int, default=0, help=f"companies of {CUSTOMERS_FOR_POWER} customers for power")
    parser.add_argument("--worlds", default=DEFAULT_WORLDS, help="comma between; NAME=N for N companies")
    parser.add_argument("--json", type=Path, help="the verdicts, as a list")
    parser.add_argument("--page", type=Path, help="the verdicts and what was run, for the page")
    parser.add_argument("--keep", type=Path, help="folder for batches, to go on after a break")
    parser.add_argument("--like", metavar="VERSION", help="fingerprint of an earlier version in --keep, whose batches "
                        "are taken over if this version makes the same of the first one of each world")
    parser.add_argument("--anew", choices=PARTS, help="with --like: the part that differs, made anew of every company")
    given = parser.parse_args(argv)
    worlds = counted(given.worlds, given.companies)
    if not worlds or set(worlds) - set(WORLDS) or min(worlds.values()) < 1:
        parser.error(f"worlds are {', '.join(WORLDS)}; companies at least 1")
    if (given.like and not given.keep) or (given.anew and not given.like):
        parser.error("--like needs --keep, --anew needs --like")
    if given.like:
        here, before = given.keep / fingerprint(TESTED), given.keep / given.like
        apart = take_over(here, before, list(worlds), _batches(BATCH)[0], given.customers, given.anew)
        if apart:
            print(f"not the same as {given.like}: {', '.join(apart)}")
            return 1
        if given.anew:
            with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
                pool.starmap(renewed, [(here, before, world, seeds, given.customers, given.anew)
                                       for world, companies in worlds.items() for seeds in _batches(companies)],
                             chunksize=1)
    start = time.monotonic()
    verdicts = validate(worlds, given.customers, given.power, given.keep)
    pace = 60 * sum(worlds.values()) / (time.monotonic() - start)
    print(f"{'world':<12}{'figure':<58}{'covered':>9}{'low':>6}{'high':>6}{'truth':>10}{'mean':>10}{'bias':>8}"
          f"{'shown':>7}  verdict")
    for v in verdicts:
        figure = v.claim_id if v.segment == "all" else f"{v.claim_id} {v.segment}"
        print(f"{v.world:<12}{figure:<58}{_number(v.coverage):>9}{_number(v.tail_low):>6}{_number(v.tail_high):>6}"
              f"{_number(v.truth):>10}{_number(v.mean):>10}{_percent(v.bias_share):>8}{_number(v.shown, 2):>7}"
              f"  {'ok' if v.ok else 'FAILS'} {v.check} ({v.gate})")
    failed, plain = [v for v in verdicts if not v.ok], rounded([asdict(v) for v in verdicts])
    gates_held = [gate.is_held for v, found in gates_of(plain) if not v["naive"] for gate in found]
    naive = [v for v in verdicts if v.naive]
    print(f"{len(verdicts) - len(failed)} of {len(verdicts)} verdicts hold; {sum(gates_held)} of {len(gates_held)} "
          "gates, counted one by one as the page does; "
          f"{sum(v.ok for v in naive)} of {len(naive)} naive methods fail as they must; "
          f"{pace:.0f} companies of {given.customers} customers a minute")
    for file, content in ((given.json, plain), (given.page, {"run": facts(given, worlds), "verdicts": plain})):
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_lines(content) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _lines(content: list | dict) -> str:
    """JSON with a line for each verdict, so that two runs can be compared line by line."""
    if isinstance(content, dict):
        parts = [f"{json.dumps(name)}: {_lines(part) if isinstance(part, list) else json.dumps(part)}"
                 for name, part in content.items()]
        return "{" + ",\n".join(parts) + "}"
    return "[\n" + ",\n".join(json.dumps(row, allow_nan=False) for row in content) + "\n]"


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:+.1%}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
