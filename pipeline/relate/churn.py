"""Experience and churn where there is a contract: who leaves in month t+1, by the score known at the end of month t.

Claims: churn.monthly_rate (share of customers at risk; all and by target segment), churn.rate (share, one-off
exports without dates), churn.hazard_ratio_per_point (ratio; also with answers up to three months old, segment
score_age:3), churn.absolute_effect_per_point (percentage points of monthly churn), churn.naive.ever_logit.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from pipeline.contracts.claims import Claim
from pipeline.contracts.columns import check_covariates
from pipeline.relate.estimate import Estimate, NotEstimable, claim, month_later, no_claim, too_early
from pipeline.relate.hazard import HazardFit, fit_hazard
from pipeline.relate.naive import ever_logit, separated
from pipeline.relate.sample import exposure_steps
from pipeline.relate.whole import Whole

METHOD = "cloglog_hazard"
RATE = "share_score_clustered"


@dataclass(frozen=True)
class ChurnSample:
    """rows: one per customer and month with a usable score, at risk in the next month: customer, month, score, left,
    tenure and the declared categories. at_risk: the same without asking for a score. problem: why there is none.
    spend, in all three: mean sales of a month over the twelve that end with it (missing without sales).
    latest: one per customer of the last month who is still one, with value, the mean sales of a month of the last
    twelve (missing without sales), and value_months, of how many months. answers: customer-months with a usable score,
    at risk or not.
    """

    rows: pd.DataFrame
    at_risk: pd.DataFrame
    customers: int
    categories: list[str]
    numbers: list[str]
    account: pd.DataFrame
    problem: NotEstimable | None = None
    latest: pd.DataFrame = field(default_factory=pd.DataFrame)
    answers: int = 0


def churn_sample(periods: pd.DataFrame, instrument: str, max_score_age_months: int,
                 covariates: list[str], whole: Whole | None = None) -> ChurnSample:
    """The sample from customer_periods; a score enters when it is at most so old in the month of leaving (1: given
    in the month before). Month effects always; tenure as a number; covariates as categories or numbers. Refusal for one
    that is the outcome, or no column of the panel. whole: which months are, all without it; spending is that of whole
    months, and today's customers are those of the last one.
    """
    check_covariates("churn.covariates", covariates, periods.columns, instrument)
    problem = None
    if periods.empty:
        problem = NotEstimable("no_panel")
    elif "is_churned_next" not in periods or not periods["is_churned_next"].notna().any():
        problem = NotEstimable("not_contractual", len(periods))
    if problem:
        empty = pd.DataFrame(columns=["customer", "month", "score", "left"])
        return ChurnSample(empty, empty, 0, [], [], pd.DataFrame(columns=["step", "rows", "customers"]), problem)
    frame = periods.sort_values(["customer_id", "period"], kind="stable", ignore_index=True)
    customer, ids = pd.factorize(frame["customer_id"])
    period = pd.DatetimeIndex(frame["period"])
    base = pd.DataFrame({"customer": customer, "month": period.year * 12 + period.month - 1,
                         "score": _score(frame, instrument, max_score_age_months)})
    known = frame["is_at_risk_next"].fillna(False).to_numpy(bool) & frame["is_churned_next"].notna().to_numpy()
    base["left"] = frame["is_churned_next"].eq(True).fillna(False).to_numpy(float)
    spent = _sales(base, frame, whole)
    base["spend"] = _spend(base, spent)
    numbers, categories = [], []
    for name in dict.fromkeys(["tenure_months", "segment", *covariates]):
        if name not in frame or frame[name].isna().all():
            continue
        if name == "exposure_months":
            steps = exposure_steps(pd.to_numeric(frame[name], errors="coerce").astype(float))
            base[name] = np.where(steps.any(axis=1), steps.to_numpy().argmax(axis=1) + 1, 0).astype(str)
            categories.append(name)
            continue
        is_number = pd.api.types.is_numeric_dtype(frame[name])
        base[name] = frame[name].to_numpy(float) if is_number else frame[name].to_numpy()
        (numbers if is_number else categories).append(name)
    complete = base[numbers].notna().all(axis=1).to_numpy() if numbers else np.ones(len(base), bool)
    scored = known & base["score"].notna().to_numpy()
    steps = [("customer_months", np.ones(len(base), bool)), ("at_risk_next_month", known), ("recent_answer", scored),
             ("covariates_known", scored & complete)]
    account = pd.DataFrame([{"step": step, "rows": int(mask.sum()), "customers": int(base["customer"][mask].nunique())}
                            for step, mask in steps])
    return ChurnSample(base[scored & complete].reset_index(drop=True), base[known].reset_index(drop=True), len(ids),
                       categories, numbers, account, latest=_latest(base, frame, spent, whole),
                       answers=int(base["score"].notna().sum()))


def explained(sample: ChurnSample, periods: pd.DataFrame, customers: pd.DataFrame,
              totals: pd.DataFrame) -> ChurnSample:
    """The sample; where ends are dated and no month after the first is over yet, that it is too early.

    customers, totals: the linked tables. Who left before the data began, or in their only month, is no answer to who
    leaves in the month after a score. Where totals know who left and the export has no label, an end date is mapped,
    though nobody has one (DECISIONS.md 31).
    """
    if sample.problem is None or sample.problem.reason != "not_contractual":
        return sample
    is_dated = _known(customers, "ended_at") or (_known(totals, "is_churned") and not _known(customers, "is_churned"))
    if not is_dated or periods["is_at_risk_next"].fillna(False).astype(bool).any():
        return sample
    first = pd.DatetimeIndex(periods["period"]).min()
    return replace(sample, problem=too_early("one_month", first.year * 12 + first.month, len(periods)))


def _known(table: pd.DataFrame, column: str) -> bool:
    return column in table and bool(table[column].notna().any())


def _sales(base: pd.DataFrame, frame: pd.DataFrame, whole: Whole | None) -> pd.Series:
    """Sales of each row's month; missing where there are none to know, or the month was cut short."""
    if "revenue" not in frame:
        return pd.Series(np.nan, frame.index)
    spent = pd.to_numeric(frame["revenue"], errors="coerce")
    return spent if whole is None else spent.where(base["month"].between(whole.first, whole.sold))


