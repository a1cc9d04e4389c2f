"""The experience label: each answer negative, neutral or positive, by one declared mapping per instrument."""

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.change import detectable
from pipeline.measure.disclosure import Limits
from pipeline.measure.periods import Periods, in_window
from pipeline.measure.proportions import share

NAMES = ("negative", "neutral", "positive")


def label(scores, highest_negative: float, lowest_positive: float) -> np.ndarray:
    """Per answer (higher is better): "negative" up to the first cut, "positive" from the second, else "neutral"."""
    scores = np.asarray(scores, dtype=float)
    return np.where(scores <= highest_negative, "negative", np.where(scores >= lowest_positive, "positive", "neutral"))


def labels(surveys: pd.DataFrame, cuts: dict[str, list[float]]) -> pd.Series:
    """Per row of surveys its label; missing where not answered or where no cuts are declared for the instrument."""
    found = pd.Series(pd.NA, index=surveys.index, dtype="object")
    for instrument, (highest_negative, lowest_positive) in sorted(cuts.items()):
        rows = (surveys["instrument"] == instrument) & surveys["score_up"].notna()
        found[rows] = label(surveys.loc[rows, "score_up"], highest_negative, lowest_positive)
    return found


def label_shares(answers: pd.DataFrame, cuts: dict[str, list[float]], periods: Periods, limits: Limits) -> pd.DataFrame:
    """One row per instrument (and "all" of those shown) and label: share of the period's answers, Wilson, clustered;
    people: customers behind them.

    answers: as metrics.answered gives them. Instruments without declared cuts, or answered by too few, are left out,
    of "all" too: else the shown ones taken from it would give their answers away.
    """
    columns = ["segment", "label", "period", "n", "people", "count", "estimate", "ci_low", "ci_high", "status",
               "detectable"]
    marked = answers.assign(label=labels(answers, cuts)) if len(answers) else answers.assign(label=None)
    rows = in_window(marked[marked["label"].notna()], periods.now)
    period = periods.now.label if len(rows) and rows["month"].notna().any() else "all"
    people_of = rows["instrument"].map(rows.groupby("instrument")["code"].nunique())
    rows = rows[people_of >= limits.suppress_below]
    parts = {"all": rows} | {f"instrument:{name}": part for name, part in rows.groupby("instrument", sort=True)}
    found = []
    for segment, part in parts.items():
        status = limits.status(len(part), part["code"].nunique())
        if status in ("not_estimable", "suppressed"):
            continue
        for name in NAMES:
            is_it = (part["label"] == name).to_numpy(float)
            score = share(is_it, part["code"].to_numpy(), int(part["code"].max()) + 1)
            found.append((segment, name, period, score.n, score.n_clusters, int(is_it.sum()), score.estimate,
                          score.low, score.high, status, detectable(score)))
    return pd.DataFrame(found, columns=columns)


def label_claims(table: pd.DataFrame) -> list[Claim]:
    """Shares of positive and of negative answers, over all instruments and for each."""
    return [Claim(f"experience.label_{row.label}_share", row.estimate, "share", int(row.n), "wilson",
                  segment=row.segment, period=row.period, ci_low=row.ci_low, ci_high=row.ci_high, status=row.status,
                  detectable=row.detectable, people=int(row.people))
            for row in table.itertuples(index=False) if row.label != "neutral"]
