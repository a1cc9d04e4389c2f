"""Whatever a name in the data holds comes out as text: nothing runs, nothing loads, in every place of every page."""

import csv
import io
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.results import Results
from pipeline.report import shell
from pipeline.report.shell import TAGS, clean

TYPED = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>',
    "' autofocus onfocus=alert(1) x='", "</title><script>alert(1)</script>", "</style><script>alert(1)</script>",
    "<style>@import url(http://example.com/x)</style>", '<a href="javascript:alert(1)">x</a>',
    '<a href="https://example.com">x</a>', '<iframe srcdoc="<script>1</script>">', "<details open ontoggle=alert(1)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "{{ 7*7 }}", "{% import os %}", "{estimate.__class__}",
    "$\\frac{1}{0}$", "]]><script>", '<!--<img src="--><img src=x onerror=alert(1)//">', "a\x00\x07b",
    "\u202egnp.exe\u2066", "x" * 300, '=HYPERLINK("http://example.com")', "<base href=//example.com>",
    "<meta http-equiv=refresh content=0;url=//example.com>",
]
ADDRESS = r"(#[\w.-]+|[\w.-]+\.(html|csv)(#[\w.-]+)?|data:image/svg\+xml;base64,[\w+/=]+)"
LIVE_NODES = """([tags, address]) => [...document.querySelectorAll('body *')].filter(node =>
    !tags.includes(node.tagName.toLowerCase()) || [...node.attributes].some(a => /^on|^style$|^srcdoc$/i.test(a.name)
        || (/^(href|src|srcset|action|formaction)$/i.test(a.name) && !new RegExp(`^${address}$`).test(a.value)))
    ).map(node => node.outerHTML.slice(0, 200))"""
IN_HEAD = "document.querySelectorAll('script, head base, head meta[http-equiv=refresh]').length"


def live_nodes(seen) -> list[str]:
    return seen.page.evaluate(LIVE_NODES, [sorted(TAGS), ADDRESS])


class Live(HTMLParser):
    """Tags and attributes that a page may not hold, as a parser of its own sees them."""

    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, "")] if tag not in TAGS else []
        for name, value in attrs:
            address = name in ("href", "src", "srcset", "action", "formaction", "data")
            elsewhere = address and not re.fullmatch(ADDRESS, value or "")
            if name.startswith("on") or name in ("style", "srcdoc") or elsewhere:
                self.found.append((tag, f"{name}={value}"))


def payloads() -> list[str]:
    """The typed ones, and every text under the folder VIVENCIA_HOSTILE where it is set (long lists of the field)."""
    found, folder = list(TYPED), os.environ.get("VIVENCIA_HOSTILE")
    for file in sorted(Path(folder).rglob("*")) if folder else []:
        if file.suffix == ".txt":
            found += [line for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        elif file.suffix == ".json":
            found += texts_of(json.loads(file.read_text(encoding="utf-8")))
    return list(dict.fromkeys(found))


def texts_of(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in parts for text in texts_of(part)]


def hostile_results(results, names: list[str]) -> dict[str, Results]:
    """Every name as touchpoint of a claim and of table and figure, as dimension, reason and method."""
    made = results()
    nps = made["02-experience-metrics"]
    claims = [Claim("experience.nps", 10.0, "points", 500, name, segment=f"touchpoint:{name}", ci_low=1.0,
                    ci_high=20.0) for name in names]
    claims += [Claim("experience.nps", None, "points", 500, "m", segment=f"{name}:x", status="not_estimable",
                     reason=name) for name in names]
    claims = list({(c.claim_id, c.segment): c for c in claims}.values())
    groups = pd.DataFrame({"touchpoint": names, "unit": "points", "n": 500, "estimate": 10.0, "ci_low": 1.0,
                           "ci_high": 20.0})
    head = [c for c in nps.claims if c.segment == "all"]
    made["02-experience-metrics"] = Results([*head, *claims], {**nps.tables, "groups": groups.head(40)})
    return made


@pytest.mark.filterwarnings("ignore:Glyph .* missing")
def test_hostile_names_are_inert_in_a_browser(made_up, results, visit, monkeypatch):
    """First wall, alone: no live node, no request, no violation of the policy, no dialog, by escaping only."""
    monkeypatch.setattr(shell, "clean", lambda html: html)
    names = payloads()
    files = made_up("es", hostile_results(results, names), name=names[0] + names[1] + names[4],
                    linkage={"as_of": "2024-12-31", "missing": [names[1], "tickets"]})
    for name in ("index.html", "02-experience-metrics.html"):
        seen = visit(files, name)
        assert live_nodes(seen) == []
        assert seen.page.evaluate(IN_HEAD) == 0
        assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
        assert seen.said == [] and seen.dialogs == []
        assert "<script>alert(1)</script>" in seen.page.inner_text("body")


@pytest.mark.parametrize("name", TYPED)
def test_a_hostile_company_name_stays_in_its_place(made_up, results, name, visit):
    claims_only = {notebook: Results(found.claims, {}) for notebook, found in results().items()}
    seen = visit(made_up("en", claims_only, name=name), width=390)
    assert live_nodes(seen) == []
    assert seen.page.evaluate("[document.title.length > 0, document.querySelectorAll('head > *').length]") == [True, 9]
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_sanitiser_holds_without_the_escaping():
    """Second wall: the payloads as markup lose everything that lives."""
    for payload in payloads():
        live = Live()
        live.feed(clean(f"<p>{payload}</p>"))
        assert live.found == [], payload


def test_the_policy_holds_without_the_other_walls(made_up, visit):
    """Third wall: a script, a handler and a picture from elsewhere put into the finished page do nothing."""
    page = made_up("es")["index.html"]
    bad = ("<script>document.title='run'</script><img src=x: onerror=\"document.title='run'\">"
           "<img src='http://127.0.0.1:9/x.png'><link rel=stylesheet href='http://127.0.0.1:9/x.css'>")
    seen = visit({"index.html": page.replace("</main>", bad + "</main>")})
    assert seen.page.title() != "run"
    assert sum("Content Security Policy" in text for text in seen.said) >= 3


def test_cells_of_the_export_are_no_formulas(made_up, results):
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "|cmd", "plain", "1;2"]
    rows = made_up("es", hostile_results(results, names))["claims.csv"]
    assert rows.startswith("\ufeff")
    table = list(csv.DictReader(io.StringIO(rows.removeprefix("\ufeff")), delimiter=";"))
    assert {row["method"] for row in table} >= {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'|cmd", "plain", "1;2"}
    for row in table:
        for column in ("notebook", "claim_id", "segment", "method", "reason"):
            assert not row[column].startswith(("=", "+", "-", "@", "|")), row[column]
    assert "31,42" in {row["estimate"] for row in table}
