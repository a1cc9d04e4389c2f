"""Who answered: weights that repair what is known of the silent, a band for what is not, churn beside it."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.measure.asked import Asked, asked_people
from pipeline.measure.disclosure import Limits
from pipeline.measure.periods import choose_periods
from pipeline.measure.present import with_relation
from pipeline.measure.questions import Question, asked_questions
from pipeline.measure.response import (
    by_inverse_probability,
    by_raking,
    if_all_answered,
    of_each_question,
    page_tables,
    weighted_change,
)
from pipeline.measure.silence import churn_claims, spend_claims
from pipeline.measure.weighting import clustered_error, effective_size, rake, response_model, shift_error
from pipeline.report.words import Words

_spec = importlib.util.spec_from_file_location("measure_company", Path(__file__).with_name("company.py"))
company = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(company)

LIMITS = Limits(10, 30, 0.10)
PERIODS = choose_periods("2025-01-01", "2025-06-30", 3)
ZONE = "Europe/Madrid"


def of(claims, name):
    return next(c for c in claims if c.claim_id == name)


def invited(random: np.random.Generator, customers: int, psi: float = 0.0, everybody: bool = False) -> Asked:
    """Three invitations each. The big (40 %) score higher and answer more; psi: answering depends on the opinion."""
    codes = np.repeat(np.arange(customers), 3)
    big = (random.random(customers) < 0.4)[codes]
    mood = 7.3 + 0.9 * big + random.normal(0, 0.9, customers)[codes] + random.normal(0, 1.2, len(codes))
    score = np.clip(np.round(mood), 0, 10)
    logit = -1.2 + 1.6 * big + psi * (score - 7)
    answers = everybody | (random.random(len(codes)) < 1 / (1 + np.exp(-logit)))
    side = np.where(score >= 9, 1.0, np.where(score >= 7, 0.0, -1.0))
    rows = pd.DataFrame({"value": np.where(answers, side, np.nan), "side": side, "code": codes,
                         "big": np.where(big, "yes", "no"), "half": np.where(codes % 2, "a", "b")})
    return Asked(rows, ["big", "half"], "invitations")


def test_weights_find_the_npss_of_all_and_raw_does_not():
    """400 companies of 250 customers: .925 to .975 is what 400 runs allow around .95 (three standard errors).

    The raw interval, which takes those who answer for everybody, must fail in the same world.
    """
    random = np.random.default_rng(8)
    truth = invited(random, 400_000, everybody=True).rows["value"].mean() * 100
    hits = {name: 0 for name in ("raw", "raked", "weighted")}
    estimates = {name: [] for name in hits}
    for _ in range(400):
        ways = if_all_answered(invited(random, 250), "2025", LIMITS).ways.set_index("way")
        for name in hits:
            hits[name] += ways.loc[name, "ci_low"] <= truth <= ways.loc[name, "ci_high"]
            estimates[name].append(ways.loc[name, "estimate"])
    assert 0.917 <= hits["weighted"] / 400 <= 0.983
    assert 0.917 <= hits["raked"] / 400 <= 0.983
    assert abs(np.mean(estimates["weighted"]) - truth) < 1
    assert np.mean(estimates["raw"]) - truth > 5
    assert hits["raw"] / 400 < 0.8


def test_weights_do_not_mend_answering_that_depends_on_the_opinion_but_the_band_holds_the_truth():
    """The band read at the points by which the silent do score lower than those like them gives the NPS of all."""
    world = invited(np.random.default_rng(9), 20_000, psi=0.2)
    found, rows = if_all_answered(world, "2025", LIMITS), world.rows
    truth, silent = rows["side"].mean() * 100, rows["value"].isna()
    assert of(found.claims, "experience.nps_weighted").ci_low > truth + 5
    like_them = rows.groupby(["big", "half"])["value"].transform("mean")
    lower = (like_them - rows["side"])[silent].mean() * 100
    assert 10 < lower < 20
    assert np.interp(lower, found.band["delta"], found.band["estimate"]) == pytest.approx(truth, abs=0.1)
    assert found.band["delta"].tolist() == list(range(21))


def by_hand() -> Asked:
    """60 of 100 big customers answer, all promoters; 40 of 200 small ones, all detractors: weights 5/3 and 5."""
    value = [1.0] * 60 + [np.nan] * 40 + [-1.0] * 40 + [np.nan] * 160
    return Asked(pd.DataFrame({"value": value, "code": np.arange(300), "size": ["big"] * 100 + ["small"] * 200}),
                 ["size"], "invitations")


def test_weighting_by_hand():
    """NPS of all = (100 - 200) / 300 = -33.3; raw 20; n_eff = 300^2 / (60 * 25/9 + 40 * 25) = 77.1; 5 over 3."""
    found = if_all_answered(by_hand(), "2025", LIMITS)
    for name in ("weighted", "raked"):
        assert of(found.claims, f"experience.nps_{name}").estimate == pytest.approx(-100 / 3)
    assert found.ways.set_index("way").loc["raw", "estimate"] == pytest.approx(20)
    assert of(found.claims, "experience.nps_weighting_shift").estimate == pytest.approx(-160 / 3)
    assert of(found.claims, "experience.response_n_eff").estimate == pytest.approx(90_000 / (500 / 3 + 1000))
    assert of(found.claims, "experience.response_largest_weight").estimate == pytest.approx(5 / 3)
    assert of(found.claims, "experience.nps_answer_share").estimate == pytest.approx(1 / 3)
    assert of(found.claims, "experience.nps_if_silent_lower").estimate == pytest.approx(-100 / 3 - 20 * 2 / 3)
    odds = found.odds.set_index("segment")["estimate"]
    assert odds["size:small"] == pytest.approx((40 / 160) / (60 / 40))


def test_the_odds_of_answering_count_people():
    """The 100 invitations of the big ones went to 5 people, those of the 200 small ones to 100."""
    asked = by_hand()
    codes = np.r_[np.arange(100) % 5, 5 + np.arange(200) % 100]
    odds = if_all_answered(replace(asked, rows=asked.rows.assign(code=codes)), "2025", LIMITS).odds
    assert odds[["segment", "n", "people"]].values.tolist() == [["size:big", 100, 5], ["size:small", 200, 100]]


def test_worked_example_of_weights():
    """DECISIONS 13: raw 0, weighted -20, and -32 if the silent scored 20 points lower."""
    value, group = np.array([1, np.nan, -1, np.nan, np.nan]), np.array([[0], [0], [1], [1], [1]])
    answered = ~np.isnan(value)
    weighted = by_inverse_probability(value, answered, group, np.arange(5))
    assert weighted.weights == pytest.approx([2, 3])
    assert weighted.estimate * 100 == pytest.approx(-20)
    assert by_raking(value, answered, group, np.arange(5)).estimate * 100 == pytest.approx(-20)
    rows = pd.DataFrame({"value": np.tile(value, 20), "code": np.arange(100), "group": np.tile(list("bbsss"), 20)})
    silent = of(if_all_answered(Asked(rows, ["group"], "invitations"), "2025", LIMITS).claims,
                "experience.nps_if_silent_lower")
    assert silent.estimate == pytest.approx(-32)


def test_errors_of_one_margin_are_those_of_post_stratification():
    """With one margin both ways are the post-stratified mean, whose error has a form of its own: each row adds
    (its group's mean - the mean + [its answer - its group's mean] / the group's response rate) / rows."""
    random = np.random.default_rng(6)
    group = random.integers(0, 2, 80)
    answered = random.random(80) < np.where(group, 0.7, 0.3)
    value = np.where(answered, np.sign(random.normal(0.8 * group, 1)), np.nan)
    centre = np.array([value[answered & (group == g)].mean() for g in (0, 1)])[group]
    rate = np.array([answered[group == g].mean() for g in (0, 1)])[group]
    expected = (centre - centre.mean() + np.where(answered, np.nan_to_num(value - centre) / rate, 0)) / 80
    for way in (by_inverse_probability(value, answered, group[:, None], np.arange(80)),
                by_raking(value, answered, group[:, None], np.arange(80))):
        assert way.estimate == pytest.approx(centre.mean())
        assert way.wider == pytest.approx(np.sqrt((answered.sum() - 1) / (answered.sum() - 2)))
        assert way.parts == pytest.approx(way.wider * expected, abs=1e-9)


