"""How fast an answer goes stale: what a point tells of next month's sales, by the answer's age.

Claims: sales.stale_score.per_point (percent, segment age:<months from answer to sales>), sales.stale_score.lost
(percent by which a point of the oldest class tells less than a fresh one; below zero: stale).
"""

from pipeline.contracts.claims import Claim
from pipeline.relate.estimate import NotEstimable, claim, combine, no_claim
from pipeline.relate.sample import fit_sales, sales_sample

METHOD = "ppml_age"
AGES = {"1": (1, 1), "2-3": (2, 3), "4-6": (4, 6)}  # months
POINT, LOST = "sales.stale_score.per_point", "sales.stale_score.lost"


def stale_score(periods, instrument: str, covariates: list[str], problem: NotEstimable | None = None) -> list[Claim]:
    """One model of the last answer up to half a year old: a slope for each age, and a level for each."""
    try:
        if problem:
            raise problem
        oldest = max(high for _, high in AGES.values())
        sample = sales_sample(periods, instrument, oldest, covariates)
        if sample.problem:
            raise sample.problem
        rows, centred = sample.rows, sample.rows["score"] - sample.rows["score"].mean()
        inside = {name: rows["age"].between(*ages).astype(float) for name, ages in AGES.items()}
        slopes = {f"slope_{name}": centred * part for name, part in inside.items()}
        levels = {f"level_{name}": part for name, part in list(inside.items())[1:]}
        fit = fit_sales(sample, list(slopes), rows=rows.assign(**slopes, **levels), more=list(levels))
    except NotEstimable as why:
        return [no_claim(LOST, why, "percent", METHOD)]
    made = [claim(POINT, fit[f"slope_{name}"], "percent", METHOD, transform="percent", segment=f"age:{name}",
                  comparisons=len(AGES)) for name in AGES]
    first, last = (fit[f"slope_{name}"] for name in (next(iter(AGES)), list(AGES)[-1]))
    lost = combine(last.value - first.value, [(1.0, last), (-1.0, first)], first)
    return [*made, claim(LOST, lost, "percent", METHOD, transform="percent")]
