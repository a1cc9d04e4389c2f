"""Catalogue S09, S10, S13: what a set of answers cannot carry is withheld by its rule, and counts stand beside."""

import pandas as pd
import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.rules import rule_of
from pipeline.measure.coverage import composition, response_claims
from pipeline.measure.disclosure import Limits
from tests.measure.test_coverage import asked, by_id
from tests.measure.test_scorecard import answers_of, card, claim

LIMITS = Limits()


def test_without_answers_from_most_the_rate_is_told_and_the_score_is_warned_of():
    """S09, SET-NONRESP: 20 of 2,000 answered. The rate is 1 %, and an NPS of 20 answers is no headline."""
    rate = by_id(response_claims(asked(20, 1980), LIMITS))["data.response_rate"]
    assert (rate.estimate, rate.n_used, rate.rule) == (0.01, 2000, "")
    level = claim(card(answers_of([9] * 20)).claims, "experience.nps")
    assert (level.status, level.rule) == ("not_enough_data", "SET-NONRESP")


def test_a_group_below_ten_is_suppressed_with_the_one_that_tells_it():
    """S10, SDC-K: 40 + 35 + 5 of 80: with the group of 5, the next smallest goes."""
    rows = (answers_of([9] * 40, segment="a") + answers_of([8] * 35, segment="b") + answers_of([2] * 5, segment="c"))
    found = {c.segment: c for c in card(rows, ["segment"]).claims
             if c.claim_id == "experience.nps" and "segment:" in c.segment}
    assert {name: one.rule for name, one in found.items()} == {
        "segment:a": "", "segment:b": "SDC-K", "segment:c": "SDC-K"}
    assert found["segment:c"].estimate is None and found["segment:b"].estimate is None


def test_how_many_answered_in_each_group_stands_beside_its_figures():
    """S13, SET-MISS: of 30 at home 24 answered, of 30 firms 12."""
    totals = pd.DataFrame({"customer_id": [f"c{i}" for i in range(60)], "segment": ["home"] * 30 + ["firm"] * 30,
                           "count_answers": [1] * 24 + [0] * 6 + [1] * 12 + [0] * 18, "revenue": 1.0})
    found = composition(totals, ["segment"], LIMITS).set_index("segment")
    assert found["customers_share"].to_dict() == {"home": 0.5, "firm": 0.5}
    assert found["answered_share"].round(4).to_dict() == {"home": 0.6667, "firm": 0.3333}


@pytest.mark.parametrize(("status", "reason", "rule"), [
    ("ok", "separation", ""), ("suppressed", "", "SDC-K"), ("not_enough_data", "small_group", "SET-NONRESP"),
    ("not_enough_data", "few_months", "SET-SPAN"), ("not_estimable", "few_customers", "SET-TINY"),
    ("not_estimable", "no_surveys", "SET-MISSING"), ("not_estimable", "unheard_of", ""),
])
def test_a_reason_decides_before_the_status(status: str, reason: str, rule: str):
    assert rule_of(status, reason) == rule
    estimate = 1.0 if status == "ok" else None
    assert Claim("x.y", estimate, "count", 1, "m", status=status, reason=reason).rule == rule
