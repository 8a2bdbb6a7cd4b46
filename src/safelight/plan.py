"""The plan: the one document between finding and hiding.

`find` writes it, a person mends it, `hide` carries it out and `attack` checks the copy against it. It says for one
clip, identified by its hash, which regions of which frames are hidden or revealed, by whose decision and why. The same
clip, the same plan and the same version of Safelight give a byte-identical copy; nothing else may influence it. One
thing comes on top: the treatment against sensor noise (``settings.sensor``) draws lots that nobody keeps. Without it,
or with the same lots, copies are byte-identical.

All coordinates are *shown* coordinates (see :mod:`safelight.geometry`). A region covers exactly the interpolated box of
its key frames (or the ellipse or polygon in it), margins included: whoever hides adds nothing and decides nothing.
"""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from safelight.errors import Code, SafelightError
from safelight.geometry import Box
from safelight.inputs import printable

PLAN_VERSION = 1
MAX_PLAN = 256 << 20  # bytes

Pixels = Annotated[float, Field(allow_inf_nan=False, ge=-65536, le=131072)]
Length = Annotated[float, Field(allow_inf_nan=False, gt=0, le=131072)]
Score = Annotated[float, Field(ge=0, le=1)]
Frame = Annotated[int, Field(ge=0, le=2**31)]
Seconds = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e7)]
ShortText = Annotated[str, Field(max_length=2000)]
Share = Annotated[float, Field(ge=0, le=1)]
Corners = tuple[tuple[Share, Share], ...]  # of a polygon, in shares of its box, from its upper left corner
MOST_CORNERS = 200


class Document(BaseModel):
    """Base of everything in a plan: unknown fields are refused, not ignored."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Kind(StrEnum):
    """What a region covers."""

    FACE = "face"
    HEAD = "head"
    BODY = "body"
    TEXT = "text"
    PLATE = "plate"
    SCREEN = "screen"
    OVERLAY = "overlay"
    FREE = "free"


class Decision(StrEnum):
    """What happens to a region: covered, shown on purpose, or only shown to a person for a decision."""

    HIDE = "hide"
    REVEAL = "reveal"
    PROPOSE = "propose"


class Shape(StrEnum):
    """Outline of the covered area inside the box."""

    BOX = "box"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"  # what the corners of the key frames wind around; self-crossing is allowed


Form = Shape | Corners  # a shape that needs no corners, or the corners of a polygon


class How(StrEnum):
    """Where the boxes of a stretch come from; everything but ``found`` deserves a person's look first."""

    FOUND = "found"  # a finder saw it in these frames (or in the frames directly around, when not every frame is read)
    FILLED = "filled"  # between two finds, interpolated
    FOLLOWED = "followed"  # before the first or after the last find, by following the picture
    HELD = "held"  # nothing to follow: the last box stays, widened
    DRAWN = "drawn"  # a person drew it


class Look(StrEnum):
    """What a hidden region looks like; both are independent of what they cover."""

    VEIL = "veil"
    SOLID = "solid"


class SoundKind(StrEnum):
    """What is heard in a stretch of sound."""

    VOICE = "voice"
    NAME = "name"
    ROOM = "room"
    OTHER = "other"


class Sensor(StrEnum):
    """How thoroughly a camera's own noise is taken out of the copy."""

    DEFAULT = "default"
    STRONG = "strong"
    OFF = "off"


class SoundAction(StrEnum):
    """What happens to a stretch of sound. Only ``disguise`` and ``keep`` let anything of the original through."""

    SILENCE = "silence"
    REVOICE = "revoice"  # the confirmed text is spoken by a synthetic voice
    DISGUISE = "disguise"  # weaker: signal processing, does not stop a trained attacker
    TONE = "tone"
    KEEP = "keep"  # the original, hum and ultrasound removed; needs a person and a reason


class SoundDefault(StrEnum):
    """What happens to sound that no decided span covers.

    ``revoice`` is silence as well, and a promise that there are words to be spoken. ``disguise`` applies where speech
    was heard; all else is silent.
    """

    SILENCE = "silence"
    REVOICE = "revoice"
    DISGUISE = "disguise"


