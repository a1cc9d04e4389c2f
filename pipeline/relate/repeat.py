"""Customers who came back: the one sales figure that needs neither answers nor a panel.

Claim: sales.repeat_customers_share (share of customers who bought on more than one day), described.
"""

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.proportions import wilson
from pipeline.relate.estimate import NotEstimable, no_claim

CLAIM, METHOD = "sales.repeat_customers_share", "wilson"


def repeat_customers(orders: pd.DataFrame, time_zone: str, suppress_below: int = 10) -> Claim:
    """Share of buying customers with orders on two or more days of the company's calendar, Wilson interval.

    orders: customer_id, ordered_at (UTC), is_return; returns and sales without customer or time do not count.
    Rows are customers: n_in counts all that the sales name. Not estimable without dates; suppressed below
    `suppress_below` customers. A customer of the last weeks had little time to come back: the share
    describes these data, not a chance.
    """
    if not {"customer_id", "ordered_at"} <= set(orders):
        return no_claim(CLAIM, NotEstimable("no_sales", 0), "share", METHOD, level="described")
    bought = int(orders["customer_id"].nunique())
    kept = orders[orders["customer_id"].notna() & orders["ordered_at"].notna()]
    if "is_return" in kept:
        kept = kept[~kept["is_return"].astype("boolean").fillna(False)]
    if kept.empty:
        return no_claim(CLAIM, NotEstimable("no_dated_sales", bought), "share", METHOD, level="described")
    day = kept["ordered_at"].dt.tz_localize("UTC").dt.tz_convert(time_zone).dt.date
    days = day.groupby(kept["customer_id"]).nunique()
    if len(days) < suppress_below:
        return no_claim(CLAIM, NotEstimable("few_customers", bought, len(days), "suppressed"), "share", METHOD,
                        level="described")
    back = int((days > 1).sum())
    low, high = wilson(back, len(days))
    return Claim(CLAIM, back / len(days), "share", len(days), METHOD, ci_low=float(low), ci_high=float(high),
                 n_in=bought)
