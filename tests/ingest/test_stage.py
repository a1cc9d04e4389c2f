"""The stage as dvc calls it: files in their places, one line printed, refusals as one sentence with exit code 2."""

import json
import os
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
