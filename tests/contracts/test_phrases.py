"""No message of inspect, check or the command line without its Spanish: what the code can say is read from the code."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.contracts.presets import load_preset, preset_names
from pipeline.contracts.spoken import catalogue, phrased, phrases
from pipeline.contracts.tables import TABLES

ROOT = Path(__file__).parents[2]
INGEST = ROOT / "pipeline" / "ingest"
SPOKEN = ("findings", "proposal", "together", "check", "account", "share", "evidence_columns", "evidence_layout",
          "sample", "meaning", "questions", "salesforce")
NO_MESSAGES = {  # code, patterns and lines of params.yaml; sentences of refusals and of defects are tried elsewhere
    "    column: {}", "    minimum: {}", "    maximum: {}    # {}", "    direction: {}", "    words: {",
    "    not_asked: [", "]    # no part of the survey", "    # TELL: {}: {}", " and others ",
    "{}: answers do not add up: {}",
    "{}: {} rows in, but {} clean, {} quarantined, {} dropped", "this source is not in the params file",
    "{} ({}, {} rows)", "{} {}", "{} (line {})", ": {} against {}{}",
}
ENGLISH = re.compile(r"\b(the|and|of|with|which|that|is|are|rows|lines|found|expected|records|filled|different|such|"
                     r"must)\b")


def template(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def said_in(path: Path) -> set[str]:
    """What a module can say: its texts of more than one word, docstrings and patterns apart."""
    tree, inner = ast.parse(path.read_text(encoding="utf-8")), set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            inner.add(id(body[0].value))
        for part in ast.walk(node) if isinstance(node, ast.JoinedStr) else ():
            inner |= {id(part)} if part is not node else set()
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "compile":
            inner |= {id(part) for part in ast.walk(node)}
    texts = {template(node) for node in ast.walk(tree) if id(node) not in inner}
    return {text for text in texts if text and re.search("[a-z]{2,} [a-z]{2,}", text)}


def fits(text: str) -> bool:
    """Whether some Spanish phrase holds the text: whole, or as one of the pieces that are put together."""
    whole, open_ones = phrases()
    bare = text.strip(" ;:").removeprefix("{} ").strip()
    filled = bare.replace("{}", "X1")
    known = " | ".join([*whole, *(re.sub(r"\\(.)", r"\1", one.pattern).replace("(.*?)", "{}") for one, _ in open_ones)])
    return filled in whole or phrased(filled, "es") != filled or bare.strip("{} ;:,()") in known


@pytest.mark.parametrize("module", SPOKEN)
def test_what_ingest_can_say_has_its_spanish(module: str):
    missing = {text for text in said_in(INGEST / f"{module}.py") - NO_MESSAGES if not fits(text)}
    assert missing == set()


def test_what_presets_and_tables_say_has_its_spanish():
    whole, _ = phrases()
    told = [text for name in preset_names() for text in load_preset(name).get("tell", ())]
    told += [f"{kind}: {load_preset(name)[kind]}" for name in preset_names()
             for kind in ("seen", "from documentation", "from memory") if kind in load_preset(name)]
    tools = [load_preset(name)["tool"] for name in preset_names()]
    told += [tool for tool in tools if " " in tool.split(",")[-1].strip()]
    told += [column.meaning for table in TABLES.values() for column in table.columns if column.required]
    assert len(told) > 60 and [text for text in told if text not in whole] == []


def test_what_was_expected_is_said_in_spanish():
    """Expected and found of every refusal in the code: in words of their own or by the line of their rule."""
    missing, seen = set(), 0
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if getattr(call.func, "id", "") != "Refusal" or not isinstance(call.args[0], ast.Constant):
                continue
            fixed = "|" in catalogue()["rules"].get(call.args[0].value, "")
            for key in call.keywords:
                text = template(key.value)
                if key.arg not in ("found", "expected") or not text or (key.arg == "expected" and fixed):
                    continue
                seen += 1
                if ENGLISH.search(text) and phrased(text.replace("{}", "X1"), "es") == text.replace("{}", "X1"):
                    missing.add(text)
    assert seen > 70 and missing == set()


def test_slots_are_filled_in_their_order_and_no_phrase_is_left_half_said():
    uneven = "12 of the first 40 records have another number of fields (line 3, 5): they would go to quarantine"
    assert phrased(uneven, "es") == ("12 de los primeros 40 registros tienen otro número de campos (línea 3, 5): irían "
                                     "a cuarentena")
    assert phrased("  a byte order mark, and line 7 is not UTF-8", "es") == \
        "  una marca de orden de bytes, y la línea 7 no es UTF-8"
    assert phrased("ventas de mayo", "es") == "ventas de mayo" and phrased("all different", "en") == "all different"
    for spanish, english in ((text, one.groups) for one, text in phrases()[1]):
        assert len(re.findall(r"\{\*?\}", spanish)) == english, spanish


PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("data: invented", "data: public", 1).replace(
    "messages: en", "messages: es", 1)
LINES = "".join(f"P{n};0{n};{n:02}/{n:02}/2025;1.{n:03};N\n" for n in range(1, 13))
FILE = f"Pedido;Cliente;Fecha;Importe;Zona\n{LINES}Total;;;;\n".encode("cp1252")


@pytest.mark.parametrize("words", [
    ("inspect", "ventas.csv"), ("inspect", "--table", "customers", "ventas.csv"), ("check", "actions"),
    ("inspect", "-h"),
    ("inspect",), ("look",), ("check", "--no"), ("check", "nada"), ("fetch", "-h"), ("-h",), ("check", "--params"),
    ("inspect", "--table", "x", "ventas.csv"),
])
def test_a_spanish_user_reads_no_english(tmp_path: Path, words: tuple[str, ...]):
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (tmp_path / "ventas.csv").write_bytes(FILE)
    (tmp_path / "data" / "raw" / "actions").mkdir(parents=True)
    (tmp_path / "data" / "raw" / "actions" / "a.csv").write_text(
        "Acción;Unidad;Tipo de unidad;Participa;Inicio;Coste\nA1;N;Sucursal;Sí;01/05/2025;1.000,50\n"
        "A1;S;Sucursal;Sí;31/02/2025;10,00\n\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "pipeline.ingest", *words], cwd=tmp_path, text=True, check=False,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    text = done.stdout + done.stderr
    assert len(text) > 60 and "Traceback" not in text
    assert [line for line in text.splitlines() if ENGLISH.search(line)] == []