def test_response_errors_are_clustered():
    """Every row three times under one customer: as if it were there once (but for G/(G-1))."""
    random = np.random.default_rng(2)
    levels, answered = random.integers(0, 2, (200, 1)), (random.random(200) < 0.4).astype(float)
    once = response_model(answered, levels, np.arange(200))
    thrice = response_model(np.repeat(answered, 3), np.repeat(levels, 3, axis=0), np.repeat(np.arange(200), 3))
    assert thrice.covariance == pytest.approx(once.covariance)
    assert thrice.coefficients == pytest.approx(once.coefficients)


def test_raking_meets_every_margin_and_keeps_equal_weights_where_nothing_differs():
    levels = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    weights = rake(np.ones(4), levels, [np.array([30.0, 10.0]), np.array([20.0, 20.0])])
    assert weights == pytest.approx([15, 15, 5, 5])
    assert effective_size(np.ones(7)) == 7


def survey_rows(answered: int, silent: int, **fields) -> list[dict]:
    return ([{"score": 9.0 if i % 2 else 4.0, "customer_id": f"a{i}"} | fields for i in range(answered)]
            + [{"customer_id": f"s{i}", "responded_at": None} | fields for i in range(silent)])


def people(surveys, tickets=None, totals=None, covariates=("segment", "had_ticket", "purchases"), sales=None):
    return asked_people(surveys, tickets, sales, totals, covariates, PERIODS.now, ZONE, 30)


def sold(customers: list[str], amounts, at: str = "2025-02-01") -> pd.DataFrame:
    return pd.DataFrame({"customer_id": customers, "net_amount": np.asarray(amounts, float),
                         "ordered_at": pd.Timestamp(at)})


