"""What turning a detractor or a passive into a promoter is worth, and what it may cost at most.

theta = mean over the detractors' (passives') customer-months of their next-month spend x (e^b - 1), b what a
promoter's answer does instead of theirs by the panel model. Its interval comes from the joint influence of spend
and coefficients, clustered by customer.

Claims: sales.conversion_value.detractor_to_promoter, .passive_to_promoter (money per customer and month),
sales.conversion_margin.* where the sales carry a margin, sales.break_even_cost.* (money per converted customer, over
the declared months: segment horizon:<months>).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim, Level
from pipeline.relate.estimate import Estimate, NotEstimable, claim, combine, no_claim, nothing_sold
from pipeline.relate.ppml import PpmlFit
from pipeline.relate.sales import add_groups, fit_groups
from pipeline.relate.sample import SalesSample

METHOD = "ppml_conversion"
MOST_WEIGHTS = 4_000_000  # of customers x replicates held at once
SOURCES = ("detractor", "passive")


def conversion(sample: SalesSample, currency: str, break_even_months: int, level: Level = "associated",
               reason: str = "") -> list[Claim]:
    """Conversion values, their break-even cost, and both on margin where there is one."""
    has_margin = sample.problem is None and sample.rows["margin"].notna().any()
    horizon, made, fit = f"horizon:{break_even_months}", [], None
    for source in SOURCES:
        ids = {"value": f"sales.conversion_value.{source}_to_promoter",
               "margin": f"sales.conversion_margin.{source}_to_promoter",
               "cost": f"sales.break_even_cost.{source}_to_promoter"}
        try:
            fit = fit or fit_groups(sample)
            value = conversion_value(sample, fit, source)
            margin = conversion_value(sample, fit, source, "margin") if has_margin else None
            gain = value if margin is None else margin
            cost = combine(break_even_months * gain.value, [(float(break_even_months), gain)], gain)
            estimates = {"value": value, "cost": cost} | ({"margin": margin} if margin else {})
            made += [claim(ids[name], one, currency, METHOD, level=level, reason=reason, comparisons=2,
                           segment=horizon if name == "cost" else "all") for name, one in estimates.items()]
        except NotEstimable as why:
            made += [no_claim(ids["value"], why, currency, METHOD),
                     no_claim(ids["cost"], why, currency, METHOD, segment=horizon)]
    return made


def conversion_value(sample: SalesSample, fit: PpmlFit, source: str, money: str = "revenue") -> Estimate:
    """theta per customer and month for those of group `source`, in units of `money` (revenue or margin).

    Each of their customer-months keeps all else and gets a promoter's answer, drawn from the answers of promoters:
    y (e^(b + k - s d) - 1), averaged; b from group mean to group mean, s the slope inside groups, d how far the
    answer lies from its group's mean, k = log mean of e^(s d) over promoters. Influence: of the mean, of b and of s.
    With margin: the same relative effect, applied to their margin.
    """
    rows = add_groups(sample)
    paid = rows[(rows["group"] == source) & rows[money].notna()]
    if money == "revenue" and paid[money].sum() <= 0:  # a percentage of nothing, or of refunds, is no gain
        raise NotEstimable(nothing_sold(paid[money].sum()), len(rows), len(paid))
    promoter = fit["promoter"]
    effects = [(1.0, promoter)] + ([(-1.0, fit["passive"])] if source == "passive" else [])
    step = combine(sum(weight * part.value for weight, part in effects), effects, promoter)
    slope = fit["within_group"] if "within_group" in fit.names else combine(0.0, [(0.0, promoter)], promoter)
    above = rows.loc[rows["group"] == "promoter", "within_group"].to_numpy()
    tilt = np.exp(slope.value * above)
    spend, place = paid[money].to_numpy(), paid["within_group"].to_numpy()
    after = spend * np.exp(step.value - slope.value * place) * tilt.mean()
    theta = float(np.mean(after - spend))
    share = np.bincount(paid["customer"].to_numpy(), (after - spend - theta) / len(paid), minlength=sample.units)
    mean = Estimate(theta, share, promoter.n_in, len(paid), int(paid["customer"].nunique()), promoter.factor)
    by_slope = float(np.mean(after * (np.mean(tilt * above) / tilt.mean() - place)))
    return combine(theta, [(1.0, mean), (float(after.mean()), step), (by_slope, slope)], promoter)


def bootstrap_values(sample: SalesSample, fit: PpmlFit, source: str, replicates: int = 2000,
                     seed: int = 20240101) -> np.ndarray:
    """(replicates,) values of theta with customers drawn anew: by products of weights and sums, no replicate refitted.

    The check of the joint-influence interval. A draw moves the coefficients by its customers' influence (no refit),
    the spend and the promoters' answers by their weights; the slope inside groups enters to first order.
    """
    rows = add_groups(sample)
    parts = {"step": [(1.0, "promoter")] + ([(-1.0, "passive")] if source == "passive" else []),
             "slope": [(1.0, "within_group")] if "within_group" in fit.names else []}
    value = {name: sum(weight * fit[column].value for weight, column in part) for name, part in parts.items()}
    pull = {name: np.sqrt(fit.factor) * sum((weight * fit[column].influence for weight, column in part),
                                            np.zeros(sample.units)) for name, part in parts.items()}
    paid, promoters = rows[rows["group"] == source], rows[rows["group"] == "promoter"]

    def sums(part: pd.DataFrame, weight: np.ndarray, sign: float) -> list[np.ndarray]:
        tilt = weight * np.exp(sign * value["slope"] * part["within_group"].to_numpy())
        customer = part["customer"].to_numpy()
        return [np.bincount(customer, column, minlength=sample.units)
                for column in (np.ones(len(part)), weight, tilt, sign * tilt * part["within_group"].to_numpy())]

    columns = np.column_stack([pull["step"], pull["slope"], *sums(paid, paid["revenue"].to_numpy(float), -1.0),
                               *sums(promoters, np.ones(len(promoters)), 1.0)])
    offered = np.flatnonzero(np.any(columns != 0, axis=1))
    drawn = np.concatenate([weights @ columns[offered] for weights in _weights(len(offered), replicates, seed)])
    step, slope, n, spend, after, after_slope, m, _, tilt, tilt_slope = drawn.T
    raised = np.exp(value["step"] + step) * (after + slope * after_slope) * (tilt + slope * tilt_slope) / m
    return (raised - spend) / n


def _weights(customers: int, replicates: int, seed: int) -> Iterator[np.ndarray]:
    """(some replicates, customers) times that each customer is drawn, in blocks that together make all replicates."""
    rng, block = np.random.default_rng(seed), max(1, MOST_WEIGHTS // customers)
    for first in range(0, replicates, block):
        size = min(block, replicates - first)
        place = rng.integers(0, customers, (size, customers)) + customers * np.arange(size)[:, None]
        yield np.bincount(place.ravel(), minlength=size * customers).reshape(size, customers).astype(float)
