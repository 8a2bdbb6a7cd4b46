"""Times as they are written: in tags of files, and burnt into pictures. Nothing else is understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from safelight.custody.trace import LAST_YEAR

_DATE = re.compile(
    r"(?<!\d)(?:(\d{4})\s?[-/.:年]\s?(\d{1,2})\s?[-/.:月]\s?(\d{1,2})|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}))(?!\d)"
)
_TIME = re.compile(r"(?<![\d:])(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)?(?!\d)\s*([AP]M)?", re.IGNORECASE)
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_NAMED = re.compile(rf"\b({'|'.join(_MONTHS)})[A-Z]*[ .]*(\d{{1,2}})[ ,]+(\d{{4}})\b", re.IGNORECASE)
_NAMED_LATER = re.compile(rf"\b(\d{{1,2}})[ .-]*({'|'.join(_MONTHS)})[A-Z]*[ .,-]*(\d{{4}})\b", re.IGNORECASE)
_GLUED = re.compile(r"(\d{4}[-/.]\d{2}[-/.]\d{2}|\d{2}[-/.]\d{2}[-/.]\d{4})(?=\d{2}:\d{2}:\d{2})")
_TAG = re.compile(r"(\d{4})[-:/](\d{2})[-:/](\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?")
_WEEKDAY = "%a %b %d %H:%M:%S %Y"  # as AVI files have it


@dataclass(frozen=True)
class Written:
    """A time that was read. ``either``: day and month may be exchanged."""

    time: datetime
    either: bool


def of_tag(text: str) -> datetime | None:
    """The time that a tag consists of; aware if it states a zone; None when it is none."""
    match = _TAG.fullmatch(text.strip())
    try:
        if match is None:
            return datetime.strptime(text.strip(), _WEEKDAY)
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        time = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    return time.replace(tzinfo=_zone(match[7])) if match[7] else time


def _zone(text: str) -> timezone:
    if text in ("Z", "UTC"):
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]) % 24, minutes=int(text[-2:]) % 60))


def of_picture(text: str) -> Written | None:
    """The date with its time of day that stands in a picture; None unless there is exactly one of each.

    Seconds are asked for: what has none is a price, a score or the time on a poster as often as a camera's clock.
    """
    text = _NAMED.sub(lambda match: _numbered(match[3], match[1], match[2]), text)
    text = _NAMED_LATER.sub(lambda match: _numbered(match[3], match[2], match[1]), text)
    text = _GLUED.sub(r"\1 ", text)  # readers of lines lose the space between the two
    dates = {found for match in _DATE.finditer(text) for found in _dates(match)}
    times = {time for match in _TIME.finditer(text) if (time := _time_of_day(match)) is not None}
    days = {(year, *sorted((month, day))) for year, month, day in dates}
    if len(days) != 1 or len(times) != 1:
        return None
    year, month, day = min(dates)
    return Written(datetime(year, month, day) + times.pop(), len(dates) > 1)


def _numbered(year: str, month: str, day: str) -> str:
    return f"{year}-{_MONTHS.index(month[:3].upper()) + 1}-{day} "


def _dates(match: re.Match[str]) -> list[tuple[int, int, int]]:
    """Every day that it can be."""
    if match[1]:
        ways = [(int(match[1]), int(match[2]), int(match[3]))]
    else:
        ways = [(int(match[6]), int(match[5]), int(match[4])), (int(match[6]), int(match[4]), int(match[5]))]
    return [way for way in ways if _is_day(*way)]


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return 1970 <= datetime(year, month, day).year <= LAST_YEAR
    except ValueError:
        return False


def _time_of_day(match: re.Match[str]) -> timedelta | None:
    hour, minute, second = int(match[1]), int(match[2]), int(match[3])
    half = (match[4] or "").upper()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "PM" else 0)
    return timedelta(hours=hour, minutes=minute, seconds=second) if hour < 24 and minute < 60 and second < 60 else None
