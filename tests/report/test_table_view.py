"""Tables as a reader sees them."""

import pandas as pd
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.report.disclosure import protect_table
from pipeline.report.page import Table
from pipeline.report.table_view import view
from pipeline.report.words import Words

NB = "\u00a0"


def shown(frame, table=None, language="es"):
    return view(protect_table(frame, 10), table or Table("t"), Words(language), "Caption", "EUR", 10)


def test_limits_become_one_column_at_the_decimals_they_support():
    frame = pd.DataFrame({"channel": ["web", "shop"], "unit": ["points", "share"], "n": [1500, 80],
                          "estimate": [31.42, 0.2874], "ci_low": [27.6, 0.19], "ci_high": [35.2, 0.39]})
    made = shown(frame)
    assert made.titles == ("Canal", "Casos", "Estimación", "Intervalo del 95 %")
    assert made.rows[0] == ("web", "1.500", "31,4", "27,6 a 35,2")
    assert made.rows[1] == ("shop", "80", f"29{NB}%", f"19{NB}% a 39{NB}%")
    assert made.is_number == (False, True, True, True)


def test_units_told_by_name_and_by_declaration():
    frame = pd.DataFrame({"period": ["2024-03"], "rows": [1234], "share": [0.5], "is_open": [True],
                          "ttr_hours": [30.0], "amount": [1234.5]})
    table = Table("t", {"period": "month", "rows": "count", "share": "share", "amount": "company"},
                  titles={"amount": "column.value"})
    assert shown(frame, table).rows == (("marzo de 2024", "1.234", f"50,0{NB}%", f"1.235{NB}€"),)
    frame = frame.drop(columns=["is_open", "ttr_hours", "amount"])
    assert shown(frame, language="en").rows == (("March 2024", "1,234", "50.0%"),)


def test_missing_and_hidden_are_told_apart():
    frame = pd.DataFrame({"channel": ["a", "b", "c", "d"], "n": [7, 20, 30, 40],
                          "estimate": [1.0, 2.0, 3.0, None]})
    made = shown(frame)
    assert made.rows == (("a", "menos de 10", "oculto"), ("b", "oculto", "oculto"), ("c", "30", "3,00"),
                         ("d", "40", "–"))
    assert "menos de 10" in made.note


def test_steps_of_a_band_are_told_apart_and_shares_differ_by_points():
    steps = pd.DataFrame({"delta": [0.0, 0.03, 0.06], "estimate": [5.35, 5.33, 5.31]})
    shown_so = [[row[0] for row in shown(steps, Table("t", {"delta": unit}, keys=("delta",), count="")).rows]
                for unit in ("ratio", "share_apart")]
    assert shown_so == [["0,00", "0,03", "0,06"], [f"0,0{NB}p. p.", f"3,0{NB}p. p.", f"6,0{NB}p. p."]]


def test_answers_that_were_joined_say_how_far_they_reach():
    frame = pd.DataFrame({"score": [3.0, 5.0, 7.0, 9.0], "score_from": [0.0, 4.0, 7.0, 9.0],
                          "score_to": [3.0, 6.0, 7.0, 10.0], "n": [40, 41, 42, 43]})
    table = Table("t", {"score": "answers", "n": "count"})
    assert [row[0] for row in shown(frame, table).rows] == [f"≤{NB}3", "4–6", "7", f"≥{NB}9"]
    assert [row[0] for row in shown(frame[["score", "n"]], table).rows] == ["3", "5", "7", "9"]


def test_a_column_that_is_not_there_is_refused_by_name():
    with pytest.raises(Refusal, match="TABLE-COLUMN"):
        shown(pd.DataFrame({"n": [50]}), Table("t", {"nothing": "count"}))


def test_long_tables_say_that_they_are_cut():
    made = shown(pd.DataFrame({"rows": range(100, 600)}), Table("t", longest=20))
    assert len(made.rows) == 20
    assert "20" in made.note and "500" in made.note


def test_a_difference_stands_with_its_own_limits_and_hides_with_them():
    frame = pd.DataFrame({"segment": ["a", "b", "c", "d"], "n": [50, 60, 7, 9], "change": [12.586, None, 4.0, 2.0],
                          "change_low": [8.79, None, 1.0, 1.0], "change_high": [16.36, None, 7.0, 3.0],
                          "gap": [-0.0831, 0.2, 0.1, 0.1], "gap_low": [-0.14, None, 0.0, 0.0],
                          "gap_high": [-0.02, None, 0.2, 0.2]})
    table = Table("t", {"segment": "text", "change": "points", "gap": "share_apart"})
    assert [row[1:] for row in shown(frame, table).rows] == [
        ("12,6 (8,8 a 16,4)", f"−8{NB}p. p. (−14{NB}p. p. a −2{NB}p. p.)"), ("–", f"20,0{NB}p. p."),
        ("oculto", "oculto"), ("oculto", "oculto")]
