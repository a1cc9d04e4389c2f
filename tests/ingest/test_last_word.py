"""The refusal is the last word: no library speaks behind it when the process ends."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = """
sources:
  ventas:
    table: sales
    folder: data/raw/ventas
    files: a.csv
    format: csv
    decimal: "."
    timestamps: [iso8601]
    columns: {order_id: id, net_amount: amount, ordered_at: at}

"""


@pytest.mark.parametrize("words", [("pipeline.ingest", "check"), ("pipeline.stages.ingest", "ventas")])
def test_a_time_without_zone_is_refused_in_one_line_and_nothing_follows(tmp_path: Path, words: tuple[str, ...]):
    params = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("data: invented", "data: public", 1)
    params = re.sub(r"(?ms)^sources:.*?(?=^[a-z]+:)", SOURCE.lstrip("\n"), params)
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    (tmp_path / "data/raw/ventas").mkdir(parents=True)
    (tmp_path / "data/raw/ventas/a.csv").write_text("id,amount,at\n1,2.5,2025-03-04T10:00:00\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, text=True, check=False, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT), "VIVENCIA_LANGUAGE": "en"})
    assert done.returncode == 2 and "[TIME-ZONE]" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("verb", ["inspect", "check"])
def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path, verb: str):
    """As in `inspect FILE… | head -1`: the pipe is closed before the first word."""
    text = "order_id,customer,amount,date\n" + "".join(f"A{n},C{n},{n}.5,2025-01-01\n" for n in range(1, 30))
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    words = ["a.csv", "a.csv"] if verb == "inspect" else ["--params", str(ROOT / "params.yaml")]
    done = subprocess.run([sys.executable, "-m", "pipeline.ingest", verb, *words], cwd=tmp_path, text=True, check=False,
                          stdout=writer, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)})
    os.close(writer)
    assert (done.returncode, done.stderr if verb == "inspect" else "") == (0, "")
    assert "BrokenPipe" not in done.stderr and "Traceback" not in done.stderr
