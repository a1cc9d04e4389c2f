"""Small groups are hidden, and no subtraction brings them back. Expected blanks worked out by hand."""

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.report.disclosure import FLAG, protect_claims, protect_table


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
    table = pd.DataFrame({"period": ["2024-01", "2024-02", "2024-03"], "score": [1, 2, 3], "n": [5, 50, 60],
                          "estimate": [1.0, 2.0, 3.0]})
    rows, protected = hidden(table)
    assert rows == [0]  # months are not parts of a breakdown
    assert protected["score"].tolist() == [1, 2, 3]


def test_a_table_that_counts_no_people_is_left_alone():
    assert hidden(pd.DataFrame({"rule": ["NPS-RANGE"], "rows": [3]}))[0] == []


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


def test_settings_of_one_analysis_are_not_parts_of_a_whole():
    made = protect_claims(claims(300, 7, 12, dimension="window"), 10)
    assert [c.status for c in made] == ["ok", "suppressed", "ok"]
