"""inspect: what decides a convention is shown, what nothing decides is asked, and the block it prints is a source that
ingest reads once its questions are answered. Expectations are worked out by hand from the texts themselves."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline.contracts.params import Source, load_params, typed_source
from pipeline.contracts.refusal import Refusal
from pipeline.demo.company import simulate
from pipeline.demo.exports import write_exports
from pipeline.ingest.evidence import Numbers, is_number, masked, read_numbers
from pipeline.ingest.evidence_columns import describe
from pipeline.ingest.evidence_dates import read_dates
from pipeline.ingest.evidence_layout import find_layout
from pipeline.ingest.findings import findings
from pipeline.ingest.inspect import Inspection, inspect_file
from pipeline.ingest.meaning import guess_table, map_columns
from pipeline.ingest.proposal import propose, scalar
from pipeline.ingest.sample import HEAD, take_sample
from tests.ingest.conftest import Workshop, block, report
from tests.ingest.test_presets import CASES

ROOT = Path(__file__).parents[2]


def cells(*texts: str) -> list[tuple[int, str]]:
    return list(enumerate(texts, 2))


@pytest.mark.parametrize(("texts", "decimal", "thousands"), [
    (("12,50", "3"), ",", None), (("12.50",), ".", None), (("1.234,5",), ",", "."), (("1,234.5",), ".", ","),
    (("1.234", "12,5"), ",", "."), (("1,234", "0.5"), ".", ","), (("1.234.567",), ",", "."), (("1234.567",), ".", None),
    (("0,125",), ",", None), (("1 234,5",), ",", " "), (("1'234.50",), ".", "'"), (("-1.200,00 €",), ",", "."),
    (("$1,200.00", "(3.5)"), ".", ","), (("1.234",), None, None), (("1,234", "5,678"), None, None),
    (("12", "7"), None, None), (("12,5", "12.5"), None, None),
])
def test_the_number_convention_is_told_by_the_cells_that_allow_one_reading_only(texts, decimal, thousands):
    found = read_numbers(cells(*texts))
    assert (found.decimal, found.thousands) == (decimal, thousands)


def test_the_deciding_the_ambiguous_and_the_contradicting_cells_are_named_with_their_lines():
    assert read_numbers(cells("1.234", "7,5")).deciding == ((3, "7,5"),)
    assert read_numbers(cells("1.234")) == Numbers(None, None, (), ((2, "1.234"),))
    assert read_numbers(cells("1,5", "2,5", "1.5")).contradicting == ((4, "1.5"),)


@pytest.mark.parametrize("text", ["10.20.30.40", "2025-03-04", "1,2,3", "abc", "", "1.23.45"])
def test_what_is_no_number_is_no_evidence(text):
    assert not is_number(text)


@pytest.mark.parametrize(("texts", "formats", "zone"), [
    (("03/04/2025", "13/04/2025"), ("%d/%m/%Y",), None), (("03/04/2025", "04/13/2025"), ("%m/%d/%Y",), None),
    (("03/04/2025",), ("{a}/{b}/%Y",), None), (("12/12/2025 10:00",), ("{a}/{b}/%Y %H:%M",), None),
    (("3-4-25", "31-1-25"), ("%d-%m-%y",), None), (("04/13/2025 1:05 PM",), ("%m/%d/%Y %I:%M %p",), None),
    (("2025-03-04 10:00:00",), ("iso8601",), None), (("2025-03-04T10:00:00Z",), ("iso8601",), "offset"),
    (("2025-03-04 10:00:00 +0000",), ("iso8601",), "offset"),
    (("2025-03-04 10:00:00 UTC",), ("%Y-%m-%d %H:%M:%S UTC",), "UTC"), (("2025/03/04",), ("%Y/%m/%d",), None),
    (("4 Mar 2025",), ("%d %b %Y",), None), (("31/02/2025", "04/13/2025"), ("%m/%d/%Y",), None),
    (("99/99/2025",), (), None), (("hello", "12"), (), None),
])
def test_the_order_of_day_and_month_is_told_by_a_number_above_12_only(texts, formats, zone):
    found = read_dates(cells(*texts))
    assert (found.formats, found.zone) == (formats, zone)


def test_two_orders_in_one_file_are_a_contradiction_and_numbers_are_times_only_under_a_header_of_times():
    assert read_dates(cells("13/04/2025", "04/13/2025")).contradicting == ((3, "04/13/2025"),)
    assert read_dates(cells("03/04/2025")).open == (2, "03/04/2025")
    assert read_dates(cells("1741082460"), True).formats == ("epoch_s",)
    assert read_dates(cells("1741082460000"), True).formats == ("epoch_ms",)
    assert read_dates(cells("45720.5"), True).formats == ("excel_serial",)
    assert read_dates(cells("1741082460", "45720.5")).formats == ()


HALF = [f"2025-{month:02d}-0{month % 9 + 1}" for month in range(1, 8)]  # what a spreadsheet took for dates


@pytest.mark.parametrize(("texts", "is_asked"), [
    ([*HALF, *(f"{day}/01/2025" for day in range(13, 20))], True),
    ([*HALF, *(f"01/{day}/2025" for day in range(13, 20))], True),  # the other way round
    ([*HALF, "2025-01-13", *(f"{day}/01/2025" for day in range(13, 20))], False),  # a day that nobody turned round
    ([*HALF, "02/01/2025", *(f"{day}/01/2025" for day in range(13, 20))], False),  # one that stayed as it was
    ([*HALF, *(f"{day}/01/2025" for day in range(13, 17))], False),  # too few to tell
    (HALF, False)])
def test_dates_that_a_spreadsheet_may_have_turned_round_are_asked_about(tmp_path: Path, texts: list[str], is_asked):
    path = tmp_path / "ventas.csv"
    path.write_text("Pedido;Cliente;Fecha;Base\n" + "".join(f"P{n};C{n};{text};{n},50\n"
                                                            for n, text in enumerate(texts)), encoding="utf-8")
    found = inspect_file(path)
    assert ("did a spreadsheet change day and month" in findings(found)) == is_asked
    assert ("¿cambió una hoja de cálculo el día y el mes" in findings(found, "es")) == is_asked


@pytest.mark.parametrize(("content", "encoding", "said"), [
    (b"a,b\n1,2\n", "utf-8", "ASCII"), ("a,ñ\n1,2\n".encode(), "utf-8", "UTF-8"),
    ("\ufeffa,ñ\n1,2\n".encode(), "utf-8", "byte order mark"),
    ("a,b\n1,ñ\n".encode("cp1252"), "windows-1252", "line 2"),
    ("a,b\n1,2\n".encode("utf-16"), "utf-16", "UTF-16"), ("a,b\n1,2\n".encode("utf-16-le"), "utf-16-le", "zero"),
    ("a,b\n1,año señor días\n".encode("mac-roman"), None, "unusual"), (b"a,b\n1,\x81\n", None, "no letter"),
    ("ñ,á\né,í\n".encode() + "ó\n".encode("cp1252"), None, "two encodings"),
])
def test_the_encoding_and_why(tmp_path: Path, content: bytes, encoding: str | None, said: str):
    (tmp_path / "a.csv").write_bytes(content)
    found = take_sample(tmp_path / "a.csv")
    assert found.encoding == encoding and said in found.why


@pytest.mark.parametrize(("text", "expected"), [
    ("a;b\n1,5;2\n3,5;4\n", (";", '"', 0, 1, 2)), ("a\tb\n1\t2\n", ("\t", '"', 0, 1, 2)),
    ("a|b,c|d\n1|2|3\n4|5|6\n", ("|", '"', 0, 1, 3)), ("sep=;\na;b\n1;2\n", (";", '"', 0, 1, 2)),
    ("Report of May\n\nid,name,amount\n1,x,2\n2,y,3\n", (",", '"', 2, 1, 3)), ("1,2,3\n4,5,6\n", (",", '"', 0, 0, 3)),
    ("'a','b'\n'x, y','2'\n'z','3'\n", (",", "'", 0, 1, 2)), ("only\none\ncolumn\n", (",", '"', 0, 1, 1)),
    ('id,text\n1,"a, b; c"\n2,"two\nlines"\n', (",", '"', 0, 1, 2)),
])
def test_delimiter_quote_lines_above_the_header_and_the_header_itself(text: str, expected):
    found = find_layout(text, True)
    assert (found.delimiter, found.quote, found.skip_rows, found.header_rows, found.width) == expected


def test_a_day_above_12_is_found_far_behind_the_first_megabyte(tmp_path: Path):
    """The head holds days up to 12 only; the slices taken from the rest decide. The sample stays bounded."""
    early = "A{},{:02d}/03/2025," + "x" * 60 + "\n"
    with open(tmp_path / "a.csv", "w") as handle:
        handle.write("order id,order date,note\n")
        handle.writelines(early.format(i, i % 12 + 1) for i in range(60_000))
        handle.writelines(early.format(i, i % 9 + 20) for i in range(60_000, 160_000))
    sample = take_sample(tmp_path / "a.csv")
    assert not sample.whole and len(sample.head) <= HEAD and sample.lines == 160_001
    line, text = sample.slices[-1]
    assert text.split(",")[0] == f"A{line - 2}"  # the physical line of a slice is right
    found = inspect_file(tmp_path / "a.csv")
    assert found.dates.formats == ("%d/%m/%Y",) and found.dates.deciding[0][0] > 60_000


def test_columns_are_meant_in_spanish_and_english_and_a_time_is_fed_by_times_only():
    spanish = {"Nº pedido": {"text"}, "Fecha": {"time"}, "Importe neto": {"number", "text"}, "Sucursal": {"text"}}
    assert map_columns("sales", list(spanish), spanish) == {
        "order_id": "Nº pedido", "ordered_at": "Fecha", "net_amount": "Importe neto", "branch": "Sucursal"}
    english = {"OrderID": {"text"}, "order_date": {"text"}, "Amount": {"number", "text"}}
    assert map_columns("sales", list(english), english) == {"order_id": "OrderID", "net_amount": "Amount"}
    assert guess_table(list(spanish), spanish, {})[0] == "sales"
    assert guess_table(["foo", "bar"], {"foo": {"text"}, "bar": {"text"}}, {})[0] is None
    survey = {"id": {"text"}, "created at": {"time"}, "nota": {"number", "text"}}
    assert guess_table(list(survey), survey, {"score": "nota"})[0] == "surveys"


def test_a_scale_is_what_was_seen_with_its_labels_and_the_word_for_not_asked():
    found = describe("Satisfacción", cells("7 - Muy satisfecho", "2", "No aplica", "4,0"))
    assert (found.scale, found.labels, found.not_asked) == ((2, 7), (("7 - Muy satisfecho", 7),), ("No aplica",))
    assert describe("x", cells("12", "3", "4")).scale is None
    slip = describe("x", cells(*"3456789" * 2, "0", "99"))  # one cell in sixteen is no answer
    assert slip.scale == (0, 9) and slip.notes == ("1 outside 0 to 10, if these are answers",)


SURVEY = ("Id respuesta;Id cliente;Nombre;Correo;Teléfono;IP;Respondida;Comentario;Recomendaría (NPS);Esfuerzo\n"
          + "".join(
    f"R{i:05d};C{i % 7:05d};Ana Pérez;ana{i}@mail.es;60012345{i % 10};10.1.2.{i};{i % 12 + 1:02d}/03/2025 10:15;"
    f"Llamé al señor Ruiz {i};{('9', '10 - Muy probable', 'No aplica', '3')[i % 4]};{i % 7 + 1}\n"
    for i in range(1, 40)))


def answered(text: str, answers: dict[str, str]) -> dict:
    """The block of an inspection with its comments taken off and its questions answered, as a user would."""
    kept, on = [], False
    for line in text.splitlines():
        on = on or line.strip() == "# instruments:"
        kept.append(line.replace("    # ", "    ", 1) if on and line.startswith("    # ") else line)
    text = "\n".join(kept)
    for pattern, answer in answers.items():
        text, count = re.subn(pattern, lambda _, answer=answer: answer, text)
        assert count, pattern
    return next(iter(YAML(typ="safe", pure=True).load(text).values()))


def test_the_block_loads_asks_and_once_answered_ingests_the_file(shop: Workshop):
    path = shop.write(SURVEY.encode("cp1252"))
    text = block(inspect_file(path))
    loaded = next(iter(YAML(typ="safe", pure=True).load(text).values()))
    source = typed_source(loaded)
    assert isinstance(source, Source) and (source.encoding, source.delimiter) == ("windows-1252", ";")
    shop.refuse(None, "PARAM-TELL", **vars(source))
    told = answered(text, {r'\["TELL: %d[^\]]*\]': '["%d/%m/%Y %H:%M"]', r'"TELL: where[^"]*"': "Europe/Madrid",
                           "higher_is_better or lower_is_better": "lower_is_better"})
    found = shop.ingest(None, **vars(typed_source(told)))
    assert found.account.total("rows_in") == found.account.total("clean") == 39
    assert set(found.clean["instrument"]) == {"nps", "ces"} and found.account.answers["answers_not_asked"] == 10
    effort = found.clean[found.clean["instrument"] == "ces"]
    assert set(effort["scale_max"]) == {7.0} and set(effort["direction"]) == {"lower_is_better"}


def test_nothing_that_names_somebody_is_printed(shop: Workshop):
    text = report(inspect_file(shop.write(SURVEY.encode("cp1252"))))
    for secret in ("Ana", "Pérez", "mail.es", "60012345", "10.1.2", "Ruiz", "R00001", "C00001"):
        assert secret not in text, secret
    assert masked("ana@mail.es") == "a…@…" and masked("R00001") == "R0…" and masked("ab") == "…"


def test_what_only_the_company_knows_is_asked_and_ingest_refuses_until_it_is_told(shop: Workshop):
    path = shop.write("order id,customer,order date,amount\nA1,C1,03/04/2025,1.234\nA2,C1,05/04/2025,2.345\n")
    found = inspect_file(path)
    told = propose(found).told
    assert set(told) == {"decimal", "timestamps", "time_zone"} and "'1.234' (line 2)" in told["decimal"]
    assert "03/04/2025 can be read both ways" in told["timestamps"]
    source = typed_source(propose(found).raw)
    refusal = shop.refuse(None, "PARAM-TELL", **vars(source))
    assert "sources.export.timestamps still asks" in str(refusal)
    dated = {**vars(source), "timestamps": ["%d/%m/%Y"], "time_zone": "UTC"}
    assert "1.234" in str(shop.refuse(None, "NUM-LOCALE", **dated))
    read = shop.ingest(None, **{**dated, "decimal": ",", "thousands": "."})
    assert str(read.clean["net_amount"].sum()) == "3579.0000"


@pytest.mark.parametrize("name", sorted(set(CASES) - {"spanish_excel"}))
def test_the_block_of_every_tools_export_names_its_preset_and_loads(shop: Workshop, name: str):
    content = CASES[name][0]
    found = inspect_file(shop.write(content))
    assert found.tool is not None and found.tool.name == name
    loaded = next(iter(YAML(typ="safe", pure=True).load(block(found)).values()))
    assert isinstance(typed_source(loaded), Source)
    assert found.tool.tool in report(found)


def test_an_order_with_several_lines_needs_to_be_told_what_numbers_them(shop: Workshop):
    found = inspect_file(shop.write("order id,amount\nA1,1.50\nA1,2.50\n"))
    assert "order ids repeat" in propose(found).told["columns.line_id"]


def test_words_of_a_status_are_mapped_where_known_and_asked_where_not(shop: Workshop):
    rows = "".join(f"{i},{('Abierto', 'Cerrado', 'Escalado')[i % 3]},2025-03-{i + 1:02d}\n" for i in range(12))
    raw = propose(inspect_file(shop.write("id ticket,estado,fecha apertura\n" + rows))).raw
    assert raw["words"]["status"] == {"Abierto": "open", "Cerrado": "closed",
                                      "Escalado": "TELL: open or pending or solved or closed?"}


def test_workbooks_and_parquet_are_told_as_well(shop: Workshop):
    book = openpyxl.Workbook()
    book.active.title = "Ventas"
    for row in (["Ventas de marzo"], [], ["Pedido", "Cliente", "Fecha", "Importe neto"],
                ["A1", "C1", pd.Timestamp("2025-03-04"), 12.5],
                ["A2", "C2", pd.Timestamp("2025-03-05"), 7]):
        book.active.append(row)
    book.save(shop.folder / "raw" / "a.xlsx")
    found = inspect_file(shop.folder / "raw" / "a.xlsx")
    assert (found.table, found.sheets, found.numbers.decimal, found.skip_rows) == ("sales", ["Ventas"], None, 2)
    told = answered(block(found), {r'"TELL: where[^"]*"': "UTC"})
    assert str(shop.ingest(None, **vars(typed_source(told))).clean["net_amount"].sum()) == "19.5000"
    pd.DataFrame({"order_id": ["A1"], "amount": [12.5]}).to_parquet(shop.folder / "raw" / "a.parquet")
    found = inspect_file(shop.folder / "raw" / "a.parquet")
    assert len(shop.ingest(None, **vars(typed_source(propose(found).raw))).clean) == 1


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "pipeline.ingest", "inspect", *words], text=True, capture_output=True,
                          check=False, cwd=ROOT, env=os.environ | {"PYTHONUTF8": "1"})


def test_what_cannot_be_inspected_is_one_sentence_and_the_next_file_is_still_looked_at(tmp_path: Path):
    (tmp_path / "good.csv").write_text("order id,amount\nA1,1.50\n")
    (tmp_path / "page.csv").write_text("<!DOCTYPE html><html></html>")
    (tmp_path / "api.csv").write_text(json.dumps({"error": "no"}))
    (tmp_path / "empty.csv").write_text("")
    bad = [str(tmp_path / name) for name in ("page.csv", "api.csv", "empty.csv", "none.csv")]
    done = run(*bad, str(tmp_path / "good.csv"))
    assert done.returncode == 2 and "good.csv: text, 2 lines" in done.stdout
    assert done.stderr.count("\n") == 4 and "Traceback" not in done.stderr
    assert all(rule in done.stderr for rule in ("FMT-HTML", "FILE-EMPTY", "SET-MISSING"))


@pytest.mark.parametrize("content", [
    b"\x00" * 50, b"\n\n\n", b'"', b'a,"b\n', b"\xff\xfe", b"\xff\xfea", b"a", b",,,\n,,,\n", b"\r\r\r", b"sep=;",
    b"a,a,a\n1,2,3\n",
    b'"a\n' * 500, b"\x1f\x8b\x08\x00abc", b"PK\x03\x04abc", b"PAR1abc", b"=cmd()\n1\n", "١٢٣,٤\n".encode(),
    b"a\tb;c,d|e\n" * 3,
])
def test_no_bytes_end_in_anything_but_findings_or_a_refusal(tmp_path: Path, content: bytes):
    (tmp_path / "a.csv").write_bytes(content)
    try:
        found = inspect_file(tmp_path / "a.csv")
    except Refusal:
        return
    assert isinstance(found, Inspection) and report(found)
    typed_source(next(iter(YAML(typ="safe", pure=True).load(block(found)).values())))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([b",", b";", b"\t", b'"', b"'", b"\n", b"\r\n", b"12,5", b"1.234", b"03/04/2025",
                                 b"a@b.es",
                                 b"nps", b"fecha", b"order id", b"amount", b"\xf1", b"\xc3\xb1", b"\xff", b"\0",
                                 b"- a: #",
                                 b"TELL:", b"NULL", b"10 - x", b"#", b"sep=;", b"2025-03-04T10:00:00Z"]), max_size=60))
def test_whatever_stands_in_a_file_its_block_loads_or_it_is_refused(tmp_path: Path, parts: list[bytes]):
    test_no_bytes_end_in_anything_but_findings_or_a_refusal(tmp_path, b"".join(parts))


def test_a_cell_of_blanks_and_a_header_of_many_columns_take_no_time(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id,note\n" + f"1,a{' ' * 100_000}b\n" * 5)
    (tmp_path / "b.csv").write_text(",".join(f"order col {i}" for i in range(30_000)) + "\n" + "1," * 29_999 + "1\n")
    start = time.monotonic()
    assert inspect_file(tmp_path / "a.csv").rows == 5
    assert len(inspect_file(tmp_path / "b.csv").headers) == 30_000
    assert time.monotonic() - start < 30  # quadratic matching would take minutes


@pytest.mark.parametrize("text", ["No", "a: b", "#1", "", " x", 'q"\\', "tab\tnew\nline", "Nº", "12", "1.5", "@row",
                                  "año", "- a"])
def test_any_text_comes_back_from_the_block_as_it_was(text: str):
    assert YAML(typ="safe", pure=True).load(f"key: {scalar(text)}")["key"] == text


def test_the_exports_of_the_invented_company_are_told_as_params_yaml_declares_them(tmp_path: Path):
    """params.yaml was written by hand, knowing the exports; inspect knows their bytes only."""
    params = load_params(ROOT / "params.yaml")
    write_exports(simulate(400, 12, 5, "base", params.demo.first_month), tmp_path)
    for name, source in params.sources.items():
        path = sorted((tmp_path / Path(source.folder).name).glob(source.files))[-1]
        found = inspect_file(path)
        told = typed_source(propose(found).raw)
        assert (found.table, told.format) == (source.table, source.format), name
        assert told.columns == source.columns, name
        if source.format == "csv":
            assert told.encoding.replace("-sig", "") == source.encoding.replace("-sig", ""), name
            assert told.delimiter == source.delimiter and told.decimal in (source.decimal, None), name
        asked = {key: kind.column for key, kind in source.instruments.items() if kind.column}
        assert found.asked == asked, name
        seen = {column: found.columns[column].scale for column in asked.values()}
        assert all(low >= source.instruments[key].minimum and high <= source.instruments[key].maximum
                   for key, column in asked.items() for low, high in [seen[column]]), name
        if found.dates.deciding and source.format == "csv":
            assert found.dates.formats == tuple(source.timestamps), name


def test_a_delimiter_that_splits_few_records_and_lines_above_values_are_asked_about(shop: Workshop):
    odd = "".join(f"{n}#{n}\n" if n % 3 else f"{n}#a, b\n" for n in range(30))
    assert propose(inspect_file(shop.write(odd))).raw["delimiter"].startswith("TELL: no comma")
    broken = '1,2\n' + "".join(f"{n},{n}.5,2025-03-01\n" for n in range(30))
    proposal = propose(inspect_file(shop.write(broken)))
    assert "1 lines above the first whole record" in proposal.told["skip_rows"]
    assert "# TELL: skip_rows:" in block(inspect_file(shop.folder / "raw" / "export.csv"))


def test_a_line_that_names_the_delimiter_is_no_header(shop: Workshop):
    found = inspect_file(shop.write("sep=;\norder id;amount\nA1;1,50\nA2;2,50\n"))
    assert (found.headers, found.rows, found.skip_rows) == (["order id", "amount"], 2, 0)
    read = shop.ingest(None, **vars(typed_source(propose(found).raw)))
    assert str(read.clean["net_amount"].sum()) == "4.0000" and read.rules["FMT-SEPLINE:repaired"] == 1


def test_columns_between_blanks_are_asked_about(shop: Workshop):
    rows = "".join(f" {n:05d} 1997010{n % 9 + 1}  {n % 3}   {n}.50\n" for n in range(20))
    assert propose(inspect_file(shop.write(rows))).raw["delimiter"].startswith("TELL")
    prose = "".join("one comment of several words" + " more" * (n % 4) + "\n" for n in range(20))
    assert "delimiter" not in propose(inspect_file(shop.write(prose))).raw


def test_a_table_that_cannot_be_told_can_be_said(shop: Workshop):
    path = shop.write("Código,Zona,Puntos\n1,N,3\n2,S,4\n")
    assert "`inspect --table NAME FILE`" in report(inspect_file(path))
    shown = block(inspect_file(path, "customers"))
    assert "table: customers" in shown and "TELL: surveys" not in shown
    assert inspect_file(path, "customers").table_why == "that is what --table says"


def test_times_that_no_format_reads_and_rows_of_nobody_are_asked_about(shop: Workshop):
    rows = "".join(f'{n},"March {n % 28 + 1}, 2025 10:00 AM",{n}.50\n' for n in range(40))
    path = shop.write("Order ID,Created At,Total\n" + rows)
    shown = block(inspect_file(path))
    assert "# TELL: timestamps: 'Created At' seems to hold times" in shown
    assert "# TELL: customer_id: no header is known to name the customer" in shown
    rows = "".join(f"{n},2025-03-{n % 28 + 1:02} 10:00:00+01,{n}.50,N{n % 9}\n" for n in range(40))
    shown = block(inspect_file(shop.write("Order ID,Created At,Total,Nº cliente\n" + rows)))
    assert "ordered_at: Created At" in shown and "customer_id: Nº cliente" in shown and "TELL" not in shown


def test_a_payment_with_a_status_is_no_ticket(shop: Workshop):
    path = shop.write("id;Created;Amount;Customer ID;Status\n" + "".join(f"ch_{n};2025-03-01;{n},50;c{n};Paid\n"
                                                                       for n in range(40)))
    assert inspect_file(path).table != "tickets"


@pytest.mark.parametrize(("cells", "expected"), [
    (["2025-01-03", "2025-01-04", "05/01/2025"],
     ["TELL: %d/%m/%Y or %m/%d/%Y? 05/01/2025 can be read both ways", "iso8601"]),
    (["31/02/2025", "04/04/2025"], ["%d/%m/%Y"]), (["02/31/2025"], ["%m/%d/%Y"]),
    (["31/02/2025", "25/03/2025", "03/04/2025"], ["%d/%m/%Y"])])
def test_only_the_form_that_can_be_read_both_ways_is_asked_about(shop: Workshop, cells, expected):
    rows = "".join(f"A{n};{cell};1,50\n" for n, cell in enumerate(cells))
    found = inspect_file(shop.write("order id;order date;amount\n" + rows))
    assert propose(found).raw["timestamps"] == expected
