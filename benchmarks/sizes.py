"""How often a test speaks where nothing is: answers exchanged or shuffled until nothing can be; false discoveries.

Every claim made here has a truth of exactly zero (a ratio of one).
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.printed import LIMITS, Linked
from pipeline.contracts.claims import Claim
from pipeline.demo.latent import stream
from pipeline.measure import periods
from pipeline.measure.breakdown import by_group
from pipeline.measure.levels import headline_claims
from pipeline.measure.metrics import Metric, survey_metrics
from pipeline.relate import churn, sales, spline
from pipeline.relate.estimate import NotEstimable, claim
from pipeline.relate.sample import fit_sales

SPLINE_BASE, SPLINE_AT, ANSWERS = 8, (4, 10), (6, 10)
SHUFFLED = "size.sales_scores_shuffled"
NO_LEAVERS = "size.churn_scores_shuffled"
SEGMENTS, CHANGED, PER_SEGMENT, CHANGE = 40, 10, 60, 1.0  # of the false discoveries: 10 of 40 segments change a point


def sizes(one: Linked) -> list[Claim]:
    """Change tests on exchanged half years, and the models of sales and churn on shuffled answers."""
    random = stream(one.company.seed, "sizes")
    return [*_exchanged(one, random), *_shuffled(one, random)]


def _exchanged(one: Linked, random: np.random.Generator) -> list[Claim]:
    """Change of NPS and CSAT where every customer's two half years change places with chance one half.

    Both periods are then alike by construction, and customers who answer in both stay themselves.
    """
    span, given = one.span, one.answers
    swap = random.random(int(given["code"].max()) + 1) < 0.5
    now, before = span.now.holds(given["month"]), span.before.holds(given["month"])
    turned = given["month"].mask(now & swap[given["code"]], span.before.last).mask(
        before & swap[given["code"]], span.now.first)
    given = given.assign(month=turned)
    made = [claim for metric in survey_metrics(given, {"csat": 6}) for claim in headline_claims(metric, span, LIMITS)]
    return [_renamed(c, f"size.{c.claim_id.partition('.')[2]}") for c in made
            if c.claim_id in ("experience.nps_change", "experience.csat_change")]


def _shuffled(one: Linked, random: np.random.Generator) -> list[Claim]:
    """Answers shuffled among a customer's own months (sales) and among the customers of a month (churn)."""
    sample, staying, made = one.sample, one.staying, []
    try:
        rows = sample.rows.assign(score=_mixed(sample.rows["score"], sample.rows["customer"], random))
        made.append(claim(SHUFFLED, fit_sales(sample, ["score"], rows=rows)["score"], "percent", "ppml",
                          transform="percent"))
        rows = staying.rows.assign(score=_mixed(staying.rows["score"], staying.rows["month"], random))
        fit = churn.fit_churn(replace(staying, rows=rows))
        made.append(claim(NO_LEAVERS, fit["score"], "ratio", churn.METHOD, transform="ratio"))
    except NotEstimable:
        pass
    return made


def _mixed(values: pd.Series, within: pd.Series, random: np.random.Generator) -> np.ndarray:
    """The values in random order inside each group."""
    order = np.lexsort([random.random(len(values)), within.to_numpy()])
    place = np.argsort(within.to_numpy(), kind="stable")
    mixed = np.empty(len(values))
    mixed[place] = values.to_numpy()[order]
    return mixed


def _renamed(one: Claim, name: str) -> Claim:
    return Claim(name, one.estimate, one.unit, one.n_used, one.method, ci_low=one.ci_low, ci_high=one.ci_high,
                 status=one.status, reason=one.reason, n_in=one.n_in)


def shapes(one: Linked) -> tuple[list[Claim], dict[str, float]]:
    """The curve and the answers' own percentages at two scores, the p-values of the tests of shape; and the truth of
    the answers, which hangs on the answer that this company's are compared with (its most frequent one).
    """
    sample, beta = one.sample, one.company.world.sales_per_point
    tests, table = sales.shape(sample)
    bend, curve = spline.spline(sample, SPLINE_BASE)
    made, told = [*tests, bend], {}
    base = float(table.loc[table["ci_low"].isna(), "score"].max())
    for name, frame, columns, scores in (
            ("spline", curve, ("spline", "spline_low", "spline_high"), SPLINE_AT),
            ("answer", table[table["ci_low"].notna()], ("estimate", "ci_low", "ci_high"), ANSWERS)):
        for row in frame[frame["score"].isin(scores)].to_dict("records"):
            value, low, high = (float(row[column]) for column in columns)
            segment = f"score:{int(row['score'])}"
            made.append(Claim(f"sales.shape.{name}", value, "percent", len(sample.rows), bend.method, segment=segment,
                              ci_low=low, ci_high=high))
            told[f"sales.shape.{name}@{segment}"] = 100 * float(np.expm1(beta * (
                row["score"] - (base if name == "answer" else SPLINE_BASE))))
    return made, told


def discoveries(seed: int) -> tuple[int, int]:
    """(segments called changed, those of them in which nothing changed) in one survey of 40 segments, 10 of which
    changed by a point; half of them up and half down. The false share of none found is none.
    """
    random = stream(seed, "discoveries")
    customers = SEGMENTS * PER_SEGMENT
    segment = np.arange(customers) % SEGMENTS
    shift = np.where(segment < CHANGED, CHANGE * np.where(segment % 2, 1, -1), 0.0)
    attitude = 7.4 + random.normal(0, 1.4, customers)
    parts = []
    for month, moved in (("2025-01", 0.0), ("2025-07", shift)):
        answers = random.random(customers) < 0.8
        score = np.clip(np.rint(attitude + moved + random.normal(0, 1.4, customers)), 0, 10)
        parts.append(pd.DataFrame({"score_up": score, "month": month, "code": np.arange(customers),
                                   "segment": np.char.add("s", segment.astype(str)), "instrument": "nps",
                                   "touchpoint": None})[answers])
    rows = pd.concat(parts, ignore_index=True)
    metric: Metric = survey_metrics(rows, {})[0]
    span = periods.choose_periods("2025-01-01", "2025-12-31", 6)
    table = by_group(metric, ["segment"], span, LIMITS)
    called = table.loc[table["is_change_notable"], "segment"].str.removeprefix("segment:s").astype(int)
    return len(called), int((called >= CHANGED).sum())
