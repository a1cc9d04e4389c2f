"""Small groups are hidden, and no subtraction brings them back. Expected blanks worked out by hand."""

from dataclasses import replace

import pandas as pd
import pytest

from pipeline.contracts.claims import Claim
from pipeline.report.disclosure import FLAG, KEYS, known_spans, offered, protect_claims, protect_table
from pipeline.report.figures import base


def hidden(table, **options):
    protected = protect_table(table, 10, **options)
    return protected.index[protected[FLAG]].tolist(), protected


def test_a_small_group_takes_the_next_smallest_with_it():
    table = pd.DataFrame({"channel": ["web", "shop", "phone", "all"], "n": [300, 7, 12, 319],
                          "estimate": [30.0, -10.0, 5.0, 28.0]})
    rows, protected = hidden(table)
    assert rows == [1, 2]
    assert protected.loc[[1, 2], ["n", "estimate"]].isna().all(axis=None)
    assert protected.loc[3, "estimate"] == 28.0


def test_two_small_groups_that_are_small_together_take_a_third():
    table = pd.DataFrame({"channel": ["web", "shop", "phone", "mail"], "n": [300, 4, 5, 40], "estimate": [1.0] * 4})
    assert hidden(table)[0] == [1, 2, 3]


def test_two_small_groups_that_are_enough_together_take_no_third():
    table = pd.DataFrame({"channel": ["web", "shop", "phone", "mail"], "n": [300, 7, 5, 40], "estimate": [1.0] * 4})
    assert hidden(table)[0] == [1, 2]


def test_a_two_way_table_hides_a_rectangle():
    """One small cell: its row and its column each lose another cell, and so do the lines of those."""
    cells = [(a, b) for a in ("x", "y", "z", "all") for b in ("p", "q", "r", "all")]
    counts = [5, 30, 60, 95, 40, 50, 70, 160, 80, 90, 99, 269, 125, 170, 229, 524]
    table = pd.DataFrame(cells, columns=["a", "b"]).assign(n=counts, estimate=1.0)
    protected = protect_table(table, 10)
    blank = {cells[i] for i in protected.index[protected[FLAG]]}
    assert ("x", "p") in blank
    for a in ("x", "y", "z"):
        assert sum(cell[0] == a and cell[1] != "all" for cell in blank) != 1
    for b in ("p", "q", "r"):
        assert sum(cell[1] == b and cell[0] != "all" for cell in blank) != 1
    assert ("all", "all") not in blank


def test_groups_hidden_by_the_notebook_stay_hidden_without_more():
    table = pd.DataFrame({"channel": ["a", "b", "c"], "status": ["suppressed", "suppressed", "ok"],
                          "n": pd.array([None, None, 50], dtype="Int64"), "estimate": [None, None, 1.0]})
    assert hidden(table)[0] == [0, 1]


def test_keys_and_months_are_kept():
    """Each row is the only one of its answer and of its month: nothing adds up with it."""
    table = pd.DataFrame({"period": ["2024-01", "2024-02", "2024-03"], "score": [1, 2, 3], "n": [5, 50, 60],
                          "estimate": [1.0, 2.0, 3.0]})
    rows, protected = hidden(table)
    assert rows == [0]
    assert protected["score"].tolist() == [1, 2, 3]


def test_a_table_that_counts_no_people_is_left_alone():
    assert hidden(pd.DataFrame({"rule": ["NPS-RANGE"], "rows": [3]}))[0] == []


def test_small_steps_are_blank_with_the_next_smallest():
    """5 and 4 rows lost are 9 together: the 57 used go too, else 66 less 57 tell them; the steps before stay."""
    table = pd.DataFrame({"step": ["customer_months", "recent_answer", "no_sales", "one_row", "used"],
                          "rows": [900, 66, 5, 4, 57], "customers": pd.array([40, 30, None, None, 28], dtype="Int64")})
    rows, protected = hidden(table)
    assert rows == [2, 3, 4]
    assert protected.loc[[2, 3, 4], ["rows", "customers"]].isna().all(axis=None)
    assert protected["rows"].iloc[:2].tolist() == [900, 66]


