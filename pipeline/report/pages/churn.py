"""The page of experience and churn: with a contract, by silence, and for exports that have a label and no dates."""

from dataclasses import replace

from pipeline.contracts.results import Results
from pipeline.report.figures import churn as figures
from pipeline.report.page import Figure, Page, Section, Table
from pipeline.report.words import Words

NEEDS = ("surveys", "customers")
RATES = {"score": "count", "n": "count", "left": "count", "rate": "share", "ci_low": "share", "ci_high": "share"}
RATIOS = {"estimate": "ratio", "ci_low": "ratio", "ci_high": "ratio"}
CALIBRATION = Table("calibration", {"group": "count", "n": "count", "fitted": "share", "rate": "share",
                                    "ci_low": "share", "ci_high": "share"}, keys=("group",))
LIMITS = {"churn.limit.cause": "churn.hazard_ratio", "churn.limit.answered": "churn.hazard_ratio",
          "churn.limit.silence": "churn.inactivity"}  # what a page cannot say is said where it says something
RETENTION = ("churn.retention.net", "churn.retention.gross", "churn.retention.logo_churn")
WINDOWS = Table("windows", {"days": "count", "n": "count", **RATIOS}, keys=("days",))


def page(results: Results, words: Words) -> Page:
    """Without a fitted model the section of its fit is left out; what cannot be estimated says so in the answer."""
    fitted = not results.tables["calibration"].empty
    has_windows = bool(results.tables["windows"]["estimate"].notna().any())
    foretold = len(results.tables.get("out_of_time", ())) > 0
    monthly = results.claim("churn.rate") is None
    sections = [
        Section("churn.answer", sentences=["churn.monthly_rate", "churn.rate", "churn.hazard_ratio_per_point",
                                           "churn.absolute_effect_per_point", "churn.left_out@covariate:*"],
                needs=NEEDS),
        Section("churn.by_score" if monthly else "churn.by_score_once", figure=Figure(figures.by_score, "by_score"),
                table=Table("by_score", RATES | ({"fitted": "share"} if fitted else {})), needs=NEEDS),
        Section("churn.contrast", sentences=["churn.naive.ever_logit"], notes=["churn.contrast.why"], needs=NEEDS),
        Section("churn.groups", gathered=["churn.monthly_rate@segment:*", "churn.rate@segment:*"], needs=NEEDS),
        Section("churn.retention", sentences=RETENTION, gathered=[f"{name}@segment:*" for name in RETENTION],
                notes=["churn.retention.gross"], needs=("sales", "customers")),
        Section("churn.at_risk",
                sentences=["churn.revenue_at_risk@months:*", "churn.revenue_at_risk.if_all_stayed@horizon:*",
                           "churn.revenue_at_risk.base_months"],
                gathered=["churn.revenue_at_risk.by_answer@answer:*"],
                notes=["churn.at_risk.limit"], needs=("sales", *NEEDS)),
        Section("churn.prediction", sentences=["churn.prediction.auc.added_by_score", "churn.prediction.auc",
                                               "churn.prediction.auc.without_score",
                                               "churn.prediction.brier_gain",
                                               "churn.prediction.brier_gain.without_score",
                                               "churn.prediction.brier_gain.added_by_score",
                                               "churn.prediction.calibration_*"],
                figure=Figure(figures.calibration, "out_of_time") if foretold else None,
                table=replace(CALIBRATION, name="out_of_time") if foretold else None,
                notes=["churn.prediction.note"], needs=NEEDS),
        Section("churn.silence", sentences=[*_silence(results, "churn.inactivity.hazard_ratio_per_point"),
                                            "churn.inactivity.still_there"],
                gathered=[*_silence(results, "churn.inactivity.monthly_rate"),
                          "churn.inactivity.not_silent@window:*"],
                notes=_rhythm(results),
                figure=Figure(figures.windows, "windows") if has_windows else None,
                table=WINDOWS if has_windows else None,
                needs=("sales",)),
        Section("churn.gaps", table=Table("gaps", {"share": "share", "days": "count", "n": "count"},
                                          keys=("share",)), notes=_window_among_gaps(results), needs=("sales",)),
        Section("churn.predictors", sentences=["churn.refused_predictor@*", "churn.predictor@*"], needs=NEEDS),
        Section("churn.fit", sentences=["churn.cox_check_per_point", "churn.hazard_ratio_per_point@score_age:*"],
                figure=Figure(figures.calibration, "calibration") if fitted else None, table=CALIBRATION, needs=NEEDS),
        Section("churn.sample",
                table=Table("diagnostics", {"step": "category", "rows": "count", "customers": "count"}), needs=NEEDS),
    ]
    optional = {"churn.gaps": len(results.tables["gaps"]) > 0, "churn.by_score": len(results.tables["by_score"]) > 0,
                "churn.sample": len(results.tables["diagnostics"]) > 0,
                "churn.fit": fitted,
                "churn.retention": _any(results, "churn.retention.") or _early(results, "churn.retention."),
                "churn.at_risk": _any(results, "churn.revenue_at_risk"),
                "churn.prediction": fitted or _early(results, "churn.prediction."),
                "churn.groups": any(c.claim_id in ("churn.monthly_rate", "churn.rate") and c.segment != "all"
                                    for c in results.claims),
                "churn.predictors": any("predictor" in c.claim_id for c in results.claims)}
    return Page(key="churn", sections=tuple(s for s in sections if optional.get(s.key, True)),
                headline=("churn.monthly_rate", "churn.rate", "churn.hazard_ratio_per_point",
                          "churn.absolute_effect_per_point"),
                limits=tuple(key for key, claims in LIMITS.items() if _any(results, claims)))


