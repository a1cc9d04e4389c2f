"""The same exports as an analyst cleans them in pandas: python -m benchmarks.analyst IN OUT.

Clean tables, quarantine with reasons, duplicates dropped, customer × month panel; what came out in OUT/counts.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.exports import CLOCK, INSTRUMENTS, ZONE


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / name / f"{name}.csv", dtype=str, encoding="utf-8")


def to_utc(texts: pd.Series) -> pd.Series:
    """UTC without zone; NaT for what is no time or never was; of an hour that came twice the first is taken."""
    local = pd.to_datetime(texts, format=CLOCK, errors="coerce")
    zoned = local.dt.tz_localize(ZONE, ambiguous=np.ones(len(local), dtype=bool), nonexistent="NaT")
    return zoned.dt.tz_convert("UTC").dt.tz_localize(None)


def split(frame: pd.DataFrame, checks: dict[str, pd.Series], key: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """(clean, quarantine with its reason, duplicates dropped): the first check that holds gives the reason."""
    reason = pd.Series(pd.NA, index=frame.index, dtype="string")
    for name, broken in reversed(checks.items()):
        reason[broken] = name
    good = frame[reason.isna()]
    clean = good.drop_duplicates(key)
    return clean, frame[reason.notna()].assign(reason=reason), len(good) - len(clean)


def clean_sales(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    sales = raw.assign(account=raw["Customer"].str.strip().str.lower(), at=to_utc(raw["Date"]),
                       units=pd.to_numeric(raw["Units"], errors="coerce"),
                       amount=pd.to_numeric(raw["Amount"].str.replace("€", "").str.strip(), errors="coerce"),
                       is_return=raw["Return"].map({"yes": True, "no": False}))
    return split(sales, {"date": sales["at"].isna(), "amount": sales["amount"].isna(), "units": sales["units"].isna(),
                         "return": sales["is_return"].isna()}, ["Order", "Line"])


def clean_surveys(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    surveys = raw.assign(account=raw["Customer"].str.strip().str.lower(), sent=to_utc(raw["Sent"]),
                         at=to_utc(raw["Answered"]))
    bad_answer = surveys["Answered"].notna() & surveys["at"].isna()
    records, out, dropped = split(surveys, {"sent": surveys["sent"].isna(), "answered": bad_answer,
                                            "early": surveys["at"] < surveys["sent"]}, ["Response"])
    own = ["Response", "account", "sent", "at", "Touchpoint", "Channel", "Comment"]
    told = records.melt(own, [name.upper() for name in INSTRUMENTS], "instrument", "text")
    score = pd.to_numeric(told["text"], errors="coerce")
    low, high = (told["instrument"].str.lower().map({n: ends[k] for n, ends in INSTRUMENTS.items()}) for k in (0, 1))
    bad = told["text"].notna() & ~score.between(low, high)
    more = told[bad].assign(reason="score")
    return told.assign(score=score)[~bad], pd.concat([out, more]), dropped


def clean_tickets(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    tickets = raw.assign(account=raw["Customer"].str.strip().str.lower(), at=to_utc(raw["Created"]),
                         replied=to_utc(raw["First reply"]), solved=to_utc(raw["Solved"]),
                         reopened=raw["Reopened"].map({"yes": 1, "no": 0}))
    checks = {"created": tickets["at"].isna(), "reply": raw["First reply"].notna() & tickets["replied"].isna(),
              "solved": raw["Solved"].notna() & tickets["solved"].isna(),
              "order": (tickets["solved"] < tickets["at"]) | (tickets["replied"] < tickets["at"])}
    return split(tickets, checks, ["Ticket"])


def panel(sales: pd.DataFrame, surveys: pd.DataFrame, tickets: pd.DataFrame) -> pd.DataFrame:
    """One row per customer and month from the first purchase on: sales, last score, tickets, what comes next."""
    key = ["account", "month"]
    sales, surveys, tickets = (t.assign(month=t["at"].dt.to_period("M")) for t in (sales, surveys, tickets))
    bought = sales.groupby(key).agg(orders=("Order", "nunique"), revenue=("amount", "sum"))
    scores = surveys.groupby([*key, "instrument"])["score"].mean().unstack().reset_index()
    asked = tickets.assign(hours=(tickets["solved"] - tickets["at"]).dt.total_seconds() / 3600)
    asked = asked.groupby(key).agg(tickets=("Ticket", "size"), ttr_hours=("hours", "mean"))
    first, last = sales.groupby("account")["month"].min(), sales["month"].max()
    months = last.ordinal - first.map(lambda month: month.ordinal) + 1
    rows = pd.DataFrame({"account": np.repeat(first.index, months)})
    rows["tenure"] = rows.groupby("account").cumcount()
    start = first.map(lambda month: month.ordinal).repeat(months).to_numpy()
    rows["month"] = pd.PeriodIndex.from_ordinals(start + rows["tenure"].to_numpy(), freq="M")
    rows = rows.merge(bought, "left", key).merge(scores, "left", key).merge(asked, "left", key)
    rows[["orders", "revenue", "tickets"]] = rows[["orders", "revenue", "tickets"]].fillna(0)
    by_customer = rows.groupby("account")
    for name in (i.upper() for i in INSTRUMENTS):
        rows[f"last_{name}"] = by_customer[name].ffill()
    rows["revenue_next"], rows["orders_next"] = by_customer["revenue"].shift(-1), by_customer["orders"].shift(-1)
    return rows.assign(month=rows["month"].dt.to_timestamp())


def main(folder: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    cleaned, counts = {}, {}
    for name, clean in (("sales", clean_sales), ("surveys", clean_surveys), ("tickets", clean_tickets)):
        raw = read(folder, name)
        cleaned[name], quarantine, dropped = clean(raw)
        cleaned[name].to_parquet(out / f"{name}.parquet", index=False)
        quarantine.to_parquet(out / f"{name}.quarantine.parquet", index=False)
        counts[name] = {"rows_in": len(raw), "clean": len(cleaned[name]), "quarantined": len(quarantine),
                        "dropped": dropped}
    rows = panel(**cleaned)
    rows.to_parquet(out / "panel.parquet", index=False)
    counts["money"] = round(float(cleaned["sales"]["amount"].sum()), 2)
    counts["panel_money"] = round(float(rows["revenue"].sum()), 2)
    (out / "counts.json").write_text(json.dumps(counts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
