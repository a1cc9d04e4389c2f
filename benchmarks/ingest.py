"""What ingest makes of every file under a folder: nothing unaccounted for, no traceback, no wrong row.

    python -m benchmarks.ingest FOLDER [--truth FOLDER] [--json FILE] [--show]
    python -m benchmarks.ingest --mutations 100000 [--seed 7] [--first 0] [--json FILE]

A folder may hold a `contract.yaml`: one Source for all of its files, or file name -> Source (`folder` and `files` may
be left out). Without one a file is read by what `inspect` finds, every column as text. Each file has a process of its
own, so that time and peak memory are that file's. With --truth (clean parses under the same file names or paths) every
loaded row must be a row of the truth: rows that are not are `wrong`, `kept_share` is the share of the truth's
rows, in loaded files, that came back.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.mutated_runs import run_mutations
from benchmarks.outcomes import Outcome, ingest_file
from pipeline.contracts import params
from pipeline.contracts.params import Source

CONTRACT = "contract.yaml"
PATIENCE_S = 600.0


def contracts_of(folder: Path) -> dict[Path, Source]:
    """File -> Source, for every contract.yaml under the folder."""
    found: dict[Path, Source] = {}
    for place in sorted(folder.rglob(CONTRACT)):
        told = YAML(typ="safe", pure=True).load(place.read_text(encoding="utf-8")) or {}
        if "table" in told:
            source = _source(told, place)
            found |= {path: source for path in place.parent.iterdir() if path.name != CONTRACT}
        else:
            found |= {place.parent / name: _source(one, place) for name, one in told.items()}
    return found


def _source(told: dict, place: Path) -> Source:
    return params._typed(Source, {"folder": ".", "files": "*", "format": "csv"} | told, "", str(place))


def files_under(folder: Path) -> list[Path]:
    """Every file (and what only looks like one), in the order of its path; links are not followed."""
    found = [Path(top) / name for top, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.name != CONTRACT)


def run_apart(path: Path, name: str, source: Source | None, truth: Path | None) -> Outcome:
    """`ingest_file` in a process of its own: a crash is an outcome too."""
    here, there = multiprocessing.get_context("fork").Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_report, args=(there, path, name, source, truth))
    began = time.perf_counter()
    process.start()
    there.close()
    try:
        found = here.recv() if here.poll(PATIENCE_S) else Outcome(name, traceback=f"no end after {PATIENCE_S:g} s")
    except EOFError:
        found = Outcome(name, traceback="the process died")
    process.kill()
    process.join()
    found.seconds = found.seconds or time.perf_counter() - began
    return found


def _report(pipe, path: Path, name: str, source: Source | None, truth: Path | None) -> None:
    began = time.perf_counter()
    try:
        found = ingest_file(path, name, source, truth)
    except BaseException:  # whatever it is, it is what this benchmark looks for
        found = Outcome(name, traceback=traceback.format_exc())
    found.seconds = time.perf_counter() - began
    found.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send(found)


def summary(outcomes: Iterable[Outcome], has_truth: bool) -> dict[str, float]:
    """The figures of a run; wrong and kept_share only where a truth was given."""
    found = list(outcomes)
    loaded = [one for one in found if not one.rule and not one.traceback]
    totals = {key: sum(getattr(one, key) for one in found)
              for key in ("rows_in", "clean", "quarantined", "dropped", "unaccounted")}
    figures = {"files": len(found), "refused": sum(bool(one.rule) for one in found), "loaded": len(loaded), **totals,
               "tracebacks": sum(bool(one.traceback) for one in found),
               "slowest_s": round(max((one.seconds for one in found), default=0.0), 3),
               "peak_mb": round(max((one.peak_mb for one in found), default=0.0), 1)}
    if has_truth:
        rows = sum(one.truth for one in found)
        figures |= {"wrong": sum(one.wrong for one in found),
                    "kept_share": round(sum(one.kept for one in found) / rows, 5) if rows else None}
    return figures


def run_folder(folder: Path, truth: Path | None = None) -> Iterator[Outcome]:
    contracts = contracts_of(folder)
    for path in files_under(folder):
        name = path.relative_to(folder).as_posix()
        yield run_apart(path, name, contracts.get(path), _truth_of(truth, name))


def _truth_of(truth: Path | None, name: str) -> Path | None:
    if truth is None:
        return None
    return truth / name if (truth / name).is_file() else truth / Path(name).name


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="every file under it is ingested")
    parser.add_argument("--truth", type=Path, help="folder of clean parses under the same names")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--show", action="store_true", help="one line per file")
    parser.add_argument("--mutations", type=int, default=0, help="instead of a folder: so many damaged exports")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--first", type=int, default=0, help="number of the first damaged export, to go on in parts")
    told = parser.parse_args(argv)
    if bool(told.folder) == bool(told.mutations):
        parser.error("either a folder or --mutations")
    if told.folder and not told.folder.is_dir():
        parser.error(f"{told.folder} is no folder")
    found, shown = [], time.monotonic()
    outcomes = (run_mutations(told.mutations, told.seed, told.first) if told.mutations
                else run_folder(told.folder, told.truth))
    for one in outcomes:
        found.append(one)
        if one.traceback:
            print(f"{one.file}: {one.traceback}", file=sys.stderr)
        if told.show:
            print(json.dumps({k: v for k, v in asdict(one).items() if v}, ensure_ascii=False))
        elif time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"{len(found)} files", file=sys.stderr)
    figures = summary(found, told.truth is not None)
    for key, value in figures.items():
        print(f"{key:<12} {value}")
    if told.json:
        told.json.parent.mkdir(parents=True, exist_ok=True)
        told.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(bool(figures["unaccounted"] or figures["tracebacks"] or figures.get("wrong")))


if __name__ == "__main__":
    os.environ.setdefault("VIVENCIA_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
