"""Who will leave: a hazard made to foretell, judged on months that it has not seen.

Apart from the explanation: no month effects (the future has none yet), and everybody is scored; who has no recent
answer has a level of their own.

Claims: churn.prediction.auc (0.5 is knowing nothing), .brier_gain (share by which the Brier score beats the base
rate), both also .without_score (the same model, the value of the score left out) and .added_by_score (with less
without), .calibration_intercept (log hazard; 0 is right), .calibration_slope (1 is right), all out of time.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import statsmodels.api as sm

from pipeline.contracts.claims import Claim
from pipeline.relate.churn import ChurnSample, fit_churn
from pipeline.relate.estimate import Estimate, NotEstimable, claim, combine, no_claim, too_early
from pipeline.relate.hazard import FEWEST_EVENTS, HazardFit, fit_hazard

METHOD = "cloglog_out_of_time"
TEST_SHARE = 1 / 3  # the last months, at least LEAST_TEST of them
LEAST_TEST = 3
JUDGED = {"churn.prediction.auc": "ratio", "churn.prediction.brier_gain": "share",
          "churn.prediction.calibration_intercept": "ratio", "churn.prediction.calibration_slope": "ratio"}
MEASURES = tuple(JUDGED)[:2]  # judged with the score and without
WITHOUT, ADDED = ".without_score", ".added_by_score"


@dataclass(frozen=True)
class Foretold:
    """rows: months not seen by the fit, with left, customer, hazard, and plain_hazard of the model without the score.

    base_rate: of those before. problem: why there is none. unscored: why there is no comparison without the score.
    """

    rows: pd.DataFrame
    base_rate: float
    problem: NotEstimable | None = None
    unscored: NotEstimable | None = None


def fit_prediction(sample: ChurnSample, rows: pd.DataFrame, score: bool = True) -> HazardFit:
    """Hazard on the score (at the mean where there is none), having none, tenure and the categories.

    score=False: all of these but the score itself; whether there is an answer stays, so that what the score adds is
    what was answered. Columns that never vary are left out then, for the first one is looked at by itself.
    """
    if sample.problem:
        raise sample.problem
    numbers, categories = numbers_of(sample, rows), rows[sample.categories]
    if not score:
        numbers = numbers.drop(columns="score").loc[:, lambda table: table.nunique() > 1]
    if numbers.empty:
        levels = [(categories[name] == level).astype(float).rename(f"{name}_{level}") for name in sample.categories
                  for level in sorted(categories[name].dropna().unique(), key=str)[1:]]
        numbers, categories = pd.DataFrame({part.name: part for part in levels}), categories.iloc[:, :0]
    if numbers.empty:
        raise NotEstimable("nothing_but_score", len(rows), len(rows))
    return fit_hazard(rows["left"].to_numpy(), numbers, categories, rows["customer"].to_numpy(), sample.customers)


def foretell(sample: ChurnSample) -> Foretold:
    """The hazard fitted on the earlier months, and what it says of the last third of them."""
    rows = usable(sample, sample.at_risk)
    nothing = pd.DataFrame(columns=["customer", "month", "left", "hazard", "plain_hazard"])
    try:
        if sample.problem:
            raise sample.problem
        if len(rows) and not rows["score"].notna().any():
            raise NotEstimable("no_overlap" if sample.answers else "no_scores", len(rows))
        months = np.sort(rows["month"].unique())
        last = max(int(TEST_SHARE * len(months)), LEAST_TEST)
        if len(months) < 2 * LEAST_TEST:
            if 0 < len(months) == sample.at_risk["month"].nunique():  # only time is missing
                raise too_early("few_months", months[0] + 2 * LEAST_TEST, len(rows))
            raise NotEstimable("few_months", len(rows))
        seen, unseen = (rows[part].reset_index(drop=True) for part in (
            rows["month"] < months[-last], rows["month"] >= months[-last]))
        fit = fit_prediction(sample, seen)
        if min(unseen["left"].sum(), (1 - unseen["left"]).sum()) < FEWEST_EVENTS:
            raise NotEstimable("few_events", len(unseen), int(unseen["left"].sum()), "not_enough_data")
    except NotEstimable as why:
        return Foretold(nothing, float("nan"), why)
    told = unseen[["customer", "month", "left"]].assign(hazard=hazard_of(fit, sample, unseen), plain_hazard=np.nan)
    try:
        told["plain_hazard"] = hazard_of(fit_prediction(sample, seen, score=False), sample, unseen)
    except NotEstimable as why:
        return Foretold(told, float(seen["left"].mean()), None, why)
    return Foretold(told, float(seen["left"].mean()))


def hazard_of(fit: HazardFit, sample: ChurnSample, rows: pd.DataFrame) -> np.ndarray:
    """(n,) fitted monthly hazard of rows that the fit need not have seen; unseen categories take the first level's."""
    return -np.expm1(-np.exp(design_of(fit, sample, rows) @ fit.coef))


