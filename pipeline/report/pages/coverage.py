"""What came in, what was repaired or refused, who answered, and how much of the business stands behind it."""

import pandas as pd

from pipeline.contracts.results import Results
from pipeline.report.figures import coverage
from pipeline.report.page import Figure, Page, Section, Table
from pipeline.report.words import Words

ANSWERED = ("data.customers_answered_share", "data.revenue_answered")
GRAVE = ("FILE-OVERLAP", "FILE-UNREAD", "KEY-ORPHAN", "KEY-SHARED", "SET-STALE")  # may move any figure of the report
FATES = ("rows_clean_share", "rows_repaired", "rows_quarantined", "rows_dropped")


def page(results: Results, words: Words) -> Page:
    """The page; the section on selected samples is there only where the data show one."""
    selected = [c.claim_id for c in results.claims if c.reason == "selection"]
    parts = [
        Section("coverage.rows", sentences=[f"data.{name}" for name in ("rows_in", *FATES)],
                figure=Figure(coverage.rows, "accounts"),
                table=Table("accounts", {"source": "category", "table": "category", "count_files": "count"}
                            | {f"rows_{kind}": "count" for kind in ("in", "clean", "quarantined", "dropped",
                                                                    "repaired")}, count="")),
        *_warned(results),
        *([Section("coverage.selection", sentences=selected, notes=["coverage.note_selection"])] if selected else []),
        Section("coverage.who", needs=("surveys",), figure=Figure(coverage.response, "groups_response_rate"),
                sentences=["data.customers", "data.response_rate", "data.customers_answered_share",
                           "data.comment_share", "data.orders_answered_share"],
                table=Table("groups_response_rate", {"segment": "category", "n": "count", "estimate": "share",
                                                     "ci_low": "share", "ci_high": "share", "gap": "pp",
                                                     "is_gap_notable": "yes_no"})),
        Section("coverage.business", needs=("sales",), figure=Figure(coverage.composition, "composition"),
                sentences=["data.revenue_linked_share", "data.revenue_of_respondents_share", "data.revenue_answered",
                           "data.revenue_silent", "data.revenue_gap", "data.churn_answered", "data.churn_silent",
                           "data.churn_gap"],
                table=Table("composition", {"dimension": "category", "segment": "category", "count_customers": "count",
                                            "customers_share": "share", "answered_share": "share",
                                            "revenue_share": "share"}, count="count_customers"),
                notes=["coverage.note_weight", *_hiding(results)]),
        Section("coverage.tables", table=Table("tables", {"table": "category", "rows": "count",
                                                          "customer_share": "share"}, count="")),
        Section("coverage.rules", table=Table("rules", {"source": "category", "rule": "text", "verdict": "category",
                                                        "rows": "count", "reason": "category"}, count=""),
                notes=["coverage.note_quarantine"]),
    ]
    limits = {"coverage.limit_answer": any(results.claim(name) for name in ANSWERED),
              "coverage.limit_warned": _is_grave(results)}
    return Page("coverage", parts, headline=("data.rows_clean_share", "data.response_rate",
                                             "data.revenue_of_respondents_share"),
                limits=[key for key, holds in limits.items() if holds])


def _is_grave(results: Results) -> bool:
    return "warnings" in results.tables and bool(results.tables["warnings"]["rule"].isin(GRAVE).any())


def _hiding(results: Results) -> list[str]:
    """The note on hidden figures, where a group of customers lacks one that others have."""
    table = results.tables.get("composition", pd.DataFrame())
    known = table.notna()
    return ["coverage.note_hidden"] if (known.any() & ~known.all()).any() else []


def _warned(results: Results) -> list[Section]:
    """What the last run warned of, where it did; days only where a table ends early."""
    table = results.tables.get("warnings")
    if table is None or table.empty:
        return []
    figures = {"rows": "count"} | ({"days": "count"} if table["days"].notna().any() else {})
    columns = {"source": "category", "reason": "category", **figures, "rule": "text"}
    return [Section("coverage.warnings", table=Table("warnings", columns, count="", titles={"rows": "column.n"}))]
