"""The benchmark's judge: counts by hand, a broken estimator fails its gate, and truths that follow from the worlds."""

import fnmatch
import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import exact, gates, limits, records, sizes, validity
from benchmarks import truths as truths_module
from benchmarks.printed import TABLES, TIME_ZONE, linked, printed
from benchmarks.records import Record
from benchmarks.traps import BORROWED, TRAPS
from benchmarks.truths import hazards, truths, truths_of
from pipeline.demo.company import simulate
from pipeline.demo.latent import draw_latent
from pipeline.demo.truth import LEDGER_SEED
from pipeline.demo.worlds import WORLDS
from pipeline.link.panel import build_panel
from pipeline.relate.complaints import complaint_claims
from pipeline.report import trust
from pipeline.report.catalogue import catalogue
from pipeline.report.words import Words


def interval(start, end, truth=2.0, **more):
    fields = {"claim_id": "sales.per_point", "segment": "all", "unit": "percent", "method": "ppml", "naive": False,
              "level": "effect", "estimate": (start + end) / 2, "low": start, "high": end, "detectable": None,
              "truth": truth, "kind": "planted"}
    return Record(**(fields | more))


def covered(n, of=200, **more):
    return [interval(1, 3, **more)] * n + [interval(3, 5, **more)] * (of - n)


def judged(made, world="base"):
    return gates.judge(made, world, 1000)


def test_coverage_tails_and_bias():
    lost = interval(0, 1, low=None, high=None, estimate=None)
    verdict = judged([interval(1, 3), interval(3, 5), interval(-3, 1), lost])
    assert (verdict.companies, verdict.estimated) == (4, 3)
    assert (verdict.coverage, verdict.tail_low, verdict.tail_high) == (0.25, 0.25, 0.25)
    assert verdict.bias_share == pytest.approx((2 + 4 - 1) / 3 / 2 - 1)
    assert verdict.shown == 0.5 and not verdict.ok


def test_bias_of_a_ratio_is_that_of_its_logarithm():
    verdict = judged([interval(0.4, 0.6, 0.5, unit="ratio"), interval(0.2, 0.3, 0.5, unit="ratio")])
    assert verdict.bias_share == pytest.approx(0.5)  # logarithms -0.69 and -1.39: a half more than the truth
    assert verdict.shown == 1.0


def test_each_company_may_have_a_truth_of_its_own():
    made = [interval(9, 11, 10.0), interval(19, 21, 20.0), interval(9, 11, 20.0)]
    verdict = judged(made)
    assert verdict.coverage == pytest.approx(2 / 3) and verdict.tail_high == pytest.approx(1 / 3)
    assert verdict.bias_share == pytest.approx(-10 / 50)  # 10 + 20 + 10 where 50 is true


@pytest.mark.parametrize(("companies", "is_wide", "band"), [
    (2000, False, (0.935, 0.965)), (5000, False, (0.935, 0.965)), (500, False, (0.925, 0.975)),
    (2000, True, (0.92, 0.98)), (500, True, (0.92, 0.98)), (200, False, (0.9103, 0.9897))])
def test_bands_of_coverage_are_those_set_beforehand(companies, is_wide, band):
    assert gates.coverage_band(companies, is_wide) == pytest.approx(band, abs=1e-4)


def test_size_bands_are_exact_at_two_thousand_and_wider_below():
    assert gates.size_band(2000, *gates.SIZE) == pytest.approx(gates.SIZE)
    assert gates.size_band(2000, 0.0, gates.MOST_SIZE)[1] == pytest.approx(0.055)
    low, high = gates.size_band(500, *gates.SIZE)  # 2.576 * .2179 * (1/22.36 - 1/44.72) more on each side
    assert (low, high) == pytest.approx((0.035 - 0.01255, 0.065 + 0.01255), abs=1e-4)


def test_gates_of_honest_and_naive_methods():
    """Of 200 companies 183 to 197 may be covered; the naive ones must be fewer than 183, or off in the mean."""
    def passes(made, world="base"):
        return judged(made, world).ok

    assert passes(covered(190, truth=2.1)) and not passes(covered(181, truth=2.1))
    assert not passes(covered(200, truth=2.1))
    assert passes(covered(181, truth=2.1, naive=True)) and not passes(covered(190, truth=2.1, naive=True))
    assert not passes(covered(190), "feedback") and passes(covered(190, level="associated"), "feedback")


