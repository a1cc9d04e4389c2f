"""How fast an answer goes stale: what a point tells of next month's sales, by the answer's age.

Claims: sales.stale_score.per_point (percent, segment age:<months from answer to sales>), sales.stale_score.lost
(percent by which a point of the oldest class tells less than a fresh one; below zero: stale).
"""

from pipeline.contracts.claims import Claim, Level
from pipeline.relate.estimate import NotEstimable, claim, combine, no_claim, too_early
from pipeline.relate.sample import fit_sales, sales_sample

METHOD = "ppml_age"
AGES = {"1": (1, 1), "2-3": (2, 3), "4-6": (4, 6)}  # months
LATEST = 5  # months after an answer until two months of sales of the oldest class are over
POINT, LOST = "sales.stale_score.per_point", "sales.stale_score.lost"


def stale_score(periods, instrument: str, covariates: list[str], problem: NotEstimable | None = None,
                level: Level = "associated", reason: str = "") -> list[Claim]:
    """The slope of each age by a model of its own, so that a fresh answer tells what `sales.per_point` says.

    One model of all ages would share the customer effects among them: an old answer says less of how satisfied a
    customer is by now, the effects take up the difference, and the fresh slope comes out a quarter too low.
    level, reason: of the fresh slope, where it is the very model of sales.per_point and its checks hold for it; those
    of older answers are checked by nothing.
    """
    try:
        if problem:
            raise problem
        oldest = max(high for _, high in AGES.values())
        sample = sales_sample(periods, instrument, oldest, covariates)
        if sample.problem:
            raise sample.problem
        age = sample.rows["age"]
        readable = sample.rows["month"].min() + LATEST  # an answer of the first month, and two months of such sales
        if sample.rows["month"].max() + 1 < readable:
            raise too_early("few_months", readable, len(sample.rows))
        slopes = {name: fit_sales(sample, ["score"], rows=sample.rows[age.between(*ages)])["score"]
                  for name, ages in AGES.items()}
    except NotEstimable as why:
        return [no_claim(LOST, why, "percent", METHOD)]
    fresh = next(iter(AGES))
    made = [claim(POINT, slope, "percent", METHOD, transform="percent", segment=f"age:{name}", comparisons=len(AGES),
                  **({"level": level, "reason": reason} if name == fresh else {})) for name, slope in slopes.items()]
    first, last = slopes[fresh], slopes[list(AGES)[-1]]
    lost = combine(last.value - first.value, [(1.0, last), (-1.0, first)], min(first, last, key=lambda s: s.clusters))
    return [*made, claim(LOST, lost, "percent", METHOD, transform="percent")]
