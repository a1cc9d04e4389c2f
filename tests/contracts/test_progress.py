"""Long work says what it does; short work says nothing."""

from itertools import pairwise

from pipeline.contracts.progress import progress


def test_silent_at_first_and_one_line_per_step_afterwards(capsys):
    moments = iter([100.0, 109.9, 110.0, 171.4])
    say = progress("link", lambda: next(moments))
    say("orders")
    say("events")
    say("surveys")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "link: events (10 s so far)\nlink: surveys (71 s so far)\n"


def test_a_loop_is_told_of_now_and_then(capsys):
    moments = iter([0.0, 10.0, 10.5, 12.1, 12.2])
    say = progress("sales", lambda: next(moments), gap=2.0)
    for number in range(4):
        say(f"row {number}")
    assert capsys.readouterr().err == "sales: row 0 (10 s so far)\nsales: row 2 (12 s so far)\n"


def test_long_work_is_told_ever_less_often(capsys):
    moments = iter([0.0, *map(float, range(10, 3601))])
    say = progress("sales", lambda: next(moments), gap=2.0)
    for second in range(10, 3601):
        say(f"second {second}")
    told = [int(line.split()[2]) for line in capsys.readouterr().err.splitlines()]
    assert told[:3] == [10, 12, 14]
    assert all(max(2, 0.05 * late) <= late - early < max(2, 0.05 * late) + 1 for early, late in pairwise(told))
    assert told[-1] > 0.95 * 3600 - 1