def test_a_method_that_misses_by_a_tenth_fails_on_bias():
    made = [interval(0.2, 4.2 + 0.001 * (k % 2)) for k in range(190)] + [interval(4.1, 4.3)] * 10
    verdict = judged(made)
    assert 0.925 < verdict.coverage < 0.975 and verdict.bias_share > 0.15 and not verdict.ok


def test_a_figure_printed_only_where_it_can_be_is_judged_where_it_is():
    absent = [interval(1, 3, claim_id="sales.growth.share_of_promoters", low=None, high=None, estimate=None)] * 100
    given = covered(95, 100, claim_id="sales.growth.share_of_promoters", truth=2.1)
    verdict = judged(absent + given)
    assert verdict.companies == 100 and verdict.ok
    assert judged(absent + given[:20]) is None  # twenty companies are too few for a verdict


@pytest.mark.parametrize(("shown", "ok"), [(100, True), (200, False)])
def test_size_of_a_change_test(shown, ok):
    """Of 2,000 companies where nothing changed, 110 may see a change."""
    made = [interval(-1, 1, 0.0, claim_id="size.nps_change", unit="points")] * (2000 - shown)
    verdict = judged(made + [interval(1, 3, 0.0, claim_id="size.nps_change", unit="points")] * shown, "null")
    assert verdict.check == "size" and verdict.proves == ["change_test"] and verdict.ok is ok
    assert verdict.shown == shown / 2000


def test_a_test_that_never_speaks_has_the_wrong_size():
    verdict = judged([interval(-1, 1, 0.0, claim_id="size.sales_scores_shuffled")] * 2000, "null")
    assert verdict.proves == ["placebo"] and not verdict.ok


def test_p_values_below_one_in_twenty_are_counted():
    made = [interval(0, 0, None, claim_id="sales.shape.spline_departure", estimate=(k + 0.5) / 400, low=None, high=None)
            for k in range(400)]
    verdict = judged(made)
    assert verdict.shown == 0.05 and verdict.ok and verdict.least > 0
    assert judged(made, "feedback") is None


def test_power_and_false_discoveries():
    made = covered(1000, 1000)
    assert gates.judge_power(made[:940] + [interval(-1, 3)] * 60, "base", 2000).ok is False
    assert gates.judge_power(made[:960] + [interval(-1, 3)] * 40, "base", 2000).ok is True
    found = [interval(0, 0, None, claim_id="size.false_discoveries", estimate=0.25 * (k % 2)) for k in range(2000)]
    verdict = gates.judge(found, "base", 0)
    assert verdict.mean == pytest.approx(0.125) and not verdict.ok


def test_a_level_that_picks_by_size_fails_where_it_says_effect():
    """Estimates about 2 with a spread of 1: the level given to those above 2 alone makes them 2.8 on average."""
    draws = np.random.default_rng(2).normal(2, 1, 2000)

    def given(is_effect):
        return gates.judge_given_effect([interval(x - 2, x + 2, level="effect" if is_effect(x) else "associated")
                                         for x in draws], "base", 2000)

    fair = given(lambda x: round(x * 1000) % 2)
    assert fair.ok and fair.claim_id == "sales.per_point.given_effect" and 900 < fair.estimated < 1100
    picked = given(lambda x: x > 2)
    assert not picked.ok and picked.bias_share == pytest.approx(0.4, abs=0.05)  # half a normal: 2 + sqrt(2 / pi)
    assert given(lambda x: False) is None  # nobody says effect: nothing to judge


def test_bias_of_a_difference_is_held_against_its_scale():
    """A change of NPS of 0.1 points found as 0.4: 0.3 of 10 points is 3 %, and four times the truth says nothing."""
    made = [interval(0.4 + x - 2, 0.4 + x + 2, 0.1, claim_id="experience.nps_change", unit="points")
            for x in (-0.01, 0.01)] * 200
    verdict = judged(made + [interval(3, 5, 0.1, claim_id="experience.nps_change", unit="points")] * 20)
    assert "of the scale" in verdict.gate and verdict.bias_share == pytest.approx((400 * 0.03 + 20 * 0.39) / 420)
    percent = judged([interval(-50, 100, 0.0, claim_id="sales.contacts.per_point", estimate=e)
                      for e in (-50.0, 100.0)])
    assert percent.bias_share == pytest.approx(0.0, abs=1e-9)  # a half and the double: their logarithms cancel


