"""Repeat respondents, open tickets, turned scales, small groups: on frames small enough to check by hand."""

import numpy as np
import pandas as pd
import pytest

from pipeline.measure.change import detectable, difference, mover, p_value
from pipeline.measure.clusters import Score, clustered_variance, customer_codes, design_effect
from pipeline.measure.disclosure import hidden
from pipeline.measure.effort import mean, turned
from pipeline.measure.experience_label import label
from pipeline.measure.multiplicity import shrunken
from pipeline.measure.nps import nps, sides
from pipeline.measure.periods import Window, end_of_day, last_windows, local_months
from pipeline.measure.proportions import share, top_box
from pipeline.measure.resolution import Durations, closed_mean, durations, quantile

EFFORT = np.array([1, 2, 4, 6, 7, 2, 5], dtype=float)


def repeat_company(random: np.random.Generator, customers: int) -> tuple[np.ndarray, np.ndarray]:
    """0-10 answers of customers who answer one to three times and mostly agree with themselves."""
    codes = np.repeat(np.arange(customers), random.integers(1, 4, customers))
    mood = random.normal(0, 0.8, customers)[codes] + random.normal(0, 0.8, len(codes))
    return np.clip(np.round(7.5 + 1.5 * mood), 0, 10), codes


def test_interval_of_repeat_respondents_covers_and_the_naive_one_does_not():
    """500 companies of 100 customers: .925 to .975 is what 500 runs allow. Counting answers as independent fails."""
    random = np.random.default_rng(11)
    truth = sides(repeat_company(random, 200_000)[0]).mean()
    covered = naive = 0
    for _ in range(500):
        scores, codes = repeat_company(random, 100)
        honest = nps(sides(scores), codes, 100)
        covered += honest.low <= truth <= honest.high
        blind = nps(sides(scores), np.arange(len(scores)), len(scores))
        naive += blind.low <= truth <= blind.high
    assert 0.925 <= covered / 500 <= 0.975
    assert naive / 500 < 0.925


def test_design_effect_by_hand():
    """Everybody answers twice, the same: as much as half the answers. Once each: nothing changes."""
    values, codes = np.repeat([1.0, 0.0, 0.0, 1.0, 1.0], 2), np.repeat(np.arange(5), 2)
    assert design_effect(values, codes, 5) == pytest.approx(2 * 5 / 4)  # with the factor G / (G - 1)
    assert design_effect(values, np.arange(10), 10) == 1.0
    assert design_effect(np.ones(10), codes, 5) == 2.0
    assert clustered_variance(values, codes, 5) == pytest.approx(0.24 / 5 * 5 / 4)


def test_anonymous_answers_are_customers_of_their_own():
    codes = customer_codes(pd.Series(["a", None, "b", None, "a"], dtype="str"))
    assert codes[0] == codes[4]
    assert len(set(codes)) == 4


def test_change_allows_for_customers_in_both_periods():
    """The same customers with the same answers twice: no change, and no uncertainty left."""
    scores, codes = repeat_company(np.random.default_rng(1), 80)
    first = nps(sides(scores), codes, 80)
    gap = difference(first, first)
    assert gap.estimate == 0
    apart = mover(first.estimate, first.low, first.high, first.estimate, first.low, first.high)
    assert gap.high - gap.low < 0.2 * (apart[1] - apart[0])


def test_detectable_change_is_the_planned_one():
    """3,830 answers at NPS 30 were planned to show 5 points: their own interval says the same."""
    values = np.repeat([-1.0, 0.0, 1.0], [766, 1149, 1915])
    score = nps(values, np.arange(3830), 3830)
    assert detectable(score) == pytest.approx(0.05, abs=2e-4)
    assert detectable(score, score) < 1e-2  # the same customers with the same answers hide nothing


def test_p_value_agrees_with_the_interval():
    for low, high in ((0.01, 0.5), (-0.01, 0.5), (-0.6, -0.02), (-0.3, 0.4)):
        score = Score((low + high) / 2 + 0.03, low, high, 50, 50)
        assert (p_value(score) < 0.05) == (low > 0 or high < 0)


def test_reversing_a_reversed_scale_changes_nothing():
    codes = np.array([0, 1, 2, 3, 4, 0, 5])
    exported_as_effort = turned(EFFORT, 1, 7, "lower_is_better")
    exported_as_ease = turned(8 - EFFORT, 1, 7, "higher_is_better")
    assert exported_as_effort.tolist() == exported_as_ease.tolist()
    one, other = (mean(x, codes, 6) for x in (exported_as_effort, exported_as_ease))
    assert (one.estimate, one.low, one.high) == (other.estimate, other.low, other.high)
    assert one.low < one.estimate < one.high


