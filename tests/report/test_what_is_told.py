"""What decides how a figure is printed: bounds, decimals, why an association is no more, captions, empty sections."""

import csv
import io
import re
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.params import Company, Disclosure
from pipeline.contracts.results import Results
from pipeline.report import numerals, shell
from pipeline.report.export import claims_csv
from pipeline.report.page import Figure, Page, Section, Table
from pipeline.report.pages import churn, coverage, experience, sales
from pipeline.report.render import Site, render_page, section_view
from pipeline.report.words import Words

NB = "\u00a0"


def ratio(low: float, high: float, **fields) -> Claim:
    return Claim("churn.hazard_ratio_per_point", 0.84, "ratio", 900, "cloglog_hazard", "associated", ci_low=low,
                 ci_high=high, **fields)


def site(*claims: Claim, tables: dict[str, pd.DataFrame] | None = None) -> Site:
    anchors = {(c.claim_id, c.segment, c.period): f"c-{i}" for i, c in enumerate(claims)}
    return Site(Company("A", "own", "EUR", "Europe/Madrid"), Disclosure(), "2025-12-31", "2025-01-01", (),
                {"n": Results(list(claims), tables or {})}, {}, anchors)


def test_the_export_tells_people_in_steps():
    """105 had a direct contact, 28 an indirect one, 131 either: to the last one that would tell of two who had both."""
    counts = {"index_direct": (114, 105), "index_indirect": (30, 28), "index": (144, 131), "csat": (50, None)}
    claims = [Claim(f"experience.{name}", 40.0, "points", n, "m", people=people)
              for name, (n, people) in counts.items()]
    for below, told in ((10, ["100", "20", "130", ""]), (25, ["100", "25", "125", ""])):
        made = replace(site(*claims), disclosure=Disclosure(suppress_below=below))
        rows = list(csv.DictReader(io.StringIO(claims_csv(made, Words("en")).removeprefix("\ufeff"))))
        assert [row["people"] for row in rows] == told
        assert [row["n_used"] for row in rows] == ["114", "30", "144", "50"]


def test_a_limit_near_one_is_not_printed_as_one_where_one_means_nothing_happens():
    assert "1,004" in Words("es").sentence(ratio(0.7123, 1.0042))
    assert numerals.digits_for("ratio", 0.84, 0.7123, 1.0042) == 2


def test_an_estimate_near_zero_adds_no_decimals():
    """Only its limits do: -0.004 between -5.4 and 5.5 is 0."""
    assert numerals.digits_for("percent", -0.004, -5.434, 5.548) == 0
    assert numerals.digits_for("percent", 3.77, -0.04, 7.72) == 2


@pytest.mark.parametrize(("language", "bound"), [("es", f"<{NB}0,0001"), ("en", f"<{NB}0.0001")])
def test_a_p_value_under_the_bound_is_printed_as_below_it(language, bound):
    words = Words(language)
    claim = Claim("sales.shape.any_difference", 1e-4, "ratio", 900, "ppml_wald", reason="below")
    assert bound in words.sentence(claim) and words.estimate(claim) == bound
    same = Claim("sales.shape.any_difference", 1e-4, "ratio", 900, "ppml_wald")
    assert "<" not in words.sentence(same) + words.estimate(same)


@pytest.mark.parametrize(("language", "only_if"), [("es", "si la respuesta fuera la causa"),
                                                   ("en", "f the answer were the cause")])
def test_what_a_conversion_is_worth_is_promised_of_an_effect_alone(language, only_if):
    for name, segment in (("sales.conversion_value", "all"), ("sales.break_even_cost", "horizon:12")):
        said = [Words(language).sentence(Claim(f"{name}.detractor_to_promoter", 10.0, "EUR", 900, "ppml_conversion",
                                               level, segment=segment, ci_low=5.0, ci_high=15.0)).lower()
                for level in ("effect", "associated")]
        assert [only_if in sentence for sentence in said] == [False, True]


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_company_that_asks_no_nps_is_told_of_none(language):
    """Satisfaction alone: neither the opening of the page nor its limits speak of a score that was not asked."""
    claim = Claim("experience.csat", 0.6, "share", 900, "wilson", ci_low=0.55, ci_high=0.65)
    tables = {"silent_csat": pd.DataFrame({"delta": [0.0], "estimate": [0.6]})}
    words = Words(language)
    page = experience.page(Results([claim], tables), words)
    assert "experience.limit_silent" in page.limits
    assert [key for key in (page.opening, *page.limits) if "NPS" in words.text(key)] == []