def test_detectable_effect_is_held_against_the_spread_of_the_estimates():
    """Estimates of standard deviation one: 2.80 is what can be detected, 4 is not."""
    draws = np.random.default_rng(1).normal(0, 1, 2000)
    made = [interval(x - 2, x + 2, 0.0, claim_id="experience.nps_change", unit="points", detectable=2.8) for x in draws]
    assert gates.judge_detectable(made, "base", 1000).ok
    assert not gates.judge_detectable([replace(r, detectable=4.0) for r in made], "base", 1000).ok


def test_exact_coverage_of_the_nps_interval_is_enumerated():
    verdict = exact.verdict()
    assert verdict.companies == 150 and verdict.mean >= 0.935 and 0.945 <= verdict.coverage <= 0.960 and verdict.ok


def test_linked_together_each_company_has_the_panel_that_it_has_alone():
    both = linked([3, 4], 300, "base")
    alone = simulate(customers=300, seed=4, network=LEDGER_SEED)
    panel = build_panel({name: getattr(alone, name) for name in TABLES}, TIME_ZONE)
    numbered = both[1].panel.assign(customer_id=both[1].panel["customer_id"].str.slice(5))
    pd.testing.assert_frame_equal(numbered, panel)
    for one in both:  # surveys, tickets, sales and panel speak of the same customers by the same ids
        known = set(one.panel["customer_id"])
        assert all(set(table["customer_id"].dropna()) <= known for table in (one.surveys, one.tickets, one.sales))


def test_companies_of_one_network_share_branches_and_not_customers():
    first, second = (draw_latent(500, 3, seed, WORLDS["base"], 7) for seed in (1, 2))
    assert (first.branch_cohort == second.branch_cohort).all()
    assert (first.value != second.value).any()
    own = draw_latent(500, 3, 1, WORLDS["base"])
    assert (own.value == first.value).all() and (own.satisfaction != first.satisfaction).any()


def test_revenue_at_risk_is_held_against_the_same_company_lived_on():
    """The months to come continue the months gone by; nobody who left is counted, and everybody's loss is summed."""
    one = linked([5], 400, "base")[0]
    on = draw_latent(400, 36, 5, WORLDS["base"], LEDGER_SEED)
    assert (on.orders[:, :24] == one.company.latent.orders).all()
    told = truths_of(one)
    parts = [truth.value for name, truth in told.items() if "by_answer" in name]
    assert sum(parts) == pytest.approx(told["churn.revenue_at_risk@months:12"].value)
    here = one.company.latent.is_active[:, -1] & ~one.company.latent.churned[:, -1]
    spent = one.panel[one.panel["period"] >= "2025-01-01"].groupby("customer_id")["revenue"].mean()
    ceiling = 12 * spent.clip(lower=0).sum()
    assert 0 < told["churn.revenue_at_risk@months:12"].value < 0.25 * ceiling and here.sum() > 250
    rate = hazards(on, WORLDS["base"])[on.is_active].mean()
    assert rate == pytest.approx(on.churned[on.is_active].mean(), abs=0.004)


def test_truths_follow_from_the_world():
    base, null = truths("base"), truths("null")
    assert base["sales.per_point@all"].value == pytest.approx(6.18365, abs=1e-5)
    assert base["churn.hazard_ratio_per_point@all"].value == pytest.approx(0.818731, abs=1e-6)
    assert base["sales.order_value.per_point@all"].value == 0.0
    assert null["sales.group.promoter@all"].value == 0.0 and null["sales.lag@months:6"].value == 0.0
    assert base["experience.nps_weighting_shift@all"].value < -3  # the less happy answer less
    assert base["churn.monthly_rate@segment:hogar"].value > base["churn.monthly_rate@segment:empresa"].value


def test_limits_of_several_companies_are_one_mean_and_their_noise_is_granted():
    assert limits.merged({"a": 1.0, "b": 5.0}, 3, {"a": 2.0, "c": 7.0}, 1) == {"a": 1.25, "b": 5.0, "c": 7.0}
    made = [interval(x, x + 4, 2.0, kind="limit") for x in (0.3, -0.2, 0.4, 0.1)]
    tolerance = [judged([replace(r, kind=kind) for r in made]).gate.partition("+ ")[2] for kind in ("limit", "planted")]
    assert float(tolerance[0].partition("%")[0]) >= float(tolerance[1].partition("%")[0])
    assert truths_module.behind("ledger", "base") == 200_000 and truths_module.behind("planted", "base") == math.inf
    assert truths_module.behind("limit", "base") >= 180_000


