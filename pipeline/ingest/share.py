"""How much of an export may break its description before the description itself is taken to be wrong."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.refusal import Refusal
from pipeline.ingest.account import Account
from pipeline.ingest.rules import REMEDIES

TOLD = ("CAT-MAP", "CSAT-MAP", "DATE-FMT", "NPS-LABEL", "NUM-LOCALE")  # rules whose texts a description can learn
REPEATED = 3  # a text in fewer rows is not shown


def unknown_texts(quarantine: pa.Table, most: int = 3) -> str:
    """The most frequent texts that no closed map or number or date format knew, as one phrase; "" without any.

    quarantine: its columns rule and found. Ids and comments are masked in `found`; only rules about declared words and
    formats are listed, and of them only texts that stand in several rows and do not look like a person's (a wrong
    column may have been mapped).
    """
    told = quarantine.filter(pc.is_in(quarantine["rule"], pa.array(TOLD)))
    counts = told.group_by(["rule", "found"]).aggregate([([], "count_all")]).to_pylist()
    shown = [(-row["count_all"], row["rule"], row["found"]) for row in counts if row["count_all"] >= REPEATED
             and re.fullmatch(r"[^@\n]{1,40}", row["found"] or "") and not re.search(r"\d{7}", row["found"])]
    return ", ".join(f"{found!r} ({rule}, {-rows} rows)" for rows, rule, found in sorted(shown)[:most])


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
                      + (f"; it may want {REMEDIES[worst.rule]}" if worst and worst.rule in REMEDIES else "")
                      + (f"; refused most often: {broken}" if broken else "")
                      + f"; a run leaves them all in data/quarantine/{account.source}.parquet",
                      file=account.files[0].file, found=f"{out / total:.0%}",
                      expected=f"at most {limit:.0%} (sources.{account.source}.quarantine_limit)")
