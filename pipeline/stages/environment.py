"""environment.yml for conda users, made from pyproject.toml; only requirements.lock is exact."""

import tomllib
from pathlib import Path

from pipeline.stages import run

CONDA_NAMES = {"duckdb": "python-duckdb", "matplotlib": "matplotlib-base", "ruamel-yaml": "ruamel.yaml",
               "tzdata": "python-tzdata"}
PIP_ONLY = {"pyfixest", "playwright"}  # not, or not reliably, on conda-forge under these ranges


def environment(project: dict) -> str:
    """The text of environment.yml: pyproject's ranges under their conda names, what conda lacks through pip."""
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    name_of = {requirement: _name(requirement) for requirement in wanted}
    conda = [_conda(requirement) for requirement in wanted if name_of[requirement] not in PIP_ONLY]
    pip = [requirement for requirement in wanted if name_of[requirement] in PIP_ONLY]
    lines = ["# Made from pyproject.toml by `python -m pipeline.stages.environment`; do not edit.",
             "# conda resolves ranges: only requirements.lock (make reports) is exact, to the hash.",
             "name: vivencia", "channels: [conda-forge]", "dependencies:",
             f'  - python{project["requires-python"]}', "  - pip", "  - make"]
    lines += [f"  - {item}" for item in sorted(conda)]
    lines += ["  - pip:", "      - -e .", *(f"      - {item}" for item in sorted(pip))]
    return "\n".join(lines) + "\n"


def _name(requirement: str) -> str:
    return "".join(letter if letter not in "<>=!~ [" else "\0" for letter in requirement).split("\0")[0]


def _conda(requirement: str) -> str:
    name = _name(requirement)
    return CONDA_NAMES.get(name, name) + requirement[len(name):]


def main(argv: list[str]) -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    Path("environment.yml").write_text(environment(project), encoding="utf-8")


if __name__ == "__main__":
    run(main)