def test_how_long_tickets_last_is_the_same_in_worlds_that_differ_elsewhere():
    """Answering has no hand in tickets: what nature knows of them is known from the same ones, and from enough."""
    base, silent = truths("base"), truths("nonresponse")
    for name in limits.OF_TICKETS:
        assert base[f"{name}@all"].kind == "nature" and base[f"{name}@all"] == silent[f"{name}@all"]
    assert abs(base["experience.ttr_p90_hours_change@all"].value) < 2  # hours: nothing changes them between half years
    drawn = limits.tickets_of("base", 2000, [3])
    assert set(drawn) == {name for name in base if name.partition("@")[0].removesuffix("_change") in limits.OF_TICKETS}


def test_counts_laid_out_without_linking_say_what_the_linked_company_says():
    one = linked([5], 1000, "base")[0]
    told = {f"{c.claim_id}@all": c.estimate for c in complaint_claims(one.sample, one.panel)}
    assert limits.counts_of("base", 1000, [5])["sales.contacts.per_point@all"] == pytest.approx(
        told["sales.contacts.per_point@all"], rel=1e-6)
    for world in ("base", "null", "feedback", "nonresponse"):  # a complaint that lowers later answers is no effect
        assert all(-3 < truths(world)[f"{name}@all"].value < 1 for name in limits.OF_COUNTS)


def test_exchanged_and_shuffled_answers_hold_nothing():
    """Shuffled, every answer stays in its group and reaches each of its places."""
    random = np.random.default_rng(1)
    values, within = pd.Series([1.0, 2, 3, 4, 5, 6]), pd.Series([0, 1, 0, 1, 0, 1])
    mixed = sizes._mixed(values, within, random)
    assert sorted(mixed[[0, 2, 4]]) == [1, 3, 5] and sorted(mixed[[1, 3, 5]]) == [2, 4, 6]
    spread = [sizes._mixed(values, within, random)[0] for _ in range(300)]
    assert {1.0, 3.0, 5.0} == set(spread)
    found = [c for c in sizes.sizes(linked([9], 500, "null")[0]) if c.claim_id == "size.nps_change"]
    assert len(found) == 1 and found[0].ci_low < 0 < found[0].ci_high


def test_one_company_goes_the_whole_way():
    """Simulated, linked, analysed: every figure has its truth, every naive method of the world stands beside."""
    made = records.of_batch("base", [1], 400)[0]
    assert {r.claim_id for r in made if r.naive} == {name for name, worlds in TRAPS.items() if "base" in worlds}
    assert all(r.truth is not None for r in made if r.claim_id not in records.P_VALUES)
    assert set(BORROWED) == set(TRAPS) and set(BORROWED.values()) <= set(truths("base"))
    told = {f"{c.claim_id}@{c.segment}" for c in printed(linked([1], 400, "base")[0]) if c.ci_low is not None}
    assert told <= {f"{r.claim_id}@{r.segment}" for r in made}


def test_every_figure_with_an_interval_is_judged_or_listed_with_its_reason():
    """A figure that is new in the wording needs a truth, or its reason on the page."""
    words, judged_ids = Words("en"), {name.partition("@")[0] for name in truths("base")}
    judged_ids |= set(TRAPS)
    listed = trust.unproven([{"claim_id": name} for name in judged_ids], words)
    unexplained = set(listed[listed["reason"] == words.text("trust.why.not_run")]["figure"])
    excused = {str(entry["label"]) for name, entry in catalogue("en")["claims"].items()
               if any(fnmatch.fnmatchcase(name, p) for p, why in trust.NOT_PROVEN.items() if why == "not_run")}
    assert unexplained <= excused and len(listed) > 5


def test_batches_are_kept_and_taken_up_again(tmp_path, monkeypatch):
    first = records.kept(tmp_path, "discoveries", "base", [1, 2], 0)
    monkeypatch.setitem(records.MAKERS, "discoveries", None)
    assert records.kept(tmp_path, "discoveries", "base", [1, 2], 0) == first


