"""What is known about a clip before and after reading it. Plain data, safe to hand from a worker to the program."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from safelight.geometry import Raster


class Dropped(BaseModel):
    """Something of the source that the copy will not have: its kind and how often, never its value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, Field(max_length=100)]
    count: Annotated[int, Field(ge=1)]


class SoundFacts(BaseModel):
    """The sound track that stands for the clip's sound."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codec: Annotated[str, Field(max_length=50)]
    rate: Annotated[int, Field(gt=0)]
    channels: Annotated[int, Field(gt=0, le=256)]
    start: float  # seconds on the clip's time line, 0 = the earliest of first picture and first sound
    duration: Annotated[float, Field(ge=0)]  # seconds


class ClipFacts(BaseModel):
    """A clip as probed: nothing here needs the whole film to be decoded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    container: Annotated[str, Field(max_length=100)]
    codec: Annotated[str, Field(max_length=50)]
    pixel_format: Annotated[str, Field(max_length=50)]
    still: bool
    stored_width: Annotated[int, Field(gt=0, le=65536)]
    stored_height: Annotated[int, Field(gt=0, le=65536)]
    pixel_aspect: Annotated[float, Field(gt=0)]
    turn: Annotated[int, Field(ge=0, le=3)]
    interlaced: bool
    hdr: bool
    time_base: tuple[int, int]
    frames_expected: int | None  # what the container claims, never trusted
    rate: float | None  # average frames per second, for progress only
    duration: float | None  # seconds, for progress only
    picture_start: float  # seconds on the clip's time line
    sound: SoundFacts | None
    dropped: list[Dropped]

    @property
    def raster(self) -> Raster:
        """Geometry between stored and shown pixels."""
        return Raster(self.stored_width, self.stored_height, self.pixel_aspect, self.turn)

    @property
    def base(self) -> Fraction:
        """Seconds per tick of presentation times."""
        return Fraction(*self.time_base)
