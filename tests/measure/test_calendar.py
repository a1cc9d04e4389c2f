"""Business hours: nights, weekends, holidays and changes of clocks, each counted by hand."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.measure.absent import absent_claims
from pipeline.measure.calendar import hours_between, opening_periods
from pipeline.measure.disclosure import Limits
from pipeline.measure.metrics import ticket_metrics, timed_tickets
from pipeline.measure.periods import choose_periods
from pipeline.measure.scorecard import score_all
from pipeline.measure.tickets import reconciliation

_spec = importlib.util.spec_from_file_location("measure_company", Path(__file__).with_name("company.py"))
company = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(company)

MADRID = "Europe/Madrid"
OFFICE = {"hours": "09:00-18:00", "weekdays": [0, 1, 2, 3, 4], "country": "ES"}
ALWAYS = {"hours": "00:00-24:00", "weekdays": [0, 1, 2, 3, 4, 5, 6], "country": None}


def hours(start: str, end: str, calendar: dict, zone: str = MADRID) -> float:
    """Business hours between two times on the wall clock of the zone."""
    times = pd.Series([pd.Timestamp(t).tz_localize(zone).tz_convert("UTC").tz_localize(None) for t in (start, end)])
    return float(hours_between(opening_periods(calendar, times[0], times[1], zone), times[:1], times[1:])[0])


@pytest.mark.parametrize(("start", "end", "expected"), [
    ("2025-06-03 10:00", "2025-06-03 12:30", 2.5),
    ("2025-06-03 17:00", "2025-06-04 10:00", 2),  # over the night
    ("2025-06-06 17:00", "2025-06-09 10:00", 2),  # over the weekend
    ("2025-06-07 11:00", "2025-06-08 23:00", 0),  # inside it
    ("2025-06-03 06:00", "2025-06-03 23:00", 9),
    ("2025-04-30 17:00", "2025-05-02 10:00", 2),  # 1 May
    ("2025-12-24 17:00", "2025-12-26 10:00", 2),  # Christmas
    ("2024-12-31 17:00", "2025-01-02 10:00", 2),  # New Year's Day, in another year than the start
    ("2025-06-03 10:00", "2025-06-17 10:00", 90),
    ("2025-03-29 12:00", "2025-03-30 12:00", 0),  # the weekend on which clocks change
])
def test_office_hours_in_spain(start, end, expected):
    assert hours(start, end, OFFICE) == pytest.approx(expected)


def test_change_of_clocks_in_madrid():
    """On 2025-03-30 clocks go from 02:00 to 03:00; on 2025-10-26 from 03:00 back to 02:00."""
    assert hours("2025-03-30 01:50", "2025-03-30 03:10", ALWAYS) * 60 == pytest.approx(20)
    assert hours("2025-03-29 12:00", "2025-03-30 12:00", ALWAYS) == pytest.approx(23)
    assert hours("2025-10-25 12:00", "2025-10-26 12:00", ALWAYS) == pytest.approx(25)
    early = {"hours": "02:30-06:00", "weekdays": [6], "country": None}  # opens in the hour that is not there: at 03:00
    assert hours("2025-03-30 00:00", "2025-03-30 12:00", early) == pytest.approx(3)
    assert hours("2025-03-28 17:00", "2025-03-31 10:00", OFFICE) == pytest.approx(2)  # summer time from Monday on


def test_holidays_of_a_region_and_of_nowhere():
    """2 May is a holiday in Madrid, 1 May everywhere in Spain."""
    regional = OFFICE | {"country": "ES-MD"}
    assert hours("2025-05-01 08:00", "2025-05-02 20:00", OFFICE) == pytest.approx(9)
    assert hours("2025-05-01 08:00", "2025-05-02 20:00", regional) == 0
    assert hours("2025-05-01 08:00", "2025-05-02 20:00", OFFICE | {"country": None}) == pytest.approx(18)


def test_zones_and_always_open():
    bogota = hours("2025-06-03 17:00", "2025-06-04 10:00", OFFICE | {"country": "CO"}, "America/Bogota")
    assert bogota == pytest.approx(2)
    assert hours("2025-06-03 17:00", "2025-06-04 10:00", ALWAYS) == pytest.approx(17)


@pytest.mark.parametrize("wrong", [{"hours": "18:00-09:00"}, {"hours": "9-18"}, {"weekdays": [7]}, {"weekdays": []},
                                   {"country": "XX"}])
def test_a_calendar_that_is_none_is_refused(wrong):
    with pytest.raises(Refusal, match="PARAM-CALENDAR"):
        hours("2025-06-03 17:00", "2025-06-04 10:00", OFFICE | wrong)


def test_open_tickets_wait_in_business_hours_too():
    """Created on Tuesday 3 June at 10:00 (08:00 UTC); 40 solved next day at 10:00, 20 still open on Friday evening."""
    raw = company.tickets([24.0] * 40 + [None] * 20, "2025-06-03 08:00")
    timed = timed_tickets(raw, pd.Timestamp("2025-06-06 22:00"), MADRID, OFFICE)
    assert timed["business_hours"].unique().tolist() == pytest.approx([9, 8 + 9 * 3])
    periods, limits = choose_periods("2025-01-01", "2025-06-06", 3), Limits(10, 30, 0.10)
    claims = {c.claim_id: c for c in score_all(ticket_metrics(timed), [], periods, limits).claims}
    assert claims["experience.ttr_business_median"].estimate == pytest.approx(9)
    assert claims["experience.ttr_business_median"].unit == "office_hours"
    assert claims["experience.ttr_median_hours"].estimate == 24
    assert claims["experience.ttr_business_p90"].reason == "not_reached"


def test_without_a_calendar_there_are_no_business_hours():
    timed = timed_tickets(company.tickets([24.0] * 40, "2025-06-03"), pd.Timestamp("2025-06-06"), MADRID)
    assert "business_hours" not in timed
    assert not [m for m in ticket_metrics(timed) if "business" in m.claim_id]


def test_reconciliation_explains_the_tools_figure():
    """40 solved after 2 h, 20 of them reopened ones after 50 h instead: tool 18 h; never reopened 2 h; 10 open."""
    raw = company.tickets([2.0] * 40 + [50.0] * 20 + [None] * 10, "2025-06-03 08:00",
                          reopened=[0.0] * 40 + [1.0] * 20 + [0.0] * 10)
    timed = timed_tickets(raw, pd.Timestamp("2025-07-10 22:00"), MADRID, OFFICE)
    periods = choose_periods("2025-01-01", "2025-06-30", 3)
    table = reconciliation(timed, periods, Limits(10, 30, 0.10)).set_index("measure")
    assert table.loc["mean_closed", "estimate"] == pytest.approx((40 * 2 + 20 * 50) / 60)
    assert table.loc["mean_closed_never_reopened", ["n", "estimate"]].tolist() == [40, 2]
    assert table.loc["mean_closed_never_reopened", "apart"] == pytest.approx(2 - 18)
    assert table.loc["restricted_mean", "apart"] > 0
    in_office = (40 * 2 + 20 * (8 + 9 + 3)) / 60  # Tuesday from 10:00, Wednesday, Thursday until 12:00
    assert table.loc["business_mean_closed", "estimate"] == pytest.approx(in_office)
    assert np.isnan(table.loc["business_mean_closed", "apart"])
    few = timed.assign(reopened=[1.0] * 3 + [0.0] * 67)
    assert "mean_closed_never_reopened" not in set(reconciliation(few, periods, Limits(10, 30, 0.10))["measure"])


def test_requester_wait_says_what_it_would_need():
    wait = {c.claim_id: c.reason for c in absent_claims([], None, company.tickets([1.0]))}
    assert wait["experience.requester_wait_median_hours"] == "no_status_history"


def test_business_hours_are_broken_down_with_the_clock():
    """Two teams of forty: one solves within its opening hours, the other takes twice as long by the same calendar."""
    quick, slow = (company.tickets([hours] * 40, "2025-06-03 08:00") for hours in (2.0, 4.0))
    both = pd.concat([quick.assign(channel="web"), slow.assign(channel="phone")], ignore_index=True)
    both["ticket_id"] = [f"t{i}" for i in range(80)]
    timed = timed_tickets(both, pd.Timestamp("2025-06-30 22:00"), MADRID, OFFICE)
    periods, limits = choose_periods("2025-01-01", "2025-06-30", 3), Limits(10, 30, 0.10)
    card = score_all(ticket_metrics(timed), ["channel"], periods, limits)
    found = {c.segment: c.estimate for c in card.claims if c.claim_id == "experience.ttr_business_median"}
    assert found["channel:web"] == 2.0 and found["channel:phone"] == 4.0
    apart = {c.segment: c.reason for c in card.claims if c.claim_id == "experience.ttr_business_median_gap"}
    assert set(apart) <= {"channel:web", "channel:phone"}
    assert "experience.ttr_business_median_comparisons" in {c.claim_id for c in card.claims}
