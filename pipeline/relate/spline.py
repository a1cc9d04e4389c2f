"""The shape of score and sales as a restricted cubic spline with three degrees of freedom (Harrell 2001, 2.4.5).

Straight beyond the outer knots, where answers are few. Declared beforehand, shown beside the dummy per answer, never
picked by its p-value. Claim: sales.shape.spline_departure (p-value of the two terms that bend the line).
"""

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.relate.estimate import NotEstimable, no_claim
from pipeline.relate.sales import p_claim
from pipeline.relate.sample import SalesSample, fit_sales

METHOD = "ppml_spline"
QUANTILES = (0.05, 0.35, 0.65, 0.95)
COLUMNS = ["score", "spline", "spline_low", "spline_high"]


def knots_of(score: np.ndarray) -> np.ndarray:
    """Four knots at Harrell's quantiles; where answers bunch, spread evenly between the outer ones."""
    knots = np.quantile(score, QUANTILES)
    return knots if len(np.unique(knots)) == len(knots) else np.linspace(knots[0], knots[-1], len(knots))


def bends(score: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """(n, knots - 2) columns that bend the line between the knots and leave it straight outside."""
    def cube(at):
        return np.clip(score - at, 0, None) ** 3

    last, before = knots[-1], knots[-2]
    width = (last - knots[0]) ** 2
    return np.column_stack([(cube(k) - cube(before) * (last - k) / (last - before)
                             + cube(last) * (before - k) / (last - before)) / width for k in knots[:-2]])


def spline(sample: SalesSample, base: float | None = None) -> tuple[Claim, pd.DataFrame]:
    """The test and the curve: percent of next month's sales by score, against `base` (else the most frequent)."""
    claim_id, empty = "sales.shape.spline_departure", pd.DataFrame(columns=COLUMNS, dtype=float)
    try:
        if sample.problem:
            raise sample.problem
        score = sample.rows["score"].to_numpy(float)
        knots = knots_of(score)
        if np.ptp(score) == 0 or knots[0] == knots[-1]:
            raise NotEstimable("constant_score", len(score))
        extra = bends(score, knots)
        fit = fit_sales(sample, ["score", "bend_1", "bend_2"],
                        rows=sample.rows.assign(bend_1=extra[:, 0], bend_2=extra[:, 1]))
    except NotEstimable as why:
        return no_claim(claim_id, why, "ratio", METHOD), empty
    base = float(sample.rows["score"].mode().iloc[0]) if base is None else base
    grid = np.arange(np.floor(score.min()), np.ceil(score.max()) + 1)
    here, there = (np.column_stack([at, bends(at, knots)]) for at in (grid, np.array([base])))
    gap = here - there
    curve, spread = gap @ fit.coef[:3], np.sqrt(np.einsum("ij,jk,ik->i", gap, fit.covariance[:3, :3], gap))
    half = spread * fit.quantile
    table = pd.DataFrame(dict(zip(COLUMNS, (grid, *(100 * np.expm1(v) for v in (curve, curve - half, curve + half))),
                                  strict=True)))
    return p_claim(claim_id, fit, np.eye(len(fit.names))[1:3], METHOD), table


def with_spline(table: pd.DataFrame, curve: pd.DataFrame) -> pd.DataFrame:
    """The table of sales.shape with the curve at its answers."""
    at = table["score"].astype(float)
    return table.assign(**{name: at.map(curve.set_index("score")[name]).astype(float) for name in COLUMNS[1:]})
