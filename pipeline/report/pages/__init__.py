"""Which page belongs to which notebook; a module holds PAGE, or page(results, words) where parts hang on the data."""

import importlib

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.results import Results
from pipeline.report.page import Page
from pipeline.report.words import Words

# In the order of reading. A notebook that is added gets its line here and its module beside this file.
MODULES = {
    "01-data-and-coverage": "coverage",
    "02-experience-metrics": "experience",
    "03-sales": "sales",
    "04-churn": "churn",
    "how-far-to-trust": "trust",  # of the methods, not of a notebook: made of report/validity.json
}


def page_for(notebook: str, results: Results, words: Words) -> Page:
    """The page of a notebook; a notebook without one is refused by name."""
    if notebook not in MODULES:
        raise Refusal("PAGE-UNKNOWN", f"the notebook {notebook!r} has no page", expected="one of " + ", ".join(MODULES))
    module = importlib.import_module(f"{__name__}.{MODULES[notebook]}")
    return module.page(results, words) if hasattr(module, "page") else module.PAGE
