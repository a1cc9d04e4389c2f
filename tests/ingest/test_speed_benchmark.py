"""The benchmark of speed at its smallest: the stages, the plain copy and the analyst's script agree on every result.

How fast they are is no test: only the benchmark, side by side in one run, says that.
"""

import json

import pandas as pd
import pytest

from benchmarks import speed
from benchmarks.exports import COLUMNS, write_exports


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speed")
    write_exports("small", folder, speed.ROOT / "params.yaml")
    speed.one_round(folder)
    return folder


def test_rows_money_and_ids_are_the_same_three_ways(workspace):
    assert speed.differences(workspace) == []


def test_the_exports_hold_the_dirt_that_makes_the_work_real(workspace):
    rules = {}
    for name in COLUMNS:
        account = json.loads((workspace / f"data/clean/{name}.account.json").read_text(encoding="utf-8"))
        rules[name] = {rule["rule"] for rule in account["rules"]}
        assert account["quarantined"] / account["rows_in"] < 0.05
    assert {"DATE-FMT", "NUM-LOCALE", "NUM-CURR", "KEY-NORM", "KEY-DUP-SAME", "KEY-NULL"} <= rules["sales"]
    assert {"CSAT-MAP", "NPS-RANGE", "DATE-FMT", "PII-TEXT", "KEY-DUP-SAME"} <= rules["surveys"]
    assert {"TTR-NEG", "DATE-FMT", "KEY-DUP-SAME"} <= rules["tickets"]


@pytest.mark.parametrize(("change", "said"), [
    (lambda sales: sales.assign(amount=sales["amount"].where(sales.index > 0, sales["amount"] + 0.01)), "net sales:"),
    (lambda sales: sales.iloc[1:], "sales: rows:"),
    (lambda sales: sales.assign(Order="x" + sales["Order"]), "sales: order_id not shared:"),
    (lambda sales: sales.assign(account=sales["account"].str.upper() + "0"), "sales: customer_id not shared:"),
])
def test_a_cent_a_row_or_a_letter_of_an_id_shows(workspace, change, said):
    script = workspace / "script"
    kept = {path: path.read_bytes() for path in (script / "sales.parquet", script / "counts.json")}
    changed = change(pd.read_parquet(script / "sales.parquet"))
    counts = json.loads((script / "counts.json").read_text(encoding="utf-8"))
    counts["money"], counts["sales"]["clean"] = round(float(changed["amount"].sum()), 2), len(changed)
    try:
        changed.to_parquet(script / "sales.parquet", index=False)
        (script / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
        assert any(one.startswith(said) for one in speed.differences(workspace))
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def test_one_seed_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_exports("small", tmp_path / name, speed.ROOT / "params.yaml")
    for path in (tmp_path / "one").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_the_table_names_every_stage_and_what_differs():
    run = speed.Run(2.0, 3.0, 100.0)
    assert run + speed.Run(1.0, 1.0, 200.0) == speed.Run(3.0, 4.0, 200.0)
    text = speed.shown({"size": "S", "rows": {"sales": 1000}, "rounds": 1, "taken": {"copy": speed.asdict(run)},
                        "ratios": {"clean / copy": {"wall": 1.5, "cpu": 2.0}}, "differences": ["sales: rows in: 1, 2"]})
    assert "1,000 sales" in text and "copy" in text and "DIFFERS: sales: rows in: 1, 2" in text
