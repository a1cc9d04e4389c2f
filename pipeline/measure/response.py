"""A score if everybody had answered: raw, weighted for who answers, and how far the silent could move it.

NPS, CSAT and CES alike (see questions); the same for their change against the period before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.asked import Asked, asked_people
from pipeline.measure.band import STEPS, band_of, tipping, tipping_claim
from pipeline.measure.change import mover
from pipeline.measure.clusters import Z95, customer_codes
from pipeline.measure.disclosure import Limits
from pipeline.measure.effort import alike_limits, mean
from pipeline.measure.periods import Periods
from pipeline.measure.questions import NPS, Question, asked_questions
from pipeline.measure.weighting import (
    calibrated_residual,
    clustered_error,
    effective_size,
    indicators,
    rake,
    response_model,
    shift_error,
    stretch,
    weighted_mean,
)


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
    """estimate (as answers count); weights: of the answers; parts: shape (rows,), what each row adds to its error, made
    `wider` for what was fitted (stretch)."""

    estimate: float
    parts: np.ndarray
    weights: np.ndarray
    wider: float


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
    wider = stretch(codes[answered], len(slope))
    return Weighted(estimate, parts * wider, weights, wider)


def by_raking(value: np.ndarray, answered: np.ndarray, levels: np.ndarray, codes: np.ndarray) -> Weighted:
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
    wider = stretch(codes[answered], len(fit))
    return Weighted(estimate, parts * wider, weights, wider)


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
    left_out = left_out_claims(asked, period, question)
    if asked.reason:
        return Response(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), [
            Claim(f"{name}_weighted", None, unit, 0, "", status="not_estimable", reason=asked.reason, period=period),
            *left_out])
    rows = asked.rows
    value, codes = rows["value"].to_numpy(float), rows["code"].to_numpy()
    answered = ~np.isnan(value)
    levels, names = levels_of(asked)
    weighted, raked = by_inverse_probability(value, answered, levels, codes), by_raking(value, answered, levels, codes)
    ends = {"lowest": question.lowest, "highest": question.highest}
    plain = question.plain if asked.kind == "invitations" else partial(mean, **ends)  # customers bring their mean
    raw = plain(value[answered], codes[answered], codes.max() + 1).scaled(question.factor)
    alike = are_alike(value)
    ways = pd.DataFrame([("raw", raw.n, raw.estimate, raw.low, raw.high, float(raw.n), 1.0),
                         *[_way(key, way, value, codes, question)
                           for key, way in (("raked", raked), ("weighted", weighted))]],
                        columns=["way", "n", "estimate", "ci_low", "ci_high", "n_eff", "largest_weight"])
    rate, status = float(answered.mean()), limits.status(int(answered.sum()), len(np.unique(codes[answered])))
    tip, reach = tipping(ways.iloc[2], raw.estimate, rate, question)
    band = band_of(ways.iloc[2], rate, question, tip if tip <= reach else 0.0).assign(raw=raw.estimate)
    shift = weighted.parts.copy()  # no error of its own where all answers are alike: then there is no figure
    shift[answered] -= weighted.wider * (value[answered] - value[answered].mean()) / answered.sum()
    moved, error = ((weighted.estimate - raw.estimate / question.factor) * question.change_factor,
                    shift_error(shift, value, answered, levels, codes) * question.change_factor)
    common = {"period": period, "n_in": len(rows), "status": status, "reason": asked.kind,
              "people": len(np.unique(codes[answered]))}
    kish, lower = int(ways["n"].iloc[0]), band.iloc[STEPS]
    in_change = question.change_factor / question.factor
    claims = [
        Claim(f"{name}_answer_share", rate, "share", len(rows), "share", period=period, reason=asked.kind,
              people=len(np.unique(codes))),
        *[Claim(f"{name}_{way.way}", way.estimate, unit, kish, method, ci_low=way.ci_low, ci_high=way.ci_high, **common)
          for way, method in zip(ways.iloc[1:].itertuples(), ("raking", "inverse_probability"), strict=True)],
        _no_shift(f"{name}_weighting_shift", question, kish, common) if alike else
        Claim(f"{name}_weighting_shift", moved, question.change_unit, kish, "inverse_probability",
              ci_low=moved - Z95 * error, ci_high=moved + Z95 * error, detectable=2.8 * error, **common),
        Claim(f"{name}_if_silent_lower", lower.estimate, unit, kish, "tipping_band", ci_low=lower.ci_low,
              ci_high=lower.ci_high, **common),
        tipping_claim(f"{name}_tipping_points", tip * in_change, tip <= reach, question, kish, common)]
    if question is NPS:
        claims += [Claim("experience.response_n_eff", float(ways["n_eff"].iloc[2]), "count", kish, "kish", **common),
                   Claim("experience.response_largest_weight", float(ways["largest_weight"].iloc[2]), "ratio", kish,
                         "kish", **common)]
    return Response(ways, _odds(asked, levels, names, answered, codes), band, [*claims, *left_out])


def left_out_claims(asked: Asked, period: str, question: Question) -> list[Claim]:
    """One claim without a figure per declared covariate that the weights do not use, with its reason."""
    return [Claim(f"{question.claim_id}_left_out", None, "count", 0, "", status="not_estimable", reason=reason,
                  period=period, segment=f"covariate:{name}") for name, reason in asked.left_out.items()]


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
    found, ends, is_alike = [], [], False
    for asked in (now, before):
        value, codes = asked.rows["value"].to_numpy(float), asked.rows["code"].to_numpy()
        way = by_inverse_probability(value, ~np.isnan(value), levels_of(asked)[0], codes)
        found.append(way)
        ends += [way.estimate, *weighted_limits(way, value, codes, question)]
        is_alike = is_alike or are_alike(value)
    first, second = found
    n, n_before = len(first.weights), len(second.weights)
    people = min(part.rows.loc[part.rows["value"].notna(), "code"].nunique() for part in (now, before))
    customers = customer_codes(pd.concat([now.rows["customer_id"], before.rows["customer_id"]], ignore_index=True))
    error = clustered_error(np.concatenate([first.parts, -second.parts]), customers)
    moved = first.estimate - second.estimate
    low, high = mover(*ends) if is_alike else (moved - Z95 * error, moved + Z95 * error)
    low, moved, high = (part * question.change_factor for part in (low, moved, high))
    return [Claim(name, moved, unit, n + n_before, "inverse_probability", ci_low=low, ci_high=high,
                  status=limits.status(min(n, n_before), people), period=period, people=people,
                  n_in=len(now.rows) + len(before.rows),
                  detectable=2.8 * (high - low) / (2 * Z95))]


def are_alike(value: np.ndarray) -> bool:
    """Whether all answers (missing: silent) are the same."""
    given = value[~np.isnan(value)]
    return len(given) > 0 and np.ptp(given) == 0


def weighted_limits(way: Weighted, value: np.ndarray, codes: np.ndarray, question: Question) -> tuple[float, float]:
    """Linearised interval inside the scale; where all answers are alike, the score interval at n_eff customers.

    value, codes: of all who were asked; limits as answers count.
    """
    if are_alike(value):
        by_customer = np.bincount(codes[~np.isnan(value)], way.weights)
        return alike_limits(way.estimate, effective_size(by_customer[by_customer > 0]), question.lowest,
                            question.highest)
    half = Z95 * clustered_error(way.parts, codes)
    return max(way.estimate - half, question.lowest), min(way.estimate + half, question.highest)


def _no_shift(claim_id: str, question: Question, n: int, common: dict) -> Claim:
    return Claim(claim_id, None, question.change_unit, n, "inverse_probability",
                 **common | {"status": "not_estimable", "reason": "alike_answers"})


def _way(name: str, way: Weighted, value: np.ndarray, codes: np.ndarray, question: Question) -> tuple:
    low, high = weighted_limits(way, value, codes, question)
    return (name, len(way.weights), *(part * question.factor for part in (way.estimate, low, high)),
            effective_size(way.weights), float(way.weights.max() / way.weights.mean()))


def _odds(asked: Asked, levels: np.ndarray, names: list[list[str]], answered: np.ndarray,
          codes: np.ndarray) -> pd.DataFrame:
    """One row per level: asked, the people behind them, share answered, and its odds of answering against the first
    level, all else equal."""
    model = response_model(answered.astype(float), levels, codes)
    found, place = [], 0
    for number, (dimension, texts) in enumerate(zip(asked.covariates, names, strict=True)):
        for level, text in enumerate(texts):
            mine = levels[:, number] == level
            place += level > 0
            beta = model.coefficients[place] if level else 0.0
            half = Z95 * np.sqrt(model.covariance[place, place]) if level else np.nan
            found.append((dimension, f"{dimension}:{text}", int(mine.sum()), float(answered[mine].mean()),
                          float(np.exp(beta)), float(np.exp(beta - half)), float(np.exp(beta + half)),
                          len(np.unique(codes[mine]))))
    return pd.DataFrame(found, columns=["dimension", "segment", "n", "answered_share", "estimate", "ci_low",
                                        "ci_high", "people"])
