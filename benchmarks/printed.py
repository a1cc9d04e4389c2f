"""What a report prints about invented companies: simulated, linked together for speed, analysed by the functions that
the notebooks call, with the defaults of params.yaml.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.demo.company import Company, simulate
from pipeline.demo.truth import LEDGER_SEED
from pipeline.link.context import survey_context, ticket_context
from pipeline.link.panel import build_panel
from pipeline.measure import coverage, index, metrics, periods, response, silence, tickets
from pipeline.measure.disclosure import Limits
from pipeline.measure.experience_label import label_claims, label_shares
from pipeline.measure.levels import headline_claims
from pipeline.relate import (
    at_risk,
    churn,
    complaints,
    conversion,
    cox,
    growth,
    inactivity,
    repeat,
    retention,
    sales,
    staleness,
)
from pipeline.relate.sample import SalesSample, sales_sample
from pipeline.relate.timing import timing_of

TABLES = ("surveys", "tickets", "sales", "customers", "actions")
OWN = ("customer_id", "referred_by", "order_id", "ticket_id", "response_id")  # ids that get the company's number first
CURRENCY, TIME_ZONE = "EUR", "Europe/Madrid"
MONTHS, WINDOW_MONTHS = 24, 6
SEGMENTS = ["hogar", "autónomo", "empresa"]
GROUPS = (6, 9)
RISK_MONTHS, BREAK_EVEN_MONTHS, SILENCE_DAYS = 12, 12, 90
SMALLEST_EFFECT = 5.0  # percent per point
LABELS = {"nps": [6, 9], "csat": [3, 6], "ces": [3, 6]}
COVARIATES = ["segment", "value_band", "branch", "had_ticket", "purchases"]
CALENDAR = {"hours": "09:00-18:00", "weekdays": [0, 1, 2, 3, 4], "country": "ES"}
LIMITS = Limits()


@dataclass(frozen=True)
class Linked:
    """One company with its linked tables, as the link stage would leave them."""

    company: Company
    panel: pd.DataFrame
    surveys: pd.DataFrame
    tickets: pd.DataFrame
    sales: pd.DataFrame

    @cached_property
    def sample(self) -> SalesSample:
        """The sample of the sales models, as notebook 03 makes it."""
        return sales_sample(self.panel, "nps", 1, ["exposure_months"], GROUPS)

    @cached_property
    def staying(self) -> churn.ChurnSample:
        """The sample of the hazard of leaving, as notebook 04 makes it."""
        return churn.churn_sample(self.panel, "nps", 1, ["segment", "value_band"])

    @cached_property
    def older(self) -> churn.ChurnSample:
        """The same with answers up to three months old."""
        return churn.churn_sample(self.panel, "nps", 3, ["segment", "value_band"])

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Every answer with its month and customer."""
        return metrics.answered(self.surveys, TIME_ZONE)

    @cached_property
    def last_day(self) -> str:
        return str(self.panel["period"].max() + pd.offsets.MonthEnd(0))[:10]

    @cached_property
    def span(self) -> periods.Periods:
        """The headline half year and the one before."""
        return periods.choose_periods(f"{self.company.first_month}-01", self.last_day, WINDOW_MONTHS)


def linked(seeds: list[int], customers: int, world: str) -> list[Linked]:
    """The companies of these seeds, one after another simulated and all at once linked.

    All have the branches of the truth ledger: they differ by their customers, which is what an interval over
    customers speaks of. Linking many at once gives every company the panel that it would get alone (a test holds it).
    """
    found = [simulate(customers=customers, seed=seed, world=world, network=LEDGER_SEED) for seed in seeds]
    parts = {name: [_numbered(getattr(company, name), place) for place, company in enumerate(found)]
             for name in TABLES if name != "actions"}
    together = {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()} | {
        "actions": found[0].actions}
    tables = [_split(table, key, len(found)) for table, key in ((build_panel(together, TIME_ZONE), "customer_id"),
              (survey_context(together), "response_id"), (ticket_context(together), "ticket_id"))]
    return [Linked(*one) for one in zip(found, *tables, parts["sales"], strict=True)]


