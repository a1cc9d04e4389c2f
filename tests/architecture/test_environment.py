"""pyproject.toml, requirements.lock and environment.yml say the same; the lock has hashes and no addresses."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from pipeline.stages.environment import environment

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
WANTED = [Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]]


def pins() -> list[tuple[str, Version]]:
    """(canonical name, version) of every pin; a package may be pinned once per Python version."""
    return [(canonicalize_name(name), Version(version))
            for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, re.M)]


def test_environment_yml_is_what_the_generator_writes():
    assert (ROOT / "environment.yml").read_text(encoding="utf-8") == environment(PROJECT)


@pytest.mark.parametrize("wanted", WANTED, ids=lambda requirement: requirement.name)
def test_every_requirement_is_pinned_within_its_range(wanted):
    versions = [version for name, version in pins() if name == canonicalize_name(wanted.name)]
    assert versions
    assert all(wanted.specifier.contains(version) for version in versions)


def test_lock_is_hashed_and_names_no_address():
    assert len(re.findall(r"^[A-Za-z0-9._-]+==", LOCK, re.M)) == len(pins()) > 100
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK.strip())
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|--index|--find-links|file:", LOCK)
