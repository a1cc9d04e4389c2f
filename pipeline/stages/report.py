"""The pages, made of the notebooks' results; all of them are rendered before the first one is written."""

import json
from collections.abc import Iterable
from pathlib import Path

from pipeline.contracts.claims import Claim
from pipeline.contracts.fingerprint import fingerprint
from pipeline.contracts.params import Notebook, load_params
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.results import Results, read_results
from pipeline.report import trust
from pipeline.report.drift import refuse_drift
from pipeline.report.site import build_site, render_site
from pipeline.report.words import Words
from pipeline.stages import replace_with, run

RESULTS, LINKAGE, REPORTS = Path("data/results"), Path("data/linked/linkage.json"), Path("reports")


def complete_results(notebooks: dict[str, Notebook]) -> dict[str, Results]:
    """Results by notebook, in the order of params.yaml; Refusal NOTEBOOK-INCOMPLETE for one that did not end."""
    found = {}
    for name in notebooks:
        try:
            found[name] = read_results(RESULTS / name)
        except FileNotFoundError:
            raise Refusal("NOTEBOOK-INCOMPLETE", "the notebook did not reach its end, so the pages stay as they are",
                          file=f"notebooks/{name}.ipynb", expected=f"complete results in {RESULTS / name}") from None
    return found


def proven(words: Words, printed: Iterable[Claim]) -> dict[str, Results]:
    """The page on trust, of the tracked run of the validity benchmark; whether it has tested the code of today.

    printed: the claims of all other pages.
    """
    content = json.loads(trust.FILE.read_text(encoding="utf-8"))
    is_same = fingerprint(content["run"]["tested"]) == content["run"]["fingerprint"]
    return {trust.NAME: trust.results_of(content, is_same, words, printed)}


def main(argv: list[str]) -> None:
    """`python -m pipeline.stages.report`: reports/*.html and reports/claims.csv."""
    params = load_params()
    words = Words(params.report.language, params.sales.smallest_effect, params.churn.smallest_effect)
    results = complete_results(params.notebooks)
    results |= proven(words, [claim for found in results.values() for claim in found.claims])
    linkage = json.loads(LINKAGE.read_text(encoding="utf-8")) if LINKAGE.exists() else {}
    files = render_site(build_site(params.company, params.disclosure, linkage, results, words), words)
    last = REPORTS / "claims.csv"
    if params.company.data != "invented" and last.exists():
        refuse_drift(last.read_text(encoding="utf-8-sig"), files["claims.csv"], params.report.accept_drift,
                     params.report.drift_share)
    for name, text in files.items():
        replace_with(REPORTS / name, lambda part, text=text: part.write_text(text, encoding="utf-8", newline=""))
    claims = sum(len(found.claims) for found in results.values())
    print(f"report: {len(files)} files from {claims} claims of {len(params.notebooks)} notebooks, in {REPORTS}/")


if __name__ == "__main__":
    run(main)