def _numbered(table: pd.DataFrame, place: int) -> pd.DataFrame:
    columns = {c: (f"{place:04d}-" + table[c]).astype("str") for c in OWN if c in table}
    return table.assign(**columns)


def _split(table: pd.DataFrame, key: str, count: int) -> list[pd.DataFrame]:
    """The rows of each company, whose number stands in front of the key by which the table is sorted."""
    place = table[key].str.slice(0, 4).astype(int).to_numpy()
    edges = np.searchsorted(place, np.arange(count + 1))
    return [table.iloc[start:end].reset_index(drop=True) for start, end in pairwise(edges)]


def printed(one: Linked) -> list[Claim]:
    """Every claim with an interval that the pages print of this company, the breakdowns left out."""
    return [*experience(one), *sales_and_score(one), *staying(one)]


def experience(one: Linked) -> list[Claim]:
    """Scores, tickets, labels, index, response and weighting."""
    span, given = one.span, one.answers
    timed = metrics.timed_tickets(one.tickets, periods.end_of_day(one.last_day, TIME_ZONE), TIME_ZONE, CALENDAR)
    measured = [*metrics.survey_metrics(given, {"csat": 6}), *index.index_metrics(given, LABELS,
                {"direct": 0.5, "indirect": 0.5}), *metrics.ticket_metrics(timed)]
    made = [claim for metric in measured for claim in headline_claims(metric, span, LIMITS)]
    made += tickets.ticket_claims(timed, span, LIMITS) + label_claims(label_shares(given, LABELS, span, LIMITS))
    known = (one.surveys, one.tickets, one.sales, None, COVARIATES, span, TIME_ZONE, LIMITS)
    everybody = response.of_each_question(*known, top_boxes={"csat": 6})
    made += [claim for question in everybody.values() for claim in question.claims]
    return made + coverage.response_claims(one.surveys, LIMITS) + silence.churn_claims(one.panel, None, LIMITS)


def sales_and_score(one: Linked) -> list[Claim]:
    """Everything of the page of sales but its contrast."""
    sample = one.sample
    timing = timing_of(sample, SMALLEST_EFFECT)
    made = sales.per_point(sample, timing.level, timing.reason)[0] + timing.claims()
    made += sales.by_group(sample, timing.level, timing.reason)
    made += conversion.conversion(sample, CURRENCY, BREAK_EVEN_MONTHS, timing.level, timing.reason)
    made += sales.other_outcomes(sample, timing.level, timing.reason)
    made += staleness.stale_score(one.panel, "nps", ["exposure_months"], sample.problem)
    made += complaints.complaint_claims(sample, one.panel)
    made += growth.growth_claims(one.panel, "nps", GROUPS)
    return [*made, repeat.repeat_customers(one.sales[["customer_id", "ordered_at", "is_return"]], TIME_ZONE)]


def staying(one: Linked) -> list[Claim]:
    """Everything of the page of churn but its contrast and the judging of predictions."""
    sample, older = one.staying, one.older
    made = churn.monthly_rates(sample, SEGMENTS) + churn.hazard_claims(sample)
    made += [*churn.hazard_claims(older, "score_age:3", absolute=False), cox.cox_check(sample)]
    made += at_risk.revenue_at_risk(older, RISK_MONTHS, CURRENCY, GROUPS)
    made += retention.retention_claims(retention.cohort_of(one.panel), SEGMENTS)
    return made + [claim for window, sample in silent(one) for claim in inactivity.silence_claims(sample, window)]


def silent(one: Linked) -> list[tuple[int, churn.ChurnSample]]:
    """Each window of silence with its sample."""
    days = inactivity.order_days(one.sales, TIME_ZONE)
    return [(window, inactivity.silence_sample(days, one.panel, "nps", 1, window, days["day"].max(),
                                               ["segment", "value_band"]))
            for window in inactivity.windows(SILENCE_DAYS)]


def rates_of_leaving(one: Linked) -> list[Claim]:
    """Of `staying` the rates alone, which ask for no model."""
    return churn.monthly_rates(one.staying, SEGMENTS) + [inactivity.silence_rate(sample, window)
                                                         for window, sample in silent(one)]


PARTS = {"experience": experience, "sales": sales_and_score, "staying": staying, "rates": rates_of_leaving}
