"""Companies for the tests of link: one made by hand, and random ones with everything that can go wrong in time."""

from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd
import pytest

Tables = dict[str, pd.DataFrame]
FIRST, DAYS = pd.Timestamp("2025-01-01"), 150  # five months, the data end on 2025-05-31 in Madrid


def stamps(*texts: str | None) -> pd.Series:
    return pd.to_datetime(pd.Series(texts)).astype("datetime64[us]")


@pytest.fixture
def on_duckdb() -> Callable[[Tables], dict]:
    """Puts pandas tables into an engine of their own, money as decimal(18,4) as ingest writes it."""
    con = duckdb.connect()

    def put(tables: Tables) -> dict:
        relations = {name: con.from_df(frame) for name, frame in tables.items()}
        if "sales" in relations:
            money = ", ".join(f"CAST({name} AS DECIMAL(18,4)) AS {name}" for name in ("net_amount", "margin")
                              if name in tables["sales"])
            relations["sales"] = relations["sales"].project(f"* EXCLUDE ({money_names(tables)}), {money}")
        return relations

    def money_names(tables: Tables) -> str:
        return ", ".join(name for name in ("net_amount", "margin") if name in tables["sales"])

    yield put
    con.close()


@pytest.fixture
def by_hand() -> Tables:
    """Ana (customer since December 2024), Bea (10 February to 20 March) and Carl, whom the register does not know.

    Madrid is one hour ahead of UTC in winter: o1 of 31 January 23:30 UTC belongs to February.
    """
    sales = pd.DataFrame({
        "order_id": ["o4", "o1", "o1", "o2", "o2", "o3"], "line_id": ["1", "1", "2", "1", "R", "1"],
        "customer_id": ["ana", "ana", "ana", "ana", "ana", "carl"],
        "ordered_at": stamps("2025-01-10 12:00", "2025-01-31 23:30", "2025-01-31 23:30", "2025-02-10 12:00",
                             "2025-03-05 12:00", "2025-04-02 12:00"),
        "net_amount": [1.0, 10.0, 5.5, 20.0, -20.0, 7.25], "is_return": [False, False, False, False, True, False],
        "margin": [0.5, 4.0, None, 8.0, -8.0, 2.0]})
    surveys = pd.DataFrame({
        "response_id": ["r1", "r2", "r2", "r4"], "customer_id": ["ana", "ana", "ana", "bea"],
        "instrument": ["nps", "nps", "ces", "nps"], "score": [9.0, 6.0, 2.0, None],
        "scale_min": [0.0, 0.0, 1.0, 0.0], "scale_max": [10.0, 10.0, 7.0, 10.0],
        "direction": ["higher_is_better", "higher_is_better", "lower_is_better", "higher_is_better"],
        "sent_at": stamps("2025-01-05 09:00", "2025-02-20 09:00", "2025-02-20 09:00", "2025-03-01 09:00"),
        "responded_at": stamps("2025-02-03 09:00", "2025-02-21 09:00", "2025-02-21 09:00", None),
        "order_id": ["o1", None, None, None], "ticket_id": [None, "t1", "t1", None]})
    tickets = pd.DataFrame({
        "ticket_id": ["t1", "t2"], "customer_id": ["ana", "bea"],
        "created_at": stamps("2025-02-15 10:00", "2025-03-10 10:00"), "solved_at": stamps("2025-03-01 10:00", None),
        "promised_at": stamps("2025-02-20 10:00", None), "is_complaint": [False, True]})
    customers = pd.DataFrame({
        "customer_id": ["ana", "bea"], "segment": ["home", "firm"], "value_band": ["high", "low"],
        "branch": ["north", "south"], "acquired_at": stamps("2024-12-15 00:00", "2025-02-10 00:00"),
        "ended_at": stamps(None, "2025-03-20 00:00")})
    actions = pd.DataFrame({"action_id": ["a"], "unit_id": ["north"], "unit_kind": ["branch"],
                            "received_at": stamps("2025-02-20 08:00")})
    return {"sales": sales, "surveys": surveys, "tickets": tickets, "customers": customers, "actions": actions}


