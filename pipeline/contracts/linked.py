"""The linked tables as notebooks read them; a table that no source feeds is an empty frame."""

import json
from pathlib import Path
from typing import Any

import pandas as pd


def read_linked(folder: str | Path, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """data/linked/<name>.parquet, or a frame without rows and columns where the file is not there."""
    path = Path(folder) / f"{name}.parquet"
    return pd.read_parquet(path, columns=columns) if path.exists() else pd.DataFrame()


def read_linkage(folder: str | Path) -> dict[str, Any]:
    """The facts of data/linked/linkage.json; none where the file is not there."""
    path = Path(folder) / "linkage.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
