"""The dictionary in data/README.md is the contracts', and each table's key is one of its required columns."""

from pathlib import Path

import pytest

from pipeline.contracts.tables import TABLES
from pipeline.stages.dictionary import readme

ROOT = Path(__file__).parents[2]


def test_the_dictionary_is_what_the_generator_writes():
    assert (ROOT / "data/README.md").read_text(encoding="utf-8") == readme()


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_key_is_made_of_columns_and_every_column_says_what_missing_means(table):
    assert set(table.key) <= set(table.names)
    assert len(set(table.names)) == len(table.names)
    assert all(column.meaning and column.missing for column in table.columns)


@pytest.mark.parametrize("notebook", ["01-data-and-coverage", "02-experience-metrics", "03-sales", "04-churn"])
def test_what_hides_no_small_group_is_kept_out_of_the_repository(notebook: str):
    """As data/README.md says of claims.json, tables/ and notebook.ipynb."""
    ignored = (ROOT / "data/results" / notebook / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/claims.json", "/tables", "/notebook.ipynb"} <= set(ignored)
