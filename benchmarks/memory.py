"""How much memory ingest takes for a large export when the engine is told to spill early.

    python -m benchmarks.memory [--rows 3000000] [--json FILE]

One file of sales is made (a fixed pattern) and ingested in a process of its own, the engine bound to
VIVENCIA_MEMORY=150MB and one thread. The exit code is 1 when the process took more than 512 MB or a row is missing.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.ingest import run_apart
from benchmarks.mutated_runs import MOST_MB
from benchmarks.outcomes import Outcome
from pipeline.contracts.params import Source

BOUND = {"VIVENCIA_MEMORY": "150MB", "VIVENCIA_THREADS": "1"}
SOURCE = Source("sales", ".", "*", "csv", {"order_id": "id", "line_id": "line", "customer_id": "who",
                                           "ordered_at": "at", "net_amount": "amount"},
                decimal=".", timestamps=["%Y-%m-%d %H:%M"], time_zone="Europe/Madrid", extra={"note": "note"})


def write_sales(path: Path, rows: int) -> None:
    """An export of `rows` lines, two an order, 90,001 customers."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,line,who,at,amount,note\n")
        for n in range(rows):
            file.write(f"P{n // 2:08d},{n % 2 + 1},C{n % 90_001:05d},2025-{n % 12 + 1:02d}-{n % 28 + 1:02d} "
                       f"10:{n % 60:02d},{n % 9973 + 1}.{n % 100:02d},some words {n} that nobody reads\n")


def measure(rows: int) -> tuple[Outcome, int]:
    """(the outcome of a file of so many rows, its bytes)."""
    before = {name: os.environ.get(name) for name in BOUND}
    os.environ.update(BOUND)
    try:
        with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
            path = Path(folder) / "sales.csv"
            write_sales(path, rows)
            return run_apart(path, path.name, SOURCE, None), path.stat().st_size
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    told = parser.parse_args(argv)
    found, size = measure(told.rows)
    figures = {"rows_in": found.rows_in, "clean": found.clean, "unaccounted": found.unaccounted,
               "file_mb": round(size / 2**20, 1), "peak_mb": round(found.peak_mb, 1),
               "seconds": round(found.seconds, 1)}
    for key, value in figures.items():
        print(f"{key:<12} {value}")
    print(found.sentence or found.traceback, file=sys.stderr)
    if told.json:
        told.json.parent.mkdir(parents=True, exist_ok=True)
        told.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(found.peak_mb > MOST_MB or found.clean != told.rows or bool(found.unaccounted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