def test_many_rows_of_few_customers_are_blank_in_a_table_of_steps():
    table = pd.DataFrame({"step": ["offered", "seen", "used"], "rows": [900, 300, 40], "customers": [40, 20, 6]})
    assert hidden(table)[0] == [1, 2]


@pytest.mark.parametrize(("rows", "customers", "blank"), [
    ([900, 300, 296], [60, 40, 40], [1]),  # 300 less 296 are 4 rows
    ([900, 300, 250], [60, 40, 37], [1]),  # 3 customers, of 50 rows
    ([900, 300, 250], [60, 40, 30], []),
    ([900, 300, 300], [60, 40, 40], []),  # nobody was lost
    ([900, 304, 300, 296], [60, 50, 50, 50], [1, 2]),
])
def test_a_step_less_the_next_one_tells_of_no_few(rows, customers, blank):
    table = pd.DataFrame({"step": [f"step_{i}" for i in range(len(rows))], "rows": rows, "customers": customers})
    hidden_rows, protected = hidden(table)
    assert hidden_rows == blank
    seen = protected.loc[~protected[FLAG], ["rows", "customers"]].astype(int)
    assert not (seen.diff().abs().isin(range(1, 10))).any(axis=None)


PANEL = pd.DataFrame({"score": [0, 5, 8, 9], "n": [40, 60, 300, 400], "left": [4, 6, 9, 12],
                      "people": [6, 25, 120, 150], "rate": [0.1, 0.1, 0.03, 0.03]})  # 40 rows of six customers


def test_many_rows_of_few_people_are_a_small_group_and_take_another_with_them():
    assert hidden(PANEL.drop(columns="people"))[0] == []
    rows, protected = hidden(PANEL)
    assert rows == [0, 1]
    assert protected.loc[rows, ["n", "left", "people", "rate"]].isna().all(axis=None)
    assert not protected["is_small"].any()  # there are 40 rows: "fewer than 10" would not be true of them


def test_small_groups_may_be_the_same_people_again():
    """Six and eight customers, of rows that are many: they may be eight together, so a third answer goes with them."""
    assert hidden(PANEL.assign(people=[6, 8, 120, 150]))[0] == [0, 1, 2]


def test_a_plot_does_not_tell_how_many_people():
    assert base.for_plots(PANEL, 10).columns.tolist() == ["score", "n", "left", "rate"]


def test_claims_of_few_people_lose_their_figure():
    rates = [Claim("churn.monthly_rate", 0.1, "share", 60, "m", segment=f"segment:{name}", people=people)
             for name, people in (("a", 6), ("b", 10), ("c", 40))]
    assert [c.status for c in protect_claims(rates, 10)] == ["suppressed", "suppressed", "ok"]


def test_a_claim_without_a_figure_does_not_tell_how_few():
    few = Claim("churn.hazard_ratio_per_point", None, "ratio", 4, "m", status="not_enough_data", reason="few_events",
                n_in=7)
    made = protect_claims([few, replace(few, segment="score_age:3", n_used=0, n_in=200)], 10)
    assert [(c.n_used, c.n_in, c.reason) for c in made] == [(None, None, "few_events"), (0, 200, "few_events")]


def test_rows_offered_are_told_where_the_rest_is_nobody_or_many():
    claim = Claim("sales.per_point", 1.0, "percent", 200, "m", n_in=204)
    assert offered(claim, 10) is None
    assert [offered(replace(claim, n_in=n), 10) for n in (200, 210, None)] == [200, 210, None]
    assert offered(replace(claim, claim_id="data.rows_in"), 10) == 204  # rows of files


def claims(*counts, dimension="channel", status="ok"):
    return [Claim("experience.nps", 10.0, "points", n, "m", segment=f"{dimension}:{i}", ci_low=1.0, ci_high=20.0,
                  detectable=5.0, n_in=n) for i, n in enumerate(counts)]


