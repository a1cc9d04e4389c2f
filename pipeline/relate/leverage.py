"""Residuals as they would be had the model been fitted without their customer: the delete-one-customer error.

And coefficients as they would be without a month, or without one row: with them errors by customer and month.

A customer who spends much pulls the fit towards their own rows, so that their residuals, and with them the plain
cluster sandwich, come out too small. (I - H_i)^-1 e_i, H_i the hat matrix among customer i's rows, undoes that: CR3
of Bell and McCaffrey (2002), the one-step jackknife by customer.
"""

import numpy as np
from scipy import sparse

MOST = 0.95  # a direction that a customer determines (nearly) alone: its residual is unknown, not endless


def without_own_pull(design: np.ndarray, weight: np.ndarray, residual: np.ndarray, customer: np.ndarray) -> np.ndarray:
    """Residuals (n,) net of each customer's own pull on the fit.

    design: (n, k) columns of the model. weight: (n,) working weights. residual: (n,) raw, outcome less fitted, whose
    cross product with the design is the score. customer: (n,) codes.
    """
    root = np.sqrt(weight)
    scaled = design * root[:, None]
    values, axes = np.linalg.eigh(scaled.T @ scaled)
    kept = values > 1e-10 * values[-1]
    basis = scaled @ (axes[:, kept] / np.sqrt(values[kept]))
    raised = np.array(residual, float)
    order = np.argsort(customer, kind="stable")
    _, first, count = np.unique(customer[order], return_index=True, return_counts=True)
    for size in np.unique(count):
        places = order[first[count == size][:, None] + np.arange(size)]
        block = basis[places]
        pull, turn = np.linalg.eigh(block @ block.transpose(0, 2, 1))
        own = (turn.transpose(0, 2, 1) @ (residual[places] / root[places])[:, :, None])[:, :, 0]
        own /= 1 - np.clip(pull, 0, MOST)
        raised[places] = (turn @ own[:, :, None])[:, :, 0] * root[places]
    return raised


def without_each(net: np.ndarray, weight: np.ndarray, residual: np.ndarray, unit: np.ndarray, period: np.ndarray
                 ) -> tuple[np.ndarray, np.ndarray]:
    """What leaving out each period (periods, p), and each row (n, p), would change in the coefficients, in one step.

    net: (n, p) regressors net of unit and period effects. weight, residual: (n,) as in without_own_pull. unit, period:
    (n,) codes without gaps. A row that goes takes its part of its unit's effect with it: it counts 1 / (1 - its share
    of the unit's weight) times. Periods are left out one after the other, by solving the equations of those that stay.
    """
    months, p = int(period.max()) + 1, net.shape[1]
    total = np.bincount(unit, weight)
    share = sparse.csr_matrix((weight / total[unit], (unit, period)), shape=(len(total), months))
    whole = np.zeros((p + months, p + months))
    whole[:p, :p] = (net * weight[:, None]).T @ net
    whole[p:, p:] = np.diag(np.bincount(period, weight)) - (share.T @ sparse.diags(total) @ share).toarray()
    scale = np.sqrt(np.maximum(np.diag(whole), 1e-300))
    whole /= np.outer(scale, scale)
    inverse = np.linalg.pinv(whole, rcond=1e-10, hermitian=True)
    by_period, by_row = np.zeros((months, p)), np.zeros((len(net), p))
    order = np.argsort(period, kind="stable")
    for month, rows in enumerate(np.split(order, np.cumsum(np.bincount(period))[:-1])):
        own = weight[rows] / total[unit[rows]]
        design = np.hstack([net[rows], -share[unit[rows]].toarray()])
        design[:, p + month] += 1
        design /= scale
        more = 1 / (1 - np.minimum(own, MOST))
        score, counts = design * (residual[rows] * more)[:, None], weight[rows] * more
        stays = whole - (design * counts[:, None]).T @ design
        by_period[month] = -np.linalg.lstsq(stays, score.sum(axis=0), rcond=1e-10)[0][:p] / scale[:p]
        solved = design @ inverse
        pull = own + weight[rows] * (solved * design).sum(axis=1)
        by_row[rows] = -solved[:, :p] / scale[:p] * (residual[rows] / (1 - np.minimum(pull, MOST)))[:, None]
    return by_period, by_row
