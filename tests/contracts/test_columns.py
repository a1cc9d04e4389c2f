"""Columns and segments that params.yaml names: the outcome, an unknown name and a foreign segment are refused."""

import pytest

from pipeline.contracts.columns import check_covariates, check_dimensions, check_response, names_leaving, segments_of
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


@pytest.mark.parametrize(("name", "rule"), [
    *[(name, "PARAM-OUTCOME") for name in ("score_nps", "score_csat", "mean_nps", "count_answers", "count_invitations",
                                           "score_up", "responded_at", "language", "x_answered", "x_nps_group",
                                           "x_respuestas", "x_responses", "hasResponded")],
    *[(name, "PARAM-COLUMN") for name in ("customer_id", "response_id", "ticket_id", "order_id")]])
def test_neither_scores_nor_counts_of_answers_nor_ids_explain_who_answers(name, rule):
    """With any of them in, who answers would be told by the answer, or each row by itself."""
    with pytest.raises(Refusal) as caught:
        check_response("experience.response_covariates", [name], ["segment", "had_ticket", "x_credit_score", name])
    assert (caught.value.rule, caught.value.expected) == (rule, "one of had_ticket, segment, x_credit_score")


def test_what_was_known_beforehand_explains_who_answers():
    known = ["segment", "value_band", "branch", "had_ticket", "purchases", "is_promise_kept", "tenure_months",
             "channel", "touchpoint", "is_direct", "revenue", "x_credit_score", "x_region_id", "x_message", "x_process"]
    check_response("experience.response_covariates", known, known)


@pytest.mark.parametrize("name", [
    "churn_score", "termination_probability", "terminationProbability", "contract_terminated", "prob_salida",
    "riesgo_salidas", "exit_likelihood", "exit_survey", "encuesta_salida", "rescision_prob", "rescisión",
    "rescisiones", "lapse_score", "lapsed", "leaver_index", "leavers", "leaving_date", "end_reason_code", "motivo_fin",
    "bajas_previas", "fecha_baja", "Motivo de baja", "p_leave", "winback_priority", "non_renewal", "no_renovacion",
    "propension_marcha", "survival_probability", "has_left", "cliente_perdido", "quit_flag", "customer_status"])
def test_labels_and_models_of_leaving_are_known_by_name(name):
    assert names_leaving(name) and names_leaving(f"x_{name}")


@pytest.mark.parametrize("name", [
    "bajada_precio", "precio_bajado", "trabajas", "trabaja_aqui", "weekend_orders", "end_user_score", "trial_end_date",
    "motorway_exit", "puerta_salida", "fecha_salida_vuelo", "departure_city", "puesta_en_marcha", "time_lapse_photos",
    "elapsed_days", "elapsed_score", "terminal_code", "determination_index", "days_left", "sick_leave_days", "defects",
    "defect_reason", "quite_happy_score", "mosquito_index", "renewed_risk", "cleaver_score", "final_score", "fin_risk",
    "credit_score", "risk_score", "health_score", "segment", "tenure_months", "exposure_months"])
def test_other_columns_are_not_taken_for_leaving_by_their_name(name):
    assert not names_leaving(name) and not names_leaving(f"x_{name}")


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
