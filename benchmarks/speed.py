"""How fast exports become linked tables, beside the engine's plain copy and an analyst's script, in one run.

python -m benchmarks.speed --size S[,M] [--rounds N] [--json FILE]: prints wall time, CPU, peak memory and ratios.
Results are held together first: rows, money to the cent, ids byte for byte; exit 1 where they differ.
"""

import argparse
import hashlib
import hmac
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.exports import COLUMNS, SIZES, write_exports
from pipeline.ingest.privacy import PUBLIC_KEY
from pipeline.stages import FIXED_ENVIRONMENT

ROOT = Path(__file__).parents[1]
COPY = """import sys, duckdb
con = duckdb.connect(config={"threads": 2, "memory_limit": "8GB", "temp_directory": sys.argv[1] + "/spill"})
for name in sys.argv[2:]:
    con.execute(f"COPY (SELECT * FROM read_csv('data/raw/{name}/{name}.csv', all_varchar = true, header = true, "
                f"delim = ',', quote = '\\"', escape = '\\"')) TO '{sys.argv[1]}/{name}.parquet' (FORMAT parquet)")"""


@dataclass(frozen=True)
class Run:
    """What one process, or several in turn, took: seconds by the clock, CPU seconds, most memory held at once (MB)."""

    wall: float
    cpu: float
    peak_mb: float

    def __add__(self, other: "Run") -> "Run":
        return Run(self.wall + other.wall, self.cpu + other.cpu, max(self.peak_mb, other.peak_mb))


def run(words: list[str], workspace: Path) -> Run:
    """Run one process in the workspace; RuntimeError with what it said when it fails."""
    began = time.perf_counter()
    env = os.environ | FIXED_ENVIRONMENT | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([sys.executable, *words], cwd=workspace, env=env, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{' '.join(words)[:200]}: {said.read().decode()[-2000:]}")
    return Run(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def one_round(workspace: Path) -> dict[str, Run]:
    """The copy, the script and the product's own stages, one after the other."""
    (workspace / "copy").mkdir(exist_ok=True)
    found = {"copy": run(["-c", COPY, "copy", *COLUMNS], workspace),
             "script": run(["-m", "benchmarks.analyst", "data/raw", "script"], workspace)}
    for name in COLUMNS:
        found[f"clean {name}"] = run(["-m", "pipeline.stages.ingest", name], workspace)
    found["link"] = run(["-m", "pipeline.stages.link"], workspace)
    parts = [found[f"clean {name}"] for name in COLUMNS]
    found["clean"] = sum(parts[1:], parts[0])
    found["clean and link"] = found["clean"] + found["link"]
    return found


def _keyed(identity: str) -> str:
    """The pseudonym that an id must have, by the standard library."""
    return hmac.new(PUBLIC_KEY, identity.lower().encode(), hashlib.sha256).hexdigest()[:32]


def differences(workspace: Path) -> list[str]:
    """What the three do not agree on: rows, money, ids; empty when all is well."""
    counts = json.loads((workspace / "script" / "counts.json").read_text(encoding="utf-8"))
    found = []

    def hold(what: str, ours: Any, theirs: Any) -> None:
        if ours != theirs:
            found.append(f"{what}: {ours} by the stages, {theirs} beside them")

    with duckdb.connect() as con:
        def ask(query: str) -> Any:
            return con.execute(query.format(w=workspace)).fetchone()[0]

        for name in COLUMNS:
            account = json.loads((workspace / f"data/clean/{name}.account.json").read_text(encoding="utf-8"))
            copied = ask(f"SELECT count(*) FROM '{{w}}/copy/{name}.parquet'")
            hold(f"{name}: rows in", account["rows_in"], copied)
            hold(f"{name}: rows in of the script", account["rows_in"], counts[name]["rows_in"])
            hold(f"{name}: rows", ask(f"SELECT count(*) FROM '{{w}}/data/clean/{name}.parquet'"), counts[name]["clean"])
            hold(f"{name}: duplicates", account["dropped"], counts[name]["dropped"])
            if name != "surveys":  # there the script keeps answers out, the account counts records
                hold(f"{name}: kept out", account["quarantined"], counts[name]["quarantined"])
            for column, theirs in (("customer_id", "account"), next(iter(COLUMNS[name].items()))):
                ids, ours = (con.execute(f"SELECT DISTINCT \"{one}\" FROM '{workspace}/{folder}/{name}.parquet' "
                                         f"WHERE \"{one}\" IS NOT NULL").fetchall()
                             for one, folder in ((theirs, "script"), (column, "data/clean")))
                hold(f"{name}: {column} not shared", len({_keyed(one) for (one,) in ids} ^ {one for (one,) in ours}), 0)
        hold("net sales", float(round(ask("SELECT sum(net_amount) FROM '{w}/data/clean/sales.parquet'"), 2)),
             counts["money"])
        hold("net sales of the panel", round(ask("SELECT sum(revenue) FROM '{w}/data/linked/customer_periods.parquet'"),
                                             2), counts["panel_money"])
    return found


def measure(size: str, rounds: int, workspace: Path) -> dict[str, Any]:
    """Medians over the rounds, and of the ratios within each round."""
    rows = write_exports(size, workspace, ROOT / "params.yaml")
    taken = [one_round(workspace) for _ in range(rounds)]
    middle = {name: {part: round(statistics.median(getattr(one[name], part) for one in taken), 2)
                     for part in asdict(taken[0][name])} for name in taken[0]}

    def ratio(name: str, beside: str, part: str) -> float:
        return round(statistics.median(getattr(o[name], part) / getattr(o[beside], part) for o in taken), 2)

    ratios = {f"{name} / {beside}": {part: ratio(name, beside, part) for part in ("wall", "cpu")}
              for name in ("clean", "link", "clean and link") for beside in ("copy", "script")}
    return {"size": size, "rows": rows, "rounds": rounds, "taken": middle, "ratios": ratios,
            "differences": differences(workspace)}


def shown(result: dict[str, Any]) -> str:
    """The table of one size."""
    rows = ", ".join(f"{count:,} {name}" for name, count in result["rows"].items())
    lines = [f"{result['size']}: {rows}; {result['rounds']} rounds, medians",
             f"{'':<16}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}"]
    lines += [f"{name:<16}{one['wall']:>9.2f}{one['cpu']:>9.2f}{one['peak_mb']:>9.0f}"
              for name, one in result["taken"].items()]
    lines += [f"{name:<26} wall {one['wall']:>6.2f}   CPU {one['cpu']:>6.2f}" for name, one in result["ratios"].items()]
    return "\n".join([*lines, *(f"DIFFERS: {one}" for one in result["differences"])])


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--size", default="S", help=f"one or more of {', '.join(SIZES)}, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(words)
    results = []
    for size in given.size.split(","):
        with tempfile.TemporaryDirectory(prefix="vivencia-speed-") as folder:
            results.append(measure(size, given.rounds, Path(folder)))
            print(shown(results[-1]), flush=True)
    growth = None
    if len(results) == 2:
        first, second = (one["taken"]["clean and link"] for one in results)
        growth = {part: round(second[part] / first[part], 2) for part in ("wall", "cpu")}
        print(f"{results[1]['size']} / {results[0]['size']}: wall {growth['wall']}, CPU {growth['cpu']}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"sizes": results, "growth": growth}, indent=1) + "\n", encoding="utf-8")
    return 1 if any(one["differences"] for one in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
