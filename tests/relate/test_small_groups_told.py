"""Small groups are said to be hidden, never left out, and what is missing is called by its name."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.contracts.claims import Claim
from pipeline.relate import at_risk, churn, prediction
from pipeline.relate.complaints import complaint_claims
from pipeline.relate.growth import growth_claims
from pipeline.relate.retention import cohort_of, retention_claims
from pipeline.relate.sample import population_table, sales_sample
from pipeline.report.disclosure import FLAG, protect_claims, protect_table


def today(**groups: int) -> churn.ChurnSample:
    """One hazard for all (1 of 5 leaves a month); today so many customers of each last answer, 50 a month each."""
    n, months = 400, 10
    rng = np.random.default_rng(1)
    left = np.column_stack([rng.permutation(np.tile([1, 0, 0, 0, 0.0], n // 5)) for _ in range(months)]).ravel()
    rows = pd.DataFrame({"customer": np.repeat(np.arange(n), months), "month": np.tile(np.arange(months), n),
                         "score": np.tile([3.0, 9.0], n * months // 2), "left": left})
    score = np.repeat([3.0, 8.0, 9.0, np.nan], [groups.get(name, 0) for name in at_risk.GROUPS])
    latest = pd.DataFrame({"customer": np.arange(len(score)), "month": months, "score": score, "value": 50.0})
    return churn.ChurnSample(rows, rows, n, [], [], None, latest=latest)


def by_answer(claims: list[Claim]) -> dict[str, str]:
    return {c.segment.partition(":")[2]: c.status for c in claims if c.segment.startswith("answer:")}


@pytest.mark.parametrize(("groups", "hidden"), [
    ({"detractor": 20, "promoter": 6}, {"detractor", "promoter"}),  # 26 less 20 are 6
    ({"detractor": 20, "passive": 3, "promoter": 3, "no_recent_answer": 40}, {"detractor", "passive", "promoter"}),
    ({"detractor": 20, "promoter": 10}, set()),
])
def test_a_part_of_the_revenue_at_risk_is_not_found_by_subtraction(groups, hidden):
    made = at_risk.revenue_at_risk(today(**groups), 3, "EUR", (6, 9))
    assert by_answer(made).keys() == groups.keys()
    assert {name for name, status in by_answer(made).items() if status == "suppressed"} == hidden
    assert by_answer(protect_claims(made, 10)) == by_answer(made)
    assert all(c.n_used == 0 and c.reason == "small_group" for c in made if c.status == "suppressed")
    assert {c.level for c in made if c.segment.startswith(("answer:", "months:"))} == {"forecast"}  # withheld or not


def test_where_everybody_has_left_nobody_is_at_risk():
    made = at_risk.revenue_at_risk(today(), 3, "EUR", (6, 9))
    assert [(c.estimate, c.reason) for c in made] == [(None, "nobody_left")]


def months_of(answers: dict[str, float | None], segment: str | None = "home") -> pd.DataFrame:
    """Eight months: each customer spends 10 a month in the first four and 12 in the others; answers in the third."""
    return pd.DataFrame([{"customer_id": name, "period": pd.Timestamp(2025, 1 + month, 1), "segment": segment,
                          "is_active": True, "revenue": 10.0 + 2 * (month > 3) + int(name[1:]) % 2 * 0.1,
                          "is_churned_next": False, "last_nps": score if month > 1 else np.nan,
                          "age_nps": float(month - 2)} for name, score in answers.items() for month in range(8)])


def test_a_part_of_the_growth_is_not_found_by_subtraction():
    """Five detractors are few: the next smallest, the promoters, go with them, and with these their share."""
    score = [9.0] * 20 + [3.0] * 5 + [8.0] * 30
    made = growth_claims(months_of({f"c{i}": value for i, value in enumerate(score)}), "nps", (6, 9))
    assert by_answer(made) == {"promoter": "suppressed", "passive": "ok", "detractor": "suppressed"}
    assert [(c.n_used, c.people) for c in made if c.segment == "answer:passive"] == [(30, 30)]  # not all
    assert {c.level for c in made} == {"described"}
    share = next(c for c in made if c.claim_id == "sales.growth.share_of_promoters")
    assert (share.estimate, share.status, share.reason) == (None, "suppressed", "small_group")


def test_without_segments_retention_does_not_speak_of_few_customers():
    people = {f"c{i}": None for i in range(20)}
    made = retention_claims(cohort_of(months_of(people, None)), ["home"])
    assert {c.reason for c in made if c.segment == "segment:home"} == {"no_segments"}
    made = retention_claims(cohort_of(months_of(people, "firm")), ["home"])
    assert {c.reason for c in made if c.segment == "segment:home"} == {"few_customers"}


def test_recommendations_and_tickets_that_nobody_made_are_no_missing_sales(company):
    panel = company(2, 400).assign(count_tickets=0.0, count_complaints=0.0, count_referrals=0.0)
    made = complaint_claims(sales_sample(panel, "nps", 1, []), panel)
    assert [c.reason for c in made] == ["no_complaints_after", "no_tickets_after", "no_referrals_after"]


def test_without_a_register_the_register_says_nothing(company):
    panel = company(2, 400)
    bare = panel.drop(columns=["segment"]).assign(is_churned_next=None)
    reasons = [complaint_claims(sales_sample(panel, "nps", 1, []), frame)[2].reason for frame in (panel, bare)]
    assert reasons == ["no_referrals", "no_register"]


def test_a_score_that_is_another_variable_adds_nothing_that_could_be_told(company):
    panel = company(2, 600).copy()
    panel["score_nps"] = panel["segment"].map({"small": 3.0, "middle": 8.0, "large": 10.0}).where(
        panel["score_nps"].notna())
    panel["last_nps"] = panel.groupby("customer_id")["score_nps"].ffill()
    sample = churn.churn_sample(panel, "nps", 3, ["segment"])
    foretold = prediction.foretell(sample)
    made = {c.claim_id: c for c in prediction.prediction_claims(foretold, sample)}
    gone, stayed = (foretold.rows.loc[foretold.rows["left"] == left, "hazard"] for left in (1, 0))
    area = stats.mannwhitneyu(gone, stayed).statistic / (len(gone) * len(stayed))
    assert made["churn.prediction.auc"].estimate == pytest.approx(area, rel=1e-9)  # the model as a whole still ranks
    told = made["churn.prediction.auc.added_by_score"]
    assert (told.estimate, told.status, told.reason) == (None, "not_estimable", "collinear")


def test_a_share_of_the_sample_made_of_few_customers_is_hidden_with_another(company):
    panel = company(2, 400).copy()
    few = np.sort(panel["customer_id"].unique())[:6]
    panel["segment"] = np.where(panel["customer_id"].isin(few), "rare", panel["segment"])
    table = population_table(sales_sample(panel, "nps", 1, []), "EUR")
    protected = protect_table(table, 10).set_index("segment")
    assert protected.loc["segment:rare", ["sample", "population"]].isna().all()
    assert protected.loc[protected.index.str.startswith("segment:"), FLAG].sum() == 2
    assert protected.loc[~protected.index.str.startswith("segment:"), "sample"].notna().all()


def test_tables_and_claims_of_the_panel_count_the_customers_behind_their_rows():
    """Counted by hand: answer 3 by customers 0 and 1 (three months), answer 9 by customers 1, 2 and 3 (five)."""
    rows = pd.DataFrame({"customer": [0, 0, 1, 1, 2, 2, 3, 3], "month": [1, 2, 1, 2, 1, 2, 1, 2],
                         "score": [3.0, 3, 3, 9, 9, 9, 9, 9], "left": [0.0, 0, 1, 0, 0, 1, 0, 0]})
    table = churn.score_table(churn.ChurnSample(rows, rows, 4, [], [], pd.DataFrame()))
    assert table[["score", "n", "people"]].values.tolist() == [[3, 3, 2], [9, 5, 3]]
    rate = churn.monthly_rates(churn.ChurnSample(rows, rows, 4, [], [], pd.DataFrame()), [], suppress_below=4)[0]
    assert (rate.n_used, rate.people) == (8, 4)
    told = prediction.Foretold(rows.assign(hazard=[.1, .1, .1, .1, .2, .2, .2, .2]), 0.2)
    assert prediction.out_of_time_table(told, groups=2)[["n", "people"]].values.tolist() == [[4, 2], [4, 2]]


def test_the_groups_of_the_calibration_count_customers():
    """400 customers, ten months each; half answer 3 every month, the others 9. One group holds them all."""
    sample = today()
    sample = replace(sample, rows=sample.rows.assign(score=np.repeat([3.0, 9.0], 2000)))
    assert churn.calibration(sample, groups=1)[["n", "people"]].values.tolist() == [[4000, 400]]
