"""What the desk says to a worker that shows pictures, and what may come back.

Such a worker stays: it is asked again and again. An answer is one line of JSON, followed by as many bytes as it says.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from safelight.geometry import Box
from safelight.plan import MOST_CORNERS, Corners, Form, Look, Shape
from safelight.workers.messages import Count, Failure, Message

MAX_PAYLOAD = 128 << 20  # bytes

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Area = tuple[Shape | Annotated[Corners, Field(min_length=3, max_length=MOST_CORNERS)], Number, Number, Number, Number]
Areas = Annotated[list[Area], Field(max_length=5000)]
Side = Annotated[int, Field(ge=2, le=16384)]


class TimesAsk(Message):
    """The presentation time of every picture, as 64-bit integers. ``sure``: by reading the whole clip."""

    ask: Literal["times"] = "times"
    sure: bool = False


class FactsAsk(Message):
    """What probing said, as JSON."""

    ask: Literal["facts"] = "facts"


class StillAsk(Message):
    """One picture as the copy would show it, or ``bare``, as the original does.

    ``hidden`` and ``revealed``: forms and boxes in shown pixels. ``width``: of the result, at most; None for its own.
    ``cut``: only this part. ``exact``: PNG instead of JPEG.
    """

    ask: Literal["still"] = "still"
    index: Count
    hidden: Areas = Field(default_factory=list)
    revealed: Areas = Field(default_factory=list)
    look: Look = Look.VEIL
    curtain: bool = False
    bare: bool = False
    width: Side | None = None
    cut: tuple[Number, Number, Number, Number] | None = None
    exact: bool = False


Ask = TimesAsk | FactsAsk | StillAsk
ASK: TypeAdapter[Ask] = TypeAdapter(Annotated[Ask, Field(discriminator="ask")])


class Payload(Message):
    """The answer: ``size`` bytes follow this line. ``pts``: of the picture shown."""

    type: Literal["payload"] = "payload"
    size: Annotated[int, Field(ge=0, le=MAX_PAYLOAD)]
    pts: int = 0


REPLY: TypeAdapter[Payload | Failure] = TypeAdapter(Annotated[Payload | Failure, Field(discriminator="type")])


def area(form: Form, box: Box) -> Area:
    """A form and its box as they travel."""
    return (form, *(min(max(value, -1e6), 1e6) for value in box))  # type: ignore[return-value]
