"""How far to trust these numbers: what the printed intervals held over invented companies whose truth is known."""

from pipeline.contracts.results import Results
from pipeline.report.figures import trust
from pipeline.report.page import Figure, Page, Section, Table
from pipeline.report.words import Words

FIGURES = {"figure": "text", "family": "text", "world": "text", "n_companies": "count", "measured": "text",
           "allowed": "text", "tail_low": "share", "tail_high": "share", "bias_share": "share", "bias_allowed": "text",
           "truth_kind": "text", "outcome": "text"}
CHECKS = {"figure": "text", "check": "text", "world": "text", "n_companies": "count", "measured": "text",
          "allowed": "text"}
TITLES = {"measured": "column.coverage_share"}


def page(results: Results, words: Words) -> Page:
    """The page; a section that has nothing to show is left out, and what did not hold stands before the naive ones."""
    state = str(results.tables["same_code"]["state"].iloc[0])
    has_failed = len(results.tables["failed"]) > 0
    failed = Table("failed", CHECKS, count="")
    sections = [
        Section("trust.answer", sentences=["trust.coverage", "trust.companies", "trust.held", "trust.verdicts",
                                           "trust.missed_by_chance",
                                           "trust.naive_fail", "trust.naive_edge", "trust.power.*",
                                           "trust.false_discoveries"],
                notes=[f"trust.code.{state}"]),
        Section("trust.families", figure=Figure(trust.coverage, "figures"),
                table=Table("figures", FIGURES, count="", titles=TITLES, longest=2000),
                notes=["trust.families.band", "trust.families.bias"]),
        Section("trust.by_family", table=Table("families", {
            "family": "text", "count_checks": "count", "count_held": "count", "mean_share": "share",
            "lowest_share": "share", "highest_share": "share"}, count="")),
        Section("trust.failed", sentences=["trust.failed"], table=failed if has_failed else None,
                notes=["trust.failed.some"] if has_failed else []),
        Section("trust.naive", table=Table("naive", {
            "figure": "text", "world": "text", "truth": "text", "found": "text", "measured": "text",
            "allowed": "text", "bias_share": "share", "has_failed": "text"}, count="", titles=TITLES),
            notes=["trust.naive.why"]),
        Section("trust.checks", table=Table("checks", CHECKS | {"held": "yes_no"}, count="")),
        Section("trust.lines", table=Table("lines", {
            "line": "text", "limit": "text", "count_checks": "count", "count_held": "count",
            "state": "text"}, count="")),
        Section("trust.worlds", table=Table("worlds", {
            "world": "text", "n_companies": "count", "n_customers": "count", "first_seed": "count",
            "last_seed": "count", "count_checks": "count", "count_held": "count"}, count=""),
            notes=["trust.worlds.truth", "trust.worlds.network"]),
        Section("trust.unproven", table=Table("unproven", {"figure": "text", "reason": "text"}, count="")),
        Section("trust.unsimulated", table=Table("unsimulated", {"figure": "text", "has_interval": "yes_no"},
                                                 count="")),
    ]
    shown = [s for s in sections if s.key == "trust.failed" or s.table is None or len(results.tables[s.table.name])]
    return Page("trust", shown, limits=("trust.limits.invented", "trust.limits.causes"),
                lead="trust.lead.changed" if state == "changed" else "trust.lead.same", card=("trust.failed",))
