"""The run of the validity benchmark as results of a page: claims and tables, in the reader's language.

The run stands in validity.json beside this file: {"run": what was run, "verdicts": one entry per figure and world}
(`python -m benchmarks.validity --page`). Nothing is computed anew: its gates are counted, named and put in order.
"""

import fnmatch
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.contracts.results import Results
from pipeline.report.catalogue import MissingWording, catalogue, placeholders
from pipeline.report.trust_gates import Gate, gates_of, is_edge, is_small, outcome, told
from pipeline.report.trust_unsimulated import unsimulated
from pipeline.report.words import Words

FILE = Path(__file__).with_name("validity.json")
NAME = "how-far-to-trust"  # of the page's file
METHOD = "simulation"
FAMILIES = {  # patterns of claim ids, the first that fits
    "weighting": ("experience.*_weight*", "experience.*_raked", "experience.*_if_silent_lower", "data.*"),
    "tickets": ("experience.ttr_*", "experience.first_reply_*", "experience.requester_wait_*", "experience.tickets_*"),
    "scores": ("experience.*", "size.nps_*", "size.csat_*", "size.false_discoveries"),
    "money": ("sales.conversion_*", "sales.break_even_cost.*", "sales.naive.*gap", "churn.revenue_at_risk*"),
    "growth": ("sales.growth.*", "churn.retention.*", "sales.repeat_customers_share"),
    "sales": ("sales.*", "size.sales_*"),
    "silence": ("churn.inactivity.*",),
    "churn": ("churn.*", "size.churn_*"),
}
NOT_PROVEN = {  # patterns of claims with an interval that no verdict covers -> text trust.why.<reason>
    "churn.prediction.*": "own_model",
    "churn.predictor": "no_such_column",
    "churn.rate": "other_export",
    "churn.inactivity.still_there": "a_check",
    "experience.*_gap": "same_as_change",
    "data.revenue_*": "not_run",
    "experience.ces_easy_share*": "not_declared",
    "experience.top_share*": "not_declared",
    "experience.mean.*": "not_declared",
    "experience.mean_change.*": "not_declared",
    "experience.*_tipping_points": "no_interval",
    "experience.nps_weighted_change": "not_run",
    **{f"experience.{name}_{kind}": "same_as_nps" for name in ("csat", "ces") for kind in (
        "weighted*", "raked", "weighting_shift", "if_silent_lower")},
    "sales.complaints.*": "same_as_sales", "sales.contacts.*": "same_as_sales",
    "churn.naive.*": "naive", "sales.naive.*": "naive",
}
ORDER = ("scores", "tickets", "weighting", "sales", "money", "growth", "churn", "silence")
LINES = ("nps_exact", "change_test", "intervals", "bias", "bias_feedback", "level", "placebo", "power",
         "false_discovery", "naive", "warning", "detectable")
WORLDS = ("base", "null", "feedback", "nonresponse")  # of the plan; a run may leave some out
TESTS = ("size", "power", "false_discovery", "lowest", "mean")  # kinds of gate that are no interval's
Judged = tuple[dict[str, Any], list[Gate]]
Check = tuple[dict[str, Any], Gate]


def results_of(content: dict[str, Any], is_same_code: bool, words: Words, printed: Iterable[Claim] = ()) -> Results:
    """Claims and tables of the page; is_same_code: whether the methods are still those that the run has tested.

    printed: the claims of all other pages of the report.
    """
    run, judged = content["run"], gates_of(content["verdicts"])
    honest, naive = ([pair for pair in judged if pair[0]["naive"] == is_naive] for is_naive in (False, True))
    checks = [(v, gate) for v, gates in honest for gate in gates]
    intervals = [(v, gate) for v, gate in checks if gate.kind == "coverage"]
    lines = _lines(run["limits"], checks, naive, words)
    tables = {
        "figures": _figures([pair for pair in honest if any(g.kind == "coverage" for g in pair[1])], words),
        "failed": _measured([(v, gate) for v, gate in checks if not gate.is_held], words),
        "families": _families(intervals, words), "naive": _naive(naive, words), "lines": lines,
        "checks": _measured([(v, gate) for v, gate in checks if gate.kind in TESTS], words),
        "worlds": _worlds(run, intervals, words),
        "unproven": pd.concat([_not_run(run["worlds"], lines, words),
                               unproven([v for v, gates in judged if gates], words)], ignore_index=True),
        "unsimulated": unsimulated(printed, {v["claim_id"] for v, gates in judged if gates}, words),
        "same_code": pd.DataFrame({"state": [_state(run, is_same_code)]}),
    }
    return Results(_claims(run, judged, checks, intervals, naive), tables)


