"""A made-up site: results, wording and pages as notebooks would leave them, without running any."""

import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

from pipeline.contracts.claims import Claim
from pipeline.contracts.params import Company, Disclosure
from pipeline.contracts.results import Results
from pipeline.report import catalogue as catalogue_module
from pipeline.report import site as site_module
from pipeline.report.figures import base
from pipeline.report.page import Figure, Page, Section, Table
from pipeline.report.words import Words

WORDING = {
    "es": """
texts:
  coverage.title: "¿Qué datos hay y de quién hablan?"
  coverage.lead: "Qué entró, qué se reparó o se rechazó, y quién contestó."
  coverage.nav: "Datos"
  coverage.rows.title: "Filas recibidas"
  experience.title: "¿Cómo es la experiencia y hacia dónde va?"
  experience.lead: "NPS, CSAT, esfuerzo y tiempo de resolución, con su intervalo."
  experience.nav: "Experiencia"
  experience.scores.title: "Las puntuaciones"
  experience.scores.lead: "Respuestas de los últimos seis meses."
  experience.scores.figure: "NPS por mes con su intervalo del 95 %."
  experience.groups.title: "Por punto de contacto"
  experience.groups.figure: "NPS por punto de contacto."
  experience.tickets.title: "Tiempo de resolución"
  experience.limit: "El NPS solo habla de quien contestó."
  sales.title: "¿Compra más quien está más contento?"
  sales.lead: "Las ventas del mes siguiente según la última respuesta."
  sales.nav: "Ventas"
  sales.effect.title: "Lo que va con un punto más"
  sales.note: "La cifra sin ajustar compara clientes distintos: los que gastan más también contestan mejor."
  figure.months: "El NPS por mes, de {first} a {last}."
  figure.groups: "El NPS de cada punto de contacto con su intervalo."
  reason.separation: "la puntuación separa del todo a quienes se van"
claims:
  data.response_rate: {label: "Contestaron", described: "Contestó el {estimate} de los invitados ({interval})."}
  data.rows_in: {label: "Filas recibidas", described: "Entraron {estimate} filas."}
  experience.nps: {label: "NPS", described: "El NPS de {period} es {estimate} ({interval})."}
  experience.nps_change:
    label: "Cambio del NPS"
    good: "El NPS sube {size} puntos ({size_interval}) frente al periodo anterior."
    bad: "El NPS baja {size} puntos ({size_interval}) frente al periodo anterior."
    zero: "No se aprecia cambio en el NPS: {signed} puntos ({interval})."
  experience.ttr_median_hours: {label: "Tiempo mediano", described: "La mitad se resuelve en {estimate} ({interval})."}
  sales.per_point:
    label: "Ventas por punto"
    good: "Cada punto más va con un {size} más de ventas al mes siguiente ({size_interval})."
    bad: "Cada punto más va con un {size} menos de ventas al mes siguiente ({size_interval})."
    zero: "No se aprecia que la experiencia añada ventas: {signed} por punto ({interval})."
  sales.conversion_value.*:
    label: "Valor de una conversión"
    good: "Convertir un detractor en promotor vale {estimate} por cliente y mes ({interval})."
    bad: "Convertir un detractor en promotor cuesta {size} por cliente y mes ({size_interval})."
    zero: "No se aprecia valor en la conversión: {estimate} ({interval})."
  churn.inactivity.monthly_rate: {label: "Silencio", described: "Callados {segment} días: {estimate}."}
  churn.hazard_ratio_per_point:
    label: "Riesgo de baja por punto"
    better: lower
    against: 1
    good: "Cada punto más baja el riesgo de baja: razón {estimate} ({interval})."
    bad: "Cada punto más sube el riesgo de baja: razón {estimate} ({interval})."
    zero: "No se aprecia relación con las bajas: razón {estimate} ({interval})."
""",
    "en": """
texts:
  coverage.title: "Which data are there, and who do they speak of?"
  coverage.lead: "What came in, what was repaired or refused, and who answered."
  coverage.nav: "Data"
  coverage.rows.title: "Rows received"
  experience.title: "How is the experience, and where is it going?"
  experience.lead: "NPS, CSAT, effort and time to resolution, with their intervals."
  experience.nav: "Experience"
  experience.scores.title: "The scores"
  experience.scores.lead: "Answers of the last six months."
  experience.scores.figure: "NPS by month with its 95% interval."
  experience.groups.title: "By touchpoint"
  experience.groups.figure: "NPS by touchpoint."
  experience.tickets.title: "Time to resolution"
  experience.limit: "NPS speaks only of those who answered."
  sales.title: "Do happier customers buy more?"
  sales.lead: "Sales of the next month by the last answer."
  sales.nav: "Sales"
  sales.effect.title: "What goes with one point more"
  sales.note: "The unadjusted figure compares different customers: those who spend more also answer better."
  figure.months: "NPS by month, {first} to {last}."
  figure.groups: "NPS of each touchpoint with its interval."
  reason.separation: "the score separates those who leave altogether"
claims:
  data.response_rate: {label: "Answered", described: "{estimate} of those invited answered ({interval})."}
  data.rows_in: {label: "Rows received", described: "{estimate} rows came in."}
  experience.nps: {label: "NPS", described: "NPS of {period} is {estimate} ({interval})."}
  experience.nps_change:
    label: "Change of NPS"
    good: "NPS rises by {size} points ({size_interval}) against the period before."
    bad: "NPS falls by {size} points ({size_interval}) against the period before."
    zero: "No change of NPS can be seen: {signed} points ({interval})."
  experience.ttr_median_hours: {label: "Median time", described: "Half are solved within {estimate} ({interval})."}
  sales.per_point:
    label: "Sales per point"
    good: "One point more goes with {size} more sales in the next month ({size_interval})."
    bad: "One point more goes with {size} less sales in the next month ({size_interval})."
    zero: "Experience is not seen to add sales: {signed} per point ({interval})."
  sales.conversion_value.*:
    label: "Worth of a conversion"
    good: "Turning a detractor into a promoter is worth {estimate} per customer and month ({interval})."
    bad: "Turning a detractor into a promoter costs {size} per customer and month ({size_interval})."
    zero: "No worth of a conversion can be seen: {estimate} ({interval})."
  churn.inactivity.monthly_rate: {label: "Silence", described: "Silent {segment} days: {estimate}."}
  churn.hazard_ratio_per_point:
    label: "Churn hazard per point"
    better: lower
    against: 1
    good: "One point more lowers the hazard of leaving: ratio {estimate} ({interval})."
    bad: "One point more raises the hazard of leaving: ratio {estimate} ({interval})."
    zero: "No relation with leaving can be seen: ratio {estimate} ({interval})."
""",
}
TOUCHPOINTS = ("delivery", "support", "shop", "website")


