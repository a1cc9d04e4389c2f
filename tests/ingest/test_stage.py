"""The stage as dvc calls it: files in their places, one line printed, refusals as one sentence with exit code 2."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
GOOD = "Acción;Unidad;Tipo de unidad;Participa;Inicio;Coste\nA1;North;Sucursal;Sí;01/05/2025;1.000,50\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    params = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("data: invented", "data: public", 1)
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    (tmp_path / "data" / "raw" / "actions").mkdir(parents=True)
    return tmp_path


def run(workspace: Path, *words: str, content: str = GOOD) -> subprocess.CompletedProcess:
    (workspace / "data" / "raw" / "actions" / "a.csv").write_text(content, encoding="utf-8")
    return subprocess.run([sys.executable, "-m", "pipeline.stages.ingest", *words], cwd=workspace, text=True,
                          capture_output=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)})


def test_three_files_and_one_line(workspace: Path):
    done = run(workspace, "actions")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "actions: 1 rows in, 1 clean, 0 quarantined, 0 dropped\n"
    clean = pd.read_parquet(workspace / "data/clean/actions.parquet")
    assert str(clean["received_at"][0]) == "2025-04-30 22:00:00" and str(clean["cost"][0]) == "1000.5000"
    account = json.loads((workspace / "data/clean/actions.account.json").read_text(encoding="utf-8"))
    assert account["rows_in"] == account["clean"] + account["quarantined"] + account["dropped"] == 1
    assert account["files"][0]["file"] == "a.csv" and len(account["files"][0]["sha256"]) == 64
    assert list(pd.read_parquet(workspace / "data/quarantine/actions.parquet").columns) == [
        "rule", "reason", "file", "line", "column", "found", "record"]


def test_two_runs_give_the_same_bytes(workspace: Path):
    def everything() -> dict[str, bytes]:
        files = sorted((workspace / "data").rglob("actions.*"))
        return {str(path.relative_to(workspace)): path.read_bytes() for path in files}

    run(workspace, "actions")
    first = everything()
    run(workspace, "actions")
    assert len(first) == 3 and everything() == first


def test_a_refusal_is_one_sentence_and_leaves_the_last_good_files(workspace: Path):
    run(workspace, "actions")
    before = (workspace / "data/clean/actions.parquet").read_bytes()
    done = run(workspace, "actions", content=GOOD.replace("Coste", "Precio"))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("a.csv, line 1, column 'Coste': a declared column is not in the header")
    assert done.stderr.count("\n") == 1 and "[COL-MISSING]" in done.stderr
    assert (workspace / "data/clean/actions.parquet").read_bytes() == before


def test_an_unknown_source_is_refused(workspace: Path):
    done = run(workspace, "sails")
    assert done.returncode == 2 and "surveys, tickets, sales" in done.stderr


def test_a_description_that_breaks_most_rows_is_refused_by_check_too_and_nothing_clean_is_written(workspace: Path):
    content = GOOD + "".join(f"A{n};North;Sucursal;Sí;31/02/2025;1,00\n" for n in range(4))
    done = run(workspace, "actions", content=content)
    assert done.returncode == 2 and "[QUARANTINE-SHARE]" in done.stderr
    assert not (workspace / "data" / "clean").exists()
    assert len(pd.read_parquet(workspace / "data/quarantine/actions.parquet")) == 4
    rehearsed = subprocess.run([sys.executable, "-m", "pipeline.ingest", "check", "actions"], cwd=workspace, text=True,
                               capture_output=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert rehearsed.returncode == 2 and "[QUARANTINE-SHARE]" in rehearsed.stderr


def test_files_that_no_source_reads_are_named_and_hidden_ones_are_no_exports(workspace: Path):
    folder = workspace / "data" / "raw" / "actions"
    for name in ("FEBRERO.CSV", "marzo.csv.gz", "mayo.txt", "~$junio.csv", ".julio.csv", ".gitkeep"):
        (folder / name).write_text(GOOD, encoding="utf-8")
    done = run(workspace, "actions")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == ("actions: not read, since no pattern of a source names it (FILE-UNREAD): "
                                           ".julio.csv, FEBRERO.CSV, marzo.csv.gz, mayo.txt, ~$junio.csv")
    account = json.loads((workspace / "data/clean/actions.account.json").read_text(encoding="utf-8"))
    assert [file["file"] for file in account["files"]] == ["a.csv"]
    assert [(rule["rule"], rule["rows"]) for rule in account["rules"]] == [("FILE-UNREAD", 5)]
    rehearsed = subprocess.run([sys.executable, "-m", "pipeline.ingest", "check", "actions"], cwd=workspace, text=True,
                               capture_output=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert "FILE-UNREAD" in rehearsed.stdout and "mayo.txt" in rehearsed.stdout


def test_rows_are_for_their_owner_alone(workspace: Path):
    assert run(workspace, "actions").returncode == 0
    for folder in ("clean", "quarantine"):
        assert stat.S_IMODE((workspace / "data" / folder).stat().st_mode) == 0o700
        assert stat.S_IMODE((workspace / "data" / folder / "actions.parquet").stat().st_mode) == 0o600
