"""What a user does with a fresh clone: run it, run it again, change one export, change one parameter, break it."""

import json
import shutil

import pandas as pd
import pytest

from tests.acceptance.conftest import Clone, stages_run

OUTPUT = ("data/results/**/*", "reports/*.html", "reports/claims.csv")
NOTEBOOKS = ("01-data-and-coverage", "02-experience-metrics", "03-sales", "04-churn")


def test_the_pages_are_made(clone):
    for name in ("index", *NOTEBOOKS):
        page = (clone.folder / f"reports/{name}.html").read_text(encoding="utf-8")
        assert '<html lang="es"' in page
        assert "inventad" in page  # every page made from the demo says that the company is invented


def test_a_second_run_does_nothing(clone):
    assert stages_run(clone.repro()) == set()


def test_every_row_of_every_file_is_accounted_for(clone):
    accounts = [json.loads(path.read_text()) for path in (clone.folder / "data/clean").glob("*.account.json")]
    assert len(accounts) == 5
    for account in accounts:
        for part in (account, *account["files"]):
            assert part["rows_in"] == part["clean"] + part["quarantined"] + part["dropped"] > 0


def test_changed_tickets_leave_the_surveys_alone(copy):
    path = next((copy.folder / "data/raw/tickets").glob("*.csv"))
    lines = path.read_bytes().splitlines(keepends=True)
    changed = b"".join(lines[:10] + lines[20:])
    path.write_bytes(changed)
    ran = stages_run(copy.repro("link"))
    assert {"ingest@tickets", "link"} <= ran
    assert ran <= {"demo", "ingest@tickets", "link"}
    assert path.read_bytes() == changed  # nothing of the user's is overwritten


def test_the_same_bytes_elsewhere_and_another_language_changes_the_pages_alone(clone, tmp_path):
    other = Clone(tmp_path / "anderswo")
    other.repro(TZ="America/Bogota", PYTHONHASHSEED="2", LANG="es_ES.UTF-8", OMP_NUM_THREADS="2")
    first, second = clone.bytes_of(*OUTPUT), other.bytes_of(*OUTPUT)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    other.edit("params.yaml", "language: es", "language: en")
    other.repro()
    page = (other.folder / "reports/index.html").read_text(encoding="utf-8")
    assert '<html lang="en"' in page
    assert "invented" in page
    assert other.bytes_of("data/results/*/claims.json") == clone.bytes_of("data/results/*/claims.json")


def test_an_unknown_parameter_is_one_sentence_and_leaves_the_pages(copy):
    pages = copy.bytes_of("reports/*.html")
    copy.edit("params.yaml", "  inactivity_days:", "  inactivity_dais: 3\n  inactivity_days:")
    done = copy.run("dvc", "repro")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "churn.inactivity_dais is not a parameter" in said
    assert "Traceback" not in said
    assert copy.bytes_of("reports/*.html") == pages


def test_a_notebook_that_ends_early_leaves_the_last_good_page(copy):
    path = copy.folder / "notebooks/04-churn.ipynb"
    pages = copy.bytes_of("reports/*.html")
    book = json.loads(path.read_bytes())
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    code[2]["source"] = "import sys\nsys.exit(0)"
    path.write_text(json.dumps(book), encoding="utf-8")
    done = copy.run("dvc", "repro")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "notebooks/04-churn.ipynb" in said
    assert "Traceback" not in said
    assert copy.bytes_of("reports/*.html") == pages


def test_a_missing_source_still_gives_every_page(copy):
    text = (copy.folder / "params.yaml").read_text(encoding="utf-8")
    start, end = text.index("\n  tickets:"), text.index("\n  sales:")
    (copy.folder / "params.yaml").write_text(text[:start] + text[end:], encoding="utf-8")
    shutil.rmtree(copy.folder / "data/raw/tickets")
    copy.repro()
    claims = {claim["claim_id"]: claim for path in (copy.folder / "data/results").glob("*/claims.json")
              for claim in json.loads(path.read_text(encoding="utf-8"))}
    assert claims["experience.ttr_median_hours"]["reason"] == "no_tickets"
    assert claims["sales.per_point"]["status"] == "ok"


def test_run_all_by_hand_equals_the_pipeline(copy, tmp_path):
    results = copy.bytes_of("data/results/**/*")
    for name in NOTEBOOKS:
        shutil.rmtree(copy.folder / "data/results" / name / "tables")
        done = copy.run("jupyter", "execute", f"notebooks/{name}.ipynb", f"--output={tmp_path}/{name}.ipynb")
        assert done.returncode == 0, done.stderr[-3000:]
    again = copy.bytes_of("data/results/**/*")
    assert [name for name in results if results[name] != again.get(name)] == []


def test_nbval_runs_every_notebook(copy):
    done = copy.run("python", "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider",
                    *[f"notebooks/{name}.ipynb" for name in NOTEBOOKS])
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


@pytest.mark.parametrize("command", [
    ("metrics", "show"), ("metrics", "diff", "HEAD~1"), ("plots", "show"), ("dag",), ("params", "diff")])
def test_the_commands_of_dvc_work(clone, command):
    done = clone.run("dvc", *command)
    assert done.returncode == 0, done.stderr
    if command == ("metrics", "show"):
        assert "sales.per_point" in done.stdout


def test_an_experiment_with_another_window_changes_the_churn_page_alone(copy):
    before = copy.bytes_of("data/results/*/claims.json")
    done = copy.run("dvc", "exp", "run", "-S", "churn.inactivity_days=120")
    assert done.returncode == 0, done.stderr[-3000:]
    assert stages_run(done.stdout) == {"notebook@04-churn", "report"}
    after = copy.bytes_of("data/results/*/claims.json")
    assert [name for name in after if after[name] != before[name]] == ["data/results/04-churn/claims.json"]
    assert "churn" in copy.run("dvc", "params", "diff").stdout


def test_nothing_of_single_customers_is_committed_or_published(clone):
    """Ids as they came, e-mail addresses and pseudonyms: in the linked tables, and nowhere after."""
    tracked = clone.run("git", "ls-files", "data").stdout.split()
    assert not [name for name in tracked if name.split("/")[1] in ("raw", "clean", "quarantine", "linked")]
    customers = pd.read_parquet(clone.folder / "data/linked/customers.parquet")["customer_id"]
    assert customers.str.fullmatch(r"[0-9a-f]{32}").all()
    published = b"".join(clone.bytes_of(*OUTPUT).values())
    assert not [customer for customer in customers if customer.encode() in published]
    for trace in (b"@", b"ES91", b"+34 6"):
        assert trace not in b"".join(clone.bytes_of("data/results/*/claims.json", "reports/claims.csv").values())
