"""What all figures share: theme, palette, canvas, axes in the reader's convention, alternative text, stable SVG.

    def nps_by_month(table: pd.DataFrame, words: Words) -> Figure:
        figure, axes = base.canvas(height=3.2)
        base.interval_line(axes, table["period"], table["estimate"], table["ci_low"], table["ci_high"])
        base.value_axis(axes.yaxis, words, "points")
        return base.describe(figure, words.text("figure.nps_by_month", last=...))

    base.show(nps_by_month(table, words))          # in a notebook

`drawn_from("period", "estimate")` above it gives None where no row has both: nothing is shown, nowhere.
Draw on `canvas`: pages draw every figure twice, for a wide screen and for a phone, and canvas knows which.
"""

import contextlib
import functools
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pipeline.contracts.claims import Claim
from pipeline.report import disclosure
from pipeline.report.words import Words, tidy

FONTS = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue','Liberation Sans',Arial,sans-serif"  # as in style.css
INK, MUTED, GRID, PAPER = "#1d2b36", "#5b6b78", "#dfe5ea", "#ffffff"
# Blue, vermilion, green, purple, grey (after Okabe and Ito): apart for colour-blind readers and 3:1 on white.
PALETTE = ("#00639c", "#c8500a", "#00795a", "#93478a", "#5b6b78")
MARKERS = ("o", "s", "^", "D", "v")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)), (0, (3, 1)))
HATCHES = ("", "///", "...", "xxx", "\\\\\\")
GOOD, BAD, NEUTRAL = PALETTE[0], PALETTE[1], PALETTE[4]
WIDTHS = {"wide": 7.4, "phone": 3.9}
_medium = "wide"


def theme() -> dict[str, Any]:
    """rcParams of every figure; text stays text, ids are stable, a dollar sign in a name is only a sign."""
    style = sns.axes_style("white") | sns.plotting_context("notebook")
    own = {
        "svg.hashsalt": "vivencia", "svg.fonttype": "none", "text.parse_math": False, "text.usetex": False,
        "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 10, "axes.titlesize": 11,
        "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.labelsize": 10, "xtick.labelsize": 9.5,
        "ytick.labelsize": 9.5, "legend.fontsize": 9.5, "legend.frameon": False, "text.color": INK,
        "axes.labelcolor": MUTED, "axes.edgecolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED,
        "axes.titlecolor": INK, "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8,
        "axes.grid": True, "axes.axisbelow": True, "grid.color": GRID, "grid.linewidth": 0.8, "lines.linewidth": 1.8,
        "lines.markersize": 5, "hatch.linewidth": 0.8, "figure.facecolor": PAPER, "axes.facecolor": PAPER,
        "savefig.facecolor": PAPER, "figure.dpi": 96, "figure.max_open_warning": 0,
    }
    return {**style, **own}


@contextlib.contextmanager
def medium(name: str) -> Iterator[None]:
    """Draw for "wide" (the default, and notebooks) or "phone" while the block runs."""
    global _medium
    before, _medium = _medium, name
    try:
        yield
    finally:
        _medium = before


def is_phone() -> bool:
    """Whether the figure is being drawn for a phone: fewer ticks, legend below, panels under each other."""
    return _medium == "phone"


def drawn_from(*columns: str) -> Callable[[Callable[..., Figure]], Callable[..., Figure | None]]:
    """A figure of (table, words, ...) that is None where no row of the table has a value in all of `columns`.

    The one guard of every figure: small companies come with months and groups that are all suppressed. A table without
    one of the columns has nothing to draw either. Rows that have only some of them are the figure's own business.
    """
    def guarded(draw: Callable[..., Figure]) -> Callable[..., Figure | None]:
        @functools.wraps(draw)
        def drawn(table: pd.DataFrame, words: Words, *options: Any, **named: Any) -> Figure | None:
            is_there = set(columns) <= set(table.columns) and bool(table[list(columns)].notna().all(axis=1).any())
            return draw(table, words, *options, **named) if is_there else None
        return drawn
    return guarded


