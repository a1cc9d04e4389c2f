"""The page "How far to trust these numbers" says what follows from the run, and nothing else."""

import json
from pathlib import Path

import pytest

from benchmarks.gates import CERTAIN
from pipeline.contracts.claims import Claim
from pipeline.contracts.fingerprint import fingerprint
from pipeline.contracts.params import Company, Disclosure
from pipeline.report import trust
from pipeline.report.site import build_site, render_site
from pipeline.report.words import Words

PAGE = f"{trust.NAME}.html"


def verdict(claim_id="sales.per_point", coverage=0.95, ok=True, **more):
    fields = {"claim_id": claim_id, "segment": "all", "method": "ppml", "world": "base", "check": "coverage",
              "proves": ["intervals", "bias"], "companies": 500, "customers": 1000, "estimated": 500,
              "coverage": coverage, "tail_low": 0.02, "tail_high": 0.03, "truth": 6.2, "truth_kind": "planted",
              "mean": 6.3, "bias_share": 0.016, "shown": 0.9, "effect": 0.0, "least": 0.925, "most": 0.975,
              "gate": "0.925 <= coverage <= 0.975", "ok": ok, "naive": False}
    return fields | more


def run_of(*verdicts):
    run = json.loads(trust.FILE.read_text(encoding="utf-8"))["run"]
    run = {name: told for name, told in run.items() if name not in ("like", "anew")}
    return {"run": run | {"worlds": {"base": 500}, "customers": 1000}, "verdicts": list(verdicts)}


NAIVE = verdict("sales.naive.group_gap", 0.12, naive=True, mean=37.4, truth=12.84, proves=["naive"])
GOOD, LOW = verdict(), verdict("churn.monthly_rate", 0.90, ok=False)


def pages(content, is_same=True, language="es"):
    words = Words(language)
    found = {trust.NAME: trust.results_of(content, is_same, words)}
    company = Company("Prueba", "own", "EUR", "Europe/Madrid")
    return render_site(build_site(company, Disclosure(10, 30), {}, found, words), words)


@pytest.mark.parametrize(("language", "told"), [
    ("es", ["92,5 % de 1.000 intervalos", "500 empresas de 1.000 clientes", "37,40 €", "12,84 €", "12,0 %"]),
    ("en", ["92.5% of 1,000 intervals", "500 companies of 1,000 customers", "€37.40", "€12.84", "12.0%"])])
def test_figures_come_from_the_run_in_the_readers_way(language, told):
    page = pages(run_of(GOOD, LOW, NAIVE), language=language)[PAGE].replace("\u00a0", " ").replace("&nbsp;", " ")
    assert [text for text in told if text not in page] == []


def test_what_failed_is_said_by_name():
    words = Words("es")
    failed = trust.results_of(run_of(GOOD, LOW, NAIVE), True, words).tables["failed"]
    assert failed["figure"].tolist() == ["Bajas al mes"] and failed["measured_share"].tolist() == [0.90]
    assert "No se cumplen 1 de 2 comprobaciones" in pages(run_of(GOOD, LOW, NAIVE))[PAGE].replace("\u00a0", " ")
    none = pages(run_of(GOOD, NAIVE))[PAGE]
    assert "No se cumplen 0 de 1 comprobaciones" in none and words.text("trust.failed.table") not in none


def test_a_naive_method_that_did_not_fail_is_no_success():
    words = Words("es")
    lucky = verdict("sales.naive.group_gap", 0.95, ok=False, naive=True, proves=["naive"])
    claim = trust.results_of(run_of(GOOD, NAIVE, lucky), True, words).claim("trust.naive_fail")
    assert claim.estimate == 0.5 and claim.n_used == 2


def test_changed_methods_are_said():
    words = Words("en")
    same, changed = (pages(run_of(GOOD), is_same, "en")[PAGE] for is_same in (True, False))
    assert words.text("trust.code.same") in same and words.text("trust.code.changed") not in same
    assert words.text("trust.code.changed") in changed and words.text("trust.code.same") not in changed
    run = run_of(GOOD)
    alike = pages(run | {"run": run["run"] | {"like": "0123456789ab"}}, True, "en")[PAGE]
    assert words.text("trust.code.like") in alike and words.text("trust.code.same") not in alike
    partly = pages(run | {"run": run["run"] | {"like": "0123456789ab", "anew": "rates"}}, True, "en")[PAGE]
    assert words.text("trust.code.anew_rates") in partly and words.text("trust.code.like") not in partly


