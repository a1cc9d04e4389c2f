"""What every linked table starts from, computed once: people with a number each, orders, answers and responses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import narwhals as nw

from pipeline.link.engine import Native, canonical_tables, kept, rows
from pipeline.link.flows import Flows, distinct, gather, known
from pipeline.link.identity import OWNED, resolve_accounts
from pipeline.link.window import Window, observe_window


@dataclass(frozen=True)
class Base:
    """frames: canonical tables whose accounts are resolved. people: person (0, 1, … in the order of ids) and
    customer_id, of everybody whom any table knows. held: per table the values in each column, and "rows"."""

    frames: dict[str, nw.LazyFrame]
    time_zone: str
    window: Window | None
    held: dict[str, dict[str, int]]
    people: nw.LazyFrame
    flows: Flows


def prepare(tables: "Mapping[str, Native] | Base", time_zone: str, as_of: date | str | None = None) -> Base:
    """The base of these canonical tables, all on one engine; a base is returned as it is."""
    if isinstance(tables, Base):
        return tables
    frames = canonical_tables(resolve_accounts(tables).tables)
    window = observe_window(frames, time_zone, as_of)
    held = {name: _held(frame) for name, frame in frames.items()}
    ids = [distinct(frame.filter(known("customer_id")), ["customer_id"]) for name, frame in frames.items()
           if name in (*OWNED, "customers")]
    everybody = distinct(nw.concat(ids, how="vertical"), ["customer_id"]) if ids else None
    people = None if everybody is None else kept(everybody.with_row_index("person", order_by="customer_id"))
    return Base(frames, time_zone, window, held, people, gather(frames, people, held, window, time_zone))


def _held(frame: nw.LazyFrame) -> dict[str, int]:
    names = [name for name in frame.collect_schema().names() if not name.startswith("x_")]
    return rows(frame.select(nw.len().alias("rows"), *(nw.col(name).count().alias(name) for name in names)))[0]
