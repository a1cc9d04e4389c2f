"""data/README.md: where each file lies, and the dictionary of the canonical tables, made from the contracts."""

from pathlib import Path

from pipeline.contracts.tables import TABLES, Table
from pipeline.stages import run

HEAD = """# Data

Made by `python -m pipeline.stages.dictionary` from `pipeline/contracts/tables.py`; do not edit.

| folder | what lies there | who makes it |
|---|---|---|
| `raw/` | exports as they came, one folder per source; `raw/demo/` marks the invented company | you, or the demo |
| `clean/` | one canonical table per source, and its account of rows | `ingest` |
| `quarantine/` | every row that broke a rule: rule, reason, file, line, and the row as it came | `ingest` |
| `linked/` | tables with one customer behind one id, the customer x month panel, the events | `link` |
| `results/` | claims, tables of groups, plot data and the executed copy of each notebook; see below | `notebook` |

Nothing under `raw/`, `clean/`, `quarantine/` and `linked/` is committed. `quarantine/` holds rows as they came,
personal data included: it stays on the machine that read them. Names: `*_id` pseudonyms, `*_at` UTC, `is_*` true or
false, `count_*` counts, `*_share` 0 to 1; units stand in the name (`ttr_hours`).

`results/` holds no ids and no rows of customers. But `claims.json`, `tables/` and `notebook.ipynb` do not hide small
groups, and a group may be of one customer: they are for the company's analysts, are not committed, and are never to be
published, nor pushed to a store that others read. Figures of fewer than `suppress_below` (params.yaml), and those that
would give them away, are hidden in what is made of them: the pages and `claims.csv` under `reports/`, and `plots/`
(there counts of a file's rows are whole). `metrics.json` is of all customers together, without any figure of fewer than
`suppress_below`. Share `reports/` alone.

Every file is accounted for: rows in = clean + quarantined + dropped by a named rule.
"""


def dictionary(table: Table) -> str:
    """One Markdown section: grain, key, and a row per column with kind, meaning and the meaning of missing."""
    lines = [f"## {table.name}", "", f"Grain: {table.grain}. Key: {', '.join(f'`{name}`' for name in table.key)}.", "",
             "| column | kind | must be mapped | meaning | missing means |", "|---|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.kind} | {'yes' if c.required else 'no'} | {c.meaning} | {c.missing} |"
              for c in table.columns]
    return "\n".join(lines) + "\n"


def readme() -> str:
    """The whole text of data/README.md."""
    return "\n".join([HEAD, *(dictionary(table) for table in TABLES.values())])


def main(argv: list[str]) -> None:
    Path("data/README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    run(main)
