"""How fast an answer goes stale: what a point tells of next month's sales, by the answer's age.

Claims: sales.stale_score.fresh (percent per point for an answer of the month before), sales.stale_score.per_month_older
(change of that, in percent, with each month of age).
"""

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.relate.estimate import NotEstimable, claim, no_claim
from pipeline.relate.sample import fit_sales, sales_sample

METHOD = "ppml_age"
OLDEST = 6  # months
IDS = ("sales.stale_score.fresh", "sales.stale_score.per_month_older")


def stale_score(periods: pd.DataFrame, instrument: str, covariates: list[str],
                problem: NotEstimable | None = None) -> list[Claim]:
    """Both claims, from the last answer up to OLDEST months old: score, score x age, and age itself in the model."""
    try:
        if problem:
            raise problem
        sample = sales_sample(periods, instrument, OLDEST, covariates)
        if sample.problem:
            raise sample.problem
        older = sample.rows["age"] - 1
        rows = sample.rows.assign(older=older, by_age=(sample.rows["score"] - sample.rows["score"].mean()) * older)
        fit = fit_sales(sample, ["score", "by_age"], rows=rows, more=["older"])
    except NotEstimable as why:
        return [no_claim(name, why, "percent", METHOD) for name in IDS]
    return [claim(name, fit[column], "percent", METHOD, transform="percent", comparisons=2)
            for name, column in zip(IDS, ("score", "by_age"), strict=True)]
