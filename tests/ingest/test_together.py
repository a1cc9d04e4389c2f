"""Monthly exports given together: one source with a pattern; what one of them decides is not asked of the others."""

from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.contracts.params import Drop, Privacy, Source, typed_source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.__main__ import main
from pipeline.ingest.clean import clean_source
from pipeline.ingest.together import pattern
from tests.ingest.conftest import COMPANY, SALE, Workshop

HEAD = "order id;customer;order date;amount\n"


@pytest.mark.parametrize(("names", "expected"), [
    (["sales-2025-01.csv", "sales-2025-02.csv"], "sales-*.csv"), (["a.csv", "b.csv"], "*.csv"),
    (["only [1].csv"], "only [[]1].csv"), (["ene.csv", "feb.csv.gz"], "*"), (["v1x.csv", "v2x.csv"], "*.csv"),
    (["enero.csv", "febrero.csv"], "*.csv"), (["marzo.csv", "mayo.csv"], "*.csv"),
    (["ventas_10.csv", "ventas_1.csv"], "ventas_*.csv"),
])
def test_the_pattern_is_what_the_names_have_in_common(names: list[str], expected: str):
    assert pattern(names) == expected


def test_files_written_alike_are_one_source_and_others_another(shop: Workshop, capsys):
    """Only February tells days from months, and only March the decimal sign; the rows of all three are ingested."""
    months = {"01": "A1;C1;03/01/2025;10\n", "02": "A2;C1;25/02/2025;1.234\n", "03": "A3;C2;04/03/2025;7,50\n"}
    paths = [shop.write(HEAD + row, f"sales-2025-{month}.csv") for month, row in months.items()]
    paths.append(shop.write("id ticket,estado,fecha apertura\n1,Abierto,2025-03-01\n", "tickets.csv"))
    assert main(["inspect", *map(str, paths)]) == 0
    printed = capsys.readouterr().out
    blocks = printed.split("# for params.yaml")[1:]
    assert len(blocks) == 2 and "one source of 3 files" in blocks[0]
    raw = next(iter(YAML(typ="safe", pure=True).load(blocks[0].split("\n", 1)[1]).values()))
    assert raw["files"] == "sales-*.csv" and raw["timestamps"] == ["%d/%m/%Y"]
    assert (raw["decimal"], raw["table"]) == (",", "sales")
    found = shop.ingest(None, **vars(typed_source(raw | {"time_zone": "UTC", "thousands": "."})))
    assert [one.file for one in found.account.files] == [f"sales-2025-{month}.csv" for month in months]
    assert str(sum(found.clean["net_amount"])) == "1251.5000"


@pytest.mark.parametrize("worded", ["01", "02"])
def test_a_question_that_one_month_answers_in_words_is_proposed_all_the_same(shop: Workshop, capsys, worded: str):
    """Where half the answers are «No sabe», the month alone does not show a scale; the other one does."""
    head = "Id respuesta;Fecha respuesta;¿Nos recomendaría? (0-10);Facilidad\n"
    paths = [shop.write(head + "".join(
        f"E{n};{n % 27 + 1:02d}/{month}/2025;{'No sabe' if month == worded and n % 2 else n % 11};{n % 7 + 1}\n"
        for n in range(40)), f"encuesta_{month}.csv") for month in ("01", "02")]
    assert main(["inspect", *map(str, paths)]) == 0
    lines = [line.strip("# ") for line in capsys.readouterr().out.split("# for params.yaml")[1].splitlines()]
    assert "nps:" in lines and "ces:" in lines


def test_files_of_another_shape_beside_them_make_the_pattern_narrower():
    assert pattern(["v1x.csv", "v2x.csv"], ["other.csv"]) == "v*.csv"
    assert pattern(["v1x.csv", "v2x.csv"], ["vacas.csv"]) == "v*x.csv"
    assert pattern(["2025-01.csv", "2025-02.csv"], ["2024-01.csv"]) == "2025-*.csv"
    assert pattern(["2025-01.csv", "2025-03.csv"], ["2025-02.csv"]) is None


def blocks_of(printed: str) -> list[dict]:
    """The sources that inspect printed."""
    return [next(iter(YAML(typ="safe", pure=True).load(part.split("\n", 1)[1]).values()))
            for part in printed.split("# for params.yaml")[1:]]


def test_another_order_of_the_columns_makes_no_other_source(shop: Workshop, capsys):
    paths = [shop.write(text, name) for name, text in (
        ("2025-01.csv", HEAD + "A1;C1;25/01/2025;1,50\n"),
        ("2025-02.csv", "order id;order date;amount;customer\nA2;25/02/2025;2,50;C1\n"))]
    assert main(["inspect", *map(str, paths)]) == 0
    raw, = blocks_of(capsys.readouterr().out)
    found = shop.ingest(None, **vars(typed_source(raw | {"time_zone": "UTC"})))
    assert found.clean["net_amount"].astype(float).tolist() == [1.5, 2.5]


