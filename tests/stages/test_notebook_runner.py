"""A notebook counts only when all its cells ran and its results were written; unknown parameters are errors."""

import shutil
from pathlib import Path

import nbformat
import pytest

from pipeline.contracts.params import load_params
from pipeline.contracts.refusal import Refusal
from pipeline.stages import notebook as runner

ROOT = Path(__file__).parents[2]
GOOD = [
    "linked = '../data/linked'  # folder\nresults = '../data/results/04-churn'  # folder\ninactivity_days = 90  # days",
    "from pipeline.contracts.claims import Claim\nfrom pipeline.contracts.results import write_results",
    "claims = [Claim('churn.x', float(inactivity_days), 'days', 1, 'given')]\nwrite_results(results, claims, {}, [])",
]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A folder with params.yaml and an empty notebooks/; the churn notebook receives inactivity_days alone."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(runner, "parameters_of", lambda params, name: {"inactivity_days": 120})
    return tmp_path


def put(workspace: Path, cells: list[str]) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    book.cells[0].metadata["tags"] = ["parameters"]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, workspace / "notebooks/04-churn.ipynb")


def test_a_good_notebook_runs_with_the_given_parameter_and_its_bytes_repeat(workspace):
    put(workspace, GOOD)
    runner.main(["04-churn"])
    executed = workspace / "data/results/04-churn/notebook.ipynb"
    first = executed.read_bytes()
    assert '"estimate": 120.0' in (workspace / "data/results/04-churn/claims.json").read_text()
    runner.main(["04-churn"])
    assert executed.read_bytes() == first
    assert b"papermill" not in first
    cells = nbformat.reads(first.decode(), as_version=4).cells
    assert cells[0].source.startswith("**Solo para analistas.**") and cells[1].metadata["tags"] == ["parameters"]


@pytest.mark.parametrize(("last", "rule", "says"), [
    ("raise ValueError('no such month')", "NB-FAILED", "cell 3 failed with ValueError: no such month"),
    ("import os; os._exit(0)", "NB-", "04-churn.ipynb"),
    ("import sys; sys.exit(0)", "NB-", "04-churn.ipynb"),
    ("pass", "NB-EARLY", "wrote no results"),
])
def test_a_notebook_that_ends_early_is_refused(workspace, last, rule, says):
    put(workspace, [*GOOD[:2], last])
    with pytest.raises(Refusal) as caught:
        runner.main(["04-churn"])
    assert caught.value.rule.startswith(rule)
    assert says in str(caught.value)
    assert not (workspace / "data/results/04-churn/complete").exists()


def test_results_of_an_earlier_run_do_not_stand_in_for_a_failed_one(workspace):
    put(workspace, GOOD)
    runner.main(["04-churn"])
    put(workspace, [*GOOD[:2], "import sys; sys.exit(0)", GOOD[2]])
    with pytest.raises(Refusal):
        runner.main(["04-churn"])
    assert not (workspace / "data/results/04-churn/complete").exists()


def test_unknown_and_ungiven_parameters_are_refused():
    with pytest.raises(Refusal, match=r"'window' is in params.yaml but not in the parameters cell"):
        runner.check_parameters("04-churn", {"linked", "results"}, {"window"})
    with pytest.raises(Refusal, match=r"'window' of the parameters cell has no value"):
        runner.check_parameters("04-churn", {"linked", "results", "window"}, set())


@pytest.mark.parametrize(("notebook", "old", "new", "rule"), [
    ("sales", "covariates: [exposure_months]", "covariates: [revenue_next]", "PARAM-OUTCOME"),
    ("churn", "covariates: [segment, value_band]", "covariates: [is_churned_next]", "PARAM-OUTCOME"),
    ("churn", "covariates: [segment, value_band]", "covariates: [segmento]", "PARAM-COLUMN"),
    ("churn", "[hogar, autónomo, empresa]", "[hogar, oro]", "PARAM-SEGMENT"),
    ("experience", "[segment, value_band, branch, had_ticket, purchases]", "[segment, score]", "PARAM-OUTCOME"),
    ("experience", "[touchpoint, channel, segment, is_promise_kept]", "[touchpoint, canal]", "PARAM-COLUMN"),
    ("coverage", "[segment, value_band, branch]", "[segmento]", "PARAM-COLUMN"),
    ("sales", "covariates: [exposure_months]", "covariates: [exposure_months]", None),
])
def test_named_columns_are_checked_before_anything_is_computed(tmp_path, notebook, old, new, rule):
    import pandas as pd

    panel = pd.DataFrame({name: [] for name in ("customer_id", "period", "segment", "value_band", "exposure_months",
                                                "revenue_next", "is_churned_next", "score_nps")})
    panel.to_parquet(tmp_path / "customer_periods.parquet")
    pd.DataFrame({"segment": ["hogar", "autónomo", "empresa", None]}).to_parquet(tmp_path / "customer_totals.parquet")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "params.yaml").write_text(text.replace(old, new), encoding="utf-8")
    params = load_params(tmp_path / "params.yaml")
    if rule is None:
        for section in ("coverage", "experience", "sales", "churn"):
            runner.check_columns(params, section, tmp_path)
        return
    with pytest.raises(Refusal, match=rule):
        runner.check_columns(params, notebook, tmp_path)
