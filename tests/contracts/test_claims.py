"""The claim keeps its promises: no number without status ok or a reason, nothing infinite, nothing twice."""

import json

import pandas as pd
import pytest

from pipeline.contracts.claims import Claim, claims_frame, read_claims, rounded, write_claims
from pipeline.contracts.results import SENTINEL, read_results, write_results


def claim(**facts) -> Claim:
    return Claim(**{"claim_id": "a.b", "estimate": 1.0, "unit": "points", "n_used": 40, "method": "m"} | facts)


@pytest.mark.parametrize("facts", [
    {"estimate": None}, {"estimate": 1.0, "status": "suppressed"}, {"estimate": 1.0, "status": "not_estimable"},
    {"estimate": float("nan")}, {"ci_low": float("-inf")},
])
def test_a_claim_that_lies_about_its_status_is_an_error(facts):
    with pytest.raises(ValueError, match=r"a\.b"):
        claim(**facts)


def test_covers_zero_needs_both_ends():
    assert claim(ci_low=-1.0, ci_high=2.0).covers_zero is True
    assert claim(ci_low=0.5, ci_high=2.0).covers_zero is False
    assert claim(ci_low=0.5).covers_zero is None


def test_ten_significant_digits_are_kept():
    assert rounded(0.1 + 0.2) == 0.3
    assert claim(estimate=1234567.8912345).estimate == 1234567.891


def test_claims_survive_the_file_and_never_stand_twice(tmp_path):
    claims = [claim(), claim(segment="touchpoint:entrega", status="suppressed", estimate=None)]
    write_claims(claims, tmp_path / "claims.json")
    assert read_claims(tmp_path / "claims.json") == claims
    assert list(claims_frame(claims)["segment"]) == ["all", "touchpoint:entrega"]
    with pytest.raises(ValueError, match="stand twice"):
        write_claims([claim(), claim(estimate=2.0)], tmp_path / "claims.json")


def test_results_are_read_only_when_complete(tmp_path):
    claims = [claim(ci_low=0.5, ci_high=2.0)]
    write_results(tmp_path, claims, {"t": claims_frame(claims)}, headline=["a.b"])
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics == {"a": {"b": {"estimate": 1.0, "low": 0.5, "high": 2.0}}}
    assert read_results(tmp_path).claim("a.b") == claims[0]
    (tmp_path / SENTINEL).unlink()
    with pytest.raises(FileNotFoundError):
        read_results(tmp_path)


def test_metrics_hold_no_figure_of_a_small_group(tmp_path):
    """metrics.json is kept with the code: neither a group, nor all customers where they are few."""
    claims = [claim(n_used=9), claim(claim_id="a.c", n_used=10), claim(segment="team:x", n_used=500)]
    write_results(tmp_path, claims, {}, headline=["a.b", "a.c"], suppress_below=10)
    assert json.loads((tmp_path / "metrics.json").read_text()) == {
        "a": {"b": {"status": "suppressed"}, "c": {"estimate": 1.0}}}


def test_figures_of_few_carry_a_warning_and_keep_their_number(tmp_path):
    claims = [claim(claim_id=f"a.n{n}", n_used=n, ci_low=0.5, ci_high=2.0) for n in (29, 30)]
    claims.append(claim(claim_id="a.none", n_used=5, estimate=None, status="not_estimable", reason="few_events"))
    claims.append(claim(claim_id="a.refused", n_used=5, reason="constant"))
    write_results(tmp_path, claims, {}, headline=[], caution_below=30)
    kept = read_results(tmp_path).claims
    assert [c.status for c in kept] == ["not_enough_data", "ok", "not_estimable", "ok"]
    assert (kept[0].estimate, kept[0].ci_low, kept[0].ci_high) == (1.0, 0.5, 2.0)
    write_results(tmp_path, claims, {}, headline=[])
    assert [c.status for c in read_results(tmp_path).claims] == ["ok", "ok", "not_estimable", "ok"]


def test_people_are_counted_where_rows_are_many(tmp_path):
    """200 customer-months of 29 customers are few, of 9 they are a small group."""
    claims = [claim(claim_id=f"a.p{n}", n_used=200, people=n, ci_low=0.5, ci_high=2.0) for n in (9, 29, 30)]
    write_results(tmp_path, claims, {}, headline=[c.claim_id for c in claims], suppress_below=10, caution_below=30)
    assert [c.status for c in read_results(tmp_path).claims] == ["not_enough_data", "not_enough_data", "ok"]
    metrics = json.loads((tmp_path / "metrics.json").read_text())["a"]
    assert metrics["p9"] == {"status": "suppressed"} and metrics["p29"]["estimate"] == 1.0


def test_counts_of_few_are_not_written_where_there_is_no_figure(tmp_path):
    none = {"estimate": None, "status": "not_estimable", "reason": "few_events"}
    counts = {"few": (4, 9, None), "people": (50, None, 6), "many": (10, 900, 10), "none": (0, None, None)}
    claims = [claim(claim_id=f"a.{name}", n_used=n, n_in=n_in, people=people, **none)
              for name, (n, n_in, people) in counts.items()]
    write_results(tmp_path, claims, {}, headline=[], suppress_below=10)
    written = json.loads((tmp_path / "claims.json").read_text())
    assert [(c["n_used"], c["n_in"], c["people"]) for c in written] == [
        (None, None, None), (None, None, None), (10, 900, 10), (0, None, None)]


def test_an_estimate_needs_the_rows_it_rests_on():
    with pytest.raises(ValueError, match="n_used"):
        claim(n_used=None)


def test_a_headline_that_was_not_made_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="not made"):
        write_results(tmp_path, [claim()], {}, headline=["a.c"])


def test_tables_keep_the_digits_of_claims_and_their_missing_values(tmp_path):
    table = pd.DataFrame({"x": [0.1 + 0.2, None], "n": [1, 2], "word": ["a", None]})
    write_results(tmp_path, [claim()], {"t": table}, headline=[])
    kept = read_results(tmp_path).tables["t"]
    assert kept["x"].iloc[0] == 0.3
    assert kept.isna().sum().to_dict() == {"x": 1, "n": 0, "word": 1}
    assert kept["n"].dtype == "int64"
