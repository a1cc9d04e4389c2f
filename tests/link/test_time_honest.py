"""METHODS §2: what is not _next knows nothing of later months; what is _next knows nothing of earlier ones."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.link.panel import build_panel

KEY = ["customer_id", "period"]
AS_OF = "2025-05-31"


def examples(count: int) -> settings:
    """So many random companies, the same in every run."""
    return settings(max_examples=count, deadline=None, derandomize=True, phases=[Phase.generate],
                    suppress_health_check=[HealthCheck.function_scoped_fixture])


def panel_of(tables):
    return build_panel(tables, "Europe/Madrid", as_of=AS_OF)


def until(panel: pd.DataFrame, month: int) -> pd.DataFrame:
    rows = panel[panel["period"] <= pd.Timestamp(2025, month, 1)]
    return rows[[name for name in panel if not name.endswith("_next")]].reset_index(drop=True)


@examples(12)
@given(seed=st.integers(0, 10**6), month=st.integers(1, 4))
def test_no_column_but_next_depends_on_later_months(two_futures, seed, month):
    """Two companies alike up to the end of the month, different afterwards: the same rows up to that month."""
    one, other = (panel_of(tables) for tables in two_futures(seed, month))
    assert not one.equals(other)  # the futures do differ
    pd.testing.assert_frame_equal(until(one, month), until(other, month))


@examples(6)
@given(seed=st.integers(0, 10**6), month=st.integers(1, 4))
def test_next_columns_depend_on_the_following_month_only(random_tables, seed, month):
    """Sales up to the end of the month and after the following month are changed; its _next columns stand."""
    tables = random_tables(seed)
    start, stop = (pd.Timestamp(f"2025-{m:02d}-01", tz="Europe/Madrid").tz_convert("UTC").tz_localize(None)
                   for m in (month + 1, month + 2))
    sales = tables["sales"]
    others = ~sales["ordered_at"].between(start, stop, inclusive="left")
    changed = tables | {"sales": sales.assign(net_amount=sales["net_amount"].where(~others, 999.0))}
    columns = [*KEY, "revenue_next", "count_orders_next", "is_churned_next", "is_at_risk_next"]
    before, after = (panel[panel["period"].dt.month == month][columns] for panel in map(panel_of, (tables, changed)))
    pd.testing.assert_frame_equal(before, after)


@examples(6)
@given(seed=st.integers(0, 10**6))
def test_next_columns_are_what_the_next_month_says(random_tables, seed):
    """Row by row: revenue_next is the revenue of the row one month later, and missing without one."""
    panel = panel_of(random_tables(seed))
    later = panel.assign(period=panel["period"] - pd.DateOffset(months=1))
    both = panel.merge(later[[*KEY, "revenue", "is_active"]], on=KEY, how="left", suffixes=("", "_after"))
    here = both["revenue_after"].notna()
    assert (both.loc[here, "revenue_next"] == both.loc[here, "revenue_after"]).all()
    assert not (both["is_at_risk_next"] & ~both["is_active_after"].fillna(False).astype(bool)).any()


@examples(6)
@given(seed=st.integers(0, 10**6))
def test_a_carried_score_shows_its_age(random_tables, seed):
    """age 0 exactly when the month has an answer, else one more than the month before; last_ is carried unchanged."""
    panel = panel_of(random_tables(seed))
    panel = panel[panel["is_active"]]
    assert ((panel["age_nps"] == 0) == panel["score_nps"].notna()).all()
    ago = panel.assign(period=panel["period"] + pd.DateOffset(months=1))
    both = panel.merge(ago[[*KEY, "age_nps", "last_nps"]], on=KEY, suffixes=("", "_ago"))
    carried = both[both["score_nps"].isna()]
    pd.testing.assert_series_equal(carried["age_nps"], carried["age_nps_ago"] + 1, check_names=False)
    pd.testing.assert_series_equal(carried["last_nps"], carried["last_nps_ago"], check_names=False)


@examples(6)
@given(seed=st.integers(0, 10**6))
def test_order_of_rows_does_not_matter(random_tables, seed):
    tables = random_tables(seed)
    shuffled = {name: frame.sample(frac=1, random_state=seed) for name, frame in tables.items()}
    pd.testing.assert_frame_equal(panel_of(tables), panel_of(shuffled))


@examples(6)
@given(seed=st.integers(0, 10**6))
def test_one_row_per_customer_and_month_and_no_revenue_lost(random_tables, seed):
    tables = random_tables(seed)
    panel = panel_of(tables)
    assert not panel.duplicated(KEY).any()
    sales = tables["sales"].dropna(subset=["customer_id"])
    assert round(panel["revenue"].sum() * 100) == round(sales["net_amount"].sum() * 100)


def test_a_later_sale_to_someone_who_left_adds_no_row_before_it(by_hand):
    """Bea left in March; that she buys in May must not show in April, where nothing happened."""
    late = by_hand["sales"].iloc[[0]].assign(order_id="o9", customer_id="bea", ordered_at=pd.Timestamp("2025-05-05"))
    with_sale = by_hand | {"sales": pd.concat([by_hand["sales"], late])}
    pd.testing.assert_frame_equal(until(panel_of(by_hand), 4), until(panel_of(with_sale), 4))


def test_an_answer_after_the_end_of_the_data_is_not_known(by_hand):
    """as_of 20 February: the answer of the 21st has not been given, ticket t1 is open, Bea has not left."""
    panel = build_panel(by_hand, "Europe/Madrid", as_of="2025-02-20")
    ana = panel[panel["customer_id"] == "ana"]
    assert ana["last_nps"].tolist() == pytest.approx([float("nan"), 9], nan_ok=True)
    assert ana["count_open_tickets"].tolist() == pytest.approx([float("nan"), 1], nan_ok=True)
