"""The whole site from the results of the notebooks: file name -> text, with every small group already hidden."""

from collections.abc import Mapping
from typing import Any

from pipeline.contracts.params import Company, Disclosure
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.results import Results
from pipeline.report.catalogue import MissingWording
from pipeline.report.disclosure import protect_claims
from pipeline.report.export import claims_csv
from pipeline.report.pages import index, page_for
from pipeline.report.render import Site, render_page
from pipeline.report.words import Words


def build_site(company: Company, limits: Disclosure, linkage: Mapping[str, Any], results: Mapping[str, Results],
               words: Words) -> Site:
    """The site of these results, with every small group already hidden."""
    safe = {name: Results(protect_claims(found.claims, limits.suppress_below), found.tables)
            for name, found in results.items()}
    anchors = {(c.claim_id, c.segment, c.period): f"{name}-{number}" for name, found in safe.items()
               for number, c in enumerate(found.claims, 1)}
    missing = tuple(str(name) for name in linkage.get("missing", ()) if "." not in str(name))
    return Site(company, limits, str(company.as_of or linkage.get("as_of") or "")[:10],
                str(linkage.get("first_day") or "")[:10], missing, safe,
                {name: page_for(name, found, words) for name, found in safe.items()}, anchors)


def render_site(site: Site, words: Words) -> dict[str, str]:
    """Every file of the site by name; nothing is written, so that a failure leaves the last good pages.

    Refusal WORDING-MISSING names every claim that has no wording, or the first text that is missing.
    """
    unworded = [name for found in site.results.values() for name in words.unworded(found.claims)]
    if unworded:
        raise Refusal("WORDING-MISSING", f"no {words.language} wording for the claims " + ", ".join(unworded),
                      file="pipeline/report/wording")
    try:
        files = {f"{name}.html": render_page(name, site, words) for name in site.pages}
        return {"index.html": index.render(site, words), **files, "claims.csv": claims_csv(site, words)}
    except MissingWording as missing:
        raise Refusal("WORDING-MISSING", str(missing), file="pipeline/report/wording") from None
