"""What every linked table starts from, computed once: the whole of the tables, and of some people what they did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import narwhals as nw

from pipeline.contracts.tables import TABLES
from pipeline.link.engine import Native, canonical_tables, kept, rows, with_month
from pipeline.link.flows import UNDATED, Flows, distinct, gather, instruments_of, known, placed
from pipeline.link.identity import OWNED, owners_of, resolve_accounts
from pipeline.link.window import EVENT_TIMES, Window, observe_window


@dataclass(frozen=True)
class Whole:
    """frames: canonical tables whose accounts are resolved. held: per table the values in each column, and "rows".
    seen: per table with times its first and last instant. instruments: that were asked, sorted. extras: x_ columns
    with one value per customer, as (table, source or None, columns), and the kind of each."""

    frames: dict[str, nw.LazyFrame]
    time_zone: str
    window: Window | None
    held: dict[str, dict[str, int]]
    seen: dict[str, tuple[datetime, datetime]]
    instruments: list[str]
    extras: list[tuple[str, str | None, list[str]]]
    extra_kinds: dict[str, str]


@dataclass(frozen=True)
class Base:
    """Some people, or all, and what they did. frames: their canonical tables. owners: per table its customers with
    their rows. people: person (0, 1, … in the order of ids) and customer_id, of everybody whom any table knows."""

    whole: Whole
    frames: dict[str, nw.LazyFrame]
    owners: dict[str, nw.LazyFrame]
    people: nw.LazyFrame | None
    flows: Flows

    @property
    def time_zone(self) -> str:
        return self.whole.time_zone

    @property
    def window(self) -> Window | None:
        return self.whole.window

    @property
    def held(self) -> dict[str, dict[str, int]]:
        return self.whole.held


def prepare(tables: "Mapping[str, Native] | Base", time_zone: str, as_of: date | str | None = None,
            whole: Whole | None = None) -> Base:
    """The base of these canonical tables, all on one engine; a base is returned as it is.

    whole: of which these tables are the part of some people, their accounts resolved; None when they are all there is.
    """
    if isinstance(tables, Base):
        return tables
    if whole is None:
        tables = resolve_accounts(tables).tables
        whole = with_referrals(observe(tables, time_zone, as_of), [tables])
    frames = _canonical(tables)
    owners = owners_of(frames)
    people = _numbered(owners) if owners else None
    flows = gather(frames, people, whole.held, whole.window, time_zone, whole.instruments, _referrals(tables, whole))
    return Base(whole, frames, owners, people, flows)


def observe(tables: Mapping[str, Native], time_zone: str, as_of: date | str | None = None) -> Whole:
    """The whole of these tables, their accounts resolved; the months of recommendations come by `with_referrals`."""
    frames = _canonical(tables)
    facts = {name: _facts(frame, EVENT_TIMES.get(name, ())) for name, frame in frames.items()}
    held = {name: counts for name, (counts, _) in facts.items()}
    seen = {name: (min(moments), max(moments)) for name, (_, moments) in facts.items() if moments}
    window = observe_window(frames, seen, time_zone, as_of)
    instruments = instruments_of(frames["surveys"]) if "surveys" in frames else []
    return Whole(frames, time_zone, window, held, seen, instruments, *_extras(frames))


def with_referrals(whole: Whole, parts: Sequence[Mapping[str, Native]]) -> Whole:
    """The whole with the span of recommendations, where `parts` (of all its people) know any: from the first one by a
    known customer to the last customer acquired, or to the end of the data where that is declared."""
    window = whole.window
    if window is None or not whole.held.get("customers", {}).get("referred_by"):
        return whole
    firsts = [first for part in parts if (first := _first_referral(part, whole)) is not None]
    won = whole.frames["customers"].filter(nw.col("acquired_at") < window.cut)
    last = rows(with_month(won, "acquired_at", "month", whole.time_zone).select(at=nw.col("month").max()))[0]["at"]
    if not firsts or last is None:
        return whole
    span = (int(min(firsts)), window.last if window.is_declared else int(last))
    return replace(whole, window=replace(window, spans=window.spans | {"referrals": span}))


def _first_referral(part: Mapping[str, Native], whole: Whole) -> int | None:
    """The first month in which somebody whom a known customer recommended was acquired."""
    frames = _canonical(part)
    ids = distinct(_ids(owned for name, owned in frames.items() if name in (*OWNED, "customers")), ["customer_id"])
    won = placed(_referrals(part, whole).join(ids, on="customer_id", how="semi"), "acquired_at", whole.window,
                 whole.time_zone)
    return rows(won.filter(nw.col("month") > UNDATED).select(at=nw.col("month").min()))[0]["at"]


def _referrals(tables: Mapping[str, Native], whole: Whole) -> nw.LazyFrame | None:
    """customer_id of who recommended and acquired_at of who was won, of the tables of some people or of all; None where
    nobody says so."""
    if not whole.held.get("customers", {}).get("referred_by"):
        return None
    if "referrals" in tables:
        return nw.from_native(tables["referrals"]).lazy()
    won = _canonical({"customers": tables["customers"]})["customers"]
    won = won.filter(nw.col("customer_id") != nw.col("referred_by"))
    return won.select("acquired_at", customer_id="referred_by")


def _canonical(tables: Mapping[str, Native]) -> dict[str, nw.LazyFrame]:
    return canonical_tables({name: table for name, table in tables.items() if name in TABLES})


def _numbered(owners: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame:
    numbered = distinct(_ids(owners.values()), ["customer_id"]).with_row_index("person", order_by="customer_id")
    return kept(numbered.with_columns(nw.col("person").cast(nw.Int32)))


def _ids(owned: Iterable[nw.LazyFrame]) -> nw.LazyFrame:
    return nw.concat([frame.select("customer_id").filter(known("customer_id")) for frame in owned], how="vertical")


def _facts(frame: nw.LazyFrame, times: Sequence[str]) -> tuple[dict[str, int], list[datetime]]:
    """The values in each column and the "rows"; the first and last instant of each of the columns `times`."""
    names = [name for name in frame.collect_schema().names() if not name.startswith("x_")]
    ends = [end for name in times for end in (nw.col(name).min().alias(f"first {name}"),
                                              nw.col(name).max().alias(f"last {name}"))]
    counts = rows(frame.select(nw.len().alias("rows"), *(nw.col(name).count().alias(name) for name in names), *ends))[0]
    moments = [counts.pop(f"{end} {name}") for name in times for end in ("first", "last")]
    return counts, [moment for moment in moments if moment is not None]


def _extras(frames: Mapping[str, nw.LazyFrame]) -> tuple[list[tuple[str, str | None, list[str]]], dict[str, str]]:
    """Whole.extras and extra_kinds; of two columns of one name the first table's stays."""
    found, kinds = [], {}
    for name in ("customers", *OWNED):
        schema = frames[name].collect_schema() if name in frames else {}
        extra = [column for column in schema if column.startswith("x_") and column not in kinds]
        if not extra:
            continue
        owned = frames[name].filter(known("customer_id"))
        sources = sorted(row["source"] for row in rows(distinct(owned, ["source"]))) if "source" in schema else [None]
        for source in sources:
            part = owned if source is None else owned.filter(nw.col("source") == source)
            size = rows(part.select(nw.len().alias("rows"), nw.col("customer_id").n_unique().alias("ids"),
                                    *(nw.col(column).count() for column in extra)))[0]
            held = [column for column in extra if size[column] and column not in kinds]
            if held and size["rows"] == size["ids"]:
                found.append((name, source, held))
                kinds |= {column: "number" if schema[column].is_numeric() else "text" for column in held}
    return found, kinds
