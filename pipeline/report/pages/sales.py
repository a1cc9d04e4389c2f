"""The page of experience and sales: the answer, what usually gets printed instead, and why the two differ."""

from dataclasses import replace

from pipeline.contracts.results import Results
from pipeline.report.figures import sales as figures
from pipeline.report.page import Figure, Page, Section, Table
from pipeline.report.words import Words

NEEDS = ("surveys", "sales", "customers")
LIMITED = {"estimate": "by_row", "ci_low": "by_row", "ci_high": "by_row"}
CONTRAST = Table("contrast", {"claim": "category", "n": "count", **LIMITED, "ratio": "ratio"})

WHOLE = Page(
    key="sales",
    sections=(
        Section("sales.answer", sentences=["sales.per_point", "sales.conversion_value.*", "sales.conversion_margin.*",
                                           "sales.break_even_cost.*@horizon:*", "sales.left_out@covariate:*"],
                notes=["sales.answer.break_even"], needs=NEEDS),
        Section("sales.who", table=Table("groups", {"customer_group": "category", "instrument": "category",
                                                    "score": "answers"}, count="", titles={"score": "column.answers"}),
                needs=NEEDS),
        Section("sales.contrast", sentences=["sales.naive.*"],
                figure=Figure(figures.naive_vs_adjusted, "contrast"),
                table=CONTRAST,
                notes=["sales.contrast.why_value", "sales.contrast.why_log", "sales.contrast.why_once"], needs=NEEDS),
        Section("sales.contrast_percent",
                figure=Figure(figures.naive_vs_adjusted, "contrast_percent"),
                table=replace(CONTRAST, name="contrast_percent"), needs=NEEDS),
        Section("sales.timing", sentences=["sales.same_month_check", "sales.lead_check"],
                gathered=["sales.lag@months:*"],
                figure=Figure(figures.timing, "timing"),
                table=Table("timing", {"lag": "count", "n": "count", "estimate": "percent", "ci_low": "percent",
                                       "ci_high": "percent", "carried": "percent"}, keys=("lag",)), needs=NEEDS),
        Section("sales.shape", sentences=["sales.group.*", "sales.asymmetry", "sales.shape.*"],
                figure=Figure(figures.shape, "shape"),
                table=Table("shape", {"score": "answers", "n": "count", "estimate": "percent", "ci_low": "percent",
                                      "ci_high": "percent", "spline": "percent"}), needs=NEEDS),
        Section("sales.stale", sentences=["sales.stale_score.per_point@age:*", "sales.stale_score.lost"], needs=NEEDS),
        Section("sales.outcomes", sentences=["sales.orders.per_point", "sales.order_value.per_point",
                                             "sales.repeat_purchase.per_point", "sales.per_point.*"],
                needs=NEEDS),
        Section("sales.complaints", sentences=["sales.complaints.per_point", "sales.contacts.per_point"],
                notes=["sales.complaints.why"], needs=(*NEEDS, "tickets")),
        Section("sales.referrals", sentences=["sales.referrals.per_point"], notes=["sales.referrals.why"],
                needs=(*NEEDS, "customers")),
        Section("sales.growth", sentences=["sales.growth.existing_customers", "sales.growth.share_of_promoters"],
                gathered=["sales.growth.contribution@answer:*"], notes=["sales.growth.why"], needs=NEEDS),
        Section("sales.repeat", sentences=["sales.repeat_customers_share"], needs=("sales", "customers")),
        Section("sales.sample", table=Table("diagnostics", {"step": "category", "rows": "count", "customers": "count"}),
                notes=["sales.sample.counts"], needs=NEEDS),
        Section("sales.population", table=Table("population", {"segment": "category", "sample": "by_row",
                                                               "population": "by_row"},
                                                titles={"segment": "column.what"}), needs=NEEDS),
    ),
    headline=("sales.per_point", "sales.conversion_value.detractor_to_promoter"),
    limits=("sales.limit.answered", "sales.limit.month", "sales.limit.cause"),
)


def page(results: Results, words: Words) -> Page:
    """The whole page; where the panel gives no estimate, one sentence with the reason instead of twenty alike."""
    answer = results.claim("sales.per_point")
    if answer is None or answer.estimate is not None:
        return replace(WHOLE, sections=tuple(s for s in WHOLE.sections if _holds(s, results)))
    kept = [replace(WHOLE.sections[0], sentences=["sales.per_point"], notes=[])]
    without_answers = ("sales.repeat", "sales.sample", "sales.population")
    kept += [s for s in WHOLE.sections if s.key in without_answers and _holds(s, results)]
    return replace(WHOLE, sections=tuple(kept), headline=("sales.per_point",), limits=())


def _holds(section: Section, results: Results) -> bool:
    """Whether the section's table has a row to show; sections without a table always."""
    if section.table is None or section.table.name not in results.tables:
        return section.table is None
    table = results.tables[section.table.name]
    return len(table) > 0 and ("estimate" not in table or bool(table["estimate"].notna().any()))
