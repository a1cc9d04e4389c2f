"""What ingest makes of every file under a folder: nothing unaccounted for, no traceback, no wrong row.

    python -m benchmarks.ingest FOLDER [--truth FOLDER] [--json FILE] [--show]
    python -m benchmarks.ingest --mutations 100000 [--seed 7] [--json FILE]

A folder may hold a `contract.yaml`: one Source for all of its files, or file name -> Source (`folder` and `files` may
be left out). Without one a file is read as text under the dialect that can be found. Each file has a process of its
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
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from benchmarks.dialects import found_contract, read_truth
from benchmarks.mutations import mutated_files
from pipeline.contracts import params
from pipeline.contracts.params import Company, Privacy, Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.clean import Cleaned, clean_source

COMPANY, PRIVATE = Company("Benchmark", "public", "EUR", "UTC"), Privacy("public")
CONTRACT = "contract.yaml"
SLOWEST_S, MOST_MB = 10.0, 512.0  # of one file, among mutated ones
PATIENCE_S = 600.0


@dataclass
class Outcome:
    """One file: refused with a rule, loaded with its account, or (never) a traceback. Times in s, memory in MB."""

    file: str
    rule: str = ""
    sentence: str = ""
    rows_in: int = 0
    clean: int = 0
    quarantined: int = 0
    dropped: int = 0
    unaccounted: int = 0
    traceback: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    wrong: int = 0
    kept: int = 0
    truth: int = 0


def ingest_file(path: Path, name: str, source: Source | None, truth: Path | None) -> Outcome:
    """Ingest one file in a folder of its own; with a truth, hold every loaded row against it."""
    with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
        work = Path(folder)
        try:
            contract = source or found_contract(path, work)
            contract = replace(contract, folder=str(path.parent), files=_exactly(path.name))
            cleaned = clean_source("export", contract, COMPANY, PRIVATE, work, work / "no manifest")
        except Refusal as refusal:
            return Outcome(name, refusal.rule, str(refusal))
        account = cleaned.account
        parts = {part: account.total(part) for part in ("rows_in", "clean", "quarantined", "dropped")}
        found = Outcome(name, **parts, unaccounted=_unaccounted(cleaned))
        if truth is not None and truth.is_file():
            found.wrong, found.kept, found.truth = _against(truth, cleaned, contract, source is None)
        return found


def _exactly(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _unaccounted(cleaned: Cleaned) -> int:
    """Records in, less those that the written files and the drops hold."""
    account = cleaned.account
    if account.table == "surveys":  # a record has several answers there: the account's own sum
        held = account.total("clean") + account.total("quarantined")
    else:
        held = len(pd.read_parquet(cleaned.clean)) + len(pd.read_parquet(cleaned.quarantine))
    return abs(account.total("rows_in") - account.total("dropped") - held)


def _against(truth: Path, cleaned: Cleaned, contract: Source, is_found: bool) -> tuple[int, int, int]:
    """(loaded rows that are no row of the truth, rows of the truth that came back, rows of the truth)."""
    loaded = pd.read_parquet(cleaned.clean)
    if is_found:
        rows = read_truth(truth, contract.header_rows > 0)
        loaded = loaded[[name for name in loaded.columns if name.startswith("x_")]]
        expected = Counter(tuple(_plain(cell) for cell in row) for row in rows)
    else:
        expected = Counter(_rows(_read_again(truth, contract)))
    found = Counter(_rows(loaded))
    kept = (found & expected).total()
    return found.total() - kept, kept, expected.total()


def _read_again(truth: Path, contract: Source) -> pd.DataFrame:
    """The clean parse under the contract of its damaged twin: in comma and double quotes, or as the twin is written."""
    own = replace(contract, folder=str(truth.parent), files=_exactly(truth.name))
    plain = replace(own, delimiter=",", quote='"', encoding="utf-8", skip_rows=0,
                    header_rows=min(contract.header_rows, 1))
    for way in (plain, own):
        with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
            try:
                told = clean_source("truth", way, COMPANY, PRIVATE, Path(folder), Path(folder) / "no manifest")
                return pd.read_parquet(told.clean)
            except Refusal:
                continue
    return pd.DataFrame()


def _rows(frame: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    return (tuple(map(_plain, row)) for row in frame.itertuples(index=False))


def _plain(value: object) -> str:
    """A cell as text in which 7, 7.0 and ' 7 ' are one, and nothing is empty."""
    text = "" if pd.isna(value) else str(value).strip()
    digits = text.removesuffix(".0").removeprefix("+")
    if digits.removeprefix("-").isdecimal():
        return digits if digits.startswith("0") else str(int(digits))
    return text


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


def run_mutations(count: int, seed: int) -> Iterator[Outcome]:
    """`count` damaged exports, one after the other; every slow or hungry one is an outcome like a traceback."""
    with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
        for name, content, source in mutated_files(count, seed):
            path = Path(folder) / name
            path.write_bytes(content)
            found = run_apart(path, name, source, None)
            if not found.traceback and (found.seconds > SLOWEST_S or found.peak_mb > MOST_MB):
                found.traceback = f"{found.seconds:.1f} s and {found.peak_mb:.0f} MB"
            path.unlink()
            yield found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="every file under it is ingested")
    parser.add_argument("--truth", type=Path, help="folder of clean parses under the same names")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--show", action="store_true", help="one line per file")
    parser.add_argument("--mutations", type=int, default=0, help="instead of a folder: so many damaged exports")
    parser.add_argument("--seed", type=int, default=7)
    told = parser.parse_args(argv)
    if bool(told.folder) == bool(told.mutations):
        parser.error("either a folder or --mutations")
    if told.folder and not told.folder.is_dir():
        parser.error(f"{told.folder} is no folder")
    found, shown = [], time.monotonic()
    outcomes = run_mutations(told.mutations, told.seed) if told.mutations else run_folder(told.folder, told.truth)
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
        told.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(bool(figures["unaccounted"] or figures["tracebacks"] or figures.get("wrong")))


if __name__ == "__main__":
    os.environ.setdefault("VIVENCIA_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
