"""Orders and responses that lie in several months: each month has its part, the whole counts once."""

import pandas as pd
import pytest

from pipeline.link.journey import build_events
from pipeline.link.panel import build_panel
from pipeline.link.totals import build_totals

ZONE = "Europe/Madrid"


def at(*texts: str) -> pd.Series:
    return pd.to_datetime(pd.Series(texts)).astype("datetime64[us]")


@pytest.fixture
def stretched() -> dict[str, pd.DataFrame]:
    """o1: 10 € on 30 January, 20 € on 5 February and 4 € back the day after. o2 of February, whole. r1: its two
    questions were answered a week apart."""
    sales = pd.DataFrame({"order_id": ["o1", "o1", "o1", "o2"], "line_id": list("1231"), "customer_id": "ana",
                          "ordered_at": at("2025-01-30 12:00", "2025-02-05 12:00", "2025-02-06 12:00",
                                           "2025-02-07 12:00"),
                          "net_amount": [10.0, 20.0, -4.0, 1.0], "is_return": [False, False, True, False],
                          "margin": [5.0, None, -2.0, 0.5]})
    surveys = pd.DataFrame({"response_id": "r1", "customer_id": "ana", "instrument": ["nps", "csat"],
                            "score": [9.0, 4.0], "scale_min": [0.0, 1.0], "scale_max": [10.0, 5.0],
                            "direction": "higher_is_better", "sent_at": at("2025-01-29 09:00", "2025-02-01 09:00"),
                            "responded_at": at("2025-01-30 09:00", "2025-02-05 09:00")})
    return {"sales": sales, "surveys": surveys}


def frames(build, tables, on_duckdb) -> list[pd.DataFrame]:
    """What is built from pandas frames and from the engine."""
    made = [build(tables), build(on_duckdb(tables))]
    return [found if isinstance(found, pd.DataFrame) else found.arrow().read_pandas()
            if hasattr(found, "arrow") else found.read_pandas() for found in made]


def test_each_month_has_its_part_of_the_order(stretched, on_duckdb):
    for panel in frames(lambda t: build_panel(t, ZONE, as_of="2025-02-28"), stretched, on_duckdb):
        assert panel["revenue"].tolist() == [10, 17]
        assert panel["count_orders"].tolist() == [1, 2]
        assert panel["count_returns"].tolist() == [0, 1]
        assert panel["margin"].tolist() == pytest.approx([5, float("nan")], nan_ok=True)
        assert panel["count_answers"].tolist() == [1, 1]
        assert panel["count_invitations"].tolist() == [1, 1]


def test_the_whole_counts_once(stretched, on_duckdb):
    for totals in frames(lambda t: build_totals(t, ZONE), stretched, on_duckdb):
        found = totals.iloc[0]
        assert (found["count_orders"], found["revenue"], found["count_answers"], found["count_invitations"]) == (
            2, 27, 1, 1)
    for events in frames(lambda t: build_events(t, ZONE), stretched, on_duckdb):
        bought = events[events["kind"].isin(["order", "return"])]
        assert bought[["kind", "ref_id", "amount"]].to_numpy().tolist() == [
            ["order", "o1", 30], ["return", "o1", -4], ["order", "o2", 1]]


def test_lines_after_the_end_of_the_data_are_not_known(stretched, on_duckdb):
    """as_of 5 February: the second line of o1 still counts, what came back and o2 do not. On 31 January neither."""
    for as_of, revenue, answers in (("2025-02-05", 30, 1), ("2025-01-31", 10, 1)):
        for totals in frames(lambda t, as_of=as_of: build_totals(t, ZONE, as_of=as_of), stretched, on_duckdb):
            assert totals[["revenue", "count_orders", "count_answers"]].to_numpy().tolist() == [[revenue, 1, answers]]
        for panel in frames(lambda t, as_of=as_of: build_panel(t, ZONE, as_of=as_of), stretched, on_duckdb):
            assert panel["revenue"].sum() == revenue
