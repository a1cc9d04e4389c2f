"""The scorecard: periods, suppression, multiplicity, missing sources, and what is never pooled."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.measure.absent import EXPECTED, absent_claims
from pipeline.measure.answers import distribution, instruments
from pipeline.measure.disclosure import Limits
from pipeline.measure.effort import mean
from pipeline.measure.experience_label import label_claims, label_shares
from pipeline.measure.metrics import answered, survey_metrics, ticket_metrics, timed_tickets
from pipeline.measure.periods import choose_periods
from pipeline.measure.scorecard import score_all
from pipeline.measure.tickets import reconciliation, ticket_claims

_spec = importlib.util.spec_from_file_location("measure_company", Path(__file__).with_name("company.py"))
company = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(company)

LIMITS = Limits(10, 30, 0.10)
PERIODS = choose_periods("2025-01-01", "2025-06-30", 3)
NOW, BEFORE = "2025-05-10", "2025-02-10"


def card(rows: list[dict], dimensions=(), top_boxes=None):
    answers = answered(company.surveys(rows), "Europe/Madrid")
    return score_all(survey_metrics(answers, top_boxes or {}), dimensions, PERIODS, LIMITS)


def claim(claims, claim_id, segment="all"):
    return next(c for c in claims if (c.claim_id, c.segment) == (claim_id, segment))


def answers_of(scores, at=NOW, **fields) -> list[dict]:
    return [{"score": float(s), "responded_at": at} | fields for s in scores]


def test_nps_of_the_headline_period_and_its_change():
    rows = answers_of([10] * 20 + [8] * 10 + [3] * 10) + answers_of([10] * 10 + [8] * 20 + [3] * 10, BEFORE)
    claims = card(rows).claims
    level, change = claim(claims, "experience.nps"), claim(claims, "experience.nps_change")
    assert (level.estimate, level.n_used, level.period, level.status) == (25.0, 40, "2025-04/2025-06", "ok")
    assert level.ci_low < 25 < level.ci_high
    assert change.estimate == 25.0
    assert change.ci_low < 25 < change.ci_high
    assert (change.n_in, change.n_used) == (80, 80)


def test_answers_that_a_change_of_nps_needs():
    """At NPS 30 (20/30/50) 3,830 answers a period show 5 points, 958 show 10; more where customers answer twice."""
    once = answers_of([10] * 50 + [8] * 30 + [3] * 20)
    needed = [claim(card(once).claims, "experience.nps_answers_needed", f"points:{points}") for points in (5, 10)]
    assert [c.estimate for c in needed] == pytest.approx([3830, 958], abs=1)
    asked_twice = [row | {"customer_id": f"c{place}"} for _ in range(2) for place, row in enumerate(once)]
    twice = claim(card(asked_twice).claims, "experience.nps_answers_needed", "points:10")
    assert twice.estimate == pytest.approx(2 * 958, rel=0.02)
    both = card(asked_twice + [row | {"responded_at": BEFORE} for row in asked_twice]).claims
    told = claim(both, "experience.nps_answers_needed", "points:10")
    assert told.estimate < 0.1 * twice.estimate  # the same customers with the same answers: hardly any is needed
    few, alike = (card(answers_of([10] * n + more)).claims for n, more in ((9, [3] * 9), (40, [])))
    assert not [c for c in [*few, *alike] if c.claim_id == "experience.nps_answers_needed"]


@pytest.mark.parametrize(("n", "status"), [(9, "suppressed"), (10, "not_enough_data"), (29, "not_enough_data"),
                                             (30, "ok")])
def test_few_answers(n, status):
    found = claim(card(answers_of([9] * n)).claims, "experience.nps")
    assert found.status == status
    assert (found.estimate is None) == (status == "suppressed")
    if status == "suppressed":
        assert found.n_used == 0  # the small number itself is not told


def test_one_small_group_takes_another_with_it():
    rows = (answers_of([9] * 40, segment="a") + answers_of([8] * 35, segment="b") + answers_of([2] * 5, segment="c"))
    found = card(rows, ["segment"])
    shown = found.by_group.set_index("segment")
    assert shown["status"].to_dict() == {"segment:a": "ok", "segment:b": "suppressed", "segment:c": "suppressed"}
    assert shown.loc["segment:b", ["n", "estimate", "change", "gap"]].isna().all()
    assert claim(found.claims, "experience.nps", "segment:b").estimate is None


def test_few_answers_before_make_the_change_uncertain():
    few = claim(card(answers_of([9] * 40) + answers_of([3] * 12, BEFORE)).claims, "experience.nps_change")
    assert (few.status, few.n_used) == ("not_enough_data", 52)
    fewer = claim(card(answers_of([9] * 40) + answers_of([3] * 4, BEFORE)).claims, "experience.nps_change")
    assert (fewer.status, fewer.reason, fewer.n_used) == ("not_estimable", "few_before", 0)


def test_without_a_full_earlier_period_there_is_no_change():
    answers = answered(company.surveys(answers_of([9] * 40) + answers_of([9] * 40, BEFORE)), "Europe/Madrid")
    short = choose_periods("2025-02-01", "2025-06-30", 3)
    change = claim(score_all(survey_metrics(answers, {}), [], short, LIMITS).claims, "experience.nps_change")
    assert (change.status, change.reason) == ("not_estimable", "no_earlier_period")


def test_without_dates_everything_is_one_period():
    rows = [row | {"sent_at": None} for row in answers_of([5] * 40, None, instrument="csat", scale_min=1, scale_max=5)]
    found = card(rows, ["segment"], {"csat": 4.0})
    assert claim(found.claims, "experience.csat").period == "all"
    assert claim(found.claims, "experience.csat_change").reason == "no_dates"
    assert found.by_month.empty


def test_instruments_are_never_pooled():
    rows = answers_of([9] * 40) + answers_of([1] * 40, instrument="solved", scale_min=0, scale_max=1)
    rows += answers_of([6] * 30 + [2] * 10, instrument="csat", scale_min=1, scale_max=7)
    claims = card(rows, (), {"csat": 6.0, "solved": 1.0}).claims
    assert claim(claims, "experience.csat").estimate == 0.75
    assert claim(claims, "experience.mean.csat").estimate == 5.0
    assert claim(claims, "experience.top_share.solved").estimate == 1.0
    assert claim(claims, "experience.top_share_change.solved").status == "not_estimable"


def test_relational_nps_stands_apart_from_nps_after_contacts():
    rows = answers_of([10] * 40) + answers_of([0] * 40, touchpoint="delivery")
    rows += answers_of([10] * 40, touchpoint="shop")
    found = card(rows, ["touchpoint"])
    level = claim(found.claims, "experience.nps")
    assert (level.estimate, level.n_used, level.reason) == (100.0, 40, "relational")
    assert claim(found.claims, "experience.nps", "touchpoint:delivery").estimate == -100.0
    assert claim(found.claims, "experience.nps", "touchpoint:delivery").reason == "after_contacts"
    only_contacts = claim(card(rows[40:], ["touchpoint"]).claims, "experience.nps")
    assert (only_contacts.n_used, only_contacts.reason) == (80, "after_contacts")
    few = card(rows[30:], ["touchpoint"]).claims
    assert (claim(few, "experience.nps").n_used, claim(few, "experience.nps").reason) == (90, "both_kinds")
    assert claim(few, "experience.nps", "touchpoint:unknown").reason == "relational"
    assert claim(card(rows[:40]).claims, "experience.nps").reason == ""


def test_gaps_stand_out_only_where_they_are():
    """Forty groups without any difference, ten runs: hardly any discovery; one group far below: found."""
    random = np.random.default_rng(4)
    false = 0
    for _ in range(10):
        rows = [row | {"branch": f"b{i % 40}"} for i, row in enumerate(answers_of(random.integers(4, 11, 2000)))]
        false += int(card(rows, ["branch"]).by_group["is_gap_notable"].any())
    assert false <= 3
    rows += answers_of([2] * 60, branch="b99")
    table = card(rows, ["branch"]).by_group.set_index("segment")
    assert table.loc["branch:b99", "is_gap_notable"]
    assert table.loc["branch:b99", "gap"] < 0
    assert (table["comparisons"] == 41).all()


def test_changes_and_gaps_are_judged_apart_and_say_among_how_many():
    """Three groups with both kinds of comparison: six are told, each is one of three; false alarms as declared."""
    rows = [row for at in (NOW, BEFORE) for row in answers_of([9, 5, 8] * 60, at)]
    rows = [row | {"segment": f"s{i % 7 % 3}"} for i, row in enumerate(rows)]
    answers = answered(company.surveys(rows), "Europe/Madrid")
    found = score_all(survey_metrics(answers, {}), ["segment"], PERIODS, Limits(10, 30, 0.2)).claims
    assert claim(found, "experience.nps_comparisons").estimate == 6
    assert claim(found, "experience.nps_false_alarms").estimate == 0.2
    parts = [c for c in found if c.claim_id in ("experience.nps_gap", "experience.nps_change") and c.segment != "all"]
    assert [c.comparisons for c in parts] == [3] * 6
    assert {c.n_in == c.n_used for c in parts} == {True}


def test_a_gap_whose_interval_holds_zero_never_stands_out():
    """Two groups are each other's rest: both p-values lie below .10, and Benjamini-Hochberg alone would name both."""
    rows = answers_of([9] * 25 + [5] * 25, segment="a") + answers_of([9] * 34 + [5] * 16, segment="b")
    table = card(rows, ["segment"]).by_group
    assert ((table["gap_p"] > 0.05) & (table["gap_p"] < 0.10)).all()
    assert ((table["gap_low"] < 0) & (table["gap_high"] > 0)).all()
    assert not table["is_gap_notable"].any()


