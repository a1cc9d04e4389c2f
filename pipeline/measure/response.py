"""A score if everybody had answered: raw, weighted for who answers, and how far the silent could move it.

NPS, CSAT and CES alike (see questions); the same for their change against the period before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.asked import Asked, asked_people
from pipeline.measure.clusters import Z95, customer_codes
from pipeline.measure.disclosure import Limits
from pipeline.measure.effort import mean
from pipeline.measure.periods import Periods
from pipeline.measure.questions import NPS, Question, asked_questions
from pipeline.measure.weighting import (
    calibrated_residual,
    clustered_error,
    effective_size,
    indicators,
    rake,
    response_model,
    weighted_mean,
)

STEPS = 20  # of the band, up to a tenth of the scale; more of them where the answer needs them


@dataclass(frozen=True)
class Response:
    """ways: one row per way to sum up (raw, raked, weighted): n, estimate, limits, n_eff, largest_weight.

    odds: one row per level of the response model. band: one row per supposed difference of the silent. claims: all.
    Estimates, limits and differences in the unit of the question's level.
    """

    ways: pd.DataFrame
    odds: pd.DataFrame
    band: pd.DataFrame
    claims: list[Claim]


@dataclass(frozen=True)
class Weighted:
    """estimate (as answers count); parts: shape (rows,), what each row adds to its error; weights: of the answers."""

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
                 limits: Limits, question: Question = NPS) -> Response:
    """The question's score of the headline period if everybody had answered, and its change, from linked tables."""
    now, before = (asked_people(surveys, tickets, sales, totals, covariates, window, time_zone, limits.caution_below,
                                question) if window else None for window in (periods.now, periods.before))
    found = if_all_answered(now, periods.now.label, limits, question)
    return replace(found, claims=[*found.claims, *weighted_change(now, before, periods.now.label, limits, question)])


def of_each_question(surveys: pd.DataFrame | None, *known, top_boxes: dict[str, float]) -> dict[str, Response]:
    """instrument -> of_everybody with the same arguments, for every question that the surveys ask."""
    return {question.instrument: of_everybody(surveys, *known, question) for question in
            asked_questions(surveys, top_boxes)}


def page_tables(found: dict[str, Response]) -> dict[str, pd.DataFrame]:
    """What the pages draw: ways, odds and silent of NPS, and ways_NAME, odds_NAME, silent_NAME of the others."""
    return {f"{name}{'' if instrument == 'nps' else '_' + instrument}": table for instrument, one in found.items()
            if len(one.ways) for name, table in (("ways", one.ways), ("odds", one.odds), ("silent", one.band))}


def if_all_answered(asked: Asked, period: str, limits: Limits, question: Question = NPS) -> Response:
    """Raw and weighted score, effective answers, largest weight, the band of the silent, and the odds of answering."""
    name, unit = question.claim_id, question.unit
    if asked.reason:
        return Response(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), [
            Claim(f"{name}_weighted", None, unit, 0, "", status="not_estimable", reason=asked.reason, period=period)])
    rows = asked.rows
    value, codes = rows["value"].to_numpy(float), rows["code"].to_numpy()
    answered = ~np.isnan(value)
    levels, names = levels_of(asked)
    weighted, raked = by_inverse_probability(value, answered, levels, codes), by_raking(value, answered, levels)
    plain = question.plain if asked.kind == "invitations" else mean  # customers bring the mean of their answers
    raw = plain(value[answered], codes[answered], codes.max() + 1).scaled(question.factor)
    ways = pd.DataFrame([("raw", raw.n, raw.estimate, raw.low, raw.high, float(raw.n), 1.0),
                         *[_way(key, way, codes, question) for key, way in (("raked", raked), ("weighted", weighted))]],
                        columns=["way", "n", "estimate", "ci_low", "ci_high", "n_eff", "largest_weight"])
    rate, status = float(answered.mean()), limits.status(int(answered.sum()))
    tip, reach = _tipping(ways.iloc[2], raw.estimate, rate, question)
    band = _band(ways.iloc[2], rate, question, tip if tip <= reach else 0.0).assign(raw=raw.estimate)
    shift = weighted.parts.copy()
    shift[answered] -= (value[answered] - value[answered].mean()) / answered.sum()
    moved, error = ((weighted.estimate - raw.estimate / question.factor) * question.change_factor,
                    clustered_error(shift, codes) * question.change_factor)
    common = {"period": period, "n_in": len(rows), "status": status, "reason": asked.kind}
    kish, lower = int(ways["n"].iloc[0]), band.iloc[STEPS]
    in_change = question.change_factor / question.factor
    claims = [
        Claim(f"{name}_answer_share", rate, "share", len(rows), "share", period=period, reason=asked.kind),
        *[Claim(f"{name}_{way.way}", way.estimate, unit, kish, method, ci_low=way.ci_low, ci_high=way.ci_high, **common)
          for way, method in zip(ways.iloc[1:].itertuples(), ("raking", "inverse_probability"), strict=True)],
        Claim(f"{name}_weighting_shift", moved, question.change_unit, kish, "inverse_probability",
              ci_low=moved - Z95 * error, ci_high=moved + Z95 * error, detectable=2.8 * error, **common),
        Claim(f"{name}_if_silent_lower", lower.estimate, unit, kish, "tipping_band", ci_low=lower.ci_low,
              ci_high=lower.ci_high, **common),
        _tipping_claim(f"{name}_tipping_points", tip * in_change, tip <= reach, question, kish, common)]
    if question is NPS:
        claims += [Claim("experience.response_n_eff", float(ways["n_eff"].iloc[2]), "count", kish, "kish", **common),
                   Claim("experience.response_largest_weight", float(ways["largest_weight"].iloc[2]), "ratio", kish,
                         "kish", **common)]
    return Response(ways, _odds(asked, levels, names, answered, codes), band, claims)


