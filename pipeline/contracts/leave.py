"""The end of a process whose last word was a sentence: nothing that a library says while it is taken apart follows."""

import atexit
import contextlib
import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End with this code after what was registered for the end and what is still to be printed.

    The interpreter is not taken apart: the engine reports objects that are then alive on stderr (nanobind, DuckDB 2.0),
    forty lines behind the one that a user should read.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # its reader went away, or there never was one
            stream.flush()
    os._exit(code)
