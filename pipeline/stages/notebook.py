"""Run one notebook with the parameters of params.yaml; it counts only when it reached its end."""

import os
import sys
from pathlib import Path
from typing import Any

from pipeline.contracts.columns import check_covariates, check_dimensions, check_response, segments_of
from pipeline.contracts.params import Params, load_params, section
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.results import SENTINEL
from pipeline.contracts.tables import TABLES
from pipeline.report.words import Words
from pipeline.stages import replace_with, run

sys.modules["rfc3987_syntax"] = None  # JupyterLab brings it; with it every import of jsonschema costs two seconds

PATHS = ("clean", "linked", "results")  # parameters that are folders: the defaults stand, the pipeline gives none
SHARED = ("company", "disclosure")  # sections that every notebook receives beside its own
OF_INGEST = ("company.ids",)  # what of these ingest alone reads


def parameters_of(params: Params, notebook: str) -> dict[str, Any]:
    """What params.yaml gives a notebook: the shared sections, its own section and the language, flat.

    Refusal NB-UNKNOWN for a notebook that params.yaml does not declare, NB-PARAM for one name in two sections.
    """
    if notebook not in params.notebooks:
        raise Refusal("NB-UNKNOWN", f"there is no notebook {notebook!r} under notebooks", file="params.yaml",
                      expected="one of " + ", ".join(params.notebooks))
    values: dict[str, Any] = {"language": params.report.language}
    for name in (*SHARED, params.notebooks[notebook].section):
        for key, value in section(params, name).items():
            if f"{name}.{key}" in OF_INGEST:
                continue
            if key in values:
                raise Refusal("NB-PARAM", f"{key!r} stands in two sections that {notebook} receives",
                              file="params.yaml")
            values[key] = value
    return values


def check_parameters(notebook: str, declared: set[str], given: set[str]) -> None:
    """Refusal NB-PARAM when the notebook does not declare what it is given, or declares what nobody gives."""
    for name in sorted(given - declared):
        raise Refusal("NB-PARAM", f"parameter {name!r} is in params.yaml but not in the parameters cell",
                      file=f"notebooks/{notebook}.ipynb", expected="one of " + ", ".join(sorted(declared)))
    for name in sorted(declared - given - set(PATHS)):
        raise Refusal("NB-PARAM", f"parameter {name!r} of the parameters cell has no value in params.yaml",
                      file=f"notebooks/{notebook}.ipynb", expected="one of " + ", ".join(sorted(given)))


def check_columns(params: Params, section_name: str, linked: Path) -> None:
    """Refusals (pipeline.contracts.columns) for columns and segments that the notebook's section names.

    linked: folder of the linked tables; a column may be one of theirs, or of a canonical table that this company lacks.
    """
    own = section(params, section_name)
    if section_name in ("sales", "churn"):
        check_covariates(f"{section_name}.covariates", own["covariates"], _columns(linked, "customer_periods"),
                         own["instrument"])
    if own.get("target_segments") and "segment" in _columns(linked, "customer_totals"):
        import pyarrow.parquet as pq

        held = pq.read_table(linked / "customer_totals.parquet", columns=["segment"])["segment"]
        segments_of(f"{section_name}.target_segments", own["target_segments"], held.unique().to_pylist())
    people = {"segment", "value_band", "branch", *_columns(linked, "surveys"), *TABLES["surveys"].names}
    if "dimensions" in own:
        others = {name for table in ("tickets", "sales", "customers") for name in TABLES[table].names}
        check_dimensions(f"{section_name}.dimensions", own["dimensions"],
                         people | others | {"is_promise_kept"} | set(_columns(linked, "customer_totals")))
    if "response_covariates" in own:
        known = people | {"had_ticket", "purchases", "is_promise_kept", *_columns(linked, "customer_totals")}
        check_response(f"{section_name}.response_covariates", own["response_covariates"], known)


