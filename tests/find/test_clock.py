"""Times as tags and cameras write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from safelight.find.clock import of_picture, of_tag

TIME = datetime(2024, 5, 3, 22, 11, 12)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-05-03T22:11:12.000000Z", TIME.replace(tzinfo=UTC)),
        ("2024-05-03T22:11:12+0200", TIME.replace(tzinfo=timezone(timedelta(hours=2)))),
        ("2024:05:03 22:11:12", TIME),
        ("Fri May 03 22:11:12 2024", TIME),
        ("2024-05-03", None),
        ("made on 2024-05-03T22:11:12Z by me", None),
        ("2024-13-03T22:11:12Z", None),
    ],
)
def test_tags(text: str, time: datetime | None) -> None:
    assert of_tag(text) == time


@pytest.mark.parametrize(
    ("text", "time", "either"),
    [
        ("CAM 2\n2024-05-03 22:11:12", TIME, False),
        ("2024-05-0322:11:12.345", TIME, False),
        ("2024/5/3\nREC\n10:11:12 PM", TIME, False),
        ("MAY 03 2024 22:11:12", TIME, False),
        ("3 May. 2024   22:11:12", TIME, False),
        ("13.05.2024 22:11:12", TIME.replace(day=13), False),
        ("05-03-2024 22:11:12", datetime(2024, 3, 5, 22, 11, 12), True),
        ("22:11:12", None, False),  # of which day?
        ("2024-05-03 22:11", None, False),
        ("2024-05-03 22:61:12", None, False),
        ("2024-05-03 22:11:12 2024-05-04", None, False),  # which of them?
        ("12:00:00 2024-05-03 22:11:12", None, False),
    ],
)
def test_clocks_in_pictures(text: str, time: datetime | None, either: bool) -> None:
    written = of_picture(text)
    assert (written.time if written else None) == time
    assert (written.either if written else False) is either
