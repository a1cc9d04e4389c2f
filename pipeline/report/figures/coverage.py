"""Figures of data and coverage: what became of the rows, and who stands behind the answers."""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.report.figures import base
from pipeline.report.figures.experience import bold_headings, few_groups, groups, under_headings
from pipeline.report.words import Words

FATES = (("repaired", 4), ("quarantined", 1), ("dropped", 3))  # fate, index of colour and hatch
SIDES = (("customers_share", 4), ("answered_share", 0), ("revenue_share", 1))


@base.drawn_from("source", "rows_in")
def rows(table: pd.DataFrame, words: Words) -> Figure:
    """Share of the rows of each source that were repaired, put into quarantine or dropped by rule."""
    figure, axes = base.canvas(height=0.9 + 0.62 * len(table))
    for step, (fate, index) in enumerate(FATES):
        share = table[f"rows_{fate}"].astype(float) / table["rows_in"].astype(float).clip(lower=1)
        places = [position + (step - 1) * 0.26 for position in range(len(table))]
        axes.barh(places, share, height=0.24, color=base.PALETTE[index], hatch=base.HATCHES[index],
                  edgecolor=base.PAPER, label=words.text(f"coverage.fate_{fate}"))
    axes.set_yticks(range(len(table)), [base.shorten(words.name("table_name", name)) for name in table["source"]])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.grid(False, axis="y")
    base.value_axis(axes.xaxis, words, "share")
    base.legend(figure, axes)
    refused = (table["rows_quarantined"] + table["rows_dropped"]).sum() / max(table["rows_in"].sum(), 1)
    return base.describe(figure, words.text("coverage.alt_rows", sources=len(table),
                                            share=words.percent(float(refused))))


@base.drawn_from("estimate")
def response(table: pd.DataFrame, words: Words) -> Figure:
    """Response rate and its interval per group of customers."""
    return groups(table, words, unit="share", name="response", legend=("above", "below"))


@base.drawn_from("segment", "customers_share")
def composition(table: pd.DataFrame, words: Words) -> Figure:
    """Per group its share among customers, among those who answered, and of revenue."""
    names, placed = under_headings(few_groups(table), words)
    figure, axes = base.canvas(height=0.8 + 0.3 * len(names))
    for side, index in SIDES:
        if placed[side].notna().any():
            axes.plot(placed[side].astype(float), placed.index, base.MARKERS[index], color=base.PALETTE[index],
                      markersize=7, alpha=0.9, label=words.text(f"coverage.side_{side}"))
    axes.set_yticks(range(len(names)), [base.shorten(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    bold_headings(axes, placed)
    axes.set_xlim(left=0)
    base.value_axis(axes.xaxis, words, "share")
    base.legend(figure, axes)
    return base.describe(figure, words.text("coverage.alt_composition", groups=len(placed)))