@base.drawn_from("period", "estimate")
def months_figure(table, words):
    figure, axes = base.canvas(3.2)
    base.interval_line(axes, range(len(table)), table["estimate"], table["ci_low"], table["ci_high"], label="NPS")
    base.month_ticks(axes, list(table["period"]), words)
    base.value_axis(axes.yaxis, words, "points")
    axes.set_ylabel("NPS")
    return base.describe(figure, words.text("figure.months", first=words.month(table["period"].iloc[0]),
                                            last=words.month(table["period"].iloc[-1])))


@base.drawn_from("touchpoint", "estimate")
def groups_figure(table, words):
    shown = table[table["estimate"].notna()]
    figure, axes = base.canvas(0.6 + 0.42 * len(shown))
    base.interval_dots(axes, [words.name("value", v) for v in shown["touchpoint"]], shown["estimate"],
                       shown["ci_low"], shown["ci_high"])
    base.value_axis(axes.xaxis, words, "points")
    base.zero_line(axes)
    return base.describe(figure, words.text("figure.groups"))


PAGES = {
    "01-data-and-coverage": Page("coverage", (
        Section("coverage.rows", ["data.rows_in", "data.response_rate"]),
    ), headline=("data.response_rate", "data.rows_in")),
    "02-experience-metrics": Page("experience", (
        Section("experience.scores", ["experience.nps", "experience.nps_change"], Figure(months_figure, "months"),
                Table("months", {"period": "month", "n": "count", "estimate": "points", "ci_low": "points",
                                 "ci_high": "points"})),
        Section("experience.groups", ["experience.nps@touchpoint:*"], Figure(groups_figure, "groups")),
        Section("experience.tickets", ["experience.ttr_median_hours"], needs=("tickets",)),
    ), headline=("experience.nps", "experience.nps_change", "experience.ttr_median_hours"),
        limits=("experience.limit",)),
    "03-sales": Page("sales", (
        Section("sales.effect", ["sales.per_point", "sales.conversion_value.detractor_to_promoter",
                                 "churn.hazard_ratio_per_point"], notes=("sales.note",)),
    ), headline=("sales.per_point", "sales.conversion_value.*", "churn.hazard_ratio_per_point")),
}


