"""The report stage: all pages or none, the last good page stays, a notebook that did not end is named."""

import re
from pathlib import Path

import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.params import Notebook
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.results import write_results
from pipeline.stages import report

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(made_up, results, tmp_path, monkeypatch):
    """A workspace with the real params.yaml, three notebooks declared, and their complete made-up results."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "proven", lambda words, printed: {})  # its wording is not among the made-up one
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    Path("params.yaml").write_text(re.sub(r"  04-churn:.*\n", "", text), encoding="utf-8")
    for name, found in results().items():
        write_results(f"data/results/{name}", found.claims, found.tables, [])
    return tmp_path


def pages() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in Path("reports").glob("*")}


def test_writes_a_page_for_each_notebook_the_index_and_the_file(workspace, capsys):
    report.main([])
    assert sorted(pages()) == ["01-data-and-coverage.html", "02-experience-metrics.html", "03-sales.html",
                               "claims.csv", "index.html"]
    assert "entre 27,6 y 35,2" in pages()["index.html"]
    assert "12 claims of 3 notebooks" in capsys.readouterr().out


def test_a_notebook_that_did_not_end_leaves_the_last_good_pages(workspace):
    report.main([])
    before = pages()
    Path("data/results/03-sales/complete").unlink()
    with pytest.raises(Refusal, match=r"notebooks/03-sales\.ipynb.*NOTEBOOK-INCOMPLETE"):
        report.main([])
    assert pages() == before


def test_a_page_that_fails_leaves_all_the_last_good_pages(workspace):
    """The broken notebook is the last one: not even the pages before it are written."""
    report.main([])
    before = pages()
    write_results("data/results/01-data-and-coverage", [Claim("data.rows_in", 5.0, "count", 500, "m")], {}, [])
    write_results("data/results/03-sales", [Claim("sales.unheard_of", 1.0, "ratio", 500, "m")], {}, [])
    with pytest.raises(Refusal, match=r"sales\.unheard_of.*WORDING-MISSING"):
        report.main([])
    assert pages() == before


def test_results_come_in_the_order_of_params(workspace):
    names = {"03-sales": Notebook("sales"), "01-data-and-coverage": Notebook("coverage")}
    assert list(report.complete_results(names)) == list(names)
