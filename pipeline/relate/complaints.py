"""Experience and complaints: does a better answer go with fewer complaints, and fewer contacts, in the next month?

The panel model of sales on counts of the tickets opened in month t+1. Claims: sales.complaints.per_point,
sales.contacts.per_point (percent). Associated at most: who has just complained may complain again of the same matter.
"""

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.relate.estimate import NotEstimable, claim, no_claim
from pipeline.relate.sample import SalesSample, fit_sales

METHOD = "ppml"
OUTCOMES = {"sales.complaints.per_point": "count_complaints", "sales.contacts.per_point": "count_tickets"}


def complaint_claims(sample: SalesSample, periods: pd.DataFrame) -> list[Claim]:
    """Percent change of next month's complaints and tickets per point, same customers and months as the sales.

    periods: customer_periods, with count_complaints and count_tickets where tickets were exported. Not estimable
    without them (no_tickets, no_complaint_mark).
    """
    made = []
    for claim_id, column in OUTCOMES.items():
        try:
            if sample.problem:
                raise sample.problem
            if column not in periods or periods[column].isna().all():
                raise NotEstimable("no_complaint_mark" if _has_tickets(periods) else "no_tickets", len(sample.rows))
            rows = sample.rows.assign(opened=in_next_month(sample.rows, periods, column))
            fit = fit_sales(sample, ["score"], "opened", rows)
            made.append(claim(claim_id, fit["score"], "percent", METHOD, transform="percent",
                              comparisons=len(OUTCOMES)))
        except NotEstimable as why:
            made.append(no_claim(claim_id, why, "percent", METHOD))
    return made


def in_next_month(rows: pd.DataFrame, periods: pd.DataFrame, column: str) -> np.ndarray:
    """(rows,) the column of the same customer in the month after the row's; missing where the panel has none.

    rows: customer (code, by the panel's order of customer_id) and month (index) as sales_sample makes them.
    """
    frame = periods.sort_values(["customer_id", "period"], kind="stable")
    period = pd.DatetimeIndex(frame["period"])
    later = pd.Series(pd.to_numeric(frame[column], errors="coerce").to_numpy(float), pd.MultiIndex.from_arrays(
        [pd.factorize(frame["customer_id"])[0], period.year * 12 + period.month - 2]))
    return later.reindex(pd.MultiIndex.from_frame(rows[["customer", "month"]])).to_numpy()


def _has_tickets(periods: pd.DataFrame) -> bool:
    return "count_tickets" in periods and bool(periods["count_tickets"].notna().any())
