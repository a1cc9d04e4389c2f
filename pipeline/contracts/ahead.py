"""Work side by side: what comes next is made while what came before is being used."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
END = object()


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items in the same order, each made in a thread of its own while the one before is being used; at most
    two are held at once. What goes wrong there is raised here, in its place. With VIVENCIA_THREADS=1 nothing is made
    before it is asked for, and one item is held."""
    made = iter(items)
    if os.environ.get("VIVENCIA_THREADS") == "1":
        yield from made
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        following = thread.submit(copy_context().run, next, made, END)
        while (item := following.result()) is not END:
            following = thread.submit(copy_context().run, next, made, END)
            yield item
