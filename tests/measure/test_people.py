"""The limit counts people: a customer who answered thirteen times is a group of one. Expected blanks by hand."""

import importlib.util
from pathlib import Path

import pandas as pd

from pipeline.measure.answers import distribution
from pipeline.measure.coverage import response_breakdown
from pipeline.measure.disclosure import Limits, hidden_names
from pipeline.measure.experience_label import label_claims, label_shares
from pipeline.measure.metrics import answered, survey_metrics
from pipeline.measure.periods import choose_periods
from pipeline.measure.scorecard import score_all

_spec = importlib.util.spec_from_file_location("measure_company", Path(__file__).with_name("company.py"))
company = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(company)

LIMITS, SPAN = Limits(), choose_periods("2025-01-01", "2025-12-31", 12)


def answers(groups: dict[str, tuple[int, int]], score: float = 9.0, **fields) -> list[dict]:
    """Per branch so many customers with so many answers each."""
    return [{"branch": branch, "customer_id": f"{branch}{who}", "score": score} | fields
            for branch, (customers, each) in groups.items() for who in range(customers) for _ in range(each)]


GROUPS = {"a": (40, 2), "b": (30, 1), "c": (1, 13)}


def shown(table: pd.DataFrame) -> set:
    return set(table.loc[table["n"].notna(), "segment"])


def test_one_customer_with_many_answers_is_a_small_group():
    """Branch c is one person with 13 answers; b is the next smallest, which subtraction would tell c from."""
    card = score_all(survey_metrics(answered(company.surveys(answers(GROUPS)), "UTC"), {}), ["branch"], SPAN, LIMITS)
    assert shown(card.by_group) == {"branch:a"}
    hidden = {c.segment: c.status for c in card.claims if c.claim_id == "experience.nps" and c.segment != "all"}
    assert hidden == {"branch:a": "ok", "branch:b": "suppressed", "branch:c": "suppressed"}


def test_many_answers_of_few_people_are_not_enough_data():
    """60 answers of twelve customers, and of thirty."""
    for customers, each, status in ((12, 5, "not_enough_data"), (30, 2, "ok")):
        given = answered(company.surveys(answers({"a": (customers, each)})), "UTC")
        found = next(c for c in score_all(survey_metrics(given, {}), [], SPAN, LIMITS).claims
                     if c.claim_id == "experience.nps")
        assert (found.n_used, found.people, found.status) == (60, customers, status)


def test_groups_and_months_count_the_people_behind_them():
    """Branch a: 120 answers of twelve customers; branch b: 60 of sixty. Half of them in each half of the year."""
    rows = [row | {"responded_at": day} for day in ("2025-03-10", "2025-09-10")
            for row in answers({"a": (12, 5), "b": (60, 1)})]
    span = choose_periods("2025-01-01", "2025-12-31", 6)
    card = score_all(survey_metrics(answered(company.surveys(rows), "UTC"), {}), ["branch"], span, LIMITS)
    told = {(c.claim_id, c.segment): (c.people, c.status) for c in card.claims}
    assert told["experience.nps", "branch:a"] == (12, "not_enough_data")
    assert told["experience.nps", "branch:b"] == (60, "ok")
    assert told["experience.nps_change", "branch:a"] == (12, "not_enough_data")
    assert told["experience.nps_change", "all"] == (72, "ok")
    assert card.by_month["people"].tolist() == [72, 72]


def test_one_customer_with_many_invitations_is_in_no_response_rate():
    silent = [row | {"score": None, "responded_at": None} for row in answers(GROUPS)]
    found = response_breakdown(company.surveys(answers(GROUPS) + silent), ["branch"], LIMITS)
    assert shown(found.by_group) == {"branch:a"}


def test_answers_without_a_customer_are_a_person_each():
    rows = [row | {"customer_id": None} for row in answers({"a": (40, 2), "b": (30, 1), "c": (13, 1)})]
    card = score_all(survey_metrics(answered(company.surveys(rows), "UTC"), {}), ["branch"], SPAN, LIMITS)
    assert shown(card.by_group) == {"branch:a", "branch:b", "branch:c"}


def test_the_same_people_in_two_hidden_groups_hide_nobody():
    """Six customers in both small groups are six people, not twelve: a third group goes too."""
    names = pd.Series(["x"] * 12 + ["y"] * 12 + ["z"] * 30 + ["w"] * 50)
    codes = pd.Series([*range(6)] * 2 + [*range(6)] * 2 + [*range(100, 130)] + [*range(200, 250)])
    assert hidden_names(names, codes, 10) == {"x", "y", "z"}
    assert hidden_names(names, codes + (names == "y") * 50, 10) == {"x", "y"}


def test_levels_labels_and_scale_count_people():
    rows = answers({"a": (4, 10)})
    given = answered(company.surveys(rows), "UTC")
    card = score_all(survey_metrics(given, {}), [], SPAN, LIMITS)
    level = next(c for c in card.claims if c.claim_id == "experience.nps")
    assert (level.status, level.estimate) == ("suppressed", None)
    assert card.by_month["n"].isna().all()
    assert distribution(given, SPAN, LIMITS).empty
    assert label_shares(given, {"nps": [6, 9]}, SPAN, LIMITS).empty
    enough = label_shares(answered(company.surveys(answers({"a": (12, 10)})), "UTC"), {"nps": [6, 9]}, SPAN, LIMITS)
    assert {(c.n_used, c.people) for c in label_claims(enough)} == {(120, 12)}


def test_a_point_of_the_scale_that_one_customer_gave_is_blank():
    rows = answers({"a": (40, 1)}) + answers({"b": (40, 2)}, 8.0) + answers({"c": (1, 15)}, 3.0)
    table = distribution(answered(company.surveys(rows), "UTC"), SPAN, LIMITS).set_index("score")
    assert table["n"].isna().to_dict() == {3.0: True, 8.0: False, 9.0: True}
