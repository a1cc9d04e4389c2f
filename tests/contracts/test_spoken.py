"""Refusals in Spanish: every rule has its sentence, the facts are the same, and the params say which language."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.contracts.params import load_params
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import catalogue, language, said, told
from pipeline.ingest.__main__ import _parser
from pipeline.ingest.rules import REASONS

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"[A-Z]{2,}[A-Z0-9]*(-[A-Z0-9]+)+")


def rules_of(tree: ast.AST) -> set[str]:
    """Every rule id that stands as a text of its own in a module that refuses."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            and RULE.fullmatch(node.value)}


def test_every_rule_that_can_be_refused_has_a_spanish_sentence():
    """Rule ids are found in the code itself: whatever looks like one in a module that makes refusals."""
    found = set(REASONS)
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "Refusal(" in text and path.parent.name != "demo":
            found |= rules_of(ast.parse(text))
    codes = {"UTF-8", "UTF-16", "YYYY-MM-DD"}
    assert len(found) > 120 and found - codes - set(catalogue()["rules"]) == set()


def test_the_facts_of_a_refusal_are_the_same_in_both_languages():
    refusal = Refusal("ENC-INVALID", "the bytes are not utf-8 (byte 3 of the line)", file="ventas.csv", line=7,
                      column="Año", found="byte 0xF1", expected="utf-8")
    assert told(refusal, "en") == str(refusal)
    assert told(refusal, "es") == ("ventas.csv, línea 7, columna 'Año': los bytes no son utf-8 (byte 3 de la línea); "
                                   "se encontró byte 0xF1, se esperaba utf-8 [ENC-INVALID].")


@pytest.mark.parametrize(("rule", "sentence", "expected"), [
    ("PARAM-MISSING", "company.currency must be given", "hay que indicar company.currency"),
    ("PARAM-TYPE", "sources.sales.files has the wrong kind of value",
     "sources.sales.files no tiene la clase de valor que debe"),
    ("NB-UNKNOWN", "there is no notebook '09-x' under notebooks", "no hay ningún cuaderno '09-x'"),
    ("LINK-SPAN", "the data span 900 months, which is more", "los datos abarcan 900 meses"),
    ("COL-MISSING", "a declared column is not in the header", "falta una columna declarada [COL-MISSING]"),
])
def test_what_is_spoken_of_is_named(rule: str, sentence: str, expected: str):
    assert expected in told(Refusal(rule, sentence), "es")


