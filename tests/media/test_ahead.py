"""Reading ahead changes when things are made, not what is seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from safelight.media.ahead import ahead, aside


def test_same_items_same_order_made_elsewhere() -> None:
    makers = set()

    def items() -> Iterator[int]:
        for number in range(1000):
            makers.add(threading.current_thread())
            yield number

    with ahead(items()) as early:
        assert list(early) == list(range(1000))
    assert threading.current_thread() not in makers
    assert not any(thread.is_alive() for thread in makers)


def test_an_error_is_raised_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    with ahead(items()) as early:
        assert next(early) == 1
        with pytest.raises(ZeroDivisionError):
            next(early)


def test_no_more_wait_than_allowed_and_leaving_early_ends_the_thread() -> None:
    made = []

    def items() -> Iterator[int]:
        number = 0
        while True:
            made.append(number)
            yield number
            number += 1

    with ahead(items(), depth=3) as early:
        assert next(early) == 0
        before = threading.active_count()
    assert len(made) <= 1 + 3 + 1
    assert threading.active_count() == before - 1


def given(take: Callable[[int], object], depth: int, count: int) -> list[int]:
    """What could be given until an error came; the error itself if it came on leaving only."""
    gone: list[int] = []

    def every() -> None:
        with aside(take, depth) as give:
            for item in range(count):
                give(item)
                gone.append(item)

    with pytest.raises(ZeroDivisionError):
        every()
    return gone


def test_work_aside_is_done_in_order_and_finished_on_leaving() -> None:
    taken: list[int] = []

    def take(item: int) -> None:
        time.sleep(0.001)
        taken.append(item)

    with aside(take, 3) as give:
        for item in range(50):
            give(item)
            assert len(taken) >= item - 2
    assert taken == list(range(50))


def test_what_fails_aside_is_raised_where_one_of_the_next_is_given_or_on_leaving() -> None:
    def take(item: int) -> None:
        if item == 3:
            raise ZeroDivisionError

    assert len(given(take, 2, 1000)) < 7
    assert given(take, 9, 4) == [0, 1, 2, 3]


def test_nothing_that_waits_aside_is_begun_after_an_error() -> None:
    begun, go_on = threading.Event(), threading.Event()
    taken: list[int] = []

    def take(item: int) -> None:
        begun.set()
        go_on.wait()
        taken.append(item)

    def fail() -> None:
        with aside(take, 9) as give:
            for item in range(5):
                give(item)
            begun.wait()
            threading.Timer(0.05, go_on.set).start()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert taken == [0]
