"""Experience and sales: percent of next month's sales per point of the score, by group and by answer.

Claims: sales.per_point, sales.per_point.without_top_1_percent, sales.per_point.two_way_clusters,
sales.group.promoter, sales.group.passive (percent, against detractors), sales.asymmetry,
sales.shape.any_difference, sales.shape.line_departure (p-values), sales.orders.per_point,
sales.order_value.per_point, sales.repeat_purchase.per_point.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim, Level
from pipeline.relate.estimate import Estimate, NotEstimable, claim, combine, no_claim, too_early
from pipeline.relate.ppml import PpmlFit
from pipeline.relate.sample import SalesSample, fit_sales

METHOD = "ppml"
FEWEST_ROWS_PER_ANSWER = 30
TOP_SPENDERS = 0.01
FEWEST_MONTHS = 10  # clusters of months below which their error is not known
LEAST_P = 1e-4  # smaller p-values are given as below this one: their digits say nothing
TOP_TWIN, TWO_WAY = ".without_top_1_percent", ".two_way_clusters"


def answerable(sample: SalesSample) -> SalesSample:
    """The sample; where the model per point has no answer, with the reason as its problem.

    Nothing that leans on that model, and no figure to hold against it, then gives a number for lack of its own excuse.
    """
    try:
        fit_sales(sample, ["score"])
    except NotEstimable as why:
        return replace(sample, problem=why)
    return sample


def per_point(sample: SalesSample, level: Level = "associated", reason: str = "") -> tuple[list[Claim], pd.DataFrame]:
    """Claims sales.per_point and its twins (without the top 1 % of spenders; errors also clustered by month); the
    model's own coefficient table.
    """
    try:
        fit = fit_sales(sample, ["score"])
    except NotEstimable as why:
        return [no_claim(f"sales.per_point{end}", why, "percent", METHOD) for end in ("", TOP_TWIN, TWO_WAY)], \
            coefficients(None)
    made = [claim("sales.per_point", fit["score"], "percent", METHOD, level=level, transform="percent", reason=reason)]
    try:
        rest = fit_sales(sample, ["score"], rows=without_top_spenders(sample.rows))
        made.append(claim(f"sales.per_point{TOP_TWIN}", rest["score"], "percent", METHOD, level=level,
                          transform="percent", reason=reason))
    except NotEstimable as why:
        made.append(no_claim(f"sales.per_point{TOP_TWIN}", why, "percent", METHOD))
    return [*made, _by_customer_and_month(sample, fit, level, reason)], coefficients(fit)


def _by_customer_and_month(sample: SalesSample, fit: PpmlFit, level: Level, reason: str) -> Claim:
    """The same estimate with its error clustered by customer and month: by customers plus by months less what both
    count, each by leaving out one at a time.
    """
    rows = sample.rows[sample.rows[["score", "revenue"]].notna().all(axis=1)]
    one = fit["score"]
    by_month, by_row, months = fit.by_period_and_row(rows["revenue"].to_numpy(), rows["customer"].to_numpy(),
                                                     rows["month"].to_numpy())
    if min(months, one.clusters) < FEWEST_MONTHS:
        why = NotEstimable("few_months", one.n_in, one.n_used, "not_enough_data")
        if sample.grid["month"].nunique() < FEWEST_MONTHS <= one.clusters:
            why = too_early("few_months", sample.grid["month"].min() + FEWEST_MONTHS, one.n_in, one.n_used)
        return no_claim(f"sales.per_point{TWO_WAY}", why, "percent", "ppml_two_way")
    both = two_ways(one, float(by_month[0, 0]), float(by_row[0, 0]), months)
    return claim(f"sales.per_point{TWO_WAY}", both, "percent", "ppml_two_way", level=level, transform="percent",
                 reason=reason)


def two_ways(one: Estimate, by_month: float, by_row: float, months: int) -> Estimate:
    """The estimate with its error clustered by customer and month, from its variances by month and by row.

    Variances add up, less what both ways count, with as many degrees of freedom as the fewer clusters less one
    (Cameron, Gelbach and Miller, J Bus Econ Stat 2011, 29:238). The sum may come out below that of customers, or
    negative: what months add is at least nothing, and where it is nothing all stays as by customer. The error by month
    alone is no floor (as it is in MacKinnon, Nielsen and Webb): a row left out takes from what is known of its
    customer, which makes that error too large; by row it is too large by as much, and the difference loses it.
    """
    added = by_month - by_row
    if one.se == 0 or added <= 0:
        return one
    wider = np.sqrt(1 + added / one.se**2)
    return replace(one, influence=one.influence * wider, freedom=min(months, one.clusters) - 1)


def without_top_spenders(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of all but the 1 % of customers who spend most a month (at least one customer is left out)."""
    spend = rows.groupby("customer")["revenue"].mean().sort_values(kind="stable", ascending=False)
    top = spend.index[: max(1, int(TOP_SPENDERS * len(spend)))]
    return rows[~rows["customer"].isin(top)]