def test_rows_of_no_known_group_are_nobodys_rest():
    known = answers_of([9] * 40, segment="a") + answers_of([5] * 40, segment="b")
    alone = card(known, ["segment"]).by_group.set_index("segment")["gap"]
    beside = card(known + answers_of([9] * 400), ["segment"]).by_group.set_index("segment")["gap"]
    assert beside["segment:a"] == alone["segment:a"] == 200
    assert np.isnan(beside["segment:unknown"])


def test_months_and_distribution():
    rows = answers_of([10] * 40) + answers_of([3] * 12, "2025-04-30 23:30")  # already May in Madrid
    found = card(rows)
    assert found.by_month["period"].tolist() == ["2025-05"]
    assert found.by_month["n"].tolist() == [52]
    answers = answered(company.surveys(rows), "Europe/Madrid")
    spread = distribution(answers, PERIODS, LIMITS).set_index("score")["estimate_share"]
    assert spread.to_dict() == {3.0: pytest.approx(12 / 52), 10.0: pytest.approx(40 / 52)}
    two = company.surveys(rows + answers_of([6] * 40, instrument="csat", scale_min=1, scale_max=7))
    beside = distribution(answered(two, "Europe/Madrid"), PERIODS, LIMITS)
    assert beside.groupby("instrument")["estimate_share"].sum().tolist() == [pytest.approx(1), pytest.approx(1)]


