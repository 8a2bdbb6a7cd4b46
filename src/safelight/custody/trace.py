"""What a clip is recognised by, and what it says of time: one small document, as secret as the clip's thumbnails.

A worker makes it (:mod:`safelight.find.trace`); what it says is checked here as if a stranger had written it.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from safelight.errors import Code, SafelightError
from safelight.media.facts import Length

STEP = 1 / 32  # seconds from hash to hash: of what stands there then
BYTES = 32  # of one picture's hash; all zero for a picture that shows nothing
MOST = 12 * 3600 * 32  # hashes: half a day
LARGEST = 64 << 20  # bytes of the document

FIRST_YEAR, LAST_YEAR = 1900, 2200  # times outside are taken for none; QuickTime counts from 1904

Hashes = NDArray[np.uint64]  # shape (pictures, 4)
Text = Annotated[str, Field(max_length=200)]


def _sensible(time: datetime) -> datetime:
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError("no time that a camera can have written")
    return time


Time = Annotated[datetime, AfterValidator(_sensible)]


class Told(BaseModel):
    """A time that stands in the file. ``where``: in which kind of place; aware if the file states a zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    where: Text
    time: Time


class Clock(BaseModel):
    """A clock that is burnt into the picture, read ``at`` so many seconds after the first picture.

    ``either``: day and month may be exchanged.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Length
    time: Time
    either: bool = False

    @model_validator(mode="after")
    def _can_be_either(self) -> Self:
        if self.either and self.time.day > 12:
            raise ValueError("there is no such month")
        return self


class Trace(BaseModel):
    """One clip. ``hashes``: one each STEP, base64; ``refused``: why there is none.

    ``read``: whether pictures could be searched for a clock.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["safelight-trace"] = "safelight-trace"
    version: Literal[1] = 1
    seconds: Length = 0
    hashes: Annotated[str, Field(max_length=LARGEST)] = ""
    told: Annotated[list[Told], Field(max_length=100)] = []
    clocks: Annotated[list[Clock], Field(max_length=100)] = []
    read: bool = False
    refused: Code | None = None

    @field_validator("hashes")
    @classmethod
    def _whole(cls, text: str) -> str:
        from_text(text)
        return text

    @property
    def pictures(self) -> Hashes:
        """The hashes."""
        return from_text(self.hashes)

    def to_bytes(self) -> bytes:
        """As it is sealed."""
        return self.model_dump_json(exclude_defaults=True, indent=None).encode()

    @classmethod
    def parse(cls, data: bytes) -> Trace:
        """Read one. Raises SL-WORKER-LIED."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise SafelightError(Code.WORKER_LIED, "What a clip is recognised by could not be understood.") from error


def to_text(hashes: Hashes) -> str:
    """Hashes as one word."""
    return base64.b64encode(np.ascontiguousarray(hashes).tobytes()).decode("ascii")


def from_text(text: str) -> Hashes:
    """The hashes that a word stands for. Raises ValueError."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if len(data) % BYTES or len(data) > MOST * BYTES:
        raise ValueError("no whole number of hashes")
    return np.frombuffer(data, np.uint64).reshape(-1, BYTES // 8)
