"""Two columns that changed places in one file of a source are seen by what the other files hold."""

import random

import pytest

from pipeline.contracts.spoken import phrased, told
from pipeline.ingest.check import account_text
from tests.ingest.conftest import SALE, Workshop

CONTRACT = SALE | {"files": "*.csv", "columns": {
    "order_id": "id", "customer_id": "who", "quantity": "units", "net_amount": "amount", "channel": "way",
    "branch": "shop"}}
HEAD = "id,who,units,amount,way,shop\n"


def month(number: int, swapped: tuple[int, int] = (), amounts=lambda draw: f"{draw.uniform(5, 90):.2f}",
          rows: int = 40) -> str:
    """The rows of one month; swapped: places of two cells that change."""
    draw, lines = random.Random(number), []
    for row in range(rows):
        cells = [f"P{number}{row:03}", f"C{draw.randrange(30)}", str(draw.choice([1, 1, 2, 3])), amounts(draw),
                 draw.choice(["web", "tienda"]), draw.choice(["Norte", "Sur", "Este"])]
        if swapped:
            one, other = swapped
            cells[one], cells[other] = cells[other], cells[one]
        lines.append(",".join(cells) + "\n")
    return HEAD + "".join(lines)


def folder(shop: Workshop, swapped: dict[int, tuple[int, int]], months: int = 4, **more) -> None:
    for number in range(1, months + 1):
        shop.write(month(number, swapped.get(number, ()), **more), f"month{number}.csv")


@pytest.mark.parametrize(("places", "column", "other"), [
    ((2, 3), "units", "amount"), ((4, 5), "way", "shop"), ((0, 1), "id", "who")])
def test_swapped_columns_of_one_month_are_refused_with_file_and_column(shop: Workshop, places, column, other):
    folder(shop, {3: places})
    refusal = shop.refuse(None, "COL-SWAP", **CONTRACT)
    assert (refusal.file, refusal.column) == ("month3.csv", column) and repr(other) in str(refusal)
    assert "cambiaron de sitio" in told(refusal, "es") and repr(other) in told(refusal, "es")


def test_whole_amounts_are_told_from_quantities_by_their_size(shop: Workshop):
    folder(shop, {2: (2, 3)}, amounts=lambda draw: str(draw.randrange(20, 60)))
    assert shop.refuse(None, "COL-SWAP", **CONTRACT).file == "month2.csv"


@pytest.mark.parametrize(("places", "column"), [((2, 3), "units"), ((4, 5), "way"), ((0, 1), "id")])
@pytest.mark.parametrize(("swapped", "one", "other"), [
    ([1], "month1.csv", "month2.csv"), ([2], "month1.csv", "month2.csv"),
    ([2, 4], "month1.csv, month3.csv", "month2.csv, month4.csv")])
def test_of_as_many_files_against_as_many_all_are_named(shop: Workshop, places, column, swapped, one, other):
    folder(shop, dict.fromkeys(swapped, places), months=2 * len(swapped))
    refusal = shop.refuse(None, "COL-SWAP", **CONTRACT)
    assert (refusal.file, refusal.column) == ("month1.csv", column)
    assert f"hold in {one} each what the other one holds in {other}" in str(refusal)
    assert refusal.sentence.endswith("nothing tells in which")
    assert f"found {len(swapped)} of the files so, {len(swapped)} the other way round" in str(refusal)
    spanish = told(refusal, "es")
    assert f"contienen en {one} cada una lo que la otra contiene en {other}" in spanish and "al revés" in spanish


def test_a_small_file_beside_two_leaves_them_two(shop: Workshop):
    folder(shop, {2: (2, 3)}, months=2)
    shop.write(month(3, rows=4), "month3.csv")
    assert "month1.csv each what the other one holds in month2.csv" in str(shop.refuse(None, "COL-SWAP", **CONTRACT))


@pytest.mark.parametrize("places", [(2, 3), (4, 5), (0, 1)])
def test_two_swapped_months_of_five_are_the_fewer(shop: Workshop, places):
    folder(shop, {1: places, 4: places}, months=5)
    refusal = shop.refuse(None, "COL-SWAP", **CONTRACT)
    assert refusal.file == "month1.csv" and "in this file" in refusal.sentence


def one_way(number: int, way: str, place: str) -> str:
    return HEAD + "".join(f"P{number}{n:03},C{n},1,{n}.25,{way},{place}\n" for n in range(1, 41))


@pytest.mark.parametrize("files", [2, 3, 4, 5])
def test_a_file_of_the_shop_and_one_of_the_web_that_name_each_other_are_told_and_taken(shop: Workshop, files: int):
    """Sold on the web and fetched in the shop, or the other way round: no proof of a swap."""
    for number in range(files):
        shop.write(one_way(number, *[("web", "tienda"), ("tienda", "web")][number % 2]), f"month{number}.csv")
    account = shop.ingest(None, **CONTRACT).account
    assert account.total("clean") == 40 * files and len(account.odd) == 1
    assert "columns 'way' and 'shop': each holds what the other one holds in" in account.odd[0]
    assert "cada una contiene lo que la otra contiene en" in phrased(account.odd[0], "es")


