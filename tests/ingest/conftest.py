"""A source in a folder of its own: write its files, ingest it, look at what came out."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from pipeline.contracts.params import Company, Instrument, Privacy, Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.account import Account
from pipeline.ingest.clean import clean_source
from pipeline.ingest.findings import block_of, findings
from pipeline.ingest.inspect import Inspection
from pipeline.ingest.proposal import propose

COMPANY = Company("Example", "public", "EUR", "Europe/Madrid")
NPS = {"nps": Instrument(0, 10, "higher_is_better", "nps", {"10 - Muy probable": 10, "0 - Nada probable": 0})}
SURVEY = {"table": "surveys", "columns": {"response_id": "id"}, "instruments": NPS}
SALE = {"table": "sales", "columns": {"order_id": "id", "net_amount": "amount"}, "decimal": "."}
TICKET = {"table": "tickets", "columns": {"ticket_id": "id", "created_at": "created", "solved_at": "solved"},
          "timestamps": ["%d/%m/%Y %H:%M"], "time_zone": "Europe/Madrid"}
CUSTOMER = {"table": "customers", "columns": {"customer_id": "id", "segment": "segment"}}


@dataclass
class Outcome:
    clean: pd.DataFrame
    quarantine: pd.DataFrame
    account: Account

    @property
    def rules(self) -> dict[str, int]:
        """rule:verdict -> rows."""
        return {f"{rule.rule}:{rule.verdict}": rule.rows for rule in self.account.rules}


def block(found: Inspection) -> str:
    """The block that inspect prints for one file."""
    return block_of(propose(found))


def report(found: Inspection) -> str:
    """What inspect prints for one file."""
    return f"{findings(found)}\n\n{block(found)}"


class Workshop:
    """Writes exports and ingests them."""

    def __init__(self, folder: Path):
        self.folder, self.runs = folder, 0
        (folder / "raw").mkdir()

    def write(self, content: str | bytes, name: str = "export.csv") -> Path:
        path = self.folder / "raw" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def ingest(self, content: str | bytes | None, company: Company = COMPANY, privacy: Privacy | None = None,
               **contract) -> Outcome:
        if content is not None:
            self.write(content)
        self.runs += 1
        work = self.folder / f"work{self.runs}"
        work.mkdir()
        base = {"folder": str(self.folder / "raw"), "files": "export.csv", "format": "csv"}
        manifest = self.folder / "raw" / "demo" / "manifest.json"
        source = Source(**(base | contract))
        cleaned = clean_source("export", source, company, privacy or Privacy("public"), work, manifest)
        return Outcome(pd.read_parquet(cleaned.clean), pd.read_parquet(cleaned.quarantine), cleaned.account)

    def refuse(self, content: str | bytes | None, rule: str, **contract) -> Refusal:
        """The refusal, which must carry this rule."""
        with pytest.raises(Refusal) as caught:
            self.ingest(content, **contract)
        assert caught.value.rule == rule, str(caught.value)
        return caught.value


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)
