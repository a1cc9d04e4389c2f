"""A fingerprint of code: twelve hexadecimal digits that change when a line of it does."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def fingerprint(folders: list[str] | tuple[str, ...], root: Path = ROOT) -> str:
    """Of the Python and JSON files under these folders, and of single files (posix paths below root): names and
    contents, line ends alike.

    A folder that is not there counts as empty.
    """
    total = hashlib.sha256()
    for folder in folders:
        found = [root / folder] if (root / folder).is_file() else (root / folder).rglob("*")
        for file in sorted(found, key=lambda path: path.relative_to(root).as_posix()):
            if file.suffix in (".py", ".json") and "__pycache__" not in file.parts:
                total.update(file.relative_to(root).as_posix().encode() + b"\0")
                total.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return total.hexdigest()[:12]
