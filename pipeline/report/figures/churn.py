"""Figures of experience and churn: churn by answer, the windows of silence side by side, fitted against observed."""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.report.figures import base
from pipeline.report.words import Words


@base.drawn_from("score", "rate", "ci_low", "ci_high")
def by_score(table: pd.DataFrame, words: Words) -> Figure:
    """Share of customers who left by answer, with its interval, and the model's line where there is one."""
    known = table[table["rate"].notna()].reset_index(drop=True)
    figure, axes = base.canvas(height=3.2)
    axes.errorbar(known["score"], known["rate"], yerr=[(known["rate"] - known["ci_low"]).clip(lower=0),
                                                       (known["ci_high"] - known["rate"]).clip(lower=0)],
                  fmt=base.MARKERS[0], color=base.PALETTE[0], elinewidth=2, capsize=3,
                  label=words.text("churn.figure.observed"))
    fitted = known[known["fitted"].notna()]
    if len(fitted):
        axes.plot(fitted["score"], fitted["fitted"], color=base.PALETTE[1], linestyle=base.DASHES[1],
                  label=words.text("churn.figure.fitted"))
    axes.set_ylim(bottom=0)
    axes.set_xticks(known["score"].tolist(), [words.number(v) for v in known["score"]])
    axes.set_xlabel(words.text("column.score"))
    base.value_axis(axes.yaxis, words, "share")
    base.legend(figure, axes)
    told = "; ".join(f"{words.number(row.score)}: {words.percent(row.rate)}" for row in known.itertuples())
    return base.describe(figure, words.text("figure.churn_by_score", rows=told))


@base.drawn_from("days", "estimate")
def windows(table: pd.DataFrame, words: Words) -> Figure:
    """Hazard ratio of falling silent per point, one row per window; the line at 1 is "nothing happens"."""
    known = table[table["estimate"].notna()].reset_index(drop=True)
    figure, axes = base.canvas(height=0.9 + 0.55 * max(len(known), 1))
    labels = [words.text("churn.figure.days", count=int(days)) for days in known["days"]]
    base.interval_dots(axes, labels, known["estimate"], known["ci_low"], known["ci_high"])
    base.zero_line(axes, at=1.0)
    base.value_axis(axes.xaxis, words, "ratio")
    told = "; ".join(f"{label}: {words.rounded(row.estimate, row.ci_low, row.ci_high, 'ratio')}"
                     for label, row in zip(labels, known.itertuples(), strict=True))
    return base.describe(figure, words.text("figure.churn_windows", rows=told))


@base.drawn_from("fitted", "rate", "ci_low", "ci_high")
def calibration(table: pd.DataFrame, words: Words) -> Figure:
    """Observed against fitted churn in groups of equal size; on the line where the model is right."""
    known = table[["fitted", "rate", "ci_low", "ci_high"]].dropna().astype(float)
    figure, axes = base.canvas(height=3.2)
    axes.errorbar(known["fitted"], known["rate"], yerr=[(known["rate"] - known["ci_low"]).clip(lower=0),
                                                        (known["ci_high"] - known["rate"]).clip(lower=0)],
                  fmt=base.MARKERS[0], color=base.PALETTE[0], elinewidth=2, capsize=3)
    top = max(known["ci_high"].max(), known["fitted"].max())
    axes.plot([0, top], [0, top], color=base.INK, linewidth=1.0)
    axes.set_xlabel(words.text("churn.figure.fitted"))
    axes.set_ylabel(words.text("churn.figure.observed"))
    for axis in (axes.xaxis, axes.yaxis):
        base.value_axis(axis, words, "share")
    return base.describe(figure, words.text("figure.churn_calibration", groups=len(known)))