def test_an_association_says_which_check_made_it_one():
    claim = Claim("sales.per_point", 5.0, "percent", 900, "ppml", "associated", ci_low=1.0, ci_high=9.0,
                  reason="lead_not_zero")
    words, why = Words("es"), "y una puntuación posterior también explica las ventas."
    assert words.sentence(claim).endswith(f"no separa las causas, {why}")
    page = render_page("n", Site(**{**vars(site(claim)), "pages": {"n": Page("sales", [Section(
        "sales.answer", sentences=["sales.per_point"])])}}), words)
    assert "una puntuación posterior también explica las ventas" in page


@pytest.mark.parametrize(("language", "said"), [("es", "no basta para decidir"), ("en", "too weak to tell")])
def test_a_weak_check_is_not_passed(language, said):
    weak = Claim("sales.lead_check", 3.8, "percent", 900, "ppml", status="not_enough_data", reason="checks_too_weak",
                 ci_low=-0.1, ci_high=7.7)
    sentence = Words(language).sentence(weak)
    assert said in sentence and "superada" not in sentence and "passed" not in sentence


def test_a_number_of_days_is_not_set_in_quotes_like_a_name():
    claim = Claim("churn.inactivity.hazard_ratio_per_point", None, "ratio", 0, "cloglog_silence",
                  status="not_estimable", reason="no_scores", segment="window:90")
    assert Words("es").sentence(claim).startswith("Contando como baja 90 días de silencio: ")


def test_the_smallest_detectable_change_has_the_decimals_of_its_interval():
    change = Claim("experience.nps_change", 3.2, "points", 200, "nps_score_difference", ci_low=-18.0, ci_high=24.4,
                   detectable=30.31)
    assert "un cambio de 30 puntos" in Words("es").sentence(change)


def test_data_of_a_figure_bear_the_figures_caption_where_the_section_has_a_table_of_its_own():
    curve = pd.DataFrame({"hours": [0.0, 24.0, 168.0], "unsolved_share": [1.0, 0.4, 0.1]})
    sums = pd.DataFrame({"measure": ["mean_closed"], "n": [50], "unit": ["hours"], "estimate": [20.0],
                         "ci_low": [10.0], "ci_high": [30.0], "apart": [0.0]})
    words = Words("es")
    from pipeline.report.figures import experience as figures
    section = Section("experience.tickets", figure=Figure(figures.unsolved, "unsolved"), table=Table("reconciliation"))
    view = section_view(section, site(tables={"unsolved": curve, "reconciliation": sums}).results["n"],
                        site(tables={"unsolved": curve, "reconciliation": sums}), words)
    assert view["figure"]["table"].caption == words.text("experience.tickets.figure")
    assert view["table"].caption == words.text("experience.tickets.table")


def no(claim_id: str, unit: str = "ratio") -> Claim:
    return Claim(claim_id, None, unit, 0, "", status="not_estimable", reason="no_panel")


def test_without_figures_there_are_no_caveats_about_them():
    """Neither notes under a section nor limits under a page; what gives a figure keeps its own."""
    words, empty = Words("es"), pd.DataFrame({"estimate": [], "n": []})
    claims = [no("churn.naive.ever_logit"), no("churn.hazard_ratio_per_point"), no("sales.per_point", "percent"),
              no("experience.nps", "points"), no("experience.ttr_median_hours", "hours")]
    here = site(*claims)
    section = Section("churn.contrast", sentences=["churn.naive.ever_logit"], notes=["churn.contrast.why"])
    assert section_view(section, here.results["n"], here, words)["notes"] == []
    tables = dict.fromkeys(("calibration", "windows", "gaps", "by_score", "diagnostics"), empty)
    results = Results(claims, tables)
    for module in (churn, coverage, experience, sales):
        assert list(module.page(results, words).limits) == [], module
    silent = Claim("churn.inactivity.monthly_rate", 0.1, "share", 99, "share_clustered", segment="window:90")
    assert list(churn.page(Results([*claims, silent], tables), words).limits) == ["churn.limit.silence"]


