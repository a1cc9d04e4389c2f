"""Figures of experience and sales: the naive figure beside the adjusted one, what comes first, the shape by answer."""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.report.figures import base
from pipeline.report.words import Words


@base.drawn_from("claim", "estimate")
def naive_vs_adjusted(table: pd.DataFrame, words: Words) -> Figure:
    """One row per question (all of one unit), its adjusted and its naive figure told apart by colour and marker.

    table: rows in pairs, adjusted first (relate.naive.side_by_side).
    """
    table = table.reset_index(drop=True)
    unit, pairs = str(table["unit"].iloc[0]), table.index // 2
    labels = [words.text(f"sales.contrast.{claim}") for claim in table["claim"].iloc[::2]]
    figure, axes = base.canvas(height=1.1 + 0.6 * len(labels))
    told = []
    for index, is_naive in enumerate((False, True)):
        name = words.text("sales.contrast.naive" if is_naive else "sales.contrast.adjusted")
        part = table.loc[table["is_naive"] == is_naive, ["estimate", "ci_low", "ci_high"]].astype(float)
        part = part.set_axis(pairs[part.index]).reindex(range(len(labels)))  # of a hidden one the place stays empty
        base.interval_dots(axes, labels, part["estimate"], part["ci_low"], part["ci_high"], index, name,
                           offset=0.3 * index - 0.15)
        told += [f"{label}, {name}: {words.rounded(*row, unit)}"
                 for label, row in zip(labels, part.itertuples(index=False), strict=True)]
    base.zero_line(axes)
    base.value_axis(axes.xaxis, words, unit)
    base.legend(figure, axes)
    return base.describe(figure, words.text("figure.sales_contrast", rows="; ".join(told)))


@base.drawn_from("lag", "estimate")
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
    told = "; ".join(f"{label}: {words.rounded(row.estimate, row.ci_low, row.ci_high, 'percent')}"
                     for label, row in zip(labels, rows.itertuples(), strict=True))
    return base.describe(figure, words.text("figure.sales_timing", rows=told))


def lag_label(lag: int, words: Words) -> str:
    """'2 months before', 'same month', 'the month after'."""
    if lag > 0:
        return words.text("sales.timing.before", count=lag)
    return words.text("sales.timing.same" if lag == 0 else "sales.timing.after")


@base.drawn_from("score", "estimate")
def shape(table: pd.DataFrame, words: Words) -> Figure:
    """Percent of next month's sales by answer, against the most frequent answer."""
    figure, axes = base.canvas(height=3.2)
    known = table[table["estimate"].notna()]
    axes.errorbar(known["score"], known["estimate"],
                  yerr=[known["estimate"] - known["ci_low"].fillna(known["estimate"]),
                        known["ci_high"].fillna(known["estimate"]) - known["estimate"]],
                  fmt=base.MARKERS[0], color=base.PALETTE[0], ecolor=base.PALETTE[0], elinewidth=2, capsize=3,
                  label=words.text("sales.shape.answers"))
    curve = table[table["spline"].notna()] if "spline" in table else known.iloc[:0]
    if len(curve):
        axes.plot(curve["score"], curve["spline"], color=base.PALETTE[1], linestyle=base.DASHES[1],
                  label=words.text("sales.shape.spline"))
        axes.fill_between(curve["score"], curve["spline_low"], curve["spline_high"], color=base.PALETTE[1], alpha=0.15,
                          linewidth=0)
        base.legend(figure, axes)
    base.zero_line(axes, vertical=False)
    axes.set_xticks(known["score"].tolist(), [words.answers(*v) for v in _spans(known)])
    axes.set_xlabel(words.text("column.score"))
    base.value_axis(axes.yaxis, words, "percent")
    reference = known.loc[known["ci_low"].isna(), "score"]
    return base.describe(figure, words.text(
        "figure.sales_shape", low=words.value(known["estimate"].min(), "percent"),
        high=words.value(known["estimate"].max(), "percent"),
        reference=words.number(reference.iloc[0]) if len(reference) else "–"))


def _spans(table: pd.DataFrame) -> list[tuple[float, float | None, float | None]]:
    """score, score_from and score_to of every row; a table without the latter two says one answer a row."""
    ends = table.reindex(columns=["score", "score_from", "score_to"]).astype(float)
    return list(ends.itertuples(index=False, name=None))