def test_claims_lose_every_figure():
    made = protect_claims([*claims(300, 7, 12), Claim("experience.nps", 9.0, "points", 319, "m")], 10)
    assert [c.status for c in made] == ["ok", "suppressed", "suppressed", "ok"]
    assert {(c.estimate, c.ci_low, c.ci_high, c.detectable) for c in made[1:3]} == {(None,) * 4}


def test_each_breakdown_and_period_is_covered_on_its_own():
    made = protect_claims([*claims(300, 7, 12), *claims(200, 50, dimension="team")], 10)
    assert [c.status for c in made[3:]] == ["ok", "ok"]


def test_counts_of_rows_are_not_people():
    assert protect_claims(claims(3, 300, dimension="rule"), 10)[0].status == "ok"


def test_a_claim_that_gives_no_figure_keeps_its_reason():
    without = Claim("sales.per_point", None, "percent", 0, "m", status="not_estimable", reason="no_surveys",
                    segment="months:12")
    assert protect_claims([without], 10) == [without]


def monthly(counts, segment="all", claim_id="experience.nps"):
    return [Claim(claim_id, 10.0, "points", n, "m", segment=segment, period=period) for period, n in counts.items()]


def shown(made):
    return [c.period for c in made if c.status == "ok"]


def test_a_month_is_not_found_from_the_other_months():
    """March (4) is what the quarter less January and February leaves: February (40) goes too; the quarter stays."""
    months = {"2025-01": 50, "2025-02": 40, "2025-03": 4}
    assert shown(protect_claims(monthly(months | {"2025-01/2025-03": 94}), 10)) == ["2025-01", "2025-01/2025-03"]
    assert shown(protect_claims(monthly(months, "segment:firm"), 10)) == ["2025-01"]  # the total stands on some page
    assert shown(protect_claims(monthly({"2025-01": 50, "all": 50}), 10)) == ["2025-01", "all"]


def test_months_are_covered_inside_each_longer_period():
    """Of the second quarter June (4) is small: the first quarter's smaller month would not hide it, May (60) does."""
    months = {"2025-01": 20, "2025-02": 90, "2025-05": 60, "2025-06": 4}
    made = protect_claims(monthly(months | {"2025-01/2025-03": 110, "2025-04/2025-06": 64}), 10)
    assert shown(made) == ["2025-01", "2025-02", "2025-01/2025-03", "2025-04/2025-06"]


def test_groups_by_month_lose_a_rectangle():
    """One small cell: its month and its group lose another cell each, and so do the lines of those."""
    counts = {("a", "2025-01"): 5, ("b", "2025-01"): 30, ("c", "2025-01"): 60, ("a", "2025-02"): 40,
              ("b", "2025-02"): 50, ("c", "2025-02"): 70}
    made = protect_claims([Claim("experience.nps", 1.0, "points", n, "m", segment=f"segment:{name}", period=month)
                           for (name, month), n in counts.items()], 10)
    blank = {(c.segment[-1], c.period) for c in made if c.status == "suppressed"}
    assert blank == {("a", "2025-01"), ("b", "2025-01"), ("a", "2025-02"), ("b", "2025-02")}


def test_a_handful_of_people_in_all_is_a_small_group_too():
    made = protect_claims([Claim("data.comment_share", 0.5, "share", 4, "m"), Claim("trust.held", 4.0, "count", 4, "m"),
                           Claim("data.rows_in", 4.0, "count", 4, "m")], 10)
    assert [c.status for c in made] == ["suppressed", "ok", "ok"]


def test_settings_of_one_analysis_are_not_parts_of_a_whole():
    made = protect_claims(claims(300, 7, 12, dimension="window"), 10)
    assert [c.status for c in made] == ["ok", "suppressed", "ok"]


