"""Sentences where the data could not tell: the reason, what would have been seen, and words for every method."""

import ast
from pathlib import Path

import pytest

import pipeline
from pipeline.contracts.claims import Claim
from pipeline.report.words import Words

ROOMS = [Path(pipeline.__file__).parent / room for room in ("relate", "measure")]


def claim(claim_id, estimate, low=None, high=None, unit="percent", **more):
    return Claim(claim_id, estimate, unit, 500, "ppml", **{"level": "associated", **more}, ci_low=low, ci_high=high)


@pytest.mark.parametrize("claim_id", ["sales.same_month_check", "sales.lead_check"])
def test_a_check_without_a_figure_tells_its_reason(claim_id):
    given = claim(claim_id, None, status="not_enough_data", reason="no_repeat_answers")
    for language, reason in (("es", "casi ningún cliente ha respondido más de una vez"),
                             ("en", "hardly any customer has answered more than once")):
        said = Words(language).sentence(given)
        assert reason in said
        assert "–" not in said


def test_a_check_with_a_figure_keeps_its_own_sentence():
    given = claim("sales.lead_check", 1.0, -9.0, 11.0, status="not_enough_data", reason="checks_too_weak")
    assert "podría haber pasado sin verse" in Words("es").sentence(given)


@pytest.mark.parametrize(("detectable", "smallest", "es", "en"), [
    (9.0, 5.0, "no se puede saber", "cannot be told"),
    (300.0, 5.0, "no se puede saber", "cannot be told"),
    (4.0, 5.0, "no añade nada", "adds nothing"),
    (9.0, 10.0, "no añade nada", "adds nothing"),
    (4.0, 3.0, "no se puede saber", "cannot be told"),
])
def test_nothing_is_said_only_where_an_effect_that_matters_would_show(detectable, smallest, es, en):
    given = claim("sales.per_point", 1.0, -6.0, 8.0, detectable=detectable)
    assert es in Words("es", smallest).sentence(given)
    assert en in Words("en", smallest).sentence(given)


@pytest.mark.parametrize(("claim_id", "segment"), [("churn.hazard_ratio_per_point", "all"),
                                                   ("churn.inactivity.hazard_ratio_per_point", "window:90")])
def test_of_churn_what_would_be_seen_is_said_where_it_is_known(claim_id, segment):
    known, unknown = (claim(claim_id, 1.1, 0.7, 1.7, "ratio", segment=segment, detectable=d) for d in (1.9, None))
    assert "dividir por 1,9" in Words("es").sentence(known)
    assert "dividing by 1.9" in Words("en").sentence(known)
    for language in ("es", "en"):
        assert "–" not in Words(language).sentence(unknown)


def test_a_ratio_that_would_be_seen_is_not_written_as_no_change():
    given = claim("churn.hazard_ratio_per_point", 1.1, 0.7, 1.7, "ratio", detectable=1.04)
    assert "dividir por 1,04" in Words("es").sentence(given)


def methods_in(source: str) -> set[str]:
    """Method ids in a module: texts given to the names METHOD, COUNT or method, and where Claim and Metric take one."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = (zip(target.elts, node.value.elts, strict=False)
                         if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                         else [(target, node.value)])
                found += [value for name, value in pairs
                          if isinstance(name, ast.Name) and name.id in ("METHOD", "COUNT", "method")]
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            at = {"Claim": 4, "no_claim": 3, "claim": 3, "p_claim": 3, "Metric": 2}.get(name)
            if at is not None:
                found += node.args[at:at + 1] + [k.value for k in node.keywords if k.arg == "method"]
    return {part.value for value in found for part in ast.walk(value)
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.strip("_")
            and not part.value.startswith("_")}  # an ending of a text that is put together is no method


def test_every_method_has_words():
    methods = set().union(*(methods_in(file.read_text(encoding="utf-8"))
                            for room in ROOMS for file in room.glob("*.py")))
    assert {"ppml", "bgnbd", "counted", "wilson", "share_wilson", "kaplan_meier"} <= methods
    for language in ("es", "en"):
        assert [m for m in sorted(methods) if not Words(language).has(f"method.{m}")] == [], language