class Clip(Document):
    """Identity and time base of the clip a plan belongs to."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    width: Annotated[int, Field(gt=0, le=65536)]
    height: Annotated[int, Field(gt=0, le=65536)]
    frames: Annotated[int, Field(gt=0, le=2**31)]
    time_base: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]
    first_pts: int
    last_pts: int
    still: bool = False

    @classmethod
    def of(
        cls,
        sha256: str,
        size: tuple[int, int],
        time_base: tuple[int, int],
        times: Sequence[int],
        *,
        still: bool = False,
    ) -> Self:
        """A clip of that hash. ``size``: (width, height) as shown; ``times``: of every picture, ticks of ``time_base``.

        Raises ValueError when something is out of bounds, IndexError when there is no picture.
        """
        width, height = size
        return cls(
            sha256=sha256,
            width=width,
            height=height,
            frames=len(times),
            time_base=time_base,
            first_pts=times[0],
            last_pts=times[-1],
            still=still,
        )


class Keyframe(Document):
    """A region's box at one frame; between key frames edges move linearly with the frame number.

    ``corners``: of a polygon, in shares of the box; they move linearly too. Not written where there are none.
    """

    frame: Frame
    pts: int
    x: Pixels
    y: Pixels
    width: Length
    height: Length
    corners: Annotated[Corners, Field(max_length=MOST_CORNERS, exclude_if=lambda corners: not corners)] = ()

    @property
    def box(self) -> Box:
        """The box in shown coordinates."""
        return Box(self.x, self.y, self.x + self.width, self.y + self.height)

    @classmethod
    def of(cls, frame: int, pts: int, box: Box, corners: Corners = ()) -> Keyframe:
        """A key frame with that box."""
        return cls(frame=frame, pts=pts, x=box.x1, y=box.y1, width=box.width, height=box.height, corners=corners)


class Stretch(Document):
    """How the boxes of the frames ``first`` to ``last`` (inclusive) came about."""

    first: Frame
    last: Frame
    how: How
    finder: Annotated[str, Field(max_length=100)] = ""
    score: Score = 0.0


class Region(Document):
    """One thing, followed through time: a head, a plate, an overlay. Covers its first to its last key frame."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    kind: Kind
    shape: Shape = Shape.ELLIPSE
    decision: Decision = Decision.HIDE
    decided_by: Annotated[str, Field(max_length=200)] = "find"
    reason: ShortText = ""
    score: Score = 0.0
    keyframes: Annotated[list[Keyframe], Field(min_length=1)]
    stretches: list[Stretch] = []

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        frames = [key.frame for key in self.keyframes]
        if any(b <= a for a, b in itertools.pairwise(frames)):
            raise ValueError(f"region {self.id}: key frames must be in rising order, each frame once")
        if any(s.last < s.first for s in self.stretches):
            raise ValueError(f"region {self.id}: a stretch ends before it begins")
        least = 3 if self.shape is Shape.POLYGON else 0
        if {max(len(key.corners), least) for key in self.keyframes} != {len(self.keyframes[0].corners)}:
            raise ValueError(f"region {self.id}: a polygon has the same 3 or more corners in all its key frames")
        if self.keyframes[0].corners and self.shape is not Shape.POLYGON:
            raise ValueError(f"region {self.id}: only a polygon has corners")
        return self

    @property
    def first(self) -> int:
        """First frame covered."""
        return self.keyframes[0].frame

    @property
    def last(self) -> int:
        """Last frame covered."""
        return self.keyframes[-1].frame

    def box_at(self, frame: int) -> Box | None:
        """The box at a frame, linearly interpolated; None outside the covered frames."""
        if not self.first <= frame <= self.last:
            return None
        a, b, t = self._around(frame)
        return Box(*(p + (q - p) * t for p, q in zip(a.box, b.box, strict=True))) if t else a.box

    def form_at(self, frame: int) -> Form:
        """What of the box is covered at a frame (beyond the covered ones: at the nearest of them)."""
        if self.shape is not Shape.POLYGON:
            return self.shape
        a, b, t = self._around(min(max(frame, self.first), self.last))
        pairs = zip(a.corners, b.corners, strict=True)
        return tuple((p + (q - p) * t, r + (s - r) * t) for (p, r), (q, s) in pairs)

    def _around(self, frame: int) -> tuple[Keyframe, Keyframe, float]:
        """The key frames before and after a covered frame, and how far it is from one to the other."""
        after = bisect.bisect_left(self.keyframes, frame, key=lambda k: k.frame)
        b = self.keyframes[after]
        if b.frame == frame:
            return b, b, 0.0
        a = self.keyframes[after - 1]
        return a, b, (frame - a.frame) / (b.frame - a.frame)


