"""check as a user calls it: a readable account, no file written, refusals as sentences with exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACTIONS = ("Acción;Unidad;Tipo de unidad;Participa;Inicio;Coste\nA1;North;Sucursal;Sí;01/05/2025;1.000,50\n"
           "A1;South;Sucursal;Sí;31/02/2025;10,00\nA1;East;Sucursal;Sí;30/02/2025;10,00\n\n")
SURVEYS = ("Id respuesta;Id cliente;Enviada;Respondida;Canal;Punto de contacto;Contacto directo;Id ticket;Id pedido;"
           "Comentario;Idioma;Recomendaría (NPS);Satisfacción (CSAT);Esfuerzo (CES)\n"
           "R1;C1;01/02/2025 10:00;02/02/2025 10:00;Web;Web;Sí;;;secret words;Español;12;5;No aplica\n"
           "R2;C2;01/02/2025 10:00;02/02/2025 10:00;Paloma;Web;Sí;;;;Español;9;5;2\n")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    params = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("data: invented", "data: public", 1)
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    for name, text in (("actions", ACTIONS.encode()), ("surveys", SURVEYS.encode("cp1252"))):
        (tmp_path / "data" / "raw" / name).mkdir(parents=True)
        (tmp_path / "data" / "raw" / name / "a.csv").write_bytes(text)
    return tmp_path


def check(workspace: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "pipeline.ingest", *words], cwd=workspace, text=True,
                          capture_output=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)})


def everything(folder: Path) -> list[tuple[str, bytes]]:
    return sorted((str(p), p.read_bytes()) for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def test_the_account_names_each_rule_with_its_first_line_and_nothing_is_written(workspace: Path):
    before = everything(workspace)
    done = check(workspace, "check", "actions", "surveys")
    assert done.returncode == 2 and done.stderr.count("[QUARANTINE-SHARE]") == 2, done.stderr  # half of the rows
    assert "actions (actions): 4 rows in = 1 clean + 2 quarantined + 1 dropped" in done.stdout
    assert "first: a.csv, line 3, column 'Inicio', found '31/02/2025'" in done.stdout
    assert "FMT-BLANK" in done.stdout and "empty lines" in done.stdout
    assert "answers: 3 in = 1 clean + 1 quarantined + 1 not asked" in done.stdout
    assert "NPS-RANGE" in done.stdout and "CAT-MAP" in done.stdout
    assert "secret" not in done.stdout + done.stderr
    assert everything(workspace) == before


def test_a_rehearsal_on_own_data_makes_no_key(workspace: Path, tmp_path_factory):
    key = tmp_path_factory.mktemp("home") / "pseudonym.key"
    params = (workspace / "params.yaml").read_text(encoding="utf-8").replace("data: public", "data: own", 1)
    params = params.replace("key: public", "key: file", 1).replace("~/.config/vivencia/pseudonym.key", str(key))
    (workspace / "params.yaml").write_text(params, encoding="utf-8")
    done = check(workspace, "check", "actions")
    assert "4 rows in = 1 clean" in done.stdout and "[QUARANTINE-SHARE]" in done.stderr, done.stderr
    assert not key.exists()


def test_a_refused_source_is_one_sentence_and_the_others_are_still_checked(workspace: Path):
    done = check(workspace, "check", "tickets", "actions")
    assert done.returncode == 2 and "actions (actions): 4 rows in" in done.stdout
    assert done.stderr.count("\n") == 2 and done.stderr.startswith("tickets: refused: data/raw/tickets: the folder")


@pytest.mark.parametrize(("words", "said"), [
    (["check", "sails"], "surveys, tickets, sales"), (["check", "--params", "no.yaml"], "PARAM-FILE"),
    (["look"], "inspect"),
])
def test_what_cannot_be_done_is_said_and_exits_with_2(workspace: Path, words, said):
    done = check(workspace, *words)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_a_cut_that_fits_no_scale_stops_its_own_source_only(workspace: Path):
    path = workspace / "params.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("top_box: {csat: ", "top_box: {csat: 9", 1), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    done = check(workspace, "check", "surveys", "actions")
    assert done.returncode == 2 and "actions (actions): 4 rows in" in done.stdout
    assert done.stderr.startswith("surveys: refused:") and "[PARAM-SCALE]" in done.stderr.splitlines()[0]
    assert "PARAM-SCALE" not in done.stderr.splitlines()[1]  # actions has reasons of its own
