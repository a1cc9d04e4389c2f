"""The catalogue is whole in both languages, and the claim alone decides what is said."""

from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from pipeline.contracts.claims import Claim
from pipeline.report import catalogue as catalogue_module
from pipeline.report.catalogue import MissingWording, catalogue, placeholders
from pipeline.report.words import Words, tidy

FACTS = ("label", "better", "against")
CLAIM_PLACEHOLDERS = {
    "estimate", "signed", "low", "high", "interval", "size", "size_interval", "n", "n_in", "period", "segment",
    "dimension", "label", "part", "detectable", "reason", "readable_on", "comparisons"}


def test_both_languages_have_the_same_files_keys_and_placeholders():
    """Over the whole wording of the product: each text and each state of each claim."""
    es, en = catalogue("es"), catalogue("en")
    names = {language: {file.name.split(".")[0] for file in catalogue_module.FOLDER.glob(f"*.{language}.yaml")}
             for language in ("es", "en")}
    assert names["es"] == names["en"] != set()
    assert es["texts"].keys() == en["texts"].keys()
    assert es["claims"].keys() == en["claims"].keys()
    for key in es["texts"]:
        assert isinstance(es["texts"][key], dict) == isinstance(en["texts"][key], dict), key
        assert placeholders(es["texts"][key]) == placeholders(en["texts"][key]), key
    for claim_id in es["claims"]:
        first, second = es["claims"][claim_id], en["claims"][claim_id]
        assert first.keys() == second.keys(), claim_id
        for state in first:
            assert placeholders(first[state]) == placeholders(second[state]), (claim_id, state)
            if isinstance(first[state], dict):
                assert first[state].keys() == second[state].keys(), (claim_id, state)


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_claim_wording_is_complete(language):
    """A label; all three comparing states or none; nothing between braces that a claim does not give."""
    for claim_id, entry in catalogue(language)["claims"].items():
        assert entry.get("label"), claim_id
        comparing = {"good", "bad", "zero"} & entry.keys()
        assert comparing in (set(), {"good", "bad", "zero"}), claim_id
        assert comparing or "described" in entry, claim_id
        assert entry.get("better", "higher") in ("higher", "lower"), claim_id
        for state, text in entry.items():
            if state not in ("better", "against"):
                assert placeholders(text) <= CLAIM_PLACEHOLDERS, (claim_id, state)


def test_too_few_data_are_told_by_people_where_these_are_fewer():
    """60 answers of 12 customers; where the few are not told, neither is a number."""
    claim = Claim("experience.nps", 10.0, "points", 60, "m", status="not_enough_data", ci_low=-5.0, ci_high=25.0,
                  people=12)
    assert "12 customers are not enough" in Words("en").sentence(claim)
    assert "60 observations are not enough" in Words("en").sentence(replace(claim, people=60))
    none = replace(claim, estimate=None, ci_low=None, ci_high=None, reason="", n_used=None, people=None)
    assert Words("en").sentence(none).endswith(": not enough data.")


def test_facts_about_a_claim_are_the_same_in_both_languages():
    es, en = catalogue("es")["claims"], catalogue("en")["claims"]
    for claim_id in es:
        assert [es[claim_id].get(k) for k in ("better", "against")] == [
            en[claim_id].get(k) for k in ("better", "against")], claim_id