class Sound(Document):
    """What happens to the sound from ``start`` to ``end``, in seconds of the copy's time line, counted
    before its ends are cut (``trim``).

    Where spans overlap the strictest wins: silence, tone, revoice, disguise, keep. What no decided span covers gets the
    action of the settings. A span that is only proposed (``propose``) says where speech was heard: it is where
    a default of ``disguise`` applies, and changes nothing otherwise.

    ``text``: what is said, spoken aloud by ``revoice``. ``language``: of the text, such as ``ar``. ``speaker``: a
    pseudonym; each gets a synthetic voice of its own. ``cue``: number of the subtitle the span came from, 0 for none.
    """

    start: Seconds
    end: Seconds
    kind: SoundKind = SoundKind.VOICE
    action: SoundAction = SoundAction.SILENCE
    decision: Literal[Decision.HIDE, Decision.PROPOSE] = Decision.HIDE
    decided_by: Annotated[str, Field(max_length=200)] = "find"
    reason: ShortText = ""
    score: Score = 0.0
    text: ShortText = ""
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")] = ""
    speaker: Annotated[str, Field(max_length=200)] = ""
    cue: Annotated[int, Field(ge=0, le=2**31)] = 0

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.end <= self.start:
            raise ValueError("a sound span ends before it begins")
        if self.action is SoundAction.KEEP and (not self.reason.strip() or self.decided_by in ("", "find")):
            raise ValueError("a sound span may be kept only with a reason, and by a person's decision")
        if self.action is SoundAction.REVOICE and self.decision is Decision.HIDE:
            if not self.text.strip():
                raise ValueError("a sound span to be spoken anew has no text")
            if not self.language:
                raise ValueError("a sound span to be spoken anew does not say its language")
        return self


class Settings(Document):
    """How the plan is carried out; everything that changes the copy and is no region.

    ``trim``: the copy of a film lasts whole seconds; what is over is left out, half of it at each end.
    """

    look: Look = Look.VEIL
    curtain: bool = False  # hide the whole picture except revealed regions
    sound: SoundDefault = SoundDefault.SILENCE
    sensor: Sensor = Sensor.DEFAULT
    trim: bool = False


class Effort(StrEnum):
    """How hard `find` looks."""

    QUICK = "quick"
    DEFAULT = "default"
    THOROUGH = "thorough"


class Hide(StrEnum):
    """How much of a person is hidden."""

    HEADS = "heads"
    BODIES = "bodies"


class Asked(Document):
    """What `find` is asked to look for. ``text``: readable text is hidden, not only proposed."""

    effort: Effort = Effort.DEFAULT
    hide: Hide = Hide.HEADS
    text: bool = False


Device = Annotated[str, Field(pattern=r"^[A-Za-z0-9., ]{1,100}$")]


class Origin(Document):
    """What made the plan. ``finders``: their names and what identifies their weights. ``device``: what these networks
    ran on; several, with commas, when a film was found in pieces on several machines.
    """

    safelight: str
    finders: dict[str, str] = {}
    asked: Asked = Asked()
    device: Device = "CPU"

    def alike(self, other: Origin) -> bool:
        """Whether two plans are as good as one another: devices agree within a tolerance, all else must be the same."""
        return self.model_copy(update={"device": other.device}) == other


