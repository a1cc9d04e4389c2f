"""Who was a customer in a period: whom silence can be told of where nobody exported who was asked."""

import pandas as pd

from pipeline.measure.periods import Window, end_of_day

LIFE_MONTHS = 12  # without dates of an end: how long after its last sign of life a customer still counts as one


def with_relation(totals: pd.DataFrame | None, customers: pd.DataFrame | None) -> pd.DataFrame | None:
    """totals with acquired_at and ended_at (UTC; missing: not known) of the linked customers, where these are there.

    customers: one row per customer_id, as linked; totals keeps its rows.
    """
    if totals is None or customers is None or customers.empty:
        return totals
    return totals.merge(customers[["customer_id", "acquired_at", "ended_at"]], on="customer_id", how="left",
                        validate="1:1")


def customers_in(totals: pd.DataFrame, surveys: pd.DataFrame, tickets: pd.DataFrame | None,
                 sales: pd.DataFrame | None, window: Window, time_zone: str) -> pd.DataFrame:
    """The rows of totals (see with_relation) of those who were customers at some time in the window.

    From acquired_at, or the first order, ticket or answer where it is not known, to ended_at. Where no customer has an
    end but orders are dated: those who came, bought, wrote or answered in the window, or in the LIFE_MONTHS up to its
    end. A customer of whom nothing is dated counts, but for that case.
    """
    begin, end = edges(window, time_zone)
    acquired, ended = (_dates(totals, column) for column in ("acquired_at", "ended_at"))
    signs = _signs(surveys, tickets, sales)
    who = totals["customer_id"]
    is_started = ~(acquired.fillna(who.map(signs.groupby("customer_id")["at"].min())) >= end)
    if ended.notna().any():
        return totals[is_started & ~(ended < begin)]
    if sales is None or not sales["ordered_at"].notna().any():
        return totals[is_started]
    year = Window(str(pd.Period(window.last, "M") - (LIFE_MONTHS - 1)), window.last)
    since = min(begin, edges(year, time_zone)[0])
    alive = signs.loc[(signs["at"] >= since) & (signs["at"] < end), "customer_id"]
    return totals[is_started & (who.isin(alive.unique()) | (acquired >= since))]


def edges(window: Window, time_zone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Begin and end of the window's months on the company's calendar, as UTC without zone; the end lies outside."""
    before, last = (pd.Period(month, "M") for month in (window.first, window.last))
    return end_of_day(str((before - 1).end_time.date()), time_zone), end_of_day(str(last.end_time.date()), time_zone)


def _dates(totals: pd.DataFrame, column: str) -> pd.Series:
    return totals[column] if column in totals else pd.Series(pd.NaT, totals.index, dtype="datetime64[us]")


def _signs(surveys: pd.DataFrame, tickets: pd.DataFrame | None, sales: pd.DataFrame | None) -> pd.DataFrame:
    """customer_id and `at` (UTC) of every answer, ticket and order of a known customer that is dated."""
    given = surveys.loc[surveys["score_up"].notna(), ["customer_id"]].assign(
        at=surveys["responded_at"].fillna(surveys["sent_at"]))
    parts = [given, *(table[["customer_id", time]].rename(columns={time: "at"})
                      for table, time in ((tickets, "created_at"), (sales, "ordered_at")) if table is not None)]
    return pd.concat([part.dropna() for part in parts], ignore_index=True)
