"""The run of the validity benchmark as results of a page: claims and tables, in the reader's language.

The run stands in validity.json beside this file: {"run": what was run, "verdicts": one entry per figure and world}
(`python -m benchmarks.validity --page`). Nothing is computed anew: verdicts are counted, named and put in order.
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
from pipeline.report.words import Words

FILE = Path(__file__).with_name("validity.json")
NAME = "how-far-to-trust"  # of the page's file
METHOD = "simulation"
FAMILIES = {  # patterns of claim ids, the first that fits
    "weighting": ("experience.*_weight*", "experience.*_raked", "experience.*_if_silent_lower", "data.*"),
    "tickets": ("experience.ttr_*", "experience.first_reply_*", "experience.tickets_*"),
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
    "experience.*_gap": "same_as_change",
    "data.revenue_*": "not_run",
    "experience.ces_easy_share*": "not_declared",
    "experience.top_share*": "not_declared",
    "experience.requester_wait*": "not_exported",
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
LINES = ("nps_exact", "change_test", "intervals", "bias", "placebo", "power", "false_discovery", "naive", "warning",
         "detectable")


def results_of(content: dict[str, Any], is_same_code: bool, words: Words) -> Results:
    """Claims and tables of the page; is_same_code: whether the methods are still those that the run has tested."""
    run, verdicts = content["run"], content["verdicts"]
    table = _figures(verdicts, words)
    honest = [v for v in verdicts if not v["naive"]]
    judged = [v for v in honest if v["check"] in ("coverage", "size") and v["coverage"] is not None and v["least"]]
    intervals = [v for v in judged if "intervals" in v["proves"]]
    tables = {
        "figures": table[table["is_interval"]].drop(columns=["is_interval"]).reset_index(drop=True),
        "failed": _failed(honest, words),
        "families": _families(intervals, words), "naive": _naive(verdicts, words),
        "lines": _lines(run["limits"], verdicts, words),
        "checks": _checks(honest, words), "worlds": _worlds(run, intervals, words),
        "unproven": unproven(verdicts, words), "same_code": pd.DataFrame({"is_same": [is_same_code]}),
    }
    return Results(_claims(run, honest, intervals, [v for v in verdicts if v["naive"]]), tables)


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


def _claims(run: dict, honest: list[dict], intervals: list[dict], naive: list[dict]) -> list[Claim]:
    held, total = sum(v["coverage"] * v["companies"] for v in intervals), sum(v["companies"] for v in intervals)
    made = [Claim("trust.coverage", held / total, "share", total, METHOD),
            Claim("trust.companies", float(sum(run["worlds"].values())), "count", sum(run["worlds"].values()), METHOD,
                  n_in=run["customers"]),
            Claim("trust.held", float(sum(v["ok"] for v in honest)), "count", len(honest), METHOD),
            Claim("trust.failed", float(sum(not v["ok"] for v in honest)), "count", len(honest), METHOD),
            Claim("trust.missed_by_chance", math.fsum(map(_chance, intervals)), "count", len(intervals), METHOD)]
    for v in honest:
        if v["check"] == "power":
            made.append(Claim(f"trust.power.{v['claim_id'].partition('.')[0]}", v["shown"], "share", v["companies"],
                              METHOD, n_in=v["customers"]))
        if v["check"] == "false_discovery":
            made.append(Claim("trust.false_discoveries", v["mean"], "share", v["companies"], METHOD))
    failing = sum(v["ok"] for v in naive)
    return [*made, Claim("trust.naive_fail", failing / len(naive), "share", len(naive), METHOD)] if naive else made


def _chance(verdict: dict) -> float:
    """Chance that an interval which holds exactly 95 % falls outside its band all the same (normal approximation)."""
    spread = math.sqrt(0.95 * 0.05 / verdict["companies"])
    return sum(0.5 * math.erfc(abs(edge - 0.95) / spread / math.sqrt(2))
               for edge in (verdict["least"], verdict["most"]) if edge < 1)


def _figures(verdicts: list[dict], words: Words) -> pd.DataFrame:
    """One row per verdict that has a coverage."""
    rows = [{"family": words.text(f"trust.family.{family_of(v['claim_id'])}"), "figure": label(v, words),
             "world": words.text(f"trust.world.{v['world']}"), "n_companies": v["companies"],
             "coverage_share": v["coverage"], "allowed": _allowed(v, words), "estimate": v["coverage"],
             "ci_low": v["least"], "ci_high": v["most"], "tail_low": v["tail_low"],
             "tail_high": v["tail_high"], "bias_share": v["bias_share"],
             "truth_kind": words.text(f"trust.truth.{v['truth_kind']}"), "held": bool(v["ok"]),
             "is_interval": "intervals" in v["proves"] and v["check"] == "coverage"}
            for v in verdicts if v["check"] == "coverage"]
    rows.sort(key=lambda row: [words.text(f"trust.family.{name}") for name in ORDER].index(row["family"]))
    return pd.DataFrame(rows).astype({"bias_share": float, "ci_low": float, "ci_high": float})


def _failed(honest: list[dict], words: Words) -> pd.DataFrame:
    """One row per check of an honest method that did not hold: what was measured, what is allowed, and the bias."""
    columns = ["figure", "check", "world", "n_companies", "measured_share", "allowed", "bias_share"]
    rows = [(*_measured(v, words), v["bias_share"]) for v in honest if not v["ok"]]
    return pd.DataFrame(rows, columns=columns).astype({"measured_share": float, "bias_share": float})


def _measured(verdict: dict, words: Words) -> tuple:
    """Figure, check, world, companies, what was measured and what is allowed."""
    return (label(verdict, words), words.text(f"trust.check.{verdict['check']}"),
            words.text(f"trust.world.{verdict['world']}"), verdict["companies"],
            verdict[MEASURED[verdict["check"]]], _allowed(verdict, words))


def _allowed(verdict: dict, words: Words) -> str:
    if verdict["least"] is None:
        return "–"
    return words.text("interval.brief", low=words.percent(verdict["least"]), high=words.percent(verdict["most"]))


def _families(intervals: list[dict], words: Words) -> pd.DataFrame:
    """One row per family: how many intervals were judged, their mean, lowest and highest coverage, how many held."""
    rows = []
    for name in ORDER:
        mine = [v for v in intervals if family_of(v["claim_id"]) == name]
        if mine:
            found = [v["coverage"] for v in mine]
            rows.append((words.text(f"trust.family.{name}"), len(mine), sum(v["ok"] for v in mine),
                         math.fsum(found) / len(found), min(found), max(found)))
    return pd.DataFrame(rows, columns=["family", "count_checks", "count_held", "mean_share", "lowest_share",
                                       "highest_share"])


def _naive(verdicts: list[dict], words: Words) -> pd.DataFrame:
    """One row per naive method and world: what it finds, what is true, and how often its interval holds the truth."""
    rows = [(label(v, words), words.text(f"trust.world.{v['world']}"), _valued(v["truth"], v, words),
             _valued(v["mean"], v, words), v["coverage"], bool(v["ok"])) for v in verdicts if v["naive"]]
    return pd.DataFrame(rows, columns=["figure", "world", "truth", "found", "coverage_share", "has_failed"])


MEASURED = {"size": "shown", "power": "shown", "false_discovery": "mean", "enumeration": "coverage",
            "coverage": "coverage", "level": "effect", "detectable": "coverage", "warning": "coverage"}
UNITS = {"log1p_per_point": "percent", "same_month": "percent", "carried_forward": "percent", "group_gap": "EUR",
         "passive_gap": "EUR", "ever_logit": "ratio", "nps_of_those_who_answer": "points",
         "ttr_mean_closed_hours": "hours"}


def _valued(value: float, verdict: dict, words: Words) -> str:
    return words.value(value, UNITS.get(verdict["claim_id"].rpartition(".")[2], "ratio"))


def _lines(limits: dict[str, float], verdicts: list[dict], words: Words) -> pd.DataFrame:
    """One row per line of the table of limits: how many checks stand behind it and how many hold."""
    rows, said = [], {name: words.number(value) if value > 1 else words.percent(value, 1 if value * 100 % 1 else 0)
                      for name, value in limits.items()}
    for line in LINES:
        mine = [v for v in verdicts if line in v["proves"]]
        rows.append((words.text(f"trust.line.{line}", **said), words.text(f"trust.limit.{line}", **said), len(mine),
                     sum(v["ok"] for v in mine)))
    return pd.DataFrame(rows, columns=["line", "limit", "count_checks", "count_held"])


def _checks(honest: list[dict], words: Words) -> pd.DataFrame:
    """Sizes, power, false discoveries, exact coverage and detectable effects: measured against what is allowed."""
    rows = [(*_measured(v, words), bool(v["ok"])) for v in honest
            if v["check"] in ("size", "power", "false_discovery", "enumeration")]
    return pd.DataFrame(rows, columns=["figure", "check", "world", "n_companies", "measured_share", "allowed", "held"])


def _worlds(run: dict, intervals: list[dict], words: Words) -> pd.DataFrame:
    """One row per world: what is planted in it, companies, intervals judged, and how many held."""
    rows = []
    for world, companies in run["worlds"].items():
        mine = [v for v in intervals if v["world"] == world]
        name, planted = words.text(f"trust.world.{world}"), words.text(f"trust.planted.{world}")
        rows.append((words.text("trust.world.told", world=name, planted=planted), companies,
                     run["customers"], run["first_seed"], run["first_seed"] + companies - 1, len(mine),
                     sum(v["ok"] for v in mine)))
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
