"""Weights for who did not answer: response model, inverse response probability, raking, and their clustered errors.

Groups are told by whole numbers: shape (rows, margins), each column the level of one margin.
"""

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-10


@dataclass(frozen=True)
class ResponseModel:
    """A logit of answering. coefficients: shape (columns,); covariance: (columns, columns), clustered by customer.

    probability: shape (rows,). step: shape (rows, columns), what each row moves the coefficients by.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    probability: np.ndarray
    step: np.ndarray


def indicators(levels: np.ndarray) -> np.ndarray:
    """A constant, then one 0/1 column for every level but the lowest of each margin: shape (rows, columns)."""
    columns = [np.ones(len(levels))]
    for margin in levels.T:
        columns += [(margin == level).astype(float) for level in np.unique(margin)[1:]]
    return np.column_stack(columns)


def response_model(answered: np.ndarray, levels: np.ndarray, codes: np.ndarray) -> ResponseModel:
    """Logit of answering on the levels of all margins, by Newton's method; errors clustered by customer.

    Levels in which everybody or nobody answered must have been pooled before: they have no finite coefficient.
    """
    x = indicators(levels)
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(answered.mean() / (1 - answered.mean()))
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ beta))
        inverse = np.linalg.pinv(x.T @ (x * (p * (1 - p))[:, None]))
        move = inverse @ (x.T @ (answered - p))
        beta = beta + move
        if np.abs(move).max() < TOLERANCE:
            break
    p = 1 / (1 + np.exp(-x @ beta))
    step = (x * (answered - p)[:, None]) @ inverse
    return ResponseModel(beta, _clustered(step, codes), p, step)


def rake(weights: np.ndarray, levels: np.ndarray, targets: list[np.ndarray]) -> np.ndarray:
    """Weights moved until every margin adds up to its targets (iterative proportional fitting, Deming-Stephan 1940).

    targets: per margin the totals by level, every level of the targets being there among the rows.
    """
    moved = np.asarray(weights, dtype=float).copy()
    for _ in range(1000):
        furthest = 0.0
        for margin, wanted in zip(levels.T, targets, strict=True):
            have = np.bincount(margin, weights=moved, minlength=len(wanted))
            factor = np.divide(wanted, have, out=np.ones(len(wanted)), where=have > 0)
            furthest = max(furthest, np.abs(factor - 1).max())
            moved *= factor[margin]
        if furthest < TOLERANCE:
            break
    return moved


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Sum of weights times values over the sum of weights."""
    return float((weights * values).sum() / weights.sum())


def calibrated_residual(values: np.ndarray, base: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """What the margins do not explain of the values, by least squares under the base weights.

    Only this part of a raked total is uncertain (Deville and Saerndal 1992, JASA 87:376).
    """
    x, root = indicators(levels), np.sqrt(base)
    fitted = np.linalg.lstsq(x * root[:, None], values * root, rcond=None)[0]
    return values - x @ fitted


def clustered_error(parts: np.ndarray, codes: np.ndarray) -> float:
    """Standard error of a sum whose parts (shape (rows,)) go together by customer, with the factor G/(G-1)."""
    return float(np.sqrt(_clustered(parts[:, None], codes)[0, 0]))


def stretch(codes: np.ndarray, columns: int) -> float:
    """What errors are multiplied by for the columns that were fitted to the answers of these customers (codes).

    The root of (G - 1) / (G - k), as for a regression (Cameron and Miller 2015, J Hum Resour 50:317, 2.3): with forty
    branches to weigh by, residuals are smaller than what they stand for.
    """
    customers = len(np.unique(codes))
    return float(np.sqrt((customers - 1) / (customers - columns))) if customers > columns else 1.0


def shift_error(parts: np.ndarray, value: np.ndarray, answered: np.ndarray, levels: np.ndarray,
                codes: np.ndarray) -> float:
    """Standard error of weighted less raw; parts: (rows,) of the difference, value: of all asked, missing when silent.

    The difference is a product: by how much who answers differs, times by how much that moves the answer. Where both
    are near nothing, the square of the linear error counts their noise twice (Goodman 1960, JASA 55:708): once it is
    taken off, but never more than half of the linear error.
    """
    x = indicators(levels)[:, 1:]
    n, inside = answered.sum(), x[answered] - x[answered].mean(axis=0)
    apart = value[answered] - value[answered].mean()
    inverse = np.linalg.pinv(inside.T @ inside)
    residual = apart - inside @ (inverse @ (inside.T @ apart))
    who = (x - x.mean(axis=0)) / len(x)
    who[answered] -= inside / n
    twice = np.trace(_clustered((inside * residual[:, None]) @ inverse, codes[answered]) @ _clustered(who, codes))
    linear = clustered_error(parts, codes) ** 2
    return float(np.sqrt(max(linear - twice, linear / 4)))


def effective_size(weights: np.ndarray) -> float:
    """(sum of weights)^2 / sum of squares (Kish 1965): how many unweighted answers say as much."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _clustered(parts: np.ndarray, codes: np.ndarray) -> np.ndarray:
    _, places = np.unique(codes, return_inverse=True)
    count = places.max() + 1
    sums = np.column_stack([np.bincount(places, weights=column, minlength=count) for column in parts.T])
    return sums.T @ sums * (count / max(count - 1, 1))
