"""Where one customer makes most of the sales, a reason stands in place of a figure; elsewhere the figure stays."""

import numpy as np
import pandas as pd
import pytest

from pipeline.relate import at_risk, churn
from pipeline.relate.growth import growth_claims
from pipeline.relate.retention import Cohort, cohort_of, retention_claims
from pipeline.report.words import Words


def months_of(first, later=10.0):
    """Twenty customers over eight months: one buys `first` a month, then `later`, all others 10."""
    return pd.DataFrame([{"customer_id": f"c{k:02d}", "period": pd.Timestamp(2025, 1 + m, 1), "is_active": True,
                          "revenue": 10.0 + m * (k % 3) if k else float(first if m < 4 else later)}
                         for k in range(20) for m in range(8)])


@pytest.mark.parametrize(("first", "later", "is_told"), [(40, 40, True), (200, 10, False), (10, 200, False)])
def test_growth_of_one_customer_is_no_growth(first, later, is_told):
    made = growth_claims(months_of(first, later), "nps", (6, 9))
    assert (made[0].estimate is not None) == is_told
    if not is_told:
        assert [(c.claim_id, c.reason) for c in made] == [("sales.growth.existing_customers", "one_dominates")]
        assert "un solo cliente" in Words("es").sentence(made[0]) and "one customer" in Words("en").sentence(made[0])


def test_retention_of_one_customer_is_no_retention():
    reasons = [[c.reason for c in retention_claims(cohort_of(months_of(first)), [])][:2] for first in (40, 900)]
    assert reasons == [["", ""], ["one_dominates", "one_dominates"]]
    rows = pd.DataFrame({"before": np.ones(20), "after": np.ones(20), "gone": 0.0})
    assert retention_claims(Cohort(rows, 12, "all"), [])[0].estimate == 1


def test_refunds_that_outweigh_sales_are_no_sales_at_risk():
    rows = pd.DataFrame({"customer": np.arange(40), "month": 1, "score": 5.0, "left": 0.0})
    latest = rows.assign(value=[10.0] * 39 + [-500.0])
    sample = churn.ChurnSample(rows, rows, 40, [], [], None, latest=latest)
    assert [c.reason for c in at_risk.revenue_at_risk(sample, 12, "EUR", (6, 9))] == ["net_returns"]


def test_sales_at_risk_look_ahead():
    names = (("en", "Months ahead", "Months before"), ("es", "Meses por delante", "Meses antes"))
    for language, ahead, before in names:
        words = Words(language)
        assert words.segment("months:12", "churn.revenue_at_risk")[0] == ahead
        assert words.segment("months:12", "sales.lag")[0] == before
