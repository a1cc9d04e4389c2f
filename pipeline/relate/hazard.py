"""Discrete-time hazard of leaving: GLM binomial with complementary log-log link, clustered by customer.

exp(coefficient) is a hazard ratio, as in Cox's model for grouped times (Prentice and Gloeckler 1978). Rows alike in all
regressors and categories enter the fit as one, with their count: the same likelihood, and so the same numbers.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import sparse

from pipeline.relate.estimate import Estimate, NotEstimable
from pipeline.relate.naive import separated

FEWEST_EVENTS = 10
LINKS = {"cloglog": sm.families.links.CLogLog, "logit": sm.families.links.Logit}


@dataclass(frozen=True)
class HazardFit:
    """names, coef: (p,). influence: (customers, p). design: (n used, p). hazard: (n used,) fitted.

    rows: positions used. offered: (customers,) rows of each, used or not. n_in, events, clusters: counts.
    deviance: of the fit.
    """

    names: tuple[str, ...]
    coef: np.ndarray
    influence: np.ndarray
    design: np.ndarray
    hazard: np.ndarray
    customer: np.ndarray
    rows: np.ndarray
    offered: np.ndarray
    n_in: int
    events: int
    clusters: int
    deviance: float

    @property
    def factor(self) -> float:
        n, k = len(self.hazard), len(self.names)
        return (n - 1) / max(n - k, 1) * self.clusters / max(self.clusters - 1, 1)

    def __getitem__(self, name: str) -> Estimate:
        """One coefficient (log hazard ratio) with its cluster-robust error."""
        j = self.names.index(name)
        return Estimate(float(self.coef[j]), self.influence[:, j], self.n_in, len(self.hazard), self.clusters,
                        self.factor)

    def absolute(self, name: str) -> Estimate:
        """Change of the monthly hazard for one unit more of `name`, in percentage points, mean of the rows offered.

        Rows left out belong to categories in which nobody left: their fitted hazard, and its change, is zero.
        """
        j = self.names.index(name)
        log_hazard = self.design @ self.coef
        before, after = (-np.expm1(-np.exp(log_hazard + step)) for step in (0.0, self.coef[j]))
        change = 100 * (after - before)
        slope_before, slope_after = ((1 - h) * np.exp(log_hazard + step)
                                     for h, step in ((before, 0.0), (after, self.coef[j])))
        shifted = self.design.copy()
        shifted[:, j] += 1
        n = self.offered.sum()
        gradient = 100 * (slope_after[:, None] * shifted - slope_before[:, None] * self.design).sum(axis=0) / n
        mean = float(change.sum() / n)
        share = np.bincount(self.customer, change / n, minlength=len(self.influence)) - mean * self.offered / n
        return Estimate(mean, self.influence @ gradient + share, self.n_in, len(change), self.clusters,
                        self.factor)


def fit_hazard(left: np.ndarray, regressors: pd.DataFrame, categories: pd.DataFrame, customer: np.ndarray,
               customers: int, link: str = "cloglog", fewest_events: int = FEWEST_EVENTS) -> HazardFit:
    """Hazard of `left` (0/1 per customer-month at risk) on the regressors, with dummies for the categories.

    regressors: numeric, the first is the one of interest. categories: months, segments, ...; rows of a category in
    which nobody (or everybody) left say nothing about the trend and are left out, which is what the maximum of the
    likelihood would do. NotEstimable: no_overlap, constant_score, one_class, few_events, separation, one_customer.
    """
    left = np.asarray(left, float)
    n_in, first = len(left), regressors.columns[0]
    if n_in == 0:
        raise NotEstimable("no_overlap")
    if len(np.unique(customer)) < 2:
        raise NotEstimable("one_customer", n_in, n_in)
    _refuse(separated(regressors[first].to_numpy(float), left), n_in, n_in)
    rows = _informative(left, categories)
    y, few = left[rows], min(left[rows].sum(), (1 - left[rows]).sum())
    if few < fewest_events:
        raise NotEstimable("few_events", n_in, int(few), "not_enough_data")
    _refuse(separated(regressors[first].to_numpy(float)[rows], y), n_in, len(rows))
    kind, example = _alike(regressors.iloc[rows], categories.iloc[rows])
    design = _design(regressors.iloc[rows].iloc[example], categories.iloc[rows].iloc[example])
    kinds, left_of_kind = design.to_numpy(float), np.bincount(kind, y)
    count = np.bincount(kind).astype(float)
    family = sm.families.Binomial(link=LINKS[link]())
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a saturated fit of few kinds is called perfect prediction
            model = sm.GLM(np.column_stack([left_of_kind, count - left_of_kind]), kinds, family=family)
            fit = model.fit(maxiter=100, tol=1e-12)
    except (ValueError, np.linalg.LinAlgError, sm.tools.sm_exceptions.PerfectSeparationError):
        raise NotEstimable("separation", n_in, len(rows)) from None
    spread = kinds.std(axis=0)
    if not fit.converged or not np.all(np.isfinite(fit.params)) or np.any(np.abs(fit.params) * spread > 12):
        raise NotEstimable("separation", n_in, len(rows))
    hazard = np.clip(fit.fittedvalues, 1e-12, 1 - 1e-12)[kind]
    slope = 1 / family.link.deriv(hazard)
    bread = np.linalg.inv(-model.hessian(fit.params, observed=True))
    who = np.asarray(customer)[rows]
    pull = (y - hazard) * slope / (hazard * (1 - hazard))
    scores = sparse.csr_matrix((pull, (who, kind)), shape=(customers, len(kinds))) @ kinds
    deviance = -2 * float(np.sum(np.log(np.where(y == 1, hazard, 1 - hazard))))
    return HazardFit(tuple(design.columns), np.asarray(fit.params, float), scores @ bread, kinds[kind], hazard, who,
                     rows, np.bincount(customer, minlength=customers), n_in, int(y.sum()), len(np.unique(who)),
                     deviance)


def _alike(regressors: pd.DataFrame, categories: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Which kind each row is of, rows alike in every column being of one; and a row of each kind."""
    kind = np.zeros(len(regressors), np.int64)
    for table in (regressors, categories):
        for name in table:
            code, levels = pd.factorize(table[name], use_na_sentinel=False)
            kind = pd.factorize(kind * max(len(levels), 1) + code)[0]
    _, example = np.unique(kind, return_index=True)
    return kind, example


