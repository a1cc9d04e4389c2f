"""An object of JSON whose values are all lists of words: no column can be read from it, and no defect comes of that."""

from pathlib import Path

from benchmarks.outcomes import ingest_file


def test_an_object_of_lists_alone_is_accounted_for(tmp_path: Path):
    file = tmp_path / "words.json"
    file.write_text('{\n "from_one": ["x", "y"],\n "from_another": ["z"]\n}\n', encoding="utf-8")
    found = ingest_file(file, file.name, None, None)
    assert found.unaccounted == 0
    assert found.rule or found.rows_in == found.clean + found.quarantined + found.dropped == 1