def coefficients(fit: PpmlFit | None) -> pd.DataFrame:
    """One row per regressor: name, estimate (log scale), se, percent with its 95 % interval."""
    columns = ["name", "estimate", "se", "percent", "ci_low", "ci_high"]
    if fit is None:
        return pd.DataFrame(columns=columns)
    rows = []
    for name in fit.names:
        one = fit[name]
        rows.append([name, one.value, one.se, *(100 * np.expm1(v) for v in (one.value, *one.interval()))])
    return pd.DataFrame(rows, columns=columns)


def diagnostics(sample: SalesSample) -> pd.DataFrame:
    """What goes into the estimate: step, rows, customers; the last steps are what the model itself cannot use."""
    try:
        fit = fit_sales(sample, ["score"])
    except NotEstimable:
        return sample.account
    lost = pd.DataFrame([{"step": reason, "rows": rows, "customers": pd.NA} for reason, rows in fit.account.items()])
    used = pd.DataFrame([{"step": "used", "rows": len(fit.rows), "customers": fit.clusters}])
    return pd.concat([sample.account, lost, used], ignore_index=True).astype({"customers": "Int64"})


def add_groups(sample: SalesSample) -> pd.DataFrame:
    """The sample's rows with the dummies passive and promoter (detractors are the comparison) and within_group,
    the score less the mean score of its group.

    One customer's promoter and detractor answers lie closer together than those of different customers; within_group
    takes that up, so that the dummies compare the groups' mean answers.
    """
    group = sample.rows["group"]
    return sample.rows.assign(
        passive=(group == "passive").astype(float), promoter=(group == "promoter").astype(float),
        within_group=sample.rows["score"] - sample.rows.groupby(group)["score"].transform("mean"))


def fit_groups(sample: SalesSample, outcome: str = "revenue") -> PpmlFit:
    """PPML of passive and promoter against detractor; NotEstimable unless all three groups are there."""
    if sample.problem:
        raise sample.problem
    if sample.rows["group"].nunique() < 3:
        reason = "constant_score" if sample.rows["score"].nunique() < 2 else "missing_group"
        raise NotEstimable(reason, len(sample.rows))
    return fit_sales(sample, ["promoter", "passive"], outcome, add_groups(sample), ["within_group"])


def by_group(sample: SalesSample, level: Level = "associated", reason: str = "") -> list[Claim]:
    """Claims sales.group.promoter and .passive (percent against detractors) and sales.asymmetry.

    asymmetry: percent by which the step passive-promoter exceeds the step detractor-passive.
    """
    ids = ("sales.group.passive", "sales.group.promoter", "sales.asymmetry")
    try:
        fit = fit_groups(sample)
    except NotEstimable as why:
        return [no_claim(claim_id, why, "percent", METHOD) for claim_id in ids]
    promoter, passive = fit["promoter"], fit["passive"]
    asymmetry = combine(promoter.value - 2 * passive.value, [(1.0, promoter), (-2.0, passive)], promoter)
    made = [claim(claim_id, estimate, "percent", METHOD, level=level, transform="percent", reason=reason, comparisons=3)
            for claim_id, estimate in zip(ids, (passive, promoter), strict=False)]
    return [*made, claim(ids[2], asymmetry, "percent", METHOD, transform="percent", comparisons=3)]