def test_turned_scale_is_told():
    rows = answers_of([2] * 12, instrument="ces", scale_min=1, scale_max=7, direction="lower_is_better")
    table = instruments(company.surveys(rows), {})
    assert table[["is_turned", "count_answers"]].iloc[0].tolist() == [True, 12]
    assert claim(card(rows).claims, "experience.ces").estimate == 6.0


def test_labels_over_instruments_and_for_each():
    rows = answers_of([10] * 20 + [0] * 20) + answers_of([6] * 40, instrument="csat", scale_min=1, scale_max=7)
    answers = answered(company.surveys(rows), "Europe/Madrid")
    claims = label_claims(label_shares(answers, {"nps": [6, 9], "csat": [3, 6]}, PERIODS, LIMITS))
    assert claim(claims, "experience.label_positive_share").estimate == 0.75
    assert claim(claims, "experience.label_negative_share", "instrument:nps").estimate == 0.5


def test_a_question_with_few_answers_is_in_no_total_of_labels():
    """40 NPS and 6 CSAT: were the six in the total, it less the 40 would tell how many of them are positive."""
    rows = answers_of([10] * 20 + [3] * 20)
    rows += answers_of([7] * 6, instrument="csat", scale_min=1.0, scale_max=7.0)
    table = label_shares(answered(company.surveys(rows), "Europe/Madrid"), {"nps": [6, 9], "csat": [3, 6]}, PERIODS,
                         LIMITS).set_index(["segment", "label"])
    assert set(table.index.get_level_values("segment")) == {"all", "instrument:nps"}
    assert table.loc[("all", "positive"), "n"] == 40 and table.loc[("all", "positive"), "estimate"] == 0.5


