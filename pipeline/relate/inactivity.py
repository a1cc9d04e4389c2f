"""Churn without a contract: silence of w days counts as leaving, shown at w/2, w and 2w side by side.

At the end of month t a customer who bought within the last w days is at risk, and leaves there when nothing follows
within w days of that end. Not of the last purchase: answers of the month are known at its end, and what they are set
against must come after them (DECISIONS.md 6). A month is judged once w days lie behind it, where silence can be told
from the end of the data.

Claims, segment window:<days>: churn.inactivity.monthly_rate (share), churn.inactivity.hazard_ratio_per_point (ratio).
"""

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.relate.churn import ChurnSample, _score
from pipeline.relate.estimate import Estimate, NotEstimable, claim, no_claim
from pipeline.relate.hazard import fit_hazard

METHOD = "cloglog_silence"
RATE = "share_score_clustered"
FEWEST = 10  # customers behind a rate
QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99)


def order_days(sales: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    """customer_id, day: each day on which a customer bought something (no returns), in the company's time zone."""
    needed = {"customer_id", "ordered_at"}
    if sales.empty or not needed <= set(sales.columns):
        return pd.DataFrame({"customer_id": pd.Series(dtype="str"), "day": pd.Series(dtype="datetime64[us]")})
    bought = sales["customer_id"].notna() & sales["ordered_at"].notna()
    if "is_return" in sales:
        bought &= ~sales["is_return"].eq(True).fillna(False).to_numpy(bool)
    local = pd.DatetimeIndex(sales.loc[bought, "ordered_at"]).tz_localize("UTC").tz_convert(time_zone)
    days = pd.DataFrame({"customer_id": sales.loc[bought, "customer_id"].to_numpy(),
                         "day": local.tz_localize(None).normalize()})
    return days.drop_duplicates().sort_values(["customer_id", "day"], ignore_index=True)


def purchase_gaps(days: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of the days between two purchases of a customer: share, days, n, people (who bought again)."""
    gaps = days.groupby("customer_id", sort=False)["day"].diff().dt.days.dropna()
    if gaps.empty:
        return pd.DataFrame(columns=["share", "days", "n", "people"])
    return pd.DataFrame({"share": QUANTILES, "days": np.quantile(gaps, QUANTILES), "n": len(gaps),
                         "people": days.loc[gaps.index, "customer_id"].nunique()})


def silence_sample(days: pd.DataFrame, periods: pd.DataFrame, instrument: str, max_score_age_months: int,
                   window: int, last_day: pd.Timestamp, covariates: list[str]) -> ChurnSample:
    """Customer-months at risk of falling silent; `left` where nothing is bought in `window` days after the month's end.

    periods may be empty: then months come from the purchases, without scores.
    """
    if days.empty:
        empty = pd.DataFrame(columns=["customer", "month", "score", "left"])
        return ChurnSample(empty, empty, 0, [], [], empty, NotEstimable("no_dated_sales"))
    frame = periods if not periods.empty else _months_of(days, last_day)
    frame = frame[["customer_id", "period"]].assign(
        score=_score(frame, instrument, max_score_age_months), **{c: frame[c] for c in covariates if c in frame})
    end = pd.DatetimeIndex(frame["period"]) + pd.offsets.MonthEnd(0)
    frame = frame.assign(day=end.astype("datetime64[us]")).sort_values("day", kind="stable", ignore_index=True)
    since, until = _around(frame, days)
    frame["left"] = (until > window).astype(float)
    at_risk = (since < window) & ((pd.Timestamp(last_day) - frame["day"]).dt.days.to_numpy() >= window)
    frame = frame[at_risk].sort_values(["customer_id", "day"], kind="stable", ignore_index=True)
    gone_before = frame.groupby("customer_id", sort=False)["left"].cumsum() - frame["left"]
    frame = frame[gone_before == 0].reset_index(drop=True)
    customer, ids = pd.factorize(frame["customer_id"])
    period = pd.DatetimeIndex(frame["period"])
    base = frame[["score", "left"]].assign(customer=customer, month=period.year * 12 + period.month - 1)
    named = [c for c in covariates if c in frame and frame[c].notna().any()]
    numbers = [c for c in named if pd.api.types.is_numeric_dtype(frame[c])]
    base = base.assign(**{c: frame[c].to_numpy() for c in named})
    rows = base[base[["score", *numbers]].notna().all(axis=1)].reset_index(drop=True)
    account = pd.DataFrame([{"step": step, "rows": len(part), "customers": int(part["customer"].nunique())}
                            for step, part in (("at_risk_of_silence", base), ("recent_answer", rows))])
    problem = None if len(base) else _window_not_over(days, window, len(periods))
    return ChurnSample(rows, base, len(ids), [c for c in named if c not in numbers], numbers, account, problem)


def _window_not_over(days: pd.DataFrame, window: int, n_in: int) -> NotEstimable:
    """The window does not fit between the end of the first month and that of the data: readable once it does."""
    end = days["day"].min() + pd.offsets.MonthEnd(0) + pd.Timedelta(days=window + 1)
    return NotEstimable("window_too_long", n_in, 0, "too_early", str(end.date()))


def _around(frame: pd.DataFrame, days: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Per row of the frame, days since its customer's last purchase up to `day` and until the next one after it.

    Without one: infinite.
    """
    who, names = pd.factorize(frame["customer_id"])
    buyer = names.get_indexer(days["customer_id"])
    numbers = [pd.DatetimeIndex(table["day"]).to_numpy().astype("datetime64[D]").astype(np.int64)
               for table in (frame, days)]
    day, bought = numbers[0], numbers[1][buyer >= 0]
    width = 1 + max(int(n.max()) for n in numbers) - min(int(n.min()) for n in numbers)
    start = min(int(n.min()) for n in numbers)
    seen = np.sort(buyer[buyer >= 0] * width + bought - start)
    here = who * width + day - start
    place = np.searchsorted(seen, here, side="right")  # purchases up to the day itself stand before it
    back, ahead = np.append(seen, -1)[place - 1], np.append(seen, -1)[place]
    known = (place > 0) & (back // width == who), (place < len(seen)) & (ahead // width == who)
    return np.where(known[0], here - back, np.inf), np.where(known[1], ahead - here, np.inf)


def silence_claims(sample: ChurnSample, window: int) -> list[Claim]:
    """Monthly rate and hazard ratio per point for one window."""
    return [silence_rate(sample, window), silence_ratio(sample, window)]


def silence_rate(sample: ChurnSample, window: int) -> Claim:
    """churn.inactivity.monthly_rate: share of those at risk at a month's end who then fall silent."""
    rows = sample.at_risk
    if sample.problem or rows["customer"].nunique() < FEWEST:
        why = sample.problem or NotEstimable("few_customers", len(rows), len(rows), "suppressed")
        return no_claim("churn.inactivity.monthly_rate", why, "share", RATE, segment=f"window:{window}")
    rate = float(rows["left"].mean())
    share = np.bincount(rows["customer"], (rows["left"] - rate) / len(rows), minlength=sample.customers)
    one = Estimate(rate, share, len(rows), len(rows), sample.customers, sample.customers / (sample.customers - 1))
    low, high = one.share_interval()
    return Claim("churn.inactivity.monthly_rate", rate, "share", len(rows), RATE, segment=f"window:{window}",
                 ci_low=low, ci_high=high, n_in=len(rows), comparisons=3, people=int(rows["customer"].nunique()))


def silence_ratio(sample: ChurnSample, window: int) -> Claim:
    """churn.inactivity.hazard_ratio_per_point: by what the risk of falling silent is multiplied per point."""
    more = {"segment": f"window:{window}", "comparisons": 3}
    try:
        if sample.problem:
            raise sample.problem
        if sample.rows.empty:
            raise NotEstimable("no_scores", len(sample.at_risk))
        fit = fit_hazard(sample.rows["left"].to_numpy(), sample.rows[["score", *sample.numbers]],
                         sample.rows[["month", *sample.categories]], sample.rows["customer"].to_numpy(),
                         sample.customers)
    except NotEstimable as why:
        return no_claim("churn.inactivity.hazard_ratio_per_point", why, "ratio", METHOD, **more)
    return claim("churn.inactivity.hazard_ratio_per_point", fit["score"], "ratio", METHOD, transform="ratio", **more)


def windows(inactivity_days: int) -> list[int]:
    """w/2, w and 2w in whole days."""
    return [max(1, inactivity_days // 2), inactivity_days, 2 * inactivity_days]


def _months_of(days: pd.DataFrame, last_day: pd.Timestamp) -> pd.DataFrame:
    """customer_id, period: every month from a customer's first purchase to the last day of the data."""
    first = days.groupby("customer_id", as_index=False)["day"].min()
    months = pd.DataFrame({"period": pd.period_range(first["day"].min(), last_day, freq="M").to_timestamp()})
    grid = first.merge(months, how="cross")
    return grid[grid["period"] >= grid["day"].dt.to_period("M").dt.to_timestamp()][["customer_id", "period"]]


def window_table(claims: list[Claim]) -> pd.DataFrame:
    """One row per window: days, n, estimate (hazard ratio per point) with its interval, people (customers in n)."""
    rows = [[int(c.segment.partition(":")[2]), c.n_used, c.estimate, c.ci_low, c.ci_high, c.people] for c in claims
            if c.claim_id == "churn.inactivity.hazard_ratio_per_point"]
    table = pd.DataFrame(rows, columns=["days", "n", "estimate", "ci_low", "ci_high", "people"])
    return table.astype({name: float for name in ("estimate", "ci_low", "ci_high")} | {"people": "Int64"})
