"""How answers are spread over the scale, and which questions were asked how."""

import numpy as np
import pandas as pd

from pipeline.measure.disclosure import Limits, hidden_names
from pipeline.measure.periods import Periods, in_window


def instruments(surveys: pd.DataFrame | None, top_boxes: dict[str, float]) -> pd.DataFrame:
    """One row per question: scale and direction as asked, whether it was turned, top box, invitations and answers."""
    columns = ["instrument", "scale_min", "scale_max", "direction", "is_turned", "top_box", "count_invitations",
               "count_answers"]
    if surveys is None:
        return pd.DataFrame(columns=columns)
    keys = ["instrument", "scale_min", "scale_max", "direction"]
    table = surveys.groupby(keys, sort=True, observed=True).agg(
        count_invitations=("response_id", "nunique"), count_answers=("score_up", "count")).reset_index()
    table["is_turned"] = table["direction"] == "lower_is_better"
    table["top_box"] = table["instrument"].map(top_boxes).astype(float)
    return table[columns]


def distribution(answers: pd.DataFrame, periods: Periods, limits: Limits) -> pd.DataFrame:
    """One row per instrument and point of its scale (turned so that higher is better): share of the period's answers.

    Points with too few answers, or of too few customers, show neither count nor share (missing).
    """
    columns = ["instrument", "score", "n", "estimate_share"]
    rows = in_window(answers, periods.now) if len(answers) else answers
    tables = []
    for instrument, part in rows.groupby("instrument", sort=True):
        counts = part["score_up"].value_counts().sort_index()
        if limits.status(len(part), part["code"].nunique()) == "suppressed":
            continue
        unseen = counts.index.isin(hidden_names(part["score_up"], part["code"], limits.suppress_below))
        table = pd.DataFrame({"instrument": instrument, "score": counts.index.astype(float),
                              "n": counts.to_numpy(), "estimate_share": counts.to_numpy() / len(part)})
        table.loc[unseen, "estimate_share"] = np.nan
        table["n"] = table["n"].astype("Int64").mask(unseen)
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
