"""One file through ingest, and what became of it: refused with a rule, or loaded with its account (and truth)."""

import csv
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from benchmarks.found import found_contract
from pipeline.contracts.params import Company, Privacy, Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.clean import Cleaned, clean_source

FIELD_LIMIT = 1 << 30  # letters of one cell of a truth
COMPANY, PRIVATE = Company("Benchmark", "public", "EUR", "UTC"), Privacy("public")


@dataclass
class Outcome:
    """One file: refused with a rule, loaded with its account, or (never) a traceback. Times in s, memory in MB."""

    file: str
    rule: str = ""
    sentence: str = ""
    rows_in: int = 0
    clean: int = 0
    quarantined: int = 0
    dropped: int = 0
    unaccounted: int = 0
    traceback: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    wrong: int = 0
    kept: int = 0
    truth: int = 0


def ingest_file(path: Path, name: str, source: Source | None, truth: Path | None) -> Outcome:
    """Ingest one file in a folder of its own; with a truth, hold every loaded row against it."""
    with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
        work = Path(folder)
        try:
            contract = source or found_contract(path)
            contract = replace(contract, folder=str(path.parent), files=exactly(path.name))
            cleaned = clean_source("export", contract, COMPANY, PRIVATE, work, work / "no manifest")
        except Refusal as refusal:
            return Outcome(name, refusal.rule, str(refusal))
        account = cleaned.account
        parts = {part: account.total(part) for part in ("rows_in", "clean", "quarantined", "dropped")}
        found = Outcome(name, **parts, unaccounted=unaccounted(cleaned))
        if truth is not None and truth.is_file():
            found.wrong, found.kept, found.truth = _against(truth, cleaned, contract, source is None)
        return found


def exactly(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def unaccounted(cleaned: Cleaned) -> int:
    """Records in, less those that the written files and the drops hold."""
    account = cleaned.account
    if account.table == "surveys":  # a record has several answers there: the account's own sum
        held = account.total("clean") + account.total("quarantined")
    else:
        held = pq.read_metadata(cleaned.clean).num_rows + pq.read_metadata(cleaned.quarantine).num_rows
    return abs(account.total("rows_in") - account.total("dropped") - held)


def _against(truth: Path, cleaned: Cleaned, contract: Source, is_found: bool) -> tuple[int, int, int]:
    """(loaded rows that are no row of the truth, rows of the truth that came back, rows of the truth)."""
    loaded = pd.read_parquet(cleaned.clean)
    if is_found:
        rows = _read_truth(truth, contract.header_rows > 0)
        loaded = loaded[[name for name in loaded.columns if name.startswith("x_")]]
        expected = Counter(tuple(_plain(cell) for cell in row) for row in rows)
    else:
        expected = Counter(_rows(_read_again(truth, contract)))
    found = Counter(_rows(loaded))
    kept = (found & expected).total()
    return found.total() - kept, kept, expected.total()


def _read_again(truth: Path, contract: Source) -> pd.DataFrame:
    """The clean parse under the contract of its damaged twin: in comma and double quotes, or as the twin is written."""
    own = replace(contract, folder=str(truth.parent), files=exactly(truth.name))
    plain = replace(own, delimiter=",", quote='"', encoding="utf-8", skip_rows=0,
                    header_rows=min(contract.header_rows, 1))
    for way in (plain, own):
        with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
            try:
                told = clean_source("truth", way, COMPANY, PRIVATE, Path(folder), Path(folder) / "no manifest")
                return pd.read_parquet(told.clean)
            except Refusal:
                continue
    return pd.DataFrame()


def _rows(frame: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    return (tuple(map(_plain, row)) for row in frame.itertuples(index=False))


def _plain(value: object) -> str:
    """A cell as text in which 7, 7.0 and ' 7 ' are one, and nothing is empty."""
    text = "" if pd.isna(value) else str(value).strip()
    digits = text.removesuffix(".0").removeprefix("+")
    if digits.removeprefix("-").isdecimal():
        return digits if digits.startswith("0") else str(int(digits))
    return text


def _read_truth(path: Path, has_header: bool) -> list[list[str]]:
    """Records of a clean parse: comma, double quotes, UTF-8; the header left out."""
    csv.field_size_limit(FIELD_LIMIT)
    with open(path, encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.reader(handle) if row]
    return rows[1:] if has_header else rows
