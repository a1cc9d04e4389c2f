"""What long work is doing, one line at a time on stderr; short work says nothing."""

import sys
import time
from collections.abc import Callable

from pipeline.contracts.spoken import phrased

QUIET_SECONDS = 10.0
GAP_SECONDS = 2.0  # between two words on one loop
GAP_SHARE = 0.05  # and of the time gone: an hour of it is told in some ninety lines


def progress(name: str, clock: Callable[[], float] = time.monotonic, gap: float = 0.0,
             tongue: str = "en") -> Callable[[str], None]:
    """A function that says what begins now, with the seconds gone by, once QUIET_SECONDS have passed since this call.

    gap: seconds within which it does not speak again; where given, long work is told ever less often (GAP_SHARE).

    Say names of tables and counts, never what stands in a row.
    """
    start = clock()
    last = -gap

    def say(what: str) -> None:
        nonlocal last
        gone = clock() - start
        if gone >= QUIET_SECONDS and gone - last >= (max(gap, GAP_SHARE * gone) if gap else 0.0):
            last = gone
            told = phrased(f"{what} ({gone:.0f} s so far)", tongue)
            print(f"{name}: {told}", file=sys.stderr, flush=True)

    return say
