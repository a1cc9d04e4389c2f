"""The figures that are usually printed, for contrast: they mix up who scores high with what a high score does.

Claims, all with naive=True: sales.naive.log1p_per_point (percent), sales.naive.group_gap and
sales.naive.passive_gap (money per customer and month), churn.naive.ever_logit (odds ratio per point).
"""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from pipeline.contracts.claims import Claim
from pipeline.relate.estimate import NotEstimable, no_claim
from pipeline.relate.sample import SalesSample


def ols_by_customer(outcome: np.ndarray, regressors: np.ndarray, customer: np.ndarray):
    """OLS fitted by statsmodels with the cluster sandwich by customer (factor G/(G-1) (n-1)/(n-k), t with G-1).

    customer: (n,), or (n, 2) for two-way clusters (Cameron, Gelbach and Miller 2011).
    """
    return sm.OLS(outcome, regressors).fit(cov_type="cluster", cov_kwds={"groups": customer}, use_t=True)


def naive_sales(sample: SalesSample, currency: str) -> list[Claim]:
    """OLS of log(1 + sales) on the score, and the difference of mean sales between promoters and the others."""
    ids = {"sales.naive.log1p_per_point": "percent", "sales.naive.group_gap": currency,
           "sales.naive.passive_gap": currency}
    method = "mean_difference"
    if sample.problem:
        return [no_claim(claim_id, sample.problem, unit, method, naive=True) for claim_id, unit in ids.items()]
    rows = sample.rows
    customer = rows["customer"].to_numpy()
    made = []
    try:
        score = _varying(rows["score"].to_numpy(float), customer)
        logged = ols_by_customer(np.log1p(rows["revenue"].clip(lower=0).to_numpy()), sm.add_constant(score), customer)
        made.append(_naive("sales.naive.log1p_per_point", "percent", "ols_log1p",
                           logged, 1, len(rows), rows["customer"].nunique(), percent=True))
    except NotEstimable as why:
        made.append(no_claim("sales.naive.log1p_per_point", why, "percent", "ols_log1p", naive=True))
    for claim_id, group in (("sales.naive.group_gap", "detractor"), ("sales.naive.passive_gap", "passive")):
        pair = rows[rows["group"].isin(["promoter", group])]
        try:
            promoter = _varying((pair["group"] == "promoter").to_numpy(float), pair["customer"].to_numpy())
            gap = ols_by_customer(pair["revenue"].to_numpy(), sm.add_constant(promoter), pair["customer"].to_numpy())
            made.append(_naive(claim_id, currency, method, gap, 1, len(rows), pair["customer"].nunique()))
        except NotEstimable as why:
            made.append(no_claim(claim_id, why, currency, method, naive=True))
    return made


def _varying(values: np.ndarray, customer: np.ndarray) -> np.ndarray:
    if len(np.unique(customer)) < 2:
        raise NotEstimable("one_customer", len(values))
    if len(values) == 0 or np.ptp(values) == 0:
        raise NotEstimable("constant_score", len(values))
    return values


def _naive(claim_id: str, unit: str, method: str, fit, place: int, n_in: int, people: int,
           percent: bool = False) -> Claim:
    values = [float(fit.params[place]), *map(float, fit.conf_int()[place])]
    if not np.all(np.isfinite(values)):
        return no_claim(claim_id, NotEstimable("separation", n_in, int(fit.nobs)), unit, method, naive=True,
                        people=people)
    if percent:
        values = [100 * np.expm1(value) for value in values]
    return Claim(claim_id, values[0], unit, int(fit.nobs), method, "described", ci_low=values[1], ci_high=values[2],
                 n_in=n_in, naive=True, people=people)


def ever_logit(score: pd.Series, churned: pd.Series) -> Claim:
    """churn.naive.ever_logit: odds ratio of ever churning per point of the customer's mean answer.

    Forgets that who stays longer answers more often and later; shown for contrast only.
    """
    claim_id, method = "churn.naive.ever_logit", "logit_ever"
    known = score.notna() & churned.notna()
    x, y = score[known].to_numpy(float), churned[known].astype(float).to_numpy()
    reason = separated(x, y)
    if reason:
        return no_claim(claim_id, NotEstimable(reason, len(score), len(x)), "ratio", method, naive=True)
    fit = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial()).fit()
    half = stats.norm.ppf(0.975) * fit.bse[1]
    return Claim(claim_id, float(np.exp(fit.params[1])), "ratio", len(x), method, "described", n_in=len(score),
                 ci_low=float(np.exp(fit.params[1] - half)), ci_high=float(np.exp(fit.params[1] + half)), naive=True)


def separated(x: np.ndarray, y: np.ndarray) -> str:
    """Why a trend of y (0/1) on x cannot be fitted: no_scores, constant_score, one_class, separation, or ""."""
    if len(x) == 0:
        return "no_scores"
    if np.ptp(x) == 0:
        return "constant_score"
    if y.min() == y.max():
        return "one_class"
    gone, stayed = x[y == 1], x[y == 0]
    return "separation" if gone.max() <= stayed.min() or stayed.max() <= gone.min() else ""


def side_by_side(claims: list[Claim], pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """One row per claim of each (adjusted, naive) pair: claim, is_naive, estimate, ci_low, ci_high, unit, n, ratio,
    people (customers in n).

    ratio: the naive figure over the adjusted one. Claims without an estimate stay, empty.
    """
    by_id = {c.claim_id: c for c in claims if c.segment == "all"}
    rows = []
    for pair in pairs:
        if not all(name in by_id for name in pair):
            continue
        adjusted, naive = (by_id[name] for name in pair)
        both = adjusted.estimate and naive.estimate is not None
        for one, ratio in ((adjusted, np.nan), (naive, naive.estimate / adjusted.estimate if both else np.nan)):
            rows.append([one.claim_id, one.naive, one.estimate, one.ci_low, one.ci_high, one.unit, one.n_used, ratio,
                         one.people])
    table = pd.DataFrame(rows, columns=["claim", "is_naive", "estimate", "ci_low", "ci_high", "unit", "n", "ratio",
                                        "people"])
    return table.astype({name: float for name in ("estimate", "ci_low", "ci_high", "ratio")} | {"people": "Int64"})
