"""Data that hold no answer: the notebooks themselves give the reason and no coefficient, eight kinds of eight."""

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.results import Results, read_results

ROOT = Path(__file__).parents[2]
COUNTED = ("sales.growth.", "sales.repeat_customers_share")  # counts of sales, which need no answer
PER_POINT = ("churn.hazard_ratio_per_point", "churn.absolute_effect_per_point", "churn.cox_check_per_point",
             "churn.naive.ever_logit")
SILENCE = "churn.inactivity.hazard_ratio_per_point"  # made of the orders, which two kinds leave as they are


def run_notebook(name: str, panel: pd.DataFrame, folder: Path, **values) -> Results:
    """The results of the notebook's own cells over this panel, and over the answers and orders that made it."""
    linked = folder / "linked"
    linked.mkdir(parents=True)
    noon = panel["period"] + pd.Timedelta(hours=12)
    answers = panel.assign(responded_at=noon, score=panel["score_nps"])[panel["score_nps"].notna()]
    orders = panel.assign(ordered_at=noon, is_return=False)[panel["revenue"] > 0]
    panel.to_parquet(linked / "customer_periods.parquet", index=False)
    answers[["customer_id", "responded_at", "score"]].to_parquet(linked / "surveys.parquet", index=False)
    orders[["customer_id", "ordered_at", "is_return"]].to_parquet(linked / "sales.parquet", index=False)
    there: dict = {}
    for cell in nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, there)
            if "parameters" in cell.metadata.get("tags", []):
                there |= {"linked": str(linked), "results": str(folder / "results")} | values
    return read_results(folder / "results")


def spoilt(panel: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The panel with one thing wrong, and nothing else."""
    seen, low, known = panel["score_nps"].notna(), panel["potential"] < 7, panel["is_churned_next"].notna()
    if kind == "constant score":
        panel = panel.assign(score_nps=panel["score_nps"].where(~seen, 8.0))
    elif kind == "separation":  # who answers 3 buys nothing more and leaves, who answers 9 buys and stays
        panel = panel.assign(score_nps=np.where(low, 3.0, 9.0), is_churned_next=low.where(known).astype(object),
                             revenue_next=panel["revenue_next"].where(~low, 0.0))
        panel["score_nps"] = panel["score_nps"].where(seen)
    elif kind == "all churned":
        panel = panel.assign(revenue_next=panel["revenue_next"].where(panel["revenue_next"].isna(), 0.0),
                             is_churned_next=known.where(known).astype(object), revenue=0.0)
    elif kind == "none churned":
        panel = panel.assign(is_churned_next=(~known).where(known).astype(object), revenue=1.0)
    elif kind == "net returns":  # everybody sends back more than is bought
        panel = panel.assign(revenue=-panel["revenue"] - 1, revenue_next=-panel["revenue_next"] - 1)
    elif kind == "collinear":  # the answer is the segment's own, the same in all months
        panel = panel.assign(score_nps=panel["segment"].map({"small": 3.0, "middle": 8.0, "large": 10.0}).where(seen))
    elif kind == "one month":
        panel = panel[panel["month"] == 12]
    elif kind == "one customer":
        panel = panel[panel["customer_id"] == panel.loc[seen, "customer_id"].mode()[0]]
    elif kind == "no overlap":  # whoever answers is not seen in the month after
        panel = panel.assign(is_at_risk_next=panel["is_at_risk_next"] & ~seen)
    last = panel["month"].where(panel["score_nps"].notna()).groupby(panel["customer_id"]).ffill()
    return panel.assign(last_nps=panel.groupby("customer_id")["score_nps"].ffill(), age_nps=panel["month"] - last)


CASES = {  # kind of data: the reason of sales.per_point and of churn.hazard_ratio_per_point; None: estimable
    "constant score": ("constant_score", "constant_score"),
    "separation": ("separation", "separation"),
    "all churned": ("no_outcome", "one_class"),
    "none churned": (None, "no_leavers"),
    "net returns": ("net_returns", None),
    "collinear": ("collinear", "collinear"),
    "one month": ("one_month", "one_month"),
    "one customer": ("one_customer", "one_customer"),
    "no overlap": ("no_overlap", "no_overlap"),
}


RULES = {  # the same, as the rule by which nothing is said
    "constant score": "FIT-CONST", "separation": "FIT-SEP", "all churned": "FIT-ONECLASS",
    "none churned": "FIT-ONECLASS", "collinear": "FIT-RANK", "one month": "SET-SPAN", "one customer": "SET-TINY",
    "no overlap": "SET-OVERLAP",
    "net returns": "FIT-ONECLASS",
}


@pytest.mark.parametrize("kind", list(CASES))
def test_the_notebooks_give_the_reason_and_no_coefficient(company, tmp_path, kind):
    """Sales and churn; where nobody left, sales remain estimable, and where all left, nothing was bought."""
    panel = spoilt(company(2, 600), kind)
    for name, claim_id, reason in zip(("03-sales", "04-churn"), ("sales.per_point", "churn.hazard_ratio_per_point"),
                                      CASES[kind], strict=True):
        results = run_notebook(name, panel, tmp_path / name)
        answer = results.claim(claim_id)
        if reason is None:
            assert answer.status == "ok" and answer.ci_low < answer.estimate < answer.ci_high
            continue
        status, day = ("too_early", "2024-04-01") if kind == "one month" else ("not_estimable", "")
        assert (answer.estimate, answer.status, answer.reason) == (None, status, reason)
        assert answer.readable_on == day  # one month of answers, 2024-01, and what follows it; two are needed
        assert answer.rule == RULES[kind]
        resting = [claim for claim in results.claims if claim.claim_id in PER_POINT
                   or (claim.claim_id.startswith("sales.") and not claim.claim_id.startswith(COUNTED))
                   or (claim.claim_id == SILENCE and kind not in ("separation", "no overlap"))]
        assert len(resting) >= 3
        assert [(c.claim_id, c.segment, c.estimate) for c in resting if c.estimate is not None] == []
        assert all(claim.reason for claim in resting)


def test_more_refunds_than_sales_are_told_as_such(company, tmp_path):
    """Retention, growth, revenue at risk and the worth of a conversion: none has a base, and none says `no sales`."""
    panel = spoilt(company(2, 600), "net returns")
    found = [claim for name in ("03-sales", "04-churn") for claim in run_notebook(name, panel, tmp_path / name).claims]
    based = [c for c in found if c.claim_id.startswith(("churn.retention.net", "churn.retention.gross", "sales.growth",
                                                        "churn.revenue_at_risk", "sales.conversion_value"))]
    based = [claim for claim in based if not claim.segment.startswith("segment:")]  # this company has none of these
    assert len(based) >= 5 and {(claim.estimate, claim.reason) for claim in based} == {(None, "net_returns")}


def test_an_adjuster_that_is_the_score_under_another_name_is_no_adjuster(company, tmp_path):
    """Nothing tells their effects apart: neither may be credited with both."""
    panel = company(2, 600)
    panel = panel.assign(mood=panel["score_nps"] * 2 - 3)
    for name, claim_id in (("03-sales", "sales.per_point"), ("04-churn", "churn.hazard_ratio_per_point")):
        answer = run_notebook(name, panel, tmp_path / name, covariates=["mood"]).claim(claim_id)
        assert (answer.estimate, answer.reason) == (None, "collinear")