def test_invitations_know_earlier_tickets_only():
    long_ago = {"customer_id": "old", "sent_at": "2025-01-05", "responded_at": None}
    surveys = company.surveys([*survey_rows(40, 60), long_ago])
    before = company.tickets([1.0] * 50, "2025-05-20").assign(customer_id=pd.array(
        [f"a{i}" for i in range(20)] + [f"s{i}" for i in range(30)], dtype="str"))
    found = people(surveys, before)
    assert (found.kind, found.covariates, len(found.rows)) == ("invitations", ["had_ticket"], 100)
    assert (found.rows["had_ticket"] == "true").sum() == 50
    later = people(surveys, before.assign(created_at=pd.Timestamp("2025-06-03")))
    assert later.reason == "no_covariates"


def test_without_invitations_the_silent_are_customers_who_never_answered():
    surveys = company.surveys(survey_rows(90, 0))
    names = [f"a{i}" for i in range(90)] + [f"s{i}" for i in range(90)]
    found = people(surveys, totals=pd.DataFrame({"customer_id": names}), sales=sold(names, np.arange(180) % 90))
    assert (found.kind, len(found.rows), found.rows["value"].notna().sum()) == ("customers", 180, 90)
    assert set(found.rows["purchases"]) == {"third_low", "third_middle", "third_high"}
    claims = if_all_answered(found, "2025", LIMITS).claims
    assert of(claims, "experience.nps_weighted").reason == "customers"


def register(**dates) -> pd.DataFrame:
    """180 customers, 90 of whom answer (a0 … a89); acquired_at and ended_at as given by place, else missing."""
    customers = pd.DataFrame({"customer_id": [f"a{i}" for i in range(90)] + [f"s{i}" for i in range(90)],
                              "segment": ["home", "firm"] * 90})
    for column in ("acquired_at", "ended_at"):
        given = pd.Series([dates.get(column, {}).get(i) for i in range(180)])
        customers[column] = pd.to_datetime(given).astype("datetime64[us]")
    return customers


def test_only_customers_of_the_period_can_have_kept_silent():
    """April to June: 20 had left by March, 15 come in July; one leaves on 1 April, one comes on 30 June: both count."""
    surveys = company.surveys(survey_rows(90, 0))
    ended = dict.fromkeys(range(90, 110), "2025-03-31 21:00") | {110: "2025-04-01 12:00"}
    acquired = dict.fromkeys(range(111, 126), "2025-06-30 22:00") | {126: "2025-06-30 21:59"}  # UTC: 1 July in Madrid
    found = people(surveys, totals=register(ended_at=ended, acquired_at=acquired))
    assert len(found.rows) == 180 - 20 - 15
    share = of(if_all_answered(found, "2025", LIMITS).claims, "experience.nps_answer_share")
    assert (share.n_used, share.estimate) == (145, pytest.approx(90 / 145))
    assert {"s20", "s36"} <= set(found.rows["customer_id"]) and "s0" not in set(found.rows["customer_id"])


def test_who_answers_is_there_even_after_leaving():
    surveys = company.surveys(survey_rows(90, 0))
    left = register(ended_at=dict.fromkeys(range(10), "2025-01-15"))
    assert len(people(surveys, totals=left).rows) == 180


def test_without_dates_of_an_end_a_sign_of_life_in_a_year_makes_a_customer():
    """Of 90 silent ones 60 bought in the year to 30 June 2025, 30 before it: those are gone. Without orders, no telling
    who is; who came in that year is there without an order too, who comes later is not."""
    surveys = company.surveys(survey_rows(90, 0))
    sales = pd.DataFrame({"customer_id": [f"s{i}" for i in range(90)], "net_amount": 1.0,
                          "ordered_at": pd.to_datetime(["2024-07-02"] * 60 + ["2024-06-30"] * 30)})

    def found(sales, **dates):
        return people(surveys, totals=register(**dates), covariates=["segment"], sales=sales).rows

    assert len(found(sales)) == 150 and "s59" in set(found(sales)["customer_id"])
    assert len(found(None)) == 180
    assert len(found(sales, acquired_at={179: "2025-01-01"})) == 151
    assert len(found(sales, acquired_at=dict.fromkeys(range(90, 110), "2025-07-02"))) == 130


def test_a_customer_begins_with_the_first_sign_where_the_register_does_not_say():
    surveys = company.surveys(survey_rows(90, 0))
    tickets = company.tickets([1.0] * 25, "2025-08-01").assign(
        customer_id=pd.array([f"s{i}" for i in range(25)], dtype="str"))
    known_end = register(ended_at={179: "2025-05-01"})
    assert len(people(surveys, tickets, known_end).rows) == 180 - 25


def test_undated_answers_are_held_against_all_customers():
    undated = company.surveys(survey_rows(90, 0)).assign(sent_at=pd.NaT, responded_at=pd.NaT)
    gone = register(ended_at=dict.fromkeys(range(90, 110), "2025-03-31"))
    assert len(people(undated, totals=gone).rows) == 180


def test_dates_of_the_register_join_the_totals():
    dates = pd.DataFrame({"customer_id": ["b", "a"], "acquired_at": pd.to_datetime(["2024-01-01", None]),
                          "ended_at": pd.to_datetime([None, "2025-01-01"]), "segment": "x"})
    found = with_relation(pd.DataFrame({"customer_id": ["a", "b", "c"], "revenue": 1.0}), dates)
    assert found["customer_id"].tolist() == ["a", "b", "c"] and list(found)[2:] == ["acquired_at", "ended_at"]
    assert found["ended_at"].isna().tolist() == [False, True, True]
    assert with_relation(None, dates) is None