def prediction_claims(told: Foretold, sample: ChurnSample) -> list[Claim]:
    """Area under the curve, Brier gain, calibration intercept and slope on the months not seen, by customer; the first
    two also without the score, and what the score adds to them."""
    if told.problem:
        return [no_claim(name, told.problem, unit, METHOD) for name, unit in JUDGED.items()
                ] + _compared(told, sample, {})
    rows, customers = told.rows, sample.customers
    left, hazard, who = (rows[name].to_numpy() for name in ("left", "hazard", "customer"))
    log_hazard = np.log(-np.log1p(-np.clip(hazard, 1e-12, 1 - 1e-12)))
    estimates = [_area(left, hazard, who, customers), _brier_gain(left, hazard, told.base_rate, who, customers)]
    made = [claim(name, one, JUDGED[name], METHOD, level="described")
            for name, one in zip(MEASURES, estimates, strict=True)]
    made += _compared(told, sample, dict(zip(MEASURES, estimates, strict=True)))
    family = sm.families.Binomial(link=sm.families.links.CLogLog())
    ones, grouped = np.ones(len(left)), {"cov_type": "cluster", "cov_kwds": {"groups": who}}
    intercept = sm.GLM(left, ones, family=family, offset=log_hazard).fit(**grouped)
    fits = [(list(JUDGED)[2], intercept, 0)]
    if np.ptp(log_hazard) > 1e-9:
        both = np.column_stack([ones, log_hazard])
        fits.append((list(JUDGED)[3], sm.GLM(left, both, family=family).fit(**grouped), 1))
    for name, fit, place in fits:
        low, high = fit.conf_int()[place]
        made.append(Claim(name, float(fit.params[place]), JUDGED[name], len(left), METHOD, "described",
                          ci_low=float(low), ci_high=float(high), n_in=len(left), people=len(np.unique(who))))
    if len(fits) < 2:
        made.append(no_claim(list(JUDGED)[3], NotEstimable("constant_score", len(left)), "ratio", METHOD))
    return made


def _compared(told: Foretold, sample: ChurnSample, scored: dict[str, Estimate]) -> list[Claim]:
    """Each of MEASURES without the score, and what the score adds to it.

    Both models judge the same customers, whose shares are taken from each other: the paired comparison of DeLong,
    DeLong and Clarke-Pearson (Biometrics 1988, 44:837), summed by customer (Obuchowski, Biometrics 1997, 53:567). On
    months that neither model has seen, so that it holds although one model is nested in the other.
    """
    why = told.problem or told.unscored or _inseparable(sample)
    if why:
        return [no_claim(name + end, why, JUDGED[name], METHOD) for name in MEASURES for end in (WITHOUT, ADDED)]
    left, plain, who = (told.rows[name].to_numpy() for name in ("left", "plain_hazard", "customer"))
    unscored = (_area(left, plain, who, sample.customers),
                _brier_gain(left, plain, told.base_rate, who, sample.customers))
    made = []
    for name, one in zip(MEASURES, unscored, strict=True):
        unit, factor = ("pp", 100.0) if JUDGED[name] == "share" else (JUDGED[name], 1.0)
        added = combine(factor * (scored[name].value - one.value), [(factor, scored[name]), (-factor, one)], one)
        made.append(claim(name + WITHOUT, one, JUDGED[name], METHOD, level="described"))
        difference = claim(name + ADDED, added, unit, METHOD, level="described")
        made.append(replace(difference, detectable=added.detectable()) if difference.estimate is not None
                    else difference)
    return made


