"""The same bytes whatever the hash seed, the time zone and the locale of the machine: exports, tables, claims, pages.

The commands fix their environment before they start; JupyterLab does not. So the chain runs here as JupyterLab would
run it, in one child process for each setting, with the locale in force.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CUSTOMERS = 500
SETTINGS = (  # every hash seed, time zone and locale
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "2", "TZ": "Europe/Madrid", "LC_ALL": "es_ES.UTF-8"},
    {"PYTHONHASHSEED": "0", "TZ": "America/Bogota", "LC_ALL": "en_US.UTF-8"},
)
CHAIN = """
import hashlib, json, locale, time
from pathlib import Path

locale.setlocale(locale.LC_ALL, "")
import nbformat
from pipeline.contracts.params import load_params
from pipeline.report.words import Words
from pipeline.report.site import build_site, render_site
from pipeline.stages import demo, ingest, link, notebook, report

demo.main([])
params = load_params()
for source in params.sources:
    ingest.main([source])
link.main([])
for name in params.notebooks:
    values = notebook.parameters_of(params, name)
    values |= {"linked": "data/linked", "results": f"data/results/{name}", "clean": "data/clean"}
    there = {}
    for cell in nbformat.read(f"notebooks/{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, there)
            if "parameters" in cell.metadata.get("tags", []):
                there |= {key: value for key, value in values.items() if key in there}
linkage = json.loads(Path("data/linked/linkage.json").read_text(encoding="utf-8"))
results = report.complete_results(params.notebooks)
for language in ("es", "en"):
    words = Words(language)
    for name, text in render_site(build_site(params.company, params.disclosure, linkage, results, words),
                                  words).items():
        path = Path("reports", language, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
files = sorted(path for folder in ("data", "reports") for path in Path(folder).rglob("*") if path.is_file())
told = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
in_force = [locale.setlocale(locale.LC_NUMERIC), time.tzname[0]]
Path("told.json").write_text(json.dumps({"files": told, "in_force": in_force}))
"""


@pytest.fixture(scope="session")
def locales(tmp_path_factory) -> dict[str, str]:
    """The variables that make es_ES and en_US known: none where the machine has them, else made apart (localedef)."""
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.lower()
    missing = [name for name in ("es_ES", "en_US") if f"{name.lower()}.utf" not in known]
    if not missing:
        return {}
    folder = tmp_path_factory.mktemp("locales")
    for name in ("es_ES", "en_US") if shutil.which("localedef") else ():
        subprocess.run(["localedef", "-i", name, "-f", "UTF-8", str(folder / f"{name}.UTF-8")], capture_output=True,
                       check=False)
    if not all((folder / f"{name}.UTF-8").exists() for name in ("es_ES", "en_US")):
        message = f"no locales {missing} on this machine and nothing to make them of (Debian: package locales)"
        pytest.fail(message) if os.environ.get("VIVENCIA_LOCALES") == "required" else pytest.skip(message)
    return {"LOCPATH": str(folder)}


def run_chain(folder: Path, setting: dict[str, str]) -> subprocess.Popen:
    """The whole chain in a folder of its own, from the invented exports to the pages in both languages."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert "customers: 6000" in text
    (folder / "params.yaml").write_text(text.replace("customers: 6000", f"customers: {CUSTOMERS}"), encoding="utf-8")
    (folder / "pipeline").symlink_to(ROOT / "pipeline")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON", "TZ"))}
    with open(folder / "errors.txt", "wb") as errors:
        return subprocess.Popen([sys.executable, "-c", CHAIN], cwd=folder, stdout=subprocess.DEVNULL, stderr=errors,
                                env=kept | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | setting)


def test_bytes_are_the_same_under_every_seed_zone_and_locale(tmp_path, locales):
    """A covering set of 2 hash seeds, 3 time zones and 3 locales; the setting is shown to have been in force."""
    told = []
    for number, setting in enumerate(SETTINGS):
        folder = tmp_path / str(number)
        folder.mkdir()
        child = run_chain(folder, setting | locales)
        assert child.wait(timeout=1800) == 0, (folder / "errors.txt").read_text(encoding="utf-8")[-3000:]
        told.append(json.loads((folder / "told.json").read_text()))
        locale_name, zone = told[-1]["in_force"]
        assert locale_name == setting["LC_ALL"]
        assert zone == {"UTC": "UTC", "Europe/Madrid": "CET", "America/Bogota": "-05"}[setting["TZ"]]
    first = told[0]["files"]
    wanted = ("data/linked/customer_periods.parquet", "data/results/03-sales/claims.json",
              "data/results/04-churn/tables/by_score.parquet", "reports/es/index.html", "reports/en/claims.csv")
    assert all(name in first for name in wanted) and len(first) > 60
    for other, setting in zip(told[1:], SETTINGS[1:], strict=True):
        assert other["files"].keys() == first.keys(), setting
        assert [name for name, digest in first.items() if other["files"][name] != digest] == [], setting