def test_chance_of_a_miss_is_that_of_the_normal_distribution():
    """Half width .025 at 500 companies is 2.565 standard deviations: 1.03 % on both sides together."""
    claim = trust.results_of(run_of(*[GOOD] * 100), True, Words("es")).claim("trust.missed_by_chance")
    assert claim.estimate == pytest.approx(1.03, abs=0.01)


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_tracked_run_makes_a_page(language):
    content = json.loads(trust.FILE.read_text(encoding="utf-8"))
    files = pages(content, False, language)
    assert files[PAGE].count("<table>") >= 6 and ">trust." not in files[PAGE]
    assert f'href="{PAGE}"' in files["index.html"]


FEW = {"companies": 200, "estimated": 200, "least": 0.9103012, "most": 0.9896988}
BOTH = "0.910 <= coverage <= 0.990; |bias| <= 5% + 3.3% of noise"
BIASED = verdict(coverage=0.915, bias_share=-0.097, gate=BOTH, ok=False, **FEW)
AT_EDGE = verdict("churn.monthly_rate", 0.91, gate=BOTH, ok=False, **FEW)
SOUND = verdict("sales.group.promoter", gate=BOTH, **FEW)


def tables(*verdicts, language="es"):
    return trust.results_of(run_of(*verdicts), True, Words(language)).tables


def line(name, *verdicts):
    """(checks, held, outcome) of that line of the table of limits; None where none was run."""
    found = tables(*verdicts)["lines"]
    row = found.iloc[trust.LINES.index(name)]
    return tuple(None if isinstance(x, float) and x != x else x
                 for x in (row["count_checks"], row["count_held"], row["state"]))


def test_each_limit_is_counted_by_itself():
    """One of the three figures fails by its coverage and another by its bias: neither counts against the other."""
    assert line("intervals", BIASED, AT_EDGE, SOUND) == (3, 2, "No se cumple 1")
    assert line("bias", BIASED, AT_EDGE, SOUND) == (3, 2, "No se cumple 1")
    made = trust.results_of(run_of(BIASED, AT_EDGE, SOUND), True, Words("es"))
    assert made.claim("trust.failed").estimate == 2 and made.claim("trust.failed").n_used == 6
    assert made.tables["families"]["count_held"].sum() == 2 and made.tables["worlds"]["count_held"].sum() == 2
    assert made.tables["figures"].set_index("estimate")["held"].to_dict() == {0.915: True, 0.91: False, 0.95: True}


def test_a_size_and_a_coverage_in_one_verdict_are_two_checks():
    """Its band is that of the size; the coverage of 91.0 % misses the band of .9103, which its words round to .910."""
    both = verdict("sales.lead_check", 0.91, check="size", proves=["intervals", "placebo"], shown=0.05, ok=False,
                   gate="0.910 <= coverage <= 0.990; 0.008 <= size <= 0.092", **FEW | {"least": 0.008, "most": 0.092})
    assert line("intervals", both, SOUND) == (2, 1, "No se cumple 1")
    assert line("placebo", both, SOUND) == (1, 1, "Se cumplen todas")


def test_what_failed_shows_the_check_and_enough_decimals_to_tell_it_from_its_limit():
    failed = tables(BIASED, AT_EDGE, SOUND)["failed"][["check", "measured", "allowed"]]
    said = [tuple(str(x).replace("\u00a0", " ") for x in row) for row in failed.values]
    assert said == [("Sesgo", "−9,7 %", "± 8,3 %"), ("Cobertura", "91,00 %", "91,03 % a 98,97 %")]


@pytest.mark.parametrize(("language", "claimed", "count"), [
    ("es", ["mismas funciones", "analizado la suya"], "No se cumplen 1 de 3"),
    ("en", ["same functions", "as yours was"], "1 of 3 checks do not hold")])
def test_only_an_unchanged_method_is_said_to_be_the_one_that_was_tested(language, claimed, count):
    words = Words(language)
    files = {is_same: pages(run_of(GOOD, LOW, SOUND), is_same, language) for is_same in (True, False)}
    for name in (PAGE, "index.html"):
        assert words.text("trust.lead.same") in files[True][name]
        assert words.text("trust.lead.changed") in files[False][name]
        assert not [text for text in claimed if text in files[False][name]]
    tours = files[False]["index.html"].partition('class="tours"')[2].partition("</ul>")[0]
    assert count.replace("3", "4") in tours.replace("\u00a0", " ")


def test_what_was_not_run_is_said_and_is_not_proven():
    words = Words("es")
    for name in ("warning", "level", "bias_feedback", "power"):
        assert line(name, GOOD) == (None, None, "No se ha ejecutado")
    unproven = tables(GOOD)["unproven"].set_index("figure")["reason"]
    absent = [unproven[words.text("trust.world.told", world=words.text(f"trust.world.{world}"),
                                  planted=words.text(f"trust.planted.{world}"))] for world in trust.WORLDS[1:]]
    assert set(absent) == {words.text("trust.why.world_not_run")}
    assert unproven[words.text("trust.line.warning")] == words.text("trust.why.line_not_run")


