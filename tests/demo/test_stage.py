"""The stage writes the demo only where nothing else lies, and never stands in for a company's own exports."""

import dataclasses
import json
from pathlib import Path

import pytest

from pipeline.contracts.params import load_params
from pipeline.contracts.refusal import Refusal
from pipeline.stages import demo

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty folder to run in, and a way to set company.data and the demo's size."""
    params = load_params(ROOT / "params.yaml")
    monkeypatch.chdir(tmp_path)

    def use(data="invented", customers=60, months=6, world="base"):
        changed = dataclasses.replace(
            params, company=dataclasses.replace(params.company, data=data),
            demo=dataclasses.replace(params.demo, customers=customers, months=months, world=world))
        monkeypatch.setattr(demo, "load_params", lambda: changed)
        demo.main([])
    return use


def snapshot() -> dict[str, bytes]:
    return {path.as_posix(): path.read_bytes() for path in sorted(Path("data").rglob("*")) if path.is_file()}


def test_empty_folder_gets_exports_manifest_and_truth(workspace, capsys):
    workspace()
    told = json.loads(Path("data/raw/demo/truth.json").read_text(encoding="utf-8"))
    assert told["invented"] is True and told["parameters"]["customers"] == 60
    assert told["good_rows"]["customers"] == 60 and told["second_accounts"] == 3
    assert {entry["verdict"] for entry in told["dirt"]} == {"repaired", "quarantined", "dropped"}
    assert "surveys/encuestas.csv" in json.loads(Path("data/raw/demo/manifest.json").read_text())["files"]
    assert capsys.readouterr().out.count("\n") == 1


def test_again_gives_identical_bytes_and_another_size_leaves_nothing_stale(workspace):
    workspace(months=24)
    first = snapshot()
    workspace(months=24)
    assert snapshot() == first
    assert "data/raw/sales/ventas-2025.csv" in first
    workspace(months=6)
    assert "data/raw/sales/ventas-2025.csv" not in snapshot()
    assert demo.files_of_whom(Path("data/raw"))[1] == []


@pytest.mark.parametrize("touch", ["a file beside them", "a changed file", "no manifest"])
def test_what_is_not_the_demos_own_is_left_alone(workspace, capsys, touch):
    workspace()
    capsys.readouterr()
    if touch == "a file beside them":
        Path("data/raw/surveys/mine.csv").write_text("a;b\n")
    elif touch == "a changed file":
        with open("data/raw/tickets/tickets.csv", "a", encoding="utf-8") as handle:
            handle.write("mine\n")
    else:
        Path("data/raw/demo/manifest.json").unlink()
    before = snapshot()
    workspace(customers=80)
    assert snapshot() == before
    said = capsys.readouterr().out
    assert "left exactly as it is" in said and said.count("\n") == 1


def test_a_run_broken_off_is_still_the_demos_own(workspace, monkeypatch):
    workspace()
    real, calls = demo.os.replace, []

    class Breaking:
        @staticmethod
        def replace(source, target):
            calls.append(target)
            if len(calls) == 3:
                raise KeyboardInterrupt
            real(source, target)

    monkeypatch.setattr(demo, "os", Breaking)
    with pytest.raises(KeyboardInterrupt):
        workspace(customers=80)
    own, foreign = demo.files_of_whom(Path("data/raw"))
    assert len(calls) == 3 and foreign == [] and len(own) > 3
    assert not list(Path("data").glob(".demo-*"))


def test_own_data_without_exports_is_refused_with_where_to_put_them(workspace):
    with pytest.raises(Refusal, match=r"data/raw/surveys.*DATA-NONE"):
        workspace(data="own")


def test_own_data_with_only_the_invented_exports_is_refused(workspace):
    workspace()
    with pytest.raises(Refusal) as refused:
        workspace(data="own")
    assert refused.value.rule == "DATA-NONE"


def test_own_exports_beside_the_invented_ones_are_refused_and_alone_are_fine(workspace, capsys):
    workspace()
    Path("data/raw/surveys/mine.csv").write_text("a;b\n")
    with pytest.raises(Refusal) as refused:
        workspace(data="own")
    assert refused.value.rule == "DATA-MIXED"
    for name in demo.files_of_whom(Path("data/raw"))[0]:
        Path("data/raw", name).unlink()
    capsys.readouterr()
    workspace(data="own")
    assert "nothing made" in capsys.readouterr().out
    assert list(snapshot()) == ["data/raw/surveys/mine.csv"]


def test_unknown_world_is_refused_with_the_worlds_there_are(workspace):
    with pytest.raises(Refusal, match="one of base, feedback"):
        workspace(world="upside_down")
