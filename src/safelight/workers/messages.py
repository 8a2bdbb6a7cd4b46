"""What the program says to a worker, and what a worker may say back.

Messages are JSON, one per line, never pickles: a worker that a hostile file has taken over must not be able to run code
in the program. Everything a worker says is validated here as if a stranger had written it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from safelight.errors import Code
from safelight.media.facts import ClipFacts, Gap
from safelight.plan import Asked

MAX_LINE = 1 << 20  # bytes; a plan travels as a file, everything else is small

Count = Annotated[int, Field(ge=0, le=2**31)]
Share = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FindJob(Message):
    """Find what must be hidden and leave the plan as ``plan.json`` in the worker's folder."""

    job: Literal["find"] = "find"
    sha256: Sha256
    asked: Asked = Asked()
    accept_damaged: bool = False


class HideJob(Message):
    """Carry out ``plan.json`` of the worker's folder; leave the copy and the contact sheet there."""

    job: Literal["hide"] = "hide"
    accept_damaged: bool = False
    speech: bool = False  # the speech of the plan's cues lies in the folder


class SpeakJob(Message):
    """Speak the cues of ``plan.json`` in the worker's folder and leave the speech there. Needs no clip."""

    job: Literal["speak"] = "speak"


class AttackJob(Message):
    """Attack a copy and leave the verdict as ``verdict.json`` in the worker's folder, pictures for it beside.

    ``original``: the inherited descriptor of the original, None when there is none. ``plan``: ``plan.json`` lies in the
    folder. ``names``: protected people, each with the spellings of the name. ``file_name``: of the copy.
    """

    job: Literal["attack"] = "attack"
    original: Annotated[int, Field(ge=0)] | None = None
    plan: bool = False
    names: list[list[str]] = []
    file_name: str = ""
    all_frames: bool = False


Job = FindJob | HideJob | SpeakJob | AttackJob


class Progress(Message):
    """How far the worker is, in frames; ``total`` is the container's claim and may be wrong."""

    type: Literal["progress"] = "progress"
    done: Count
    total: Count | None = None


class Failure(Message):
    """The worker refuses the file."""

    type: Literal["failure"] = "failure"
    code: Code
    detail: Annotated[str, Field(max_length=4000)]


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
    frames_read: Count
    frames_written: Count
    frames_hidden: Count
    share_mean: Share
    share_max: Share
    missing: Annotated[list[Gap], Field(max_length=10_000)]


class Spoken(Message):
    """``speak`` is done; the speech lies in the folder."""

    type: Literal["spoken"] = "spoken"
    cues: Count


class Attacked(Message):
    """``attack`` is done; the verdict lies in the folder."""

    type: Literal["attacked"] = "attacked"


Done = Found | Hidden | Spoken | Attacked
DONE: dict[type[Job], type[Done]] = {FindJob: Found, HideJob: Hidden, SpeakJob: Spoken, AttackJob: Attacked}

JOB: TypeAdapter[Job] = TypeAdapter(Annotated[Job, Field(discriminator="job")])
ANSWER: TypeAdapter[Progress | Failure | Done] = TypeAdapter(
    Annotated[Progress | Failure | Done, Field(discriminator="type")]
)
