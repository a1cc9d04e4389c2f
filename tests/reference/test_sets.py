"""Every published set is held by a test of this folder, or stands here with the reason why it is not."""

from pathlib import Path

NOT_HELD = {
    "ppml_trade": "its data come with an R package under the GPL and are not at hand; PPML is held against pyfixest",
}


def test_every_set_is_held_or_says_why_not(published):
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")
                    if path.name != Path(__file__).name)
    held = {name for name in published if f'published["{name}"]' in tests}
    named_by_figures = {"raking_api"}  # test_raking writes its figures out
    assert held | named_by_figures | NOT_HELD.keys() == set(published)
    assert not NOT_HELD.keys() & (held | named_by_figures)
