"""Many damaged exports through ingest: each is read alone, those that can be read go through all rules together.

A hundred files of one contract are one source, as monthly exports are; a batch that is refused, crashes, is slow or
does not add up is run again file by file, so that every verdict is that of one file. Work is done in a process of its
own: when it dies, the file it was at is named and the rest goes on.
"""

import multiprocessing
import resource
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count as numbers
from pathlib import Path

import duckdb

from benchmarks.mutations import mutated_files
from benchmarks.outcomes import COMPANY, PRIVATE, Outcome, ingest_file, unaccounted
from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import engine
from pipeline.ingest.clean import clean_source
from pipeline.ingest.files import find_exports
from pipeline.ingest.read_csv import load_csv

SHARE, BATCH = 2_000, 100  # files of one process, files of one source
SLOWEST_S, MOST_MB = 10.0, 512.0  # of one file: processor time of all threads, so that a busy machine is no failure
PATIENCE_S = 600.0
CONTEXT = multiprocessing.get_context("spawn")  # forked, a process would count its parent's memory as its own
Damaged = tuple[str, bytes, Source]


def run_mutations(count: int, seed: int, first: int = 0) -> Iterator[Outcome]:
    """The outcome of each of `count` damaged exports; a slow, hungry or unaccounted one is one like a traceback."""
    done = 0
    while done < count:
        step = min(SHARE, count - done)
        for found in _apart(step, seed, first + done):
            done += 1
            if not found.traceback and (found.seconds > SLOWEST_S or found.peak_mb > MOST_MB):
                found.traceback = f"{found.seconds:.1f} s and {found.peak_mb:.0f} MB"
            yield found


def _apart(count: int, seed: int, first: int) -> Iterator[Outcome]:
    """Outcomes from a process of their own; when it dies the last is that of the file it was at, and no more come."""
    here, there = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_work, args=(there, count, seed, first))
    process.start()
    there.close()
    at, given = f"{first:06d}", 0
    try:
        while given < count:
            if not here.poll(PATIENCE_S):
                yield Outcome(at, traceback=f"no end after {PATIENCE_S:g} s")
                return
            found = here.recv()
            if isinstance(found, str):
                at = found
                continue
            given += 1
            yield found
    except EOFError:
        yield Outcome(at, traceback="the process died")
    finally:
        process.kill()
        process.join()


def _work(pipe, count: int, seed: int, first: int) -> None:
    for found in outcomes(mutated_files(count, seed, first), pipe.send):
        found.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send(found)


def outcomes(files: Iterator[Damaged], say: Callable[[str], None]) -> Iterator[Outcome]:
    """One outcome per file. say: is told the name of each file before it is touched."""
    waiting: dict[str, list[tuple[Damaged, float]]] = defaultdict(list)
    seen: dict[str, set[bytes]] = defaultdict(set)
    with tempfile.TemporaryDirectory(prefix="vivencia-") as place:
        folder, number = Path(place), numbers()
        con = engine.connect(folder)
        for one in files:
            name, content, _ = one
            say(name)
            kind = name.split("_", 1)[1]
            refused, seconds = _read_alone(con, one, folder)
            if refused is not None:
                yield refused
            elif content in seen[kind]:  # its twin in the same folder would be refused (FILE-DUP)
                yield _alone(one, folder)
            else:
                seen[kind].add(content)
                waiting[kind].append((one, seconds))
            if len(waiting[kind]) == BATCH:
                yield from _together(waiting.pop(kind), folder / f"{next(number)}", say)
                seen[kind].clear()
        for kind in list(waiting):
            yield from _together(waiting.pop(kind), folder / f"{next(number)}", say)


def _read_alone(con: duckdb.DuckDBPyConnection, one: Damaged, folder: Path) -> tuple[Outcome | None, float]:
    """(the outcome when reading ends it, seconds): decoding, header, proof and records of one file."""
    name, content, source = one
    began = time.process_time()
    raw = folder / "alone"
    raw.mkdir(exist_ok=True)
    path = raw / name
    path.write_bytes(content)
    try:
        source = replace(source, folder=str(raw), files=name)
        load_csv(con, find_exports(source)[0], source, folder, "raw")
    except Refusal as refusal:
        return Outcome(name, refusal.rule, str(refusal), seconds=time.process_time() - began), 0.0
    except BaseException:  # whatever it is, it is what this benchmark looks for
        return Outcome(name, traceback=traceback.format_exc(), seconds=time.process_time() - began), 0.0
    finally:
        path.unlink()
    return None, time.process_time() - began


def _together(files: list[tuple[Damaged, float]], folder: Path, say: Callable[[str], None]) -> Iterator[Outcome]:
    """Outcomes of files that could be read, through all rules as one source."""
    raw, work = folder / "raw", folder / "work"
    raw.mkdir(parents=True)
    work.mkdir()
    for (name, content, _), _ in files:
        (raw / name).write_bytes(content)
    began = time.process_time()
    try:
        source = replace(files[0][0][2], folder=str(raw), files="*.csv")
        cleaned = clean_source("export", source, COMPANY, PRIVATE, work, work / "no manifest")
        holds = not unaccounted(cleaned) and len(cleaned.account.files) == len(files)
    except BaseException:
        holds = False
    seconds = time.process_time() - began
    if not holds or seconds > SLOWEST_S:
        for one, _ in files:
            say(one[0])
            yield _alone(one, folder)
        return
    counts = {one.file: one for one in cleaned.account.files}
    for (name, _, _), own in files:
        one = counts[name]
        yield Outcome(name, rows_in=one.rows_in, clean=one.clean, quarantined=one.quarantined, dropped=one.dropped,
                      seconds=own + seconds / len(files))


def _alone(one: Damaged, folder: Path) -> Outcome:
    """The outcome of one file through everything."""
    name, content, source = one
    path = folder / f"one_{name}"
    path.write_bytes(content)
    began = time.process_time()
    try:
        found = ingest_file(path, name, source, None)
    except BaseException:
        found = Outcome(name, traceback=traceback.format_exc())
    found.seconds = time.process_time() - began
    path.unlink()
    return found
