"""Sentences where the data could not tell: the reason, what would have been seen, and words for every method."""

import ast
from pathlib import Path

import pandas as pd
import pytest

import pipeline
from pipeline.contracts.claims import Claim
from pipeline.contracts.results import Results
from pipeline.report import table_view
from pipeline.report.figures import base
from pipeline.report.page import Table
from pipeline.report.pages import churn, index
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
    assert "dividir por 1,04" in Words("es", smallest_churn_effect=3.0).sentence(given)


@pytest.mark.parametrize(("claim_id", "segment", "es", "en"), [
    ("churn.hazard_ratio_per_point", "all", "no añade nada", "adds nothing"),
    ("churn.inactivity.hazard_ratio_per_point", "window:90", "no se ve que", "no sign here"),
])
def test_of_churn_nothing_is_said_where_an_effect_that_matters_would_show(claim_id, segment, es, en):
    given = claim(claim_id, 1.0, 0.995, 1.005, "ratio", segment=segment, detectable=1.007)
    blunt = claim(claim_id, 1.0, 0.9, 1.1, "ratio", segment=segment, detectable=1.15)
    for language, nothing in (("es", es), ("en", en)):
        assert nothing in Words(language).sentence(given)
        assert nothing not in Words(language).sentence(blunt)
        assert nothing in Words(language, smallest_churn_effect=20.0).sentence(blunt)
        assert nothing not in Words(language, smallest_churn_effect=0.5).sentence(given)


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


@pytest.mark.parametrize(("low", "high", "shares", "note"), [
    (0.60, 0.66, (0.53, 0.63, 0.72), "fits"),
    (0.711, 0.736, (0.528, 0.635, 0.723), "between"),
    (0.66, 0.70, (0.53, 0.63, 0.72), "between"),
    (0.74, 0.80, (0.53, 0.63, 0.72), "more"),
    (0.40, 0.50, (0.53, 0.63, 0.72), "fewer"),
])
def test_the_rhythm_of_purchases_is_read_beside_the_windows(low, high, shares, note):
    claims = [claim("churn.inactivity.still_there", (low + high) / 2, low, high, "share")]
    claims += [claim("churn.inactivity.not_silent", share, unit="share", segment=f"window:{days}")
               for days, share in zip((45, 90, 180), shares, strict=True)]
    assert churn._rhythm(Results(claims, {})) == [f"churn.silence.{note}"]
    everybody = [claim("churn.inactivity.not_silent", 1.0, unit="share", segment=f"window:{days}") for days in (45, 90)]
    assert churn._rhythm(Results([*claims[:1], *everybody], {})) == []  # no longer than a window: nothing to compare
    assert churn._rhythm(Results(claims[:1], {})) == churn._rhythm(Results(claims[1:], {})) == []


def test_no_ratio_to_an_adjusted_figure_that_may_be_nothing():
    frame = pd.DataFrame({"claim": ["a", "b", "c", "d"], "is_naive": [False, True, False, True], "n": [500] * 4,
                          "estimate": [-0.68, 28.2, 10.0, 20.0], "ci_low": [-9.0, 20.0, 8.0, 15.0],
                          "ci_high": [8.0, 36.0, 12.0, 25.0], "ratio": [None, -41.5, None, 2.0]})
    columns = {"claim": "text", "is_naive": "yes_no", "estimate": "EUR", "ratio": "ratio"}
    rows = table_view.view(frame, Table("contrast", columns), Words("es"), "", "EUR", 10).rows
    assert [row[-1] for row in rows] == ["–", "–", "–", "2,00"]


def test_a_figure_rounds_as_its_table():
    words = Words("es")
    assert words.rounded(-0.68, -9.0, 8.0, "EUR") == "−1\u00a0€"
    assert words.rounded(35.508, 5.872, 73.441, "percent") == "36\u00a0%"
    assert words.rounded(float("nan"), float("nan"), float("nan"), "percent") == "–"


def test_a_forecast_is_called_a_forecast():
    given = claim("churn.revenue_at_risk", 234036.0, 212550.0, 257694.0, "EUR", segment="months:12", level="forecast")
    assert "previsión" in Words("es").sentence(given)
    assert "asociación" not in Words("es").sentence(given)
    assert "forecast" in Words("en").sentence(given)


def test_ages_are_told_with_their_unit():
    given = claim("sales.stale_score.per_point", 4.9, 3.2, 6.7, segment="age:1")
    assert "dadas 1 mes antes de la venta" in Words("es").sentence(given)
    assert "given 1 month before the sale" in Words("en").sentence(given)


def test_one_point_is_singular():
    given = claim("experience.nps_change", -1.0, -11.0, 12.0, "points", level="described", detectable=14.0)
    assert "−1 punto (" in Words("es").sentence(given)


def test_the_smallest_effect_is_printed_in_the_method():
    for language, declared in (("es", "4\u00a0%"), ("en", "4%")):
        texts = dict(index._method(Words(language, 4.0)))
        assert any(declared in text for text in texts.values())
        assert "smallest_effect" not in "".join(texts.values())


def test_labels_of_the_windows_fit_a_phone():
    for language in ("es", "en"):
        label = Words(language).text("churn.figure.days", count=180)
        with base.medium("phone"):
            assert base.shorten(label) == label