def test_answers_all_alike_leave_room_for_others():
    """50 times the best answer, or the middle one: the interval is Wilson's, at worst all others at the other end.

    50 of 50: Wilson's lower limit is 50 / (50 + 1.96^2) = .9287; 7 on 1-7 goes down to 7 - 6 x .0713.
    """
    rest = 1 - 50 / (50 + 1.959964**2)
    rows = answers_of([7] * 50, instrument="ces", scale_min=1.0, scale_max=7.0)
    ces = claim(card(rows).claims, "experience.ces")
    assert (ces.estimate, ces.ci_low, ces.ci_high) == (7, pytest.approx(7 - 6 * rest, rel=1e-6), 7)
    rows = answers_of([4] * 50, instrument="ces", scale_min=1.0, scale_max=7.0)
    ces = claim(card(rows).claims, "experience.ces")
    assert (ces.ci_low, ces.ci_high) == (pytest.approx(4 - 3 * rest, rel=1e-6), pytest.approx(4 + 3 * rest, rel=1e-6))
    assert np.isnan(mean(np.full(50, 4.0), np.arange(50), 50).low)  # of money there is no other end


def test_the_wait_for_the_company_is_told_where_the_tool_exports_it():
    """36 solved after 60 minutes of waiting, 29 after 300, five still open after 90, five without the figure.

    Seventy tickets have the figure, and more than half of them waited an hour; without two of these it is half.
    """
    waited = [60.0] * 36 + [300.0] * 29 + [90.0] * 5 + [None] * 5
    raw = company.tickets([9.0] * 65 + [None] * 5 + [9.0] * 5, "2025-06-20", requester_wait_minutes=pd.Series(waited))
    periods = choose_periods("2025-01-01", "2025-06-30", 3)
    for rows, half in ((raw, 1.0), (raw.iloc[2:], 5.0)):
        timed = timed_tickets(rows, pd.Timestamp("2025-07-01"), "Europe/Madrid")
        made = claim(score_all(ticket_metrics(timed), [], periods, LIMITS).claims,
                     "experience.requester_wait_median_hours")
        assert (made.estimate, made.n_used) == (half, len(rows) - 5)


def test_tickets_with_open_ones():
    timed = timed_tickets(company.tickets([2.0] * 32 + [50.0] * 28 + [None] * 10, "2025-06-20"),
                          pd.Timestamp("2025-07-01"), "Europe/Madrid")
    periods = choose_periods("2025-01-01", "2025-06-30", 3)
    claims = score_all(ticket_metrics(timed), [], periods, LIMITS).claims + ticket_claims(timed, periods, LIMITS)
    assert claim(claims, "experience.ttr_median_hours").estimate == 50.0
    closed = claim(claims, "experience.ttr_mean_closed_hours")
    assert (closed.estimate, closed.naive, closed.reason, closed.n_used) == (24.4, True, "closed_only", 60)
    assert claim(claims, "experience.tickets_open_share").estimate == pytest.approx(1 / 7)
    assert claim(claims, "experience.ttr_p90_hours").reason == "not_reached"
    table = reconciliation(timed, periods, LIMITS).set_index("measure")["estimate"]
    assert table["median_closed"] < table["median_with_open"]


@pytest.mark.parametrize(("earlier", "reason"), [
    ([0.0] * 40 + [3.0] * 20, "alike_times"), ([24.0] * 55 + [30.0] * 5, "alike_times"),
    ([2.0] * 20 + [None] * 40, "not_reached")])
def test_a_median_without_interval_says_why(earlier, reason):
    """Most replies took no counted time, or all of them the same: nothing is open. Only open tickets are said to be."""
    lately = company.tickets(list(np.linspace(1, 40, 60)), "2025-05-10")
    before = company.tickets(earlier, "2025-02-10").assign(ticket_id=[f"b{i}" for i in range(60)])
    timed = timed_tickets(pd.concat([lately, before], ignore_index=True), pd.Timestamp("2025-06-30"), "Europe/Madrid")
    made = claim(score_all(ticket_metrics(timed), [], PERIODS, LIMITS).claims, "experience.ttr_median_hours_change")
    assert (made.estimate, made.reason, made.n_used, made.n_in) == (None, reason, 120, 120)


