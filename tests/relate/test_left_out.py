"""A declared covariate that no model uses is named with its reason, by the notebooks and on their pages."""

import pandas as pd
import pytest

from pipeline.relate import left_out
from pipeline.report.page import select_claims
from pipeline.report.pages import churn as churn_page
from pipeline.report.pages import sales as sales_page
from pipeline.report.words import Words
from tests.relate.test_not_estimable import run_notebook, spoilt

DECLARED = ["exposure_months", "region", "unknown", "segment", "clock"]


def odd(panel: pd.DataFrame) -> pd.DataFrame:
    """region is one and the same; unknown is empty; segment never changes within a customer; clock is the month."""
    return panel.assign(region="north", unknown=None, clock=panel["month"] * 1.0)


def found(results, start: str) -> dict[str, str]:
    return {c.segment.partition(":")[2]: c.reason for c in results.claims if c.claim_id == f"{start}.left_out"}


@pytest.mark.parametrize(("name", "start", "reasons"), [
    ("03-sales", "sales", {"region": "one_level", "unknown": "not_in_data", "segment": "in_customer_effect",
                           "clock": "absorbed"}),
    ("04-churn", "churn", {"region": "one_level", "unknown": "not_in_data", "clock": "absorbed"})])
def test_a_covariate_that_does_not_enter_is_named_with_its_reason(company, tmp_path, name, start, reasons):
    results = run_notebook(name, odd(company(2, 600)), tmp_path, covariates=DECLARED)
    assert found(results, start) == reasons
    page = {"sales": sales_page, "churn": churn_page}[start].page(results, Words("en"))
    said = [Words("en").sentence(c) for s in page.sections for p in s.sentences for c in select_claims(results, p)]
    assert "“region” is declared but not held fixed" in " ".join(said)
    assert all(claim.estimate is None for claim in results.claims if claim.claim_id == f"{start}.left_out")


def test_with_silence_for_leaving_it_is_said_of_that_model(company, tmp_path):
    panel = odd(company(2, 600)).assign(is_churned_next=None)
    results = run_notebook("04-churn", panel, tmp_path, covariates=["segment", "region"])
    assert results.claim("churn.hazard_ratio_per_point").estimate is None
    assert found(results, "churn") == {"region": "one_level"}


def test_without_a_model_nothing_is_said_of_what_it_uses(company, tmp_path):
    panel = odd(spoilt(company(2, 600), "constant score"))
    for name, start in (("03-sales", "sales"), ("04-churn", "churn")):
        assert found(run_notebook(name, panel, tmp_path / name, covariates=DECLARED), start) == {}


def test_all_that_enters_is_not_named(company, tmp_path):
    panel = company(2, 600)
    assert found(run_notebook("03-sales", panel, tmp_path / "s", covariates=["exposure_months"]), "sales") == {}
    assert found(run_notebook("04-churn", panel, tmp_path / "c", covariates=["segment", "value_band"]), "churn") == {}


@pytest.mark.parametrize(("language", "said"), [("es", "«Segmento» está declarado"), ("en", "“Segment” is declared")])
def test_columns_are_named_in_the_readers_language(language, said):
    claims = left_out.left_out_claims("churn", {"segment": "one_level"}, {}, pd.DataFrame({"name": ["score"]}))
    assert said in Words(language).sentence(claims[0])
