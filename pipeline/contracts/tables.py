"""The canonical tables: grain, key, columns, types, units and the meaning of missing.

Ingest writes exactly these columns in this order, for every source that declares the table; a column
that a source does not have is there and missing. Nothing downstream knows any other layout.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "comment", "category", "number", "integer", "money", "timestamp", "boolean"]


@dataclass(frozen=True)
class Column:
    """One column: what it holds, in which unit, what missing means; `required` columns must be mapped."""

    name: str
    kind: Kind
    meaning: str
    missing: str
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Table:
    """A canonical table: one row per `key`, described by `grain`."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


SURVEYS = Table(
    "surveys",
    "one row per invitation and instrument; an invitation without an answer stays, score missing",
    ("response_id", "instrument"),
    (
        Column("response_id", "id", "invitation or answer", "never", True),
        Column("customer_id", "id", "who was asked (pseudonym)", "anonymous answer: counted, never joined"),
        Column("instrument", "category", "nps, csat, ces or another declared name", "never", True),
        Column("score", "number", "the answer on its own declared scale", "not answered, never 0"),
        Column("scale_min", "number", "lowest possible answer", "never", True),
        Column("scale_max", "number", "highest possible answer", "never", True),
        Column("direction", "category", "higher_is_better or lower_is_better, as asked", "never", True),
        Column("sent_at", "timestamp", "invitation, UTC", "not exported"),
        Column("responded_at", "timestamp", "answer, UTC", "not answered"),
        Column("touchpoint", "category", "what the question was about", "relational survey or not exported"),
        Column("channel", "category", "how the customer was asked", "not exported"),
        Column("is_direct", "boolean", "direct contact with the company (true) or indirect (false)", "not exported"),
        Column("ticket_id", "id", "ticket that the survey follows (pseudonym)", "not after a ticket"),
        Column("order_id", "id", "order that the survey follows (pseudonym)", "not after an order"),
        Column("comment", "comment", "free text, redacted", "no comment"),
        Column("language", "category", "language of the comment, ISO 639-1", "unknown"),
    ),
)

TICKETS = Table(
    "tickets",
    "one row per ticket",
    ("ticket_id",),
    (
        Column("ticket_id", "id", "ticket (pseudonym)", "never", True),
        Column("customer_id", "id", "who asked (pseudonym)", "unknown caller: counted, never joined"),
        Column("created_at", "timestamp", "opened, UTC", "not exported: no time to resolution can be computed"),
        Column("first_reply_at", "timestamp", "first reply of a person, UTC", "no reply yet, never 0"),
        Column("solved_at", "timestamp", "last time it was solved, UTC", "still open: censored, never dropped"),
        Column("reopened", "integer", "times it was opened again", "not exported", minimum=0),
        Column("requester_wait_minutes", "number", "time so far in which the company had to act, not the requester",
               "not exported", minimum=0),
        Column("status", "category", "open, pending, solved or closed", "not exported"),
        Column("channel", "category", "how the customer came in", "not exported"),
        Column("touchpoint", "category", "step of the journey", "not exported"),
        Column("reason", "category", "why the customer came in", "not exported"),
        Column("is_complaint", "boolean", "the ticket is a complaint", "not exported"),
        Column("priority", "category", "priority given", "not exported"),
        Column("promised_at", "timestamp", "promised solution, UTC", "nothing was promised"),
        Column("team", "category", "who worked on it", "not exported"),
    ),
)

SALES = Table(
    "sales",
    "one row per order line",
    ("order_id", "line_id"),
    (
        Column("order_id", "id", "order (pseudonym)", "never", True),
        Column("line_id", "text", "line within the order", "the order has one line: 1"),
        Column("customer_id", "id", "who bought (pseudonym)", "anonymous sale: counted, never joined"),
        Column("ordered_at", "timestamp", "order, UTC", "not exported: no sales over time can be computed"),
        Column("quantity", "number", "units; returns are negative", "not exported"),
        Column("net_amount", "money", "net of tax and discount, whole line; returns are negative", "never", True),
        Column("currency", "category", "ISO 4217", "the company's currency"),
        Column("is_return", "boolean", "the line gives goods or money back", "not exported: a sale"),
        Column("product_category", "category", "kind of product", "not exported"),
        Column("channel", "category", "where it was sold", "not exported"),
        Column("branch", "category", "shop or office", "not exported"),
        Column("margin", "money", "contribution of the line", "not exported"),
        Column("promised_at", "timestamp", "promised delivery, UTC", "nothing was promised"),
        Column("delivered_at", "timestamp", "delivery, UTC", "not delivered or not exported"),
    ),
)

CUSTOMERS = Table(
    "customers",
    "one row per customer account",
    ("customer_id",),
    (
        Column("customer_id", "id", "account (pseudonym)", "never", True),
        Column("merged_into", "id", "account that this one was merged into (pseudonym)", "a live account"),
        Column("account_id", "id", "company behind several contacts, B2B (pseudonym)", "a person of its own"),
        Column("referred_by", "id", "customer who recommended the company to this one (pseudonym)",
               "nobody, or not exported"),
        Column("segment", "category", "segment as the company sees it", "not exported"),
        Column("value_band", "category", "value band as the company sees it, known beforehand", "not exported"),
        Column("branch", "category", "home branch", "not exported"),
        Column("party_type", "category", "person or company", "not exported"),
        Column("acquired_at", "timestamp", "first contract or purchase, UTC", "not exported"),
        Column("ended_at", "timestamp", "end of contract, UTC", "still a customer, or not contractual"),
        Column("is_churned", "boolean", "label of a one-off export without dates", "not exported"),
        Column("tenure_months", "number", "tenure of a one-off export without dates", "not exported", minimum=0),
    ),
)

CONTACTS = Table(
    "contacts",
    "one row per touchpoint contact, direct or indirect",
    ("contact_id",),
    (
        Column("contact_id", "id", "contact (pseudonym)", "never", True),
        Column("customer_id", "id", "who (pseudonym)", "unknown: counted, never joined"),
        Column("happened_at", "timestamp", "when, UTC", "never", True),
        Column("touchpoint", "category", "step of the journey", "not exported"),
        Column("channel", "category", "how", "not exported"),
        Column("is_direct", "boolean", "direct (true) or indirect (false)", "not exported"),
    ),
)

ACTIONS = Table(
    "actions",
    "one row per action and unit it was done for (customer or branch)",
    ("action_id", "unit_id"),
    (
        Column("action_id", "text", "name of the action", "never", True),
        Column("unit_id", "text", "branch, or customer (pseudonym) when unit_kind is customer", "never", True),
        Column("unit_kind", "category", "branch or customer", "never", True),
        Column("eligible", "boolean", "could have received it", "not exported: eligible"),
        Column("received_at", "timestamp", "when it began for this unit, UTC", "not received (yet)"),
        Column("cost", "money", "cost for this unit", "not exported"),
    ),
)

COSTS = Table(
    "costs",
    "one row per cost item and month",
    ("item", "month_at"),
    (
        Column("item", "text", "what was paid for", "never", True),
        Column("month_at", "timestamp", "first of the month, UTC", "never", True),
        Column("amount", "money", "cost", "never", True),
    ),
)

TABLES = {table.name: table for table in (SURVEYS, TICKETS, SALES, CUSTOMERS, CONTACTS, ACTIONS, COSTS)}