def test_what_cannot_be_compared_is_said():
    answers = company.surveys(survey_rows(40, 0))
    assert people(None).reason == "no_surveys"
    assert people(answers.assign(instrument="csat")).reason == "not_asked"
    assert people(answers).reason == "no_customer_key"
    everybody = pd.DataFrame({"customer_id": [f"a{i}" for i in range(40)]})
    assert people(answers, totals=everybody).reason == "one_side_empty"
    claim = if_all_answered(people(None), "2025", LIMITS).claims[0]
    assert (claim.claim_id, claim.status, claim.estimate) == ("experience.nps_weighted", "not_estimable", None)


def later_world(seed: int, cause: bool) -> tuple[pd.DataFrame, ...]:
    """600 customers, 40 % of whom answer in April to June 2025, by chance alone. A third open a ticket and a third buy
    earlier, by chance too. Half of those who answer open a ticket and all of them buy in the days after; where `cause`,
    it is the other way about: half of those with an earlier ticket answer, of the others a tenth."""
    random = np.random.default_rng(seed)
    names = np.array([f"c{i}" for i in range(600)])
    early, rich = random.random(600) < 1 / 3, random.permutation(600) < 200
    answers = random.random(600) < (np.where(early, 0.5, 0.1) if cause else 0.4)
    after = answers & (random.random(600) < 0.5)
    surveys = company.surveys([{"customer_id": name, "score": float(random.integers(0, 11)),
                                "responded_at": "2025-04-10", "sent_at": "2025-04-10"} for name in names[answers]])
    opened = np.r_[names[early], names[after]]
    tickets = company.tickets([1.0] * len(opened)).assign(
        customer_id=opened, created_at=[pd.Timestamp("2025-02-01")] * early.sum()
        + [pd.Timestamp("2025-04-20")] * after.sum())
    sales = pd.concat([sold(names[rich], 50 + np.arange(rich.sum())),
                       sold(names[answers], 500 + np.arange(answers.sum()), "2025-05-01")])
    totals = pd.DataFrame({"customer_id": names, "count_tickets": early.astype(float) + after,
                           "revenue": 50.0 * rich + 500 * answers,
                           "acquired_at": pd.Timestamp("2024-01-01"), "ended_at": pd.NaT})
    totals.loc[0, "ended_at"] = pd.Timestamp("2026-01-01")  # ends are known
    return surveys, tickets, sales, totals


def odds_of(seed: int, cause: bool) -> pd.DataFrame:
    surveys, tickets, sales, totals = later_world(seed, cause)
    asked = people(surveys, tickets, totals, sales=sales)
    return if_all_answered(asked, "2025", LIMITS).odds.set_index("segment")


def test_what_follows_an_answer_does_not_tell_who_answers():
    """Tickets and sales that only come after the answers: of 40 companies the odds of answering hang on them no more
    often than by chance (at most 5 of 40, three standard errors above 2), and are 1 on average."""
    found = [odds_of(seed, cause=False) for seed in range(40)]
    for name in ("had_ticket:true", "purchases:third_high"):
        one = pd.DataFrame([odds.loc[name] for odds in found])
        assert ((one["ci_low"] > 1) | (one["ci_high"] < 1)).sum() <= 5, name
        assert abs(np.log(one["estimate"].astype(float)).mean()) < 0.1, name


def test_what_came_before_the_period_tells_who_answers():
    """Odds of 1/1 against 1/9: nine times, of each of five companies within its interval or nearly."""
    found = [odds_of(seed, cause=True).loc["had_ticket:true"] for seed in range(5)]
    assert np.exp(np.mean([np.log(one["estimate"]) for one in found])) == pytest.approx(9, rel=0.2)
    assert all(one["ci_low"] > 1 for one in found)


def test_only_what_lies_before_the_period_begins_is_known():
    """April begins on 31 March 22:00 UTC in Madrid: a ticket or an order of that instant is in the period."""
    names = [f"a{i}" for i in range(90)] + [f"s{i}" for i in range(90)]
    surveys, totals = company.surveys(survey_rows(90, 0)), register(ended_at={0: "2026-01-01"})

    def found(at):
        tickets = company.tickets([1.0] * 90).assign(customer_id=names[::2], created_at=pd.Timestamp(at))
        return people(surveys, tickets, totals, ["had_ticket", "purchases", "x"],
                      sold(names[::2], np.arange(90) + 1, at))

    before, inside = found("2025-03-31 21:59"), found("2025-03-31 22:00")
    assert before.covariates == ["had_ticket", "purchases"]
    assert (before.rows["had_ticket"] == "true").sum() == 90
    assert (before.rows["purchases"] == "third_low").sum() == 90  # who bought nothing before
    assert inside.covariates == [] and inside.reason == "no_covariates"
    assert inside.left_out == {"x": "not_in_data", "had_ticket": "no_instant", "purchases": "no_instant"}


