"""How the experience is: scores now and over time, where they differ, and how long a solution takes."""

import glob

from pipeline.contracts.results import Results
from pipeline.report.figures import experience
from pipeline.report.page import Figure, Page, Section, Table
from pipeline.report.words import Words

SCORES = {  # table name: (claim id, unit of the level, unit of differences, which way is better)
    "nps": ("experience.nps", "points", "points", "higher"),
    "csat": ("experience.csat", "share", "pp", "higher"),
    "ces": ("experience.ces", "points", "points", "higher"),
    "ttr_median_hours": ("experience.ttr_median_hours", "hours", "hours", "lower"),
}
BROKEN_DOWN = SCORES | {
    "ttr_business_median": ("experience.ttr_business_median", "office_hours", "office_hours", "lower")}
MOST_SENTENCES = 3  # the strongest of each sign and kind; the table beside the figure holds all of them
NEVER_MEASURED = ("no_surveys", "not_asked", "nobody_answered", "no_top_box")  # said once, of the score itself
HEADLINE = ("experience.nps", "experience.csat", "experience.ces", "experience.index",
            "experience.ttr_median_hours")


def page(results: Results, words: Words) -> Page:
    """The page; sections on scores that these data do not hold are left out, but for the reasons in the first one."""
    others = ["experience.ces_easy_share", "experience.top_share.*", "experience.mean.*"]
    absent = {claim.claim_id for claim in results.claims if claim.reason in NEVER_MEASURED}
    known = {claim.claim_id for claim in results.claims if claim.segment == "all" and claim.estimate is not None}
    scores = sorted(SCORES.values(), key=lambda score: score[0] not in known)  # first what can be said
    now = [f"{score[0]}{ending}" for score in scores for ending in ("", "_change")]
    now = [name for name in now if name not in absent or not name.endswith("_change")]
    now.insert(now.index("experience.nps_change") + 1 if "experience.nps_change" in now else 0,
               "experience.nps_answers_needed@points:*")
    for name in ("experience.nps", "experience.csat", "experience.ces"):
        now.insert(now.index(name) + 1, f"{name}_if_silent_lower")  # the score never stands without its warning
        unweighted = [c for c in results.claims if c.claim_id == f"{name}_weighted" and c.reason == "no_covariates"]
        now[now.index(name) + 2:now.index(name) + 2] = [f"{name}_weighted", _left_out(name)] if unweighted else []
    parts = [
        Section("experience.now", needs=("surveys", "tickets"), sentences=[*now, *others]),
        *_silent(results, words),
        *[_months(name) for name in ("nps", "csat", "ces") if _drawable(results, f"months_{name}")],
        Section("experience.labels", figure=Figure(experience.labels, "labels"), needs=("surveys",),
                table=Table("labels", {"segment": "category", "label": "category", "n": "count", "estimate": "share",
                                       "ci_low": "share", "ci_high": "share"}),
                sentences=["experience.label_positive_share", "experience.label_negative_share"],
                notes=["experience.note_labels"]),
        *_index(results),
        *[_groups(name, results) for name in BROKEN_DOWN if f"groups_{name}" in results.tables],
        _tickets(),
        *[_months(name) for name in ("ttr_median_hours",) if _drawable(results, f"months_{name}")],
        Section("experience.scales", figure=Figure(experience.distribution, "distribution"), needs=("surveys",),
                table=Table("instruments", {"instrument": "category", "scale_min": "count", "scale_max": "count",
                                            "is_turned": "yes_no", "top_box": "count", "count_invitations": "count",
                                            "count_answers": "count"}, count="count_answers",
                            keys=("scale_min", "scale_max", "top_box")),
                notes=["experience.note_turned"]),
    ]
    limits = {"experience.limit_respondents": bool(known & set(HEADLINE[:-1])),
              "experience.limit_silent": any(name.startswith("silent") for name in results.tables),
              "experience.limit_hours": "experience.ttr_median_hours" in known}
    return Page("experience", parts, headline=HEADLINE, limits=[key for key, holds in limits.items() if holds])


def _left_out(claim_id: str) -> str:
    """The claims that say which declared covariate does not enter the weights."""
    return f"{claim_id}_left_out@covariate:*"


def _drawable(results: Results, name: str) -> bool:
    return name in results.tables and results.tables[name]["estimate"].notna().sum() >= 2


def _months(name: str) -> Section:
    unit = SCORES[name][1]
    columns = {"period": "period", "n": "count", "estimate": unit, "ci_low": unit, "ci_high": unit}
    return Section(f"experience.months_{name}", table=Table(f"months_{name}", columns),
                   figure=Figure(experience.months, f"months_{name}", {"unit": unit, "name": name}))


