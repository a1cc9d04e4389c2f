"""The figure of the page on trust: how often each kind of interval held the truth."""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.report.figures import base
from pipeline.report.words import Words

NOMINAL = 0.95
SPREAD = 0.3  # how far marks of one row lie apart


@base.drawn_from("family", "estimate")
def coverage(table: pd.DataFrame, words: Words) -> Figure:
    """One row per family, one mark per interval and world at the share of companies in which it held the truth.

    The band is what is allowed for most of them; filled marks held, hollow ones fell outside their own band.
    """
    families = list(dict.fromkeys(table["family"]))
    figure, axes = base.canvas(height=1.0 + 0.45 * len(families))
    common = table[["ci_low", "ci_high"]].mode().iloc[0]
    axes.axvspan(common["ci_low"], common["ci_high"], color=base.PALETTE[4], alpha=0.15, linewidth=0,
                 label=words.text("trust.figure_band"))
    for index, is_held in enumerate((True, False)):
        part = table[table["held"] == is_held]
        if part.empty:
            continue
        rank = part.groupby("family").cumcount()
        size = part.groupby("family")["family"].transform("size")
        rows = part["family"].map(families.index) + SPREAD * ((2 * rank + 1) / size - 1)
        axes.plot(part["estimate"], rows, base.MARKERS[index], color=base.PALETTE[index], linestyle="none",
                  markerfacecolor=base.PALETTE[index] if is_held else "none", markersize=4 if is_held else 6, alpha=0.8,
                  label=words.text("trust.figure_held" if is_held else "trust.figure_missed"))
    base.zero_line(axes, NOMINAL)
    axes.set_yticks(range(len(families)), [base.shorten(name) for name in families])
    axes.set_ylim(len(families) - 0.5, -0.5)
    axes.grid(False, axis="y")
    base.value_axis(axes.xaxis, words, "share")
    base.legend(figure, axes)
    return base.describe(figure, words.text(
        "figure.trust_coverage", rows=len(table), held=int(table["held"].sum()),
        low=words.percent(table["estimate"].min()), high=words.percent(table["estimate"].max())))
