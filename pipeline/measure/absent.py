"""What could not be measured, and why: a claim for every figure that a reader would look for and not find."""

from collections.abc import Sequence

import pandas as pd

from pipeline.contracts.claims import Claim

WAIT = "experience.requester_wait_median_hours"  # without the time in which the company waited for the customer
EXPECTED = {
    "experience.nps": ("points", "surveys"), "experience.nps_change": ("points", "surveys"),
    "experience.csat": ("share", "surveys"), "experience.ces": ("points", "surveys"),
    "experience.label_positive_share": ("share", "surveys"),
    "experience.index": ("points", "surveys"),
    "experience.ttr_median_hours": ("hours", "tickets"), "experience.ttr_p90_hours": ("hours", "tickets"),
    WAIT: ("hours", "tickets"),
}


def absent_claims(made: Sequence[Claim], surveys: pd.DataFrame | None, tickets: pd.DataFrame | None) -> list[Claim]:
    """One not_estimable claim per expected figure that was not made; the reason names what is missing."""
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
            reason = "no_surveys" if surveys is None else "not_asked"
            asked = surveys is not None and (surveys["instrument"] == "csat").any()
            reason = "one_kind_of_contact" if reason == "not_asked" and claim_id == "experience.index" else reason
            reason = "no_top_box" if asked and claim_id.startswith("experience.csat") else reason
        found.append(Claim(claim_id, None, unit, 0, "", status="not_estimable", reason=reason))
    return found