def _groups(name: str, results: Results) -> Section:
    """Sentences only for the differences that stand out among all that were compared, good and bad alike."""
    claim_id, unit, apart, better = BROKEN_DOWN[name]
    columns = {"segment": "category", "n": "count", "estimate": unit, "ci_low": unit, "ci_high": unit,
               "change": apart, "gap": apart, "is_gap_notable": "yes_no"}
    sentences = [f"{claim_id}_comparisons"]
    for kind in ("gap", "change"):
        clear = [c for c in results.claims if c.claim_id == f"{claim_id}_{kind}" and c.reason == "stands_out"]
        clear.sort(key=lambda c: (-abs(c.estimate) / max(c.ci_high - c.ci_low, 1e-9), c.segment))
        for side in ([c for c in clear if c.estimate > 0], [c for c in clear if c.estimate < 0]):
            sentences += [f"{c.claim_id}@{glob.escape(c.segment)}" for c in side[:MOST_SENTENCES]]
    notes = ["experience.note_none_apart"] if len(sentences) == 1 else []
    sentences += [f"{claim_id}_false_alarms"] if not notes else []
    if any(c.claim_id == f"{claim_id}_comparisons" and c.estimate == 0 for c in results.claims):
        sentences, notes = [], ["experience.note_none_compared"]
    return Section(f"experience.groups_{name}", sentences=sentences, notes=notes,
                   table=Table(f"groups_{name}", columns),
                   figure=Figure(experience.groups, f"groups_{name}", {"unit": unit, "better": better, "name": name}))


def _silent(results: Results, words: Words) -> list[Section]:
    """Of each question the score with and without weights and the band of the silent; of the first, who answers."""
    found: list[Section] = []
    for name, unit in (("nps", "points"), ("csat", "share"), ("ces", "points")):
        end = "" if name == "nps" else f"_{name}"
        if f"silent{end}" not in results.tables:
            continue
        kinds = ("answer_share", "weighted", "weighted_change", "raked", "weighting_shift", "if_silent_lower",
                 "tipping_points")
        limits = {"ci_low": unit, "ci_high": unit}
        step = {"nps": "count", "csat": "share_apart", "ces": "ratio"}[name]  # ratio: two decimals, for steps of .03
        more = ["experience.response_n_eff", "experience.response_largest_weight"] if name == "nps" else []
        found += [
            Section(f"experience.silent{end}", facts={"covariates": _used(results, f"odds{end}", words)},
                    sentences=[*(f"experience.{name}_{kind}" for kind in kinds), _left_out(f"experience.{name}")],
                    figure=Figure(experience.silent, f"silent{end}", {"name": name}), notes=["experience.note_silent"],
                    table=Table(f"silent{end}", {"delta": step, "estimate": unit} | limits, count="",
                                keys=("delta",))),
            Section(f"experience.ways{end}", sentences=more,
                    table=Table(f"ways{end}", {"way": "category", "n": "count", "estimate": unit} | limits
                                | {"n_eff": "count", "largest_weight": "ratio"}))]
    odds = next((f"odds{end}" for end in ("", "_csat", "_ces") if f"odds{end}" in results.tables), "")
    columns = {"segment": "category", "n": "count", "answered_share": "share", "estimate": "ratio", "ci_low": "ratio",
               "ci_high": "ratio"}
    titles = {"estimate": "column.odds", "answered_share": "column.answer_rate"}
    return [*found, Section("experience.odds", table=Table(odds, columns, titles=titles))] if odds else found


def _used(results: Results, name: str, words: Words) -> str:
    """What the weights use, in words: the covariates of the model of who answers."""
    used = results.tables[name]["dimension"].unique() if name in results.tables else []
    names = [words.name("dimension", one) for one in used]
    return words.listed([text[:1].lower() + text[1:] for text in names])


def _index(results: Results) -> list[Section]:
    """The experience index with its parts; nothing where only one kind of contact is evaluated."""
    if "index_parts" not in results.tables:
        return []
    columns = {"period": "period", "n": "count", "estimate": "points", "ci_low": "points", "ci_high": "points"}
    figure = Figure(experience.months, "months_index", {"unit": "points", "name": "index"})
    names = ("index", "index_direct", "index_indirect")
    sentences = [f"experience.{name}{ending}" for name in names for ending in ("", "_change")]
    parts = {"contact_kind": "category", "weight_share": "share"} | {name: columns[name] for name in (
        "n", "estimate", "ci_low", "ci_high")}
    return [Section("experience.index", sentences=sentences, table=Table("months_index", columns),
                    figure=figure if _drawable(results, "months_index") else None),
            Section("experience.index_parts", table=Table("index_parts", parts))]


def _tickets() -> Section:
    names = ("ttr_median_hours", "ttr_p90_hours", "ttr_p90_hours_change", "first_reply_median_hours",
             "requester_wait_median_hours", "requester_wait_median_hours_change",
             "ttr_business_median", "ttr_business_median_change", "ttr_business_p90", "first_reply_business_median",
             "tickets_open_share", "ttr_mean_closed_hours", "ttr_restricted_mean_hours")
    columns = {"measure": "category", "n": "count", "estimate": "by_row", "ci_low": "by_row", "ci_high": "by_row",
               "apart": "hours"}
    return Section("experience.tickets", sentences=[f"experience.{name}" for name in names], needs=("tickets",),
                   figure=Figure(experience.unsolved, "unsolved"), table=Table("reconciliation", columns),
                   notes=["experience.note_closed"])
