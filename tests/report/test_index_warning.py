"""The headline NPS never stands on the index without what weighting makes of it and what the silent could."""

import re

import pandas as pd
import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.params import Company, Disclosure
from pipeline.contracts.results import Results
from pipeline.report.disclosure import protect_claims
from pipeline.report.pages.experience import page
from pipeline.report.pages.index import ANSWERS, _answer, _card_notes
from pipeline.report.render import Site, say
from pipeline.report.words import Words

EXPERIENCE = next(answer for answer in ANSWERS if answer.key == "experience")
PERIOD = "2025-07/2025-12"


def score(claim_id: str, estimate: float | None, **fields) -> Claim:
    given = {"status": "not_estimable"} if estimate is None else {"ci_low": estimate - 3, "ci_high": estimate + 3}
    return Claim(claim_id, estimate, "points", 0 if estimate is None else 2990, "nps_score", period=PERIOD,
                 **given | fields)


def told(*claims: Claim) -> list[str]:
    """Claim ids of the first answer, in order."""
    anchors = {(c.claim_id, c.segment, c.period): f"claim-{i}" for i, c in enumerate(claims)}
    site = Site(Company("A", "own", "EUR", "Europe/Madrid"), Disclosure(), "2025-12-31", "2025-01-01", (),
                {"02": Results(list(claims), {})}, {}, anchors)
    return [said.claim.claim_id for said in _answer(EXPERIENCE, site, Words("es"))["said"]]


def test_headline_carries_its_warning():
    nps, weighted = score("experience.nps", 14.0), score("experience.nps_weighted", 8.0, n_in=9992)
    silent = score("experience.nps_if_silent_lower", -6.0, n_in=9992, reason="invitations")
    assert told(nps, weighted, silent) == [c.claim_id for c in (nps, weighted, silent)]
    assert told(nps, score("experience.nps_weighted", None, reason="no_customer_key")) == ["experience.nps"]
    csat = score("experience.csat", 0.5)
    assert told(score("experience.nps", None), csat, weighted, silent) == ["experience.csat"]


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_warning_says_how_many_answered(language):
    silent = score("experience.nps_if_silent_lower", -6.0, n_in=9992, reason="invitations")
    sentence = Words(language).sentence(silent)
    assert re.search(r"2[.,]990", sentence) and re.search(r"9[.,]992", sentence) and "−6" in sentence


@pytest.mark.parametrize(("language", "expected"), [("es", "«hogar»: el NPS sube"), ("en", "hogar”: NPS rises")])
def test_a_sentence_after_a_segment_goes_on_in_small_letters(language, expected):
    change = score("experience.nps_change", 9.0, segment="segment:hogar")
    assert expected in Words(language).sentence(change)


def test_a_company_that_asks_satisfaction_only_is_warned_too():
    csat, weighted = score("experience.csat", 0.5), score("experience.csat_weighted", 0.4, n_in=9992)
    silent = score("experience.csat_if_silent_lower", 0.35, n_in=9992, reason="invitations")
    assert told(score("experience.nps", None), csat, weighted, silent) == [c.claim_id for c in (csat, weighted, silent)]


def cards_of(*claims: Claim) -> dict[str, list[str]]:
    """Claim id of each score -> the notes of its card."""
    anchors = {(c.claim_id, c.segment, c.period): f"claim-{i}" for i, c in enumerate(claims)}
    site = Site(Company("A", "own", "EUR", "Europe/Madrid"), Disclosure(), "2025-12-31", "2025-01-01", (),
                {"02": Results(list(claims), {})}, {}, anchors)
    return {c.claim_id: _card_notes(say(c, site, Words("en")), site, Words("en")) for c in claims}


def test_the_card_of_a_score_carries_its_warnings():
    """The score if the silent were less content, the survey it is of, a sample that was picked; not so for times."""
    nps = score("experience.nps", 14.0, reason="after_contacts")
    silent = score("experience.nps_if_silent_lower", -6.0, n_in=9992, reason="invitations")
    picked = Claim("data.every_order_answered", 1.0, "share", 3584, "share", reason="selection")
    hours = Claim("experience.ttr_median_hours", 5.0, "hours", 90, "kaplan_meier")
    notes = cards_of(nps, silent, picked, hours)
    assert notes["experience.nps"] == ["only the survey after single contacts",
                                       "NPS if the silent scored 20 points lower: −6.0", "All orders have an answer"]
    assert notes["experience.ttr_median_hours"] == []


def test_the_headline_of_a_picked_sample_says_so():
    csat = score("experience.csat", 0.6)
    picked = Claim("data.every_order_answered", 1.0, "share", 3584, "share", reason="selection")
    assert told(csat, picked) == ["experience.csat", "data.every_order_answered"]
    assert told(score("experience.csat", None), picked) == ["experience.csat"]


def test_a_hidden_group_is_not_said_to_be_small():
    """Hidden by the notebook, whether few or to protect another group: how many it has is not told, nor guessed."""
    hidden = Claim("churn.at_risk", None, "EUR", 0, "m", status="suppressed", reason="small_group")
    few = Claim("churn.at_risk_few", None, "EUR", 4, "m", status="suppressed")
    site = Site(Company("A", "own", "EUR", "Europe/Madrid"), Disclosure(), "2025-12-31", "2025-01-01", (), {}, {},
                {(c.claim_id, "all", "all"): "x" for c in (hidden, few)})

    class Any_(Words):
        def entry(self, claim_id):
            return {"label": "Risk", "described": "{estimate}"}, ""

    words = Any_("en")
    assert (say(hidden, site, words).n, say(few, site, words).n) == ("hidden", "fewer than 10")
    assert say(hidden, site, words).reason == "the group, or one that it would give away, is too small"


def test_nothing_seen_is_not_read_as_an_effect():
    zero = Claim("sales.per_point", 0.2, "percent", 900, "ppml", level="effect", ci_low=-1.0, ci_high=1.4)
    for language, phrase in (("en", "Read as an effect"), ("es", "Se lee como efecto")):
        assert phrase not in Words(language).wording(zero).level
        clear = Claim("sales.per_point", 5.2, "percent", 900, "ppml", level="effect", ci_low=3.0, ci_high=7.4)
        assert phrase in Words(language).wording(clear).level


def test_where_no_group_could_be_compared_nothing_is_said_to_be_alike():
    groups = pd.DataFrame({"dimension": ["all"], "segment": ["all"], "n": [40]})

    def section(made: int):
        claims = [Claim("experience.nps_comparisons", float(made), "count", 40, "benjamini_hochberg")]
        found = page(Results(claims, {"groups_nps": groups}), Words("en")).sections
        return next(one for one in found if one.key == "experience.groups_nps")

    assert (section(0).notes, section(0).sentences) == (["experience.note_none_compared"], [])
    assert section(6).notes == ["experience.note_none_apart"]
    assert section(6).sentences == ["experience.nps_comparisons"]


def test_the_headline_says_which_survey_it_is_of():
    for reason, part in (("relational", "as a whole"), ("after_contacts", "after single contacts"), ("", None)):
        text = Words("en").wording(score("experience.nps", 14.0, reason=reason)).text
        assert text.endswith("share of detractors.") if part is None else part in text


def test_how_many_customers_there_are_is_told():
    claims = [Claim("data.customers", 1.0, "count", 1, "count"),
              Claim("data.customers_answered_share", 1.0, "share", 1, "share")]
    assert [c.status for c in protect_claims(claims, 10)] == ["ok", "suppressed"]
