"""Own columns that are the outcome in disguise, refused as predictors of churn by name and with the reason.

Own columns are those that an export brings under `extra` (x_<name> of customer_totals); no model uses them, but
whoever reads the exports may. Covariates are checked by name before any model (pipeline.contracts.columns).

Claims: churn.refused_predictor and churn.predictor, segment predictor:<name>; the estimate is the area under the
ROC curve (0.5: tells nothing; 1: tells everything) of the column alone.
reasons: near_perfect (no honest predictor separates leavers like this), recorded_after (known, or missing, of one side
only, beyond chance; of leavers also where nearly so), named_after_outcome (a model score or label of the outcome
itself), constant.
"""

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.contracts.claims import Claim
from pipeline.contracts.columns import names_leaving
from pipeline.relate.estimate import NotEstimable, no_claim

NEAR_PERFECT_AUC, NEAR_PERFECT_R = 0.95, 0.9
ONE_SIDED, TIMES_RARER, CHANCE = 0.95, 10, 0.001  # share of leavers; stayers rarer than among all; one-sided chance
DATES, MONTH_FIRST = r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?", r"\d{1,2}[-/.](?:1[3-9]|2\d|3[01])[-/.]"
METHOD = "auc_hanley"


def check_predictors(totals: pd.DataFrame, outcome: str = "is_churned") -> list[Claim]:
    """One claim per own column (x_<name> of customer_totals): accepted or refused; none where leaving is unknown."""
    own = [name for name in totals if str(name).startswith("x_")]
    if outcome not in totals or not totals[outcome].notna().any():
        return []
    known = totals[totals[outcome].notna()]
    left = known[outcome].astype(float).to_numpy()
    return [_judged(name.removeprefix("x_"), f"predictor:{name.removeprefix('x_')}", known[name], left, len(own))
            for name in own]


def refused(claims: list[Claim]) -> list[str]:
    """Names of the refused predictors."""
    return [c.segment.partition(":")[2] for c in claims if c.claim_id == "churn.refused_predictor"]


def _judged(name: str, segment: str, values: pd.Series, left: np.ndarray, comparisons: int) -> Claim:
    if len(left) == 0 or left.min() == left.max():
        return no_claim("churn.predictor", NotEstimable("one_class", len(left)), "ratio", METHOD, segment=segment)
    missing = values.isna().to_numpy(float)
    if 0 < missing.mean() < 1 and (abs(np.corrcoef(missing, left)[0, 1]) >= NEAR_PERFECT_R
                                   or _is_one_sided(missing == 1, left)):
        return _claim("churn.refused_predictor", missing, left, segment, "recorded_after", comparisons)
    known = ~values.isna().to_numpy()
    rank, here = _ranked(values[known], left[known]), left[known]
    if len(here) == 0 or here.min() == here.max() or np.ptp(rank) == 0:
        return no_claim("churn.predictor", NotEstimable("constant", len(left), int(known.sum())), "ratio", METHOD,
                        segment=segment)
    area = _area(rank, here)
    if max(area, 1 - area) >= NEAR_PERFECT_AUC or abs(np.corrcoef(rank, here)[0, 1]) >= NEAR_PERFECT_R:
        return _claim("churn.refused_predictor", rank, here, segment, "near_perfect", comparisons)
    if names_leaving(name):
        return _claim("churn.refused_predictor", rank, here, segment, "named_after_outcome", comparisons)
    return _claim("churn.predictor", rank, here, segment, "", comparisons)


def _is_one_sided(missing: np.ndarray, left: np.ndarray) -> bool:
    """Whether the column is known, or missing, of leavers (nearly) alone, or known of stayers alone, beyond chance.

    Chance: that so many rows drawn at random are all of that side, or as many of them (hypergeometric).
    """
    gone = left == 1
    known = ~missing
    return (_holds_leavers(known, gone) or _holds_leavers(missing, gone)
            or (not gone[known].any() and _chance(known, ~gone) < CHANCE))


def _holds_leavers(rows: np.ndarray, gone: np.ndarray) -> bool:
    stayers = 1 - gone[rows].mean()
    return bool(stayers <= min(1 - ONE_SIDED, (1 - gone.mean()) / TIMES_RARER) and _chance(rows, gone) < CHANCE)


def _chance(rows: np.ndarray, side: np.ndarray) -> float:
    return float(stats.hypergeom.sf((rows & side).sum() - 1, len(side), side.sum(), rows.sum()))


def _ranked(values: pd.Series, left: np.ndarray) -> np.ndarray:
    """Numbers and dates as they are, also those written as text; other texts by the share of leavers with the same
    text among the other half of the customers.

    Even rows are ranked by odd ones and the other way round, so that no customer's own outcome ranks them.
    """
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(float)
    number = pd.to_numeric(values, errors="coerce")
    if number.notna().all():
        return number.to_numpy(float)
    moment = _moments(values.astype("str").str.strip())
    if moment is not None:
        return moment
    code = pd.factorize(values)[0]
    rank, is_odd = np.empty(len(left)), np.arange(len(left)) % 2 == 1
    for here in (is_odd, ~is_odd):
        total, size = (np.bincount(code[~here], w, code.max() + 1) for w in (left[~here], np.ones((~here).sum())))
        rank[here] = ((total + left.mean()) / (size + 1))[code[here]]
    return rank


def _moments(texts: pd.Series) -> np.ndarray | None:
    """Texts that are all dates (year, month, day; or day first, unless one of them can only be month first)."""
    if not texts.str.fullmatch(DATES).all():
        return None
    found = pd.to_datetime(texts, errors="coerce", utc=True, format="mixed",
                           dayfirst=not texts.str.match(MONTH_FIRST).any() and not texts.str.match(r"\d{4}").all())
    return found.astype("int64").to_numpy(float) if found.notna().all() else None


def _area(rank: np.ndarray, left: np.ndarray) -> float:
    gone, stayed = rank[left == 1], rank[left == 0]
    return float(stats.mannwhitneyu(gone, stayed).statistic / (len(gone) * len(stayed)))


def _claim(claim_id: str, rank: np.ndarray, left: np.ndarray, segment: str, reason: str, comparisons: int) -> Claim:
    """Area turned so that it is at least 0.5, with the interval of Hanley and McNeil (1982)."""
    area = _area(rank, left)
    area = max(area, 1 - area)
    gone, stayed = left.sum(), (1 - left).sum()
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (gone - 1) * (q1 - area**2) + (stayed - 1) * (q2 - area**2)) / (gone * stayed)
    half = stats.norm.ppf(0.975) * np.sqrt(max(variance, 0.0))
    return Claim(claim_id, area, "ratio", len(left), METHOD, "described", segment=segment, ci_low=max(area - half, 0.0),
                 ci_high=min(area + half, 1.0), n_in=len(left), reason=reason, comparisons=comparisons)
