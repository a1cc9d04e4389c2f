"""SET-DRIFT: a source that lost more than three rows in ten since the last pages stops them, and the last ones stay."""

from pathlib import Path

import pytest

from pipeline.contracts.claims import Claim
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.results import write_results
from pipeline.report.drift import refuse_drift
from pipeline.stages import report
from tests.report.test_stage import pages, workspace  # noqa: F401

HEAD = "notebook,claim_id,estimate,segment\r\n"


def rows(**counts: float) -> str:
    return HEAD + "".join(f"01,data.rows_in,{n},source:{name}\r\n" for name, n in counts.items())


@pytest.mark.parametrize(("now", "stops"), [(rows(sales=70.0), False), (rows(sales=69.0), True),
                                            (rows(sales=500.0), False), (rows(tickets=5.0), False), ("", False)])
def test_a_source_may_lose_three_rows_in_ten_and_no_more(now: str, stops: bool):
    if not stops:
        return refuse_drift(rows(sales=100.0, tickets=5.0), now, [], 0.3)
    with pytest.raises(Refusal, match=r"sales has far fewer rows.*found 69 rows, 100 before.*SET-DRIFT"):
        refuse_drift(rows(sales=100.0, tickets=5.0), now, [], 0.3)
    return refuse_drift(rows(sales=100.0, tickets=5.0), now, ["sales"], 0.3)


def test_pages_of_one_language_are_compared_with_those_of_the_other():
    spanish = "\ufeff" + rows(sales=100.0).replace(",", ";").replace("100.0", "100,0")
    with pytest.raises(Refusal, match="SET-DRIFT"):
        refuse_drift(spanish, rows(sales=10.0), [], 0.3)


def test_the_stage_keeps_the_last_pages_until_the_drift_is_accepted(workspace):  # noqa: F811
    def ingested(count: float) -> None:
        write_results("data/results/01-data-and-coverage", [
            Claim("data.rows_in", count, "count", 500, "count", segment="source:sales")], {}, [])
    declare = Path("params.yaml")
    declare.write_text(declare.read_text(encoding="utf-8").replace("data: invented", "data: public", 1))
    ingested(1000.0)
    report.main([])
    before = pages()
    ingested(600.0)
    with pytest.raises(Refusal, match="SET-DRIFT"):
        report.main([])
    assert pages() == before
    declare.write_text(declare.read_text(encoding="utf-8").replace("accept_drift: []", "accept_drift: [sales]"))
    report.main([])
    assert pages() != before
