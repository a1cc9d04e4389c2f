"""Exports broken in ways whose truth is known: no row of them is silently wrong, and the good rows stay."""

from benchmarks import damage
from benchmarks.damage import FAMILIES, by_family, damaged


def test_no_family_of_damage_leaves_a_wrong_row():
    """Each family twice: read by what inspect finds, and under a contract."""
    found = by_family(2 * len(FAMILIES), seed=7)
    assert set(found) == set(FAMILIES) and {one["files"] for one in found.values()} == {2}
    assert {family: one["wrong"] for family, one in found.items() if one["wrong"] or one["unaccounted"]} == {}
    assert found["nothing"]["kept"] == found["nothing"]["truth"] > 0
    assert {family for family, one in found.items() if one["refused"]} >= {"header again", "wider header"}


def test_the_count_sees_what_no_reader_can(monkeypatch):
    """A digit that was typed wrongly is a wrong row, or the figures would say nothing."""
    def mistyped(table, chance):
        written = table.file(list(map(table.line, [table.head, *table.rows])))
        table.rows[3][0] += "7"
        return written

    monkeypatch.setattr(damage, "FAMILIES", {"mistyped": mistyped})
    assert by_family(1, seed=7)["mistyped"]["wrong"] == 1


def test_the_seed_decides_every_file():
    first, again, other = ([text for _, _, text in damaged(len(FAMILIES), seed)] for seed in (7, 7, 8))
    assert first == again != other