def test_an_earlier_version_is_taken_over_only_where_this_one_says_the_same(tmp_path, monkeypatch):
    """The first batch is made anew: a figure withheld may be absent, one in another last digit may not."""
    def company(value: float | None) -> list[records.Record]:
        told = [(f"experience.{name}", value if name == "nps" else 1.0) for name in ("nps", "csat")]
        return [records.Record(name, "all", "points", "m", False, "described", number, None, None, None, None, "limit")
                for name, number in told]

    before = tmp_path / "before"
    for seeds in ([1, 2], [3, 4]):
        monkeypatch.setitem(records.MAKERS, "claims", lambda world, seeds, customers: [company(0.1 + 0.2)] * 2)
        records.kept(before, "claims", "base", seeds, 5)
    for value, apart in ((0.3, ["base: experience.nps@all"]), (0.1 + 0.2, []), (None, [])):
        monkeypatch.setitem(records.MAKERS, "claims", lambda world, seeds, customers, v=value: [company(v)] * 2)
        here = tmp_path / f"here-{value}"
        assert records.take_over(here, before, ["base"], [1, 2], 5) == apart
        assert len(list(here.glob("*.json"))) == (1 if apart else 2)
    for name, apart in (("nps", []), ("csat", ["base: power"])):
        monkeypatch.setitem(records.MAKERS, "power", lambda *_, n=1 + (name == "csat"): [company(0.5)[:n]])
        records.kept(before if name == "nps" else tmp_path / "csat", "power", "base", [1], 7)
        assert records.take_over(tmp_path / name, before, ["base"], [1, 2], 5) == apart


def test_a_part_that_differs_is_made_anew_of_every_company(tmp_path, monkeypatch):
    """The rates of an earlier version are replaced by this one's; all else stays as that version left it."""
    rates = ("churn.monthly_rate", "churn.inactivity.monthly_rate")
    now = records.kept(tmp_path / "now", "claims", "base", [1], 300)
    old = [[replace(r, high=9.0) if r.claim_id in rates else r for r in company] for company in now]
    monkeypatch.setitem(records.MAKERS, "claims", lambda *_: old)
    for seeds in ([1], [2]):
        records.kept(tmp_path / "before", "claims", "base", seeds, 300)
    here = tmp_path / "here"
    monkeypatch.setitem(records.MAKERS, "claims", lambda *_: now)
    for anew, apart in ((None, 7), ("rates", 0)):  # of all, of three segments, of three windows
        assert len(records.take_over(here, tmp_path / "before", ["base"], [1], 300, anew)) == apart
    monkeypatch.undo()
    records.renewed(here, tmp_path / "before", "base", [2], 300, "rates")
    mixed = {(r.claim_id, r.segment): r for r in records.kept(here, "claims", "base", [2], 300)[0]}
    second = {(r.claim_id, r.segment): r for r in records.of_batch("base", [2], 300)[0]}
    first = {(r.claim_id, r.segment): r for r in now[0]}
    assert {key for key in mixed if key[0] in rates and mixed[key].high != 9.0} == {k for k in second if k[0] in rates}
    for key, record in mixed.items():
        told = second[key] if key[0] in rates else first[key]
        assert records._plain(record) == records._plain(told)


def test_worlds_may_have_their_own_number_of_companies():
    assert validity.counted("base, null=500", 200) == {"base": 200, "null": 500}


def test_the_result_names_what_was_run(tmp_path):
    """A list of verdicts with the agreed keys, and for the page also companies, seeds and the code that was tested."""
    files = tmp_path / "list.json", tmp_path / "page.json"
    validity.main(["--companies", "2", "--customers", "400", "--worlds", "base", "--json", str(files[0]),
                   "--page", str(files[1])])
    plain, page = (json.loads(file.read_text()) for file in files)
    keys = {"claim_id", "method", "world", "companies", "coverage", "tail_low", "tail_high", "bias_share", "gate", "ok",
            "naive"}
    assert all(keys <= set(row) for row in plain) and page["verdicts"] == plain
    assert page["run"]["worlds"] == {"base": 2} and len(page["run"]["fingerprint"]) == 12


def test_unknown_worlds_are_refused(capsys):
    with pytest.raises(SystemExit):
        validity.main(["--worlds", "nowhere"])
    assert "feedback" in capsys.readouterr().err
