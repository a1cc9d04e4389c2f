"""The index: answers first, then who is in the data, key figures, the pages, what cannot be said, and every claim."""

from dataclasses import dataclass

from pipeline.contracts.claims import Claim
from pipeline.report.page import select_claims
from pipeline.report.render import Said, Site, every_claim, frame, say
from pipeline.report.shell import page_html
from pipeline.report.words import Words, tidy


@dataclass(frozen=True)
class Answer:
    """One of the sentences of the first screen.

    key: text index.answer.<key>. page: module of the page that tells more. claims: patterns in order of preference
    (select_claims); of several segments the middle one is taken (windows come as half, whole and double).
    needs: tables without which it cannot be answered. must_explain: where the preferred claim has no estimate, the
    reason is the answer and stands before any other figure. warnings: endings of the claims without which the
    chosen one misleads; where there are any, a selected sample is told with it too.
    """

    key: str
    page: str
    claims: tuple[str, ...]
    needs: tuple[str, ...]
    must_explain: bool = True
    warnings: tuple[str, ...] = ()


ANSWERS = (
    Answer("experience", "experience", ("experience.nps", "experience.csat", "experience.ces", "experience.top_share.*",
                                        "experience.mean.*", "experience.ttr_median_hours"), ("surveys",), False,
           ("_weighted", "_if_silent_lower")),
    Answer("sales", "sales", ("sales.per_point",), ("surveys", "sales")),
    Answer("value", "sales", ("sales.conversion_value.detractor_to_promoter", "sales.conversion_value.*"),
           ("surveys", "sales")),
    Answer("churn", "churn", ("churn.hazard_ratio_per_point", "churn.inactivity.hazard_ratio_per_point@window:*",
                              "churn.rate", "churn.monthly_rate", "churn.inactivity.monthly_rate@window:*"),
           ("surveys",)),
    Answer("coverage", "coverage", ("data.revenue_of_respondents_share", "data.response_rate",
                                    "data.rows_clean_share"), (), False),
)
GLOSSARY = ("nps", "csat", "ces", "ttr", "interval", "association", "effect", "churn", "censored", "suppressed")
MOST_LABELS = 6
METHOD = ("claims", "order", "interval", "level", "small", "response")


def render(site: Site, words: Words) -> str:
    """index.html."""
    title = words.text("index.title")
    return page_html(
        "index.html.j2", words, f"{title} · {tidy(site.company.name)}", title, heading=title,
        answers=[_answer(answer, site, words) for answer in ANSWERS], people=_people(site, words),
        cards=[(said, _card_notes(said, site, words)) for said in _cards(site, words)],
        tours=_tours(site, words), limits=_limits(site, words),
        changes=_changes(site, words), method=_method(words),
        glossary=[(f"glossary.{key}.term", f"glossary.{key}.text") for key in GLOSSARY],
        ledger=list(every_claim(site, words)), **frame(site, words, "index"))


def _all_claims(site: Site, pattern: str) -> list[Claim]:
    return [claim for results in site.results.values() for claim in select_claims(results, pattern)]