def test_answers_without_dates_have_no_before():
    names = [f"a{i}" for i in range(90)] + [f"s{i}" for i in range(90)]
    undated = company.surveys(survey_rows(90, 0)).assign(sent_at=pd.NaT, responded_at=pd.NaT)
    totals = pd.DataFrame({"customer_id": names, "count_tickets": [1.0, 0.0] * 90, "segment": ["home", "firm"] * 90})
    found = people(undated, None, totals, sales=sold(names, np.arange(180)))
    assert found.covariates == ["segment"]
    assert found.left_out == {"had_ticket": "not_in_data", "purchases": "no_instant"}


def test_a_covariate_that_tells_nobody_apart_says_why():
    rows = survey_rows(60, 60, segment="home", branch="b") + survey_rows(0, 5, segment="firm", branch="b")
    found = people(company.surveys(rows), covariates=("segment", "branch", "had_ticket", "channel"))
    assert found.left_out == {"segment": "pooled_to_one", "branch": "one_level", "had_ticket": "not_in_data",
                              "channel": "not_in_data"}


def test_levels_in_which_all_answered_are_pooled():
    rows = survey_rows(60, 60, segment="home") + survey_rows(40, 0, segment="firm") + survey_rows(30, 40, segment="x")
    found = people(company.surveys(rows))
    assert set(found.rows["segment"]) == {"home + other", "x"}  # the 40 firms are no homes


@pytest.mark.parametrize(("answered", "expected"), [
    ((40, 40, 5), {"third_low", "third_middle + third_high"}),
    ((5, 40, 40), {"third_low + third_middle", "third_high"}),
    ((40, 5, 40), {"third_low + third_middle", "third_high"}),
    ((40, 5, 5), {"third_low", "third_middle + third_high"}),
    ((40, 4, 4), set())])
def test_a_third_that_is_too_small_joins_its_neighbour_and_says_so(answered, expected):
    """Of 140 in each third fewer than ten answers are too few; five and five make ten, four and four do not."""
    revenue = np.r_[np.zeros(140), np.ones(140), np.full(140, 2.0)]
    surveys = company.surveys([row for third, n in enumerate(answered) for row in [
        {"score": 9.0, "customer_id": f"c{140 * third + i}"} for i in range(n)]])
    names = [f"c{i}" for i in range(420)]
    found = people(surveys, totals=pd.DataFrame({"customer_id": names}), sales=sold(names, revenue))
    assert (set(found.rows["purchases"]) if found.covariates else set()) == expected


def test_only_the_relation_counts_where_contacts_are_asked_too():
    rows = survey_rows(60, 60, segment="home") + survey_rows(30, 60, segment="firm")
    rows += survey_rows(50, 10, segment="home", touchpoint="delivery")
    assert len(people(company.surveys(rows)).rows) == 210


def test_churn_of_the_silent_counts_only_months_in_which_they_were_asked():
    """200 answered and 2 % left; 300 silent and 4 % left; 400 never asked, all left: these count for neither."""
    frame = pd.DataFrame({
        "customer_id": [f"c{i}" for i in range(900)], "count_invitations": [1.0] * 500 + [0.0] * 400,
        "count_answers": [1.0] * 200 + [0.0] * 700,
        "is_churned_next": pd.array([i % 50 == 0 for i in range(200)] + [i % 25 == 0 for i in range(300)]
                                    + [True] * 400, dtype="boolean"),
        "is_at_risk_next": pd.array([True] * 900, dtype="boolean")})
    found = churn_claims(frame, None, LIMITS)
    assert [round(c.estimate, 9) for c in found] == [0.02, 0.04, -2.0]
    assert {c.reason for c in found} == {"next_month"}
    assert found[2].ci_low < -2 < found[2].ci_high
    assert churn_claims(None, None, LIMITS)[0].reason == "no_customer_key"
    labels = pd.DataFrame({"customer_id": [f"c{i}" for i in range(80)], "count_answers": [1.0, 0.0] * 40,
                           "is_churned": True})
    assert {c.reason for c in churn_claims(None, labels, LIMITS)} == {"whole_period"}


def asked_months(**columns) -> pd.DataFrame:
    """Two years of a customer who is asked every month and answers it once, and of one who left after two months.

    50 of each kind; both spend 40 in every month in which they are there, 10 more after a month with an answer.
    """
    found = []
    for who in range(100):
        months = 24 if who < 50 else 2
        answers = np.isin(np.arange(months), [who % 2]) if who < 75 else np.zeros(months, bool)
        found.append(pd.DataFrame({"customer_id": f"c{who}", "count_invitations": 1.0, "is_at_risk_next": True,
                                   "count_answers": answers * 1.0, "revenue_next": 40.0 + 10 * answers + who % 5}))
    return pd.concat(found, ignore_index=True).assign(**columns)


