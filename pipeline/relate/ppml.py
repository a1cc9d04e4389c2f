"""Poisson pseudo-maximum likelihood with customer and period fixed effects, clustered by customer.

Customer effects are concentrated out exactly (the conditional Poisson of Hausman, Hall and Griliches 1984);
period effects are solved for by Newton steps on a matrix of periods x periods, so cost grows with rows only.
The variance is the delete-one-customer one (CR3, see leverage): sales are so uneven that the plain cluster sandwich
is too small. That one stands beside it, with the factor (n-1)/(n-k) * G/(G-1), k without fixed effects (the
convention of fixest/pyfixest with k_fixef="none"), to be held against other packages.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, stats

from pipeline.relate.estimate import Estimate, NotEstimable
from pipeline.relate.leverage import without_each, without_own_pull

TOLERANCE = 1e-10
MAX_STEPS = 60
NEVER = 1e-7  # a fitted mean so far below its unit's is on its way to zero: the row is separated


@dataclass(frozen=True)
class PpmlFit:
    """Coefficients of the regressors and all that is needed to combine them.

    names: (p,). coef: (p,). influence: (customers offered, p), what each customer's absence would change.
    plain: (customers offered, p), the same without regard to their own pull. rows: (n used,) positions used.
    residualised: (n used, p) regressors net of both fixed effects. fitted: (n used,) mean.
    account: rows lost by reason: {"all_zero_customer": .., "singleton_customer": .., "all_zero_month": ..}
    and, where some were, {"separated": ..}.
    """

    names: tuple[str, ...]
    coef: np.ndarray
    influence: np.ndarray
    plain: np.ndarray
    rows: np.ndarray
    residualised: np.ndarray
    fitted: np.ndarray
    n_in: int
    clusters: int
    account: dict[str, int]

    @property
    def factor(self) -> float:
        return (self.clusters - 1) / self.clusters

    @property
    def covariance(self) -> np.ndarray:
        """(p, p) delete-one-customer covariance of the coefficients."""
        return self.factor * self.influence.T @ self.influence

    @property
    def sandwich(self) -> np.ndarray:
        """(p, p) plain cluster sandwich, as fixest prints it; for comparison, never for an interval."""
        n, k = len(self.rows), len(self.names)
        factor = (n - 1) / max(n - k, 1) * self.clusters / max(self.clusters - 1, 1)
        return factor * self.plain.T @ self.plain

    @property
    def quantile(self) -> float:
        """Student's t for a 95 % interval, customers - 1 degrees of freedom."""
        return float(stats.t.ppf(0.975, max(self.clusters - 1, 1)))

    def by_period_and_row(self, outcome: np.ndarray, unit: np.ndarray,
                          period: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
        """(p, p) delete-one-period and delete-one-row covariances, and the number of periods; the arrays as offered.

        With `covariance` they make the errors by customer and period (MacKinnon, Nielsen and Webb, Jackknife inference
        with two-way clustering, 2024), where a row is what a customer and a period have in common.
        """
        _, u = np.unique(unit[self.rows], return_inverse=True)
        _, t = np.unique(period[self.rows], return_inverse=True)
        gap = np.asarray(outcome, float)[self.rows] - self.fitted
        moved = without_each(self.residualised, self.fitted, gap, u, t)
        by_period, by_row = ((len(each) - 1) / len(each) * each.T @ each for each in moved)
        return by_period, by_row, len(moved[0])

    def __getitem__(self, name: str) -> Estimate:
        """The estimate of one coefficient, on the log scale."""
        j = self.names.index(name)
        return Estimate(float(self.coef[j]), self.influence[:, j], self.n_in, len(self.rows), self.clusters,
                        self.factor)

    def wald(self, contrast: np.ndarray) -> tuple[float, float]:
        """F statistic and p-value of contrast @ coef = 0, with (rows of contrast, clusters - 1) degrees of freedom."""
        gap, rank = contrast @ self.coef, np.linalg.matrix_rank(contrast)
        f = float(gap @ np.linalg.pinv(contrast @ self.covariance @ contrast.T) @ gap) / rank
        return f, float(stats.f.sf(f, rank, max(self.clusters - 1, 1)))


def fit_ppml(outcome: np.ndarray, regressors: np.ndarray, names: list[str], unit: np.ndarray,
             period: np.ndarray, units: int, wanted: int | None = None) -> PpmlFit:
    """Coefficients of log E[outcome] on the regressors, given unit and period effects.

    outcome: (n,), may be negative in single rows (a month of returns), not in a unit's total. regressors: (n, p);
    those after the first `wanted` are adjusters, left out where the fixed effects or each other absorb them.
    unit: (n,) codes below `units`. period: (n,) codes.
    NotEstimable where the data hold no answer (see PpmlFit.account for what is left out without harm).
    """
    outcome, regressors = np.asarray(outcome, float), np.asarray(regressors, float)
    regressors = regressors[:, None] if regressors.ndim == 1 else regressors
    rows, account = _informative(outcome, unit, period)
    if len(rows) == 0:
        raise NotEstimable(_why_empty(outcome, unit, period), len(outcome))
    y, x = outcome[rows], regressors[rows]
    _, u = np.unique(unit[rows], return_inverse=True)
    _, t = np.unique(period[rows], return_inverse=True)
    clusters = int(u.max()) + 1
    if clusters < 2:
        raise NotEstimable("one_customer", len(outcome), len(rows))
    kept = _identified(x, u, t, x.shape[1] if wanted is None else wanted, len(outcome))
    x, names_in, names = x[:, kept], names, [names[j] for j in kept]
    coef, season = _newton(y, x, u, t, len(outcome))
    fitted, x_net, hessian = _last_step(y, x, u, t, coef, season)
    never = fitted < NEVER * (np.bincount(u, y) / np.bincount(u))[u]
    if never.any():
        return _without_separated(outcome, regressors, names_in, unit, period, units, wanted, rows[never])
    bread = np.linalg.inv(hessian)
    alone = without_own_pull(np.column_stack([x_net, _months_net(u, t, fitted)]), fitted, y - fitted, u)
    influence, plain = (np.column_stack([np.bincount(unit[rows], x_net[:, j] * gap, minlength=units)
                                         for j in range(x.shape[1])]) @ bread for gap in (alone, y - fitted))
    return PpmlFit(tuple(names), coef, influence, plain, rows, x_net, fitted, len(outcome), clusters, account)


def _months_net(u: np.ndarray, t: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """(n, periods - 1) period dummies net of unit effects at the weights mu."""
    months = int(t.max()) + 1
    share = np.zeros((int(u.max()) + 1, months))
    np.add.at(share, (u, t), mu)
    share /= share.sum(axis=1, keepdims=True)
    return (np.eye(months)[t] - share[u])[:, 1:]


def _without_separated(outcome, regressors, names, unit, period, units, wanted, separated) -> PpmlFit:
    """The fit without rows whose mean runs to zero, which is where the likelihood has its maximum (Correia, Guimaraes
    and Zylkin 2020); separation where a wanted regressor goes with them.
    """
    keep = np.setdiff1d(np.arange(len(outcome)), separated)
    try:
        fit = fit_ppml(outcome[keep], regressors[keep], names, unit[keep], period[keep], units, wanted)
    except NotEstimable as why:
        raise NotEstimable("separation", len(outcome), why.n_used) from None
    account = fit.account | {"separated": fit.account.get("separated", 0) + len(separated)}
    return replace(fit, rows=keep[fit.rows], n_in=len(outcome), account=account)


def _informative(y: np.ndarray, unit: np.ndarray, period: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """Rows that carry information: units and periods with a positive outcome, units seen twice; until none drops."""
    rows = np.arange(len(y))
    account = {"all_zero_customer": 0, "singleton_customer": 0, "all_zero_month": 0}
    while len(rows):
        before = len(rows)
        for reason, group, weight, least in (("all_zero_month", period, y, 0.0), ("all_zero_customer", unit, y, 0.0),
                                             ("singleton_customer", unit, np.ones(len(y)), 1.0)):
            _, code = np.unique(group[rows], return_inverse=True)
            keep = np.bincount(code, weight[rows])[code] > least if len(rows) else np.zeros(0, bool)
            account[reason] += int(len(rows) - keep.sum())
            rows = rows[keep]
        if len(rows) == before:
            break
    return rows, account


def _why_empty(y: np.ndarray, unit: np.ndarray, period: np.ndarray) -> str:
    if len(y) == 0:
        return "no_overlap"
    if len(np.unique(unit)) == 1:
        return "one_customer"
    if len(np.unique(period)) == 1:
        return "one_month"
    if not np.any(y > 0):
        return "net_returns" if np.any(y < 0) else "no_outcome"
    _, code = np.unique(unit, return_inverse=True)
    return "no_repeat_answers" if np.any(np.bincount(code, y) > 0) else "net_returns"


def _identified(x: np.ndarray, u: np.ndarray, t: np.ndarray, wanted: int, n_in: int) -> list[int]:
    """Columns of which something is left net of both effects: of a wanted one net of all others too, of an adjuster
    net of the columns before it.

    constant_score: the first never varies; collinear: nothing is left of a wanted one.
    """
    if np.ptp(x[:, 0]) == 0:
        raise NotEstimable("constant_score", n_in, len(x))
    if t.max() == 0:
        raise NotEstimable("one_month", n_in, len(x))
    _, net, _ = _last_step(np.ones(len(x)), x, u, t, np.zeros(x.shape[1]), np.zeros(t.max() + 1), flat=True)
    kept: list[int] = []
    for j in range(x.shape[1]):
        left, others = net[:, j], [k for k in range(x.shape[1]) if k != j] if j < wanted else kept
        if others:
            left = left - net[:, others] @ np.linalg.lstsq(net[:, others], left, rcond=None)[0]
        if np.linalg.norm(left) > 1e-6 * max(np.linalg.norm(x[:, j] - x[:, j].mean()), 1e-12):
            kept.append(j)
        elif j < wanted:
            raise NotEstimable("collinear", n_in, len(x))
    return kept


def _fitted(y, x, u, t, coef, season):
    """Mean of every row, with the unit effect that makes each unit's fitted total its observed total."""
    eta = x @ coef + season[t]
    eta -= np.maximum.reduceat(eta[np.argsort(u, kind="stable")], np.r_[0, np.cumsum(np.bincount(u))[:-1]])[u]
    share = np.exp(eta)
    return share * (np.bincount(u, y) / np.bincount(u, share))[u]


def _parts(y, x, u, t, mu):
    """Hessian blocks and scores of (regressors, periods) once unit effects are concentrated out."""
    total = np.bincount(u, mu)
    mean = np.column_stack([np.bincount(u, mu * x[:, j]) for j in range(x.shape[1])]) / total[:, None]
    net = x - mean[u]
    months = int(t.max()) + 1
    share = sparse.csr_matrix((mu, (u, t)), shape=(len(total), months))
    scaled = sparse.diags(1 / np.sqrt(total)) @ share
    h_tt = np.diag(np.bincount(t, mu, minlength=months)) - (scaled.T @ scaled).toarray()
    h_xt = np.column_stack([np.bincount(t, mu * net[:, j], minlength=months) for j in range(x.shape[1])]).T
    h_xx = (net * mu[:, None]).T @ net
    return net, h_xx, h_xt, h_tt


def _newton(y, x, u, t, n_in):
    coef, season = np.zeros(x.shape[1]), np.log(np.bincount(t, y) / np.bincount(t))
    p = x.shape[1]
    mu = _fitted(y, x, u, t, coef, season)
    likelihood = np.sum(y * np.log(mu))
    for _ in range(MAX_STEPS):
        net, h_xx, h_xt, h_tt = _parts(y, x, u, t, mu)
        score = np.r_[net.T @ (y - mu), np.bincount(t, y - mu)[1:]]
        hessian = np.block([[h_xx, h_xt[:, 1:]], [h_xt[:, 1:].T, h_tt[1:, 1:]]])
        step = np.linalg.lstsq(hessian, score, rcond=1e-12)[0]
        size = 1.0
        for _ in range(30):  # halve the step until the likelihood does not fall
            new_coef = coef + size * step[:p]
            new_season = season + size * np.r_[0.0, step[p:]]
            new_mu = _fitted(y, x, u, t, new_coef, new_season)
            with np.errstate(divide="ignore", invalid="ignore"):
                new_likelihood = np.sum(y * np.log(new_mu))
            if np.isfinite(new_likelihood) and new_likelihood >= likelihood - 1e-9 * abs(likelihood):
                break
            size /= 2
        coef, season, mu, likelihood = new_coef, new_season, new_mu, new_likelihood
        if score @ step <= TOLERANCE**1.2 * max(abs(likelihood), 1.0):
            return coef, season
    raise NotEstimable("separation", n_in, len(y))


def _last_step(y, x, u, t, coef, season, flat=False):
    """Fitted means, regressors net of both effects, and their weighted cross product (p, p)."""
    mu = np.ones(len(y)) if flat else _fitted(y, x, u, t, coef, season)
    net, _, h_xt, h_tt = _parts(y, x, u, t, mu)
    slope = np.linalg.lstsq(h_tt[1:, 1:], h_xt[:, 1:].T, rcond=1e-12)[0]
    by_month = np.vstack([np.zeros(x.shape[1]), slope])
    total = np.bincount(u, mu)
    mean = np.column_stack([np.bincount(u, mu * by_month[t, j]) for j in range(x.shape[1])]) / total[:, None]
    net = net - by_month[t] + mean[u]
    return mu, net, (net * mu[:, None]).T @ net