def test_a_month_written_otherwise_needs_a_folder_of_its_own(shop: Workshop, capsys):
    """No glob names January and March without February: it is asked for, and February's block has its folder."""
    other = HEAD.replace("amount", "importe")
    paths = [shop.write(f"{head}A{n};C1;2{n}/01/2025;1,50\n", f"2025-0{n}.csv")
             for n, head in ((1, HEAD), (2, other), (3, HEAD))]
    assert main(["inspect", *map(str, paths)]) == 0
    alike, apart = blocks_of(capsys.readouterr().out)
    assert alike["files"] == "TELL: move 2025-02.csv into a folder of their own, then write *.csv here"
    assert (Path(apart["folder"]), apart["files"]) == (shop.folder / "raw" / "2025-02", "2025-02.csv")


def test_a_file_that_two_sources_of_one_table_read_is_refused(shop: Workshop):
    path = shop.write("id,amount\n1,2.50\n", "2025-02.csv")
    wide = Source(**SALE, folder=str(path.parent), files="*.csv", format="csv")
    narrow = replace(wide, files="2025-02.csv")
    work = shop.folder / "work"
    work.mkdir()

    def clean(*others: Source):
        return clean_source("one", wide, COMPANY, Privacy("public"), work, work / "none", [wide, *others])
    with pytest.raises(Refusal, match=r"2025-02\.csv.*, 2025-02\.csv") as caught:
        clean(narrow)
    assert caught.value.rule == "FILE-TWICE"
    apart = replace(narrow, drop=[Drop("ROW-TEST", "id", ["9"])])
    for other in (apart, replace(narrow, table="tickets"), replace(narrow, files="2024-*.csv")):
        assert clean(other).account.total("clean") == 1


@pytest.mark.parametrize(("other", "expected"), [
    (HEAD + "A3;C1;26/03/2025;1,50\n", "*.csv"), ("x,y\n1,2\n", "*ero.csv")])
def test_months_that_were_not_shown_are_read_unless_they_have_another_shape(shop: Workshop, capsys, other, expected):
    months = {5: "enero.csv", 6: "febrero.csv"}
    paths = [shop.write(f"{HEAD}A{n};C1;2{n}/01/2025;1,50\n", name) for n, name in months.items()]
    shop.write(other, "marzo.csv")
    assert main(["inspect", *map(str, paths)]) == 0
    block = capsys.readouterr().out.split("# for params.yaml")[1]
    assert next(iter(YAML(typ="safe", pure=True).load(block.split("\n", 1)[1]).values()))["files"] == expected


def test_files_that_decide_otherwise_are_asked_about(shop: Workshop, capsys):
    paths = [shop.write(HEAD + row, f"s{n}.csv") for n, row in enumerate(
        ("A1;C1;25/01/2025;1,50\n", "A2;C1;01/25/2025;1.50\n"))]
    assert main(["inspect", *map(str, paths)]) == 0
    block = capsys.readouterr().out.split("# for params.yaml")[1]
    raw = next(iter(YAML(typ="safe", pure=True).load(block.split("\n", 1)[1]).values()))
    assert raw["timestamps"][0].startswith("TELL:") and "decimal" not in raw and "# TELL: decimal" in block


def test_one_file_that_is_refused_does_not_stop_the_others(shop: Workshop, capsys):
    page = shop.write("<html></html>", "page.csv")
    good = shop.write(HEAD + "A1;C1;25/01/2025;1,50\n", "good.csv")
    assert main(["inspect", str(page), str(good)]) == 2
    told = capsys.readouterr()
    assert "FMT-HTML" in told.err and told.out.count("# for params.yaml") == 1
    assert Path(good).name in told.out


@pytest.mark.parametrize("plain", ["sales-2025-00.csv", "sales-2025-05.csv"])
def test_blocks_of_two_encodings_never_name_each_others_files(shop: Workshop, capsys, plain: str):
    """A file of ASCII letters alone, which goes with either, hides no file of another encoding."""
    row = "A{0};Señor{0};03/01/2025;10,5\n"
    paths = [shop.write((HEAD + row.format(n)).encode(code), f"sales-2025-0{n}.csv")
             for n, code in ((1, "utf-8"), (2, "cp1252"), (3, "utf-8"), (4, "cp1252"))]
    paths.append(shop.write((HEAD + row.format(9)).replace("ñ", "n"), plain))
    assert main(["inspect", *sorted(map(str, paths))]) == 0
    one, other = blocks_of(capsys.readouterr().out)
    assert "TELL: move sales-2025-02.csv, sales-2025-04.csv into a folder of their own" in one["files"]
    assert other["folder"] != one["folder"]
    assert main(["inspect", *[str(path) for path in sorted(paths) if path != paths[1]]]) == 0
    one, other = blocks_of(capsys.readouterr().out)
    assert "TELL: move" in one["files"] and "sales-2025-02.csv" in one["files"]
    assert other["files"] == "sales-2025-04.csv"