def _latest(base: pd.DataFrame, frame: pd.DataFrame, spent: pd.Series, whole: Whole | None) -> pd.DataFrame:
    """Rows of the last whole month whose customer was one in it and did not leave in it, with their mean month's
    sales."""
    last = base["month"].max() if whole is None else min(base["month"].max(), whole.last)
    gone = base.loc[(base["month"] == last - 1) & (base["left"] == 1), "customer"]
    here = (base["month"] == last) & ~base["customer"].isin(gone)
    if "is_active" in frame:
        here &= frame["is_active"].fillna(False).to_numpy(bool)
    by = spent[base["month"].between(last - 11, last)].groupby(base["customer"])
    return base[here].assign(value=lambda rows: rows["customer"].map(by.mean()).astype(float),
                             value_months=lambda rows: rows["customer"].map(by.count())).reset_index(drop=True)


def _spend(base: pd.DataFrame, sales: pd.Series) -> np.ndarray:
    """Mean sales of a month over the twelve that end with the row's own, of those known; missing without sales."""
    spent = sales.to_numpy(float, na_value=np.nan)
    key = base["customer"].to_numpy(np.int64) * 100_000 + base["month"].to_numpy(np.int64)
    start = np.searchsorted(key, np.maximum(key - 11, base["customer"].to_numpy(np.int64) * 100_000))
    total, known = (np.concatenate([[0.0], np.cumsum(part)]) for part in (np.nan_to_num(spent), ~np.isnan(spent)))
    end, count = np.arange(len(key)) + 1, known[1:] - known[start]
    return np.where(count > 0, (total[end] - total[start]) / np.maximum(count, 1), np.nan)


def _score(frame: pd.DataFrame, instrument: str, oldest: int) -> np.ndarray:
    names = [f"last_{instrument}", f"age_{instrument}"]
    if any(name not in frame for name in names):
        return np.full(len(frame), np.nan)
    last, age = (pd.to_numeric(frame[name], errors="coerce") for name in names)
    return last.where(age + 1 <= oldest).to_numpy(float)


def fit_churn(sample: ChurnSample) -> HazardFit:
    """Hazard of leaving on the score, tenure, months and the declared covariates."""
    if sample.problem:
        raise month_later(sample.problem)
    rows = sample.rows
    offered = sample.at_risk
    if sample.answers and offered["month"].nunique() == 1 and offered["customer"].nunique() > 1:
        raise too_early("one_month", offered["month"].max() + 2, len(rows), len(rows))
    if len(offered) and not offered["left"].any():
        raise NotEstimable("no_leavers", len(rows), len(rows))
    if rows.empty:
        raise NotEstimable("no_overlap" if sample.answers else "no_scores", len(offered))
    if rows["month"].nunique() < 2 and rows["customer"].nunique() > 1:
        raise NotEstimable("one_month", len(rows), len(rows))
    return fit_hazard(rows["left"].to_numpy(), rows[["score", *sample.numbers]], rows[["month", *sample.categories]],
                      rows["customer"].to_numpy(), sample.customers)