def _inseparable(sample: ChurnSample) -> NotEstimable | None:
    """Why nothing can be said of the score apart from the rest: collinear with it, as the hazard finds."""
    try:
        fit_churn(sample)
    except NotEstimable as why:
        return why if why.reason == "collinear" else None
    return None


def _area(left: np.ndarray, hazard: np.ndarray, who: np.ndarray, customers: int) -> Estimate:
    """Area under the ROC curve; each row's share of it is its placement (DeLong 1988), summed by customer."""
    gone, stayed = hazard[left == 1], hazard[left == 0]
    order_gone, order_stayed = np.sort(gone), np.sort(stayed)
    below = (np.searchsorted(order_stayed, gone) + np.searchsorted(order_stayed, gone, "right")) / 2 / len(stayed)
    above = 1 - (np.searchsorted(order_gone, stayed) + np.searchsorted(order_gone, stayed, "right")) / 2 / len(gone)
    area = float(below.mean())
    share = np.empty(len(left))
    share[left == 1], share[left == 0] = (below - area) / len(gone), (above - area) / len(stayed)
    return _by_customer(area, share, who, customers)


def _brier_gain(left: np.ndarray, hazard: np.ndarray, base: float, who: np.ndarray, customers: int) -> Estimate:
    """1 - Brier score over that of saying the earlier months' rate of everybody."""
    ours, plain = (left - hazard) ** 2, (left - base) ** 2
    ratio = float(ours.mean() / plain.mean())
    return _by_customer(1 - ratio, (ratio * plain - ours) / plain.sum(), who, customers)


def _by_customer(value: float, share: np.ndarray, who: np.ndarray, customers: int) -> Estimate:
    clusters = len(np.unique(who))
    return Estimate(value, np.bincount(who, share, minlength=customers), len(who), len(who), clusters,
                    clusters / max(clusters - 1, 1))


def out_of_time_table(told: Foretold, groups: int = 5) -> pd.DataFrame:
    """Foretold against observed churn of the months not seen, in groups of equal size: as churn.calibration has it."""
    columns = ["group", "n", "fitted", "rate", "ci_low", "ci_high", "people"]
    if told.problem:
        return pd.DataFrame(columns=columns)
    rank = np.argsort(np.argsort(told.rows["hazard"].to_numpy(), kind="stable"), kind="stable")
    table = told.rows.assign(group=rank * groups // len(rank) + 1).groupby("group", as_index=False).agg(
        n=("left", "size"), fitted=("hazard", "mean"), rate=("left", "mean"), events=("left", "sum"),
        people=("customer", "nunique"))
    low, high = sm.stats.proportion_confint(table.pop("events").to_numpy(), table["n"].to_numpy(), method="wilson")
    return table.assign(ci_low=low, ci_high=high)[columns]


def usable(sample: ChurnSample, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows whose numbers are all known."""
    return rows[rows[sample.numbers].notna().all(axis=1)].reset_index(drop=True) if sample.numbers else rows


def numbers_of(sample: ChurnSample, rows: pd.DataFrame) -> pd.DataFrame:
    """Score about the mean of all answers (0 without one), whether there is none, and the sample's numbers."""
    centre = sample.rows["score"].mean() if len(sample.rows) else 0.0
    return pd.DataFrame({"score": (rows["score"] - centre).fillna(0.0), "no_score": rows["score"].isna().astype(float)}
                        ).join(rows[sample.numbers].astype(float))


def design_of(fit: HazardFit, sample: ChurnSample, rows: pd.DataFrame,
              numbers: pd.DataFrame | None = None) -> np.ndarray:
    """(n, p) columns of the fit for any rows; numbers: its regressors where they are not those of the rows alone."""
    parts = [numbers_of(sample, rows) if numbers is None else numbers, pd.Series(1.0, rows.index, name="constant")]
    for name in sample.categories:
        values = rows[name]
        parts += [(values == level).astype(float).rename(f"{name}_{level}") for level in values.dropna().unique()]
        parts.append(values.isna().astype(float).rename(f"{name}_missing"))
    return pd.concat(parts, axis=1).reindex(columns=list(fit.names), fill_value=0.0).to_numpy(float)
