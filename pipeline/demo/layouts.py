"""How the invented company's systems write their exports: headers, words, number and date conventions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.demo.moments import to_local

NOT_ASKED = "No aplica"
WORDS = {  # canonical value -> as exported
    "asked_by": {"email": "Correo electrónico", "telephone": "Teléfono", "web": "Web", "app": "App"},
    "sold_by": {"store": "Tienda", "web": "Web", "telephone": "Teléfono"},
    "came_by": {"telephone": "phone", "email": "email", "web": "web form", "app": "mobile app"},
    "touchpoint": {"tienda": "Tienda", "web": "Web", "entrega": "Entrega", "atención": "Atención al cliente",
                   "facturación": "Facturación"},
    "language": {"es": "Español", "en": "Inglés"},
    "party": {"person": "Particular", "company": "Empresa"},
    "nps": {0: "0 - Nada probable", 10: "10 - Muy probable"},
    "csat": {1: "1 - Muy insatisfecho", 4: "4 - Ni lo uno ni lo otro", 7: "7 - Muy satisfecho"},
    "ces": {1: "1 - Muy fácil", 4: "4 - Normal", 7: "7 - Muy difícil"},
}


@dataclass(frozen=True)
class Sheet:
    """One export file before it is written: its table, its path, a header and rows of cells, in file order."""

    table: str
    path: str
    header: list[str]
    rows: list[list]


def surveys_sheet(surveys: pd.DataFrame) -> Sheet:
    """One record per invitation, the three questions side by side; an unasked question says "No aplica".

    Every second best or worst answer is written in words, the others as plain numbers.
    """
    wide = surveys.pivot(index="response_id", columns="instrument", values="score")
    asked = surveys.pivot(index="response_id", columns="instrument", values="scale_max").notna()
    records = surveys.drop_duplicates("response_id").set_index("response_id").loc[wide.index]
    waited = (records["responded_at"] - records["sent_at"]) / pd.Timedelta(hours=1)
    columns = {
        "Id respuesta": wide.index.to_numpy(object),
        "Id cliente": _text(records["customer_id"]),
        "Enviada": spanish_moments(records["sent_at"]),
        "Respondida": spanish_moments(records["responded_at"]),
        "Canal": _text(records["channel"].map(WORDS["asked_by"])),
        "Punto de contacto": _text(records["touchpoint"].map(WORDS["touchpoint"])),
        "Contacto directo": _text(records["is_direct"].map({True: "Sí", False: "No"})),
        "Id ticket": _text(records["ticket_id"]),
        "Id pedido": _text(records["order_id"]),
        "Recomendaría (NPS)": _answers(wide["nps"], asked["nps"], WORDS["nps"]),
        "Satisfacción (CSAT)": _answers(wide["csat"], asked["csat"], WORDS["csat"]),
        "Esfuerzo (CES)": _answers(wide["ces"], asked["ces"], WORDS["ces"]),
        "Comentario": _text(records["comment"]),
        "Idioma": _text(records["language"].map(WORDS["language"])),
        "Horas hasta responder": spanish_numbers(waited, 1),
    }
    return _sheet("surveys", "surveys/encuestas.csv", columns)


def tickets_sheet(tickets: pd.DataFrame) -> Sheet:
    """One row per ticket, UTC moments as ISO 8601 with Z; what has not happened yet is empty."""
    columns = {
        "ticket_id": _text(tickets["ticket_id"]),
        "requester_id": _text(tickets["customer_id"]),
        **{header: _iso(tickets[name]) for header, name in
           (("created_at", "created_at"), ("first_reply_at", "first_reply_at"), ("solved_at", "solved_at"))},
        "reopens": _text(tickets["reopened"]),
        "requester_wait_min": _text(tickets["requester_wait_minutes"].astype("Int64")),
        "status": _text(tickets["status"]),
        "via": _text(tickets["channel"].map(WORDS["came_by"])),
        "touchpoint": _text(tickets["touchpoint"]),
        "reason": _text(tickets["reason"]),
        "complaint": np.where(tickets["is_complaint"], "true", "false").astype(object),
        "priority": _text(tickets["priority"]),
        "due_at": _iso(tickets["promised_at"]),
        "group": _text(tickets["team"]),
    }
    return _sheet("tickets", "tickets/tickets.csv", columns)


def sales_sheets(sales: pd.DataFrame) -> list[Sheet]:
    """One file per calendar year, one row per order line, Spanish decimals with thousands points."""
    year = pd.DatetimeIndex(to_local(sales["ordered_at"])).year.to_numpy()
    return [_sales_sheet(sales[year == y], int(y)) for y in np.unique(year)]


def _sales_sheet(sales: pd.DataFrame, year: int) -> Sheet:
    columns = {
        "Pedido": _text(sales["order_id"]),
        "Línea": _text(sales["line_id"]),
        "Cliente": _text(sales["customer_id"]),
        "Fecha": spanish_moments(sales["ordered_at"]),
        "Unidades": sales["quantity"].astype(int).astype(str).to_numpy(object),
        "Importe neto": spanish_numbers(sales["net_amount"], 2),
        "Moneda": _text(sales["currency"]),
        "Devolución": np.where(sales["is_return"], "S", "N").astype(object),
        "Familia": _text(sales["product_category"].str.capitalize()),
        "Canal": _text(sales["channel"].map(WORDS["sold_by"])),
        "Sucursal": _text(sales["branch"]),
        "Margen": spanish_numbers(sales["margin"], 2),
        "Entrega prometida": spanish_moments(sales["promised_at"]),
        "Entrega real": spanish_moments(sales["delivered_at"]),
    }
    return _sheet("sales", f"sales/ventas-{year}.csv", columns)


def customers_sheet(customers: pd.DataFrame) -> Sheet:
    """One row per account, dates as real date cells; the e-mail column is there to be left behind by ingest."""
    number = customers["customer_id"].str.slice(3)
    columns = {
        "Cuenta": _text(customers["customer_id"]),
        "Segmento": _text(customers["segment"].str.capitalize()),
        "Valor": _text(customers["value_band"].str.capitalize()),
        "Sucursal": _text(customers["branch"]),
        "Tipo": _text(customers["party_type"].map(WORDS["party"])),
        "Alta": _dates(customers["acquired_at"]),
        "Baja": _dates(customers["ended_at"]),
        "Fusionada en": _text(customers["merged_into"]),
        "Recomendado por": _text(customers["referred_by"]),
        "Correo": ("cuenta" + number + "@example.com").to_numpy(object),
    }
    return _sheet("customers", "customers/clientes.xlsx", columns)


def actions_sheet(actions: pd.DataFrame) -> Sheet:
    """One row per branch: when the action began there and what it cost; empty where it never did."""
    columns = {
        "Acción": _text(actions["action_id"]),
        "Unidad": _text(actions["unit_id"]),
        "Tipo de unidad": np.full(len(actions), "Sucursal", dtype=object),
        "Participa": np.where(actions["eligible"], "Sí", "No").astype(object),
        "Inicio": np.array([text[:10] for text in spanish_moments(actions["received_at"])], dtype=object),
        "Coste": spanish_numbers(actions["cost"], 2),
    }
    return _sheet("actions", "actions/acciones.csv", columns)


def spanish_moments(utc: pd.Series) -> np.ndarray:
    """UTC timestamps as local "dd/mm/yyyy hh:mm" texts, "" where missing (day and minute texts are made once)."""
    missing = utc.isna().to_numpy()
    local = to_local(utc.fillna(pd.Timestamp("2000-01-01")))
    days, which = np.unique(local.astype("datetime64[D]"), return_inverse=True)
    day_text = np.array([f"{day:%d/%m/%Y} " for day in days.astype(object)], dtype=object)
    minutes = np.array([f"{m // 60:02d}:{m % 60:02d}" for m in range(1440)], dtype=object)
    minute = (local - local.astype("datetime64[D]")).astype("timedelta64[m]").astype(int)
    return np.where(missing, "", day_text[which] + minutes[minute])


def spanish_numbers(values: pd.Series, digits: int) -> np.ndarray:
    """Numbers as "1.234,50" texts, "" where missing."""
    swap = str.maketrans(",.", ".,")
    return np.array(["" if v != v else f"{v:,.{digits}f}".translate(swap) for v in values], dtype=object)


def _answers(score: pd.Series, asked: pd.Series, words: dict[int, str]) -> np.ndarray:
    plain = [NOT_ASKED if not is_asked else "" if value != value else f"{value:.0f}"
             for value, is_asked in zip(score, asked, strict=True)]
    spoken = [words.get(int(value), text) if value == value and place % 2 else text
              for place, (value, text) in enumerate(zip(score, plain, strict=True))]
    return np.array(spoken, dtype=object)


def _iso(utc: pd.Series) -> np.ndarray:
    texts = np.datetime_as_string(utc.to_numpy().astype("datetime64[s]")).astype(object) + "Z"
    return np.where(utc.isna(), "", texts)


def _dates(utc: pd.Series) -> np.ndarray:
    local = to_local(utc.fillna(pd.Timestamp("2000-01-01"))).astype("datetime64[s]").astype(object)
    return np.where(utc.isna(), None, local)


def _text(values: pd.Series) -> np.ndarray:
    return values.astype("str").fillna("").to_numpy(object)


def _sheet(table: str, path: str, columns: dict[str, np.ndarray]) -> Sheet:
    return Sheet(table, path, list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)])