def test_spending_of_the_silent_is_told_by_the_month():
    """Who stays longer has spent more in all; month by month those who answer spend 10 more, and not one cent else."""
    panel = asked_months()
    found = spend_claims(panel, None, "EUR", LIMITS)
    assert [c.reason for c in found] == ["next_month"] * 3
    assert found[2].estimate == pytest.approx(10, abs=0.5) and found[2].ci_low < 10 < found[2].ci_high
    answered = panel[panel["count_answers"] > 0]
    assert (found[0].n_used, found[0].n_in) == (len(answered), len(panel))
    assert [c.people for c in found] == [75, 100, 75]  # a difference is of so many people as its smaller side
    assert (found[2].n_used, found[2].n_in) == (len(panel), len(panel))  # but of all rows
    assert found[0].estimate == pytest.approx(answered["revenue_next"].mean())
    never_asked = pd.concat([panel, panel.assign(count_invitations=0.0, count_answers=0.0, revenue_next=1000.0)])
    assert spend_claims(never_asked, None, "EUR", LIMITS) == found  # who was not asked counts for neither side
    gone = panel.assign(is_at_risk_next=panel["count_answers"] > 0)
    assert spend_claims(gone, None, "EUR", LIMITS)[0].reason == "one_side_empty"


def test_spending_where_only_answers_were_exported_and_where_nothing_moves():
    """Without invitations all months count; a side on which every value is the same has no interval, nor the gap."""
    panel = asked_months(count_invitations=np.nan)
    assert {c.reason for c in spend_claims(panel, None, "EUR", LIMITS)} == {"months_there"}
    only = panel.assign(count_invitations=panel["count_answers"])
    assert {c.reason for c in spend_claims(only, None, "EUR", LIMITS)} == {"months_there"}
    flat = spend_claims(panel.assign(revenue_next=np.where(panel["count_answers"] > 0, 5.0, 40.0)), None, "EUR", LIMITS)
    assert [c.ci_low for c in flat] == [None] * 3
    assert (flat[2].estimate, flat[2].reason) == (None, "alike_values")


def one_month(**columns) -> pd.DataFrame:
    """The panel of one month: 40 of 80 answered, nobody can be followed into a next month."""
    return pd.DataFrame({"customer_id": [f"c{i}" for i in range(80)], "count_invitations": 1.0,
                         "count_answers": [1.0, 0.0] * 40, "revenue": 40.0, "revenue_next": np.nan,
                         "is_churned_next": pd.array([None] * 80, dtype="boolean"), "is_at_risk_next": False} | columns)


@pytest.mark.parametrize(("columns", "churn", "spend"), [
    ({}, "too_short", "too_short"),
    ({"revenue": np.nan}, "too_short", "whole_period"),  # sales without dates
    ({"count_answers": np.nan, "count_invitations": np.nan}, "whole_period", "whole_period"),  # answers without dates
    ({"count_answers": 0.0}, "whole_period", "whole_period"),  # as well, of dated invitations
    ({"is_at_risk_next": True, "revenue": np.nan}, "whole_period", "whole_period"),  # a label, no date of leaving
], ids=["one_month", "undated_sales", "undated_answers", "dated_invitations", "undated_outcome"])
def test_what_has_dates_but_cannot_be_followed_is_not_told_as_without_dates(columns, churn, spend):
    totals = pd.DataFrame({"customer_id": [f"c{i}" for i in range(80)], "count_answers": [1.0, 0.0] * 40,
                           "is_churned": [True, False, False, True] * 20, "revenue": np.arange(80) * 1.0})
    panel = one_month(**columns)
    assert {c.reason for c in churn_claims(panel, totals, LIMITS)} == {churn}
    found = spend_claims(panel, totals, "EUR", LIMITS)
    assert {c.reason for c in found} == {spend}
    undated = spend_claims(None, totals, "EUR", LIMITS)  # the words alone are others
    assert [(c.estimate, c.ci_low) for c in found] == [(c.estimate, c.ci_low) for c in undated]


def test_answers_of_the_last_month_alone_cannot_be_followed_either():
    later = asked_months()
    later["count_answers"] = (later.groupby("customer_id").cumcount() == 23) * 1.0
    late = later["count_answers"] > 0
    panel = later.assign(revenue=40.0, revenue_next=later["revenue_next"].mask(late), is_at_risk_next=~late)
    totals = panel.groupby("customer_id", as_index=False)[["count_answers", "revenue"]].sum()
    totals["revenue"] += np.arange(100)
    assert {c.reason for c in spend_claims(panel, totals, "EUR", LIMITS)} == {"too_short"}


@pytest.mark.parametrize(("columns", "reason"), [
    ({"is_churned": True}, "no_surveys"), ({}, "no_churn"), ({"count_answers": 1.0}, "no_churn")])
def test_without_surveys_it_is_not_said_that_nobody_knows_who_left(columns, reason):
    totals = pd.DataFrame({"customer_id": [f"c{i}" for i in range(80)], "count_answers": np.nan,
                           "is_churned": pd.array([None] * 80, dtype="boolean")}).assign(**columns)
    panel = one_month(count_answers=np.nan, count_invitations=np.nan, is_at_risk_next=True,
                      is_churned_next=[True, False] * 40)
    found = churn_claims(panel if "is_churned" in columns else None, totals, LIMITS)
    assert [(c.claim_id, c.reason) for c in found] == [("data.churn_gap", reason)]
    for language in ("es", "en"):
        assert Words(language).has("reason.too_short")


