"""Figures of experience and sales: the naive figure beside the adjusted one, what comes first, the shape by answer."""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.report.figures import base
from pipeline.report.words import Words


def naive_vs_adjusted(table: pd.DataFrame, words: Words) -> Figure:
    """One row per figure (all of one unit), adjusted and naive told apart by colour and marker."""
    rows = table[table["estimate"].notna()].reset_index(drop=True)
    unit = str(rows["unit"].iloc[0]) if len(rows) else "percent"
    figure, axes = base.canvas(height=0.9 + 0.55 * max(len(rows), 1))
    labels = [words.text(f"value.{row.claim}") for row in rows.itertuples()]
    for index, is_naive in enumerate((False, True)):
        part = rows[rows["is_naive"] == is_naive]
        axes.hlines(part.index, part["ci_low"], part["ci_high"], color=base.PALETTE[index], linewidth=2.4, alpha=0.6)
        axes.plot(part["estimate"], part.index, base.MARKERS[index], color=base.PALETTE[index],
                  label=words.text("sales.contrast.naive" if is_naive else "sales.contrast.adjusted"))
    axes.set_yticks(range(len(rows)), [base.shorten(label) for label in labels])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(False, axis="y")
    base.zero_line(axes)
    base.value_axis(axes.xaxis, words, unit)
    base.legend(figure, axes)
    told = [f"{label}: {words.value(row.estimate, unit)}" for label, row in zip(labels, rows.itertuples(), strict=True)]
    return base.describe(figure, words.text("figure.sales_contrast", rows="; ".join(told)))


def timing(table: pd.DataFrame, words: Words) -> Figure:
    """Percent per point by months from score to sales; hollow marks show what carry-over alone would give."""
    rows = table[table["estimate"].notna()].reset_index(drop=True)
    figure, axes = base.canvas(height=3.2)
    labels = [lag_label(int(lag), words) for lag in rows["lag"]]
    base.interval_dots(axes, labels, rows["estimate"], rows["ci_low"], rows["ci_high"],
                       label=words.text("sales.timing.seen"))
    carried = rows[rows["carried"].notna()]
    axes.plot(carried["carried"], carried.index, base.MARKERS[3], color=base.PALETTE[3], markerfacecolor="none",
              linestyle="none", markersize=9, label=words.text("sales.timing.carried"))
    base.zero_line(axes)
    base.value_axis(axes.xaxis, words, "percent")
    base.legend(figure, axes)
    told = "; ".join(f"{label}: {words.value(row.estimate, 'percent')}"
                     for label, row in zip(labels, rows.itertuples(), strict=True))
    return base.describe(figure, words.text("figure.sales_timing", rows=told))


def lag_label(lag: int, words: Words) -> str:
    """'2 months before', 'same month', 'the month after'."""
    if lag > 0:
        return words.text("sales.timing.before", count=lag)
    return words.text("sales.timing.same" if lag == 0 else "sales.timing.after")


def shape(table: pd.DataFrame, words: Words) -> Figure:
    """Percent of next month's sales by answer, against the most frequent answer."""
    figure, axes = base.canvas(height=3.2)
    known = table[table["estimate"].notna()]
    axes.errorbar(known["score"], known["estimate"],
                  yerr=[known["estimate"] - known["ci_low"].fillna(known["estimate"]),
                        known["ci_high"].fillna(known["estimate"]) - known["estimate"]],
                  fmt=base.MARKERS[0], color=base.PALETTE[0], ecolor=base.PALETTE[0], elinewidth=2, capsize=3)
    base.zero_line(axes, vertical=False)
    axes.set_xticks(known["score"].tolist(), [words.number(v) for v in known["score"]])
    axes.set_xlabel(words.text("column.score"))
    base.value_axis(axes.yaxis, words, "percent")
    reference = known.loc[known["ci_low"].isna(), "score"]
    return base.describe(figure, words.text(
        "figure.sales_shape", low=words.value(known["estimate"].min(), "percent"),
        high=words.value(known["estimate"].max(), "percent"),
        reference=words.number(reference.iloc[0]) if len(reference) else "–"))
