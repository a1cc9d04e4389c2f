"""Whether the rows of a source broke away since the pages were last made: a cut export looks like lost customers."""

import io

import pandas as pd

from pipeline.contracts.refusal import Refusal

ROWS = "data.rows_in"


def refuse_drift(before: str, now: str, accepted: list[str], share: float) -> None:
    """Refusal SET-DRIFT for a source with fewer rows than 1 - share of those of the last pages, unless accepted.

    before, now: reports/claims.csv of the last pages and of those about to be written, as text; share: 0 to 1.
    """
    old, new = _rows(before), _rows(now)
    for source, rows in old.items():
        if source in new and new[source] < (1 - share) * rows and source not in accepted:
            raise Refusal("SET-DRIFT", f"{source} has far fewer rows than when the pages were last made, so the pages "
                          "stay as they are", file="reports/claims.csv",
                          found=f"{new[source]:.0f} rows, {rows:.0f} before",
                          expected=f"at least {1 - share:.0%} of them, or `report.accept_drift: [{source}]`")


def _rows(text: str) -> dict[str, float]:
    """source -> rows in, of a claims.csv in either language's signs."""
    text = text.removeprefix("\ufeff")
    sign = text[len("notebook"):len("notebook") + 1]
    if sign not in (",", ";"):
        return {}
    table = pd.read_csv(io.StringIO(text), sep=sign, dtype=str, keep_default_na=False)
    if not {"claim_id", "segment", "estimate"} <= set(table.columns):
        return {}
    kept = table[(table["claim_id"] == ROWS) & table["segment"].str.startswith("source:") & (table["estimate"] != "")]
    return {row.segment.removeprefix("source:"): float(row.estimate.replace(",", ".")) for row in kept.itertuples()}