def hazard_claims(sample: ChurnSample, segment: str = "all", absolute: bool = True) -> list[Claim]:
    """churn.hazard_ratio_per_point and, with it, churn.absolute_effect_per_point."""
    ids = [("churn.hazard_ratio_per_point", "ratio")] + [("churn.absolute_effect_per_point", "pp")] * absolute
    try:
        fit = fit_churn(sample)
    except NotEstimable as why:
        return [no_claim(claim_id, why, unit, METHOD, segment=segment) for claim_id, unit in ids]
    made = [claim(ids[0][0], fit["score"], "ratio", METHOD, transform="ratio", segment=segment)]
    return made + ([claim(ids[1][0], fit.absolute("score"), "pp", METHOD, segment=segment)] if absolute else [])


def monthly_rates(sample: ChurnSample, target_segments: list[str], suppress_below: int = 10) -> list[Claim]:
    """churn.monthly_rate of all customers at risk and of each target segment, described."""
    if sample.problem:
        return [no_claim("churn.monthly_rate", sample.problem, "share", RATE)]
    made = [_rate(sample.at_risk, sample.customers, "all", 1, suppress_below)]
    if "segment" in sample.at_risk:
        made += [_rate(sample.at_risk[sample.at_risk["segment"] == name], sample.customers, f"segment:{name}",
                       len(target_segments), suppress_below) for name in target_segments]
    return made


def _rate(rows: pd.DataFrame, customers: int, segment: str, comparisons: int, suppress_below: int) -> Claim:
    clusters = int(rows["customer"].nunique())
    if clusters < suppress_below:
        reason = NotEstimable("few_customers", len(rows), len(rows), "suppressed" if clusters else "not_estimable")
        return no_claim("churn.monthly_rate", reason, "share", RATE, segment=segment, people=clusters)
    rate = float(rows["left"].mean())
    share = np.bincount(rows["customer"].to_numpy(), (rows["left"] - rate).to_numpy() / len(rows), minlength=customers)
    one = Estimate(rate, share, len(rows), len(rows), clusters, clusters / (clusters - 1))
    low, high = one.share_interval()
    return Claim("churn.monthly_rate", rate, "share", len(rows), RATE, segment=segment, ci_low=low, ci_high=high,
                 n_in=len(rows), comparisons=comparisons, people=clusters)


def by_score(score: pd.Series, left: pd.Series, fitted: np.ndarray | None = None,
             customer: pd.Series | None = None) -> pd.DataFrame:
    """One row per answer: score, n, left, rate with its Wilson interval, the model's mean where there is one, and
    people, the customers behind n (n itself without `customer`: a row is a customer)."""
    columns = ["score", "n", "left", "rate", "ci_low", "ci_high", "fitted", "people"]
    frame = pd.DataFrame({"score": score.to_numpy(float), "left": left.to_numpy(float)})
    frame["customer"] = np.arange(len(frame)) if customer is None else customer.to_numpy()
    frame["fitted"] = np.nan if fitted is None else fitted
    frame = frame[frame["score"].notna() & frame["left"].notna()]
    if frame.empty:
        return pd.DataFrame(columns=columns)
    frame["score"] = frame["score"].round()
    table = frame.groupby("score", as_index=False).agg(n=("left", "size"), left=("left", "sum"), rate=("left", "mean"),
                                                       fitted=("fitted", "mean"), people=("customer", "nunique"))
    table["ci_low"], table["ci_high"] = proportion_confint(table["left"].to_numpy(), table["n"].to_numpy(),
                                                           method="wilson")
    table["ci_low"] = table["ci_low"].where(table["left"] > 0, 0.0)
    table["ci_high"] = table["ci_high"].where(table["left"] < table["n"], 1.0)
    return table.astype({"score": int, "left": int})[columns]


def score_table(sample: ChurnSample) -> pd.DataFrame:
    """Monthly churn by answer over the sample's rows, beside the fitted hazard where the model could be fitted."""
    fitted = np.full(len(sample.rows), np.nan)
    try:
        fit = fit_churn(sample)
        fitted[fit.rows] = fit.hazard
    except NotEstimable:
        pass
    return by_score(sample.rows["score"], sample.rows["left"], fitted, sample.rows.get("customer"))


def diagnostics(sample: ChurnSample) -> pd.DataFrame:
    """step, rows, customers: from the customer-months offered to those that the model uses, and the events in them."""
    try:
        fit = fit_churn(sample)
    except NotEstimable:
        return sample.account
    more = [{"step": "category_without_both_outcomes", "rows": len(sample.rows) - len(fit.rows), "customers": pd.NA},
            {"step": "used", "rows": len(fit.rows), "customers": fit.clusters},
            {"step": "events", "rows": fit.events, "customers": fit.events}]
    return pd.concat([sample.account, pd.DataFrame(more)], ignore_index=True).astype({"customers": "Int64"})


