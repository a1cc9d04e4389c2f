"""Scores, shares, many comparisons and durations against published figures, each at its own stated tolerance."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.measure import nps
from pipeline.measure.multiplicity import discoveries
from pipeline.measure.proportions import newcombe, wilson
from pipeline.measure.resolution import Durations, restricted_mean

Z95 = 1.959963985
EXACT = 1e-12  # figures given as fractions


def test_nps_of_the_r_package(published):
    facts = published["nps_r_package"]
    for counts, score, variance, error in facts["cases"]:
        assert nps.net_score(*counts) == pytest.approx(score, abs=EXACT)
        assert nps.variance(*counts) == pytest.approx(variance, abs=EXACT)
        assert nps.standard_error(*counts) == pytest.approx(error, abs=facts["tol_se"])
    for answers, (score, variance, error) in facts["raw_scores"].items():
        sides = nps.sides([float(answer) for answer in answers.split(",")])
        counts = [int((sides == side).sum()) for side in (-1, 0, 1)]
        assert nps.net_score(*counts) == pytest.approx(score, abs=EXACT)
        assert nps.variance(*counts) == pytest.approx(variance, abs=EXACT)
        assert nps.standard_error(*counts) == pytest.approx(error, abs=facts["tol_se"])


def test_wilson(published):
    facts = published["wilson_newcombe1998a"]
    for x, n, low, high in facts["cases"]:
        assert wilson(x, n) == (pytest.approx(low, abs=facts["tol"]), pytest.approx(high, abs=facts["tol"]))


def test_newcombe(published):
    facts = published["diff_newcombe1998b"]
    for x1, n1, x2, n2, low, high in facts["cases"]:
        assert newcombe(x1, n1, x2, n2) == (pytest.approx(low, abs=facts["tol"]), pytest.approx(high, abs=facts["tol"]))


def test_benjamini_hochberg(published):
    facts = published["bh1995"]
    assert discoveries(facts["p"], rate=0.05).sum() == facts["reject_bh"]
    assert (np.array(facts["p"]) <= 0.05 / len(facts["p"])).sum() == facts["reject_bonferroni"]


def test_restricted_mean(published, reference_folder):
    facts, patients = published["rmst_pbc"], pd.read_csv(reference_folder / "pbc312.csv")
    for arm, name in ((1, "arm1"), (2, "arm0(trt=2)")):
        part = patients[patients["trt"] == arm]
        found = restricted_mean(Durations(part["time_years"].to_numpy(float), (part["death"] == 1).to_numpy(),
                                          np.arange(len(part))), facts["tau"])
        error = np.log(found.high / found.low) / (2 * Z95) * found.estimate  # the interval is even on the log scale
        assert found.estimate == pytest.approx(facts[name][0], abs=facts["tol"])
        assert error == pytest.approx(facts[name][1], abs=facts["tol"])


def exact_coverage(shares: tuple[float, float, float], n: int) -> tuple[float, float]:
    """Coverage and mean width (points) over every possible count of n answers, each with its own probability."""
    detractors, passives = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
    possible = detractors + passives <= n
    d, m = detractors[possible], passives[possible]
    counts = np.column_stack([d, m, n - d - m])
    chance = np.exp(stats.multinomial.logpmf(counts, n, shares))
    low, high = nps.score_interval(*counts.T)
    truth = shares[2] - shares[0]
    inside = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    return float(chance @ inside), float(chance @ (high - low)) * 100


@pytest.mark.parametrize(("name", "shares"), [
    ("NPS30 (20/30/50)", (0.2, 0.3, 0.5)), ("NPS75 (5/15/80)", (0.05, 0.15, 0.8)),
    ("NPS88 (2/8/90)", (0.02, 0.08, 0.9))])
def test_exact_coverage_of_the_nps_interval(reference_folder, name, shares):
    """Another enumeration of the same interval, to the decimals that it was stored with."""
    stored = json.loads((reference_folder / "nps_exact_coverage.json").read_text(encoding="utf-8"))
    rows = [row for row in stored if row[0] == name and row[1] <= 50]
    assert len(rows) >= 3
    for _, n, _wald, _adjusted, coverage, *widths in rows:
        found, width = exact_coverage(shares, n)
        assert found == pytest.approx(coverage, abs=1e-4)
        assert width == pytest.approx(widths[-1], abs=0.1)
