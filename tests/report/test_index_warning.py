"""The headline NPS never stands on the index without what weighting makes of it and what the silent could."""

import re

import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.params import Company, Disclosure
from pipeline.contracts.results import Results
from pipeline.report.pages.index import ANSWERS, _answer
from pipeline.report.render import Site
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
