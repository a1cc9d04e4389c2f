"""A rehearsal of ingest: every contract on its exports, the account in words, nothing kept."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipeline.contracts.params import Params, Privacy
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import phrased
from pipeline.ingest.account import Account
from pipeline.ingest.clean import MANIFEST, clean_source
from pipeline.ingest.contract import TELL
from pipeline.ingest.redact import shown
from pipeline.ingest.rules import IN_WORDS, REMEDIES
from pipeline.ingest.share import check_share, dropped_line, unknown_texts

HEADINGS = {"quarantined": "kept out (quarantined)", "dropped": "left out (dropped)", "repaired": "repaired",
            "warned": "worth a look"}
ASKED = re.compile(rf"\s*#\s*{TELL}\s*(.*\S)")
SHOWN = 40  # characters of a value in an example


def chosen(names: list[str], params: Params) -> list[str]:
    """The named sources, or all; Refusal for a name that params.yaml does not have."""
    for name in names:
        if name not in params.sources:
            raise Refusal("PARAM-UNKNOWN", "this source is not in the params file", found=repr(name),
                          expected=", ".join(params.sources))
    return names or list(params.sources)


def check_source(name: str, params: Params, manifest: Path = MANIFEST,
                 say: Callable[[str], None] = lambda what: None, tongue: str = "en") -> tuple[str, Refusal | None]:
    """The account of one source as text, made in a temporary folder that is gone afterwards, and the refusal that
    ingest makes of such an account (QUARANTINE-SHARE); Refusal as ingest's for what has no account."""
    with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
        private = _without_new_key(params.privacy, Path(folder))
        source = params.sources[name]
        cleaned = clean_source(name, source, params.company, private, Path(folder), manifest,
                               list(params.sources.values()), say)
        broken = unknown_texts(pq.read_table(cleaned.quarantine, columns=["rule", "found"]))
        text = account_text(cleaned.account, _examples(cleaned.quarantine, tongue), tongue)
        try:
            check_share(cleaned.account, source.quarantine_limit, broken)
        except Refusal as refusal:
            return text, refusal
        return text, None


def open_questions(text: str) -> list[tuple[int, str]]:
    """(line, question) of each question of inspect that still stands behind # in the params file."""
    found = ((line, ASKED.match(one)) for line, one in enumerate(text.splitlines(), 1))
    return [(line, match[1]) for line, match in found if match]


def _without_new_key(private: Privacy, folder: Path) -> Privacy:
    """The same, but a key that ingest would make on its first run is made in the temporary folder."""
    path = Path(private.key_file).expanduser()
    if private.key == "public" or path.exists() or path.resolve().is_relative_to(Path.cwd().resolve()):
        return private
    return replace(private, key_file=str(folder / "rehearsal.key"))


def account_text(account: Account, examples: dict[str, str], tongue: str = "en") -> str:
    """Files and rules, one a line; examples: rule -> where it first struck."""
    counts = ("rows_in", "clean", "quarantined", "dropped")
    total = {part: account.total(part) for part in counts}
    lines = [phrased(f"{account.source} ({account.table}): {_counted(total)}", tongue)]
    if len(account.files) > 1:
        each = [(one.file, {part: getattr(one, part) for part in counts}) for one in account.files]
        lines += [phrased(f"  {name}: {_counted(parts)}", tongue) for name, parts in each]
    if account.answers:
        given = {part.removeprefix("answers_"): number for part, number in account.answers.items()}
        answers = (f"  answers: {given['in']} in = {given['clean']} clean + {given['quarantined']} quarantined"
                   f" + {given['not_asked']} not asked")
        lines.append(phrased(answers, tongue))
    lines += [phrased(f"  {account.unread_line()}", tongue)] if account.unread else []
    doubt = dropped_line(account)
    lines += [f"  {phrased(sentence, tongue)}" for sentence in (*account.odd, *filter(None, [doubt]))]
    for verdict, heading in HEADINGS.items():
        rules = [rule for rule in account.rules if rule.verdict == verdict]
        lines += [phrased(f"  {heading}:", tongue)] if rules else []
        for rule in rules:
            where = examples.get(rule.rule) if verdict == "quarantined" else None
            example = f"; {phrased('first', tongue)}: {where}" if where else ""
            lines.append(f"    {rule.rows:>9}  {rule.rule:<16}  {phrased(rule.reason, tongue)}{example}")
            if verdict == "quarantined" and rule.rule in REMEDIES:
                lines.append(f"    {'':>27}  {phrased(REMEDIES[rule.rule], tongue)}")
    return "\n".join(lines)


def _counted(parts: dict[str, int]) -> str:
    return (f"{parts['rows_in']} rows in = {parts['clean']} clean + {parts['quarantined']} quarantined + "
            f"{parts['dropped']} dropped")


def _examples(path: Path, tongue: str) -> dict[str, str]:
    """rule -> file, line, column and value of its first row; ids come masked and comments empty from quarantine."""
    found: dict[str, str] = {}
    for batch in pq.ParquetFile(path).iter_batches(columns=["rule", "file", "line", "column", "found"]):
        for row in batch.to_pandas().drop_duplicates("rule").replace({np.nan: None}).to_dict("records"):
            if row["rule"] not in found:
                found[row["rule"]] = _example(row, tongue)
    return found


def _example(row: dict[str, Any], tongue: str) -> str:
    """Where one row of the quarantine stands, and what was found there: words whole, the value of a cell shortened."""
    place = f"{row['file']}, line {row['line']}" + (f", column {row['column']!r}" if row["column"] else "")
    if not row["found"]:
        return phrased(place, tongue)
    if row["rule"] in IN_WORDS:
        return f"{phrased(place, tongue)}: {phrased(row['found'], tongue)}"
    return phrased(f"{place}, found {shown(row['found'])[:SHOWN]!r}", tongue)
