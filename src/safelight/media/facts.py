"""What is known about a clip before and after reading it. Plain data, safe to hand from a worker to the program."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from safelight.errors import harmless
from safelight.geometry import Raster

MOST_FRAMES = 2**31
_CENTURIES = 1e10  # seconds; a clock that was never set says decades

Moment = Annotated[float, Field(ge=-_CENTURIES, le=_CENTURIES, allow_inf_nan=False)]
Length = Annotated[float, Field(ge=0, le=_CENTURIES, allow_inf_nan=False)]
Word = Annotated[str, AfterValidator(harmless)]  # what a file says of itself is shown to people
Ticks = Annotated[int, Field(gt=0, le=2**31)]


class Dropped(BaseModel):
    """Something of the source that the copy will not have: its kind and how often, never its value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[Word, Field(max_length=100)]
    count: Annotated[int, Field(ge=1, le=2**63)]


class SoundFacts(BaseModel):
    """The sound track that stands for the clip's sound."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codec: Annotated[Word, Field(max_length=50)]
    rate: Annotated[int, Field(gt=0, le=2**31)]
    channels: Annotated[int, Field(gt=0, le=256)]
    start: Moment  # seconds on the clip's time line, 0 = the earliest of first picture and first sound
    duration: Length  # seconds


class Gap(BaseModel):
    """A stretch of the film that could not be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[int, Field(ge=-1, le=MOST_FRAMES)]  # the last picture before the gap; -1: it lies before the first
    frames: Annotated[int, Field(ge=0, le=MOST_FRAMES)] | None  # pictures lost, when the container tells
    start: Moment | None  # seconds on the clip's time line, when known
    end: Moment | None
    reason: Annotated[Word, Field(max_length=200)]


class ClipFacts(BaseModel):
    """A clip as probed: nothing here needs the whole film to be decoded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    container: Annotated[Word, Field(max_length=100)]
    codec: Annotated[Word, Field(max_length=50)]
    pixel_format: Annotated[Word, Field(max_length=50)]
    still: bool
    stored_width: Annotated[int, Field(gt=0, le=65536)]
    stored_height: Annotated[int, Field(gt=0, le=65536)]
    pixel_aspect: Annotated[float, Field(ge=0.1, le=10)]
    turn: Annotated[int, Field(ge=0, le=3)]
    interlaced: bool
    bottom_first: bool = False  # of interlaced pictures: the lower field is the earlier one
    hdr: bool
    # How samples become light, as code points of ITU-T H.273. Never "unspecified": what the file does not say is
    # settled when it is opened, the way players do.
    matrix: Annotated[int, Field(ge=0, le=255)] = 1
    primaries: Annotated[int, Field(ge=0, le=255)] = 1
    transfer: Annotated[int, Field(ge=0, le=255)] = 1
    lossy: bool = True  # a still that was lossy already may be written as JPEG
    time_base: tuple[Ticks, Ticks]
    frames_expected: Annotated[int, Field(ge=0, le=2**63)] | None  # what the container claims, never trusted
    rate: Annotated[float, Field(gt=0, le=1000)] | None  # average frames per second, for progress only
    duration: Length | None  # seconds, for progress only
    picture_start: Length  # seconds on the clip's time line
    sound: SoundFacts | None
    dropped: Annotated[list[Dropped], Field(max_length=1000)]

    @property
    def raster(self) -> Raster:
        """Geometry between stored and shown pixels."""
        return Raster(self.stored_width, self.stored_height, self.pixel_aspect, self.turn)

    @property
    def base(self) -> Fraction:
        """Seconds per tick of presentation times."""
        return Fraction(*self.time_base)
