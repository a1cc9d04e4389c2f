"""Columns and segments that params.yaml names: the outcome, an unknown name and a foreign segment are refused."""

import pytest

from pipeline.contracts.columns import check_covariates, check_dimensions, check_response, segments_of
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import told

PANEL = ["customer_id", "period", "segment", "value_band", "score_nps", "last_nps", "revenue", "exposure_months",
         "revenue_next", "is_churned_next", "is_at_risk_next"]


@pytest.mark.parametrize(("name", "rule"), [
    ("revenue_next", "PARAM-OUTCOME"), ("is_churned_next", "PARAM-OUTCOME"), ("churn_score", "PARAM-OUTCOME"),
    ("is_at_risk_next", "PARAM-OUTCOME"), ("segmento", "PARAM-COLUMN"), ("customer_id", "PARAM-COLUMN"),
    ("last_nps", "PARAM-COLUMN")])
def test_what_is_no_covariate_is_refused_by_name_in_both_languages(name, rule):
    with pytest.raises(Refusal) as caught:
        check_covariates("sales.covariates", ["segment", name], PANEL, "nps")
    refusal = caught.value
    assert (refusal.rule, refusal.found) == (rule, repr(name))
    assert refusal.expected == "one of exposure_months, revenue, segment, value_band"
    spanish = told(refusal, "es")
    assert f"sales.covariates nombra '{name}'" in spanish and "se esperaba uno de exposure_months" in spanish


def test_honest_columns_pass_and_without_a_panel_only_the_outcome_is_known():
    check_covariates("churn.covariates", ["segment", "revenue", "exposure_months"], PANEL, "nps")
    check_covariates("churn.covariates", ["anything"], [], "nps")
    with pytest.raises(Refusal, match="PARAM-OUTCOME"):
        check_covariates("churn.covariates", ["is_churned_next"], [], "nps")


def test_who_answers_is_not_explained_by_the_answer():
    known = ["segment", "had_ticket", "score_up", "responded_at"]
    check_response("experience.response_covariates", ["segment", "had_ticket"], known)
    for name, rule in (("score_up", "PARAM-OUTCOME"), ("had_tickets", "PARAM-COLUMN")):
        with pytest.raises(Refusal, match=rule):
            check_response("experience.response_covariates", [name], known)


def test_a_breakdown_needs_its_column():
    check_dimensions("coverage.dimensions", ["segment"], ["segment", "branch"])
    with pytest.raises(Refusal, match=r"'segmento'.*expected one of branch, segment"):
        check_dimensions("coverage.dimensions", ["segmento"], ["segment", "branch"])


def test_segments_are_those_of_the_data_and_no_others():
    held = ["Oro", None, "Plata", float("nan"), "Bronce", "Oro"]
    assert segments_of("churn.target_segments", [], held) == ["Bronce", "Oro", "Plata"]
    assert segments_of("churn.target_segments", ["Plata", "Oro"], held) == ["Plata", "Oro"]
    assert segments_of("churn.target_segments", ["hogar"], [None]) == ["hogar"]
    with pytest.raises(Refusal) as caught:
        segments_of("churn.target_segments", ["Oro", "hogar"], held)
    assert (caught.value.rule, caught.value.expected) == ("PARAM-SEGMENT", "one of Bronce, Oro, Plata")
    assert "churn.target_segments nombra 'hogar', un segmento que no tiene ningún cliente" in told(caught.value, "es")
