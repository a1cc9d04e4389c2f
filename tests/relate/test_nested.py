"""Counts of nested models: whoever subtracts one from the other finds no few people."""

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.relate import sales
from pipeline.relate.nested import in_steps, table_in_steps
from pipeline.relate.sample import sales_sample


def claim(name: str, n: int, people: int | None = None, estimate: float | None = 1.0) -> Claim:
    status = "ok" if estimate is not None else "not_estimable"
    return Claim(name, estimate, "percent", n, "ppml", "associated", status, n_in=3000, people=people)


def counts(claims: list[Claim]) -> list[tuple]:
    return [(c.n_used, c.people, c.n_in) for c in claims]


def test_counts_that_differ_by_few_are_told_in_tens():
    made = in_steps([claim("all", 2852, 407), claim("without_top", 2843, 403), claim("fresh", 1204, 300)], 10)
    assert counts(made) == [(2850, 400, 3000), (2840, 400, 3000), (1204, 300, 3000)]


def test_rounding_leads_to_no_warning():
    made = in_steps([claim("a", 39, 39), claim("b", 35, 35), claim("c", 29, 29)], 25, 30)
    assert [c.people for c in made] == [30, 30, 25]


def test_a_table_tells_the_same_counts_as_its_claims():
    exact = [claim("all", 188, 72), claim("without_top", 184, 70)]
    told = in_steps(exact, 10)
    table = pd.DataFrame({"step": ["offered", "used"], "rows": [900, 188], "customers": pd.array([None, 72], "Int64")})
    assert table_in_steps(table, exact, told).astype(object).where(table.notna(), None).to_numpy().tolist() == [
        ["offered", 900, None], ["used", 180, 70]]


def test_equal_counts_and_those_far_apart_stay():
    same = [claim("a", 2852, 407), claim("b", 2852, 407), claim("c", 2842, 397)]
    assert in_steps(same, 10) == same  # ten apart is a group that may be told


def test_rows_used_are_never_more_than_those_offered():
    made = [Claim("a", 1.0, "percent", 66, "ols", n_in=66), Claim("b", 1.0, "percent", 50, "ppml", n_in=62)]
    assert counts(in_steps(made, 10)) == [(60, None, 60), (50, None, 60)]


def test_a_chain_of_small_steps_is_rounded_whole():
    made = in_steps([claim("a", 108), claim("b", 101), claim("c", 94)], 10)
    assert [c.n_used for c in made] == [100, 100, 90]


def test_what_is_hidden_or_has_no_figure_is_left_to_its_own_rule():
    few = [claim("a", 9, 9), claim("b", 14, 8), claim("c", 16, None, estimate=None), claim("d", 19)]
    assert in_steps(few, 10) == few


def test_the_top_spenders_of_a_small_company_are_not_counted_by_its_page(company):
    """400 customers: four are the top 1 %; before, the customers of both models tell how many of them are in."""
    sample = sales_sample(company(2, 400), "nps", 1, [])
    made = sales.per_point(sample)[0] + sales.other_outcomes(sample)
    gap = made[0].people - made[1].people
    assert 0 < gap < 10
    told = in_steps(made, 10)
    assert not any(0 < abs(a.people - b.people) < 10 for a in told for b in told)
    assert [c.estimate for c in told] == [c.estimate for c in made]
