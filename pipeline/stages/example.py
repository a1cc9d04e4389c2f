"""The pages of a public data set, in a folder of its own; the workspace is left as it is."""

import shutil
import subprocess
from pathlib import Path

from pipeline.contracts.refusal import Refusal
from pipeline.stages import run

CODE = ("pipeline", "notebooks")
FILES = ("dvc.yaml", "requirements.lock", ".dvcignore")


def lay_out(root: Path, example: Path, data: Path, target: Path) -> None:
    """A workspace in `target`: code of `root`, params of the example, a copy of the data in data/raw/<example>."""
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    skip = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for name in CODE:
        shutil.copytree(root / name, target / name, ignore=skip)
    for name in FILES:
        shutil.copyfile(root / name, target / name)
    shutil.copyfile(example / "params.yaml", target / "params.yaml")
    shutil.copytree(data, target / "data/raw" / example.name, ignore=skip, copy_function=shutil.copyfile)
    (target / "reports").mkdir()


def main(argv: list[str]) -> None:
    """`python -m pipeline.stages.example telco FOLDER`: builds the pages in build/examples/telco/reports."""
    root, known = Path.cwd(), sorted(p.parent.name for p in Path("examples").glob("*/params.yaml"))
    name, data = [*argv, "", ""][:2]
    if name not in known:
        raise Refusal("EXAMPLE-NAME", "there is no such example", found=repr(name), expected="NAME=" + "|".join(known))
    if not data or not Path(data).is_dir():
        raise Refusal("EXAMPLE-DATA", "the folder with the data set is not there", found=repr(data),
                      expected=f"DATA=folder, as examples/{name}/README.md says")
    target = root / "build/examples" / name
    lay_out(root, root / "examples" / name, Path(data), target)
    for command in (["dvc", "init", "--no-scm", "-q"], ["dvc", "repro"]):
        if subprocess.run(command, cwd=target, check=False).returncode:
            raise Refusal("EXAMPLE-RUN", f"{' '.join(command[:2])} did not end well in {target.relative_to(root)}")
    print(f"The pages are ready: {target / 'reports/index.html'}")


if __name__ == "__main__":
    run(main)