def in_scale(question: str) -> tuple[Asked, Question]:
    """`by_hand` of another question: the big all satisfied (7 of 7), the small all not (1 of 7)."""
    asked = by_hand()
    surveys = company.surveys([{"instrument": name, "score": 4.0, "scale_min": 1.0, "scale_max": 7.0}
                               for name in ("csat", "ces")])
    kind = next(q for q in asked_questions(surveys, {"csat": 6}) if q.instrument == question)
    value = asked.rows["value"].map({1.0: 1.0 if question == "csat" else 7.0, -1.0: 0.0 if question == "csat" else 1.0})
    return Asked(asked.rows.assign(value=value), asked.covariates, asked.kind), kind


@pytest.mark.parametrize(("name", "raw", "weighted", "shift", "lower"), [
    ("csat", 0.6, 1 / 3, 100 * (1 / 3 - 0.6), 1 / 3 - 0.1 * 2 / 3), ("ces", 4.6, 3.0, -1.6, 3.0 - 0.6 * 2 / 3)])
def test_satisfaction_and_ease_are_weighted_like_nps(name, raw, weighted, shift, lower):
    """60 big and 40 small of 100 and 200 answered: by size 1/3 of all are satisfied, and the mean of 7 and 1 is 3.

    The band goes a tenth of the scale down: 10 percentage points, 0.6 of 1 to 7.
    """
    asked, question = in_scale(name)
    found = if_all_answered(asked, "2025", LIMITS, question)
    assert found.ways.set_index("way").loc["raw", "estimate"] == pytest.approx(raw)
    for way in ("weighted", "raked"):
        assert of(found.claims, f"experience.{name}_{way}").estimate == pytest.approx(weighted)
    assert of(found.claims, f"experience.{name}_weighting_shift").estimate == pytest.approx(shift)
    assert of(found.claims, f"experience.{name}_if_silent_lower").estimate == pytest.approx(lower)
    assert {c.unit for c in found.claims} <= ({"share", "pp"} if name == "csat" else {"share", "points"})


def answers_of(random: np.random.Generator, n: int, rate: float, promoters: float) -> Asked:
    side = np.where(random.random(n) < promoters, 1.0, -1.0)
    rows = pd.DataFrame({"value": np.where(random.random(n) < rate, side, np.nan), "code": np.arange(n),
                         "customer_id": [f"c{i}" for i in range(n)], "size": np.where(np.arange(n) % 2, "a", "b")})
    return Asked(rows, ["size"], "invitations")


def test_the_band_reaches_as_far_as_the_answer_needs():
    """Few answers, wide interval: the tipping point lies beyond 20 points, and so does the end of the band."""
    found = if_all_answered(answers_of(np.random.default_rng(1), 400, 0.1, 0.7), "2025", LIMITS)
    tip = of(found.claims, "experience.nps_tipping_points").estimate
    weighted = found.ways.iloc[2]
    assert tip > 20 and tip <= found.band["delta"].iloc[-1] < tip + 20
    rate = of(found.claims, "experience.nps_answer_share").estimate
    assert tip == pytest.approx((weighted["estimate"] - weighted["ci_low"]) / (1 - rate))
    assert np.interp(tip, found.band["delta"], found.band["estimate"]) == pytest.approx(weighted["ci_low"])


@pytest.mark.parametrize("name", ["csat", "ces"])
def test_answers_all_alike_are_no_certainty(name):
    """All of 160 weighted answers alike: the interval of as many customers as the weights are worth (Wilson), and no
    figure of what weighting moves; a change from there has both periods' errors."""
    asked, question = in_scale(name)
    top = {"csat": 1.0, "ces": 7.0}[name]
    alike = Asked(asked.rows.assign(value=asked.rows["value"].where(asked.rows["value"].isna(), top),
                                    customer_id=asked.rows["code"].astype(str)), asked.covariates, asked.kind)
    found = if_all_answered(alike, "2025", LIMITS, question)
    level, n_eff = of(found.claims, f"experience.{name}_weighted"), found.ways["n_eff"].iloc[2]
    below = (top - question.lowest) * (1 - n_eff / (n_eff + 1.959964**2))
    assert (level.estimate, level.ci_high) == (pytest.approx(top), pytest.approx(top))
    assert level.ci_low == pytest.approx(top - below, rel=1e-6)
    shift = of(found.claims, f"experience.{name}_weighting_shift")
    assert (shift.estimate, shift.status, shift.reason) == (None, "not_estimable", "alike_answers")
    change = weighted_change(alike, alike, "2025", LIMITS, question)[0]
    assert change.ci_low == pytest.approx(-below * question.change_factor, rel=1e-6)
    mixed = Asked(asked.rows.assign(customer_id=asked.rows["code"].astype(str)), asked.covariates, asked.kind)
    change, before = weighted_change(alike, mixed, "2025", LIMITS, question)[0], \
        of(if_all_answered(mixed, "2025", LIMITS, question).claims, f"experience.{name}_weighted")
    reach = np.hypot(below, before.ci_high - before.estimate) * question.change_factor
    assert change.ci_low == pytest.approx(change.estimate - reach, rel=1e-6)


