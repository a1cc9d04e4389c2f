"""The benchmark's judge: counts by hand, and a broken estimator fails its gate."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.contracts.claims import Claim


@pytest.fixture(scope="module")
def validity():
    path = Path(__file__).parents[2] / "benchmarks" / "validity.py"
    spec = importlib.util.spec_from_file_location("validity_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def interval(low, high, **more):
    return Claim("sales.per_point", (low + high) / 2, "percent", 10, "ppml", "effect", ci_low=low, ci_high=high, **more)


def test_coverage_tails_and_bias(validity):
    lost = replace(interval(0, 1), estimate=None, ci_low=None, ci_high=None, status="not_estimable")
    verdict = validity.judge("sales.per_point", [interval(1, 3), interval(3, 5), interval(-3, 1), lost], "base", 2.0)
    assert (verdict.covered, verdict.companies, verdict.estimated) == (1, 4, 3)
    assert (verdict.coverage, verdict.tail_low, verdict.tail_high) == (0.25, 0.25, 0.25)
    assert verdict.bias_share == pytest.approx((2 + 4 - 1) / 3 / 2 - 1)
    assert not verdict.ok


def test_gates_of_honest_and_naive_methods(validity):
    honest = [interval(1, 3)] * 52 + [interval(3, 5)] * 8
    assert validity.judge("sales.per_point", honest, "base", 2.0).ok
    assert not validity.judge("sales.per_point", [*honest[1:], interval(3, 5)], "base", 2.0).ok
    naive = [replace(c, naive=True) for c in [interval(1, 3)] * 20 + [interval(3, 5)] * 40]
    assert validity.judge("sales.per_point", naive, "base", 2.0).ok
    assert not validity.judge("sales.per_point", [*naive[:-1], naive[0]], "base", 2.0).ok


def test_one_company_goes_the_whole_way(validity):
    """Simulated, linked, analysed: every claim of the table is there, and truths exist for each."""
    made = {c.claim_id for c in validity.claims_of(1, 400, "base")}
    assert made == set(validity.HEADLINE)
    assert set(validity.HEADLINE.values()) == set(validity.truths("base"))
