"""What comes next is made while what came before is used; nothing is lost, nothing runs away."""

import threading
from contextvars import ContextVar

import pytest

from pipeline.contracts.ahead import ahead


def test_items_come_in_their_order_and_none_is_lost():
    assert list(ahead(range(1000))) == list(range(1000))
    assert list(ahead([])) == [] and list(ahead([None, None])) == [None, None]


def test_the_next_item_is_made_while_one_is_used_and_only_that_one(monkeypatch):
    monkeypatch.delenv("VIVENCIA_THREADS", raising=False)
    made = [threading.Event() for _ in range(4)]

    def items():
        for event in made:
            event.set()
            yield event

    found = ahead(items())
    next(found)
    assert made[1].wait(10)  # made though nobody asked for it yet
    assert not made[2].wait(0.05)
    assert len(list(found)) == 3


def test_one_thread_holds_one_item(monkeypatch):
    monkeypatch.setenv("VIVENCIA_THREADS", "1")
    made = []

    def items():
        for n in range(4):
            made.append((n, threading.current_thread()))
            yield n

    found = ahead(items())
    assert next(found) == 0
    assert made == [(0, threading.current_thread())]  # the second is made when it is asked for, and here
    assert list(found) == [1, 2, 3]


def test_an_error_comes_in_its_place():
    def items():
        yield 1
        raise ValueError("second")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="second"):
        next(found)


def test_items_are_made_in_the_context_of_who_asks():
    place = ContextVar("place", default="nowhere")

    def items():
        yield place.get()

    place.set("here")
    assert list(ahead(items())) == ["here"]
