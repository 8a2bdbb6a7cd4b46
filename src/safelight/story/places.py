"""Where in a JSON text a value stands: a refusal that names a line is mended in a minute."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]*")


def line_at(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, of the value at a path of keys and numbers; of the last step on the way that is there.

    ``text``: JSON that can be read, or the line of what makes it unreadable is told.
    """
    try:
        place = _after(text, 0)
        if not path:
            json.JSONDecoder().raw_decode(text, place)
        for step in path:
            inside = _member(text, place, step)
            if inside is None:
                break
            place = inside
    except json.JSONDecodeError as error:
        return error.lineno
    except RecursionError:
        return 1
    return text.count("\n", 0, place) + 1


def _member(text: str, place: int, step: str | int) -> int | None:
    """Where the member of an object or list that begins at ``place`` begins; None when it has none of that name."""
    read = json.JSONDecoder().raw_decode
    kind = text[place : place + 1]
    if kind not in ("{", "["):
        return None
    place, number = _after(text, place + 1), 0
    while text[place : place + 1] not in ("}", "]", ""):
        name: str | int = number
        if kind == "{":
            name, place = read(text, place)
            place = _after(text, _after(text, place) + 1)  # past the colon
        if name == step:
            return place
        place = _after(text, read(text, place)[1])
        if text[place : place + 1] == ",":
            place = _after(text, place + 1)
        number += 1
    return None


def _after(text: str, place: int) -> int:
    """The next place that is no white space."""
    found = _SPACE.match(text, place)
    return found.end() if found else place
