"""Long work says what it does; short work says nothing."""

from pipeline.stages.progress import progress


def test_silent_at_first_and_one_line_per_step_afterwards(capsys):
    moments = iter([100.0, 109.9, 110.0, 171.4])
    say = progress("link", lambda: next(moments))
    say("orders")
    say("events")
    say("surveys")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "link: events (10 s so far)\nlink: surveys (71 s so far)\n"
