"""Retention by hand on a cohort of few customers, and its error against resampling."""

import numpy as np
import pandas as pd
import pytest

from pipeline.relate.retention import Cohort, cohort_of, retention_claims


def panel(customers):
    """customers: name -> (segment, first month, last month, sales by month of 0..7)."""
    rows = []
    for name, (segment, first, last, sales) in customers.items():
        rows += [{"customer_id": name, "period": pd.Timestamp(2025, 1 + m, 1), "segment": segment, "is_active": True,
                  "revenue": float(sales[m]), "is_churned_next": m + 1 == last if last < 8 else False}
                 for m in range(first, min(last, 7) + 1)]
    return pd.DataFrame(rows)


def test_net_gross_and_logo_by_hand():
    """Eight months: two spans of four. Steady 40 -> 40, grown 20 -> 60, shrunk 40 -> 10, gone in the
    first month of the later span 20 -> 5.

    Net (40 + 60 + 10 + 5) / 120, gross (40 + 20 + 10 + 5) / 120, logo 1 / 4; each held ten times over.
    """
    kinds = {"steady": ("a", 0, 9, [10] * 8), "grown": ("a", 0, 9, [5] * 4 + [15] * 4),
             "shrunk": ("b", 0, 9, [10] * 4 + [0, 0, 0, 10]), "gone": ("b", 0, 4, [5] * 4 + [5, 0, 0, 0]),
             "new": ("a", 2, 9, [100] * 8), "gone before": ("a", 0, 2, [100] * 8)}
    many = panel({f"{name}{k}": kind for name, kind in kinds.items() for k in range(10)})
    cohort = cohort_of(many)
    assert (cohort.months, cohort.period, len(cohort.rows)) == (4, "2025-05/2025-08", 40)
    made = {(c.claim_id.rpartition(".")[2], c.segment): c for c in retention_claims(cohort, ["b", "z"])}
    assert made["net", "all"].estimate == pytest.approx(115 / 120)
    assert made["gross", "all"].estimate == pytest.approx(75 / 120)
    assert made["logo_churn", "all"].estimate == 0.25
    assert made["net", "segment:b"].estimate == pytest.approx(15 / 60)
    assert made["logo_churn", "segment:b"].estimate == 0.5
    assert made["net", "segment:z"].status == "not_estimable"
    for name in ("net", "gross", "logo_churn"):
        assert made[name, "all"].ci_low < made[name, "all"].estimate < made[name, "all"].ci_high


def test_nobody_left_is_no_certainty():
    """Of 40 customers none left: Wilson's interval still reaches 8.8 %."""
    steady = panel({f"c{k}": ("a", 0, 9, [10] * 8) for k in range(40)})
    logo = retention_claims(cohort_of(steady), [])[2]
    assert (logo.estimate, logo.ci_low) == (0, 0) and logo.ci_high == pytest.approx(0.0876, abs=1e-4)


def test_small_segments_are_not_shown():
    few = panel({f"c{k}": ("a" if k else "b", 0, 9, [10] * 8) for k in range(12)})
    statuses = {c.segment: c.status for c in retention_claims(cohort_of(few), ["b"])}
    assert statuses == {"all": "ok", "segment:b": "suppressed"}


def test_error_agrees_with_resampling_customers(company):
    cohort = cohort_of(company(8, 600))
    rng, rows = np.random.default_rng(0), cohort.rows
    net = retention_claims(cohort, [])[0]
    drawn = rng.integers(0, len(rows), (2000, len(rows)))
    before, after = rows["before"].to_numpy(), rows["after"].to_numpy()
    assert (net.ci_high - net.ci_low) / 3.92 == pytest.approx(
        np.std(after[drawn].sum(axis=1) / before[drawn].sum(axis=1)), rel=0.06)


def test_gross_retention_has_the_interval_of_leaving_customers_out_about_its_logit(company):
    """Literally: each of 200 customers left out in turn, se of their ratios, and t of 199 degrees on the logit."""
    rows = cohort_of(company(8, 600)).rows.iloc[:200]
    gross = retention_claims(Cohort(rows, 12, "all"), [])[1]
    kept, before = np.minimum(rows["after"], rows["before"]).to_numpy(), rows["before"].to_numpy()
    without = np.array([np.delete(kept, k).sum() / np.delete(before, k).sum() for k in range(200)])
    se = np.sqrt(199 / 200 * np.sum((without - gross.estimate) ** 2))
    half = 1.97196 * se / (gross.estimate * (1 - gross.estimate))
    for end, sign in ((gross.ci_low, -1), (gross.ci_high, 1)):
        assert np.log(end / (1 - end)) == pytest.approx(np.log(gross.estimate / (1 - gross.estimate)) + sign * half)


def test_of_a_small_segment_too_the_interval_of_gross_retention_holds_the_truth(company):
    """Cohorts of 60 customers of a company of 4,000. About the share itself, less than 93 in 100 hold it."""
    rows = cohort_of(company(8, 4000)).rows
    rng, held = np.random.default_rng(4), 0
    truth = np.minimum(rows["after"], rows["before"]).sum() / rows["before"].sum()
    for _ in range(1000):
        gross = retention_claims(Cohort(rows.iloc[rng.integers(0, len(rows), 60)], 12, "all"), [])[1]
        held += gross.ci_low <= truth <= gross.ci_high
    assert 0.93 <= held / 1000 <= 0.97


def test_what_is_missing_is_said(company):
    base = company(8, 60)
    reasons = [cohort_of(frame).problem.reason for frame in (
        pd.DataFrame(), base.assign(revenue=np.nan), base[base["month"] < 5])]
    assert reasons == ["no_sales_by_customer", "no_sales_by_customer", "few_months"]
    undated = cohort_of(base.assign(is_churned_next=None))
    no_dates = {c.claim_id: c for c in retention_claims(undated, [])}
    kept = undated.rows["after"].sum() / undated.rows["before"].sum()  # net retention needs sales alone, no end dates
    assert no_dates["churn.retention.net"].estimate == pytest.approx(kept)
    assert no_dates["churn.retention.logo_churn"].reason == "not_contractual"
