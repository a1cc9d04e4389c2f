"""Does the score come before the sales? Earlier, same and later scores against one month's sales.

Satisfaction lasts, so a score of the same or a later month goes with sales a little even when only the earlier
one matters. What carry-over alone explains is computed (share rho of the earlier score that shows in the other)
and taken off; what is left must be about zero. If sales raised the score, it would not be.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import sparse

from pipeline.contracts.claims import Claim, Level
from pipeline.relate.estimate import Estimate, NotEstimable, claim, combine, no_claim, too_early
from pipeline.relate.ppml import PpmlFit
from pipeline.relate.sample import SalesSample, fit_sales

LAGS = (12, 6, 3, 2, 1, 0, -1)  # months from score to sales; 0 the same month, -1 a score of the month after
CHECKS = {0: "sales.same_month_check", -1: "sales.lead_check"}
FAR = (6, 12)  # months apart from which on two answers of a customer count as unrelated but for who gave them
FEWEST_PAIRS = 30
METHOD = "ppml"
SMALLEST_EFFECT = 5.0  # percent per point: what a check must have been able to show, where nothing is declared
WEAK = "checks_too_weak"


@dataclass(frozen=True)
class Timing:
    """table: one row per lag (lag in months, estimate, ci_low, ci_high, carried, n, people), percent per point.

    checks: excess over carry-over by lag 0 and -1, or why there is none. level, reason: what the sales claims may say.
    too_weak: lags whose check lies about zero and could not have shown the smallest effect that matters.
    offered: rows offered to each lag's model. later: lags that the data do not reach yet, and from when on they will.
    """

    table: pd.DataFrame
    checks: dict[int, Estimate | NotEstimable]
    level: Level
    reason: str
    too_weak: frozenset[int] = frozenset()
    offered: dict[int, int] = field(default_factory=dict)
    later: dict[int, NotEstimable] = field(default_factory=dict)

    def claims(self) -> list[Claim]:
        """sales.same_month_check, sales.lead_check (percent per point beyond carry-over), sales.lag (by month).

        A check about zero that could not have shown the smallest effect that matters is not_enough_data.
        """
        made = []
        for lag, claim_id in CHECKS.items():
            check = self.checks.get(lag, NotEstimable("no_overlap"))
            if isinstance(check, NotEstimable):
                made.append(no_claim(claim_id, check, "percent", METHOD))
            else:
                more = {"status": "not_enough_data", "reason": WEAK} if lag in self.too_weak else {}
                made.append(claim(claim_id, check, "percent", METHOD, level="described", transform="percent", **more))
        rows = self.table[self.table["estimate"].notna() & (self.table["lag"] > 1)]
        made += [Claim("sales.lag", row.estimate, "percent", int(row.n), METHOD, "associated",
                       segment=f"months:{row.lag}", ci_low=row.ci_low, ci_high=row.ci_high,
                       n_in=self.offered.get(row.lag), comparisons=len(rows), people=int(row.people))
                 for row in rows.sort_values("lag").itertuples()]
        return made + [no_claim("sales.lag", self.later[lag], "percent", METHOD, segment=f"months:{lag}")
                       for lag in sorted(self.later)]


def timing_of(sample: SalesSample, smallest: float = SMALLEST_EFFECT) -> Timing:
    """Effects by lag and the level that the checks allow; smallest: the effect that matters, percent per point."""
    rows = with_lags(sample.grid, LAGS) if sample.problem is None else sample.grid
    fits = {lag: _try(sample, f"score_lag{lag}", rows) for lag in LAGS}
    checks = {lag: _in_time(_excess(fits[lag], fits[1], lag, rows), fits[1], sample) for lag in CHECKS}
    table = pd.DataFrame([_row(lag, fits[lag], checks.get(lag), fits[1]) for lag in LAGS])
    level, reason = level_of(fits[1], checks, smallest)
    offered = {lag: fit.n_in for lag, fit in fits.items() if isinstance(fit, PpmlFit)}
    return Timing(table, checks, level, reason, frozenset(lag for lag in checks if _too_weak(checks[lag], smallest)),
                  offered, _later(sample, fits))


def _later(sample: SalesSample, fits: dict[int, PpmlFit | NotEstimable]) -> dict[int, NotEstimable]:
    """Lags above one whose answers and two months of sales after them do not fit into the data yet."""
    months = sample.grid["month"][sample.grid["answer"].notna()] if sample.problem is None else pd.Series(dtype=float)
    if months.empty:
        return {}
    last_sale = sample.grid["month"].max() + 1
    return {lag: too_early("few_months", months.min() + lag + 1) for lag in fits
            if lag > 1 and isinstance(fits[lag], NotEstimable) and months.min() + lag + 1 > last_sale}


def level_of(effect: PpmlFit | NotEstimable, checks: dict[int, Estimate | NotEstimable],
             smallest: float = SMALLEST_EFFECT) -> tuple[Level, str]:
    """effect when both checks are about zero and sharp enough to have shown the smallest effect that matters.

    The size of the estimate plays no part: held against it, the checks would let large estimates pass and stop small
    ones, and what is called an effect would be too large on average.
    """
    if isinstance(effect, NotEstimable) or any(isinstance(check, NotEstimable) for check in checks.values()):
        return "associated", "checks_not_possible"
    for lag, reason in ((0, "same_month_not_zero"), (-1, "lead_not_zero")):
        low, high = checks[lag].interval()
        if low > 0 or high < 0:
            return "associated", reason
    if any(_too_weak(check, smallest) for check in checks.values()):
        return "associated", WEAK
    return "effect", "checks_passed"


def _too_weak(check: Estimate | NotEstimable, smallest: float) -> bool:
    """Whether a check about zero had less than 80 % power to show an effect of `smallest` percent per point."""
    if isinstance(check, NotEstimable):
        return False
    low, high = check.interval()
    return low <= 0 <= high and check.detectable() > np.log1p(max(smallest, 0.0) / 100)


def with_lags(grid: pd.DataFrame, lags: tuple[int, ...]) -> pd.DataFrame:
    """The grid with score_lag<k>: the answer given k months before the month of the sales (which is month + 1)."""
    answers = grid.loc[grid["answer"].notna(), ["customer", "month", "answer"]]
    rows = grid.copy()
    for lag in lags:
        moved = answers.assign(month=answers["month"] + lag - 1).rename(columns={"answer": f"score_lag{lag}"})
        rows = rows.merge(moved, on=["customer", "month"], how="left", validate="one_to_one")
    return rows


def _try(sample: SalesSample, column: str, rows: pd.DataFrame) -> PpmlFit | NotEstimable:
    try:
        return fit_sales(sample, [column], rows=rows)
    except NotEstimable as why:
        return why


def _excess(fit: PpmlFit | NotEstimable, effect: PpmlFit | NotEstimable, lag: int,
            rows: pd.DataFrame) -> Estimate | NotEstimable:
    """What this lag explains beyond carry-over: gamma - rho * beta, with the joint error of gamma and beta.

    rho is taken as known: its own error enters multiplied by beta and is an order smaller.
    """
    for needed in (fit, effect):
        if isinstance(needed, NotEstimable):
            return needed
    memory = answer_memory(rows)
    if memory is None:
        return NotEstimable("no_repeat_answers", fit.n_in, 0, "not_enough_data")
    rho = _carry_over(fit, lag, rows, memory)
    gamma, beta = fit[fit.names[0]], effect[effect.names[0]]
    return combine(gamma.value - rho * beta.value, [(1.0, gamma), (-rho, beta)], gamma)


def _in_time(check: Estimate | NotEstimable, effect: PpmlFit | NotEstimable,
             sample: SalesSample) -> Estimate | NotEstimable:
    """The check; too early where the effect is there and the data hold no two answers FAR apart, nor could by now."""
    if isinstance(check, Estimate) or isinstance(effect, NotEstimable):
        return check
    readable = sample.grid["month"][sample.grid["answer"].notna()].min() + FAR[0] + 1
    return too_early("few_months", readable, check.n_in) if sample.grid["month"].max() + 1 < readable else check


def answer_memory(rows: pd.DataFrame) -> np.ndarray | None:
    """Autocorrelation of a customer's answers 0, 1, 2, ... months apart, from the variogram; None with few pairs.

    Half the mean squared difference of two answers k months apart is v(1 - r_k); between-customer differences
    cancel in it, and no customer mean is estimated (which would bias r_k downwards). v: pairs half a year apart
    and more, where little memory is left.
    """
    known = rows["answer"].notna()
    key = rows.loc[known, "customer"].to_numpy() * 100_000 + rows.loc[known, "month"].to_numpy()
    order = np.argsort(key)
    key, score = key[order], rows.loc[known, "answer"].to_numpy()[order]
    half, count = np.zeros(FAR[1] + 1), np.zeros(FAR[1] + 1)
    for k in range(1, FAR[1] + 1):
        place = np.minimum(np.searchsorted(key, key + k), len(key) - 1)
        pair = key[place] == key + k
        half[k], count[k] = 0.5 * np.sum((score[place[pair]] - score[pair])**2), pair.sum()
    near, far = slice(1, FAR[0]), slice(FAR[0], FAR[1] + 1)
    if count[near].min() < FEWEST_PAIRS or count[far].sum() < FEWEST_PAIRS or half[far].sum() == 0:
        return None
    level = half[far].sum() / count[far].sum()
    return np.r_[1.0, np.clip(1 - half[near] / count[near] / level, -1, 1)]


def _carry_over(fit: PpmlFit, lag: int, rows: pd.DataFrame, memory: np.ndarray) -> float:
    """rho: how much of the score one month before the sales shows in the score at this lag, within customers.

    The coefficient that a regression of the earlier score on this one would have, in this model's own rows, weights
    and customer effects, if answers remember each other as `memory` says (Frisch-Waugh; computed month by month).
    """
    column = f"score_lag{lag}"
    used = rows[rows[[column, "revenue"]].notna().all(axis=1)].iloc[fit.rows]
    _, unit = np.unique(used["customer"].to_numpy(), return_inverse=True)
    months, month = np.unique(used["month"].to_numpy(), return_inverse=True)
    total = np.bincount(unit, fit.fitted)
    share = sparse.csr_matrix((fit.fitted / np.sqrt(total)[unit], (unit, month)))
    weight = (share.T @ share).toarray() / fit.fitted.sum()
    apart = months[None, :] - months[:, None]
    distance = 1 - lag  # months between this score and the one that matters

    def remembered(gap: np.ndarray | int) -> np.ndarray:
        return np.append(memory, 0.0)[np.minimum(np.abs(gap), len(memory))]

    earlier = remembered(distance) - np.sum(weight * remembered(apart + distance))
    return float(earlier / (1 - np.sum(weight * remembered(apart))))


def _row(lag: int, fit: PpmlFit | NotEstimable, check: Estimate | NotEstimable | None,
         effect: PpmlFit | NotEstimable) -> dict:
    """One row of the table; `carried` is what carry-over alone would show at this lag."""
    row = {"lag": lag, "estimate": np.nan, "ci_low": np.nan, "ci_high": np.nan, "carried": np.nan, "n": 0,
           "people": 0}
    if isinstance(fit, NotEstimable):
        return row | {"n": fit.n_used, "people": fit.n_used}
    beta = fit[fit.names[0]]
    values = [100 * np.expm1(v) for v in (beta.value, *beta.interval())]
    row |= dict(zip(("estimate", "ci_low", "ci_high"), values, strict=True))
    row |= {"n": beta.n_used, "people": beta.clusters}
    if isinstance(check, Estimate):
        row["carried"] = 100 * np.expm1(beta.value - check.value)
    return row