def test_what_was_not_asked_does_not_come_first():
    csat = Claim("experience.csat", 0.5, "share", 500, "wilson", ci_low=0.4, ci_high=0.6)
    page = experience.page(Results([no("experience.nps", "points"), csat], {}), Words("es"))
    first = [name for name in page.sections[0].sentences if name in ("experience.nps", "experience.csat")]
    assert first == ["experience.csat", "experience.nps"]
    here = site(no("experience.nps", "points"), csat)
    view = section_view(page.sections[0], here.results["n"], here, Words("es"))
    assert [said.claim.claim_id for said in view["said"]][:2] == ["experience.csat", "experience.nps"]


@pytest.mark.parametrize(("language", "used", "fixed"), [
    ("es", "lo que se sabe de quien calla (sucursal y banda de valor);", "segmento"),
    ("en", "what is known of those who keep silent (branch and value band);", "segment")])
def test_weighting_is_said_to_correct_for_what_the_model_holds(language, used, fixed):
    odds = pd.DataFrame({"dimension": ["branch", "branch", "value_band"], "n": [90, 90, 90]})
    silent = pd.DataFrame({"delta": [0], "n": [90], "estimate": [1.0]})
    words, here = Words(language), site(tables={"silent": silent, "odds": odds})
    section = next(one for one in experience.page(here.results["n"], words).sections if one.key == "experience.silent")
    lead = section_view(replace(section, figure=None, table=None), here.results["n"], here, words)["lead"]
    assert used in lead and fixed not in lead


def test_no_method_is_named_of_a_figure_that_there_is_not():
    missing = Claim("sales.per_point", None, "percent", 0, "ppml", "associated", "not_estimable", reason="no_panel")
    here = site(missing)
    page = render_page("n", Site(**{**vars(here), "pages": {"n": Page("sales", [Section(
        "sales.answer", sentences=["sales.per_point"])])}}), Words("es"))
    assert "Poisson" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S)


@pytest.mark.parametrize(("language", "told"), [
    ("es", ["tickets", "la tabla acaba tantos días antes que los datos", "45", "SET-STALE"]),
    ("en", ["tickets", "the table ends so many days before the data do", "45", "SET-STALE"])])
def test_the_page_of_data_lists_what_the_last_run_warned_of(language, told):
    warned = pd.DataFrame({"source": ["tickets"], "rule": ["SET-STALE"], "rows": pd.array([None], dtype="Int64"),
                           "days": pd.array([45], dtype="Int64"),
                           "reason": ["the table ends so many days before the data do"]})
    words, here = Words(language), site(tables={"warnings": warned})
    page = coverage.page(here.results["n"], words)
    assert page.limits == ["coverage.limit_warned"]  # which the index repeats
    sections = {one.key: one for one in page.sections}
    shown = section_view(sections["coverage.warnings"], here.results["n"], here, words)["table"].rows[0]
    assert [text.lower() for text in shown if text != "–"] == [text.lower() for text in told]
    for quiet in ({}, {"warnings": warned.iloc[:0]}):
        sections = coverage.page(Results([], quiet), words).sections
        assert "coverage.warnings" not in [one.key for one in sections]
    rows_only = coverage.page(Results([], {"warnings": warned.assign(days=pd.NA, rows=3, rule="COL-EXTRA")}), words)
    assert rows_only.limits == []
    found = next(one for one in rows_only.sections if one.key == "coverage.warnings")
    assert "days" not in found.table.columns and "rows" in found.table.columns


@pytest.mark.parametrize(("customers", "answered", "is_told"), [
    ([30, 40], [0.3, 0.7], False), ([30, 40], [None, None], False), ([30, 40], [None, 0.7], True),
    ([None, 40], [None, 0.7], True)], ids=["whole", "no_answers", "few_answered", "few_customers"])
def test_the_page_of_data_says_why_a_group_lacks_a_share_that_others_have(customers, answered, is_told):
    table = pd.DataFrame({"dimension": "branch", "segment": ["a", "b"], "answered_share": answered,
                          "count_customers": pd.array(customers, dtype="Int64")})
    business = next(one for one in coverage.page(Results([], {"composition": table}), Words("es")).sections
                    if one.key == "coverage.business")
    assert ("coverage.note_hidden" in business.notes) == is_told
    for language in ("es", "en"):
        assert Words(language).has("coverage.note_hidden")


