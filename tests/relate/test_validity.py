"""The benchmark's judge: counts by hand, and a broken estimator fails its gate."""

from dataclasses import replace

import pytest

from benchmarks import gates, validity
from benchmarks.companies import BORROWED, HONEST, TRAPS, claims_of, truths
from pipeline.contracts.claims import Claim


def interval(low, high, **more):
    return Claim("sales.per_point", (low + high) / 2, more.pop("unit", "percent"), 10, "ppml", "effect", ci_low=low,
                 ci_high=high, **more)


def test_coverage_tails_and_bias():
    lost = replace(interval(0, 1), estimate=None, ci_low=None, ci_high=None, status="not_estimable")
    verdict = gates.judge("sales.per_point", [interval(1, 3), interval(3, 5), interval(-3, 1), lost], "base", 2.0)
    assert (verdict.companies, verdict.estimated) == (4, 3)
    assert (verdict.coverage, verdict.tail_low, verdict.tail_high) == (0.25, 0.25, 0.25)
    assert verdict.bias_share == pytest.approx((2 + 4 - 1) / 3 / 2 - 1)
    assert verdict.shown == 0.5 and not verdict.ok


def test_bias_of_a_ratio_is_that_of_its_logarithm():
    half, quarter = interval(0.4, 0.6, unit="ratio"), interval(0.2, 0.3, unit="ratio")
    verdict = gates.judge("churn.hazard_ratio_per_point", [half, quarter], "base", 0.5)
    assert verdict.bias_share == pytest.approx(0.5)  # logarithms -0.69 and -1.39: a half more than the truth
    assert verdict.shown == 1.0


@pytest.mark.parametrize(("companies", "unit", "band"), [
    (2000, "percent", (0.935, 0.965)), (500, "percent", (0.925, 0.975)), (2000, "EUR", (0.92, 0.98))])
def test_bands_of_coverage_are_those_set_beforehand(companies, unit, band):
    assert gates.coverage_band(companies, unit) == pytest.approx(band, abs=2e-4)


def test_gates_of_honest_and_naive_methods():
    """Of 200 companies 183 to 197 may be covered; the naive ones must be fewer than 183."""
    def covered(n, **more):
        return [replace(c, **more) for c in [interval(1, 3)] * n + [interval(3, 5)] * (200 - n)]

    def passes(claims, world="base"):
        return gates.judge("sales.per_point", claims, world, 2.0, 800).ok

    assert passes(covered(190)) and not passes(covered(181)) and not passes(covered(200))
    assert passes(covered(181, naive=True)) and not passes(covered(190, naive=True))
    assert not passes(covered(190), "feedback") and passes(covered(190, level="associated"), "feedback")


def test_a_method_that_misses_by_a_tenth_fails_on_bias():
    claims = [interval(0.2, 4.2 + 0.001 * (k % 2)) for k in range(200)]
    verdict = gates.judge("sales.per_point", claims[:190] + [interval(4.1, 4.3)] * 10, "base", 2.0)
    assert 0.925 < verdict.coverage < 0.975 and verdict.bias_share > 0.15 and not verdict.ok


def test_one_company_goes_the_whole_way():
    """Simulated, linked, analysed: every claim of the table is there, and truths exist for each."""
    made = {c.claim_id for c in claims_of(1, 400, "base")}
    assert made == set(HONEST) | set(TRAPS)
    assert {BORROWED.get(name, name) for name in made} == set(truths("base"))


def test_unknown_worlds_are_refused(capsys):
    with pytest.raises(SystemExit):
        validity.main(["--worlds", "nowhere"])
    assert "feedback" in capsys.readouterr().err
