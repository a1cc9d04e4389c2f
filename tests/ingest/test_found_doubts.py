"""What is warned of: a key that most rows share, a month on another scale, questions that nobody answered."""

from pathlib import Path

import pytest

from pipeline.contracts.spoken import phrased
from pipeline.ingest.check import account_text, open_questions
from pipeline.ingest.inspect import inspect_file
from pipeline.ingest.share import dropped_line
from pipeline.ingest.together import one_source
from tests.ingest.conftest import Workshop

SOLD = {"table": "sales", "columns": {"order_id": "id", "ordered_at": "at", "net_amount": "n"}, "decimal": ".",
        "timestamps": ["iso8601"], "time_zone": "UTC", "latest_by": "ordered_at"}


def sold(count: int, keys: int, same: bool = False) -> str:
    rows = "".join(f"C{n % keys},2025-01-{1 if same else n % 28 + 1:02},{1 if same else n}.5\n" for n in range(count))
    return f"id,at,n\n{rows}"


@pytest.mark.parametrize(("count", "keys", "is_doubtful"), [(40, 2, True), (40, 19, True), (40, 20, False),
                                                            (29, 2, False)])
def test_a_key_that_leaves_less_than_half_of_the_rows_is_doubted(shop: Workshop, count, keys, is_doubtful):
    account = shop.ingest(sold(count, keys), **SOLD).account
    assert account.total("dropped") == count - keys
    said = dropped_line(account)
    assert bool(said) == is_doubtful and (f"{count - keys} of {count} rows" in said) == is_doubtful
    assert (said in account_text(account, {})) and ("nombra la cabecera de" in phrased(said, "es")) == is_doubtful


def test_exports_that_overlap_are_no_reason_for_doubt(shop: Workshop):
    for name in ("a.csv", "b.csv", "c.csv"):
        shop.write(sold(40, 40, same=True) + f"{name},2025-01-02,1.5\n", name)
    account = shop.ingest(None, **SOLD | {"files": "*.csv"}).account
    assert account.total("dropped") == 80 and dropped_line(account) == ""


def month(shop: Workshop, name: str, highest: int, count: int = 40):
    rows = "".join(f"{name}{n},C{n % 9},{n % (highest + 1)}\n" for n in range(count))
    return inspect_file(shop.write(f"id,customer,satisfaction\n{rows}", f"{name}.csv"))


def test_a_month_on_another_scale_is_asked_about(shop: Workshop):
    usual, other = month(shop, "a", 10), month(shop, "b", 5)
    asked = one_source([usual, other]).told["instruments"]
    assert "up to 5 in b.csv and up to 10 in a.csv" in asked and "llega hasta 5 en b.csv" in phrased(asked, "es")
    for group in ([usual, month(shop, "c", 10)], [usual, month(shop, "d", 5, 20)]):
        assert "up to" not in one_source(group).told["instruments"]


def test_questions_behind_a_sign_are_listed_until_they_are_gone():
    text = "sources:\n  a:\n    # TELL: decimal: is it?\n    files: x  # TELL: no\n    # a remark\n    #TELL: b\n"
    assert open_questions(text) == [(3, "decimal: is it?"), (6, "b")]
    assert open_questions(Path("params.yaml").read_text(encoding="utf-8")) == []
