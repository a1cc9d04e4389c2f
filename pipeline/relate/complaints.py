"""Experience and what customers do next: fewer complaints and contacts, and more recommendations?

The panel model of sales on counts of month t+1: tickets opened, and customers won whom this one recommended. Claims:
sales.complaints.per_point, sales.contacts.per_point, sales.referrals.per_point (percent). Associated at most: who has
just complained may complain again of the same matter, and who has just recommended the company says so when asked.

A complaint lowers the answers that follow it. Among the months of one customer these then lie above in the months
before it, and the model would read that as "higher answer, complaint next": +2 % per point where there is nothing. So
what the customer did in the month of the answer and the two before stands beside the score (OWN_MONTHS).
"""

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.relate.estimate import NotEstimable, claim, no_claim
from pipeline.relate.sample import SalesSample, fit_sales

METHOD = "ppml"
OUTCOMES = {"sales.complaints.per_point": "count_complaints", "sales.contacts.per_point": "count_tickets",
            "sales.referrals.per_point": "count_referrals"}
FEWEST = 60  # complaints, tickets or recommendations: fewer leave errors of .2 and more in logarithms
OWN_MONTHS = 3  # the month of the answer and those before it in which the same count is held fixed
OF_REGISTER = ("segment", "branch", "is_churned_next")


def complaint_claims(sample: SalesSample, periods: pd.DataFrame) -> list[Claim]:
    """Percent change of next month's complaints, tickets and recommendations per point, same customers and months as
    the sales, the same count of the months up to the answer held fixed.

    periods: customer_periods, with count_complaints and count_tickets where tickets were exported, count_referrals
    where the register says who recommended whom. Not estimable without them (no_tickets, no_complaint_mark,
    no_referrals, no_register), nor where none follows an answer (no_complaints_after, no_tickets_after,
    no_referrals_after); not_enough_data with fewer than FEWEST of them (few_counted).
    """
    made = []
    for claim_id, column in OUTCOMES.items():
        try:
            if sample.problem and sample.problem.status != "too_early":
                raise sample.problem
            if column not in periods or periods[column].isna().all():  # no time brings what is not exported
                raise NotEstimable(_lacking(periods, column), len(sample.rows))
            if sample.problem:
                raise sample.problem
            own = {f"own_{back}": np.nan_to_num(in_month(sample.rows, periods, column, -back))
                   for back in range(OWN_MONTHS)}  # months before the data, or before the customer: none known of
            rows = sample.rows.assign(counted=in_month(sample.rows, periods, column, 1), **own)
            fit = fit_sales(sample, ["score"], "counted", rows, list(own))
            happened = int(fit.fitted.sum() + 0.5)  # a Poisson fit adds up to what it was fitted to
            if happened < FEWEST:
                raise NotEstimable("few_counted", fit.n_in, happened, "not_enough_data")
            made.append(claim(claim_id, fit["score"], "percent", METHOD, transform="percent",
                              comparisons=len(OUTCOMES)))
        except NotEstimable as why:
            if why.reason == "no_outcome" and sample.problem is None:  # it is not sales that are missing
                why = NotEstimable(f"no_{column.removeprefix('count_')}_after", why.n_in, why.n_used, why.status)
            made.append(no_claim(claim_id, why, "percent", METHOD))
    return made


def in_month(rows: pd.DataFrame, periods: pd.DataFrame, column: str, later: int) -> np.ndarray:
    """(rows,) the column of the same customer `later` months after the row's (0: its own, below: before); missing where
    the panel has none.

    rows: customer (code, by the panel's order of customer_id) and month (index) as sales_sample makes them.
    """
    frame = periods.sort_values(["customer_id", "period"], kind="stable")
    period = pd.DatetimeIndex(frame["period"])
    found = pd.Series(pd.to_numeric(frame[column], errors="coerce").to_numpy(float), pd.MultiIndex.from_arrays(
        [pd.factorize(frame["customer_id"])[0], period.year * 12 + period.month - 1 - later]))
    return found.reindex(pd.MultiIndex.from_frame(rows[["customer", "month"]])).to_numpy()


def _has_register(periods: pd.DataFrame) -> bool:
    """Whether anything is known of customers that only a register of them tells."""
    return any(name in periods and bool(periods[name].notna().any()) for name in OF_REGISTER)


def _lacking(periods: pd.DataFrame, column: str) -> str:
    if column == "count_referrals":
        return "no_referrals" if _has_register(periods) else "no_register"
    has_tickets = "count_tickets" in periods and periods["count_tickets"].notna().any()
    return "no_complaint_mark" if has_tickets else "no_tickets"
