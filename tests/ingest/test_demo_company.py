"""The invented company's exports, against the ledger of what was planted in them: every good row comes back, every
dirty one is found, and money is right to the cent. The expectations are the demo's, which knows nothing of ingest."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.params import load_params
from pipeline.demo.company import simulate
from pipeline.demo.exports import write_exports
from pipeline.ingest.clean import clean_source
from pipeline.stages.demo import told_truth

CUSTOMERS, MONTHS, SEED = 500, 12, 7
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """(truth as told, params, source -> (account, clean table)) of one small company, each source ingested once."""
    folder = tmp_path_factory.mktemp("company")
    params = load_params(ROOT / "params.yaml")
    made = simulate(CUSTOMERS, MONTHS, SEED, "base", params.demo.first_month)
    _, planted, second = write_exports(made, folder / "raw")
    found = {}
    for name, source in params.sources.items():
        work = folder / name
        work.mkdir()
        here = replace(source, folder=str(folder / "raw" / Path(source.folder).name))
        cleaned = clean_source(name, here, replace(params.company, data="public"), params.privacy, work)
        found[name] = cleaned.account, pd.read_parquet(cleaned.clean)
    return told_truth(made, planted, second), found


def test_every_dirty_row_gets_the_verdict_it_was_planted_for(company):
    truth, found = company
    planted: dict[str, Counter] = {name: Counter() for name in found}
    for entry in truth["dirt"]:
        planted[entry["table"]][entry["verdict"]] += entry["rows"]
    for name, (account, _) in found.items():
        assert account.total("quarantined") == planted[name]["quarantined"], name
        assert account.total("dropped") == planted[name]["dropped"], name


def test_every_good_row_comes_back(company):
    truth, found = company
    rows = {name: len(clean) for name, (_, clean) in found.items()}
    good = truth["good_rows"]
    assert rows == {**{name: good[name] for name in rows}, "customers": good["customers"] + truth["second_accounts"]}
    assert found["surveys"][0].total("clean") == good["survey_records"]


def test_net_sales_are_right_to_the_cent(company):
    truth, found = company
    sales = found["sales"][1]
    assert sum(sales["net_amount"]) == Decimal(str(truth["net_sales"]))
    known = sales["customer_id"].notna()
    assert sum(sales.loc[known, "net_amount"]) == Decimal(str(truth["net_sales_of_known_customers"]))


def test_pseudonyms_of_one_customer_meet_across_sources(company):
    """All who bought, asked or answered are accounts that the customers table names, however they were written."""
    _, found = company
    accounts = set(found["customers"][1]["customer_id"])
    for name in ("surveys", "tickets", "sales"):
        assert set(found[name][1]["customer_id"].dropna()) <= accounts, name