def moments(random: np.random.Generator, n: int, missing: float = 0.0) -> pd.Series:
    """Random instants of the five months, some of them within an hour of a change of month."""
    at = pd.Series(FIRST + pd.to_timedelta(random.integers(0, DAYS * 86400 * 10**6, n), unit="us")).dt.as_unit("us")
    edges = pd.Series(pd.to_datetime(random.choice(["2025-02-01", "2025-03-01", "2025-04-01", "2025-05-01"], n)))
    near = edges.dt.as_unit("us") + pd.to_timedelta(random.integers(-120, 60, n), unit="min").as_unit("us")
    return at.where(random.random(n) < 0.7, near).where(random.random(n) >= missing)


@pytest.fixture
def random_tables() -> Callable[[int], Tables]:
    return draw_tables


def draw_tables(seed: int) -> Tables:
    """A small random company: ties, open tickets, late answers, unknown acquisition, orphans, missing ids."""
    random = np.random.default_rng(seed)
    ids = np.array([f"c{i}" for i in range(8)], dtype=object)
    owners = np.append(ids, [None, "stray"])
    n_sales, n_surveys, n_tickets = random.integers(20, 60), random.integers(20, 50), random.integers(8, 25)
    orders = random.integers(0, 15, n_sales)
    owner_of_order, time_of_order = random.choice(owners, 15), moments(random, 15)
    sales = pd.DataFrame({
        "order_id": [f"o{i}" for i in orders], "line_id": [str(i) for i in range(n_sales)],
        "customer_id": owner_of_order[orders], "ordered_at": time_of_order[orders].to_numpy(),
        "net_amount": np.round(random.normal(20, 30, n_sales), 2), "is_return": random.random(n_sales) < 0.1,
        "margin": np.where(random.random(n_sales) < 0.05, np.nan, np.round(random.normal(5, 3, n_sales), 2))})
    asked = moments(random, n_surveys)
    answered = asked + pd.to_timedelta(random.integers(0, 40 * 24, n_surveys), unit="h").as_unit("us")
    answered = answered.where(random.random(n_surveys) < 0.6)
    instrument = random.choice(["nps", "ces"], n_surveys)
    surveys = pd.DataFrame({
        "response_id": [f"r{i}" for i in range(n_surveys)], "customer_id": random.choice(owners, n_surveys),
        "instrument": instrument, "score": pd.Series(random.integers(1, 8, n_surveys)).where(answered.notna()),
        "scale_min": np.where(instrument == "nps", 0.0, 1.0), "scale_max": np.where(instrument == "nps", 10.0, 7.0),
        "direction": np.where(instrument == "nps", "higher_is_better", "lower_is_better"),
        "sent_at": asked.where(random.random(n_surveys) < 0.9), "responded_at": answered})
    opened = moments(random, n_tickets)
    waited = pd.to_timedelta(random.integers(0, 60 * 24, n_tickets), unit="h").as_unit("us")
    tickets = pd.DataFrame({
        "ticket_id": [f"t{i}" for i in range(n_tickets)], "customer_id": random.choice(owners, n_tickets),
        "created_at": opened, "solved_at": (opened + waited).where(random.random(n_tickets) < 0.8),
        "is_complaint": random.random(n_tickets) < 0.4})
    acquired = moments(random, 8, missing=0.3)
    customers = pd.DataFrame({
        "customer_id": ids, "segment": random.choice(["x", "y"], 8), "value_band": "low",
        "branch": random.choice(["n", "s"], 8), "acquired_at": acquired,
        "ended_at": (acquired + pd.to_timedelta(random.integers(0, 100, 8), unit="D").as_unit("us"))
        .where(random.random(8) < 0.5)})
    actions = pd.DataFrame({"action_id": "a", "unit_id": ["n", "s"], "unit_kind": "branch",
                            "received_at": moments(random, 2, missing=0.3)})
    return {"sales": sales, "surveys": surveys, "tickets": tickets, "customers": customers, "actions": actions}


