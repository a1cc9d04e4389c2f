"""Figures of the scorecard: scores by month and by group, answers over the scale, tickets still unsolved."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from pipeline.report.figures import base
from pipeline.report.words import Words

UNSOLVED_TICKS = (1, 4, 24, 72, 168, 720)  # hours
MOST_GROUPS = 14  # breakdowns with more groups stand in the table only
LABELS = (("negative", 1), ("neutral", 4), ("positive", 0))  # label, index of colour and hatch


@base.drawn_from("period", "estimate")
def months(table: pd.DataFrame, words: Words, unit: str = "points", name: str = "nps") -> Figure:
    """A score by month with its 95 % band; a month without figures leaves a gap in the line."""
    span = pd.period_range(table["period"].min(), table["period"].max(), freq="M").astype(str)
    whole = table.set_index("period").reindex(span)
    figure, axes = base.canvas(height=3.2)
    base.interval_line(axes, range(len(whole)), whole["estimate"], whole["ci_low"], whole["ci_high"])
    if whole["ci_low"].min() < 0 < whole["ci_high"].max():
        base.zero_line(axes, vertical=False)
    base.value_axis(axes.yaxis, words, unit)
    base.month_ticks(axes, list(span), words)
    known = whole["estimate"].dropna()
    return base.describe(figure, words.text(
        "experience.alt_months", name=words.text(f"experience.name_{name}"), first=words.month(known.index[0]),
        last=words.month(known.index[-1]), start=words.value(known.iloc[0], unit),
        end=words.value(known.iloc[-1], unit)))


@base.drawn_from("segment", "estimate")
def groups(table: pd.DataFrame, words: Words, unit: str = "points", better: str = "higher",
           name: str = "nps", legend: tuple[str, str] = ("better", "worse")) -> Figure:
    """A dot and its interval per group under its breakdown; shape and colour tell who stands out from the rest."""
    shown = few_groups(table[table["dimension"] != "all"])
    names, placed = under_headings(shown, words)
    above = (placed["gap"].astype(float) > 0) == (better == "higher")
    notable = placed["is_gap_notable"].fillna(False).astype(bool)
    figure, axes = base.canvas(height=0.85 + 0.27 * len(names))
    for key, index, mask in ((legend[0], 0, notable & above), (legend[1], 1, notable & ~above), ("alike", 4, ~notable)):
        part = placed[["estimate", "ci_low", "ci_high"]].astype(float).where(mask).reindex(range(len(names)))
        base.interval_dots(axes, names, part["estimate"], part["ci_low"], part["ci_high"], index,
                           words.text(f"experience.legend_{key}") if mask.any() else None)
    bold_headings(axes, placed)
    total = table.loc[table["dimension"] == "all", "estimate"].dropna()
    if len(total):
        axes.axvline(float(total.iloc[0]), color=base.MUTED, linewidth=1, linestyle=(0, (4, 3)),
                     label=words.text("segment.all"))
    base.value_axis(axes.xaxis, words, unit)
    base.legend(figure, axes, columns=2)
    return base.describe(figure, words.text("experience.alt_groups", name=words.text(f"experience.name_{name}"),
                                            groups=len(placed), apart=int(notable.sum())))


def under_headings(table: pd.DataFrame, words: Words) -> tuple[list[str], pd.DataFrame]:
    """Labels of all lines (the name of a breakdown, then its groups) and the rows, indexed by their line."""
    names, lines = [], []
    for dimension, part in table.groupby("dimension", sort=False):
        names.append(words.name("dimension", dimension))
        lines += range(len(names), len(names) + len(part))
        names += [words.segment(f"{dimension}:{str(group).removeprefix(f'{dimension}:')}")[1]
                  for group in part["segment"]]
    return names, table.set_index(pd.Index(lines))


def bold_headings(axes: Axes, placed: pd.DataFrame) -> None:
    """Set the lines that are no group in bold, the groups in ink."""
    for line, label in enumerate(axes.get_yticklabels()):
        label.set_fontweight("normal" if line in placed.index else "bold")


def few_groups(table: pd.DataFrame) -> pd.DataFrame:
    """The breakdowns with few groups; of the others the first groups, when there is nothing else."""
    sizes = table.groupby("dimension")["segment"].transform("size")
    few = table[sizes <= MOST_GROUPS]
    return few if len(few) else table.groupby("dimension").head(MOST_GROUPS)


@base.drawn_from("segment", "estimate")
def labels(table: pd.DataFrame, words: Words) -> Figure:
    """One bar per question, divided into negative, neutral and positive answers."""
    wide = table.pivot(index="segment", columns="label", values="estimate")
    wide = wide.reindex(index=table["segment"].unique(), columns=[label for label, _ in LABELS]).astype(float)
    wide = wide.dropna(how="all")
    figure, axes = base.canvas(height=0.9 + 0.42 * len(wide))
    left = pd.Series(0.0, index=wide.index)
    for label, index in LABELS:
        values = wide[label].fillna(0)
        axes.barh(range(len(wide)), values, left=left, color=base.PALETTE[index], hatch=base.HATCHES[index],
                  edgecolor=base.PAPER, height=0.66, label=words.text(f"experience.label_{label}"))
        for position, (start, value) in enumerate(zip(left, values, strict=True)):
            if value >= (0.14 if base.is_phone() else 0.08):
                axes.text(start + value / 2, position, words.percent(value, 0), ha="center", va="center", fontsize=9,
                          color=base.INK, bbox={"facecolor": base.PAPER, "edgecolor": "none", "pad": 1.5})
        left = left + values
    questions = [words.text("experience.all_questions") if s == "all" else words.segment(s)[1] for s in wide.index]
    axes.set_yticks(range(len(wide)), [base.shorten(q) for q in questions])
    axes.set_ylim(len(wide) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.grid(False, axis="y")
    base.value_axis(axes.xaxis, words, "share")
    base.legend(figure, axes)
    first = wide.iloc[0]
    return base.describe(figure, words.text(
        "experience.alt_labels", positive=words.percent(first["positive"], 0), negative=words.percent(
            first["negative"], 0)))


@base.drawn_from("instrument", "score", "estimate_share")
def distribution(table: pd.DataFrame, words: Words) -> Figure:
    """Share of answers at each point of the scale, one panel per question; higher is better everywhere."""
    questions = list(table["instrument"].unique())[:4]
    figure, axes = base.canvas(height=2.6, panels=len(questions))
    for question, panel in zip(questions, [axes] if len(questions) == 1 else axes, strict=True):
        part = table[table["instrument"] == question]
        panel.bar(part["score"].astype(float), part["estimate_share"].astype(float).fillna(0),
                  color=base.PALETTE[0], width=0.8)
        panel.set_title(words.name("value", question))
        panel.grid(False, axis="x")
        base.value_axis(panel.yaxis, words, "share", 4)
        base.value_axis(panel.xaxis, words, "count", 6)
    names = words.listed([words.name("value", q) for q in questions])
    return base.describe(figure, words.text("experience.alt_distribution", names=names))


@base.drawn_from("delta", "estimate")
def silent(table: pd.DataFrame, words: Words, name: str = "nps") -> Figure:
    """The score of all who were asked by how much lower the silent scored, with its 95 % band and the raw score."""
    unit = "share" if name == "csat" else "points"
    figure, axes = base.canvas(height=3.0)
    table = table[table["delta"].notna() & table["estimate"].notna()]
    band = table[["delta", "estimate", "ci_low", "ci_high"]].astype(float)
    shown = band["delta"] * (100 if name == "csat" else 1)  # shares differ by percentage points
    base.interval_line(axes, shown, band["estimate"], band["ci_low"], band["ci_high"])
    axes.axhline(float(table["raw"].iloc[0]), color=base.MUTED, linewidth=1, linestyle=(0, (4, 3)),
                 label=words.text("experience.legend_raw"))
    if band["ci_low"].min() < 0 < band["ci_high"].max():
        base.zero_line(axes, vertical=False)
    base.value_axis(axes.yaxis, words, unit)
    base.value_axis(axes.xaxis, words, {"nps": "count", "csat": "pp"}.get(name, unit))
    axes.set_xlabel(words.text("column.delta"))
    base.legend(figure, axes)
    first, last = band.iloc[0], band.iloc[-1]
    lower = words.value(last["delta"] * 100, "pp", 0) if name == "csat" else words.number(
        last["delta"], 0 if name == "nps" else 1)
    return base.describe(figure, words.text(
        "experience.alt_silent", name=words.text(f"experience.name_{name}"), start=words.value(first["estimate"], unit),
        end=words.value(last["estimate"], unit), delta=lower))


def _moment(hours: int, words: Words) -> str:
    unit, value = ("hours", hours) if hours < 48 else ("days", hours // 24)
    return f"{words.number(value)} {words.text(f'unit.{unit}.brief')}"


@base.drawn_from("hours", "unsolved_share")
def unsolved(table: pd.DataFrame, words: Words) -> Figure:
    """Share of tickets still unsolved after so many hours, open ones included; lines at one half and one tenth."""
    figure, axes = base.canvas(height=3.2)
    drawn = table[table["hours"] > 0]
    axes.step(drawn["hours"].astype(float), drawn["unsolved_share"].astype(float), where="post",
              color=base.PALETTE[0])
    for share in (0.5, 0.1):
        axes.axhline(share, color=base.MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xscale("log")
    last = float(drawn["hours"].max())
    ticks = [hours for hours in UNSOLVED_TICKS if hours <= last]
    axes.set_xticks(ticks, [_moment(hours, words) for hours in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 1.02)
    base.value_axis(axes.yaxis, words, "share")
    after_week = table.loc[table["hours"] <= 168, "unsolved_share"].astype(float)
    return base.describe(figure, words.text("experience.alt_unsolved", share=words.percent(after_week.iloc[-1], 0)))
