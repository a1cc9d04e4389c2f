"""What long work is doing, one line at a time on stderr; short work says nothing."""

import sys
import time
from collections.abc import Callable

QUIET_SECONDS = 10.0


def progress(name: str, clock: Callable[[], float] = time.monotonic) -> Callable[[str], None]:
    """A function that says what begins now, with the seconds gone by, once QUIET_SECONDS have passed since this call.

    Say names of tables and counts, never what stands in a row.
    """
    start = clock()

    def say(what: str) -> None:
        gone = clock() - start
        if gone >= QUIET_SECONDS:
            print(f"{name}: {what} ({gone:.0f} s so far)", file=sys.stderr, flush=True)

    return say