def test_worked_example_of_effort():
    """DECISIONS 2: 1, 2, 4, 6, 7 turned: mean 4.0, top-2-box 40 %."""
    easy = turned([1, 2, 4, 6, 7], 1, 7, "lower_is_better")
    assert easy.tolist() == [7, 6, 4, 2, 1]
    assert mean(easy, np.arange(5), 5).estimate == 4.0
    assert share(top_box(easy, 6), np.arange(5), 5).estimate == 0.4


def test_labels_by_the_declared_cuts():
    assert label([0, 6, 7, 8, 9, 10], 6, 9).tolist() == ["negative"] * 2 + ["neutral"] * 2 + ["positive"] * 2


def test_worked_example_of_open_tickets():
    """DECISIONS 3: median 8 h with the open tickets, mean of the closed ones 4.7 h."""
    times = Durations(np.array([2, 4, 6, 8, 9.0]), np.array([True, True, False, True, False]), np.arange(5))
    assert quantile(times, 0.5).estimate == 8
    assert closed_mean(times).estimate == pytest.approx(14 / 3)


def test_durations_know_open_reopened_and_the_change_of_clocks():
    stamps = pd.to_datetime(["2025-03-30 00:50", "2025-03-30 00:50", "2025-03-30 00:00", "2025-03-30 00:00"])
    tickets = pd.DataFrame({
        "created_at": stamps,  # UTC: 01:50 in Madrid, ten minutes before clocks go forward
        "solved_at": pd.to_datetime(["2025-03-30 01:10", None, "2025-03-30 02:00", "2025-04-02 00:00"]),
        "status": ["closed", "open", "pending", "closed"]})
    times = durations(tickets, pd.Timestamp("2025-03-31 00:50"), np.arange(4))
    assert times.hours[0] * 60 == pytest.approx(20)  # 01:50 to 03:10 in Madrid
    assert times.is_solved.tolist() == [True, False, False, False]  # open; opened again; solved after the data end
    assert times.hours[1:].tolist() == [24, pytest.approx(24 + 50 / 60), pytest.approx(24 + 50 / 60)]


def test_median_of_tickets_of_the_same_customers_is_less_certain():
    random = np.random.default_rng(5)
    hours = np.round(random.exponential(10, 60), 3)
    once = Durations(hours, hours < 25, np.arange(60))
    twice = Durations(np.repeat(hours, 2), np.repeat(hours < 25, 2), np.repeat(np.arange(60), 2))
    assert quantile(twice, 0.5).design_effect == pytest.approx(2)
    assert quantile(twice, 0.5).high - quantile(twice, 0.5).low >= quantile(once, 0.5).high - quantile(once, 0.5).low


@pytest.mark.parametrize(("counts", "expected"), [
    ([50, 40, 30], [False, False, False]),
    ([50, 4, 30], [False, True, True]),  # one hidden group is the total less the others: a second goes
    ([50, 4, 7, 30], [False, True, True, False]),  # two of them, eleven together
    ([50, 2, 3, 30], [False, True, True, True]),  # five together are still too few
    ([4], [True]),
    ([0, 50], [False, False]),
])
def test_hidden_groups_cannot_be_subtracted(counts, expected):
    assert hidden(counts, 10).tolist() == expected


def test_months_are_the_companys():
    times = pd.Series(pd.to_datetime(["2024-12-31 22:59", "2024-12-31 23:00", None]))
    assert local_months(times, "Europe/Madrid").tolist()[:2] == ["2024-12", "2025-01"]
    assert local_months(times, "Europe/Madrid").isna().tolist() == [False, False, True]
    assert end_of_day("2025-06-30", "Europe/Madrid") == pd.Timestamp("2025-06-30 22:00")


def test_windows_count_back_from_the_last_day():
    assert last_windows("2025-02-14", 3) == (Window("2024-12", "2025-02"), Window("2024-09", "2024-11"))
    assert Window("2025-02", "2025-02").label == "2025-02"


def test_shrinkage_keeps_what_is_certain_and_pulls_what_is_not():
    moved = shrunken([10.0, 10.0, 40.0, 60.0], [1.0, 20.0, 1.0, 20.0])
    assert abs(moved[0] - 10) < 1 < abs(moved[1] - 10)
    assert shrunken([10.0, 10.1, 9.9], [5, 5, 5]) == pytest.approx([10, 10, 10])  # nothing but noise
