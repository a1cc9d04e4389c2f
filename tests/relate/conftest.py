"""A small company with known truth, straight as a customer x month panel (the demo company's law, without its dirt).

True effects: next month's spend exp(.06) per point of the score; churn hazard exp(-.20) per point. A naive
comparison is fooled by value (rich customers score higher), the season and the rollout of an action.
"""

import functools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parents[2]))  # benchmarks/ is run from the root and never installed
BETA, CHURN = 0.06, -0.20


def make_company(seed: int, customers: int = 1500, months: int = 24, beta: float = BETA, churn: float = CHURN,
                 feedback: float = 0.0) -> pd.DataFrame:
    """customer_periods of one company; columns as the link stage writes them (those that relate reads)."""
    rng = np.random.default_rng(seed)
    n = customers
    segment = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    value = rng.normal(0, 0.7, n) + 0.5 * (segment - 0.5)
    big = (value > 0.5).astype(float)
    branch = rng.integers(0, 40, n)
    cohort = np.array([8, 11, 14, 17, 99])[branch % 5]
    lift = np.array([0.04, 0.10, 0.16])[segment]
    taste, drift, bad = rng.normal(0, 0.8, n) + rng.normal(0, 0.3, 40)[branch], rng.normal(0, 1, n), np.zeros(n)
    alive, previous, frames = np.ones(n, bool), None, []
    for month in range(months):
        drift = 0.6 * drift + 0.8 * rng.normal(0, 1, n)
        contact = rng.random(n) < _logistic(-3 + 0.5 * big + 0.25 * (drift < -1))
        bad = 0.5 * bad + contact * (rng.random(n) < 0.35)
        since = month - cohort
        ramp = np.where(since >= 0, 1 - np.exp(-(since + 1) / 6), 0.0)
        effect = beta * (previous - 7) if previous is not None else 0.0
        mean = np.exp(-0.1 + 0.8 * value + 0.25 * np.sin(2 * np.pi * month / 12) + 0.01 * month + effect + lift * ramp)
        orders = rng.poisson(mean) * alive
        revenue = np.where(orders > 0, rng.gamma(np.maximum(2 * orders, 1), 20), 0.0)
        shock = (orders - mean) / np.sqrt(mean)
        latent = 7.3 + 0.6 * value + taste + 0.9 * drift - 0.8 * bad + 0.8 * ramp + feedback * shock
        score = np.clip(np.round(latent + rng.normal(0, 1.1, n)), 0, 10)
        hazard = churn * (previous - 7) if previous is not None else 0.0
        gone = rng.random(n) < -np.expm1(-np.exp(-3.9 + hazard - 0.5 * big - 0.3 * (segment == 2)
                                                 + 0.02 * min(month, 12)))
        invited = alive & (rng.random(n) < 0.4)
        answered = invited & (rng.random(n) < _logistic(-1 + 1.2 * (big - 0.4) + 0.6 * contact))
        frames.append(pd.DataFrame({
            "customer_id": np.char.add("c", np.arange(n).astype(str)), "month": month, "alive": alive.copy(),
            "segment": np.array(["small", "middle", "large"])[segment], "value_band": np.where(big > 0, "high", "low"),
            "score_nps": np.where(answered, score, np.nan), "potential": score, "mean_spend": 40 * mean * alive,
            "count_orders": orders, "revenue": revenue, "exposure_months": np.where(since >= 0, since, np.nan),
            "tenure_months": month, "gone": gone & alive}))
        previous, alive = score, alive & ~gone
    panel = pd.concat(frames, ignore_index=True).sort_values(["customer_id", "month"], ignore_index=True)
    return _with_next(panel, months)


def _with_next(panel: pd.DataFrame, months: int) -> pd.DataFrame:
    by = panel.groupby("customer_id", sort=False)
    panel["revenue_next"], panel["count_orders_next"] = by["revenue"].shift(-1), by["count_orders"].shift(-1)
    panel["spend_next"] = by["mean_spend"].shift(-1)
    panel["is_churned_next"] = by["gone"].shift(-1).astype(object)
    panel["is_at_risk_next"] = by["alive"].shift(-1, fill_value=False) & (panel["month"] < months - 1)
    panel["is_active"] = panel.pop("alive")
    panel["period"] = (np.datetime64("2023-01", "M") + panel["month"].to_numpy()).astype("datetime64[us]")
    answered = panel["score_nps"].where(panel["is_active"])
    panel["score_nps"] = answered
    last_month = panel["month"].where(answered.notna()).groupby(panel["customer_id"], sort=False).ffill()
    panel["last_nps"] = answered.groupby(panel["customer_id"], sort=False).ffill()
    panel["age_nps"] = panel["month"] - last_month
    return panel.drop(columns=["gone"])


def _logistic(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture(scope="session")
def company():
    """company(seed, customers, ...): the panel, made once for each set of arguments; do not change it in place."""
    return functools.cache(make_company)