class Doubt(Document):
    """Frames ``first`` to ``last`` (inclusive) that were read after damage: they may show what was never filmed."""

    first: Frame
    last: Frame


class Plan(Document):
    """The whole plan of one clip."""

    format: Literal["safelight-plan"] = "safelight-plan"
    version: Literal[1] = 1
    clip: Clip
    settings: Settings = Settings()
    origin: Origin
    cuts: list[Frame] = []
    doubts: list[Doubt] = []
    regions: list[Region] = []
    sounds: list[Sound] = []

    @model_validator(mode="after")
    def _fits_the_clip(self) -> Self:
        picture = Box(0, 0, self.clip.width, self.clip.height)
        seen: set[str] = set()
        if any(not doubt.first <= doubt.last < self.clip.frames for doubt in self.doubts):
            raise ValueError("a doubt lies outside the clip")
        for region in self.regions:
            if region.id in seen:
                raise ValueError(f"two regions are called {region.id}")
            seen.add(region.id)
            if region.last >= self.clip.frames:
                raise ValueError(f"region {region.id} goes on after the last frame")
            for key in region.keyframes:
                if key.box.intersection(picture).area <= 0:
                    raise ValueError(f"region {region.id} lies outside the picture at frame {key.frame}")
        return self

    def covers(self, frame: int, decision: Decision = Decision.HIDE) -> Iterator[tuple[Region, Box]]:
        """Every region that is to be hidden (or revealed, or decided) at a frame, with its box."""
        for region in self.regions:
            if region.decision is decision:
                box = region.box_at(frame)
                if box is not None:
                    yield region, box

    @property
    def step(self) -> Fraction:
        """Seconds from one picture to the next, in the mean; 0 for a single one."""
        clip = self.clip
        return (clip.last_pts - clip.first_pts) * Fraction(*clip.time_base) / max(clip.frames - 1, 1)

    @property
    def ends(self) -> tuple[Fraction, Fraction] | None:
        """Where the copy begins and ends, in seconds since the clip's first picture; None: it has everything.

        That is so unless whole seconds are asked for (``settings.trim``) and there is one. How long the last picture
        lasts is not known to every container: as long as the others in the mean.
        """
        clip = self.clip
        length = self.step * clip.frames
        whole = int(length)
        if not self.settings.trim or clip.still or whole == 0:
            return None
        cut = (length - whole) / 2
        return cut, cut + whole

    def to_json(self) -> str:
        """The document as text; equal plans give equal text."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, file: str | None = None) -> Plan:
        """Check and load a plan.

        Raises SafelightError: SL-PLAN-VERSION for another version, SL-PLAN-INVALID for all else that is wrong.
        """
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SafelightError(Code.PLAN_INVALID, f"This is not JSON: {error}.", file=file) from error
        if not isinstance(raw, dict) or raw.get("format") != "safelight-plan":
            raise SafelightError(Code.PLAN_INVALID, "This is not a Safelight plan.", file=file)
        if raw.get("version") != PLAN_VERSION:
            raise SafelightError(
                Code.PLAN_VERSION,
                f"This plan has version {raw.get('version')!r}, not {PLAN_VERSION}.",
                file=file,
            )
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "document"
            raise SafelightError(
                Code.PLAN_INVALID, f"The plan is not valid at {place}: {first['msg']}.", file=file
            ) from error

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read a plan from a file of at most MAX_PLAN bytes. Raises like :meth:`from_json`, and SL-NOT-FOUND."""
        file = printable(path)
        try:
            if not path.is_file() or path.stat().st_size > MAX_PLAN:
                raise SafelightError(Code.PLAN_INVALID, "This is no plan file.", file=file)
            return cls.from_json(path.read_bytes(), file=file)
        except OSError as error:
            raise SafelightError(Code.NOT_FOUND, "The plan could not be read.", file=file) from error


def schema() -> dict[str, Any]:
    """The published JSON Schema of a plan."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Plan.model_json_schema()}