def test_worlds_that_were_run_stand_behind_their_own_lines():
    """Under feedback the bias has its own limit; where a world asks nothing of a figure, no check is counted."""
    level = verdict(world="feedback", check="level", proves=["bias"], least=None, most=None, effect=0.02,
                    bias_share=0.12, gate="associated in 95%; |bias| <= 10% + 1.0% of noise", ok=False)
    free = verdict("experience.nps_weighted", 0.2, world="nonresponse", check="warning", proves=["warning"],
                   least=None, most=None, gate="none: answering hangs on the answer, and the headline says so")
    band = verdict("experience.nps_weighted.with_band", 0.5, world="nonresponse", check="warning", proves=["warning"],
                   least=None, most=None, gate="band in every report", estimated=499, ok=False)
    run = (GOOD, level, free, band)
    assert line("level", *run) == (1, 1, "Se cumplen todas") and "95" in tables(*run)["lines"]["limit"][5]
    assert line("bias_feedback", *run) == (1, 0, "No se cumple 1")
    assert line("warning", *run) == (1, 0, "No se cumple 1")
    assert line("bias", *run) == (None, None, "No se ha ejecutado")
    assert tables(*run)["failed"]["check"].tolist() == ["Sesgo", "Aviso"]


def test_a_naive_coverage_stands_beside_its_limit_and_at_the_edge_it_is_said():
    """91.0 % against 91.03 % is nearer than 200 companies can tell; 32 % is not."""
    near = verdict("churn.naive.ever_logit", 0.91, naive=True, proves=["naive"], bias_share=0.17,
                   gate="not: " + BOTH, **FEW)
    far = verdict("sales.naive.same_month", 0.32, naive=True, proves=["naive"], bias_share=-0.87,
                  gate="not: " + BOTH, **FEW)
    made = trust.results_of(run_of(SOUND, near, far), True, Words("es"))
    rows = made.tables["naive"][["measured", "allowed", "has_failed"]].map(lambda x: x.replace("\u00a0", " "))
    assert rows.values.tolist() == [["91,00 %", "91,03 % a 98,97 %", "No: cobertura (al borde) y sesgo"],
                                    ["32,0 %", "91,0 % a 99,0 %", "No: cobertura y sesgo"]]
    assert made.claim("trust.naive_edge").estimate == 1 and made.claim("trust.naive_edge").n_used == 2
    for language, overdone in (("es", "varias veces"), ("en", "several times")):
        assert overdone not in Words(language).text("trust.naive.why")


def test_a_bias_that_says_nothing_is_a_dash():
    """A truth that few intervals tell from nothing, and a bias without limit; one that did not hold is shown."""
    tiny = verdict("experience.nps_change", bias_share=-75.5, shown=0.04, **FEW | {
        "gate": "0.910 <= coverage <= 0.990; |bias| <= 5% + 14789.6% of noise"})
    free = verdict("sales.per_point", bias_share=0.3, gate="0.910 <= coverage <= 0.990", **FEW)
    missed = verdict("churn.monthly_rate", bias_share=0.4, shown=0.04, gate=BOTH, ok=False, **FEW)
    found = tables(tiny, free, missed, SOUND)["figures"].set_index("figure")["bias_share"]
    assert found.isna().tolist() == [True, True, False, False] and found["Bajas al mes"] == 0.4
    assert "en 2 de ellas" in tables(tiny, free, missed, SOUND)["lines"]["limit"][3]
    assert "7.550" not in pages(run_of(tiny, SOUND))[PAGE]


def test_the_allowed_bias_stands_beside_the_bias_with_the_noise_that_is_always_added():
    """5 % and 3.3 % of noise; of 2,000 companies too. A bias that is not told has no limit beside it."""
    many = verdict("experience.csat", bias_share=0.01, companies=2000, least=0.935, most=0.965,
                   gate="0.935 <= coverage <= 0.965; |bias| <= 5% + 4.9% of noise")
    free = verdict("sales.per_point", bias_share=0.3, gate="0.910 <= coverage <= 0.990", **FEW)
    found = tables(BIASED, many, free, language="en")["figures"]
    assert dict(zip(found["n_companies"], found["bias_allowed"], strict=True))[2000] == "± 9.9%"
    assert sorted(found["bias_allowed"]) == ["± 8.3%", "± 9.9%", "–"]
    assert "± 9.9%" in pages(run_of(many), language="en")[PAGE].replace("\u00a0", " ")