def canvas(height: float = 3.4, panels: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A themed figure and its axes (a list when panels > 1): side by side on a wide screen, stacked on a phone.

    height: inches of one panel. options go to Figure.subplots (sharex, sharey, ...). No pyplot: no window, no list of
    open figures, no backend to choose. Show it in a notebook with `show`.
    """
    matplotlib.rcParams.update(theme())
    rows, columns = (panels, 1) if is_phone() else (1, panels)
    figure = Figure(figsize=(WIDTHS[_medium], height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, **options)
    return figure, axes if panels == 1 else list(axes.flat)


def describe(figure: Figure, alternative: str) -> Figure:
    """The figure with its alternative text: what a reader who does not see it must know. Without one, no page."""
    figure.set_label(alternative)
    return figure


def alternative(figure: Figure) -> str:
    """The figure's alternative text; ValueError where it was forgotten."""
    text = str(figure.get_label())
    if not text.strip():
        raise ValueError("a figure has no alternative text: end its function with base.describe(figure, text)")
    return text


def svg(figure: Figure) -> str:
    """The figure as SVG text, in the fonts of the page; the same bytes for the same figure on any day.

    Places are measured with DejaVu Sans, which matplotlib brings along and which is wider than the others.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context(theme()):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue().replace("'DejaVu Sans'", FONTS)


def show(figure: Figure | None) -> None:
    """Display the figure in a notebook as the page will show it, with its alternative text; nothing for None."""
    if figure is None:
        return
    from IPython.display import SVG, display

    display(SVG(svg(figure)), metadata={"image/svg+xml": {"alt": alternative(figure)}})


def for_plots(table: pd.DataFrame, below: int, claims: Sequence[Claim] = ()) -> pd.DataFrame:
    """The table as a plot outside the pages may hold it: protected like theirs, blanked rows kept, without people."""
    protected = disclosure.protect_table(table, below, spans=disclosure.known_spans(claims))
    return protected.drop(columns=[*disclosure.FLAGS, disclosure.PEOPLE], errors="ignore")


def value_axis(axis: Axis, words: Words, unit: str, most: int = 6) -> None:
    """Ticks of `axis` written with their unit in the reader's convention."""
    axis.set_major_locator(MaxNLocator(4 if is_phone() else most, steps=[1, 2, 2.5, 5, 10], integer=unit == "count"))

    def written(value: float, _position: int | None = None) -> str:
        ticks = axis.get_majorticklocs()
        step = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else abs(value) or 1.0
        digits = 0 if unit == "count" else _decimals(step)
        return words.value(value, unit, digits, brief=True, scale=max(map(abs, ticks), default=value))

    axis.set_major_formatter(FuncFormatter(written))


def month_ticks(axes: Any, months: Sequence[Any], words: Words) -> None:
    """x positions 0, 1, 2, ... labelled with months, thinned so that labels do not touch."""
    every = max(1, -(-len(months) // (4 if is_phone() else 9)))
    shown = [i for i in range(len(months)) if (len(months) - 1 - i) % every == 0]
    axes.set_xticks(shown, [words.month(months[i], short=True).replace("\u00a0", "\n") for i in shown])
    axes.set_xlim(-0.5, len(months) - 0.5)
    axes.grid(False, axis="x")


def interval_line(axes: Any, x: Sequence[float], y: pd.Series, low: pd.Series, high: pd.Series, index: int = 0,
                  label: str | None = None) -> None:
    """A line with markers and its 95 % band; `index` picks colour, marker and dash together."""
    axes.fill_between(x, low.astype(float), high.astype(float), color=PALETTE[index], alpha=0.15, linewidth=0)
    axes.plot(x, y.astype(float), color=PALETTE[index], marker=MARKERS[index], linestyle=DASHES[index], label=label)


def interval_dots(axes: Any, labels: Sequence[str], y: pd.Series, low: pd.Series, high: pd.Series, index: int = 0,
                  label: str | None = None, offset: float = 0.0) -> None:
    """One row per label (first on top): a marker at the estimate and a line over its 95 % interval."""
    rows = [position + offset for position in range(len(labels))]
    axes.hlines(rows, low.astype(float), high.astype(float), color=PALETTE[index], linewidth=2.2, alpha=0.55)
    axes.plot(y.astype(float), rows, MARKERS[index], color=PALETTE[index], label=label)
    axes.set_yticks(range(len(labels)), [shorten(text) for text in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(False, axis="y")


def zero_line(axes: Any, at: float = 0.0, vertical: bool = True) -> None:
    """The line of "nothing happens"."""
    (axes.axvline if vertical else axes.axhline)(at, color=INK, linewidth=1.0)


def legend(figure: Figure, axes: Any, columns: int = 3) -> None:
    """One legend under the figure, so that it never covers data."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=1 if is_phone() else columns)


def shorten(text: Any) -> str:
    """A name from the data, cut so that it leaves room for the figure."""
    limit = 18 if is_phone() else 30
    return tidy(text, limit)


def _decimals(step: float) -> int:
    """Decimals that tell ticks of this step apart."""
    for digits in range(6):
        if abs(round(step, digits) - step) < step * 1e-6:
            return digits
    return 6
