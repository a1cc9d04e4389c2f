"""Where only time is missing the claim says from when on it can be read; dates counted by hand."""

import pandas as pd

from pipeline.relate import churn, complaints, inactivity, prediction, retention, sales, staleness
from pipeline.relate.sample import sales_sample
from pipeline.relate.timing import timing_of

UNKNOWN = pd.DataFrame({"is_churned": pd.array([pd.NA, pd.NA], "boolean")})  # totals where no end date is mapped
DATED = pd.DataFrame({"ended_at": pd.to_datetime(["2022-06-01", None])})


def first_months(panel: pd.DataFrame, months: int) -> pd.DataFrame:
    """The panel as it would have been when the data held its first months only (the company begins in 2023-01)."""
    panel = panel[panel["month"] < months]
    is_last = panel["month"] == months - 1
    ahead = [name for name in panel if name.endswith("_next") and name != "is_at_risk_next"]
    return panel.assign(**{name: panel[name].where(~is_last) for name in ahead},
                        is_at_risk_next=panel["is_at_risk_next"] & ~is_last)


def test_of_one_month_the_rate_is_readable_after_the_second_and_the_hazard_after_the_third(company):
    panel = first_months(company(2, 400), 1)
    sample = churn.explained(churn.churn_sample(panel, "nps", 1, []), panel, DATED, pd.DataFrame())
    rate, (hazard, _) = churn.monthly_rates(sample, [])[0], churn.hazard_claims(sample)
    assert [(c.status, c.readable_on, c.reason) for c in (rate, hazard)] == [
        ("too_early", "2023-03-01", "one_month"), ("too_early", "2023-04-01", "one_month")]
    undated = churn.explained(churn.churn_sample(panel, "nps", 1, []), panel, DATED.assign(ended_at=None), UNKNOWN)
    assert undated.problem.reason == "not_contractual"
    answer = sales.per_point(sales_sample(panel, "nps", 1, []))[0][0]
    assert (answer.status, answer.readable_on) == ("too_early", "2023-04-01")


def test_of_one_month_in_which_nobody_left_only_time_is_missing(company):
    panel = first_months(company(2, 400), 2)
    stays = panel.assign(is_churned_next=panel["is_churned_next"].where(panel["is_churned_next"].isna(), False))
    hazard = churn.hazard_claims(churn.churn_sample(stays, "nps", 1, []))[0]
    assert (hazard.status, hazard.reason, hazard.readable_on) == ("too_early", "one_month", "2023-04-01")


def test_an_end_date_that_is_mapped_and_empty_says_that_nobody_left_yet(company):
    """DECISIONS 31: the register holds no end and no label, yet the totals know that nobody left."""
    panel = first_months(company(2, 400), 1)
    register, known = DATED.assign(ended_at=None, is_churned=None), UNKNOWN.assign(is_churned=[False, False])
    plain = churn.churn_sample(panel, "nps", 1, [])
    sample = churn.explained(plain, panel, register, known)
    assert (sample.problem.reason, sample.problem.readable_on) == ("one_month", "2023-03-01")
    assert churn.naive_churn(sample, known.assign(score_nps=[3.0, 9.0]), "nps").status == "too_early"
    labelled = register.assign(is_churned=[True, False])  # a label without dates stays one
    assert churn.explained(plain, panel, labelled, known).problem.reason == "not_contractual"


def test_lags_that_the_data_do_not_reach_have_their_date(company):
    """Eight months from 2023-01: two months of sales a year after the first answers are over at the end of 2024-02."""
    panel = first_months(company(5, 1500), 8)
    lags = {c.segment: c for c in timing_of(sales_sample(panel, "nps", 1, [])).claims() if c.claim_id == "sales.lag"}
    assert (lags["months:12"].status, lags["months:12"].readable_on) == ("too_early", "2024-03-01")
    assert lags["months:2"].status == "ok" and lags["months:2"].n_in >= lags["months:2"].n_used
    whole = timing_of(sales_sample(company(5, 1500), "nps", 1, [])).claims()
    assert {c.status for c in whole if c.claim_id == "sales.lag"} == {"ok"}


def test_checks_and_ages_that_the_data_do_not_reach_have_their_date(company):
    """Three months from 2023-01: answers six months apart, and the sales after them, are over with 2023-08; two months
    of sales on answers four and five months old with 2023-06."""
    panel = first_months(company(5, 1500), 3)
    sample = sales_sample(panel, "nps", 1, [])
    assert sales.per_point(sample)[0][0].status == "ok"
    checks = [c for c in timing_of(sample).claims() if c.claim_id.endswith("_check")]
    assert [(c.status, c.reason, c.readable_on) for c in checks] == [("too_early", "few_months", "2023-09-01")] * 2
    lost = staleness.stale_score(panel, "nps", [])[0]
    assert (lost.status, lost.readable_on) == ("too_early", "2023-07-01")


def test_no_date_is_promised_to_what_was_never_exported(company):
    panel = first_months(company(2, 400), 1).drop(columns=["count_tickets", "count_complaints", "count_referrals"],
                                                  errors="ignore")
    sample = sales_sample(panel, "nps", 1, [])
    assert sample.problem.status == "too_early"
    reasons = [c.reason for c in complaints.complaint_claims(sample, panel)]
    assert reasons == ["no_tickets", "no_tickets", "no_referrals"]


def test_spans_that_are_not_over_have_their_date(company):
    """Two quarters of sales from 2023-01 are over with 2023-06; six months of leaving after the first with 2023-07."""
    panel = first_months(company(2, 400), 5)
    assert {(c.status, c.readable_on) for c in retention.retention_claims(retention.cohort_of(panel), [])} == {
        ("too_early", "2023-07-01")}
    foretold = prediction.foretell(churn.churn_sample(panel, "nps", 3, []))
    assert (foretold.problem.status, foretold.problem.readable_on) == ("too_early", "2023-08-01")
    two_way = sales.per_point(sales_sample(panel, "nps", 1, []))[0][2]
    assert (two_way.status, two_way.readable_on) == ("too_early", "2023-12-01")  # ten months of sales from 2023-02


def test_a_window_that_is_not_over_has_its_date():
    """Who bought by the end of January is silent for 90 days on 1 May (2025-01-31 and 90 days)."""
    days = pd.DataFrame({"customer_id": ["a", "b"], "day": pd.to_datetime(["2025-01-03", "2025-02-20"])})
    silent = inactivity.silence_sample(days, pd.DataFrame(), "nps", 1, 90, pd.Timestamp("2025-02-28"), [])
    rate = inactivity.silence_claims(silent, 90)[0]
    assert (rate.status, rate.reason, rate.readable_on) == ("too_early", "window_too_long", "2025-05-02")


def test_nobody_left_is_said_as_such(company):
    panel = company(8, 400).assign(is_churned_next=False)
    assert {c.reason for c in churn.hazard_claims(churn.churn_sample(panel, "nps", 1, []))} == {"no_leavers"}