@pytest.mark.parametrize(("rule", "sentence", "wanted", "spanish"), [
    ("FMT-PREAMBLE", "lines stand above the header", "the header here, or `skip_rows: 3`",
     "hay líneas encima de la cabecera; se esperaba la cabecera aquí, o `skip_rows: 3` ["),
    ("FILE-TRUNC", "the last line does not end: the file was cut", "a whole file: fetch it again (or "
     "`final_newline: false`)", "la última línea no termina: el fichero está cortado; se esperaba el fichero entero: "
     "descárguelo otra vez (o `final_newline: false`) ["),
    ("COL-MISSING", "a declared column is not in the header (and 2 more); the nearest is 'Importe'", "'importe neto'",
     "falta una columna declarada (y 2 más); la más parecida es 'Importe'; se esperaba 'importe neto' ["),
    ("COL-MISSING", "a declared column is not in the header; the nearest is 'Fecha'", "'fecha'",
     "falta una columna declarada; la más parecida es 'Fecha'; se esperaba 'fecha' ["),
    ("DATE-FMT", "sources.ventas.timestamps must say how times are written (ordered_at)", "[iso8601]",
     "sources.ventas.timestamps debe decir cómo están escritas las fechas (ordered_at); se esperaba [iso8601] ["),
    ("TIME-ZONE", "a time without its zone, and the contract does not say where the clock hung",
     "`time_zone: Europe/Madrid` (or another) for this source", "una hora sin su zona, y el contrato no dice dónde "
     "colgaba el reloj; se esperaba `time_zone: Europe/Madrid` (u otra) en esta fuente ["),
    ("TIME-ZONE", "this time zone does not exist", "for instance Europe/Madrid or UTC",
     "esta zona horaria no existe; se esperaba por ejemplo Europe/Madrid o UTC ["),
    ("ENC-INVALID", "the bytes are UTF-8, which cp1252 would read as other letters",
     "cp1252; write `encoding: utf-8`",
     "los bytes son UTF-8, que cp1252 leería como otras letras; se esperaba cp1252; escriba `encoding: utf-8` ["),
    ("ENC-UTF16", "UTF-16 without its mark does not say its byte order", "`encoding: utf-16-le` or `utf-16-be`",
     "UTF-16 sin su marca no dice el orden de sus bytes; se esperaba `encoding: utf-16-le` o `utf-16-be` ["),
    ("NUM-LOCALE", "a number is written as text and the contract does not say how", '`decimal: ","` or `decimal: "."`',
     'un número está escrito como texto, y el contrato no dice cómo; se esperaba `decimal: ","` o `decimal: "."` ['),
    ("FMT-HTML", "this is JSON, perhaps an error message of the tool", "a table as text",
     "es JSON, quizá un mensaje de error de la herramienta; se esperaba una tabla como texto ["),
    ("KEY-CASE", "ids that differ by case alone, and nothing says whether they are the same",
     "`company.ids: exact` if they are different ones (Salesforce), or `company.ids: folded` if they are the same",
     "se esperaba `company.ids: exact` si son distintos (Salesforce), o `company.ids: folded` si son el mismo ["),
])
def test_the_refusals_of_the_first_hour_say_what_is_the_case_and_what_to_do(rule, sentence, wanted, spanish):
    assert spanish in told(Refusal(rule, sentence, expected=wanted), "es")


def test_a_rule_without_a_spanish_sentence_is_told_in_english():
    refusal = Refusal("OWN-RULE", "left out by a rule of params", file="a.csv")
    assert told(refusal, "es") == str(refusal)


@pytest.mark.parametrize(("text", "expected"), [
    ("report:\n  language: es\n  messages: es # x\n", "es"), ("report: \n# c\n\n  messages: 'es'\n", "es"),
    ("report:\n  language: es\n", "en"), ("report:\n  messages: fr\n", "en"), ("other:\n  messages: es\n", "en"),
    ("report:\n  language: es\nother:\n  messages: es\n", "en"), ("report: [\n  messages: es\n", "es"), ("", "en"),
    ("a: 1\nreport: {language: es, messages: es}\n", "es"), ("report: {messages: 'es'}", "es"),
    ("'report': {\"language\": 'en', \"messages\":\"es\" }\n", "es"),
    ("report:\n  {language: es, messages: es}\n", "es"),
    ("report: {language: es, # which?\n         # messages: en,\n         messages: es}\n", "es"),
    ("report:\n  \"messages\": \"es\"\n", "es"), ("\ufeffreport:\n  messages: es\n", "es"),
    ('{"company": {"messages": "en"}, "report": {"language": "en", "messages": "es"}}', "es"),
    ("report: {language: es, title: \"a, messages: es\"}\n", "en"), ("report: {of: {messages: es}}\n", "en"),
    ("report: {language: es}\nother: {messages: es}\n", "en"), ("# report: {messages: es}\n", "en"),
    ("report: &pages\n  messages: es\n", "es"), ("report: !!map\n  messages: &tongue es\n", "es"),
    ("report: &pages {messages: es}\n", "es"), ("report: !!map # x\n  {messages: !!str es, a: [\n", "es"),
    ("report:\n  messages:\n    es\n", "es"), ("report:\n  messages: # which?\n    !!str 'es'\nother: [\n", "es"),
    ("report: {messages:\n   es}\n", "es"), ("a: &tongue es\nreport:\n  messages: *tongue\n", "es"),
    ("base: &base {messages: es}\nreport:\n  <<: *base\n", "es"), ("base: &b\n  messages: es\nreport: *b\n", "es"),
    ("base: &b {messages: es}\nreport: {<<: *b, language: en}\n", "es"), ("? report\n: messages: es\n", "es"),
    ("report:\r\n  messages:\r\n    es\r\n", "es"), ("report:\n  messages:\n  es: 1\n", "en"),
    ("report: {messages: es, of: \"&\"}\n", "es"), ("report: # a" + " # b" * 60 + "\n  messages: fr\n", "en"),
    ("report: {language: es, messages: es\n", "es"), ("report: {messages: fr, other: es}\n", "en"),
])
def test_the_params_say_the_language_even_where_they_are_broken(tmp_path: Path, text: str, expected: str, monkeypatch):
    monkeypatch.delenv("VIVENCIA_LANGUAGE", raising=False)
    (tmp_path / "params.yaml").write_text(text)
    assert language(tmp_path / "params.yaml") == expected
    (tmp_path / "params.yaml").write_bytes(b"company: {name: Pe\xf1a}\n" + text.removeprefix("\ufeff").encode())
    assert language(tmp_path / "params.yaml") == expected or text.startswith("{")
    monkeypatch.setenv("VIVENCIA_LANGUAGE", "es")
    assert language(tmp_path / "params.yaml") == "es" and language(tmp_path / "none.yaml") == "es"


