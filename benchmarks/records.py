"""One row for each figure of each company, beside its truth: what the verdicts are made of; kept between runs."""

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.printed import BREAK_EVEN_MONTHS, CURRENCY, PARTS, SMALLEST_EFFECT, linked, printed
from benchmarks.sizes import discoveries, shapes, sizes
from benchmarks.traps import BORROWED, TRAPS, traps
from benchmarks.truths import Truth, truths, truths_of
from pipeline.contracts.claims import Claim
from pipeline.contracts.fingerprint import ROOT
from pipeline.relate import churn, conversion, sales
from pipeline.relate.timing import timing_of

OF_ITS_OWN = ("bgnbd.py",)  # a check that is tried on companies made by its own model (tests/relate/test_bgnbd.py)
TESTED = ("pipeline/demo", "pipeline/measure", *sorted(f"pipeline/relate/{file.name}" for file in (
    ROOT / "pipeline/relate").glob("*.py") if file.name not in OF_ITS_OWN))
P_VALUES = ("sales.shape.any_difference", "sales.shape.line_departure", "sales.shape.spline_departure")
BAND = "experience.nps_weighted.with_band"


@dataclass(frozen=True)
class Record:
    """A figure of one company. truth, low, high: missing where there is none; kind: of the truth (see truths)."""

    claim_id: str
    segment: str
    unit: str
    method: str
    naive: bool
    level: str
    estimate: float | None
    low: float | None
    high: float | None
    detectable: float | None
    truth: float | None
    kind: str


def of_batch(world: str, seeds: list[int], customers: int) -> list[list[Record]]:
    """The records of these companies, one list each."""
    return [_of_company(one, world) for one in linked(seeds, customers, world)]


def _of_company(one, world: str) -> list[Record]:
    shaped, told = shapes(one)
    known = truths(world) | truths_of(one) | {name: Truth(value, "planted") for name, value in told.items()}
    claims = [c for c in printed(one) if f"{c.claim_id}@{c.segment}" in known or c.ci_low is not None]
    claims += [c for c in traps(one) if world in TRAPS[c.claim_id]]
    claims += shaped + (sizes(one) if world == "null" else [])
    made = [_record(c, _truth(c, known)) for c in claims]
    return [*made, *_band(claims, known)] if world == "nonresponse" else made


def _truth(claim: Claim, known: dict[str, Truth]) -> Truth | None:
    if claim.claim_id.startswith("size."):
        return Truth(1.0 if claim.unit == "ratio" else 0.0, "planted")
    return known.get(BORROWED.get(claim.claim_id, f"{claim.claim_id}@{claim.segment}"))


def _record(claim: Claim, told: Truth | None) -> Record:
    naive = claim.naive or claim.claim_id in TRAPS
    return Record(claim.claim_id, claim.segment, claim.unit, claim.method, naive, claim.level, claim.estimate,
                  claim.ci_low, claim.ci_high, claim.detectable, told.value if told else None,
                  told.kind if told else "")


def as_known(record: Record, world: str) -> Record:
    """The record beside its truth as it is known by now: limits get sharper with more large companies."""
    told = truths(world).get(BORROWED.get(record.claim_id, f"{record.claim_id}@{record.segment}"))
    return replace(record, truth=told.value, kind=told.kind) if told and record.kind in ("limit", "") else record


def _band(claims: list[Claim], known: dict[str, Truth]) -> list[Record]:
    """Whether the headline carries its warning: from NPS with the silent 20 points lower up to the weighted one."""
    by_id = {c.claim_id: c for c in claims}
    weighted, lower = by_id.get("experience.nps_weighted"), by_id.get("experience.nps_if_silent_lower")
    is_there = weighted and lower and weighted.estimate is not None and lower.estimate is not None
    told = known["experience.nps_of_all_customers@all"]
    return [Record(BAND, "all", "points", "tipping_band", False, "described", lower.estimate if is_there else None,
                   lower.ci_low if is_there else None, weighted.ci_high if is_there else None, None, told.value,
                   told.kind)]


def of_power(world: str, seeds: list[int], customers: int) -> list[list[Record]]:
    """Sales and churn per point and the value of a conversion alone, of larger companies, with their level."""
    made = []
    for one in linked(seeds, customers, world):
        timing = timing_of(one.sample, SMALLEST_EFFECT)
        claims = sales.per_point(one.sample, timing.level)[0][:1] + churn.hazard_claims(one.staying)[:1]
        claims += conversion.conversion(one.sample, CURRENCY, BREAK_EVEN_MONTHS, timing.level)[:1]
        made.append([_record(c, truths(world)[f"{c.claim_id}@all"]) for c in claims])
    return made


