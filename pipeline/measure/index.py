"""The experience index: every contact carries its evaluation, direct and indirect ones with their declared weights.

A contact is worth 100 when positive, 0 when neutral and -100 when negative (the mean over the questions that it was
asked, each labelled by its own declared cuts). The index is the weighted sum of the means of both kinds of contact.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.contracts.refusal import Refusal
from pipeline.measure.clusters import Score, influence
from pipeline.measure.disclosure import Limits
from pipeline.measure.effort import alike_limits, mean
from pipeline.measure.experience_label import labels
from pipeline.measure.metrics import Metric
from pipeline.measure.periods import Periods, in_window

KINDS = ("direct", "indirect")
NO_SPREAD = 1e-9  # of the worth of a contact: what a customer moves the mean by, where all are of one mind
WORTH = {"negative": -100.0, "neutral": 0.0, "positive": 100.0}


def normalised(weights: dict[str, float]) -> dict[str, float]:
    """The declared weights, adding up to 1; Refusal PARAM-INDEX for other names, negative ones or nothing at all."""
    if set(weights) != set(KINDS) or min(weights.values()) < 0 or sum(weights.values()) <= 0:
        raise Refusal("PARAM-INDEX", "experience.index_weights must weigh direct and indirect contacts",
                      file="params.yaml", found=repr(weights), expected="{direct: 0.5, indirect: 0.5} or the like")
    return {kind: weights[kind] / sum(weights.values()) for kind in KINDS}


def evaluated_contacts(answers: pd.DataFrame, cuts: dict[str, list[float]]) -> pd.DataFrame:
    """One row per contact that was evaluated (one survey about it): value (-100 to 100), kind, month and customer code.

    Answers about the relation as a whole are of no contact, and are left out.
    """
    columns = ["response_id", "value", "kind", "month", "code"]
    if answers.empty or not answers["is_direct"].notna().any():
        return pd.DataFrame(columns=columns)
    worth = labels(answers, cuts).map(WORTH).astype(float)
    rows = answers.assign(value=worth)[worth.notna() & answers["is_direct"].notna()]
    found = rows.groupby("response_id", sort=True).agg(
        value=("value", "mean"), is_direct=("is_direct", "first"), month=("month", "first"), code=("code", "first"))
    kind = np.where(found["is_direct"].astype(bool), "direct", "indirect")
    return found.reset_index().assign(kind=kind)[columns]


def index_score(weights: dict[str, float], n_codes: int) -> Callable[[pd.DataFrame], Score]:
    """rows -> index with its t interval, clustered by customer over both kinds; nan where a weighed kind is missing.

    The variance is that of leaving one customer out: the rarer kind has few contacts, and each pulls its own mean. The
    interval is made on the logit of the scale (on_the_scale); a kind without spread has that of alike answers.
    """

    def score(rows: pd.DataFrame) -> Score:
        parts = {kind: rows[rows["kind"] == kind] for kind in KINDS if weights[kind] > 0}
        codes = rows["code"].to_numpy()
        n_clusters = len(np.unique(codes))
        if min(len(part) for part in parts.values()) == 0 or n_clusters < 2:
            return Score(np.nan, np.nan, np.nan, len(rows), n_clusters)
        estimate, moved, plain, without = 0.0, np.zeros(n_codes), 0.0, {}
        for kind, part in parts.items():
            values, who = part["value"].to_numpy(float), part["code"].to_numpy()
            estimate += weights[kind] * values.mean()
            pull = np.bincount(who, minlength=n_codes) / len(values)
            pulled = influence(values, who, n_codes) / np.where(pull < 1, 1 - pull, 1.0)
            moved += weights[kind] * pulled
            plain += weights[kind] ** 2 * values.var() / len(values)
            if np.abs(pulled).max() < NO_SPREAD:
                without[kind] = (weights[kind], values.mean(), pull)
        variance = (moved**2).sum() * (n_clusters - 1) / n_clusters
        half = stats.t.ppf(0.975, n_clusters - 1) * np.sqrt(variance)
        effect = max(1.0, variance / plain) if plain > 0 else len(rows) / n_clusters
        low, high = with_alike(estimate, on_the_scale(estimate, half), [*without.values()])
        return Score(estimate, low, high, len(rows), n_clusters, float(effect), moved)

    return score


def with_alike(estimate: float, limits: tuple[float, float],
               without: list[tuple[float, float, np.ndarray]]) -> tuple[float, float]:
    """Limits of the index widened for the kinds of contact whose customers all say the same: no spread, no certainty.

    without: weight, mean and each customer's share of the contacts, per such kind. Its mean has the limits of
    alike_limits; limits of parts are put together as those of a sum (Zou and Donner 2008). Two such kinds go together
    as far as the same customers stand behind both, each of whom may be of one mind.
    """
    if not without:
        return limits
    ends = (WORTH["negative"], WORTH["positive"])
    alike = [alike_limits(mean, int((pull > 0).sum()), *ends) for _, mean, pull in without]
    reach = []
    for side, of_rest in enumerate(limits):
        parts = np.array([weight * abs(ends_of[side] - mean)
                          for (weight, mean, _), ends_of in zip(without, alike, strict=True)])
        shares = np.array([pull / np.sqrt((pull**2).sum()) for _, _, pull in without])
        reach.append(np.sqrt((of_rest - estimate) ** 2 + parts @ (shares @ shares.T) @ parts))
    return float(max(estimate - reach[0], ends[0])), float(min(estimate + reach[1], ends[1]))


def on_the_scale(estimate: float, half: float) -> tuple[float, float]:
    """Limits within -100 and 100: `half` to both sides on the logit of the place between them, turned back.

    The nearer contacts lie to one end the smaller their spread: about the mean itself the interval is too short where
    the mean came out too high, and its limits miss on one side alone.
    """
    ends = np.array([WORTH["negative"], WORTH["positive"]])
    place = (estimate - ends[0]) / (ends[1] - ends[0])
    if not 0 < place < 1:
        return float(max(estimate - half, ends[0])), float(min(estimate + half, ends[1]))
    reach = half / (ends[1] - ends[0]) / (place * (1 - place))
    logit = np.log(place / (1 - place)) + np.array([-reach, reach])
    low, high = ends[0] + (ends[1] - ends[0]) / (1 + np.exp(-logit))
    return float(low), float(high)


def index_metrics(answers: pd.DataFrame, cuts: dict[str, list[float]], weights: dict[str, float]) -> list[Metric]:
    """The index, and its two parts beside it; none where only one kind of contact was ever evaluated."""
    shares, rows = normalised(weights), evaluated_contacts(answers, cuts)
    if set(rows["kind"]) != set(KINDS):
        return []
    n_codes = int(rows["code"].max()) + 1

    def plain(part: pd.DataFrame) -> Score:
        values = part["value"].to_numpy(float)
        found = mean(values, part["code"].to_numpy(), n_codes, WORTH["negative"], WORTH["positive"])
        if np.ptp(values) == 0 or not np.isfinite(found.low):
            return found
        low, high = on_the_scale(found.estimate, (found.high - found.low) / 2)
        return replace(found, low=low, high=high)

    return [Metric("experience.index", "points", "index_t", rows, index_score(shares, n_codes), is_broken_down=False),
            *[Metric(f"experience.index_{kind}", "points", "mean_logit_t", rows[rows["kind"] == kind], plain,
                     is_broken_down=False) for kind in KINDS]]


def index_parts(metrics: list[Metric], weights: dict[str, float], periods: Periods, limits: Limits) -> pd.DataFrame:
    """One row per kind of contact and one for the index: weight, contacts, customers, estimate and limits."""
    found, shares = [], normalised(weights) | {"index": 1.0}
    for metric, kind in zip(metrics, ("index", *KINDS), strict=False):
        rows = in_window(metric.rows, periods.now)
        if limits.status(len(rows), rows["code"].nunique()) in ("suppressed", "not_estimable"):
            continue
        score = metric.score(rows)
        found.append((kind, shares[kind], score.n, score.estimate, score.low, score.high))
    columns = ["contact_kind", "weight_share", "n", "estimate", "ci_low", "ci_high"]
    return pd.DataFrame(found, columns=columns)
