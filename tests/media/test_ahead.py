"""Reading ahead changes when things are made, not what is seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from safelight.media.ahead import ahead


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
