"""The id of the rule by which a figure is withheld: what ingest calls its rules by, for what is estimated and shown."""

OF_REASON = {  # reason of a claim without an estimate -> rule
    "constant_score": "FIT-CONST", "alike_answers": "FIT-CONST", "separation": "FIT-SEP",
    "one_class": "FIT-ONECLASS", "no_leavers": "FIT-ONECLASS", "no_outcome": "FIT-ONECLASS",
    "no_complaints_after": "FIT-ONECLASS",
    "no_tickets_after": "FIT-ONECLASS", "no_referrals_after": "FIT-ONECLASS", "net_returns": "FIT-ONECLASS",
    "collinear": "FIT-RANK", "one_month": "SET-SPAN", "few_months": "SET-SPAN", "no_overlap": "SET-OVERLAP",
    "one_customer": "SET-TINY", "one_dominates": "SET-TINY",
    "few_customers": "SET-TINY", "few_events": "SET-TINY", "no_surveys": "SET-MISSING",
    "surveys_absent": "SET-MISSING", "no_sales": "SET-MISSING", "sales_absent": "SET-MISSING",
    "nobody_answered": "SET-NONRESP",
}
OF_STATUS = {"suppressed": "SDC-K", "not_enough_data": "SET-NONRESP"}  # a small group; too few of those asked answered


def rule_of(status: str, reason: str) -> str:
    """The rule behind a claim's status and reason; "" where a figure is given without a warning, or none applies."""
    return "" if status == "ok" else OF_REASON.get(reason) or OF_STATUS.get(status, "")