def _chosen(site: Site, answer: Answer) -> list[Claim]:
    """The preferred claim; or, without its estimate, the reason and the next claim that has one."""
    matches = [[claim for claim in _all_claims(site, pattern) if not claim.naive] for pattern in answer.claims]
    found = [claims[len(claims) // 2] for claims in matches if claims]
    good = [claim for claim in found if claim.status == "ok"][:1]
    if found and found[0].status != "ok" and (answer.must_explain or not good):
        return found[:1] + good
    return good


def _answer(answer: Answer, site: Site, words: Words) -> dict[str, object]:
    """Topic, sentence and evidence of one answer, or what is missing for it."""
    link = next((f"{name}.html" for name, page in site.pages.items() if page.key == answer.page), "")
    chosen = _chosen(site, answer)
    warned = [claim for one in chosen if one.estimate is not None for ending in answer.warnings
              for claim in _all_claims(site, one.claim_id + ending) if claim.estimate is not None]
    if answer.warnings and any(_is_score(one) for one in chosen):
        warned += _selected(site)
    said = [say(claim, site, words) for claim in [*chosen, *warned]]
    absent = ""
    if not said:
        gone = [words.name("table_name", name) for name in answer.needs if name in site.missing]
        absent = words.text("section.missing", sources=words.listed(gone)) if gone else words.text("section.empty")
    return {"topic": words.text(f"index.answer.{answer.key}"), "said": said, "absent": absent, "link": link}


def _is_score(claim: Claim) -> bool:
    """Whether the figure is of answers, which are those of whoever answered (times of tickets are not)."""
    return claim.estimate is not None and claim.unit not in ("hours", "office_hours") and claim.claim_id.startswith(
        "experience.")


def _selected(site: Site) -> list[Claim]:
    """The claims that say that the sample was selected."""
    return [claim for claim in _all_claims(site, "data.every_*") if claim.reason == "selection"]


def _card_notes(said: Said, site: Site, words: Words) -> list[str]:
    """What a score never stands without: which survey it is of, the score if the silent were less content, and how the
    sample was selected."""
    if not _is_score(said.claim):
        return []
    survey = [said.reason] if words.has(f"of.{said.claim.reason}") else []
    silent = [claim for claim in _all_claims(site, f"{said.claim.claim_id}_if_silent_lower")
              if claim.estimate is not None]
    return [*survey, *(f"{words.claim_label(claim)}: {words.estimate(claim)}" for claim in silent),
            *(words.claim_label(claim) for claim in _selected(site))]


def _method(words: Words) -> list[tuple[str, str]]:
    """(term, text) of how it was done, with the smallest effect that was declared to matter."""
    declared = words.percent(words.smallest_effect / 100, 0 if float(words.smallest_effect).is_integer() else 1)
    return [(words.text(f"method.{key}.term"), words.text(f"method.{key}.text", smallest_effect=declared))
            for key in METHOD]


def _people(site: Site, words: Words) -> list[Said]:
    """Who is in the data: the claims of coverage over all customers, once each."""
    headline = [name for page in site.pages.values() if page.key == "coverage" for name in page.headline]
    claims = [claim for pattern in headline for claim in _all_claims(site, pattern)]
    return [say(claim, site, words) for claim in dict.fromkeys(claims)]


def _cards(site: Site, words: Words) -> list[Said]:
    """The scorecard: what each page calls its headline, figures before gaps, coverage left to its own section."""
    claims = [claim for name, page in site.pages.items() if page.key != "coverage" for pattern in page.headline
              for claim in select_claims(site.results[name], pattern)]
    claims.sort(key=lambda claim: claim.estimate is None)
    return [say(claim, site, words) for claim in dict.fromkeys(claims)]


def _tours(site: Site, words: Words) -> list[dict[str, str]]:
    """A link with its question for each page, and what its card says besides."""
    tours = []
    for name, page in site.pages.items():
        said = [words.text(page.opening)] if words.has(page.opening) else []
        said += [words.wording(c).text for pattern in page.card for c in select_claims(site.results[name], pattern)]
        tours.append({"href": f"{name}.html", "title": words.text(f"{page.key}.title"), "lead": " ".join(said)})
    return tours


def _limits(site: Site, words: Words) -> list[str]:
    """What cannot be said: sources that are missing, claims without an estimate, associations, each page's limits."""
    limits = [words.text("limit.missing", table=words.name("table_name", name)) for name in site.missing]
    reasons: dict[str, list[str]] = {}
    for claim in _all_claims(site, "*"):
        if claim.status == "not_estimable":
            reasons.setdefault(words.reason(claim), []).append(words.claim_label(claim))
    limits += [words.text("limit.not_estimable", reason=reason, labels=_shortly(list(dict.fromkeys(labels)), words))
               for reason, labels in reasons.items()]
    limits += [words.sentence(claim) for claim in _all_claims(site, "*") if claim.status == "too_early"]
    weak = [said.label for said in _cards(site, words)
            if said.claim.level == "associated" and said.claim.status == "ok"]
    if weak:
        limits.append(words.text("limit.associated", labels=words.listed(list(dict.fromkeys(weak)))))
    small = sum(claim.status in ("suppressed", "not_enough_data") for claim in _all_claims(site, "*@*"))
    if small:
        limits.append(words.text("limit.small", count=small))
    limits += [words.text(key) for page in site.pages.values() for key in page.limits]
    return list(dict.fromkeys(limits))


def _shortly(labels: list[str], words: Words) -> str:
    """The first labels, and how many more there are."""
    rest = len(labels) - MOST_LABELS
    return words.listed(labels if rest < 2 else [*labels[:MOST_LABELS], words.text("limit.more", count=rest)])


def _changes(site: Site, words: Words) -> list[Said]:
    """What changed against the period before: the claims named change, over all customers."""
    return [say(claim, site, words) for claim in _all_claims(site, "*change*") if claim.status == "ok"]
