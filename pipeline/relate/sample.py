"""The sample of the sales models: scores given up to the end of month t, beside the sales of month t+1."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.contracts.columns import check_covariates
from pipeline.relate.estimate import NotEstimable, too_early
from pipeline.relate.ppml import PpmlFit, fit_ppml

MONTHS_NEEDED = 3  # a month of answers, and two of sales after one
EXPOSURE_BINS = (-1, 1, 3, 6, 11, 10_000)  # months since an action began in the customer's branch


@dataclass(frozen=True)
class SalesSample:
    """Rows ready for the models, and the grid that they were cut from.

    rows: one per customer and month with a usable score and a month of sales after it; columns customer (code),
    month (index, of the score), score, age (months, 1: of the month before), group, revenue, orders, margin (all
    of month+1) and adj_* adjusters.
    grid: the same without asking for a score (customers at risk), `score` being the answer of the month itself.
    units: customers in the grid. account: step, rows, customers. problem: why there is no sample, or None.
    covariates: each declared one with its adjusters. left_out: those without any, with the reason (left_out.py).
    """

    rows: pd.DataFrame
    grid: pd.DataFrame
    units: int
    adjusters: list[str]
    account: pd.DataFrame
    groups: tuple[float, float]
    problem: NotEstimable | None = None
    covariates: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def sales_sample(periods: pd.DataFrame, instrument: str, max_score_age_months: int, covariates: list[str],
                 groups: tuple[float, float] = (6, 9)) -> SalesSample:
    """The sample from customer_periods; a score enters when it is at most max_score_age_months old at the sale.

    Age 1 is an answer given in the month before the sales. groups: highest detractor, lowest promoter.
    covariates: columns that may move scores and sales alike (exposure_months: steps since an action began); what
    never changes within a customer is in the customer effect already. Refusal for one that is the outcome, or no
    column of the panel.
    """
    check_covariates("sales.covariates", covariates, periods.columns, instrument)
    problem = _problem(periods, instrument)
    if problem:
        empty = pd.DataFrame(columns=["customer", "month", "score", "group", "revenue", "orders", "margin"])
        return SalesSample(empty, empty, 0, [], pd.DataFrame(columns=["step", "rows", "customers"]), groups, problem)
    frame = periods.sort_values(["customer_id", "period"], kind="stable", ignore_index=True)
    customer, ids = pd.factorize(frame["customer_id"])
    period = pd.DatetimeIndex(frame["period"])
    grid = pd.DataFrame({"customer": customer, "month": period.year * 12 + period.month - 1})
    for name, column in (("revenue", "revenue_next"), ("orders", "count_orders_next"), ("margin", "margin_next")):
        grid[name] = pd.to_numeric(frame.get(column, pd.Series(np.nan, frame.index)), errors="coerce").astype(float)
    answered = _number(frame, f"score_{instrument}")
    age = _number(frame, f"age_{instrument}") + 1
    last = _number(frame, f"last_{instrument}")
    recent = last.where(age <= max_score_age_months) if last.notna().any() else answered
    grid["age"] = age
    grid["answer"], grid["score"] = answered, answered if max_score_age_months == 1 else recent
    for name in ("segment", "value_band"):
        if name in frame:
            grid[name] = frame[name].to_numpy()
    named, left_out = _add_adjusters(grid, frame, covariates)
    adjusters = [column for columns in named.values() for column in columns]
    at_risk = frame["is_at_risk_next"].fillna(False).to_numpy(bool) & grid["revenue"].notna().to_numpy()
    scored = at_risk & grid["score"].notna().to_numpy()
    complete = scored & grid[adjusters].notna().all(axis=1).to_numpy()
    grid["group"] = score_groups(grid["score"], groups)
    steps = [("customer_months", np.ones(len(grid), bool)), ("at_risk_next_month", at_risk), ("recent_answer", scored),
             ("covariates_known", complete)]
    account = pd.DataFrame([{"step": step, "rows": int(mask.sum()), "customers": int(grid["customer"][mask].nunique())}
                            for step, mask in steps])
    problem = None if complete.any() else NotEstimable("no_overlap", len(grid))
    return SalesSample(grid[complete].reset_index(drop=True), grid[at_risk].reset_index(drop=True), len(ids), adjusters,
                       account, groups, problem, named, left_out)


ASKED = ["customer_id", "responded_at", "score"]  # columns of the linked surveys that `explained` reads


def explained(sample: SalesSample, surveys: pd.DataFrame, sales: pd.DataFrame) -> SalesSample:
    """The sample, its problem said more exactly by the linked tables: which source, key or date is missing."""
    if sample.problem is None or sample.problem.reason not in ("no_panel", "no_scores", "no_next_sales"):
        return sample
    reason = sample.problem.reason
    for gone, exact in ((surveys.empty, "surveys_absent"), (sales.empty, "sales_absent"),
                        ("score" in surveys and surveys["score"].isna().all(), "nobody_answered"),
                        (_all_missing(surveys, "customer_id") or _all_missing(sales, "customer_id"), "no_ids"),
                        (_all_missing(sales, "ordered_at"), "no_sale_dates"),
                        (_all_missing(surveys, "responded_at"), "no_answer_dates")):
        if gone:
            reason = exact
            break
    if reason == sample.problem.reason:
        return sample
    return replace(sample, problem=NotEstimable(reason, sample.problem.n_in))


def _all_missing(frame: pd.DataFrame, column: str) -> bool:
    return column not in frame or frame[column].isna().all()


def score_groups(score: pd.Series, groups: tuple[float, float]) -> pd.Series:
    """detractor, passive or promoter for every score; missing without one."""
    low, high = groups
    named = np.select([score <= low, score >= high, score.notna()], ["detractor", "promoter", "passive"], default="")
    return pd.Series(named, score.index).replace("", None).astype("str")


def fit_sales(sample: SalesSample, columns: list[str], outcome: str = "revenue",
              rows: pd.DataFrame | None = None, more: list[str] | None = None) -> PpmlFit:
    """PPML of the outcome on `columns` with customer and month effects, the sample's adjusters and `more` of them."""
    if sample.problem:
        raise sample.problem
    rows = sample.rows if rows is None else rows
    rows = rows[rows[[*columns, outcome]].notna().all(axis=1)]
    names = [*columns, *(more or []), *sample.adjusters]
    try:
        return fit_ppml(rows[outcome].to_numpy(float), rows[names].to_numpy(float), names, rows["customer"].to_numpy(),
                        rows["month"].to_numpy(), sample.units, len(columns))
    except NotEstimable as why:
        if why.reason == "one_month" and sample.grid["month"].nunique() < 2:
            raise too_early("one_month", sample.grid["month"].max() + 2, why.n_in, why.n_used) from None
        raise


