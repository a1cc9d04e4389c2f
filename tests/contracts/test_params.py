"""params.yaml is typed: what is not known, missing or of the wrong kind is refused by name."""

from pathlib import Path

import pytest

from pipeline.contracts.params import load_params, section
from pipeline.contracts.refusal import Refusal

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


def test_yaml_1_2_reads_no_as_a_word(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace('name: "Compañía Ejemplo"', "name: no"), encoding="utf-8")
    assert load_params(path).company.name == "no"


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(Refusal, match="there is no params file here"):
        load_params(tmp_path / "params.yaml")