def test_all_closed_makes_the_mean_the_plain_one():
    timed = timed_tickets(company.tickets([2.0] * 40), pd.Timestamp("2025-07-01"), "Europe/Madrid")
    closed = claim(ticket_claims(timed, PERIODS, LIMITS), "experience.ttr_mean_closed_hours")
    assert (closed.naive, closed.reason) == (False, "all_closed")


def test_missing_sources_are_said():
    said = {c.claim_id: c.reason for c in absent_claims([], None, None)}
    assert said.keys() == EXPECTED.keys()
    assert (said["experience.nps"], said["experience.ttr_median_hours"]) == ("no_surveys", "no_tickets")
    undated = company.tickets([1.0]).assign(created_at=pd.NaT)
    timed = timed_tickets(undated, pd.Timestamp("2025-07-01"), "Europe/Madrid")
    assert ticket_metrics(timed) == []
    assert {c.reason for c in absent_claims([], company.surveys(answers_of([9])), undated)} == {
        "not_asked", "no_creation_time", "no_status_history", "one_kind_of_contact", "no_cuts"}


def test_invitations_that_nobody_answered_are_not_said_to_be_unasked():
    silent = company.surveys([{"score": None, "responded_at": None}] * 50)
    said = {c.claim_id: c.reason for c in absent_claims([], silent, None)}
    assert [said[f"experience.{name}"] for name in ("nps", "nps_change", "index", "csat")] == [
        "nobody_answered", "nobody_answered", "nobody_answered", "not_asked"]
    both = pd.concat([silent.assign(instrument="csat"), company.surveys(answers_of([9]))], ignore_index=True)
    said = {c.claim_id: c.reason for c in absent_claims([], both, None)}
    assert (said["experience.csat"], said["experience.index"]) == ("nobody_answered", "one_kind_of_contact")
    answered = {c.claim_id: c.reason for c in absent_claims([], both.assign(score=5.0), None)}
    assert answered["experience.csat"] == "no_top_box"


def test_labels_that_are_hidden_are_not_said_to_be_unasked():
    few, cuts = answers_of([9] * 5), {"nps": [6, 9]}
    said = {name: claim(absent_claims(card(rows).claims, company.surveys(rows), None, given),
                        "experience.label_positive_share")
            for name, rows, given in (("few", few, cuts), ("uncut", few, {"csat": [3, 6]}),
                                      ("long ago", answers_of([9] * 50, "2024-12-01"), cuts),
                                      ("silent", [{"responded_at": None}], cuts))}
    assert {name: (c.status, c.reason) for name, c in said.items()} == {
        "few": ("suppressed", "small_group"), "uncut": ("not_estimable", "no_cuts"),
        "long ago": ("not_estimable", "no_answers"), "silent": ("not_estimable", "no_answers")}



def test_every_difference_says_what_it_could_have_shown():
    """Two groups of 50 with standard error se each: (1.96 + .84) x sqrt(2) x se is seen in 80 of 100 cases."""
    rows = answers_of([9] * 25 + [5] * 25, segment="a") + answers_of([9] * 25 + [5] * 25, segment="b")
    rows += answers_of([9] * 25 + [5] * 25, BEFORE, segment="a")
    found = card(rows, ["segment"]).claims
    gap, change, level = (claim(found, f"experience.nps{end}", "segment:a") for end in ("_gap", "_change", ""))
    error = (level.ci_high - level.ci_low) / (2 * 1.959964)
    assert gap.detectable == pytest.approx((1.959964 + 0.841621) * 2**0.5 * error, rel=1e-5)
    assert change.detectable == pytest.approx(gap.detectable)
    labelled = label_claims(label_shares(answered(company.surveys(rows), "Europe/Madrid"), {"nps": [6, 9]}, PERIODS,
                                         LIMITS))
    assert all(c.detectable > 0 for c in labelled)


def test_the_period_does_not_begin_before_the_data():
    assert choose_periods("2017-02-22", "2018-04-19", 24).now.label == "2017-02/2018-04"
    assert choose_periods("2016-01-01", "2018-04-19", 24).now.label == "2016-05/2018-04"
    assert choose_periods("", "2018-04-19", 24).now.label == "2016-05/2018-04"