def _state(run: dict[str, Any], is_same_code: bool) -> str:
    """How the tested code stands to today's: changed, same, like (an earlier run taken over), anew_<part> (taken over
    but for one part, which was made anew of every company)."""
    if not is_same_code:
        return "changed"
    return f"anew_{run['anew']}" if "anew" in run else "like" if "like" in run else "same"


def family_of(claim_id: str) -> str:
    """The family of a figure; ValueError for one that belongs to none."""
    for name, patterns in FAMILIES.items():
        if any(fnmatch.fnmatchcase(claim_id, pattern) for pattern in patterns):
            return name
    raise ValueError(f"the figure {claim_id!r} belongs to no family")


def unproven(verdicts: Iterable[dict[str, Any]], words: Words) -> pd.DataFrame:
    """Every figure that a page may print with an interval and that no verdict covers, and why (figure, reason)."""
    proven = {v["claim_id"] for v in verdicts}
    rows = []
    for name, entry in catalogue(words.language)["claims"].items():
        has_interval = placeholders(entry_texts(entry)) & {"interval", "size_interval", "low", "high"}
        if not has_interval or any(fnmatch.fnmatchcase(claim_id, name) for claim_id in proven):
            continue
        reason = next((why for pattern, why in NOT_PROVEN.items() if fnmatch.fnmatchcase(name, pattern)), "not_run")
        label = str(entry["label"]).replace("{part}", "…")
        rows.append((label, words.text(f"trust.why.{reason}")))
    return pd.DataFrame(rows, columns=["figure", "reason"])


def entry_texts(entry: dict[str, Any]) -> dict[str, str]:
    """Every sentence of a claim's wording, by level where it has several."""
    flat = {}
    for state, text in entry.items():
        for level, sentence in (text.items() if isinstance(text, dict) else [("", text)]):
            flat[f"{state}.{level}"] = sentence
    return flat


