"""The experience index: contacts by hand, declared weights, repeat customers, and what is left out."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.contracts.refusal import Refusal
from pipeline.measure.disclosure import Limits
from pipeline.measure.index import evaluated_contacts, index_metrics, index_parts, index_score, on_the_scale
from pipeline.measure.metrics import answered
from pipeline.measure.periods import choose_periods
from pipeline.measure.scorecard import score_all

_spec = importlib.util.spec_from_file_location("measure_company", Path(__file__).with_name("company.py"))
company = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(company)

CUTS = {"csat": [3, 6], "ces": [3, 6]}
HALF = {"direct": 0.5, "indirect": 0.5}
LIMITS, PERIODS = Limits(10, 30, 0.10), choose_periods("2025-01-01", "2025-06-30", 3)


def contacts(scores: list[float], is_direct: bool | None, instrument: str = "csat", **fields) -> list[dict]:
    return [{"score": float(s), "instrument": instrument, "scale_min": 1.0, "scale_max": 7.0, "is_direct": is_direct}
            | fields for s in scores]


def answers(rows: list[dict]) -> pd.DataFrame:
    return answered(company.surveys(rows), "Europe/Madrid")


def claims_of(rows: list[dict], weights=None) -> dict:
    metrics = index_metrics(answers(rows), CUTS, weights or HALF)
    return {c.claim_id: c for c in score_all(metrics, [], PERIODS, LIMITS).claims}


BOTH = contacts([7] * 30 + [4] * 6 + [1] * 4, True) + contacts([7] * 10 + [4] * 5 + [2] * 5, False)


def test_index_by_hand():
    """Direct (30 - 4) / 40 = 65, indirect (10 - 5) / 20 = 25: half and half 45; pooled contacts would say 51.7."""
    found = claims_of(BOTH)
    assert found["experience.index_direct"].estimate == pytest.approx(65)
    assert found["experience.index_indirect"].estimate == pytest.approx(25)
    assert (found["experience.index"].estimate, found["experience.index"].n_used) == (pytest.approx(45), 60)
    assert claims_of(BOTH, {"direct": 3, "indirect": 1})["experience.index"].estimate == pytest.approx(55)


def test_worked_example_of_the_index():
    """DECISIONS 15: 66.7 and -50 give 8.3; pooled it would be 20."""
    rows = pd.DataFrame({"kind": ["direct"] * 3 + ["indirect"] * 2, "value": [100.0, 100, 0, -100, 0],
                         "code": np.arange(5)})
    assert index_score(HALF, 5)(rows).estimate == pytest.approx(25 / 3)
    assert rows["value"].mean() == 20


def test_interval_by_hand():
    """Once each, leaving one out moves its mean by (value - mean) / (n - 1): variance .25 (40 var/39^2 + 20 var/19^2),
    with 59/60 and t of 59 degrees of freedom (2.00100); on the logit of the place between -100 and 100.
    """
    direct, indirect = np.repeat([100, 0, -100], [30, 6, 4]), np.repeat([100, 0, -100], [10, 5, 5])
    variance = 0.25 * (40 * direct.var() / 39**2 + 20 * indirect.var() / 19**2) * 59 / 60
    claim = claims_of(BOTH)["experience.index"]
    place = (45 + 100) / 200
    reach = 2.00100 * variance**0.5 / 200 / (place * (1 - place))
    odds = place / (1 - place) * np.exp([-reach, reach])
    assert [claim.ci_low, claim.ci_high] == pytest.approx(200 * odds / (1 + odds) - 100, rel=1e-5)


def test_the_interval_of_few_good_contacts_misses_on_both_sides_alike():
    """2,000 companies of 30 contacts, 8, 30 and 62 in 100 of them bad, middling and good: about the mean itself the
    lower limit is too high in 6 of 100 and 93 hold the truth."""
    random = np.random.default_rng(30)
    rows = pd.DataFrame({"kind": np.repeat(["direct", "indirect"], 30), "code": np.arange(60)})
    below = above = plain = 0
    for _ in range(2000):
        values = random.choice([-100.0, 0.0, 100.0], 60, p=(0.08, 0.3, 0.62))
        score = index_score({"direct": 0.0, "indirect": 1.0}, 60)(rows.assign(value=values))
        below, above = below + (score.low > 54), above + (score.high < 54)
        part = next(m for m in index_metrics(answers(BOTH), CUTS, HALF) if m.claim_id.endswith("_indirect")).score(
            rows.assign(value=values)[30:]) if _ < 300 else None
        plain += part is not None and part.low > 54
    assert 0.94 <= 1 - (below + above) / 2000 <= 0.97 and below <= 1.5 * above
    assert plain / 300 <= 0.04
    assert on_the_scale(100.0, 5.0) == (95.0, 100.0)


def lower(contacts: int, worth: float = 200.0) -> float:
    """What Wilson's limit leaves to others where all of so many customers said the same, in points of the scale."""
    return worth * (1 - contacts / (contacts + 1.959964**2))