def deducible(protected, whole, along, names, spans=()):
    """(total, count) of every line of totals in which what is printed leaves a hidden count no choice.

    A line is the rows between two values of `along` (all of them, and each of spans); its total, of whatever is
    counted, is printed. What is hidden is known where one cell is hidden, or where the rest is zero: then all are.
    """
    found = []
    for first, last in [(whole[along].min(), whole[along].max()), *spans]:
        line = whole[along].between(first, last)
        for name in names:
            blank = protected.loc[line, FLAG]
            rest = whole.loc[line, name].sum() - protected.loc[line, name].sum()  # the printed total less what is seen
            if blank.sum() == 1 or (blank.any() and rest == 0):
                found.append((first, last, name))
    return found


ANSWERS = pd.DataFrame({  # who left by answer, with the sums of 12,014 and 179 that the page prints beside it
    "score": range(1, 11), "n": [1, 25, 139, 384, 1003, 1877, 2799, 2901, 1922, 963],
    "left": [0, 0, 7, 12, 29, 35, 41, 33, 16, 6]})


def test_a_single_answer_is_not_what_the_total_leaves_over():
    assert (ANSWERS["n"].sum(), ANSWERS["left"].sum()) == (12014, 179)
    rows, protected = hidden(ANSWERS.assign(rate=ANSWERS["left"] / ANSWERS["n"]))
    assert deducible(protected, ANSWERS, "score", ["n", "left"]) == []
    assert rows == [0, 1, 2]  # 1 and 25 alone would say that nobody of either left: 179 less 179
    assert protected.loc[rows, ["n", "left", "rate"]].isna().all(axis=None)
    assert protected["score"].tolist() == list(range(1, 11))


def test_pooled_answers_of_another_page_leave_the_hidden_ones_together():
    """The shape of sales pools answers up to 3 into one row: 165. Less what is still seen of them, no single cell."""
    _, protected = hidden(ANSWERS[["score", "n"]])
    pooled, seen = ANSWERS["n"][:3].sum(), protected["n"][:3].sum()
    assert (pooled, seen, protected[FLAG][:3].sum()) == (165, 139, 2)


def test_where_nobody_left_at_all_no_more_is_hidden_for_it():
    assert hidden(ANSWERS.assign(left=0))[0] == [0, 1]


@pytest.mark.parametrize("dimension, values", [("month", range(1, 5)), ("group", range(1, 5)),
                                               ("tenure_months", range(4)),
                                               ("period", ["2024-01", "2024-02", "2024-03", "2024-04"])])
def test_keys_that_add_up_are_covered_and_stay(dimension, values):
    table = pd.DataFrame({dimension: values, "n": [90, 3, 40, 50], "status": ["ok", "suppressed", "ok", "ok"]})
    rows, protected = hidden(table, keys=(*KEYS, "group"))
    assert rows == [1, 2]
    assert protected[dimension].tolist() == list(values)
    assert deducible(protected, table, dimension, ["n"]) == []


def test_settings_that_name_a_row_do_not_add_up():
    assert hidden(pd.DataFrame({"lag": [2, 1, 0], "n": [5, 50, 60]}))[0] == [0]


def test_months_are_covered_inside_every_period_that_is_counted():
    """Half a year's answers are printed, and both halves' together as those behind the change."""
    months = [f"2024-{m:02d}" for m in range(1, 13)]
    table = pd.DataFrame({"period": months, "n": [30, 40, 5, 70, 80, 90, 95, 85, 6, 65, 55, 45]})
    spans = known_spans([Claim("experience.nps", 10.0, "points", 351, "m", period="2024-07/2024-12"),
                         Claim("data.rows", 1.0, "count", 1, "m")])
    assert spans == [("2024-07", "2024-12"), ("2024-01", "2024-06")]
    assert deducible(hidden(table)[1], table, "period", ["n"], spans) != []  # without the periods it would be
    rows, protected = hidden(table, spans=spans)
    assert rows == [0, 2, 8, 11]
    assert deducible(protected, table, "period", ["n"], spans) == []


def test_a_plot_outside_the_pages_hides_the_same():
    plot = base.for_plots(ANSWERS, 10)
    assert plot.columns.tolist() == ANSWERS.columns.tolist()
    assert plot["n"].isna().tolist() == [True] * 3 + [False] * 7