def test_alike_answers_of_one_customer_are_one_answer():
    """200 answers of 20 customers say as much as 20: weights are added up by customer first."""
    rows = pd.DataFrame({"value": np.tile([1.0, np.nan], 200), "code": np.repeat(np.arange(20), 20),
                         "size": np.where(np.arange(400) % 4 < 2, "a", "b")})
    level = of(if_all_answered(Asked(rows, ["size"], "invitations"), "2025", LIMITS).claims, "experience.nps_weighted")
    assert level.ci_low == pytest.approx(100 - 200 * (1 - 20 / (20 + 1.959964**2)), rel=1e-6)


def test_no_tipping_point_where_the_scale_ends_first():
    """Nine in ten answered and nearly all as detractors: the silent cannot go low enough to leave the interval."""
    found = if_all_answered(answers_of(np.random.default_rng(2), 400, 0.9, 0.02), "2025", LIMITS)
    claim = of(found.claims, "experience.nps_tipping_points")
    assert (claim.estimate, claim.status, claim.reason) == (None, "not_estimable", "no_tipping_point")
    assert found.band["delta"].iloc[-1] == 20


def test_change_of_the_weighted_score_knows_who_was_asked_twice():
    """The same customers with the same answers: no change and no error. Other customers: the errors add up."""
    random = np.random.default_rng(3)
    now, other = answers_of(random, 600, 0.4, 0.6), answers_of(random, 600, 0.4, 0.6)
    same = of(weighted_change(now, now, "2025", LIMITS), "experience.nps_weighted_change")
    assert (same.estimate, same.ci_low, same.ci_high) == (0, 0, 0)
    assert same.people == now.rows["value"].notna().sum()
    strangers = Asked(other.rows.assign(customer_id=[f"d{i}" for i in range(600)]), ["size"], "invitations")
    apart = of(weighted_change(now, strangers, "2025", LIMITS), "experience.nps_weighted_change")
    one, two = (of(if_all_answered(asked, "2025", LIMITS).claims, "experience.nps_weighted")
                for asked in (now, strangers))
    assert apart.estimate == pytest.approx(one.estimate - two.estimate)
    width = np.hypot(one.ci_high - one.ci_low, two.ci_high - two.ci_low)
    assert apart.ci_high - apart.ci_low == pytest.approx(width, rel=1e-3)
    assert weighted_change(now, None, "2025", LIMITS)[0].reason == "no_earlier_period"
    assert weighted_change(people(None), now, "2025", LIMITS) == []


def test_a_company_that_asks_satisfaction_only_gets_it_weighted():
    rows = survey_rows(60, 60, segment="home") + survey_rows(30, 70, segment="firm")
    surveys = company.surveys(rows).assign(instrument="csat", scale_min=1.0, scale_max=7.0)
    surveys["score_up"] = surveys["score"].clip(upper=7.0)
    found = of_each_question(surveys, None, None, None, ["segment"], PERIODS, ZONE, LIMITS, top_boxes={"csat": 6})
    assert list(found) == ["nps", "csat"]
    assert of(found["nps"].claims, "experience.nps_weighted").reason == "not_asked"
    weighted = of(found["csat"].claims, "experience.csat_weighted")
    assert 0 < weighted.ci_low < weighted.estimate < weighted.ci_high < 1
    assert set(page_tables(found)) == {"ways_csat", "odds_csat", "silent_csat"}


def test_a_shift_that_is_nothing_has_the_spread_that_its_error_says():
    """Neither answering nor answers hang on the groups: the linear error squared counts the noise of both, twice."""
    random = np.random.default_rng(20)
    shifts, errors = [], []
    for _ in range(300):
        group, codes = random.integers(0, 5, (400, 1)), np.arange(400)
        answered = random.random(400) < 0.4
        value = np.where(answered, random.normal(size=400), np.nan)
        way = by_inverse_probability(value, answered, group, codes)
        parts = way.parts.copy()
        parts[answered] -= way.wider * (value[answered] - value[answered].mean()) / answered.sum()
        shifts.append(way.estimate - value[answered].mean())
        errors.append(shift_error(parts, value, answered, group, codes))
    spread, told = np.std(shifts), np.sqrt(np.mean(np.square(errors)))
    assert told == pytest.approx(spread, rel=0.15)


def test_weights_of_many_groups_leave_as_much_error_as_they_should():
    """Forty groups for 160 answers: every fitted column takes from the residuals what belongs to the error."""
    random = np.random.default_rng(21)
    found = {by_inverse_probability: [], by_raking: []}
    for _ in range(200):
        group, codes = np.repeat(np.arange(40), 8)[:, None], np.arange(320)
        answered = np.tile([True, False], 160)
        value = np.where(answered, random.normal(size=320), np.nan)
        for method, ways in found.items():
            way = method(value, answered, group, codes)
            ways.append((way.estimate, clustered_error(way.parts, codes)))
    for ways in found.values():
        estimate, error = np.array(ways).T
        assert 1.0 <= np.sqrt(np.mean(error**2)) * np.sqrt(160) <= 1.1
        assert np.std(estimate) == pytest.approx(1 / np.sqrt(160), rel=0.15)