def _not_run(worlds: dict[str, int], lines: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The worlds of the plan that were not run, and the limits behind which no check stands (figure, reason)."""
    rows = [(_told_world(world, words), words.text("trust.why.world_not_run")) for world in WORLDS
            if world not in worlds]
    rows += [(line, words.text("trust.why.line_not_run")) for line in lines.loc[lines["count_checks"].isna(), "line"]]
    return pd.DataFrame(rows, columns=["figure", "reason"])


def _told_world(world: str, words: Words) -> str:
    return words.text("trust.world.told", world=words.text(f"trust.world.{world}"),
                      planted=words.text(f"trust.planted.{world}"))


def _claims(run: dict, judged: list[Judged], checks: list[Check], intervals: list[Check],
            naive: list[Judged]) -> list[Claim]:
    held, total = (math.fsum(v["coverage"] * v["companies"] for v, _ in intervals),
                   sum(v["companies"] for v, _ in intervals))
    made = [Claim("trust.coverage", held / total, "share", total, METHOD),
            Claim("trust.companies", float(sum(run["worlds"].values())), "count", sum(run["worlds"].values()), METHOD,
                  n_in=run["customers"]),
            Claim("trust.held", float(sum(gate.is_held for _, gate in checks)), "count", len(checks), METHOD),
            Claim("trust.verdicts", float(sum(v["ok"] for v, _ in judged)), "count", len(judged), METHOD),
            Claim("trust.failed", float(sum(not gate.is_held for _, gate in checks)), "count", len(checks), METHOD),
            Claim("trust.missed_by_chance", math.fsum(_chance(v, gate) for v, gate in intervals), "count",
                  len(intervals), METHOD)]
    for v, gate in checks:
        if gate.kind == "power":
            made.append(Claim(f"trust.power.{v['claim_id'].partition('.')[0]}", v["shown"], "share", v["companies"],
                              METHOD, n_in=v["customers"]))
        if gate.kind == "false_discovery":
            made.append(Claim("trust.false_discoveries", v["mean"], "share", v["companies"], METHOD))
    if naive:
        made.append(Claim("trust.naive_fail", sum(v["ok"] for v, _ in naive) / len(naive), "share", len(naive), METHOD))
    at_edge = sum(any(is_edge(gate, v["companies"]) for gate in gates) for v, gates in naive)
    return [*made, Claim("trust.naive_edge", float(at_edge), "count", len(naive), METHOD)] if at_edge else made


def _chance(verdict: dict, gate: Gate) -> float:
    """Chance that an interval which holds exactly 95 % falls outside its band all the same (normal approximation)."""
    spread = math.sqrt(0.95 * 0.05 / verdict["companies"])
    return sum(0.5 * math.erfc(abs(edge - 0.95) / spread / math.sqrt(2))
               for edge in (gate.least, gate.most) if edge < 1)


def _figures(judged: list[Judged], words: Words) -> pd.DataFrame:
    """One row per figure and world whose coverage was judged; held: its coverage alone, outcome: what did not hold.

    bias_share: missing where it has no limit, or where the truth is small against its interval; so is bias_allowed.
    """
    rows = []
    for v, gates in sorted(judged, key=lambda pair: ORDER.index(family_of(pair[0]["claim_id"]))):
        gate = next(gate for gate in gates if gate.kind == "coverage")
        measured, allowed = told(gate, words)
        rows.append({"family": words.text(f"trust.family.{family_of(v['claim_id'])}"), "figure": label(v, words),
                     "world": words.text(f"trust.world.{v['world']}"), "n_companies": v["companies"],
                     "measured": measured, "allowed": allowed, "estimate": v["coverage"], "ci_low": gate.least,
                     "ci_high": gate.most, "tail_low": v["tail_low"], "tail_high": v["tail_high"],
                     "bias_share": _bias(v, gates), "bias_allowed": _bias_allowed(v, gates, words),
                     "truth_kind": words.text(f"trust.truth.{v['truth_kind']}"),
                     "held": gate.is_held, "outcome": outcome(v, gates, words)})
    return pd.DataFrame(rows).astype({"bias_share": float, "ci_low": float, "ci_high": float})


def _bias(verdict: dict, gates: list[Gate]) -> float | None:
    """The bias as a share of the truth where it has a limit and says something, or where it did not hold."""
    gate = next((gate for gate in gates if gate.kind == "bias"), None)
    is_of_scale = "of the scale" in verdict["gate"]  # of a difference, held against a size of its own unit
    return None if gate is None or is_of_scale or (is_small(verdict) and gate.is_held) else verdict["bias_share"]


def _bias_allowed(verdict: dict[str, Any], gates: list[Gate], words: Words) -> str:
    """The limit of the bias with the noise of the simulation that the gate adds to it; a dash where no bias is told."""
    gate = next((gate for gate in gates if gate.kind == "bias"), None)
    return "–" if gate is None or _bias(verdict, gates) is None else told(gate, words)[1]


def _measured(checks: list[Check], words: Words) -> pd.DataFrame:
    """One row per gate: which check it is, what was measured and what is allowed, told apart from each other."""
    rows = [(label(v, words), words.text(f"trust.check.{gate.kind}"), words.text(f"trust.world.{v['world']}"),
             v["companies"], gate.measured, *told(gate, words), gate.is_held) for v, gate in checks]
    return pd.DataFrame(rows, columns=["figure", "check", "world", "n_companies", "measured_share", "measured",
                                       "allowed", "held"]).astype({"measured_share": float})


def _families(intervals: list[Check], words: Words) -> pd.DataFrame:
    """One row per family: how many intervals were judged, their mean, lowest and highest coverage, how many held."""
    rows = []
    for name in ORDER:
        mine = [gate for v, gate in intervals if family_of(v["claim_id"]) == name]
        if mine:
            found = [gate.measured for gate in mine]
            rows.append((words.text(f"trust.family.{name}"), len(mine), sum(gate.is_held for gate in mine),
                         math.fsum(found) / len(found), min(found), max(found)))
    return pd.DataFrame(rows, columns=["family", "count_checks", "count_held", "mean_share", "lowest_share",
                                       "highest_share"])


def _naive(judged: list[Judged], words: Words) -> pd.DataFrame:
    """One row per naive method and world: what it finds, what is true, its coverage beside its limit, how it fails."""
    rows = []
    for v, gates in judged:
        measured, allowed = told(next(gate for gate in gates if gate.kind == "coverage"), words)
        rows.append((label(v, words), words.text(f"trust.world.{v['world']}"), _valued(v["truth"], v, words),
                     _valued(v["mean"], v, words), measured, allowed, _bias(v, gates), outcome(v, gates, words)))
    return pd.DataFrame(rows, columns=["figure", "world", "truth", "found", "measured", "allowed", "bias_share",
                                       "has_failed"]).astype({"bias_share": float})


UNITS = {"log1p_per_point": "percent", "same_month": "percent", "carried_forward": "percent", "group_gap": "EUR",
         "passive_gap": "EUR", "ever_logit": "ratio", "nps_of_those_who_answer": "points",
         "ttr_mean_closed_hours": "hours"}


def _valued(value: float, verdict: dict, words: Words) -> str:
    return words.value(value, UNITS.get(verdict["claim_id"].rpartition(".")[2], "ratio"))


def _lines(limits: dict[str, float], checks: list[Check], naive: list[Judged], words: Words) -> pd.DataFrame:
    """One row per line of the table of limits: the checks behind it, each gate by itself, and how many hold.

    Counts are missing where none was run. A naive method is one check, which holds where any of its gates fails.
    """
    said = {name: words.number(value) if value > 1 else words.percent(value, 1 if value * 100 % 1 else 0)
            for name, value in limits.items()}
    said["small"] = words.number(sum(gate.line == "bias" and is_small(v) for v, gate in checks))
    said["associated"] = next((words.percent(gate.least, 0) for _, gate in checks if gate.kind == "level"), "–")
    rows = []
    for line in LINES:
        held = [v["ok"] for v, _ in naive] if line == "naive" else [g.is_held for _, g in checks if g.line == line]
        missed = len(held) - sum(held)
        state = f"trust.state.{'not_run' if not held else 'missed' if missed else 'held'}"
        rows.append((words.text(f"trust.line.{line}", **said),
                     words.text(f"trust.limit.{line}", **said) if held or line != "level" else "–",
                     len(held) or None, sum(held) if held else None, words.text(state, count=missed)))
    columns = ["line", "limit", "count_checks", "count_held", "state"]
    return pd.DataFrame(rows, columns=columns).astype({"count_checks": float, "count_held": float})


def _worlds(run: dict, intervals: list[Check], words: Words) -> pd.DataFrame:
    """One row per world: what is planted in it, companies, intervals judged, and how many held."""
    rows = []
    for world, companies in run["worlds"].items():
        mine = [gate for v, gate in intervals if v["world"] == world]
        rows.append((_told_world(world, words), companies, run["customers"], run["first_seed"],
                     run["first_seed"] + companies - 1, len(mine), sum(gate.is_held for gate in mine)))
    return pd.DataFrame(rows, columns=["world", "n_companies", "n_customers", "first_seed", "last_seed",
                                       "count_checks", "count_held"])


def label(verdict: dict, words: Words) -> str:
    """The figure's own short name, with its group where it has one."""
    claim_id, segment = verdict["claim_id"], verdict["segment"]
    if words.has(f"trust.figure.{claim_id}"):
        name = words.text(f"trust.figure.{claim_id}")
    else:
        try:
            name = words.claim_label(Claim(claim_id, 0.0, "share", 0, METHOD))
        except MissingWording:
            name = claim_id
    if segment == "all":
        return name
    dimension, value = words.segment(segment)
    return f"{name} ({f'{dimension}: {value}' if dimension else value})"