@pytest.fixture
def two_futures() -> Callable[[int, int], tuple[Tables, Tables]]:
    """(seed, day) -> two companies that share everything up to the end of that day's month, and nothing after.

    Both hold the same first rows of a stranger, so that neither export knows a column that the other does not.
    """
    def draw(seed: int, month: int) -> tuple[Tables, Tables]:
        cut = pd.Timestamp(f"2025-{month + 1:02d}-01", tz="Europe/Madrid").tz_convert("UTC").tz_localize(None)
        one, other = draw_tables(seed), draw_tables(seed + 1)
        return _with_stranger(one), _with_stranger(_same_until(one, other, cut))
    return draw


BORN = {"sales": "ordered_at", "surveys": "sent_at", "tickets": "created_at", "actions": "received_at"}
LATER = {"surveys": ["responded_at", "score"], "tickets": ["solved_at"], "sales": [], "actions": []}


def _same_until(one: Tables, other: Tables, cut: pd.Timestamp) -> Tables:
    """`one` up to the cut, continued as in `other`: what began before the cut may still end differently."""
    made = {}
    for name, born in BORN.items():
        past = one[name][one[name][born] < cut].copy()
        for column in LATER[name][:1]:
            ends_later = ~(past[column] < cut)
            past[column] = past[column].where(~ends_later)  # in this future it never happens
            for also in LATER[name][1:]:
                past[also] = past[also].where(~ends_later)
        future = other[name][~(other[name][born] < cut)].copy()
        if name != "actions":
            key = {"sales": "order_id", "surveys": "response_id", "tickets": "ticket_id"}[name]
            future[key] = "later-" + future[key]
        made[name] = pd.concat([past, future], ignore_index=True)
    customers = one["customers"].copy()
    later = other["customers"]
    for column in ("acquired_at", "ended_at"):
        known = customers[column] < cut
        changed = later[column].where(~(later[column] < cut))
        # An unknown acquisition is a fact of the register, not of the future.
        keep = known | (customers[column].isna() if column == "acquired_at" else False)
        filled = changed.fillna(customers[column]) if column == "acquired_at" else changed
        customers[column] = customers[column].where(keep, filled)
    made["customers"] = customers
    made["actions"] = made["actions"].drop_duplicates("unit_id", ignore_index=True)
    # Answers without an invitation date were drawn by their answer.
    lone = one["surveys"][one["surveys"]["sent_at"].isna() & (one["surveys"]["responded_at"] < cut)]
    made["surveys"] = made["surveys"][made["surveys"]["sent_at"].notna()]
    made["surveys"] = pd.concat([made["surveys"], lone], ignore_index=True)
    return made


def _with_stranger(tables: Tables) -> Tables:
    at = [pd.Timestamp("2025-01-01 06:00")]
    rows = {
        "sales": {"order_id": ["o-z"], "line_id": ["1"], "customer_id": ["zz"], "ordered_at": at, "net_amount": [1.0],
                  "is_return": [False], "margin": [1.0]},
        "surveys": {"response_id": ["r-y", "r-z"], "customer_id": ["zz"] * 2, "instrument": ["ces", "nps"],
                    "score": [3.0, 3.0], "scale_min": [1.0, 0.0], "scale_max": [7.0, 10.0],
                    "direction": ["lower_is_better", "higher_is_better"], "sent_at": at * 2, "responded_at": at * 2},
        "tickets": {"ticket_id": ["t-z"], "customer_id": ["zz"], "created_at": at, "solved_at": at,
                    "is_complaint": [True]},
        "customers": {"customer_id": ["zz"], "acquired_at": at, "ended_at": [pd.Timestamp("2025-01-01 07:00")]}}
    return tables | {name: pd.concat([tables[name], pd.DataFrame(row)], ignore_index=True)
                     for name, row in rows.items()}
