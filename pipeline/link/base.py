"""What every linked table starts from, computed once: people with a number each, orders, answers and responses."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import narwhals as nw

from pipeline.link.engine import Native, canonical_tables, kept, rows, with_month
from pipeline.link.flows import UNDATED, Flows, distinct, gather
from pipeline.link.identity import owners_of, resolve_accounts
from pipeline.link.window import Window, observe_window


@dataclass(frozen=True)
class Base:
    """frames: canonical tables whose accounts are resolved. people: person (0, 1, … in the order of ids) and
    customer_id, of everybody whom any table knows. held: per table the values in each column, and "rows".
    owners: per table its customers with their rows."""

    frames: dict[str, nw.LazyFrame]
    time_zone: str
    window: Window | None
    held: dict[str, dict[str, int]]
    owners: dict[str, nw.LazyFrame]
    people: nw.LazyFrame
    flows: Flows


def prepare(tables: "Mapping[str, Native] | Base", time_zone: str, as_of: date | str | None = None,
            owners: dict[str, nw.LazyFrame] | None = None) -> Base:
    """The base of these canonical tables, all on one engine; a base is returned as it is.

    owners: `owners_of` these tables, where that is known already.
    """
    if isinstance(tables, Base):
        return tables
    frames = canonical_tables(resolve_accounts(tables).tables)
    window = observe_window(frames, time_zone, as_of)
    held = {name: _held(frame) for name, frame in frames.items()}
    owners = owners_of(frames) if owners is None else owners
    people = _numbered(owners) if owners else None
    flows = gather(frames, people, held, window, time_zone)
    if window is not None and flows.referrals is not None:
        window = _with_referrals(window, frames["customers"], flows.referrals, time_zone, declared=as_of is not None)
    return Base(frames, time_zone, window, held, owners, people, flows)


def _with_referrals(window: Window, customers: nw.LazyFrame, referrals: nw.LazyFrame, time_zone: str,
                    declared: bool) -> Window:
    """The window with the span of recommendations: from the first one known to the last customer acquired, or to the
    end of the data where that is declared."""
    won = with_month(customers.filter(nw.col("acquired_at") < window.cut), "acquired_at", "month", time_zone)
    first = rows(referrals.filter(nw.col("month") > UNDATED).select(at=nw.col("month").min()))[0]["at"]
    last = rows(won.select(at=nw.col("month").max()))[0]["at"]
    if first is None or last is None:
        return window
    return replace(window, spans=window.spans | {"referrals": (int(first), window.last if declared else int(last))})


def _numbered(owners: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame:
    ids = nw.concat([owned.select("customer_id") for owned in owners.values()], how="vertical")
    numbered = distinct(ids, ["customer_id"]).with_row_index("person", order_by="customer_id")
    return kept(numbered.with_columns(nw.col("person").cast(nw.Int32)))


def _held(frame: nw.LazyFrame) -> dict[str, int]:
    names = [name for name in frame.collect_schema().names() if not name.startswith("x_")]
    return rows(frame.select(nw.len().alias("rows"), *(nw.col(name).count().alias(name) for name in names)))[0]
