"""Every claim of sales and churn can be said in both languages, and every figure can be drawn of its table."""

import pandas as pd
import pytest

from pipeline.contracts.results import Results
from pipeline.relate import (
    at_risk,
    churn,
    complaints,
    conversion,
    cox,
    growth,
    inactivity,
    leaks,
    left_out,
    naive,
    prediction,
    retention,
    sales,
    spline,
    staleness,
)
from pipeline.relate.sample import population_table, sales_sample
from pipeline.relate.timing import timing_of
from pipeline.report.figures import base
from pipeline.report.figures import churn as churn_figures
from pipeline.report.figures import sales as sales_figures
from pipeline.report.page import Page, select_claims
from pipeline.report.pages import churn as churn_page
from pipeline.report.pages import sales as sales_page
from pipeline.report.words import Words


def made(panel):
    """Claims and tables as notebooks 03 and 04 leave them."""
    sample = sales_sample(panel, "nps", 1, ["exposure_months"])
    timing = timing_of(sample)
    claims, coefficients = sales.per_point(sample, timing.level, timing.reason)
    shape_claims, shape = sales.shape(sample)
    claims += (conversion.conversion(sample, "EUR", 12) + naive.naive_sales(sample, "EUR") + timing.claims()
               + sales.other_outcomes(sample) + sales.by_group(sample) + shape_claims)
    bend, curve = spline.spline(sample)
    shape, claims = spline.with_spline(shape, curve), [*claims, bend, *staleness.stale_score(panel, "nps", [])]
    claims += growth.growth_claims(panel, "nps", (6, 9))
    tickets = panel.assign(count_complaints=(panel["potential"] < 5) * 1.0, count_tickets=panel["count_orders"] * 1.0)
    claims += complaints.complaint_claims(sample, tickets) if sample.problem is None else []
    contrast, in_percent = (naive.side_by_side(claims, [pair]) for pair in (
        ("sales.conversion_value.detractor_to_promoter", "sales.naive.group_gap"),
        ("sales.per_point", "sales.naive.log1p_per_point")))
    leavers = churn.churn_sample(panel, "nps", 1, ["segment"])
    bought = panel.loc[panel["revenue"] > 0, ["customer_id", "period"]].rename(columns={"period": "day"})
    silent = inactivity.silence_sample(bought, panel, "nps", 1, 60, pd.Timestamp("2024-12-31"), [])
    predictors = leaks.check_predictors(pd.DataFrame({"is_churned": [True, False] * 20, "x_a": range(40)}))
    silence = inactivity.silence_claims(silent, 60)
    claims += (churn.hazard_claims(leavers) + churn.monthly_rates(leavers, ["small"]) + silence + predictors
               + [churn.naive_churn(leavers, pd.DataFrame(), "nps")])
    older = churn.churn_sample(panel, "nps", 3, ["segment"])
    told = prediction.foretell(older)
    claims += (prediction.prediction_claims(told, older) + at_risk.revenue_at_risk(older, 12, "EUR", (6, 9))
               + retention.retention_claims(retention.cohort_of(panel), ["small"]) + [cox.cox_check(leavers)])
    claims += left_out.left_out_claims("sales", {"region": "one_level", "segment": "in_customer_effect"}, {"x": []},
                                       coefficients)
    claims += left_out.of_hazard(leavers.rows, ["segment", "region"], [], churn.coefficients(leavers))
    tables = {"timing": timing.table, "shape": shape, "contrast": contrast, "contrast_percent": in_percent,
              "coefficients": coefficients,
              "out_of_time": prediction.out_of_time_table(told),
              "by_score": churn.score_table(leavers), "calibration": churn.calibration(leavers),
              "windows": inactivity.window_table(silence), "gaps": inactivity.purchase_gaps(bought),
              "diagnostics": sales.diagnostics(sample), "population": population_table(sample, "EUR")}
    return Results(claims, tables)


@pytest.fixture(scope="module")
def results(company):
    return made(company(8, 2500))


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_claim_has_its_sentence(company, results, language):
    """With data, with null effects and with next to nothing: no sentence is missing and none names a raw reason."""
    words = Words(language)
    for case in (results, made(company(8, 2500, beta=0.0, churn=0.0)), made(company(8, 40))):
        for claim in case.claims:
            sentence = words.sentence(claim)
            assert sentence and "_" not in sentence.replace(claim.segment.partition(":")[2], ""), claim
            assert words.has(f"method.{claim.method}"), claim.method
            assert not claim.reason or words.has(f"reason.{claim.reason}"), claim.reason


def test_no_effect_is_said_as_loudly_as_an_effect(company):
    sample = sales_sample(company(3, 2500, beta=0.0), "nps", 1, ["exposure_months"])
    sentence = Words("es").sentence(sales.per_point(sample)[0][0])
    assert sentence.startswith("Aquí la experiencia no añade nada que se pueda medir")


@pytest.mark.parametrize("language", ["es", "en"])
def test_figures_are_drawn_with_their_alternative_text(results, language):
    words, tables = Words(language), results.tables
    figures = [sales_figures.timing(tables["timing"], words), sales_figures.shape(tables["shape"], words),
               sales_figures.naive_vs_adjusted(tables["contrast"], words),
               sales_figures.naive_vs_adjusted(tables["contrast_percent"], words),
               churn_figures.by_score(tables["by_score"], words), churn_figures.windows(tables["windows"], words),
               churn_figures.calibration(tables["calibration"], words)]
    for figure in figures:
        assert base.alternative(figure) and "<svg" in base.svg(figure)


def test_pages_say_every_claim(results):
    """Each claim stands in some sentence of its page, naive ones beside the adjusted."""
    words = Words("es")
    pages = {"sales": sales_page.page(results, words), "churn": churn_page.page(results, words)}
    assert all(isinstance(page, Page) for page in pages.values())
    for key, page in pages.items():
        said = {c for s in page.sections for pattern in (*s.sentences, *s.gathered)
                for c in select_claims(results, pattern)}
        assert {c for c in results.claims if c.claim_id.startswith(key)} == said
        for section in page.sections:
            assert words.has(f"{section.key}.title") and all(words.has(note) for note in section.notes)
        assert all(words.has(key) for key in page.limits)


def test_a_page_without_an_estimate_says_why_once(company):
    words, nothing = Words("es"), made(company(8, 400).assign(revenue_next=float("nan"), is_churned_next=None))
    page = sales_page.page(nothing, words)
    said = [c.claim_id for s in page.sections for pattern in (*s.sentences, *s.gathered)
                for c in select_claims(nothing, pattern)]
    assert said == ["sales.per_point"] and not any(s.figure for s in page.sections)
    churn_sections = {s.key: s for s in churn_page.page(nothing, words).sections}
    assert "churn.fit" not in churn_sections and "churn.by_score" not in churn_sections
