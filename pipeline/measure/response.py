"""NPS if everybody had answered: raw, weighted for who answers, and how far the silent could move it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.asked import Asked, asked_people
from pipeline.measure.clusters import Z95
from pipeline.measure.disclosure import Limits
from pipeline.measure.effort import mean
from pipeline.measure.nps import nps
from pipeline.measure.periods import Periods
from pipeline.measure.weighting import (
    calibrated_residual,
    clustered_error,
    effective_size,
    indicators,
    rake,
    response_model,
    weighted_mean,
)

DELTAS = np.arange(0, 21)  # points by which the silent are supposed to score lower


@dataclass(frozen=True)
class Response:
    """ways: one row per way to sum up (raw, raked, weighted): n, estimate, limits (points), n_eff, largest_weight.

    odds: one row per level of the response model. band: one row per supposed difference of the silent. claims: all.
    """

    ways: pd.DataFrame
    odds: pd.DataFrame
    band: pd.DataFrame
    claims: list[Claim]


@dataclass(frozen=True)
class Weighted:
    """estimate (share, -1 to 1); parts: shape (rows,), what each row adds to its error; weights: of the answers."""

    estimate: float
    parts: np.ndarray
    weights: np.ndarray


def levels_of(asked: Asked) -> tuple[np.ndarray, list[list[str]]]:
    """Per row and covariate the number of its level; and the names of the levels."""
    parts = [pd.factorize(asked.rows[name], sort=True) for name in asked.covariates]
    return np.column_stack([codes for codes, _ in parts]), [list(names) for _, names in parts]


def by_inverse_probability(value: np.ndarray, answered: np.ndarray, levels: np.ndarray, codes: np.ndarray) -> Weighted:
    """Each answer counts one over its probability of being given; the error knows that this was estimated too.

    Linearisation of both steps at once (Lunceford and Davidian 2004, Stat Med 23:2937).
    """
    model = response_model(answered.astype(float), levels, codes)
    weights = 1 / model.probability[answered]
    estimate = weighted_mean(value[answered], weights)
    apart = value[answered] - estimate
    slope = -((weights - 1) * apart) @ indicators(levels)[answered] / weights.sum()
    parts = model.step @ slope
    parts[answered] += weights * apart / weights.sum()
    return Weighted(estimate, parts, weights)


def by_raking(value: np.ndarray, answered: np.ndarray, levels: np.ndarray) -> Weighted:
    """The answers raked until every margin has the sizes it has among all who were asked.

    Those asked are themselves one draw of customers: what the margins explain adds its own part to the error.
    """
    targets = [np.bincount(margin).astype(float) for margin in levels.T]
    base = np.full(answered.sum(), len(answered) / answered.sum())
    weights = rake(base, levels[answered], targets)
    estimate = weighted_mean(value[answered], weights)
    residual = calibrated_residual(value[answered] - estimate, base, levels[answered])
    x = indicators(levels)
    fit = np.linalg.lstsq(x[answered], value[answered] - estimate, rcond=None)[0]
    parts = x @ fit / len(answered)
    parts[answered] += weights * residual / weights.sum()
    return Weighted(estimate, parts, weights)


def of_everybody(surveys: pd.DataFrame | None, tickets: pd.DataFrame | None, sales: pd.DataFrame | None,
                 totals: pd.DataFrame | None, covariates: Sequence[str], periods: Periods, time_zone: str,
                 limits: Limits) -> Response:
    """NPS of the headline period if everybody had answered, from linked tables."""
    asked = asked_people(surveys, tickets, sales, totals, covariates, periods, time_zone, limits.caution_below)
    return nps_if_all_answered(asked, periods.now.label, limits)


def nps_if_all_answered(asked: Asked, period: str, limits: Limits) -> Response:
    """Raw and weighted NPS, effective answers, largest weight, the band of the silent, and the odds of answering."""
    if asked.reason:
        return Response(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), [
            Claim("experience.nps_weighted", None, "points", 0, "", status="not_estimable", reason=asked.reason,
                  period=period)])
    rows = asked.rows
    value, codes = rows["value"].to_numpy(float), rows["code"].to_numpy()
    answered = ~np.isnan(value)
    levels, names = levels_of(asked)
    weighted, raked = by_inverse_probability(value, answered, levels, codes), by_raking(value, answered, levels)
    plain = nps if asked.kind == "invitations" else mean  # customers bring the mean of their answers
    raw = plain(value[answered], codes[answered], codes.max() + 1).scaled(100)
    ways = pd.DataFrame([("raw", raw.n, raw.estimate, raw.low, raw.high, float(raw.n), 1.0),
                         *[_way(name, way, codes) for name, way in (("raked", raked), ("weighted", weighted))]],
                        columns=["way", "n", "estimate", "ci_low", "ci_high", "n_eff", "largest_weight"])
    rate, status = float(answered.mean()), limits.status(int(answered.sum()))
    band = _band(ways.iloc[2], rate).assign(raw=raw.estimate)
    shift = weighted.parts.copy()
    shift[answered] -= (value[answered] - value[answered].mean()) / answered.sum()
    moved, error = (weighted.estimate - raw.estimate / 100) * 100, clustered_error(shift, codes) * 100
    common = {"period": period, "n_in": len(rows), "status": status, "reason": asked.kind}
    kish = int(ways["n"].iloc[0])
    last, margin = band.iloc[-1], (ways["estimate"] - ways["ci_low"]).iloc[2] / (1 - rate)
    claims = [
        Claim("experience.nps_answer_share", rate, "share", len(rows), "share", period=period, reason=asked.kind),
        *[Claim(f"experience.nps_{way.way}", way.estimate, "points", kish, method, ci_low=way.ci_low,
                ci_high=way.ci_high, **common)
          for way, method in zip(ways.iloc[1:].itertuples(), ("raking", "inverse_probability"), strict=True)],
        Claim("experience.nps_weighting_shift", moved, "points", kish, "inverse_probability",
              ci_low=moved - Z95 * error, ci_high=moved + Z95 * error, detectable=2.8 * error, **common),
        Claim("experience.response_n_eff", float(ways["n_eff"].iloc[2]), "count", kish, "kish", **common),
        Claim("experience.response_largest_weight", float(ways["largest_weight"].iloc[2]), "ratio", kish, "kish",
              **common),
        Claim("experience.nps_if_silent_lower", last.estimate, "points", kish, "tipping_band", ci_low=last.ci_low,
              ci_high=last.ci_high, **common),
        Claim("experience.nps_tipping_points", margin, "points", kish, "tipping_band", **common)]
    return Response(ways, _odds(asked, levels, names, answered, codes), band, claims)


def _way(name: str, way: Weighted, codes: np.ndarray) -> tuple:
    half = Z95 * clustered_error(way.parts, codes)
    low, high = max(way.estimate - half, -1.0), min(way.estimate + half, 1.0)
    return (name, len(way.weights), way.estimate * 100, low * 100, high * 100, effective_size(way.weights),
            float(way.weights.max() / way.weights.mean()))


def _band(weighted: pd.Series, rate: float) -> pd.DataFrame:
    """NPS of all asked, by how many points lower the silent score than those who are like them and answered."""
    drop = DELTAS * (1 - rate)
    return pd.DataFrame({"delta": DELTAS.astype(float)} | {
        name: np.maximum(weighted[name] - drop, -100.0) for name in ("estimate", "ci_low", "ci_high")})


def _odds(asked: Asked, levels: np.ndarray, names: list[list[str]], answered: np.ndarray,
          codes: np.ndarray) -> pd.DataFrame:
    """One row per level: asked, answered, and its odds of answering against the first level, all else equal."""
    model = response_model(answered.astype(float), levels, codes)
    found, place = [], 0
    for number, (dimension, texts) in enumerate(zip(asked.covariates, names, strict=True)):
        for level, text in enumerate(texts):
            mine = levels[:, number] == level
            place += level > 0
            beta = model.coefficients[place] if level else 0.0
            half = Z95 * np.sqrt(model.covariance[place, place]) if level else np.nan
            found.append((dimension, f"{dimension}:{text}", int(mine.sum()), float(answered[mine].mean()),
                          float(np.exp(beta)), float(np.exp(beta - half)), float(np.exp(beta + half))))
    return pd.DataFrame(found, columns=["dimension", "segment", "n", "answered_share", "estimate", "ci_low",
                                        "ci_high"])
