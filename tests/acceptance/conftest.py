"""One fresh clone, its pipeline run once on a small invented company; the tests of this folder share it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = 1000  # customers; everything else as in params.yaml


class Clone:
    """A fresh clone of the repository in a folder of its own, and the commands of its users."""

    def __init__(self, folder: Path, ready: bool = False):
        self.folder = folder
        if ready:
            return
        names = self._git(ROOT, "ls-files", "-co", "--exclude-standard", "-z").stdout.split("\0")
        for name in sorted(filter(None, names)):
            source, target = ROOT / name, folder / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        self.edit("params.yaml", "customers: 6000", f"customers: {SMALL}")
        self._git(folder, "init", "-q", "-b", "main")
        self.commit("as cloned")

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess:
        """The command in the clone, the environment active; its output as text, whatever its exit code."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False,
                              env=os.environ | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | variables)

    def repro(self, *more: str, **variables: str) -> str:
        """The output of `dvc repro`, which must end well."""
        done = self.run("dvc", "repro", *more, **variables)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def commit(self, message: str) -> None:
        self._git(self.folder, "add", "-A")
        self._git(self.folder, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q",
                  "--allow-empty", "-m", message)

    def bytes_of(self, *patterns: str) -> dict[str, bytes]:
        """The files that match, by name."""
        files = [path for pattern in patterns for path in self.folder.glob(pattern) if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in sorted(files)}

    def copy(self, folder: Path) -> "Clone":
        """The same clone elsewhere, with its cache and its state, to be changed at will."""
        shutil.copytree(self.folder, folder)
        return Clone(folder, ready=True)

    @staticmethod
    def _git(folder: Path, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)


@pytest.fixture(scope="session")
def clone(tmp_path_factory) -> Clone:
    """The clone after its first `dvc repro`, its lock committed. Tests that change something take a copy."""
    clone = Clone(tmp_path_factory.mktemp("clone"))
    clone.repro()
    clone.commit("first run")
    return clone


@pytest.fixture
def copy(clone, tmp_path) -> Clone:
    """A copy of the clone for one test to change."""
    return clone.copy(tmp_path / "copy")


def stages_run(output: str) -> set[str]:
    """The stages that `dvc repro` says it ran."""
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")}
