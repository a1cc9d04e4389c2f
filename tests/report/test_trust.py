"""The page "How far to trust these numbers" says what follows from the run, and nothing else."""

import json
from pathlib import Path

import pytest

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


def test_the_fingerprint_sees_every_line_and_no_line_end(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    file = folder / "a.py"
    file.write_bytes(b"x = 1\ny = 2\n")
    before = fingerprint(["room"], tmp_path)
    file.write_bytes(b"x = 1\r\ny = 2\r\n")
    assert fingerprint(["room"], tmp_path) == before and len(before) == 12
    file.write_bytes(b"x = 1\ny = 3\n")
    assert fingerprint(["room"], tmp_path) != before
    file.write_bytes(b"x = 1\ny = 2\n")
    Path(folder / "b.txt").write_text("not code")
    assert fingerprint(["room"], tmp_path) == before
