"""The benchmark over a folder: what it counts, with a contract and without, and that it sees wrong rows and crashes."""

import json
import math
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import ingest as benchmark
from benchmarks import mutated_runs, outcomes
from benchmarks.mutations import mutated_files

DAMAGED = 'name,amount\na,1\nb,2,3\n"c"d,4\ne,"5"\n'
CONTRACT = """
answers.csv:
  table: surveys
  delimiter: ";"
  columns: {response_id: id}
  instruments: {nps: {minimum: 0, maximum: 10, direction: higher_is_better, column: nps}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    (tmp_path / "truth").mkdir()
    (tmp_path / "raw" / "damaged.csv").write_text(DAMAGED)
    (tmp_path / "raw" / "answers.csv").write_text("id;nps\n1;9\n2;77\n")
    (tmp_path / "raw" / "page.csv").write_text("<html><body>Sign in</body></html>")
    (tmp_path / "raw" / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "truth" / "damaged.csv").write_text("name,amount\na,1\nb,2\nc,4\ne,5\n")
    return tmp_path


def test_every_file_is_counted_and_held_against_its_truth(folder: Path, capsys):
    target = folder / "figures.json"
    code = benchmark.main([str(folder / "raw"), "--truth", str(folder / "truth"), "--json", str(target)])
    found = json.loads(target.read_text())
    assert code == 0
    assert found.pop("slowest_s") > 0 and found.pop("peak_mb") > 10
    assert found == {"files": 3, "refused": 1, "loaded": 2, "rows_in": 6, "clean": 3, "quarantined": 3, "dropped": 0,
                     "unaccounted": 0, "tracebacks": 0, "wrong": 0, "kept_share": 0.5}
    assert "rows_in      6" in capsys.readouterr().out


def test_a_row_that_the_truth_does_not_hold_is_wrong(folder: Path):
    (folder / "truth" / "damaged.csv").write_text("name,amount\na,1\nb,2\nc,4\ne,6\n")
    figures = benchmark.summary(benchmark.run_folder(folder / "raw", folder / "truth"), True)
    assert figures["wrong"] == 1 and figures["kept_share"] == 0.25


def test_a_crash_is_an_outcome(folder: Path, monkeypatch):
    def crash(*_):
        raise AssertionError("rows do not add up")
    monkeypatch.setattr(outcomes, "clean_source", crash)
    figures = benchmark.summary(benchmark.run_folder(folder / "raw"), False)
    assert figures["tracebacks"] == 2 and figures["refused"] == 1 and "wrong" not in figures


def test_a_large_file_stays_within_its_memory_row_by_row(tmp_path: Path):
    """150,000 rows here, three million in `make bench-memory`: every row clean, the process below 512 MB.

    In a process of its own: one forked from the tests would count their memory as its own.
    """
    told = tmp_path / "memory.json"
    done = subprocess.run([sys.executable, "-m", "benchmarks.memory", "--rows", "150000", "--json", str(told)],
                          capture_output=True, text=True)
    found = json.loads(told.read_text()) if told.exists() else {}
    assert done.returncode == 0, (done.stderr, found)
    assert (found["rows_in"], found["clean"], found["unaccounted"]) == (150_000, 150_000, 0)
    assert found["file_mb"] > 10 and 0 < found["peak_mb"] < 512


def test_damaged_exports_have_the_outcome_that_each_has_alone(tmp_path: Path):
    """Together as one source, or file by file: refusals, records in and quarantined are those of one file."""
    files = list(mutated_files(40, 7))
    together = {one.file: one for one in mutated_runs.outcomes(iter(files), lambda name: None)}
    assert len(together) == 40 and not any(one.traceback for one in together.values())
    for file in files[:12]:
        alone, found = mutated_runs._alone(file, tmp_path), together[file[0]]
        if not alone.rule:
            assert (found.rows_in, found.unaccounted) == (alone.rows_in, 0)
            assert found.rows_in == found.clean + found.quarantined + found.dropped
        elif found.rule:
            assert found.rule == alone.rule
        else:  # refused alone because nothing of it is left
            assert found.clean == 0


def test_a_batch_that_breaks_is_run_again_file_by_file_and_the_culprit_named(monkeypatch):
    plainly = mutated_runs.clean_source

    def crash(name, source, *more):
        if any("000004" in path.name for path in Path(source.folder).iterdir()):
            raise AssertionError("rows do not add up")
        return plainly(name, source, *more)
    monkeypatch.setattr(mutated_runs, "clean_source", crash)
    monkeypatch.setattr(outcomes, "clean_source", lambda name, source, *more: crash(name, source, *more))
    found = {one.file: one for one in mutated_runs.outcomes(mutated_files(12, 7), lambda name: None)}
    assert [name for name, one in found.items() if one.traceback] == ["000004_survey.csv"]


def test_a_process_that_dies_names_its_file_and_the_rest_goes_on(monkeypatch):
    plainly = mutated_runs._read_alone

    def die(con, one, folder):
        if one[0].startswith("000003"):
            os._exit(1)
        return plainly(con, one, folder)
    monkeypatch.setattr(mutated_runs, "_read_alone", die)
    monkeypatch.setattr(mutated_runs, "BATCH", 1)
    monkeypatch.setattr(mutated_runs, "CONTEXT", multiprocessing.get_context("fork"))  # what is changed here goes along
    monkeypatch.setattr(mutated_runs, "MOST_MB", math.inf)  # the memory of these tests is forked too
    found = list(mutated_runs.run_mutations(8, 7))
    assert [one.file for one in found if one.traceback] == ["000003_customers.csv"]
    assert [one.file[:6] for one in found] == [f"{n:06d}" for n in range(8)]
