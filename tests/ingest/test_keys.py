"""Keys that several records share, against counting in Python."""

from collections import Counter

import duckdb
import numpy as np
import pytest

from pipeline.ingest import duplicates

TOP = 2**64 - 1


@pytest.mark.parametrize("sorted_together", [1, 3, 1 << 23])
def test_keys_that_come_twice_are_found_in_however_many_stretches(monkeypatch, sorted_together):
    monkeypatch.setattr(duplicates, "SORTED", sorted_together)
    keys = [0, TOP, 5, TOP, 0, 2**63, 2**63 - 1, 7, 2**63, 0, 9]
    failed = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE records (_key UBIGINT, _failed BIGINT)")
        con.executemany("INSERT INTO records VALUES (?, ?)", [[9, 0], *zip(keys, failed, strict=True)])
        found = duplicates._met(con, "records")
    good = [9, *(key for key, rule in zip(keys, failed, strict=True) if not rule)]
    assert found.dtype == np.uint64
    assert sorted(found.tolist()) == sorted(key for key, times in Counter(good).items() if times > 1)


def test_of_no_good_record_no_key_comes_twice():
    with duckdb.connect() as con:
        con.execute("CREATE TABLE records AS SELECT 5::UBIGINT AS _key, 1 AS _failed FROM range(3)")
        assert duplicates._met(con, "records").tolist() == []