def _columns(linked: Path, table: str) -> list[str]:
    """Names of the columns of a linked table; none where no source feeds it."""
    import pyarrow.parquet as pq

    path = linked / f"{table}.parquet"
    return pq.read_schema(path).names if path.exists() else []


def check_complete(notebook: str, executed: Any, sentinel: Path) -> None:
    """Refusal NB-EARLY unless every code cell ran to its end and the last one wrote the sentinel.

    papermill calls a notebook completed when its kernel was killed or left by sys.exit(0).
    """
    code = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    for number, cell in enumerate(code, 1):
        if cell.execution_count is None or cell.metadata.get("papermill", {}).get("status") != "completed":
            raise Refusal("NB-EARLY", f"it ended before code cell {number} of {len(code)} was done",
                          file=f"notebooks/{notebook}.ipynb")
    if not sentinel.exists():
        raise Refusal("NB-EARLY", "it ran but wrote no results: its last cell must call write_results",
                      file=f"notebooks/{notebook}.ipynb")


def strip_run(executed: Any) -> Any:
    """The executed notebook without what changes from run to run: times, durations, the injected cell's id."""
    executed.metadata.pop("papermill", None)
    for number, cell in enumerate(executed.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = f"injected-{number}"
    return executed


def marked(executed: Any, text: str) -> Any:
    """The executed notebook under a first cell that says who it is for: its tables hide no small group."""
    import nbformat

    executed.cells.insert(0, nbformat.v4.new_markdown_cell(text, id="for-analysts"))
    return executed


def execute(notebook: str, values: dict[str, Any], timeout_seconds: int) -> Any:
    """The executed notebook; Refusal NB-FAILED names the cell and the error, and keeps the failed run in build/."""
    import papermill
    from papermill.exceptions import PapermillException, PapermillExecutionError
    from traitlets.config import Config

    folder, part = Path("notebooks"), Path("build/failed") / f"{notebook}.ipynb"
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        return papermill.execute_notebook(
            str(folder / f"{notebook}.ipynb"), str(part), parameters=values, cwd=str(folder), progress_bar=False,
            start_timeout=120, execution_timeout=timeout_seconds, coalesce_streams=True,
            config=Config({"KernelManager": {"transport_encryption": "auto"}}), log_output=False)
    except PapermillExecutionError as error:
        raise Refusal("NB-FAILED", f"cell {error.cell_index} failed with {error.ename}: {error.evalue}; "
                      f"the run so far is in {part}", file=f"notebooks/{notebook}.ipynb") from None
    except (PapermillException, RuntimeError, TimeoutError) as error:
        raise Refusal("NB-FAILED", f"it did not end ({type(error).__name__}); the run so far is in {part}",
                      file=f"notebooks/{notebook}.ipynb") from None


def main(argv: list[str]) -> None:
    """`python -m pipeline.stages.notebook 03-sales`: params.yaml in, data/results/03-sales out."""
    notebook = argv[0]
    params = load_params()
    values = parameters_of(params, notebook)
    source = Path("notebooks") / f"{notebook}.ipynb"
    if not source.exists():
        raise Refusal("NB-FILE", "the notebook is declared in params.yaml but not there", file=str(source))

    import nbformat
    import papermill

    declared = papermill.inspect_notebook(str(source))
    check_parameters(notebook, set(declared), set(values))
    check_columns(params, params.notebooks[notebook].section, Path("data/linked"))
    results = Path("data/results") / notebook
    (results / SENTINEL).unlink(missing_ok=True)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    executed = execute(notebook, values, params.notebooks[notebook].timeout_seconds)
    check_complete(notebook, executed, results / SENTINEL)
    ready = marked(strip_run(executed), Words(params.report.language).text("notebook.for_analysts"))
    replace_with(results / "notebook.ipynb", lambda part: nbformat.write(ready, part))
    (Path("build/failed") / f"{notebook}.ipynb").unlink(missing_ok=True)
    print(f"{notebook}: {(results / SENTINEL).read_text(encoding='utf-8').strip()}")


if __name__ == "__main__":
    run(main)
