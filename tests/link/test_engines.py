"""The same numbers from pandas frames and from DuckDB, money and time zones included."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.contracts.refusal import Refusal
from pipeline.link.context import survey_context, ticket_context
from pipeline.link.engine import whole, with_month
from pipeline.link.journey import build_events
from pipeline.link.linkage import build_linkage
from pipeline.link.panel import build_panel
from pipeline.link.totals import build_totals

few = settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate],
               suppress_health_check=[HealthCheck.function_scoped_fixture])
ZONE = "Europe/Madrid"


def assert_same(frame: pd.DataFrame, made: duckdb.DuckDBPyRelation | pa.RecordBatchReader) -> None:
    other = made.df() if isinstance(made, duckdb.DuckDBPyRelation) else made.read_pandas()
    coded = [name for name, kind in other.dtypes.items() if str(kind) == "category"]
    other[coded] = other[coded].astype("str")
    for name, kind in frame.dtypes.items():
        if str(kind) in ("bool", "boolean"):  # without a missing value the engine cannot say which of them it was
            other[name] = other[name].astype(kind)
        if str(kind) == "str" and other[name].isna().all():
            other[name] = other[name].astype("str")
    pd.testing.assert_frame_equal(frame, other, check_exact=True)


@few
@given(seed=st.integers(0, 10**6))
def test_every_linked_table_is_equal_on_both_engines(random_tables, on_duckdb, seed):
    tables = random_tables(seed)
    tables["sales"]["promised_at"] = tables["sales"]["ordered_at"] + pd.Timedelta(days=2)
    tables["sales"]["delivered_at"] = tables["sales"]["promised_at"].where(tables["sales"].index % 3 > 0)
    tables["surveys"]["order_id"] = tables["sales"]["order_id"].sample(len(tables["surveys"]), replace=True,
                                                                       random_state=seed).to_numpy()
    tables["customers"]["x_visits"] = range(8)
    relations = on_duckdb(tables)
    for build in (lambda t: build_panel(t, ZONE), lambda t: build_panel(t, ZONE, as_of="2025-04-10"),
                  lambda t: build_totals(t, ZONE), lambda t: build_events(t, ZONE), survey_context, ticket_context):
        assert_same(build(tables), build(relations))
    assert build_linkage(tables, ZONE) == build_linkage(relations, ZONE)


@pytest.mark.parametrize("absent", ["sales", "surveys", "tickets", "customers", "actions"])
def test_equal_on_both_engines_without_one_source(by_hand, on_duckdb, absent):
    tables = {name: frame for name, frame in by_hand.items() if name != absent}
    relations = on_duckdb(tables)
    for build in (lambda t: build_panel(t, ZONE), lambda t: build_totals(t, ZONE), lambda t: build_events(t, ZONE)):
        assert_same(build(tables), build(relations))


@pytest.mark.parametrize("zone", ["Europe/Madrid", "UTC", "America/Sao_Paulo", "Pacific/Auckland", "Asia/Kolkata"])
def test_months_are_those_of_the_time_zone_on_both_engines(zone):
    """Every half hour around each change of month of two years, and every noon, against Python's own calendar."""
    changes = [datetime(2024 + m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in range(24)]
    moments = [c + timedelta(minutes=30 * k) for c in changes for k in range(-60, 60)]
    moments += [changes[0] + timedelta(days=d, hours=12) for d in range(730)]
    expected = [(m := moment.astimezone(ZoneInfo(zone))).year * 12 + m.month - 1 for moment in moments]
    frame = pd.DataFrame({"at": pd.Series([m.replace(tzinfo=None) for m in moments]).astype("datetime64[us]")})
    on_pandas = with_month(nw.from_native(frame).lazy(), "at", "month", zone).to_native()
    with duckdb.connect() as con:
        on_engine = with_month(nw.from_native(con.from_df(frame)).lazy(), "at", "month", zone).to_native().df()
    assert on_pandas["month"].tolist() == expected
    assert on_engine["month"].tolist() == expected


def test_money_becomes_whole_ten_thousandths_exactly_whatever_its_size():
    """Amounts of 1 to 18 digits, and around 10 thousand millions, against Python's own decimals."""
    units = [sign * (digits + k) for n in range(18) for digits in (10**n, 7 * 10**n, 123456789012345678 // 10**n)
             for k in range(-3, 4) for sign in (1, -1)]
    units += [10**14 + k for k in range(-50, 50)]
    amounts = pa.table({"amount": pa.array([Decimal(u).scaleb(-4) for u in units], pa.decimal128(38, 4))})
    with duckdb.connect() as con:
        made = whole(nw.from_native(con.from_arrow(amounts)).lazy(), ["amount"]).to_native().to_arrow_table()
    assert made["amount"].to_pylist() == units


def test_an_unknown_time_zone_is_refused(by_hand):
    with pytest.raises(Refusal, match="PARAM-ZONE"):
        build_panel(by_hand, "Europe/Madird")
