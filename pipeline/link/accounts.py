"""B2B: the contacts of one company behind one id, so that one contact's score meets what another contact bought."""

from collections.abc import Mapping

import narwhals as nw

from pipeline.contracts.refusal import Refusal
from pipeline.link.engine import Native, rows
from pipeline.link.flows import known
from pipeline.link.identity import OWNED, Resolved, lazy, replaced, survivors


def group_contacts(tables: Mapping[str, Native]) -> Resolved:
    """The tables with every customer_id replaced by the account_id of its contact, where the customers table gives one.

    customers keeps one row per account: its own (where account_id is a customer_id too), else that of its first
    contact; acquired_at is the earliest of all its contacts, and an account without a row of its own has ended when all
    of its contacts have. Rows of contacts that the table does not list stay as they are. Refused when no customer
    carries an account_id (LINK-ACCOUNT), and when an account is itself a contact of another (KEY-ACCOUNT).
    """
    contacts = tables.get("customers")
    given = contacts is not None and "account_id" in contacts.columns
    members = lazy(contacts).filter(known("account_id")).select("customer_id", "account_id") if given else None
    if members is None or not rows(members.select(n=nw.len()))[0]["n"]:
        raise Refusal("LINK-ACCOUNT", "link.customer says account, but no customer carries an account",
                      column="account_id", expected="a source of the table customers that maps account_id")
    moved = members.filter(nw.col("customer_id") != nw.col("account_id")).select(old_id="customer_id",
                                                                                survivor="account_id")
    _refuse_nesting(moved)
    grouped, changed = dict(tables), {}
    for name in OWNED:
        if name in tables:
            changed[name] = rows(lazy(tables[name]).join(moved, left_on="customer_id", right_on="old_id", how="semi")
                                 .select(n=nw.len()))[0]["n"]
            grouped[name] = replaced(lazy(tables[name]), "customer_id", moved).to_native()
    if "actions" in tables:
        grouped["actions"] = replaced(lazy(tables["actions"]), "unit_id", moved).to_native()
    alive = _with_ends(survivors(lazy(contacts), moved), lazy(contacts), moved)
    grouped["customers"] = (replaced(alive, "referred_by", moved) if "referred_by" in contacts.columns
                            else alive).to_native()
    return Resolved(grouped, rows(moved.select(n=nw.len()))[0]["n"], changed)


def _refuse_nesting(moved: nw.LazyFrame) -> None:
    above = moved.group_by("survivor").agg(n=nw.len()).select("survivor")
    nested = rows(moved.join(above, left_on="old_id", right_on="survivor", how="semi").select(n=nw.len()))[0]["n"]
    if nested:
        raise Refusal("KEY-ACCOUNT", "accounts are contacts of other accounts, so it is open which of them is the "
                      "customer", column="account_id", found=f"{nested} such accounts",
                      expected="one level: every account_id names a company, not a contact of another")


def _with_ends(accounts: nw.LazyFrame, contacts: nw.LazyFrame, moved: nw.LazyFrame) -> nw.LazyFrame:
    """ended_at of an account that has no row of its own: the last of its contacts' ends, missing while one goes on."""
    names = accounts.collect_schema().names()
    if "ended_at" not in names:
        return accounts
    members = contacts.select("customer_id", "ended_at").join(moved, left_on="customer_id", right_on="old_id")
    ends = members.group_by("survivor").agg(end=nw.col("ended_at").max(), ends=nw.col("ended_at").count(), of=nw.len())
    ends = ends.join(contacts.select("customer_id"), left_on="survivor", right_on="customer_id", how="anti")
    ends = ends.with_columns(end=nw.when(nw.col("ends") == nw.col("of")).then(nw.col("end")), is_told=nw.lit(True))
    accounts = accounts.join(ends, left_on="customer_id", right_on="survivor", how="left")
    told = nw.when(nw.col("is_told").fill_null(False)).then(nw.col("end")).otherwise(nw.col("ended_at"))
    return accounts.with_columns(ended_at=told).select(*names)
