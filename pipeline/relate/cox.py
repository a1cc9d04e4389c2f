"""Cox's model for customers who enter late, with its error by customer (Lin and Wei 1989): the check of the hazard.

A row is at risk in (start, stop], so that who enters at a moment of leaving is not at risk in it.
Claim: churn.cox_check_per_point (hazard ratio, months as the time axis).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.relate.churn import ChurnSample
from pipeline.relate.estimate import Estimate, NotEstimable, claim, no_claim
from pipeline.relate.hazard import FEWEST_EVENTS
from pipeline.relate.naive import separated

METHOD = "cox_breslow"
MAX_STEPS = 50


@dataclass(frozen=True)
class CoxFit:
    """names, coef: (p,). information: (p, p) of the likelihood. influence: (customers, p). n, events: rows."""

    names: tuple[str, ...]
    coef: np.ndarray
    information: np.ndarray
    influence: np.ndarray
    n: int
    events: int
    clusters: int

    @property
    def model_se(self) -> np.ndarray:
        """Errors from the information, right where rows are independent and hazards proportional."""
        return np.sqrt(np.diag(np.linalg.inv(self.information)))

    def __getitem__(self, name: str) -> Estimate:
        """One log hazard ratio with the error by customer."""
        j = self.names.index(name)
        return Estimate(float(self.coef[j]), self.influence[:, j], self.n, self.n, self.clusters,
                        self.clusters / max(self.clusters - 1, 1))


def fit_cox(start: np.ndarray, stop: np.ndarray, event: np.ndarray, regressors: pd.DataFrame, customer: np.ndarray,
            customers: int, ties: str = "breslow") -> CoxFit:
    """Partial likelihood of leaving at `stop` among the rows with start < stop time <= stop.

    ties: breslow or efron (for the coefficients; the influence is Breslow's). NotEstimable: separation, one_class.
    """
    x, event = regressors.to_numpy(float), np.asarray(event).astype(bool)
    if not event.any():
        raise NotEstimable("one_class", len(x), len(x))
    centre = x.mean(axis=0)
    x, coef = x - centre, np.zeros(x.shape[1])
    sets = [((start < moment) & (stop >= moment), event & (stop == moment)) for moment in np.unique(stop[event])]
    sets = [(np.flatnonzero(at_risk), np.flatnonzero(gone)) for at_risk, gone in sets]
    try:
        for _ in range(MAX_STEPS):
            score, information = _derivatives(x, coef, sets, ties)
            step = np.linalg.solve(information, score)
            coef = coef + step * min(1.0, 5 / max(np.abs(step * x.std(axis=0)).max(), 1e-12))
            if np.abs(step).max() < 1e-10:
                break
        else:
            raise NotEstimable("separation", len(x), len(x))
    except np.linalg.LinAlgError:
        raise NotEstimable("collinear", len(x), len(x)) from None
    if np.any(np.abs(coef) * x.std(axis=0) > 12):
        raise NotEstimable("separation", len(x), len(x))
    residual = _score_residuals(x, coef, sets)
    sums = np.column_stack([np.bincount(customer, residual[:, j], minlength=customers) for j in range(x.shape[1])])
    return CoxFit(tuple(regressors.columns), coef, information, sums @ np.linalg.inv(information), len(x),
                  int(event.sum()), len(np.unique(customer)))


def _derivatives(x: np.ndarray, coef: np.ndarray, sets: list, ties: str) -> tuple[np.ndarray, np.ndarray]:
    """Score and information of the partial likelihood."""
    risk = np.exp(x @ coef)
    score, information = np.zeros(len(coef)), np.zeros((len(coef), len(coef)))
    for at_risk, gone in sets:
        d = len(gone)
        parts = [_moments(x[rows], risk[rows]) for rows in (at_risk, gone)]
        score += x[gone].sum(axis=0)
        for share in (np.arange(d) / d if ties == "efron" else [0.0]):
            times = 1 if ties == "efron" else d
            total, first, second = (all_rows - share * leavers for all_rows, leavers in zip(*parts, strict=True))
            mean = first / total
            score -= times * mean
            information += times * (second / total - np.outer(mean, mean))
    return score, information


def _moments(x: np.ndarray, risk: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    weighted = x * risk[:, None]
    return risk.sum(), weighted.sum(axis=0), weighted.T @ x


def _score_residuals(x: np.ndarray, coef: np.ndarray, sets: list) -> np.ndarray:
    """(n, p) what each row adds to the score, its part in the others' risk sets included."""
    risk, residual = np.exp(x @ coef), np.zeros_like(x)
    for at_risk, gone in sets:
        total, first, _ = _moments(x[at_risk], risk[at_risk])
        away = x - first / total
        residual[gone] += away[gone]
        residual[at_risk] -= away[at_risk] * (risk[at_risk] * len(gone) / total)[:, None]
    return residual


def cox_check(sample: ChurnSample) -> Claim:
    """churn.cox_check_per_point: the hazard's own rows and covariates under Cox, each month a risk set of its own."""
    claim_id = "churn.cox_check_per_point"
    try:
        if sample.problem:
            raise sample.problem
        rows = sample.rows
        if len(sample.at_risk) and not sample.at_risk["left"].any():
            raise NotEstimable("no_leavers", len(rows), len(rows))
        reason = separated(rows["score"].to_numpy(float), rows["left"].to_numpy(float)) if len(rows) else "no_overlap"
        reason = reason or ("one_month" if rows["month"].nunique() < 2 else "")
        if reason:
            raise NotEstimable(reason, len(rows), len(rows))
        if rows["left"].sum() < FEWEST_EVENTS:
            raise NotEstimable("few_events", len(rows), int(rows["left"].sum()), "not_enough_data")
        month = rows["month"].to_numpy(float)
        fit = fit_cox(month - 1, month, rows["left"].to_numpy(), _regressors(sample), rows["customer"].to_numpy(),
                      sample.customers)
    except NotEstimable as why:
        return no_claim(claim_id, why, "ratio", METHOD)
    return claim(claim_id, fit["score"], "ratio", METHOD, transform="ratio")


def _regressors(sample: ChurnSample) -> pd.DataFrame:
    """Score, numbers and dummies of the categories, without columns that say nothing next to those before them, or
    that are alike for all at risk in each month of leaving (tenure, where all began in one month): it absorbs them.
    """
    rows = sample.rows
    parts = [rows[["score", *sample.numbers]].astype(float)]
    for name in sample.categories:
        dummies = pd.get_dummies(rows[name].astype("str").fillna("missing"), prefix=name, dtype=float)
        leavers = dummies.mul(rows["left"], axis=0).sum()
        parts.append(dummies.loc[:, leavers > 0].iloc[:, 1:])
    table = pd.concat(parts, axis=1)
    is_of_leaving = rows["month"].isin(rows.loc[rows["left"] == 1, "month"])
    by_month = table[is_of_leaving].groupby(rows.loc[is_of_leaving, "month"])
    varies = (by_month.max() - by_month.min()).max() > 1e-9
    if not varies["score"]:
        raise NotEstimable("collinear", len(rows), len(rows))
    table = table.loc[:, varies]
    centred = (table - table.mean()).to_numpy()
    corner, last = (np.abs(np.diag(np.linalg.qr(part / np.maximum(np.linalg.norm(part, axis=0), 1e-12))[1]))
                    for part in (centred, np.roll(centred, -1, axis=1)))
    if last[-1] <= 1e-7:  # the score itself, next to all others
        raise NotEstimable("collinear", len(rows), len(rows))
    return table.loc[:, corner > 1e-7]
