"""Every figure draws what is there, and nothing where nothing is left: small companies have all months suppressed."""

import base64
import importlib
import inspect
import pkgutil

import pandas as pd
import pytest
from matplotlib.figure import Figure

from pipeline.report import figures
from pipeline.report.disclosure import FLAGS, protect_table
from pipeline.report.figures import base
from pipeline.report.words import Words

LIMITS = {"ci_low": [0.1, 0.2], "ci_high": [0.5, 0.6]}
LEVEL = {"n": [40, 60], "estimate": [0.3, 0.4]} | LIMITS
GROUP = {"dimension": ["channel", "channel"], "segment": ["channel:web", "channel:app"]}
# Two rows of each figure's table; the numbers of one row never matter here, only that they can be drawn.
TABLES = {
    "churn.by_score": {"score": [1, 2], "n": [40, 60], "left": [4, 5], "rate": [0.3, 0.4],
                       "fitted": [0.3, 0.4]} | LIMITS,
    "churn.windows": {"days": [45, 90]} | LEVEL,
    "churn.calibration": {"group": [1, 2], "fitted": [0.3, 0.4], "rate": [0.3, 0.4], "n": [40, 60]} | LIMITS,
    "coverage.rows": {"source": ["surveys", "sales"], "rows_in": [50, 60], "rows_repaired": [1, 2],
                      "rows_quarantined": [2, 3], "rows_dropped": [0, 1]},
    "coverage.response": GROUP | LEVEL | {"gap": [0.1, -0.1], "is_gap_notable": [True, False]},
    "coverage.composition": GROUP | {"n": [40, 60], "customers_share": [0.4, 0.6], "answered_share": [0.5, 0.5],
                                     "revenue_share": [0.3, 0.7]},
    "experience.months": {"period": ["2024-01", "2024-03"]} | LEVEL,
    "experience.groups": GROUP | LEVEL | {"gap": [0.1, -0.1], "is_gap_notable": [True, False]},
    "experience.labels": {"segment": ["all", "all"], "label": ["negative", "positive"]} | LEVEL,
    "experience.distribution": {"instrument": ["nps", "nps"], "score": [1.0, 2.0], "estimate_share": [0.4, 0.6],
                                "n": [40, 60]},
    "experience.silent": {"delta": [0.0, 1.0], "raw": [0.3, 0.3]} | LEVEL,
    "experience.unsolved": {"hours": [1.0, 24.0], "unsolved_share": [0.8, 0.4], "n": [40, 60]},
    "sales.naive_vs_adjusted": {"claim": ["sales.per_point"] * 2, "unit": ["percent"] * 2,
                                "is_naive": [False, True]} | LEVEL,
    "sales.timing": {"lag": [1, 0], "carried": [None, 0.2]} | LEVEL,
    "sales.shape": {"score": [1, 2], "spline": [0.1, 0.2], "spline_low": [0.0, 0.1], "spline_high": [0.2, 0.3]} | LEVEL,
    "trust.coverage": {"family": ["mean", "share"], "held": [True, False]} | LEVEL,
}
NO_FIGURES_OF_PEOPLE = ("coverage.rows", "trust.coverage")  # rows of exports, invented companies: never suppressed
CUT_OFF = """[...document.images].flatMap(image => {
    const text = new TextDecoder().decode(Uint8Array.from(atob(image.src.split(',')[1]), c => c.charCodeAt(0)));
    const drawn = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
    const svg = document.body.appendChild(document.importNode(drawn, true)), frame = svg.getBoundingClientRect();
    const cut = [...svg.querySelectorAll('text')].filter(one => {
        const box = one.getBoundingClientRect();
        return box.right > frame.right + 1 || box.left < frame.left - 1 || box.bottom > frame.bottom + 1;
    }).map(one => `${image.alt}: ${one.textContent}`);
    svg.remove();
    return frame.width > 100 ? cut : [`${image.alt}: nothing drawn`];
})"""
ALL_KINDS = {"dimension": ["all", *["channel"] * 3], "segment": ["all", "channel:web", "channel:app", "channel:post"],
             "n": [90, 40, 60, 50], "estimate": [0.3, 0.4, 0.2, 0.3], "ci_low": [0.2, 0.3, 0.1, 0.2],
             "ci_high": [0.4, 0.5, 0.3, 0.4], "gap": [None, 0.1, -0.1, 0.0],
             "is_gap_notable": [None, True, True, False]}  # better, worse and alike beside the line of all
