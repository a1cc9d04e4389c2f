"""The params of the examples hold every key that dvc.yaml names: DVC stops at a key that is missing, default or not."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.contracts.params import load_params

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "params.yaml", *sorted(ROOT.glob("examples/*/params.yaml"))]


def read(path: Path) -> dict:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def named(params: dict) -> set[str]:
    """Dotted keys that the stages of dvc.yaml ask of these params, `foreach` written out."""
    found = set()
    for stage in read(ROOT / "dvc.yaml")["stages"].values():
        items = params[stage["foreach"].strip("${}")] if "foreach" in stage else {"": {}}
        for key in stage.get("do", stage).get("params", []):
            found |= {key.replace("${key}", name).replace("${item.section}", item.get("section", ""))
                      for name, item in items.items()}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_every_key_that_dvc_names_is_there(path):
    params = read(path)
    load_params(path)
    keys = named(params)
    assert {"company", "report.language", "sales.smallest_effect", "churn.smallest_effect"} <= keys
    for key in sorted(keys):
        here = params
        for part in key.split("."):
            assert part in here, f"{path.parent.name}: {key}"
            here = here[part]
