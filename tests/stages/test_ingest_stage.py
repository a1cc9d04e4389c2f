"""An export of which much breaks its description is refused: the description is wrong, and the rest is a selection."""

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.contracts.refusal import Refusal
from pipeline.ingest.account import Account, FileCount, RuleCount
from pipeline.ingest.share import check_share, unknown_texts


def account(quarantined: int) -> Account:
    files = [FileCount("ventas.csv", "0" * 64, 630, 630 - quarantined, quarantined, 0)]
    rules = [RuleCount("NUM-LOCALE", "quarantined", quarantined, "not a number as declared")]
    return Account("sales", "sales", files, "rows", rules, "key", False)


def test_above_the_limit_is_refused_with_the_rule_that_did_it():
    with pytest.raises(Refusal) as caught:
        check_share(account(371), 0.2, "'1.234,50' (NUM-LOCALE, 5 rows)")
    said = str(caught.value)
    for fact in ("ventas.csv", "371 of 630 rows", "NUM-LOCALE", "'1.234,50'", "found 59%", "at most 20%",
                 "data/quarantine/sales.parquet", "[QUARANTINE-SHARE]"):
        assert fact in said


def test_at_the_limit_and_without_rows_nothing_is_refused():
    check_share(account(126), 0.2, "")
    check_share(account(0), 0.0, "")


def test_only_repeated_texts_of_words_and_formats_are_told():
    quarantine = pa.Table.from_pandas(pd.DataFrame(
        [("CAT-MAP", "Chat")] * 4 + [("CAT-MAP", "once")] + [("CAT-MAP", "ana@example.com")] * 9
        + [("KEY-DUP-CONFLICT", "abc")] * 9 + [("DATE-FMT", "612345678")] * 9 + [("DATE-FMT", "2025/13/01")] * 3,
        columns=["rule", "found"]))
    assert unknown_texts(quarantine) == "'Chat' (CAT-MAP, 4 rows), '2025/13/01' (DATE-FMT, 3 rows)"
