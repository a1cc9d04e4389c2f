"""The notebooks keep the house rules, and their defaults are params.yaml's, both ways."""

import ast
from pathlib import Path

import nbformat
import pytest

from pipeline.contracts.params import load_params
from pipeline.stages.notebook import PATHS, parameters_of

ROOT = Path(__file__).parents[2]
PARAMS = load_params(ROOT / "params.yaml")
BOOKS = {name: nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4) for name in PARAMS.notebooks}
each = pytest.mark.parametrize("name", BOOKS)


def code_cells(name: str) -> list:
    return [cell for cell in BOOKS[name].cells if cell.cell_type == "code"]


def defaults(name: str) -> dict:
    """The literals of the parameters cell."""
    tree = ast.parse(code_cells(name)[0].source)
    assert all(isinstance(node, ast.Assign) for node in tree.body)
    return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body}


def test_every_notebook_is_declared():
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} == set(PARAMS.notebooks)


@each
def test_defaults_equal_params(name):
    assert code_cells(name)[0].metadata["tags"] == ["parameters"]
    given = {key: value for key, value in defaults(name).items() if key not in PATHS}
    assert given == parameters_of(PARAMS, name)


@each
def test_every_parameter_is_explained(name):
    lines = [line for line in code_cells(name)[0].source.splitlines() if "=" in line.split("#")[0]]
    assert lines
    assert [line for line in lines if "#" not in line] == []


@each
def test_one_question_and_short_cells(name):
    cells = BOOKS[name].cells
    text = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    titles = [line for line in text if line.startswith("# ")]
    assert len(titles) == 1
    assert titles[0].endswith("?")
    assert 15 <= len(cells) <= 30
    assert max(len(cell.source.splitlines()) for cell in code_cells(name)[1:]) <= 10
    assert not [cell for cell in code_cells(name)[1:] if "def " in cell.source or cell.source.startswith("%")]


@each
def test_no_outputs_are_kept_and_ids_are_unique(name):
    assert not [cell for cell in code_cells(name) if cell.outputs or cell.execution_count]
    ids = [cell["id"] for cell in BOOKS[name].cells]
    assert len(set(ids)) == len(ids)
    assert "results" in code_cells(name)[-1].source