def test_every_line_of_help_has_its_spanish():
    english, spanish = _parser("en").format_help(), _parser("es").format_help()
    assert "say what a file is" in english and "dice qué es un fichero" in spanish
    assert set(english.split()) & {"say", "hold", "ask", "show"} and not set(spanish.split()) & {"say", "hold", "show"}
    for text, translated in catalogue()["help"].items():
        assert said(text, "es") == translated != text and said(text, "en") == text


@pytest.mark.parametrize(("command", "expected"), [
    (["pipeline.ingest", "check", "nada"], "[PARAM-UNKNOWN]"),
    (["pipeline.stages.ingest", "nada"], "[PARAM-UNKNOWN]"),
])
def test_the_command_line_and_the_stages_refuse_in_the_language_of_the_params(tmp_path: Path, command, expected):
    text = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("messages: en", "messages: es", 1)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, text=True, capture_output=True, check=False,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 2 and expected in done.stderr and "se encontró 'nada'" in done.stderr.replace(
        "se encontró nada", "se encontró 'nada'")
    assert "found" not in done.stderr and "Traceback" not in done.stderr


def test_the_rule_and_the_key_of_a_refusal_are_kept():
    mistyped = told(Refusal("PARAM-TYPE", "sources.ventas de mayo.timestamps[0] has the wrong kind of value"), "es")
    assert mistyped.startswith("sources.ventas de mayo.timestamps[0] no tiene la clase de valor")
    share = ("50 of 60 rows break the description of this export, most by DATE-FMT (50: not written in a declared "
             "format); that is a wrong description rather than dirt; a run leaves them all in "
             "data/quarantine/sales.parquet")
    spanish = told(Refusal("QUARANTINE-SHARE", share, found="83%",
                           expected="at most 20% (sources.sales.quarantine_limit)"), "es")
    assert spanish.startswith("50 de 60 filas") and "DATE-FMT (50: no" in spanish
    assert "(sources.sales.quarantine_limit)" in spanish


def test_a_missing_parameter_says_what_kind_of_value_it_is(tmp_path: Path):
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    for name, line, kind in (("sales.instrument", "  instrument: nps\n", "a text"),
                             ("experience.window_months", "  window_months: 6", "a whole number"),
                             ("company.data", "  data: invented", "'invented' or 'public' or 'own'")):
        at = text.index(f"\n{name.split('.')[0]}:\n")
        cut = text[:at] + text[at:].replace(line, line.replace(line.strip(), "# gone"), 1)
        (tmp_path / "params.yaml").write_text(cut, encoding="utf-8")
        with pytest.raises(Refusal) as caught:
            load_params(tmp_path / "params.yaml")
        assert (caught.value.rule, caught.value.expected) == ("PARAM-MISSING", kind), name
