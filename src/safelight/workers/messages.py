"""What the program says to a worker, and what a worker may say back.

Messages are JSON, one per line, never pickles: a worker that a hostile file has taken over must not be able to run code
in the program. Everything a worker says is validated here as if a stranger had written it.
"""

from __future__ import annotations

import itertools
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from safelight.attack.verdict import NAMES
from safelight.errors import Code, harmless
from safelight.media.facts import ClipFacts, Gap
from safelight.media.pieces import MOST, Part, Piece
from safelight.plan import Asked

KEY_BYTES = 32  # of the lots that the treatment against sensor noise draws
MAX_LINE = 1 << 20  # bytes; a plan travels as a file, everything else is small

Count = Annotated[int, Field(ge=0, le=2**31)]
Side = Annotated[int, Field(gt=0, le=65536)]
Share = Annotated[float, Field(ge=0, le=1)]
SensorKey = Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def piece_names(number: int) -> tuple[str, str]:
    """Names of a piece's copy and of its pictures for the contact sheet, for the worker who joins."""
    return f"piece-{number:04d}.mp4", f"piece-{number:04d}.npz"


class FindJob(Message):
    """Find what must be hidden and leave the plan as ``plan.json`` in the worker's folder."""

    job: Literal["find"] = "find"
    sha256: Sha256
    asked: Asked = Asked()
    accept_damaged: bool = False
    part: Part | None = None  # only these pictures, as if they were a film of their own
    sound: bool = True  # listen for speech as well


class HideJob(Message):
    """Carry out ``plan.json`` of the worker's folder; leave the copy and the contact sheet there.

    ``sensor_key``: what the treatment against sensor noise draws its lots from, hexadecimal; never written anywhere.
    """

    job: Literal["hide"] = "hide"
    accept_damaged: bool = False
    speech: bool = False  # the speech of the plan's cues lies in the folder
    sensor_key: SensorKey = Field(default=None, repr=False)
    part: Part | None = None  # only these pictures, without sound, with ``tiles.npz`` instead of the sheet


class SurveyJob(Message):
    """Tell where a film can be cut into pieces of so many ``seconds``, seen ``overlap`` seconds farther."""

    job: Literal["survey"] = "survey"
    seconds: Annotated[float, Field(gt=0, le=1e6)]
    overlap: Annotated[float, Field(ge=0, le=1e6)]


class JoinJob(Message):
    """Join the pieces in the worker's folder, named by :func:`piece_names`, that are copies of these parts of the clip,
    with the sound that ``plan.json`` asks for. Leave copy and contact sheet.
    """

    job: Literal["join"] = "join"
    parts: Annotated[list[Part], Field(min_length=1, max_length=MOST)]
    speech: bool = False


class SpeakJob(Message):
    """Speak the cues of ``plan.json`` in the worker's folder and leave the speech there. Needs no clip."""

    job: Literal["speak"] = "speak"


class AttackJob(Message):
    """Attack a copy and leave the verdict as ``verdict.json`` in the worker's folder, pictures for it beside.

    ``original``: the inherited descriptor of the original, None when there is none. ``plan``: ``plan.json`` lies in the
    folder. ``names``: protected people, each with the spellings of the name. ``file_name``: of the copy.
    ``accept_damaged``: of the original. ``sensor_key``: as for the job that made the copy. ``attackers``: who attacks;
    if not all do, the verdict is a share, and has up to MAX_MOMENTS pictures.
    """

    job: Literal["attack"] = "attack"
    attackers: tuple[str, ...] = NAMES
    original: Annotated[int, Field(ge=0)] | None = None
    plan: bool = False
    names: list[list[str]] = []
    file_name: str = ""
    all_frames: bool = False
    accept_damaged: bool = False
    sensor_key: SensorKey = Field(default=None, repr=False)


class WordsJob(Message):
    """Read all words of a document, a picture's or a film's tags; leave them as ``words.json`` in the folder."""

    job: Literal["words"] = "words"


class StillsJob(Message):
    """Take pictures of a published copy at these seconds; leave ``still-00-480.jpg`` and so on in the folder.

    ``widths``: in pixels; each picture is made in each, never enlarged. No seconds: only tell what the copy is.
    """

    job: Literal["stills"] = "stills"
    seconds: Annotated[list[Annotated[float, Field(ge=0, le=1e6)]], Field(max_length=100)] = []
    widths: Annotated[list[Annotated[int, Field(ge=16, le=8192)]], Field(max_length=8)] = []


class ProxyJob(Message):
    """Make a small silent film to play and scrub. ``film`` and ``times``: inherited descriptors in memory to write to.

    Times are the presentation times of all its pictures, as 64-bit integers. ``part``: only of these pictures.
    """

    job: Literal["proxy"] = "proxy"
    film: Annotated[int, Field(ge=0)]
    times: Annotated[int, Field(ge=0)]
    part: Part | None = None


class WaveJob(Message):
    """The sound to see and to hear. ``peaks`` and ``sound``: inherited descriptors in memory to write to; how loud it
    is, a byte a hundredth of a second, and one channel of AAC in MP4.
    """

    job: Literal["wave"] = "wave"
    peaks: Annotated[int, Field(ge=0)]
    sound: Annotated[int, Field(ge=0)]


class ListenJob(Message):
    """Leave a clip's sound as ``sound.f32`` in the folder: one channel, 16 kHz, 32-bit floats, from second 0 on."""

    job: Literal["listen"] = "listen"


