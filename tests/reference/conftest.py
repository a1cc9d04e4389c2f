"""Published figures and the sets they were made from; nothing of them is kept in this repository."""

import json
import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("VIVENCIA_REFERENCE", Path(__file__).parents[3] / "shared/data/reference"))


@pytest.fixture(scope="session")
def reference_folder() -> Path:
    """The folder of reference data; a test that asks for it is skipped, with the reason, where there is none."""
    if not (FOLDER / "reference_values.json").exists():
        pytest.skip(f"no reference data in {FOLDER} (VIVENCIA_REFERENCE names another folder)")
    return FOLDER


@pytest.fixture(scope="session")
def published(reference_folder) -> dict:
    return json.loads((reference_folder / "reference_values.json").read_text(encoding="utf-8"))
