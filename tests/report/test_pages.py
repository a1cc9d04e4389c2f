"""The pages themselves: whole, offline, readable by everybody, the same bytes every time."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.results import Results
from pipeline.report.figures import base
from pipeline.report.pages import MODULES

PAGES = ("index.html", "01-data-and-coverage.html", "02-experience-metrics.html", "03-sales.html")


class Outline(HTMLParser):
    """Headings, ids, links and what a figure and a table carry."""

    def __init__(self, html: str):
        super().__init__()
        self.headings, self.ids, self.links, self.tags = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in given:
            self.ids.append(given["id"])
        if "href" in given:
            self.links.append(given["href"])


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_page_is_whole_and_offline(made_up, language):
    files = made_up(language)
    assert set(files) == {*PAGES, "claims.csv"}
    for name in PAGES:
        html, outline = files[name], Outline(files[name])
        assert html.startswith(f'<!DOCTYPE html>\n<html lang="{language}">')
        assert html.index("Content-Security-Policy") < html.index("<style>")
        assert "default-src &#39;none&#39;; img-src data: &#39;self&#39;" in html
        assert not re.search(r"(src|href|srcset)=\"(https?:)?//", html) and "url(" not in html
        assert outline.headings[0] == 1 and outline.headings.count(1) == 1
        assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
        assert len(outline.ids) == len(set(outline.ids))
        tags = [tag for tag, _ in outline.tags]
        assert {"main", "nav", "header", "footer"} <= set(tags)
        assert outline.links[0].startswith("data:") and outline.links[1] == "#content"
        for tag, given in outline.tags:
            if tag == "img":
                assert given["alt"].strip()
            if tag == "th":
                assert given["scope"] in ("col", "row")
        assert tags.count("table") == tags.count("caption")
        assert tags.count("figure") <= tags.count("details")


def test_every_link_leads_somewhere(made_up):
    files = made_up("es")
    ids = {name: Outline(html).ids for name, html in files.items() if name.endswith(".html")}
    for name in PAGES:
        for link in Outline(files[name]).links:
            if not link.startswith("data:"):
                file, _, anchor = link.partition("#")
                assert (file or name) in files
                assert not anchor or anchor in ids[file or name], link


@pytest.mark.parametrize(("data", "banner"), [("invented", "La empresa es inventada"), ("public", "publicados"),
                                              ("own", None)])
def test_every_page_says_whose_data_these_are(made_up, data, banner):
    for name in PAGES:
        html = made_up("es", data=data)[name]
        assert ('class="banner"' in html) == (banner is not None)
        assert banner is None or banner in html


def test_the_date_is_that_of_the_data(made_up):
    html = made_up("es")["index.html"]
    assert "Datos del 1 de enero de 2024 al 31 de diciembre de 2024." in html


def test_answers_come_first_with_range_and_level(made_up):
    html = made_up("es")["index.html"]
    first = html[html.index('class="answers"'):html.index('id="people"')]
    for part in ("El NPS de julio a diciembre de 2024 es 31,4 (entre 27,6 y 35,2).",
                 "no separa las causas", "vale 16&nbsp;€ por cliente y mes (entre 10&nbsp;€ y 22&nbsp;€)",
                 "no se puede estimar (la puntuación separa del todo", "Contestó el 28,7&nbsp;%"):
        assert part in first, part


def test_bad_news_and_no_news_are_printed_as_prominently(made_up, results):
    made = results()
    sales = made["03-sales"]
    for low, high, sentence in ((-8.3, -4.1, "menos de ventas"), (-1.0, 1.4, "No se aprecia que la experiencia añada")):
        claim = replace(sales.claims[0], estimate=(low + high) / 2, ci_low=low, ci_high=high)
        html = made_up("es", made | {"03-sales": Results([claim, *sales.claims[1:]], {})})["index.html"]
        assert sentence in html[html.index('class="answers"'):html.index('id="people"')]


def answers_of(files: dict[str, str]) -> str:
    html = files["index.html"]
    return html[html.index('class="answers"'):html.index('id="pages"')]


def test_no_estimate_is_an_answer_where_it_matters(made_up, results):
    """Churn that score separates says why, and the rate after it; a score that nobody asked for gives way."""
    made = results()
    churn = [Claim("churn.inactivity.monthly_rate", share, "share", 900, "m", segment=f"window:{days}",
                   ci_low=share / 2, ci_high=share * 2) for days, share in ((45, 0.1), (90, 0.2), (180, 0.3))]
    made["03-sales"] = Results([*made["03-sales"].claims, *churn], {})
    made["02-experience-metrics"] = Results([
        Claim("experience.nps", None, "points", 0, "", status="not_estimable", reason="not_asked"),
        Claim("experience.ttr_median_hours", 30.4, "hours", 840, "Kaplan-Meier", ci_low=28.1, ci_high=33.0)], {})
    html = answers_of(made_up("en", made))
    assert html.index("the score separates") < html.index("Silent 90 days: 20%")
    assert "Half are solved within 30.4" in html and "NPS: cannot be estimated" not in html[:html.index("Sales")]


def test_reasons_are_gathered_and_long_lists_cut(made_up, results):
    made = results()
    made["03-sales"] = Results([Claim("sales.conversion_value." + name, None, "EUR", 0, "m", status="not_estimable",
                                      reason="separation") for name in "ab"], {})
    limits = made_up("en", made)["index.html"].partition('id="limits"')[2].partition('id="changes"')[0]
    assert limits.count("Not estimated, because the score separates") == 1


def test_a_figure_without_any_estimate_is_not_drawn(made_up, results):
    made = results()
    found = made["02-experience-metrics"]
    empty = found.tables["groups"].assign(estimate=float("nan"))
    page = made_up("en", made | {"02-experience-metrics": Results(found.claims, found.tables | {"groups": empty})})
    assert page["02-experience-metrics.html"].count("<figure>") == 1


def test_a_missing_source_is_said_and_the_rest_stands(made_up, results):
    made = results()
    found = made["02-experience-metrics"]
    made["02-experience-metrics"] = Results([c for c in found.claims if "ttr" not in c.claim_id], found.tables)
    del made["03-sales"]
    files = made_up("es", made, linkage={"as_of": "2024-12-31", "missing": ["tickets", "sales", "sales.margin"]})
    assert "No se puede decir: faltan los datos de tickets." in files["02-experience-metrics.html"]
    assert "No se puede decir: faltan los datos de ventas." in files["index.html"]
    assert "No hay tickets" in files["index.html"] and "03-sales.html" not in files["index.html"]


def test_nothing_at_all_still_makes_an_index(made_up):
    index = made_up("en", {"01-data-and-coverage": Results([], {})}, linkage={})["index.html"]
    assert "do not allow anything to be said" in index


def test_small_groups_are_hidden_in_sentence_table_figure_and_file(made_up):
    """website has 7 answers and takes shop (55) with it, on the page, on the index and in the file."""
    files = made_up("en")
    page = files["02-experience-metrics.html"]
    assert "−14" not in page and "22" not in re.findall(r"<td class=\"number\">([^<]*)<", page)
    assert "Touchpoint “website”: NPS: not shown" in page and "Touchpoint “shop”: NPS: not shown" in page
    rows = [line for line in files["claims.csv"].splitlines() if "touchpoint:website" in line or ":shop" in line]
    assert len(rows) == 2 and not any("-14" in row or ",22.0," in row or ",7," in row or ",55," in row for row in rows)


def test_every_claim_is_on_the_index_and_in_the_file(made_up, results):
    files, count = made_up("es"), sum(len(found.claims) for found in results().values())
    assert len(re.findall(r'<tr id="0\d-[a-z-]+-\d+">', files["index.html"])) == count
    assert len(files["claims.csv"].split("\r\n")) == count + 2


def test_a_claim_without_wording_is_refused_by_name(made_up, results):
    made = results() | {"03-sales": Results([Claim("sales.unheard_of", 1.0, "EUR", 100, "m")], {})}
    with pytest.raises(Refusal, match=r"sales\.unheard_of"):
        made_up("es", made)


def test_a_figure_without_alternative_text_is_refused(made_up, monkeypatch):
    monkeypatch.setattr(base, "describe", lambda figure, text: figure)
    with pytest.raises(ValueError, match="alternative text"):
        made_up("es", linkage={})


def digest(files: dict[str, str]) -> str:
    return hashlib.sha256("\0".join(f"{name}\0{files[name]}" for name in sorted(files)).encode()).hexdigest()


def test_the_same_bytes_whatever_hash_seed_zone_and_locale(made_up, tmp_path):
    conftest = Path(__file__).with_name("conftest.py")
    code = f"""
