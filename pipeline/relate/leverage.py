"""Residuals as they would be had the model been fitted without their customer: the delete-one-customer error.

A customer who spends much pulls the fit towards their own rows, so that their residuals, and with them the plain
cluster sandwich, come out too small. (I - H_i)^-1 e_i, H_i the hat matrix among customer i's rows, undoes that: CR3
of Bell and McCaffrey (2002), the one-step jackknife by customer.
"""

import numpy as np

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
