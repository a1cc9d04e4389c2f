"""Customers who came back, counted by hand."""

import pandas as pd
import pytest

from pipeline.relate.repeat import repeat_customers


def orders(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "is_return"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]))


def test_two_days_of_the_companys_calendar_make_a_repeat_customer():
    one = [(f"c{n}", "2025-01-31 10:00", False) for n in range(10)]
    again = [("c0", "2025-01-31 22:00", False),  # the same day in Madrid (23:00)
             ("c1", "2025-01-31 23:30", False),  # 1 February in Madrid
             ("c2", "2025-03-01 10:00", True),  # a return is no purchase
             (None, "2025-03-01 10:00", False), ("c3", "2025-03-01 10:00", False)]
    claim = repeat_customers(orders(one + again), "Europe/Madrid")
    assert (claim.estimate, claim.n_used, claim.n_in) == (0.2, 10, 10)  # customers, not the lines of their orders
    # Newcombe 1998, method 3, by hand for 2 of 10 with z = 1.959964
    assert (claim.ci_low, claim.ci_high) == (pytest.approx(0.0567, abs=5e-5), pytest.approx(0.5098, abs=5e-5))


def test_without_dated_sales_or_with_few_customers_there_is_a_reason():
    few = [("c1", "2025-01-31 10:00", False), ("c2", "2025-01-31 10:00", False)]
    assert repeat_customers(orders(few), "UTC").status == "suppressed"
    assert repeat_customers(orders(few).assign(ordered_at=pd.NaT), "UTC").reason == "no_dated_sales"
    assert repeat_customers(pd.DataFrame(), "UTC").reason == "no_sales"
