"""Two thousand damaged exports: each is refused in one sentence or loaded with every record accounted for.

Every file is read alone (dialect, header, proof, records); those that can be read go through all rules, a hundred at a
time, as the monthly exports of one source do.
"""

import hashlib
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.mutations import SOURCES, mutated_files
from pipeline.contracts.params import Privacy
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import engine
from pipeline.ingest.clean import clean_source
from pipeline.ingest.files import find_exports
from pipeline.ingest.read_csv import load_csv
from tests.ingest.conftest import COMPANY

FILES, SEED, BATCH = 2000, 7, 100
SLOWEST_S = 10.0


def test_no_damage_is_lost_or_ends_in_a_traceback(tmp_path: Path):
    readable, rules, seen = defaultdict(list), Counter(), set()
    con = engine.connect(tmp_path)
    place = tmp_path / "one"
    place.mkdir()
    for name, content, source in mutated_files(FILES, SEED):
        began = time.monotonic()
        (place / "export.csv").write_bytes(content)
        source = replace(source, folder=str(place), files="export.csv")
        try:
            one = load_csv(con, find_exports(source)[0], source, tmp_path, "raw")
        except Refusal as refusal:
            rules[refusal.rule] += 1
            assert str(refusal).count("\n") == 0 and "export.csv" in str(refusal), str(refusal)
        else:
            assert one.rows_in == one.rows + len(one.rejects) + one.blank
            lines = _physical_lines(content)
            assert one.rows_in <= lines, name  # never more records than lines
            if b'"' not in content:
                assert one.rows_in == lines - 1, name  # every line below the header is one record
            digest = hashlib.sha256(content).hexdigest()
            if digest not in seen:
                seen.add(digest)
                readable[name.split("_", 1)[1]].append((name, content))
        assert time.monotonic() - began < SLOWEST_S
    con.close()
    assert sum(rules.values()) > FILES / 10 and len(rules) >= 8, rules
    assert sum(map(len, readable.values())) > FILES / 5
    for kind, files in readable.items():
        for number in range(0, len(files), BATCH):
            _ingest_together(tmp_path / f"{kind}{number}", kind, files[number:number + BATCH])


def _physical_lines(content: bytes) -> int:
    """Lines ended by LF, CRLF or CR; a byte order mark or a last line without an end changes nothing."""
    text = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.count(b"\n") + (not text.endswith(b"\n"))


def _ingest_together(folder: Path, kind: str, files: list[tuple[str, bytes]]) -> None:
    raw, work = folder / "raw", folder / "work"
    raw.mkdir(parents=True)
    work.mkdir()
    for name, content in files:
        (raw / name).write_bytes(content)
    source = replace(SOURCES[kind][1], folder=str(raw), files="*.csv")
    account = clean_source(kind, source, COMPANY, Privacy("public"), work, raw / "none").account
    assert len(account.files) == len(files)
    for one in account.files:
        assert one.rows_in == one.clean + one.quarantined + one.dropped
    if source.table != "surveys":
        assert len(pd.read_parquet(work / "clean.parquet")) == account.total("clean")
        assert len(pd.read_parquet(work / "quarantine.parquet")) == account.total("quarantined")
