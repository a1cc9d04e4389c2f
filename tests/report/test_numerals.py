"""Numbers as readers write them. Expected: CLDR 47 (es, en) patterns, with four digits grouped too in Spanish."""

import pytest

from pipeline.report import numerals
from pipeline.report.words import Words

NB = "\u00a0"
ES, EN = Words("es"), Words("en")


@pytest.mark.parametrize(("written", "expected"), [
    (ES.money(1234.56, "EUR", 2), f"1.234,56{NB}€"),
    (ES.money(-1234.56, "EUR", 2), f"−1.234,56{NB}€"),
    (EN.money(1234.56, "EUR", 2), "€1,234.56"),
    (EN.money(-1234567.891, "USD", 2), "−$1,234,567.89"),
    (EN.money(5, "CHF", 0), f"CHF{NB}5"),
    (ES.money(1234.56, "EUR"), f"1.235{NB}€"),
    (ES.percent(0.1234), f"12,3{NB}%"),
    (EN.percent(0.1234), "12.3%"),
    (ES.number(1234567.5, 1), "1.234.567,5"),
    (ES.number(-0.04, 1), "0,0"),  # never minus zero
    (ES.number(2.345, 2), "2,35"),  # half away from zero on the number as it is written, not on its bits
    (ES.number(float("nan")), "–"),
    (ES.points(3.25), "+3,3"),
    (ES.points(-3.25), "−3,3"),
    (ES.month("2025-03"), "marzo de 2025"),
    (EN.month("2025-03", short=True), f"Mar{NB}2025"),
    (ES.date("2025-03-31"), "31 de marzo de 2025"),
    (EN.date("2025-03-01"), "1 March 2025"),
    (ES.period("2024-07/2024-12"), "julio a diciembre de 2024"),
    (ES.period("2023-07/2024-06"), "julio de 2023 a junio de 2024"),
    (EN.period("2024-07/2024-12"), "July to December 2024"),
    (ES.value(0.5, "hours"), f"30{NB}minutos"),
    (ES.value(30.4, "hours"), f"30,4{NB}horas"),
    (ES.value(120, "hours"), f"5,0{NB}días"),
    (ES.value(1, "months", 0), f"1{NB}mes"),
    (EN.value(1.5, "pp", 1, signed=True), f"+1.5{NB}percentage points"),
    (ES.interval(0.279, 0.296, "share"), f"entre el 27,9{NB}% y el 29,6{NB}%"),
    (EN.interval(0.279, 0.296, "share"), "between 27.9% and 29.6%"),
    (ES.interval(28.1, 33.02, "hours", scale=30), f"entre 28,1 y 33,0{NB}horas"),
    (EN.interval(-4.1, 6.5, "points"), "between −4 and 7"),
    (EN.interval(-3696.0, 740.0, "hours", scale=3696), f"between −150 and 30{NB}days"),
])
def test_written_as_the_reader_does(written, expected):
    assert written == expected


@pytest.mark.parametrize(("unit", "estimate", "low", "high", "digits"), [
    ("points", 31.42, 27.6, 35.2, 1),  # 7.6 wide: a whole point would move a limit by a fifteenth of it
    ("points", 31.42, 25.6, 36.2, 0),
    ("percent", 35.508, 5.872, 73.441, 0),  # 36 % (6 % to 73 %), not 40 % (10 % to 70 %)
    ("percent", -21.8, -89.0, 473.0, -1),  # -20 % (-90 % to 470 %), not 0 % (-100 % to 500 %)
    ("ratio", 0.5748, 0.5525, 0.5971, 3),  # an area under the curve
    ("points", 31.42, 30.9, 32.0, 1),
    ("EUR", 1234.0, 1170.0, 1300.0, -1),  # 130 wide: tens
    ("EUR", 15.6, 9.9, 21.8, 0),
    ("percent", 6.21, 4.12, 8.34, 1),
    ("share", 0.2874, 0.2794, 0.2956, 3),
    ("ratio", 0.0042, 0.0011, 0.0073, 3),  # a limit that is not zero is not printed as zero
    ("points", 5.36, 5.28, 5.44, 2),
    ("office_hours", -1.3517, -2.1953, 0.0001, 2),  # a third of a second is nothing
    ("hours", 480.0, 110.0, 1500.0, 0),  # in days: 20, between 5 and 63
    ("hours", 50.0, 0.9, 100.0, 2),  # in days: 2.08, between 0.04 and 4.17
    ("hours", 55.0, 53.4, 56.5, 2),  # in days: between 2.23 and 2.35
    ("count", 41873.0, None, None, 0),
    ("EUR", 1234.5, None, None, 0),
])
def test_no_digit_that_the_interval_does_not_support(unit, estimate, low, high, digits):
    assert numerals.digits_for(unit, estimate, low, high) == digits


@pytest.mark.parametrize(("estimate", "low", "high", "digits"), [
    (1.16, 1.0004, 1.35, 4), (0.86, 0.74, 0.9996, 4), (1.1, 0.9996, 1.35, 2)])
def test_a_limit_does_not_read_as_nothing_where_the_interval_leaves_it_out(estimate, low, high, digits):
    assert numerals.digits_for("ratio", estimate, low, high, nothing=1.0) == digits


def test_interval_and_estimate_share_their_decimals():
    assert ES.interval(1170.0, 1300.0, "EUR") == f"entre 1.170{NB}€ y 1.300{NB}€"
    assert ES.value(1234.0, "EUR", numerals.digits_for("EUR", 1234.0, 1170.0, 1300.0)) == f"1.230{NB}€"


def test_unknown_unit_is_an_error():
    with pytest.raises(ValueError, match="furlongs"):
        ES.value(1, "furlongs")
