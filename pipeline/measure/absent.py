"""What could not be measured, and why: a claim for every figure that a reader would look for and not find."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from pipeline.contracts.claims import Claim

WAIT = "experience.requester_wait_median_hours"  # without the time in which the company waited for the customer
LABELS = "experience.label_positive_share"
EXPECTED = {
    "experience.nps": ("points", "surveys"), "experience.nps_change": ("points", "surveys"),
    "experience.csat": ("share", "surveys"), "experience.ces": ("points", "surveys"),
    LABELS: ("share", "surveys"),
    "experience.index": ("points", "surveys"),
    "experience.ttr_median_hours": ("hours", "tickets"), "experience.ttr_p90_hours": ("hours", "tickets"),
    WAIT: ("hours", "tickets"),
}


def absent_claims(made: Sequence[Claim], surveys: pd.DataFrame | None, tickets: pd.DataFrame | None,
                  labels: Mapping[str, Sequence[float]] = MappingProxyType({})) -> list[Claim]:
    """One claim per expected figure that was not made: not_estimable, the reason naming what is missing; or suppressed.

    labels: the questions whose cuts are declared. Shares of labels are suppressed where such a question was answered,
    but by too few to be shown.
    """
    there = {claim.claim_id for claim in made if claim.segment == "all"}
    found = []
    for claim_id, (unit, table) in EXPECTED.items():
        if claim_id in there:
            continue
        if claim_id == WAIT and tickets is not None:
            reason = "no_status_history"
        elif table == "tickets":
            reason = "no_tickets" if tickets is None else "no_creation_time"
        else:
            reason = "no_surveys" if surveys is None else _unscored(claim_id, surveys)
            reason = _unlabelled(made, surveys, labels) if surveys is not None and claim_id == LABELS else reason
        found.append(Claim(claim_id, None, unit, 0, "", reason=reason,
                           status="suppressed" if reason == "small_group" else "not_estimable"))
    return found


def _unscored(claim_id: str, surveys: pd.DataFrame) -> str:
    """Why there is no such score, or index of all scores: nobody was asked, or answered, or more must be declared."""
    instrument = claim_id.removeprefix("experience.").removesuffix("_change")
    mine = surveys if instrument == "index" else surveys[surveys["instrument"] == instrument]
    if len(mine) and mine["score"].isna().all():
        return "nobody_answered"
    if instrument == "index":
        return "one_kind_of_contact"
    return "no_top_box" if instrument == "csat" and len(mine) else "not_asked"


def _unlabelled(made: Sequence[Claim], surveys: pd.DataFrame, labels: Mapping[str, Sequence[float]]) -> str:
    """Why no share of labels could be made of these surveys: no answer, no cuts, or too few people."""
    answered = surveys.loc[surveys["score"].notna(), "instrument"]
    if answered.empty:
        return "no_answers"
    if not answered.isin(list(labels)).any():
        return "no_cuts"
    too_few = any(claim.status == "suppressed" and claim.segment == "all" for claim in made)
    return "small_group" if too_few else "no_answers"
