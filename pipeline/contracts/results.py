"""What leaves a notebook: claims, small tidy tables, plot data, and a sentinel that says it reached its end."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipeline.contracts.claims import Claim, read_claims, rounded, write_claims

SENTINEL = "complete"


@dataclass(frozen=True)
class Results:
    """What one notebook found: its claims and its tables by name."""

    claims: list[Claim]
    tables: dict[str, pd.DataFrame]

    def claim(self, claim_id: str, segment: str = "all", period: str | None = None) -> Claim | None:
        """The claim of that id and segment (the first in order when period is None), or None."""
        for claim in self.claims:
            if claim.claim_id == claim_id and claim.segment == segment and period in (None, claim.period):
                return claim
        return None


def write_results(folder: str | Path, claims: list[Claim], tables: dict[str, pd.DataFrame],
                  headline: list[str], plots: dict[str, pd.DataFrame] | None = None, suppress_below: int = 0,
                  caution_below: int = 0) -> None:
    """Write a notebook's results into `folder`, whole or not at all as far as the sentinel tells.

    claims.json: all claims; a figure of fewer than caution_below carries not_enough_data, its number as it is; one
    that says only why there is no figure does not tell counts below suppress_below.
    tables/NAME.parquet: tidy tables of aggregates, never rows of raw data.
    metrics.json: the claims in `headline` over all customers, for `dvc metrics`; it is kept with the code, so a figure
    of fewer than suppress_below is not in it. plots/NAME.csv: for `dvc plots`.
    complete: written last.
    """
    folder = Path(folder)
    claims = [untold(with_caution(claim, caution_below), suppress_below) for claim in claims]
    missing = [name for name in headline if not any(c.claim_id == name for c in claims)]
    if missing:
        raise ValueError(f"headline claims were not made: {missing}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SENTINEL).unlink(missing_ok=True)
    for part in ("tables", "plots"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir()
    write_claims(claims, folder / "claims.json")
    for name, table in tables.items():
        _rounded_table(table).to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    for name, table in (plots or {}).items():
        table.to_csv(folder / "plots" / f"{name}.csv", index=False, lineterminator="\n", float_format="%.6g")
    metrics = json.dumps(_metrics(claims, headline, suppress_below), indent=1)
    (folder / "metrics.json").write_text(metrics + "\n", encoding="utf-8")
    (folder / SENTINEL).write_text(f"{len(claims)} claims, {len(tables)} tables\n", encoding="utf-8")


def with_caution(claim: Claim, caution_below: int) -> Claim:
    """The claim, warned of as not_enough_data where fewer than caution_below rows or people stand behind its figure.

    A described figure that carries a reason keeps its own words, which are about the reason (a refused column).
    """
    is_told = claim.level == "described" and bool(claim.reason)
    is_thin = claim.status == "ok" and claim.fewest < caution_below and not is_told
    return replace(claim, status="not_enough_data") if is_thin else claim


def untold(claim: Claim, below: int) -> Claim:
    """The claim without an estimate, without those of its counts that are below `below` but some; others as they are.

    Rows of fewer than `below` people are few too. A count of nothing stays: there is nobody in it.
    """
    if claim.estimate is not None:
        return claim
    used, offered, people = claim.n_used, claim.n_in, claim.people
    if claim.fewest is not None and 0 < claim.fewest < below:
        used = people = None
    return replace(claim, n_used=used, people=people, n_in=None if offered and offered < below else offered)


def read_results(folder: str | Path) -> Results:
    """The results of a notebook that ended; FileNotFoundError when it did not."""
    folder = Path(folder)
    if not (folder / SENTINEL).exists():
        raise FileNotFoundError(f"{folder} holds no complete results")
    tables = {p.stem: pd.read_parquet(p) for p in sorted((folder / "tables").glob("*.parquet"))}
    return Results(read_claims(folder / "claims.json"), tables)


def _rounded_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its floats at the digits of a claim: the last bits hang on threads and versions."""
    floats = table.select_dtypes("floating").columns
    return table.assign(**{name: table[name].map(rounded, na_action="ignore").astype(float) for name in floats})


def _metrics(claims: list[Claim], headline: list[str], suppress_below: int) -> dict:
    """claim_id's dots become nesting; each leaf holds estimate, low, high (or the status)."""
    tree: dict = {}
    for claim in claims:
        if claim.claim_id in headline and claim.segment == "all":
            node = tree
            for part in claim.claim_id.split("."):
                node = node.setdefault(part, {})
            if claim.estimate is None or 0 < claim.fewest < suppress_below:
                node["status"] = "suppressed" if claim.estimate is not None else claim.status
            else:
                node.update(estimate=claim.estimate)
                node.update({k: v for k, v in (("low", claim.ci_low), ("high", claim.ci_high)) if v is not None})
    return tree