def test_routes_there_and_back_are_no_swap(shop: Workshop):
    """Of two files that may both be right, words in other shares are no proof."""
    there = HEAD + "".join(f"P0{n:03},C{n},1,{n}.25,{'AABC'[n % 4]},{'XYYY'[n % 4]}\n" for n in range(1, 41))
    back = HEAD + "".join(f"P1{n:03},C{n},1,{n}.25,{'XXXY'[n % 4]},{'CCCB'[n % 4]}\n" for n in range(1, 41))
    shop.write(there, "there.csv")
    shop.write(back, "back.csv")
    assert shop.ingest(None, **CONTRACT).account.total("clean") == 80


def test_two_swapped_months_of_seven_are_seen_as_well(shop: Workshop):
    folder(shop, {2: (2, 3), 5: (2, 3)}, months=7)
    assert shop.refuse(None, "COL-SWAP", **CONTRACT).file == "month2.csv"


def test_ids_that_changed_places_in_one_of_three_files_are_seen(shop: Workshop):
    folder(shop, {3: (0, 1)}, months=3)
    assert shop.refuse(None, "COL-SWAP", **CONTRACT).file == "month3.csv"


def test_a_month_of_hours_at_whole_prices_is_no_swap(shop: Workshop):
    folder(shop, {}, amounts=lambda draw: f"{draw.uniform(200, 900):.2f}")
    shop.write(HEAD + "".join(f"P9{n},C1,{n % 7 + 1}.25,{n}50,web,Sur\n" for n in range(1, 41)), "month5.csv")
    assert shop.ingest(None, **CONTRACT).account.total("clean") == 200


def test_months_that_are_as_they_should_be_pass(shop: Workshop):
    folder(shop, {})
    assert shop.ingest(None, **CONTRACT).account.total("clean") == 160


def test_a_month_of_fractional_quantities_or_of_large_orders_alone_is_no_swap(shop: Workshop):
    folder(shop, {})
    shop.write(HEAD + "".join(f"P9{n},C1,{n}.5,{n}.25,web,Sur\n" for n in range(1, 41)), "month5.csv")  # by weight
    shop.write(HEAD + "".join(f"P8{n},C1,{n},{n}0.00,web,Sur\n" for n in range(1, 41)), "month6.csv")  # round and large
    shop.write(HEAD + "P7,C1,7.25,3,Norte,web\n", "month7.csv")  # too few to say anything
    assert shop.ingest(None, **CONTRACT).account.total("clean") == 241


def test_fractional_quantities_in_one_month_alone_are_told_with_file_and_column(shop: Workshop):
    folder(shop, {})
    shop.write(HEAD + "".join(f"P9{n},C1,{n}.5,{n}.25,web,Sur\n" for n in range(1, 41)), "month5.csv")
    account = shop.ingest(None, **CONTRACT).account
    assert account.odd == ("month5.csv, column 'units': it holds fractions, and whole numbers only in the other files "
                           "(COL-KIND)",)
    assert [rule.rows for rule in account.rules if rule.rule == "COL-KIND"] == [1]
    assert account.odd[0] in account_text(account, {})
    assert "columna 'units': contiene fracciones, y en los demás ficheros solo números enteros" in \
        account_text(account, {}, "es")


def test_a_month_in_cents_is_told(shop: Workshop):
    folder(shop, {})
    shop.write(month(5, amounts=lambda draw: f"{draw.uniform(500, 9000):.0f}"), "month5.csv")
    odd = shop.ingest(None, **CONTRACT).account.odd
    assert len(odd) == 1 and odd[0].startswith("month5.csv, column 'amount': it holds numbers of another size (")
    assert "contiene números de otro tamaño" in phrased(odd[0], "es")


def test_months_that_vary_as_months_do_are_not_told(shop: Workshop):
    for number, most in enumerate((60, 90, 200, 900), 1):
        shop.write(month(number, amounts=lambda draw, most=most: f"{draw.uniform(5, most):.2f}"), f"month{number}.csv")
    assert shop.ingest(None, **CONTRACT).account.odd == ()


@pytest.mark.parametrize("dear", [
    lambda draw: str(draw.randrange(300, 900)), lambda draw: f"{draw.uniform(300, 900):.2f}"])
def test_two_trades_that_differ_in_size_alone_are_told_and_taken(shop: Workshop, dear):
    """One file sells screws by the hundred at a euro or three, the other single machines at hundreds of euros."""
    draw = random.Random(1)
    lines = [f"P1{n:03},C{n},{draw.randrange(300, 900)},{draw.choice([1, 1, 2, 3])},web,Norte\n" for n in range(40)]
    shop.write(HEAD + "".join(lines), "screws.csv")
    shop.write(month(2, amounts=dear), "machines.csv")
    found = shop.ingest(None, **CONTRACT)
    is_told = [sentence for sentence in found.account.odd if "of the size of the other one" in sentence]
    assert found.account.total("clean") == 80 and found.rules.get("COL-KIND:warned", 0) == len(is_told) == 1
    assert "otro negocio" in account_text(found.account, {}, "es") and is_told[0].startswith("machines.csv, columns")
    shop.write(month(3, amounts=dear), "machines2.csv")
    assert shop.refuse(None, "COL-SWAP", **CONTRACT).file == "screws.csv"