def of_discoveries(world: str, seeds: list[int], customers: int) -> list[list[Record]]:
    """Share of false ones among the segments called changed, one survey each."""
    made = []
    for seed in seeds:
        called, false = discoveries(seed)
        made.append([Record("size.false_discoveries", "all", "share", "benjamini_hochberg", False, "described",
                            false / called if called else 0.0, None, None, None, None, "planted")])
    return made


MAKERS = {"claims": of_batch, "power": of_power, "discoveries": of_discoveries}


def kept(folder: Path | None, maker: str, world: str, seeds: list[int], customers: int) -> list[list[Record]]:
    """The records of a batch, from the folder where an earlier run of the same code left them, else made and left."""
    file = _file(folder, maker, world, seeds, customers) if folder else None
    if file and file.exists():
        return [[Record(*row) for row in company] for company in json.loads(file.read_text(encoding="utf-8"))]
    made = MAKERS[maker](world, seeds, customers)
    if file:
        _leave(file, made)
    return made


def take_over(here: Path, before: Path, worlds: Sequence[str], seeds: list[int], customers: int,
              anew: str | None = None) -> list[str]:
    """Copy the batches of an earlier version into this one's folder, if this one makes the same of the first ones.

    The batch `seeds` of each world is made anew; a figure that this version no longer gives (suppressed) may be absent,
    every other must be equal to the last digit: estimate, limits, level. Returns the figures that differ; only without
    any is anything copied.
    anew: part of what is printed (`benchmarks.printed.PARTS`) that may differ, for `renewed` makes it of every company;
    then only batches without it are copied.
    """
    apart: set[str] = set()
    changed = _part_of(anew, worlds[0], seeds[:1], customers)[0].keys() if anew else ()
    for world in worlds:
        for old, new in zip(kept(before, "claims", world, seeds, customers),
                            kept(here, "claims", world, seeds, customers), strict=True):
            was, now = ({(r.claim_id, r.segment): (r.estimate, r.low, r.high, r.level) for r in company
                         if r.estimate is not None} for company in (old, new))
            apart |= {f"{world}: {name}@{segment}" for (name, segment), values in now.items()
                      if was.get((name, segment)) != values and (name, segment) not in changed}
    for file in sorted(before.glob("[dp]*-00001-*.json")):  # the first of the batches for power and discoveries
        maker, world, size, first, last = file.stem.split("-")
        jobs = (maker, world, [*range(int(first), int(last) + 1)], int(size))
        was, now = ([[(r.claim_id, r.estimate, r.low, r.high, r.level) for r in company]
                     for company in kept(folder, *jobs)]
                    for folder in (before, here))
        if was != now:
            apart.add(f"{world}: {maker}")
    if not apart:
        for file in before.glob("*.json"):
            if not (here / file.name).exists() and not (anew and file.name.startswith("claims-")):
                shutil.copyfile(file, here / file.name)
    return sorted(apart)


def renewed(here: Path, before: Path, world: str, seeds: list[int], customers: int, anew: str) -> None:
    """Leave the batch of the earlier version in this one's folder with the figures of the part made anew."""
    file = _file(here, "claims", world, seeds, customers)
    if file.exists():
        return
    made = _part_of(anew, world, seeds, customers)
    _leave(file, [[part.get((r.claim_id, r.segment), r) for r in company] for company, part in zip(
        kept(before, "claims", world, seeds, customers), made, strict=True)])


def _part_of(anew: str, world: str, seeds: list[int], customers: int) -> list[dict[tuple[str, str], Record]]:
    """The records of that part by claim and segment, one table for each company."""
    made = []
    for one in linked(seeds, customers, world):
        claims, known = PARTS[anew](one), truths(world)
        if any(f"{c.claim_id}@{c.segment}" not in known for c in claims):
            known = known | truths_of(one)
        made.append({(c.claim_id, c.segment): _record(c, _truth(c, known)) for c in claims})
    return made


def _file(folder: Path, maker: str, world: str, seeds: list[int], customers: int) -> Path:
    return folder / f"{maker}-{world}-{customers}-{seeds[0]:05d}-{seeds[-1]:05d}.json"


def _leave(file: Path, made: list[list[Record]]) -> None:
    """Written beside and put in place at once: a run that is broken off leaves no half of a batch."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps([[_plain(record) for record in company] for company in made], allow_nan=False),
                    encoding="utf-8")
    part.replace(file)


def _plain(record: Record) -> list:
    values = [getattr(record, name) for name in Record.__dataclass_fields__]
    return [float(v) if isinstance(v, float) and math.isfinite(v) else None if isinstance(v, float) else v
            for v in values]