def _rhythm(results: Results) -> list[str]:
    """How the rhythm of purchases reads beside the shares who bought within each window; the middle one is declared.

    Nothing where everybody bought within every window: data no longer than a window say nothing of the rule.
    """
    rhythm = results.claim("churn.inactivity.still_there")
    shares = [c.estimate for c in results.claims
              if c.claim_id == "churn.inactivity.not_silent" and c.estimate is not None]
    if rhythm is None or rhythm.ci_low is None or rhythm.ci_high is None or not shares or min(shares) >= 1:
        return []
    if rhythm.ci_low <= shares[len(shares) // 2] <= rhythm.ci_high:
        return ["churn.silence.fits"]
    if rhythm.ci_low > max(shares):
        return ["churn.silence.more"]
    return ["churn.silence.fewer" if rhythm.ci_high < min(shares) else "churn.silence.between"]


def _window_among_gaps(results: Results) -> list[str]:
    """That the declared window is shorter or longer than all quantiles of the gaps between purchases, if it is.

    Longer only where the data are longer than twice the window (the longest tried): in shorter ones no gap can be long.
    """
    gaps = results.tables["gaps"]
    windows = [c for c in results.claims if c.claim_id == "churn.inactivity.monthly_rate"]
    if gaps.empty or not windows:
        return []
    declared = int(windows[len(windows) // 2].segment.partition(":")[2])
    if declared < gaps["days"].min():
        return ["churn.gaps.window_short"]
    has_room = all(c.status != "too_early" for c in results.claims if c.claim_id == "churn.inactivity.not_silent")
    return ["churn.gaps.window_long"] if declared > gaps["days"].max() and has_room else []


def _any(results: Results, start: str) -> bool:
    """Whether a claim of that kind has an estimate."""
    return any(c.claim_id.startswith(start) and c.estimate is not None for c in results.claims)


def _early(results: Results, start: str) -> bool:
    """Whether a claim of that kind only waits for its time, which the page tells."""
    return any(c.claim_id.startswith(start) and c.status == "too_early" for c in results.claims)


def _silence(results: Results, claim_id: str) -> list[str]:
    """All windows of a claim where any gives an estimate, else the declared one alone, which says why not."""
    windows = [claim for claim in results.claims if claim.claim_id == claim_id]
    if any(claim.estimate is not None for claim in windows):
        return [f"{claim_id}@window:*"]
    return [f"{claim_id}@{windows[len(windows) // 2].segment}"] if windows else []