@pytest.mark.parametrize(("language", "few", "always"), [("es", "Con pocas empresas", "siempre"),
                                                         ("en", "With few companies", "always")])
def test_the_noise_in_a_limit_of_bias_is_said_to_be_always_there(language, few, always):
    words = Words(language)
    said = words.text("trust.lines.lead")
    assert few not in said and f"{words.number(CERTAIN, 3)} " in said
    limits = [words.text(f"trust.limit.{name}", bias="5", bias_feedback="10", small="0", detectable="10")
              for name in ("bias", "bias_feedback", "detectable")]
    assert [text for text in [said, *limits] if always not in text] == []


def test_printed_figures_that_no_gate_speaks_of_are_named():
    """Neither those with a gate, nor claims without a figure, nor what was left out; each once, intervals first."""
    free = verdict("data.response_rate", 0.2, gate="none: nothing is asked of it", ok=True)
    printed = [Claim("data.customers", 900.0, "count", 900, "count"),
               Claim("data.revenue_gap", 3.0, "EUR", 900, "mean", ci_low=1.0, ci_high=5.0),
               Claim("data.response_rate", 0.3, "share", 900, "wilson", ci_low=0.2, ci_high=0.4),
               Claim("sales.per_point", 6.2, "percent", 900, "ppml", ci_low=4.0, ci_high=8.0),
               Claim("sales.per_point", 6.2, "percent", 900, "ppml", segment="segment:a"),
               Claim("churn.rate", None, "share", 0, "wilson", status="not_estimable", reason="no_panel"),
               Claim("data.customers", 50.0, "count", 50, "count", segment="segment:a"),
               Claim("experience.nps_left_out", 1.0, "count", 0, "", segment="covariate:segment")]
    words = Words("en")
    made = trust.results_of(run_of(GOOD, free), True, words, printed)
    label = {c.claim_id: words.claim_label(c) for c in printed[:3]}
    assert list(made.tables["unsimulated"].itertuples(index=False, name=None)) == [
        (label["data.revenue_gap"], True), (label["data.response_rate"], True), (label["data.customers"], False)]
    shown = render_site(build_site(Company("A", "own", "EUR", "Europe/Madrid"), Disclosure(10, 30), {},
                                   {trust.NAME: made}, words), words)[PAGE]
    assert words.text("trust.unsimulated.title") in shown and label["data.customers"] in shown
    assert words.text("trust.unsimulated.title") not in pages(run_of(GOOD), language="en")[PAGE]


def test_a_gate_in_unknown_words_is_refused():
    with pytest.raises(ValueError, match="worded in no known way"):
        tables(verdict(gate="coverage looks fine"))


def test_the_tracked_run_counts_every_gate_once():
    content = json.loads(trust.FILE.read_text(encoding="utf-8"))
    made = trust.results_of(content, True, Words("es"))
    lines, held, failed = made.tables["lines"], made.claim("trust.held"), made.claim("trust.failed")
    honest = lines.drop(index=trust.LINES.index("naive"))
    assert honest["count_checks"].sum() == held.n_used == sum(
        len(v["gate"].split("; ")) for v in content["verdicts"] if not v["naive"] and not v["gate"].startswith("none:"))
    assert honest["count_held"].sum() == held.estimate == held.n_used - failed.estimate
    verdicts = made.claim("trust.verdicts")  # what the benchmark prints of itself
    assert (verdicts.estimate, verdicts.n_used) == (sum(v["ok"] for v in content["verdicts"]), len(content["verdicts"]))
    missed = [v for v in content["verdicts"] if not v["ok"] and not v["naive"]]
    assert failed.estimate == len(made.tables["failed"]) >= len(missed)
    assert (made.tables["failed"]["measured"] != "").all() and not made.tables["failed"]["held"].any()


def test_the_fingerprint_sees_every_line_and_no_line_end(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    file = folder / "a.py"
    file.write_bytes(b"x = 1\ny = 2\n")
    before = fingerprint(["room"], tmp_path)
    file.write_bytes(b"x = 1\r\ny = 2\r\n")
    assert fingerprint(["room"], tmp_path) == before and len(before) == 12
    assert fingerprint(["room/a.py"], tmp_path) == before
    file.write_bytes(b"x = 1\ny = 3\n")
    assert fingerprint(["room"], tmp_path) != before
    file.write_bytes(b"x = 1\ny = 2\n")
    Path(folder / "b.txt").write_text("not code")
    assert fingerprint(["room"], tmp_path) == before
