"""The benchmark over a folder: what it counts, with a contract and without, and that it sees wrong rows and crashes."""

import json
from pathlib import Path

import pytest

from benchmarks import ingest as benchmark

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
    monkeypatch.setattr(benchmark, "clean_source", crash)
    figures = benchmark.summary(benchmark.run_folder(folder / "raw"), False)
    assert figures["tracebacks"] == 2 and figures["refused"] == 1 and "wrong" not in figures
