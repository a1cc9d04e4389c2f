"""Who may import whom, as DESIGN.md draws it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWNERS = {"statsmodels": {"measure", "relate"}, "seaborn": {"report"}, "papermill": {"stages"}}


def test_rooms_import_only_lower_floors():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout and "4 kept" in done.stdout


def imported(path: Path) -> set[str]:
    """First parts of all modules a file imports, wherever in the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize(("library", "rooms"), OWNERS.items())
def test_a_library_is_imported_in_its_own_rooms_only(library, rooms):
    users = {path.relative_to(ROOT / "pipeline").parts[0] for path in (ROOT / "pipeline").rglob("*.py")
             if library in imported(path)}
    assert users
    assert users <= rooms


def test_no_module_is_called_utils():
    assert not [path for path in ROOT.glob("pipeline/**/*.py") if path.stem in ("utils", "helpers", "misc", "common")]
