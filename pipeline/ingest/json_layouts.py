"""JSON that holds a table otherwise than as records: column by column, row by number, or as bare lists."""

import re

from pipeline.contracts.refusal import Refusal

NAME = r'"(?:[^"\\]|\\.)*"'
TURNED = re.compile(rf'\s*\{{\s*{NAME}\s*:\s*\{{\s*"0"\s*:\s*[^{{\s]')  # {"id": {"0": "P1", "1": "P2"}, "n": {"0": ...
NUMBERED = re.compile(r'\s*\{\s*"0"\s*:\s*\{\s*"')  # {"0": {"id": "P1"}, "1": ...
SPLIT = re.compile(rf'\s*\{{\s*"columns"\s*:\s*\[(?:\s*{NAME}\s*,?)*\]\s*,\s*"(?:index"\s*:\s*\[|data"\s*:\s*\[\s*\[)')


def refuse_layout(head: str, name: str) -> None:
    """Refusal (JSON-RECORDS) for a file that begins as a table without records does: a program wrote its columns."""
    found = "an object for each column" if TURNED.match(head) else "the rows by their number" if NUMBERED.match(head) \
        else "the names of the columns, and lists of values without them" if SPLIT.match(head) else ""
    if found:
        raise Refusal("JSON-RECORDS", "the file holds a table as a program keeps it, and no records with their keys",
                      file=name, found=found, expected="one object a record: in pandas `to_json(orient=\"records\")`")
