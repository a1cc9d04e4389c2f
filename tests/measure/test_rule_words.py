"""Every reason that ingest can give has its words in both languages, so that a Spanish page holds no English line."""

from pipeline.ingest.rules import OF_QUARANTINE, REASONS, reason
from pipeline.report.words import Words


def test_every_reason_of_ingest_has_words():
    reasons = {*REASONS.values(), *OF_QUARANTINE.values(), reason("SOME-RULE-OF-PARAMS")}
    for language in ("es", "en"):
        assert [text for text in sorted(reasons) if not Words(language).has(f"value.{text}")] == []
    assert Words("es").name("value", REASONS["FMT-BLANK"]) == "líneas vacías"