def made_up_results(touchpoints=TOUCHPOINTS) -> dict[str, Results]:
    """Three notebooks' results; one touchpoint has only seven answers."""
    counts = [812, 640, 55, 7]
    months = pd.DataFrame({"period": [f"2024-{m:02d}" for m in range(1, 13)], "unit": "points",
                           "n": [180 + 9 * m for m in range(12)], "estimate": [28.0 + (m * 7) % 5 for m in range(12)]})
    months["ci_low"], months["ci_high"] = months["estimate"] - 9.4, months["estimate"] + 9.1
    groups = pd.DataFrame({"touchpoint": list(touchpoints), "unit": "points", "n": counts,
                           "estimate": [35.1, 12.4, 22.0, -14.0], "ci_low": [30.2, 6.1, 1.0, -60.0],
                           "ci_high": [40.0, 18.5, 43.0, 32.0]})
    by_group = [Claim("experience.nps", row.estimate, "points", row.n, "trinomial score interval",
                      segment=f"touchpoint:{row.touchpoint}", ci_low=row.ci_low, ci_high=row.ci_high)
                for row in groups.itertuples()]
    return {
        "01-data-and-coverage": Results([
            Claim("data.rows_in", 41873, "count", 41873, "count", n_in=41873),
            Claim("data.response_rate", 0.2874, "share", 12030, "Wilson", ci_low=0.2794, ci_high=0.2956)], {}),
        "02-experience-metrics": Results([
            Claim("experience.nps", 31.42, "points", 1514, "trinomial score interval", period="2024-07/2024-12",
                  ci_low=27.6, ci_high=35.2, n_in=1514, detectable=7.7),
            Claim("experience.nps_change", 1.2, "points", 3002, "MOVER", period="2024-07/2024-12", ci_low=-4.1,
                  ci_high=6.5, detectable=7.6),
            Claim("experience.ttr_median_hours", 30.4, "hours", 840, "Kaplan-Meier", ci_low=28.1, ci_high=33.0),
            *by_group], {"months": months, "groups": groups}),
        "03-sales": Results([
            Claim("sales.per_point", 6.21, "percent", 20120, "PPML, customer and month effects", "associated",
                  ci_low=4.12, ci_high=8.34, n_in=58211, reason="lead_not_zero"),
            Claim("sales.conversion_value.detractor_to_promoter", 15.6, "EUR", 20120, "cluster bootstrap", "effect",
                  ci_low=9.9, ci_high=21.8),
            Claim("churn.hazard_ratio_per_point", None, "ratio", 20120, "cloglog hazard", "associated", "not_estimable",
                  reason="separation")], {}),
    }


def lay_out_wording(folder: Path) -> Path:
    """A folder with the common wording of the product and the made-up one beside it."""
    folder.mkdir()
    for language, text in WORDING.items():
        common = Path(catalogue_module.__file__).parent / "wording" / f"common.{language}.yaml"
        (folder / common.name).write_text(common.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / f"made_up.{language}.yaml").write_text(text, encoding="utf-8")
    return folder


def build_files(language="es", results=None, name="Compañía Ejemplo", data="invented", linkage=None) -> dict[str, str]:
    """File name -> text of a made-up site; the plain one of a language is built once."""
    if results is None and linkage is None:
        return _plain(language, name, data)
    words = Words(language)
    linkage = {} if linkage is None else linkage
    company = Company(name, data, "EUR", "Europe/Madrid")
    site = site_module.build_site(company, Disclosure(), linkage, results or made_up_results(), words)
    return site_module.render_site(site, words)


@cache
def _plain(language: str, name: str, data: str) -> dict[str, str]:
    return build_files(language, made_up_results(), name, data, {"first_day": "2024-01-01", "as_of": "2024-12-31"})


@pytest.fixture
def wording(tmp_path, monkeypatch) -> Path:
    """The made-up wording in force, without the notebooks' own."""
    folder = lay_out_wording(tmp_path / "wording")
    monkeypatch.setattr(catalogue_module, "FOLDER", folder)
    catalogue_module.catalogue.cache_clear()
    yield folder
    catalogue_module.catalogue.cache_clear()


@pytest.fixture
def made_up(wording, monkeypatch):
    """build_files with the made-up pages in force."""
    monkeypatch.setattr(site_module, "page_for", lambda name, results, words: PAGES[name])
    return build_files


@pytest.fixture
def results():
    return made_up_results


FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium with a fresh profile. Without one the pages cannot be looked at: that is a skip that says so,
    and a failure where VIVENCIA_BROWSER=required.
    """
    found = os.environ.get("VIVENCIA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        assert os.environ.get("VIVENCIA_BROWSER") != "required", "Chromium is not installed: apt-get install chromium"
        pytest.skip("NOT CHECKED in a browser: Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@dataclass
class Visit:
    """What happened while a page was open: what it asked for, what the console said, dialogs."""

    page: Any
    asked: list[str]
    said: list[str]
    dialogs: list[str]


@pytest.fixture
def visit(browser, tmp_path):
    """open(files, name, width) -> Visit of one page of a site that lies in a folder."""
    contexts = []

    def open_page(files: dict[str, str], name: str = "index.html", width: int = 1440) -> Visit:
        folder = tmp_path / "site"
        folder.mkdir(exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8", newline="")
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        seen = Visit(context.new_page(), [], [], [])
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.on("console", lambda message: seen.said.append(message.text))
        seen.page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        seen.page.goto((folder / name).as_uri())
        seen.page.wait_for_load_state("load")
        return seen

    yield open_page
    for context in contexts:
        context.close()