def shape(sample: SalesSample) -> tuple[list[Claim], pd.DataFrame]:
    """Joint Wald tests of the answers and a table: score, n, estimate, ci_low, ci_high (percent against the
    most frequent answer), score_from, score_to, people (customers in n). Answers with fewer than 30
    rows are joined with their neighbour towards the most frequent one; score_from and score_to are the lowest and
    highest answer of a row.
    """
    ids = ("sales.shape.any_difference", "sales.shape.line_departure")
    columns = ["score", "n", "people", "estimate", "ci_low", "ci_high", "score_from", "score_to"]
    method = "ppml_wald"
    try:
        if sample.problem:
            raise sample.problem
        given = sample.rows["score"].round().astype(int)
        binned = join_rare(given)
        ends = given.groupby(binned).agg(["min", "max"]).astype(float)
        counts = binned.value_counts().sort_index()
        people = sample.rows.groupby(binned)["customer"].nunique()
        if len(counts) < 2:
            raise NotEstimable("constant_score", len(binned))
        base = int(counts.idxmax())
        answers = [int(v) for v in counts.index if v != base]
        rows = sample.rows.assign(**{f"answer_{v}": (binned == v).astype(float) for v in answers})
        names = [f"answer_{v}" for v in answers]
        fit = fit_sales(sample, names, rows=rows)
    except NotEstimable as why:
        return [no_claim(claim_id, why, "ratio", method) for claim_id in ids], pd.DataFrame(columns=columns)
    table = [[base, int(counts[base]), int(people[base]), 0.0, np.nan, np.nan, *ends.loc[base]]]
    for value, name in zip(answers, names, strict=True):
        one = fit[name]
        table.append([value, int(counts[value]), int(people[value]),
                      *(100 * np.expm1(v) for v in (one.value, *one.interval())), *ends.loc[value]])
    wanted = np.eye(len(fit.names))[:len(names)]
    steps = np.array(answers, float)[:, None] - base
    off_line = wanted - (steps @ np.linalg.pinv(steps)) @ wanted
    tests = [(ids[0], wanted)] + ([(ids[1], off_line)] if len(answers) > 1 else [])
    made = [p_claim(claim_id, fit, contrast, method) for claim_id, contrast in tests]
    return made, pd.DataFrame(table, columns=columns).sort_values("score", ignore_index=True)


def p_claim(claim_id: str, fit: PpmlFit, contrast: np.ndarray, method: str) -> Claim:
    """The p-value of a joint Wald test; below LEAST_P that bound, with the reason `below`."""
    p = fit.wald(contrast)[1]
    return Claim(claim_id, max(p, LEAST_P), "ratio", len(fit.rows), method, "described", n_in=fit.n_in,
                 reason="below" if p < LEAST_P else "", people=fit.clusters)


def join_rare(score: pd.Series, fewest: int = FEWEST_ROWS_PER_ANSWER) -> pd.Series:
    """Scores with answers of fewer than `fewest` rows moved to their neighbour towards the most frequent answer."""
    joined = score.copy()
    while True:
        counts = joined.value_counts().sort_index()
        top = counts.idxmax()
        rare = [value for value in counts.index if counts[value] < fewest and value != top]
        if not rare:
            return joined
        ends = max(rare, key=lambda value: (abs(value - top), value))
        order = list(counts.index)
        neighbour = order[order.index(ends) + (1 if ends < top else -1)]
        joined = joined.mask(joined == ends, neighbour)


def other_outcomes(sample: SalesSample, level: Level = "associated", reason: str = "") -> list[Claim]:
    """Orders, value of an order (of months with one) and the chance of buying at all, each percent per point."""
    rows = sample.rows
    bought = rows["orders"] > 0
    rows = rows.assign(repeat=bought.astype(float).where(rows["orders"].notna()),
                       order_value=(rows["revenue"] / rows["orders"]).where(bought))
    made = []
    for claim_id, outcome in (("sales.orders.per_point", "orders"), ("sales.order_value.per_point", "order_value"),
                              ("sales.repeat_purchase.per_point", "repeat")):
        try:
            fit = fit_sales(sample, ["score"], outcome, rows)
            among_buyers = outcome == "order_value"  # looks only at months with an order, which the score itself moves
            made.append(claim(claim_id, fit["score"], "percent", METHOD, level="associated" if among_buyers else level,
                              transform="percent", reason="" if among_buyers else reason, comparisons=3))
        except NotEstimable as why:
            made.append(no_claim(claim_id, why, "percent", METHOD))
    return made
