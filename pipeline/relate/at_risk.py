"""Sales put at risk: what today's customers are expected to take with them when they leave, month after month.

What an answer foretells fades: half a year later a detractor is not as much more likely to leave as next month. So the
hazard of the first, second, ... month after today is fitted on customers who stood, so many months before, where
today's stand now (landmarks; van Houwelingen 2007), each outcome beside what was known that long before it. Who spends
more may be more (or less) likely to stay, even within a segment: what is lost is hazard times spending, customer by
customer, so the hazard must know the spending.

Claims: churn.revenue_at_risk (money, segment months:<horizon>), churn.revenue_at_risk.by_answer (segment
answer:<group>). They foretell: their level is forecast. churn.revenue_at_risk.if_all_stayed (segment
horizon:<months>): what the same customers would buy in those months if nobody left, of which the first is a part.
churn.revenue_at_risk.base_months (months): where no customer's mean month rests on a whole year, on how many months it
rests.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.contracts.claims import Claim
from pipeline.measure.disclosure import hidden
from pipeline.relate.churn import ChurnSample
from pipeline.relate.estimate import Estimate, NotEstimable, no_claim, nothing_sold
from pipeline.relate.hazard import FEWEST_EVENTS, HazardFit, fit_hazard
from pipeline.relate.prediction import design_of, numbers_of, usable
from pipeline.relate.sample import score_groups

METHOD, LEVEL = "hazard_times_value", "forecast"
WHOLE = "churn.revenue_at_risk.if_all_stayed"
BASE = "churn.revenue_at_risk.base_months"
YEAR = 12  # months of spending that a mean month is taken over, so that every season is in it once
BY_ANSWER = "churn.revenue_at_risk.by_answer"
RECENT_MONTHS, LEVEL_MONTHS = 12, 6  # whose leavers tell who leaves, and how many
FEWEST_FOR_RECENT = 30  # events below which more months serve
SPANS = (1, 4)  # months ahead from which on an answer says something else: the next three, and those after them
SPENDERS = 10  # groups of equal size by what is spent
GROUPS = ("detractor", "passive", "promoter", "no_recent_answer")


@dataclass(frozen=True)
class Ahead:
    """fit: hazard of one month, by what was known some months before. spans: first month ahead of each span in it."""

    fit: HazardFit
    spans: tuple[int, ...]


def revenue_at_risk(sample: ChurnSample, months: int, currency: str, groups: tuple[float, float],
                    suppress_below: int = 10) -> list[Claim]:
    """Sales of the next `months` expected to be lost with those who leave: all customers of today, and by last answer.

    Each customer's mean month (of the last twelve) times the months after leaving, if leaving goes on as in the last
    half year: what is lost from today on hangs on how many leave by now, not on how many left when the data began.
    Who leaves in a month still buys in it.
    A group of fewer than suppress_below customers is a suppressed claim, and so is what gives it away. Where everybody
    has left: nobody_left.
    The interval carries the hazard's error, not that of future spending, nor what will be done to keep customers.
    """
    try:
        if sample.problem is None and sample.latest.empty and len(sample.at_risk):
            raise NotEstimable("nobody_left", len(sample.at_risk))
        today = usable(sample, sample.latest)
        today = with_spenders(today[today["value"].notna()] if "value" in today else today.iloc[:0])
        if sample.problem or not len(today):
            raise sample.problem or NotEstimable("no_sales_by_customer")
        if today["value"].sum() <= 0:
            raise NotEstimable(nothing_sold(today["value"].sum()), len(today))
        ahead = fit_ahead(sample, months)
    except NotEstimable as why:
        return [no_claim("churn.revenue_at_risk", why, currency, METHOD, level=LEVEL, segment=f"months:{months}")]
    group = score_groups(today["score"], groups).fillna("no_recent_answer")
    made = [_lost(ahead, sample, today, months, currency, f"months:{months}", 1)]
    unseen = hidden([today.loc[group == name, "customer"].nunique() for name in GROUPS], suppress_below)
    for name, is_hidden in zip(GROUPS, unseen, strict=True):
        part = today[group == name]
        if len(part) and not is_hidden:
            made.append(_lost(ahead, sample, part, months, currency, f"answer:{name}", len(GROUPS)))
        elif len(part):
            made.append(no_claim(BY_ANSWER, NotEstimable("small_group", 0, 0, "suppressed"), currency, METHOD,
                                 level=LEVEL, segment=f"answer:{name}", comparisons=len(GROUPS)))
    spent = float(months * today["value"].clip(lower=0).sum())
    made.append(Claim(WHOLE, spent, currency, len(today), "counted", segment=f"horizon:{months}"))
    known = int(today["value_months"].max()) if "value_months" in today else YEAR
    return made + [Claim(BASE, float(known), "months", len(today), "counted")] * (known < YEAR)


def fit_ahead(sample: ChurnSample, months: int) -> Ahead:
    """The hazard of each month by what was known 1, 2, ... `months` months before it.

    Who leaves is told apart by the last twelve months, how many leave is that of the last six of them (of twelve, of
    all, where too few left in those). A span in which fewer than FEWEST_EVENTS left joins the one before it.
    """
    rows = with_spenders(usable(sample, sample.at_risk)).sort_values(["customer", "month"], ignore_index=True)
    recent = _last(rows, RECENT_MONTHS, np.ones(len(rows), bool))
    if not FEWEST_EVENTS <= rows["left"][recent].sum() <= recent.sum() - FEWEST_EVENTS:  # each leaver once: landmarks
        raise NotEstimable("few_events", len(rows), int(recent.sum()), "not_enough_data")  # repeat them
    level = _last(rows, LEVEL_MONTHS, recent)
    known, outcome, lead = landmarks(rows, recent, months)
    left = rows["left"].to_numpy(float)[outcome]
    events, spans = np.bincount(lead, left, minlength=months + 1), [1]
    for start, end in pairwise([*SPANS[1:], months + 1]):
        if events[start:end].sum() >= FEWEST_EVENTS:
            spans.append(start)
    seen = rows.iloc[known].reset_index(drop=True)
    regressors = _regressors(sample, seen, lead, tuple(spans)).assign(earlier=(~level[outcome]).astype(float))
    if rows["score"].nunique() < 2:  # nobody answered, or all alike: who leaves is told apart by all the rest
        regressors = regressors.loc[:, lambda table: table.nunique() > 1]
        if regressors.empty:
            raise NotEstimable("no_scores", len(rows))
    fit = fit_hazard(left, regressors, seen[sample.categories], seen["customer"].to_numpy(), sample.customers)
    return Ahead(fit, tuple(spans))


def _last(rows: pd.DataFrame, months: int, otherwise: np.ndarray) -> np.ndarray:
    """(n,) the rows of the last `months` months, or `otherwise` where too few left in those."""
    last = (rows["month"] > rows["month"].max() - months).to_numpy()
    left = rows["left"][last]
    return last if min(left.sum(), (1 - left).sum()) >= FEWEST_FOR_RECENT else otherwise


def with_spenders(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with spender: how much is spent against the others of the month, as a normal score of ten groups.

    Ranks of a month compare alike however many months of spending were known by then; 0 where nothing is known.
    """
    if "spend" not in rows:
        return rows.assign(spender=0.0)
    by_month = rows.groupby("month")["spend"]
    share = (by_month.rank(method="average") - 0.5) / by_month.transform("count").clip(lower=1)
    group = np.floor(share * SPENDERS).clip(0, SPENDERS - 1)
    return rows.assign(spender=pd.Series(stats.norm.ppf((group + 0.5) / SPENDERS), rows.index).fillna(0.0))


