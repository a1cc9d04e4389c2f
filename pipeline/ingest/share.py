"""How much of an export may break its description before the description itself is taken to be wrong."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest.account import Account
from pipeline.ingest.rules import REMEDIES

TOLD = ("CAT-MAP", "CSAT-MAP", "DATE-FMT", "NPS-LABEL", "NUM-LOCALE")  # rules whose texts a description can learn
DUPLICATES = ("KEY-DUP-OLD", "KEY-DUP-SAME")
MOSTLY, ROWS = 0.5, 30  # share dropped for their key, and rows, from which the key itself is in doubt
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


def dropped_line(account: Account) -> str:
    """A sentence where most rows were dropped because another one has their key: the header mapped to it may name
    customers or kinds, not records; "" where that is not so. Rows that stand whole in two of several files say nothing:
    exports overlap."""
    rules = DUPLICATES if len(account.files) == 1 else DUPLICATES[:1]
    counts = {one.rule: one.rows for one in account.rules if one.verdict == "dropped" and one.rule in rules}
    out, total = sum(counts.values()), account.total("rows_in")
    if total < ROWS or out <= MOSTLY * total:
        return ""
    each = ", ".join(f"{rule} {rows}" for rule, rows in counts.items())
    return (f"{out} of {total} rows are dropped because another row has their key ({each}): "
            f"does the header of {', '.join(TABLES[account.table].key)} name one record, and not a customer or a kind?")
