"""params.yaml is typed: what is not known, missing or of the wrong kind is refused by name."""

from pathlib import Path

import pytest

from pipeline.contracts.params import load_params, section
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")


def refused(tmp_path: Path, text: str) -> Refusal:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        load_params(path)
    return caught.value


def test_the_params_of_the_repository_load():
    params = load_params(ROOT / "params.yaml")
    assert params.company.data == "invented"
    assert section(params, "churn")["inactivity_days"] == params.churn.inactivity_days


@pytest.mark.parametrize(("old", "new", "rule", "says"), [
    ("inactivity_days: 90", "inactivity_day: 90", "PARAM-UNKNOWN", "expected 'inactivity_days'"),
    ("inactivity_days: 90", "inactivity_days: ninety", "PARAM-TYPE", "expected a whole number"),
    ("inactivity_days: 90", "inactivity_days: true", "PARAM-TYPE", "found True"),
    ("language: es", "language: fr", "PARAM-TYPE", "'es' or 'en'"),
    ("  currency: EUR\n", "", "PARAM-MISSING", "company.currency must be given"),
    ("report:\n", "report: [\n", "PARAM-YAML", "params.yaml, line"),
    ("top_box: {csat: 6}", "top_box: {csat: 8}", "PARAM-SCALE", "found 8, expected a cut on the scale from 1 to 7"),
    ("csat: [3, 6]", "csat: [3, 9]", "PARAM-SCALE", "labels.csat does not fit the scale that sources.surveys declares"),
])
def test_a_wrong_key_or_value_is_refused_by_name(tmp_path, old, new, rule, says):
    assert old in TEXT
    refusal = refused(tmp_path, TEXT.replace(old, new))
    assert refusal.rule == rule
    assert says in str(refusal)


SECOND = """sources:
  calls:
    table: surveys
    folder: data/raw/calls
    files: "*.csv"
    format: csv
    columns: {response_id: id}
    instruments: {csat: {column: csat, minimum: 1, maximum: 5, direction: higher_is_better}}
"""


def test_two_scales_under_one_name_are_refused(tmp_path):
    """5 of 5 and 5 of 7 are not the same satisfaction; another name, or the same scale turned round, is fine."""
    cuts = TEXT.replace("top_box: {csat: 6}", "top_box: {csat: 4}").replace("csat: [3, 6]", "csat: [2, 4]")
    text = cuts.replace("sources:\n", SECOND, 1)
    refusal = refused(tmp_path, text)
    assert refusal.rule == "PARAM-SCALES"
    assert "two sources ask 'csat' on different scales" in str(refusal)
    assert "found 1 to 5 in calls and 1 to 7 in surveys" in str(refusal)
    assert "sources.surveys.instruments.csat_7" in str(refusal)
    assert "dos fuentes preguntan 'csat' en escalas distintas" in told(refusal, "es")
    assert "se encontró de 1 a 5 en calls y de 1 a 7 en surveys, se esperaba otro nombre para esa pregunta en una de " \
        "ellas, como sources.surveys.instruments.csat_7, con sus propios cortes [" in told(refusal, "es")
    for old, new in (("{csat: {column", "{csat_5: {column"),
                     ("maximum: 5, direction: higher", "maximum: 7, direction: lower")):
        (tmp_path / "params.yaml").write_text(text.replace(old, new), encoding="utf-8")
        assert set(load_params(tmp_path / "params.yaml").sources) >= {"calls", "surveys"}


def test_yaml_1_2_reads_no_as_a_word(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace('name: "Compañía Ejemplo"', "name: no"), encoding="utf-8")
    assert load_params(path).company.name == "no"


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(Refusal, match="there is no params file here"):
        load_params(tmp_path / "params.yaml")