def landmarks(rows: pd.DataFrame, wanted: np.ndarray, months: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(position known, position of the outcome, months ahead): each wanted row beside the same customer's rows of 0 to
    months - 1 months before; rows by customer and month.
    """
    key = rows["customer"].to_numpy(np.int64) * 100_000 + rows["month"].to_numpy(np.int64)
    here, found = np.flatnonzero(wanted), []
    for back in range(months):
        place = np.searchsorted(key, key[here] - back)
        is_known = key[place] == key[here] - back
        found.append((place[is_known], here[is_known], np.full(is_known.sum(), back + 1)))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _regressors(sample: ChurnSample, rows: pd.DataFrame, lead: np.ndarray, spans: tuple[int, ...]) -> pd.DataFrame:
    """Numbers of the rows, and for every span after the first what score and having none say in it."""
    table = numbers_of(sample, rows).assign(spender=rows["spender"].to_numpy())
    for start, end in pairwise([*spans[1:], np.inf]):
        inside = ((lead >= start) & (lead < end)).astype(float)
        table[f"ahead_{start}"] = inside
        for name in ("score", "no_score"):
            table[f"{name}_ahead_{start}"] = table[name] * inside
    return table


def _lost(ahead: Ahead, sample: ChurnSample, rows: pd.DataFrame, months: int, currency: str, segment: str,
          comparisons: int) -> Claim:
    value, fit = rows["value"].clip(lower=0).to_numpy(), ahead.fit
    designs = {start: design_of(fit, sample, rows, _regressors(sample, rows, np.full(len(rows), start), ahead.spans))
               for start in ahead.spans}
    span_of = [max(start for start in ahead.spans if start <= month) for month in range(1, months + 1)]
    rates = {start: np.exp(design @ fit.coef) for start, design in designs.items()}  # cumulative hazard of a month
    gone = np.cumsum([np.zeros(len(rows)), *[rates[start] for start in span_of[:-1]]], axis=0)
    stays = np.exp(-gone)  # (months, n): of those of today, in whose month 1, 2, ... sales are still made
    lost = value * (1 - stays).sum(axis=0)
    later = np.cumsum(stays[::-1], axis=0)[::-1]  # stays of this month and all after it
    gradient = sum((value * rates[start] * later[month + 1]) @ designs[start]
                   for month, start in enumerate(span_of[:-1]))
    base = fit[fit.names[0]]
    pull = fit.influence @ gradient if months > 1 else np.zeros(len(fit.influence))
    total = Estimate(float(lost.sum()), pull, len(rows), len(rows), base.clusters, base.factor)
    # the loss is never negative, so the interval is made of its logarithm
    half = stats.t.ppf(0.975, base.clusters - 1) * total.se / max(total.value, 1e-12)
    claim_id = BY_ANSWER if segment.startswith("answer:") else "churn.revenue_at_risk"
    return Claim(claim_id, total.value, currency, len(rows), METHOD, LEVEL, segment=segment,
                 ci_low=total.value * float(np.exp(-half)), ci_high=total.value * float(np.exp(half)),
                 n_in=len(sample.latest), comparisons=comparisons)
