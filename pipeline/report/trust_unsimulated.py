"""The printed figures that no check of the validity benchmark speaks of."""

from collections.abc import Iterable

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.report.words import Words


def unsimulated(printed: Iterable[Claim], gated: set[str], words: Words) -> pd.DataFrame:
    """Every printed figure that no gate speaks of, those with an interval first (figure, has_interval).

    Claims without a figure say nothing that could be checked, and are not listed.
    """
    found: dict[str, bool] = {}
    for claim in printed:
        if claim.estimate is not None and claim.claim_id not in gated and not claim.claim_id.endswith("left_out"):
            name = words.claim_label(claim)
            found[name] = found.get(name, False) or claim.ci_low is not None
    rows = sorted(found.items(), key=lambda row: not row[1])
    return pd.DataFrame(rows, columns=["figure", "has_interval"])