def weighted_change(now: Asked, before: Asked | None, period: str, limits: Limits,
                    question: Question = NPS) -> list[Claim]:
    """Change of the weighted score against the period before; customers asked in both count as one for its error.

    None where there is no weighted score to begin with.
    """
    name, unit = f"{question.claim_id}_weighted_change", question.change_unit
    if now.reason:
        return []
    reason = "no_earlier_period" if before is None else before.reason
    if reason:
        return [Claim(name, None, unit, 0, "inverse_probability", status="not_estimable", reason=reason, period=period)]
    found = []
    for asked in (now, before):
        value, answered = asked.rows["value"].to_numpy(float), asked.rows["value"].notna().to_numpy()
        way = by_inverse_probability(value, answered, levels_of(asked)[0], asked.rows["code"].to_numpy())
        found.append((way.estimate, way.parts, int(answered.sum())))
    (first, parts, n), (second, parts_before, n_before) = found
    customers = customer_codes(pd.concat([now.rows["customer_id"], before.rows["customer_id"]], ignore_index=True))
    error = clustered_error(np.concatenate([parts, -parts_before]), customers) * question.change_factor
    moved = (first - second) * question.change_factor
    return [Claim(name, moved, unit, n + n_before, "inverse_probability", ci_low=moved - Z95 * error,
                  ci_high=moved + Z95 * error, status=limits.status(min(n, n_before)), period=period,
                  n_in=len(now.rows) + len(before.rows), detectable=2.8 * error)]


def _way(name: str, way: Weighted, codes: np.ndarray, question: Question) -> tuple:
    half = Z95 * clustered_error(way.parts, codes)
    low, high = max(way.estimate - half, question.lowest), min(way.estimate + half, question.highest)
    return (name, len(way.weights), *(part * question.factor for part in (way.estimate, low, high)),
            effective_size(way.weights), float(way.weights.max() / way.weights.mean()))


def _tipping(weighted: pd.Series, raw: float, rate: float, question: Question) -> tuple[float, float]:
    """By how much lower the silent must score for the score to leave the weighted interval; and by how much they can.

    They can at most fall to the end of the scale from where those like them stand.
    """
    like_them = (weighted["estimate"] - rate * raw) / (1 - rate)
    return (weighted["estimate"] - weighted["ci_low"]) / (1 - rate), like_them - question.lowest * question.factor


def _tipping_claim(claim_id: str, tip: float, is_there: bool, question: Question, n: int, common: dict) -> Claim:
    if is_there:
        return Claim(claim_id, tip, question.change_unit, n, "tipping_band", **common)
    return Claim(claim_id, None, question.change_unit, n, "tipping_band",
                 **common | {"status": "not_estimable", "reason": "no_tipping_point"})


def _band(weighted: pd.Series, rate: float, question: Question, tip: float) -> pd.DataFrame:
    """The score of all asked, by how much lower the silent score than those who are like them and answered.

    Up to a tenth of the scale, and on to a tenth of it beyond the tipping point where that lies further out.
    """
    step = question.tenth * question.factor / STEPS
    last = STEPS if tip <= STEPS * step else int(np.ceil(tip / step / STEPS)) * STEPS
    delta = np.arange(last + 1) * step
    drop, lowest = delta * (1 - rate), question.lowest * question.factor
    return pd.DataFrame({"delta": delta} | {
        name: np.maximum(weighted[name] - drop, lowest) for name in ("estimate", "ci_low", "ci_high")})


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