def _refuse(reason: str, n_in: int, n_used: int) -> None:
    if reason:
        raise NotEstimable(reason, n_in, n_used)


def _informative(left: np.ndarray, categories: pd.DataFrame) -> np.ndarray:
    """Positions of rows whose categories all hold both outcomes; repeated until none drops."""
    rows = np.arange(len(left))
    while len(rows):
        before = len(rows)
        for name in categories:
            code = pd.factorize(categories[name].iloc[rows], use_na_sentinel=False)[0]
            share = np.bincount(code, left[rows]) / np.bincount(code)
            rows = rows[(share[code] > 0) & (share[code] < 1)]
            if not len(rows):
                break
        if len(rows) == before:
            break
    return rows


def _design(regressors: pd.DataFrame, categories: pd.DataFrame) -> pd.DataFrame:
    """Regressors, constant and dummies (first level of each category left out); columns without content dropped."""
    columns = {name: regressors[name].to_numpy(float) for name in regressors} | {"constant": np.ones(len(regressors))}
    for name in categories:
        values = categories[name]
        code, levels = pd.factorize(values)
        order = sorted(range(len(levels)), key=lambda at: levels[at] if pd.api.types.is_numeric_dtype(values)
                       else str(levels[at]))
        columns |= {f"{name}_{levels[at]}": (code == at).astype(float) for at in order[1:]}
        if (code < 0).any() and order:
            columns[f"{name}_missing"] = (code < 0).astype(float)
    asked, others = next(iter(columns.values())), np.column_stack(list(columns.values())[1:])
    others = others / np.maximum(np.linalg.norm(others, axis=0), 1e-12)
    off = asked - others @ np.linalg.lstsq(others, asked, rcond=None)[0]
    if np.linalg.norm(off) <= 1e-7 * max(np.linalg.norm(asked), 1e-12):
        raise NotEstimable("collinear", len(regressors), len(regressors))
    kept, basis = [], np.empty((len(columns), len(regressors)))
    for name, column in columns.items():
        left, found = column / max(np.linalg.norm(column), 1e-12), basis[:len(kept)]
        for _ in range(2):  # twice is enough
            left = left - (found @ left) @ found
        size = np.linalg.norm(left)
        if size > 1e-7:
            basis[len(kept)] = left / size
            kept.append(name)
    return pd.DataFrame({name: columns[name] for name in kept})
