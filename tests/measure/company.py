"""Small linked surveys and tickets, made by hand: what the scorecard is tried on."""

import numpy as np
import pandas as pd

TIMES = ["sent_at", "responded_at", "created_at", "first_reply_at", "solved_at"]


def surveys(rows: list[dict]) -> pd.DataFrame:
    """Linked surveys with the given fields; the rest as of an NPS answered in 2025."""
    base = {"customer_id": None, "instrument": "nps", "score": np.nan, "scale_min": 0.0, "scale_max": 10.0,
            "direction": "higher_is_better", "sent_at": "2025-06-01", "responded_at": "2025-06-02", "touchpoint": None,
            "channel": None, "order_id": None, "comment": None, "segment": None, "branch": None}
    frame = pd.DataFrame([{"response_id": f"r{i}"} | base | row for i, row in enumerate(rows)])
    frame["score_up"] = frame["score"].where(frame["direction"] == "higher_is_better",
                                             frame["scale_min"] + frame["scale_max"] - frame["score"])
    for column in ("sent_at", "responded_at"):
        frame[column] = pd.to_datetime(frame[column], format="ISO8601").astype("datetime64[us]")
    return frame.astype({name: "str" for name in ("customer_id", "touchpoint", "channel", "order_id", "comment",
                                                  "segment", "branch")})


def tickets(hours: list[float | None], created: str = "2025-06-01", **columns) -> pd.DataFrame:
    """Linked tickets created at one moment, solved after so many hours (None: open)."""
    start = pd.Timestamp(created)
    solved = [None if h is None else start + pd.Timedelta(hours=h) for h in hours]
    return pd.DataFrame({
        "ticket_id": [f"t{i}" for i in range(len(hours))],
        "customer_id": pd.array([f"c{i}" for i in range(len(hours))], dtype="str"), "created_at": start,
        "first_reply_at": pd.NaT, "solved_at": pd.to_datetime(pd.Series(solved)),
        "status": pd.Series([None] * len(hours), dtype="str")} | columns)