def test_contacts_all_alike_are_no_certainty():
    """30 direct and 20 indirect contacts of 50 customers, all positive: 100, down to 100 less the root of both parts'
    squares (22.7 and 32.2, half of each); of 20 customers who had one of each kind both parts move together."""
    claim = claims_of(contacts([7] * 30, True) + contacts([7] * 20, False))["experience.index"]
    assert (claim.estimate, claim.ci_high) == (100, 100)
    assert claim.ci_low == pytest.approx(100 - np.hypot(lower(30), lower(20)) / 2, rel=1e-6)
    rows = pd.DataFrame({"kind": ["direct"] * 20 + ["indirect"] * 20, "value": 100.0, "code": np.tile(range(20), 2)})
    assert index_score(HALF, 20)(rows).low == pytest.approx(100 - lower(20), rel=1e-6)
    nothing = index_score(HALF, 20)(rows.assign(value=0.0))
    assert (nothing.low, nothing.high) == (pytest.approx(-lower(20, 100.0)), pytest.approx(lower(20, 100.0)))


@pytest.mark.parametrize("few", [1, 12])
def test_a_kind_of_contact_that_is_all_alike_adds_what_it_leaves_open(few):
    """The rarer kind's lower limit widens the index downward alone, also where it is one customer's only contact; what
    the other kind adds is what it adds where the rarer one weighs nothing in its error."""
    direct = pd.DataFrame({"kind": "direct", "value": np.repeat([100.0, 0, -100], [30, 6, 4]), "code": np.arange(40)})
    rare = pd.DataFrame({"kind": "indirect", "value": 100.0, "code": 40 + np.arange(few)})
    score = index_score(HALF, 40 + few)(pd.concat([direct, rare], ignore_index=True))
    customers = 40 + few
    variance = 0.25 * 40 * direct["value"].var(ddof=0) / 39**2 * (customers - 1) / customers
    low, high = on_the_scale(82.5, stats.t.ppf(0.975, customers - 1) * variance**0.5)
    assert score.estimate == 82.5
    assert score.high == pytest.approx(high)
    assert score.low == pytest.approx(82.5 - np.hypot(82.5 - low, lower(few) / 2), rel=1e-6)


def test_nearly_all_positive_contacts_are_covered():
    """1,000 companies of 20 direct and 12 indirect contacts, 95 of 100 positive and the rest negative: each kind is all
    alike in a third or half of them, and without its own limits the interval holds 77 of 100 truths."""
    random, held = np.random.default_rng(31), 0
    rows = pd.DataFrame({"kind": np.repeat(["direct", "indirect"], [20, 12]), "code": np.arange(32)})
    for _ in range(1000):
        score = index_score(HALF, 32)(rows.assign(value=np.where(random.random(32) < 0.95, 100.0, -100.0)))
        held += score.low <= 90 <= score.high
    assert held / 1000 >= 0.935


def test_a_contact_counts_once_whatever_it_was_asked():
    """One contact positive in CSAT (7) and negative in CES (2) is worth 0; two questions do not make two contacts."""
    rows = company.surveys(contacts([7, 7], True) + contacts([2, 6], True, "ces"))
    rows["response_id"] = ["a", "b", "a", "b"]
    found = evaluated_contacts(answered(rows, "Europe/Madrid"), CUTS).set_index("response_id")["value"]
    assert found.to_dict() == {"a": 0.0, "b": 100.0}


def test_the_relation_is_no_contact_and_one_kind_makes_no_index():
    assert len(evaluated_contacts(answers(BOTH + contacts([1] * 50, None)), CUTS)) == 60
    assert index_metrics(answers(contacts([7] * 40, True)), CUTS, HALF) == []
    assert index_metrics(answered(None, "Europe/Madrid"), CUTS, HALF) == []


@pytest.mark.parametrize("wrong", [{"direct": 1.0}, {"direct": -1.0, "indirect": 2.0}, {"direct": 0.0, "indirect": 0.0},
                                   {"direct": 0.5, "other": 0.5}])
def test_weights_that_are_none_are_refused(wrong):
    with pytest.raises(Refusal, match="PARAM-INDEX"):
        index_metrics(answers(BOTH), CUTS, wrong)


def test_interval_covers_with_customers_who_have_contacts_of_both_kinds():
    """500 companies of 80 customers, one to three contacts of each kind: .925 to .975. Counting contacts as independent
    fails, because a customer's contacts share its mood."""
    random = np.random.default_rng(21)

    def world(customers: int) -> pd.DataFrame:
        mood = random.normal(0, 1, customers)
        kinds = []
        for kind, level in (("direct", 0.6), ("indirect", 0.1)):
            codes = np.repeat(np.arange(customers), random.integers(1, 4, customers))
            felt = level + mood[codes] + random.normal(0, 0.7, len(codes))
            kinds.append(pd.DataFrame({"kind": kind, "code": codes, "value": np.select(
                [felt > 0.7, felt > -0.3], [100.0, 0.0], -100.0)}))
        return pd.concat(kinds, ignore_index=True)

    truth = index_score(HALF, 100_000)(world(100_000)).estimate
    covered = naive = 0
    for _ in range(500):
        rows = world(80)
        score = index_score(HALF, 80)(rows)
        covered += score.low <= truth <= score.high
        blind = index_score(HALF, len(rows))(rows.assign(code=np.arange(len(rows))))
        naive += blind.low <= truth <= blind.high
    assert 0.925 <= covered / 500 <= 0.975
    assert naive / 500 < 0.9


def test_parts_show_their_weights():
    table = index_parts(index_metrics(answers(BOTH), CUTS, HALF), {"direct": 3, "indirect": 1}, PERIODS, LIMITS)
    assert table["contact_kind"].tolist() == ["index", "direct", "indirect"]
    assert table["weight_share"].tolist() == [1, 0.75, 0.25]