class SalvageJob(Message):
    """Write ``salvaged.mov`` from a film without its index. ``like``: inherited descriptor of a good clip."""

    job: Literal["salvage"] = "salvage"
    like: Annotated[int, Field(ge=0)]


class TraceJob(Message):
    """Leave what a clip is recognised by, and the times it tells, as ``trace.json`` in the folder."""

    job: Literal["trace"] = "trace"


class ViewJob(Message):
    """Show pictures of a clip until standard input ends; what is asked and answered is in :mod:`workers.views`."""

    job: Literal["view"] = "view"


Job = (
    FindJob
    | HideJob
    | SurveyJob
    | JoinJob
    | SpeakJob
    | AttackJob
    | ProxyJob
    | WaveJob
    | WordsJob
    | StillsJob
    | ListenJob
    | SalvageJob
    | TraceJob
)


class Progress(Message):
    """How far the worker is, in frames; ``total`` is the container's claim and may be wrong."""

    type: Literal["progress"] = "progress"
    done: Count
    total: Count | None = None


class Failure(Message):
    """The worker refuses the file."""

    type: Literal["failure"] = "failure"
    code: Code
    detail: Annotated[str, AfterValidator(harmless), Field(max_length=4000)]


class Found(Message):
    """``find`` is done; the plan lies in the folder."""

    type: Literal["found"] = "found"
    facts: ClipFacts
    frames: Count


class Hidden(Message):
    """``hide`` is done; copy and sheet lie in the folder."""

    type: Literal["hidden"] = "hidden"
    facts: ClipFacts
    copy_name: Literal["copy.mp4", "copy.png", "copy.jpg"]
    copy_width: Side
    copy_height: Side
    frames_read: Count
    frames_written: Count
    frames_hidden: Count
    share_mean: Share
    share_max: Share
    missing: Annotated[list[Gap], Field(max_length=10_000)]


class Surveyed(Message):
    """``survey`` is done. ``pieces``: without a gap from first to last picture; none when it stays whole."""

    type: Literal["surveyed"] = "surveyed"
    pieces: Annotated[list[Piece], Field(max_length=MOST)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        stops = [0, *(piece.own.stop for piece in self.pieces)]
        if any(piece.own.first != stop for piece, stop in zip(self.pieces, stops, strict=False)):
            raise ValueError("pieces are missing")
        if any(b.own.pts <= a.last_pts for a, b in itertools.pairwise(self.pieces)):
            raise ValueError("times do not rise")
        return self


class Joined(Message):
    """``join`` is done; copy and sheet lie in the folder."""

    type: Literal["joined"] = "joined"
    frames: Count


class Spoken(Message):
    """``speak`` is done; the speech lies in the folder."""

    type: Literal["spoken"] = "spoken"
    cues: Count


class Attacked(Message):
    """``attack`` is done; the verdict lies in the folder."""

    type: Literal["attacked"] = "attacked"


class Worded(Message):
    """``words`` is done; the words lie in the folder."""

    type: Literal["worded"] = "worded"


class Stilled(Message):
    """``stills`` is done; ``width`` and ``height`` are the copy's as shown, ``duration`` its seconds."""

    type: Literal["stilled"] = "stilled"
    count: Count
    width: Annotated[int, Field(gt=0, le=65536)]
    height: Annotated[int, Field(gt=0, le=65536)]
    duration: Annotated[float, Field(ge=0, le=1e6)]
    still: bool


class Proxied(Message):
    """``proxy`` is done; film and times are written."""

    type: Literal["proxied"] = "proxied"
    frames: Count


class Waved(Message):
    """``wave`` is done; the peaks are written. ``peaks``: how many; 0 without sound."""

    type: Literal["waved"] = "waved"
    peaks: Count


class Listened(Message):
    """``listen`` is done. ``samples``: how many were left; 0 without sound."""

    type: Literal["listened"] = "listened"
    samples: Count


class Salvaged(Message):
    """``salvage`` is done; the film lies in the folder. ``lost``: bytes in the holes; ``sound``: seconds;
    ``proven``: the settings were found in the film itself; ``form``: what it is, whatever its name.
    """

    type: Literal["salvaged"] = "salvaged"
    pictures: Count
    holes: Count
    lost: Annotated[int, Field(ge=0, le=2**63)]
    sound: Annotated[float, Field(ge=0, le=1e7)]
    proven: bool
    form: Literal["mov", "avi"]


class Traced(Message):
    """``trace`` is done; the document lies in the folder."""

    type: Literal["traced"] = "traced"


Done = (
    Found
    | Hidden
    | Surveyed
    | Joined
    | Spoken
    | Attacked
    | Proxied
    | Waved
    | Worded
    | Stilled
    | Listened
    | Salvaged
    | Traced
)
DONE: dict[type[Job], type[Done]] = {
    FindJob: Found,
    HideJob: Hidden,
    SurveyJob: Surveyed,
    JoinJob: Joined,
    SpeakJob: Spoken,
    AttackJob: Attacked,
    ProxyJob: Proxied,
    WaveJob: Waved,
    WordsJob: Worded,
    StillsJob: Stilled,
    ListenJob: Listened,
    SalvageJob: Salvaged,
    TraceJob: Traced,
}

JOB: TypeAdapter[Job | ViewJob] = TypeAdapter(Annotated[Job | ViewJob, Field(discriminator="job")])
ANSWER: TypeAdapter[Progress | Failure | Done] = TypeAdapter(
    Annotated[Progress | Failure | Done, Field(discriminator="type")]
)