def population_table(sample: SalesSample, currency: str) -> pd.DataFrame:
    """The sample beside everybody at risk: segment, unit, sample, population (means and shares of customer-months).

    n: the customers behind a row, in the sample or in the population, whichever holds fewer (but some), by which the
    page hides it. dimension: all, or the column whose values add up.
    """
    if sample.grid.empty:
        return pd.DataFrame(columns=["dimension", "segment", "unit", "sample", "population", "n"])
    rows = [{"segment": "mean_revenue", "unit": currency, "sample": sample.rows["revenue"].mean(),
             "population": sample.grid["revenue"].mean()},
            {"segment": "buys_next_month", "unit": "share", "sample": (sample.rows["revenue"] > 0).mean(),
             "population": (sample.grid["revenue"] > 0).mean()}]
    for column in ("segment", "value_band"):
        if column in sample.grid and sample.grid[column].notna().any():
            rows += [{"segment": f"{column}:{value}", "unit": "share",
                      "sample": float((sample.rows[column] == value).mean()),
                      "population": float((sample.grid[column] == value).mean())}
                     for value in sorted(sample.grid[column].dropna().unique(), key=str)]
    table = pd.DataFrame(rows)
    return table.assign(dimension=[_column_of(name) for name in table["segment"]],
                        n=[_fewest(sample, name) for name in table["segment"]])


def _column_of(name: str) -> str:
    return name.partition(":")[0] if ":" in name else "all"


def _fewest(sample: SalesSample, name: str) -> int:
    """Customers of the group in the sample or in the grid, the smaller number above zero."""
    column, _, value = name.partition(":")
    parts = [rows if not value else rows[rows[column].astype(str) == value] for rows in (sample.rows, sample.grid)]
    return min([int(part["customer"].nunique()) for part in parts if len(part)], default=0)


def _problem(periods: pd.DataFrame, instrument: str) -> NotEstimable | None:
    if periods.empty:
        return NotEstimable("no_panel")
    if "revenue_next" not in periods or not periods["revenue_next"].notna().any():
        month = pd.DatetimeIndex(periods["period"])
        month = month.year * 12 + month.month - 1
        bought = "revenue" in periods and periods["revenue"].notna().any()
        if bought and month.nunique() < MONTHS_NEEDED:
            return too_early("no_next_sales", month.min() + MONTHS_NEEDED - 1, len(periods))
        return NotEstimable("no_next_sales", len(periods))
    if f"score_{instrument}" not in periods or not periods[f"score_{instrument}"].notna().any():
        return NotEstimable("no_scores", len(periods))
    return None


def _number(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series(np.nan, frame.index)
    return pd.to_numeric(frame[column], errors="coerce").astype(float)


def exposure_steps(months: pd.Series) -> pd.DataFrame:
    """Dummies for the months since an action began for the customer (0-1, 2-3, 4-6, 7-11, 12 and more); none before.

    An action that works moves scores and sales (and churn) alike, and it builds up: without these steps its own
    effect would be credited to the score.
    """
    return pd.DataFrame({f"exposure_{low + 1}": ((months > low) & (months <= high)).astype(float)
                         for low, high in pairwise(EXPOSURE_BINS)})


def _add_adjusters(grid: pd.DataFrame, frame: pd.DataFrame,
                   covariates: list[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Adds adj_* columns that vary within customers: numbers as they are, categories and exposure as dummies.

    The columns of each covariate, and why a covariate has none.
    """
    kept: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    for name in dict.fromkeys(covariates):
        made = _adjusters_of(name, frame)
        varies = [column for column, values in made.items()
                  if (values.groupby(grid["customer"].to_numpy()).transform("nunique") > 1).any()]
        for column in varies:
            grid[column] = made[column].to_numpy()
        if varies:
            kept[name] = varies
        elif frame[name].isna().all():
            left_out[name] = "not_in_data"
        else:
            left_out[name] = "one_level" if frame[name].nunique(dropna=False) == 1 else "in_customer_effect"
    return kept, left_out


def _adjusters_of(name: str, frame: pd.DataFrame) -> dict[str, pd.Series]:
    values = frame[name]
    if values.isna().all():
        return {}
    if name == "exposure_months":
        return {f"adj_{step}": column for step, column in exposure_steps(_number(frame, name)).items()}
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return {f"adj_{name}": _number(frame, name)}
    return {f"adj_{name}_{level}": (values == level).astype(float).where(values.notna())
            for level in sorted(values.dropna().unique(), key=str)[1:]}
