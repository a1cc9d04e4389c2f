"""The linked tables as notebooks read them; a table that no source feeds is an empty frame."""

from pathlib import Path

import pandas as pd


def read_linked(folder: str | Path, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """data/linked/<name>.parquet, or a frame without rows and columns where the file is not there."""
    path = Path(folder) / f"{name}.parquet"
    return pd.read_parquet(path, columns=columns) if path.exists() else pd.DataFrame()
