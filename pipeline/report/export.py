"""Every claim as a CSV file that a spreadsheet of the reader's language opens, and that no cell can take over."""

import csv
import io
from dataclasses import asdict

from pipeline.contracts.claims import COLUMNS
from pipeline.report.disclosure import offered
from pipeline.report.render import Site
from pipeline.report.words import Words, tidy

FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")
DELIMITERS = {"es": (";", ","), "en": (",", ".")}  # between cells, within numbers: what each spreadsheet expects


def claims_csv(site: Site, words: Words) -> str:
    """One row per claim, notebook first; a text that a spreadsheet would run as a formula gets an apostrophe.

    People are rounded down to steps of suppress_below: the same customers stand behind many claims, and counts to the
    last one would tell by subtraction how few of them two claims do not share.
    """
    delimiter, decimal = DELIMITERS[words.language]
    buffer, below = io.StringIO(), site.disclosure.suppress_below
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(["notebook", *COLUMNS])
    for name, results in site.results.items():
        for claim in results.claims:
            row = asdict(claim)
            row["n_in"] = offered(claim, below)
            row["people"] = None if claim.people is None else claim.people // below * below
            if claim.status == "suppressed":
                row["n_used"] = row["people"] = None
            writer.writerow([name, *(_cell(row[column], decimal) for column in COLUMNS)])
    return "\ufeff" + buffer.getvalue()


def _cell(value: object, decimal: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value).replace(".", decimal)
    text = tidy(value, 300)
    return "'" + text if text.startswith(FORMULA) else text