def test_a_key_in_two_files_is_an_error(wording):
    (wording / "twice.es.yaml").write_text("texts: {skip: otra vez}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="skip"):
        catalogue("es")


def claim(estimate, low=None, high=None, claim_id="sales.per_point", unit="percent", **more):
    return Claim(claim_id, estimate, unit, 500, "m", **{"level": "associated", **more}, ci_low=low, ci_high=high)


@pytest.mark.parametrize(("given", "state", "part"), [
    (claim(6.2, 4.1, 8.3), "good", "6,2\u00a0% más de ventas"),
    (claim(-6.2, -8.3, -4.1), "bad", "% menos de ventas al mes siguiente (entre el 4,1\u00a0% y el 8,3\u00a0%)"),
    (claim(1.2, -4.1, 6.5), "zero", "No se aprecia"),
    (claim(1.2, 0.0, 6.5), "zero", "No se aprecia"),
    (claim(0.7, 0.6, 0.8, "churn.hazard_ratio_per_point", "ratio"), "good", "baja el riesgo"),
    (claim(1.3, 1.1, 1.5, "churn.hazard_ratio_per_point", "ratio"), "bad", "sube el riesgo"),
    (claim(0.95, 0.85, 1.06, "churn.hazard_ratio_per_point", "ratio"), "zero", "No se aprecia relación"),
    (claim(31, 28, 35, "experience.nps", "points", level="described"), "described", "es 31,0 (entre 28,0 y 35,0)"),
    (claim(None, status="not_estimable", reason="separation"), "not_estimable", "la puntuación separa del todo"),
    (claim(None, status="too_early", readable_on="2025-06-01"), "too_early", "a partir del 1 de junio de 2025"),
    (claim(None, status="suppressed"), "suppressed", "demasiado pequeño"),
    (claim(None, status="not_enough_data"), "not_enough_data", "no hay datos suficientes (500)"),
    (claim(31, 11, 52, "experience.nps", "points", status="not_enough_data"), "not_enough_data", "31 (entre 11 y 52)"),
])
def test_the_claim_chooses_its_sentence(wording, given, state, part):
    said = Words("es").wording(given)
    assert said.state == state
    assert part in said.text


def test_the_level_changes_the_words(wording):
    words = Words("en")
    associated, effect = (words.sentence(claim(6.2, 4.1, 8.3, level=level)) for level in ("associated", "effect"))
    assert associated.endswith("causes are not separated.")
    assert effect.endswith("Other changes at the same time are not ruled out.")
    assert "unadjusted" in words.sentence(claim(6.2, 4.1, 8.3, level="described", naive=True))
    assert words.wording(claim(None, status="not_estimable", reason="x")).level == ""


def test_a_state_may_speak_differently_by_level(wording):
    (wording / "levels.en.yaml").write_text(
        "claims: {a.b: {label: A, described: {associated: goes with, effect: causes}}}\n", encoding="utf-8")
    words = Words("en")
    assert words.wording(claim(1, claim_id="a.b", level="effect")).text == "causes"
    assert words.wording(claim(1, claim_id="a.b", level="associated")).text == "goes with"
    with pytest.raises(MissingWording, match="described"):
        words.wording(claim(1, claim_id="a.b", level="described"))


def test_a_segment_is_always_named(wording):
    said = Words("en").sentence(claim(31, 28, 35, "experience.nps", "points", segment="channel:web {n}"))
    assert said.startswith("Channel “web {n}”: NPS of the whole period is 31")


def test_a_claim_without_wording_is_named(wording):
    words = Words("es")
    assert words.unworded([claim(1), claim(1, claim_id="sales.nowhere"), claim(2, claim_id="sales.nowhere")]) == [
        "sales.nowhere"]
    with pytest.raises(MissingWording, match=r"sales\.nowhere"):
        words.sentence(claim(1, claim_id="sales.nowhere"))


def test_names_from_the_data_are_one_clean_line():
    assert tidy("a\u202eb\u200b\x00c\n d") == "ab c d"
    assert len(tidy("x" * 500)) == 80


def test_plural_and_lists(wording):
    words = Words("es")
    assert words.text("index.claims.count", count=1) == "1 cifra"
    assert words.text("index.claims.count", count=1234) == "1.234 cifras"
    assert words.listed(["a", "b", "c"]) == "a, b y c"


def test_yaml_is_read_as_yaml_1_2(wording):
    """`no` and `yes` are texts here, not booleans."""
    text = (wording / "common.es.yaml").read_text(encoding="utf-8")
    assert {"yes", "no"} <= YAML(typ="safe", pure=True).load(text)["texts"].keys()


def test_one_unit_of_time_for_a_figure_and_its_limits(wording):
    """A difference of six minutes that may be two hours either way is told in hours, not in minutes."""
    given = claim(-0.1, -2.02, 1.97, "experience.ttr_median_hours", "hours", level="described")
    assert "−0,1\u00a0horas (entre −2,0 y 2,0\u00a0horas)" in Words("es").sentence(given)


def test_a_sentence_goes_on_in_small_letters_after_its_group(wording):
    words = Words("es")
    assert "«web»: el NPS de" in words.sentence(claim(31, 28, 35, "experience.nps", "points", segment="channel:web"))
    assert "«web»: NPS: no se muestra" in words.sentence(
        claim(None, claim_id="experience.nps", unit="points", segment="channel:web", status="suppressed"))


def test_a_tiny_number_is_not_written_as_zero():
    assert Words("es").value(0.00000012, "ratio") == "<0,0001"
    assert Words("es").value(0.0, "ratio") == "0,00"


def test_groups_that_were_made_one_are_each_named():
    """A group too small for itself never hides behind the name of the one that it joined."""
    assert Words("es").segment("purchases:third_middle + third_high")[1] == (
        "el tercio intermedio + el tercio que más compra")
    assert Words("en").segment("segment:Bronce + other")[1] == "Bronce + others"
    assert Words("en").segment("segment:Internet + TV")[1] == "Internet + TV"