def test_the_page_of_sales_says_which_answers_make_a_group():
    """Satisfaction on 1 to 7: who answers 3 or less, 4 or 5, 6 or more."""
    groups = pd.DataFrame({"instrument": "csat", "customer_group": ["detractor", "passive", "promoter"],
                           "score": [3, 4.5, 6], "score_from": [2, 4, 6], "score_to": [3, 5, 7]})
    per_point = Claim("sales.per_point", 5.0, "percent", 900, "ppml", "associated", ci_low=1.0, ci_high=9.0)
    words, here = Words("es"), site(per_point, tables={"groups": groups})
    section = next(one for one in sales.page(here.results["n"], words).sections if one.key == "sales.who")
    assert section_view(section, here.results["n"], here, words)["table"].rows == (
        ("Detractor", "CSAT", f"≤{NB}3"), ("Pasivo", "CSAT", "4–5"), ("Promotor", "CSAT", f"≥{NB}6"))
    bare = site(per_point)
    assert "sales.who" not in [one.key for one in sales.page(bare.results["n"], words).sections]


def gathered(made_up_claims):
    """The section of the churn page on how much is left, of these claims."""
    section = Section("churn.retention", sentences=["churn.retention.net"], gathered=["churn.retention.net@segment:*"])
    anchors = {(c.claim_id, c.segment, c.period): f"row-{i}" for i, c in enumerate(made_up_claims)}
    site = Site(Company("A", "own", "EUR", "Europe/Madrid"), Disclosure(), "", "", (), {}, {}, anchors)
    return section_view(section, Results(made_up_claims, {}), site, Words("en"))


def kept(segment, estimate, **more):
    return Claim("churn.retention.net", estimate, "share", 500, "cohort_ratio", segment=segment,
                 ci_low=estimate and 0.8, ci_high=estimate and 0.9, **more)


def test_three_claims_alike_stand_in_a_table_and_two_in_sentences():
    """Every claim has its row with its figure, its range, its cases and where it is kept; the total is a sentence."""
    few = [kept("all", 0.85), kept("segment:a", 0.81), kept("segment:b", 0.82)]
    view = gathered(few)
    assert [one.claim.segment for one in view["said"]] == ["all", "segment:a", "segment:b"] and view["gathered"] == []
    small = kept("segment:c", None, status="suppressed")
    view = gathered([*few, small])
    assert [one.claim.segment for one in view["said"]] == ["all"]
    (table,) = view["gathered"]
    assert [(name, one.estimate, one.anchor) for name, one in table["rows"]] == [
        ("a", "81%", "row-1"), ("b", "82%", "row-2"), ("c", "–", "row-3")]
    assert table["title"] == Words("en").segment("segment:a")[0]
    html = shell.page_html("page.html.j2", Words("en"), "t", "d", heading="t", lead="", sections=[view], limits=[],
                           company="A", links=[], current="", dates="", banner="")
    for text in ("81%", "82%", "Suppressed", "index.html#row-3"):
        assert text in html
    assert "row-0" in html and html.count("index.html#row-1") == 1


def test_a_row_of_a_table_whose_interval_holds_nothing_says_so():
    ends = {"months:1": (0.4, 2.0), "months:2": (-0.3, 1.1), "months:3": (-2.0, -0.1)}
    claims = [Claim("sales.lag", sum(each) / 2, "percent", 500, "ppml", "associated", segment=name, ci_low=each[0],
                    ci_high=each[1]) for name, each in ends.items()]
    section = Section("sales.timing", gathered=["sales.lag@months:*"])
    anchors = {(c.claim_id, c.segment, c.period): f"row-{i}" for i, c in enumerate(claims)}
    site = Site(Company("A", "own", "EUR", "Europe/Madrid"), Disclosure(), "", "", (), {}, {}, anchors)
    for language, said in (("en", "no difference seen"), ("es", "no se ve diferencia")):
        view = section_view(section, Results(claims, {}), site, Words(language))
        html = shell.page_html("page.html.j2", Words(language), "t", "d", heading="t", lead="", sections=[view],
                               limits=[], company="A", links=[], current="", dates="", banner="")
        rows = html.split("<tr>")[2:]
        assert [said in row for row in rows] == [False, True, False]
