"""Stage: one source from data/raw to data/clean and data/quarantine, with its account."""

import shutil
import tempfile
from pathlib import Path

import pandas as pd

from pipeline.contracts.params import load_params
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.account import Account
from pipeline.ingest.clean import clean_source
from pipeline.stages import replace_with, run, write_json

TOLD = ("CAT-MAP", "CSAT-MAP", "DATE-FMT", "NPS-LABEL", "NUM-LOCALE")  # rules whose texts a description can learn
REPEATED = 3  # a text in fewer rows is not shown


def main(argv: list[str]) -> None:
    params = load_params()
    if len(argv) != 1 or argv[0] not in params.sources:
        raise Refusal("PARAM-UNKNOWN", "say which source of params.yaml to ingest", found=" ".join(argv) or "none",
                      expected=", ".join(params.sources))
    name = argv[0]
    with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
        cleaned = clean_source(name, params.sources[name], params.company, params.privacy, Path(folder))
        for made, place in ((cleaned.clean, "clean"), (cleaned.quarantine, "quarantine")):
            replace_with(Path("data") / place / f"{name}.parquet", lambda part, made=made: shutil.copyfile(made, part))
    broken = unknown_texts(pd.read_parquet(Path("data/quarantine") / f"{name}.parquet", columns=["rule", "found"]))
    check_share(cleaned.account, params.sources[name].quarantine_limit, broken)
    write_json(cleaned.account.as_json(), Path("data/clean") / f"{name}.account.json")
    print(cleaned.account.line())
    if broken:
        print(f"{name}: most often refused: {broken}; every such row is in data/quarantine/{name}.parquet")


def unknown_texts(quarantine: pd.DataFrame, most: int = 3) -> str:
    """The most frequent texts that no closed map or number or date format knew, as one phrase; "" without any.

    Ids and comments are masked in `found`; only rules about declared words and formats are listed, and of them only
    texts that stand in several rows and do not look like a person's (a wrong column may have been mapped).
    """
    told = quarantine[quarantine["rule"].isin(TOLD) & quarantine["found"].notna()]
    told = told[told["found"].str.fullmatch(r"[^@\n]{1,40}") & ~told["found"].str.contains(r"\d{7}")]
    counts = told.groupby(["rule", "found"]).size().rename("rows").reset_index()
    counts = counts[counts["rows"] >= REPEATED]
    counts = counts.sort_values(["rows", "rule", "found"], ascending=[False, True, True]).head(most)
    return ", ".join(f"{row.found!r} ({row.rule}, {row.rows} rows)" for row in counts.itertuples())


def check_share(account: Account, limit: float, broken: str) -> None:
    """Refusal QUARANTINE-SHARE when more than `limit` of the rows break the description of the export.

    Rows that break one rule are seldom a random part of a file (all amounts above 999, all days above 12): figures
    made of the rest would be wrong without a sign. The quarantine is there to be looked at; nothing is clean.
    """
    out, total = account.total("quarantined"), account.total("rows_in")
    if total and out > limit * total:
        rules = [rule for rule in account.rules if rule.verdict == "quarantined"]
        worst = max(rules, key=lambda rule: rule.rows, default=None)
        raise Refusal("QUARANTINE-SHARE", f"{out} of {total} rows break the description of this export"
                      + (f", most by {worst.rule} ({worst.rows}: {worst.reason})" if worst else "")
                      + "; that is a wrong description rather than dirt"
                      + (f"; refused most often: {broken}" if broken else "")
                      + f"; all are in data/quarantine/{account.source}.parquet", file=account.files[0].file,
                      found=f"{out / total:.0%}",
                      expected=f"at most {limit:.0%} (sources.{account.source}.quarantine_limit)")


if __name__ == "__main__":
    run(main)
