"""The account of one source: rows in = clean + quarantined + dropped, per file and in total, or it is an error."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.ingest.rules import reason

LISTED = 8  # names of files in one line


@dataclass(frozen=True)
class FileCount:
    """Records of one file. file: its name; sha256 of its bytes."""

    file: str
    sha256: str
    rows_in: int
    clean: int
    quarantined: int
    dropped: int


@dataclass(frozen=True)
class RuleCount:
    """How many rows (or answers, or columns for COL-*) one rule touched."""

    rule: str
    verdict: str
    rows: int
    reason: str


@dataclass(frozen=True)
class Account:
    """What became of every record of a source.

    counted: "answers" when a record holds several questions: then rules count answers, and answers_in =
    answers_clean + answers_quarantined + answers_not_asked over the records that came through.
    """

    source: str
    table: str
    files: list[FileCount]
    counted: str
    rules: list[RuleCount]
    key_id: str
    made_by_demo: bool
    answers: dict[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()  # files beside the exports that no source reads (FILE-UNREAD)
    odd: tuple[str, ...] = ()  # columns that a file fills otherwise (COL-KIND), codes kept apart (CAT-CODE): sentences

    def __post_init__(self):
        for one in self.files:
            parts = (one.clean, one.quarantined, one.dropped)
            if one.rows_in != sum(parts) or min(parts) < 0:
                raise AssertionError(f"{one.file}: {one.rows_in} rows in, but {one.clean} clean, {one.quarantined} "
                                     f"quarantined, {one.dropped} dropped")
        a = self.answers
        if a and a["answers_in"] != a["answers_clean"] + a["answers_quarantined"] + a["answers_not_asked"]:
            raise AssertionError(f"{self.source}: answers do not add up: {a}")

    def total(self, part: str) -> int:
        return sum(getattr(one, part) for one in self.files)

    def as_json(self) -> dict[str, Any]:
        totals = {part: self.total(part) for part in ("rows_in", "clean", "quarantined", "dropped")}
        return {"source": self.source, "table": self.table, "files": [asdict(one) for one in self.files], **totals,
                "counted": self.counted, **self.answers, "rules": [asdict(rule) for rule in self.rules],
                "key_id": self.key_id, "made_by_demo": self.made_by_demo}

    def unread_line(self) -> str:
        """The files beside the exports that no pattern reads, for people."""
        more = f" and {len(self.unread) - LISTED} more" if len(self.unread) > LISTED else ""
        shown = ", ".join(name if name.isprintable() else repr(name) for name in self.unread[:LISTED])
        return f"not read, since no pattern of a source names it (FILE-UNREAD): {shown}{more}"

    def line(self) -> str:
        """One line for people."""
        def listed(verdict: str) -> str:
            found = [f"{r.rule} {r.rows}" for r in self.rules if r.verdict == verdict]
            return f" ({', '.join(found)})" if found else ""

        repaired = listed("repaired")
        return (f"{self.source}: {self.total('rows_in')} rows in, {self.total('clean')} clean, "
                f"{self.total('quarantined')} quarantined{listed('quarantined')}, "
                f"{self.total('dropped')} dropped{listed('dropped')}" + (f", repaired{repaired}" if repaired else ""))


def named(names: list[str]) -> str:
    """The first names of a list, for people."""
    return ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")


def rule_counts(counts: Counter) -> list[RuleCount]:
    """(rule, verdict) -> rows as a list in a fixed order: quarantined, dropped, repaired, warned, then by rule."""
    order = ("quarantined", "dropped", "repaired", "warned")
    return [RuleCount(rule, verdict, rows, reason(rule, verdict))
            for (rule, verdict), rows in sorted(counts.items(), key=lambda item: (order.index(item[0][1]), item[0][0]))
            if rows]