KEYS = ("score", "period", "lag", "days", "group", "delta", "hours")


def functions():
    """module.name -> every figure function of the package."""
    found = {}
    for module in pkgutil.iter_modules(figures.__path__):
        loaded = importlib.import_module(f"{figures.__name__}.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            is_own = function.__module__ == loaded.__name__ and not name.startswith("_")
            if is_own and module.name != "base" and list(inspect.signature(function).parameters)[:2] == [
                    "table", "words"] and inspect.signature(function).return_annotation is Figure:
                found[f"{module.name}.{name}"] = function
    return found


FUNCTIONS = functions()
each = pytest.mark.parametrize("name", sorted(TABLES))


@pytest.fixture(scope="module")
def words():
    return Words("en")


def is_drawn(figure, medium="wide"):
    """Whether it is a figure that a page can hold: it can be saved and has its alternative text."""
    return figure is not None and base.svg(figure).startswith("<?xml") and bool(base.alternative(figure))


def test_every_figure_of_the_package_is_tried_here():
    assert sorted(FUNCTIONS) == sorted(TABLES)


@each
@pytest.mark.parametrize("medium", sorted(base.WIDTHS))
def test_what_is_there_is_drawn(name, medium, words):
    with base.medium(medium):
        assert is_drawn(FUNCTIONS[name](pd.DataFrame(TABLES[name]), words))


@each
@pytest.mark.parametrize("row", [0, 1])
def test_one_row_is_drawn(name, row, words):
    assert is_drawn(FUNCTIONS[name](pd.DataFrame(TABLES[name]).iloc[[row]].reset_index(drop=True), words))


@each
@pytest.mark.parametrize("row", [0, 1])
def test_one_row_of_two_is_suppressed(name, row, words):
    """Its figures are missing, its names and keys are there; months and groups may also come with Int64 and NA."""
    table = pd.DataFrame(TABLES[name]).convert_dtypes()
    if name not in NO_FIGURES_OF_PEOPLE:
        gone = [c for c in table if c not in KEYS and not pd.api.types.is_string_dtype(table[c].dtype)
                and c not in ("is_naive",)]
        table.loc[row, gone] = pd.NA
    assert is_drawn(FUNCTIONS[name](table, words))


@each
def test_no_rows_are_no_figure(name, words):
    table = pd.DataFrame(TABLES[name])
    assert FUNCTIONS[name](table.iloc[:0], words) is None
    assert FUNCTIONS[name](table.iloc[:0].astype(object), words) is None
    assert FUNCTIONS[name](pd.DataFrame(), words) is None


@pytest.mark.parametrize("name", sorted(set(TABLES) - set(NO_FIGURES_OF_PEOPLE)))
def test_all_suppressed_is_no_figure(name, words):
    table = pd.DataFrame(TABLES[name] | {"n": [4, 5]})
    protected = protect_table(table, 10, keys=KEYS).drop(columns=list(FLAGS))
    assert protected["n"].isna().all()
    assert FUNCTIONS[name](protected, words) is None


def test_a_notebook_shows_nothing_for_no_figure(capsys):
    base.show(None)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("medium", sorted(base.WIDTHS))
def test_no_word_of_a_figure_is_cut_off_at_its_edge(language, medium, visit):
    """In the browser, whose letters are wider than those that the figure was laid out with."""
    words, drawn = Words(language), {}
    with base.medium(medium):
        for name, table in (TABLES | {"experience.groups": ALL_KINDS, "coverage.response": ALL_KINDS}).items():
            drawn[name] = base.svg(FUNCTIONS[name](pd.DataFrame(table), words))
    images = [f'<img alt="{name}" src="data:image/svg+xml;base64,{base64.b64encode(one.encode()).decode()}">'
              for name, one in drawn.items()]
    assert visit({"index.html": "<!doctype html>" + "".join(images)}).page.evaluate(CUT_OFF) == []