def calibration(sample: ChurnSample, groups: int = 5) -> pd.DataFrame:
    """Fitted against observed churn in groups of equal size by fitted hazard: group, n, fitted, rate, interval, and
    people, the customers behind n."""
    columns = ["group", "n", "fitted", "rate", "ci_low", "ci_high", "people"]
    try:
        fit = fit_churn(sample)
    except NotEstimable:
        return pd.DataFrame(columns=columns)
    order = np.argsort(fit.hazard, kind="stable")
    group = np.empty(len(order), int)
    group[order] = np.arange(len(order)) * groups // len(order) + 1
    used = sample.rows.iloc[fit.rows]
    table = pd.DataFrame({"group": group, "fitted": fit.hazard, "left": used["left"].to_numpy(),
                          "customer": used["customer"].to_numpy()}).groupby("group", as_index=False).agg(
        n=("left", "size"), fitted=("fitted", "mean"), rate=("left", "mean"), events=("left", "sum"),
        people=("customer", "nunique"))
    table["ci_low"], table["ci_high"] = proportion_confint(table.pop("events").to_numpy(), table["n"].to_numpy(),
                                                           method="wilson")
    return table[columns]


def coefficients(sample: ChurnSample) -> pd.DataFrame:
    """One row per regressor: name, estimate (log hazard ratio), se, hazard ratio with its 95 % interval."""
    columns = ["name", "estimate", "se", "ratio", "ci_low", "ci_high"]
    try:
        fit = fit_churn(sample)
    except NotEstimable:
        return pd.DataFrame(columns=columns)
    shown = [(name, fit[name]) for name in fit.names if name != "constant" and not name.startswith("month_")]
    return pd.DataFrame([[name, one.value, one.se, *np.exp([one.value, *one.interval()])] for name, one in shown],
                        columns=columns)


def naive_churn(sample: ChurnSample, totals: pd.DataFrame, instrument: str) -> Claim:
    """churn.naive.ever_logit: from the panel (mean score, ever left), else from a one-off export.

    Only beside a hazard: where that has no answer, its reason stands here too.
    """
    if sample.problem is None:
        try:
            fit_churn(sample)
        except NotEstimable as why:
            return no_claim("churn.naive.ever_logit", why, "ratio", "logit_ever", naive=True)
        by = sample.at_risk.groupby("customer")
        return ever_logit(by["score"].mean(), by["left"].max())
    if sample.problem is not None and sample.problem.status == "too_early":
        return no_claim("churn.naive.ever_logit", sample.problem, "ratio", "logit_ever", naive=True)
    column = f"score_{instrument}"
    has_label, has_score = _known(totals, "is_churned"), _known(totals, column)
    if has_label and has_score:
        return ever_logit(pd.to_numeric(totals[column], errors="coerce"), totals["is_churned"].astype("boolean"))
    why = sample.problem if totals.empty else NotEstimable("no_scores" if has_label else "not_contractual", len(totals))
    return no_claim("churn.naive.ever_logit", why, "ratio", "logit_ever", naive=True)


def one_off(totals: pd.DataFrame, instrument: str, target_segments: list[str]) -> tuple[list[Claim], pd.DataFrame]:
    """An export with a churn label and no dates: churn.rate, its table by score, and why there is no hazard."""
    column = f"score_{instrument}"
    if totals.empty or "is_churned" not in totals or not totals["is_churned"].notna().any():
        return [], by_score(pd.Series(dtype=float), pd.Series(dtype=float))
    known = totals[totals["is_churned"].notna()]
    left = known["is_churned"].astype(float)
    made = [_share(left, "all", 1)]
    if "segment" in known:
        made += [_share(left[known["segment"] == name], f"segment:{name}", len(target_segments))
                 for name in target_segments if (known["segment"] == name).any()]
    score = pd.to_numeric(known[column], errors="coerce") if column in known else pd.Series(np.nan, known.index)
    answered = score.notna()
    reason = separated(score[answered].to_numpy(float), left[answered].to_numpy()) or "no_churn_dates"
    why = NotEstimable(reason, len(known), int(answered.sum()))
    made += [no_claim(claim_id, why, unit, METHOD) for claim_id, unit in
             (("churn.hazard_ratio_per_point", "ratio"), ("churn.absolute_effect_per_point", "pp"))]
    return made, by_score(score, left)


def _share(left: pd.Series, segment: str, comparisons: int) -> Claim:
    low, high = proportion_confint(left.sum(), len(left), method="wilson")
    return Claim("churn.rate", float(left.mean()), "share", len(left), "share_wilson", segment=segment,
                 ci_low=float(low), ci_high=float(high), n_in=len(left), comparisons=comparisons)
