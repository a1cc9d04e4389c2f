"""Who answered, and how much of the business stands behind the answers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.breakdown import GROUP_COLUMNS, by_group, group_claims
from pipeline.measure.clusters import customer_codes
from pipeline.measure.disclosure import Limits, hidden
from pipeline.measure.levels import MONTH_TYPES, level_claim
from pipeline.measure.metrics import Metric, group_names
from pipeline.measure.periods import choose_periods
from pipeline.measure.proportions import share
from pipeline.measure.scorecard import Scorecard


def invitations(surveys: pd.DataFrame) -> pd.DataFrame:
    """One row per invitation: `value` 1 when any of its questions was answered, `has_comment`, customer `code`."""
    first = surveys.sort_values(["response_id", "instrument"], kind="stable").drop_duplicates("response_id")
    by = surveys.groupby("response_id")
    rows = first.set_index("response_id").assign(
        value=by["score"].count().gt(0).astype(float), has_comment=by["comment"].count().gt(0))
    rows = rows.reset_index()
    return rows.assign(code=customer_codes(rows["customer_id"]), month=pd.Series(pd.NA, rows.index, dtype="str"))


def response_metric(invited: pd.DataFrame) -> Metric:
    """The response rate as a metric: share of invitations answered, clustered by customer."""
    n_codes = int(invited["code"].max()) + 1 if len(invited) else 0
    return Metric("data.response_rate", "share", "wilson", invited,
                  lambda rows: share(rows["value"].to_numpy(float), rows["code"].to_numpy(), n_codes), "pp", 100.0)


def holds_silence(invited: pd.DataFrame) -> bool:
    """Whether invitations without an answer were exported: without them nobody can say who did not answer."""
    return bool((invited["value"] == 0).any())


def response_breakdown(surveys: pd.DataFrame | None, dimensions: Sequence[str], limits: Limits) -> Scorecard:
    """The response rate by group of customers, over all of the data; empty where nobody can say who did not answer."""
    invited = None if surveys is None else invitations(surveys)
    claims = response_claims(surveys, limits)
    months = pd.DataFrame(columns=[*MONTH_TYPES])
    if invited is None or not holds_silence(invited):
        return Scorecard(claims, months, pd.DataFrame(columns=GROUP_COLUMNS))
    metric, ever = response_metric(invited), choose_periods("", "1970-01-31", 1)
    table = by_group(metric, dimensions, ever, limits)
    return Scorecard([*claims, *group_claims(table, metric, limits, kinds=())], months, table)


def response_claims(surveys: pd.DataFrame | None, limits: Limits) -> list[Claim]:
    """Response rate, and share of answers with a comment.

    Where every invitation has an answer the rate is not estimable; where every answer has a comment, a claim of its
    own says that the sample was selected: that is not how people answer.
    """
    if surveys is None:
        return [Claim("data.response_rate", None, "share", 0, "", status="not_estimable", reason="no_surveys")]
    invited = invitations(surveys)
    metric = response_metric(invited)
    if holds_silence(invited):
        found = [level_claim(metric, metric.score(invited), limits, period="all", n_in=len(invited))]
    else:
        found = [Claim("data.response_rate", None, "share", len(invited), metric.method, status="not_estimable",
                       reason="only_answers")]
    answered = invited[invited["value"] == 1]
    if len(answered):
        commented = answered["has_comment"].mean()
        if commented > 0:  # no comment at all: the export has none, which is not a share of zero
            found.append(Claim("data.comment_share", float(commented), "share", len(answered), "share"))
        if commented == 1 and len(answered) >= limits.caution_below:
            found.append(_selection("data.every_answer_commented", len(answered)))
    return found


def _selection(claim_id: str, n: int) -> Claim:
    """The sample was selected: what is always there in the data is not always there in life."""
    return Claim(claim_id, 1.0, "share", n, "share", reason="selection")


def order_claims(surveys: pd.DataFrame | None, sales: pd.DataFrame | None, limits: Limits) -> list[Claim]:
    """Share of orders that have an answer, none where answers do not name their order; all of them: a selection."""
    if surveys is None or sales is None or not surveys["order_id"].notna().any():
        return []
    orders = pd.Index(sales["order_id"].unique())
    asked = surveys.loc[surveys["score"].notna(), "order_id"].dropna().unique()
    value = float(orders.isin(asked).mean())
    found = [Claim("data.orders_answered_share", value, "share", len(orders), "share")]
    if value == 1 and len(orders) >= limits.caution_below:
        found.append(_selection("data.every_order_answered", len(orders)))
    return found


def customer_claims(totals: pd.DataFrame | None, surveys: pd.DataFrame | None, limits: Limits) -> list[Claim]:
    """Customers, and the share of them who answered at least once; all of them: a selection."""
    if totals is None or totals.empty:
        return [Claim("data.customers", None, "count", 0, "", status="not_estimable", reason="no_customer_key")]
    found = [Claim("data.customers", float(len(totals)), "count", len(totals), "count")]
    if surveys is not None:
        answers = has_answered(totals)
        found.append(Claim("data.customers_answered_share", float(answers.mean()), "share", len(totals), "share"))
        if answers.all() and len(totals) >= limits.caution_below:
            found.append(_selection("data.every_customer_answered", len(totals)))
    return found


def has_answered(totals: pd.DataFrame) -> pd.Series:
    """Per customer whether there is any answer."""
    return totals["count_answers"].fillna(0) > 0


def _is_there(totals: pd.DataFrame, column: str) -> bool:
    return column in totals and bool(totals[column].notna().any())


def revenue_claims(sales: pd.DataFrame | None, surveys: pd.DataFrame | None) -> list[Claim]:
    """Share of revenue with a known customer, and share from customers who answered at least once."""
    names = ("data.revenue_linked_share", "data.revenue_of_respondents_share")
    amounts = None if sales is None else pd.to_numeric(sales["net_amount"]).astype(float)
    if sales is None or amounts.sum() <= 0:
        reason = "no_sales" if sales is None else "net_returns" if amounts.sum() < 0 else "no_revenue"
        return [Claim(name, None, "share", 0, "", status="not_estimable", reason=reason) for name in names]
    known = sales["customer_id"].notna()
    found = [Claim(names[0], float(amounts[known].sum() / amounts.sum()), "share", len(sales), "share")]
    if surveys is None or not known.any():
        reason = "no_surveys" if surveys is None else "no_customer_key"
        return [*found, Claim(names[1], None, "share", 0, "", status="not_estimable", reason=reason)]
    answered = surveys.loc[surveys["score"].notna(), "customer_id"].dropna().unique()
    theirs = sales["customer_id"].isin(answered)
    return [*found, Claim(names[1], float(amounts[theirs].sum() / amounts.sum()), "share", len(sales),
                          "share")]


def composition(totals: pd.DataFrame | None, dimensions: Sequence[str], limits: Limits) -> pd.DataFrame:
    """One row per group of each breakdown: share among customers, among those who answered, and of revenue.

    Hidden groups (too few customers) keep their row without figures. A share is also missing where too few of the
    group's customers stand behind it (answered; bought for more or less than zero), or where it would tell such a one;
    where none of them does it is 0.
    """
    columns = ["dimension", "segment", "count_customers", "customers_share", "answered_share", "revenue_share"]
    found = []
    for dimension in dimensions:
        if totals is None or dimension not in totals or not totals[dimension].notna().any():
            continue
        names = group_names(totals[dimension])
        counts = names.value_counts().sort_index()
        table = pd.DataFrame({"customers_share": counts / len(names)}).reindex(columns=columns[3:]).astype(float)
        table = table.assign(dimension=dimension, segment=counts.index, count_customers=counts.astype("Int64"))
        unseen = hidden(counts.to_numpy(), limits.suppress_below)
        table.loc[unseen, ["count_customers", "customers_share"]] = pd.NA
        if _is_there(totals, "count_answers") and has_answered(totals).any():
            answered = names[has_answered(totals)].value_counts()
            table["answered_share"] = _told(answered / answered.sum(), answered, unseen, counts.index, limits)
        if _is_there(totals, "revenue") and totals["revenue"].sum() > 0:
            revenue = totals["revenue"].fillna(0)
            table["revenue_share"] = _told(revenue.groupby(names).sum() / revenue.sum(),
                                           names[revenue != 0].value_counts(), unseen, counts.index, limits)
        found.append(table[columns])
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def _told(share: pd.Series, people: pd.Series, unseen: np.ndarray, names: pd.Index, limits: Limits) -> pd.Series:
    """The share per name, missing where the group is unseen or the people behind it are hidden."""
    behind = people.reindex(names).fillna(0).to_numpy()
    return share.reindex(names).fillna(0.0).astype(float).mask(hidden(behind, limits.suppress_below, unseen))
