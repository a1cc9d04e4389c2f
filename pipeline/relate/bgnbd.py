"""How many customers are still there by the rhythm of their purchases: BG/NBD, a check on the rule of silence.

While a customer is there, purchases come at a rate of their own (gamma over customers), and after each one the
customer leaves for good with a chance of their own (beta over customers). Fader, Hardie and Lee 2005, "Counting your
customers" the easy way, Marketing Science 24:275, equations 6 (likelihood) and 8 (expectation); the chance of being
there is that of their note of 2008. Nothing here knows the score: it is a check beside `inactivity`, not an effect.

Claims, segment all and window:<days>: churn.inactivity.still_there (share, by rhythm), churn.inactivity.not_silent
(share who bought within the last w days, without an interval: it is a count of everybody; too early in data that are
no longer than the window, where it could be nothing but all).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from pipeline.contracts.claims import Claim
from pipeline.relate.estimate import Estimate, NotEstimable, claim, no_claim

METHOD, COUNT = "bgnbd", "counted"
STILL, NOT_SILENT = "churn.inactivity.still_there", "churn.inactivity.not_silent"
FEWEST_REPEATS = 30  # customers who bought again; with fewer the four parameters cannot be told
FLAT = 1e-7  # steepness of the flattest direction of the likelihood over that of the steepest
SURE = 1e-6  # a share nearer to 0 or 1 is the edge of the model, not a figure
STEP = 1e-4  # of a parameter's logarithm, for derivatives by central differences


@dataclass(frozen=True)
class Rhythm:
    """One row per customer, shape (customers,): repeats (purchases after the first), recency (time from the first to
    the last purchase, 0 without repeats), age (time from the first purchase to the end of the data), in one unit."""

    repeats: np.ndarray
    recency: np.ndarray
    age: np.ndarray

    def __len__(self) -> int:
        return len(self.repeats)


def rhythm_of(days: pd.DataFrame, last_day: pd.Timestamp) -> Rhythm:
    """Days on which customers bought (`inactivity.order_days`) as repeats, recency and age in weeks, sorted by id.

    Purchases of one day are one; those after last_day are not looked at.
    """
    days = days[days["day"] <= last_day]
    by = days.groupby("customer_id", sort=True)["day"].agg(["min", "max", "size"])
    weeks = [(until - by["min"]).dt.total_seconds().to_numpy() / (7 * 86400) for until in (
        by["max"], pd.Series(pd.Timestamp(last_day), by.index))]
    return Rhythm(by["size"].to_numpy(float) - 1, *weeks)


def log_likelihood(parameters: np.ndarray, rhythm: Rhythm) -> np.ndarray:
    """(customers,) log likelihood at (r, alpha, a, b), all positive; alpha in the unit of time of the rhythm."""
    r, alpha, a, b = parameters
    x = rhythm.repeats
    common = (special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
              + special.betaln(a, b + x) - special.betaln(a, b))
    there = -(r + x) * np.log(alpha + rhythm.age)
    left = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + rhythm.recency)
    return common + np.where(x > 0, np.logaddexp(there, left), there)


def chance_there(parameters: np.ndarray, rhythm: Rhythm) -> np.ndarray:
    """(customers,) chance of being there at the end of the data; 1 for who never bought again, as the model has it."""
    r, alpha, a, b = parameters
    x = rhythm.repeats
    odds = np.log(a) - np.log(b + np.maximum(x, 1) - 1) + (r + x) * (
        np.log(alpha + rhythm.age) - np.log(alpha + rhythm.recency))
    return np.where(x > 0, special.expit(-odds), 1.0)


def fit_rhythm(rhythm: Rhythm) -> np.ndarray:
    """(r, alpha, a, b) of greatest likelihood. Not estimable with few customers who bought again, or when the search
    ends at no maximum (a parameter without bounds: nobody seems to leave, or all customers are alike)."""
    again = int(np.sum(rhythm.repeats > 0))
    if again < FEWEST_REPEATS:
        raise NotEstimable("few_repeats", len(rhythm), again, "not_enough_data")
    unit = float(rhythm.age.mean())  # the search runs in units of the mean age, so that its steps fit
    scaled = Rhythm(rhythm.repeats, rhythm.recency / unit, rhythm.age / unit)
    found = optimize.minimize(lambda logs: -log_likelihood(np.exp(logs), scaled).mean(), np.zeros(4),
                              method="L-BFGS-B", bounds=[(-12, 12)] * 4, options={"maxiter": 500, "ftol": 1e-13})
    if not found.success or np.any(np.abs(found.x) > 11.9):
        raise NotEstimable("no_rhythm", len(rhythm), again)
    logs = optimize.minimize(lambda logs: -log_likelihood(np.exp(logs), scaled).mean(), found.x, method="Nelder-Mead",
                             options={"xatol": 1e-8, "fatol": 1e-14, "maxiter": 4000}).x
    if np.any(np.abs(logs) > 11.9):
        raise NotEstimable("no_rhythm", len(rhythm), again)
    return np.exp([logs[0], logs[1] + np.log(unit), logs[2], logs[3]])


def still_there(rhythm: Rhythm, parameters: np.ndarray) -> Estimate:
    """Mean chance of being there, with each customer's influence: their own chance, and what they do to the fit.

    NotEstimable no_rhythm where the likelihood is flat in some direction: nothing is known of its error then.
    """
    logs, n = np.log(parameters), len(rhythm)
    scores = np.column_stack([_slope(lambda at: log_likelihood(np.exp(at), rhythm), logs, k) for k in range(4)])
    curvature = np.column_stack([_slope(lambda at: np.array([
        _slope(lambda one: log_likelihood(np.exp(one), rhythm), at, j).sum() for j in range(4)]), logs, k)
        for k in range(4)])
    curvature = (curvature + curvature.T) / 2
    steepness = np.linalg.eigvalsh(-curvature)
    if steepness[0] <= FLAT * steepness[-1]:
        raise NotEstimable("no_rhythm", n)
    gradient = np.array([_slope(lambda at: chance_there(np.exp(at), rhythm), logs, k).mean() for k in range(4)])
    chance = chance_there(parameters, rhythm)
    influence = (chance - chance.mean()) / n - scores @ np.linalg.inv(curvature) @ gradient
    return Estimate(float(chance.mean()), influence, n, n, n, n / max(n - 1, 1))


def within_one(share: Estimate) -> tuple[float, float]:
    """95 % limits of a share on the scale of its log odds, so that they lie between 0 and 1. NotEstimable no_rhythm for
    a share of 0 or 1: nothing is known of its error then."""
    p = share.value
    if not SURE < p < 1 - SURE:
        raise NotEstimable("no_rhythm", share.n_in, share.n_used)
    half = stats.t.ppf(0.975, share.degrees) * share.se / (p * (1 - p))
    return tuple(float(special.expit(special.logit(p) + side * half)) for side in (-1, 1))


def _slope(function, at: np.ndarray, k: int) -> np.ndarray:
    step = STEP * np.eye(len(at))[k]
    return (function(at + step) - function(at - step)) / (2 * STEP)


def rhythm_claims(days: pd.DataFrame, last_day: pd.Timestamp, windows: list[int]) -> list[Claim]:
    """The share still there by rhythm, and per window the share who bought within it. days: `inactivity.order_days`."""
    if days.empty:
        return [no_claim(STILL, NotEstimable("no_dated_sales"), "share", METHOD)]
    rhythm = rhythm_of(days, last_day)
    try:
        share = still_there(rhythm, fit_rhythm(rhythm))
        low, high = within_one(share)
        one = claim(STILL, share, "share", METHOD, level="described")
        made = [one if one.estimate is None else replace(one, ci_low=low, ci_high=high)]
    except NotEstimable as why:
        made = [no_claim(STILL, why, "share", METHOD)]
    return made + [_not_silent(rhythm, days["day"].min(), pd.Timestamp(last_day), window) for window in windows]


def _not_silent(rhythm: Rhythm, first_day: pd.Timestamp, last_day: pd.Timestamp, window: int) -> Claim:
    """Share who bought within the window before the last day."""
    if (last_day - first_day).days <= window:
        readable = str((first_day + pd.Timedelta(days=window + 1)).date())
        why = NotEstimable("window_too_long", len(rhythm), 0, "too_early", readable)
        return no_claim(NOT_SILENT, why, "share", COUNT, level="described", segment=f"window:{window}")
    silent = 7 * (rhythm.age - rhythm.recency)
    return Claim(NOT_SILENT, float(np.mean(silent <= window)), "share", len(rhythm), COUNT, "described",
                 segment=f"window:{window}", n_in=len(rhythm))