import hashlib, importlib.util, pathlib
spec = importlib.util.spec_from_file_location("made_up_site", {str(conftest)!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.catalogue_module.FOLDER = module.lay_out_wording(pathlib.Path("wording"))
module.site_module.page_for = lambda name, results, words: module.PAGES[name]
files = module.build_files("es")
print(hashlib.sha256("\\0".join(f"{{n}}\\0{{files[n]}}" for n in sorted(files)).encode()).hexdigest())
"""
    expected = digest(made_up("es", linkage={"first_day": "2024-01-01", "as_of": "2024-12-31"}))
    for number, (seed, zone, locale) in enumerate((("0", "UTC", "C.UTF-8"), ("2", "Asia/Tokyo", "de_DE.UTF-8"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        run = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True,
                             env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale})
        assert run.stdout.strip() == expected


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_pages_fit_their_screen_and_ask_for_nothing(made_up, visit, language, width):
    files = made_up(language)
    for name in PAGES:
        seen = visit(files, name, width)
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width, "open")
        assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
        assert seen.said == []
        assert seen.page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")


def test_a_phone_gets_the_figure_drawn_for_it(made_up, visit):
    files = made_up("es")
    sources = {width: visit(files, "02-experience-metrics.html", width).page.evaluate(
        "document.querySelector('figure img').currentSrc") for width in (390, 1440)}
    assert sources[390] != sources[1440]


def test_the_keyboard_reaches_content_tables_and_ledger(made_up, visit):
    seen = visit(made_up("es"), "index.html")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "content"
    seen.page.click(".answers .evidence a >> nth=0")
    assert seen.page.evaluate("!!document.querySelector('tr:target').checkVisibility()")


def test_wide_tables_scroll_inside_their_box(made_up, visit):
    seen = visit(made_up("es"), "index.html", 390)
    seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert seen.page.evaluate(
        "(() => { const b = document.querySelector('#claims .scroll'); return b.scrollWidth > b.clientWidth + 50 })()")


def test_page_modules_are_declared_for_real_notebooks():
    """Every declared page module that is there can be imported; see the acceptance tests for their pages."""
    for module in MODULES.values():
        name = f"pipeline.report.pages.{module}"
        assert importlib.util.find_spec(name), name
