"""What the desk's programming interface says and takes: every body is one of these."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from safelight.desk.edits import Delta, Edit
from safelight.desk.risk import Item
from safelight.desk.store import State
from safelight.plan import Kind, Plan, Shape, SoundAction, SoundKind


class Answer(BaseModel):
    """Base of what is said."""

    model_config = ConfigDict(frozen=True)


class Refusal(Answer):
    """Why something was not done."""

    code: str
    detail: str
    next_step: str


class SessionAnswer(Answer):
    """Who this browser is, and what there is to choose from."""

    name: str
    csrf: str
    signatures: int
    members: list[str]
    kinds: list[Kind] = list(Kind)
    shapes: list[Shape] = list(Shape)
    sounds: list[SoundAction] = list(SoundAction)
    heard: list[SoundKind] = list(SoundKind)


class HolderAnswer(Answer):
    """Who has a clip; at another desk ``who`` may be empty."""

    who: str
    mine: bool


class ClipLine(Answer):
    """A clip in the list. ``seconds``: its length. ``risk``: weight of what nobody looked at yet. ``checking``: its
    copy is still being read, so ``state`` may be farther.
    """

    id: str
    name: str
    state: State | None = None
    seconds: float = 0.0
    tracks: int = 0
    unseen: int = 0
    risk: float = 0.0
    holder: HolderAnswer | None = None
    checking: bool = False
    trouble: str = ""


class Progress(Answer):
    """Something that goes on in the background."""

    stage: str
    done: int
    total: int
    failed: str
    finished: bool


class Signed(Answer):
    """A signature."""

    who: str
    when: str


class ReelAnswer(Answer):
    """The film to play. ``starts``: first frame of each piece; ``ready``: which pieces there are; ``sound``: whether
    there is any.
    """

    starts: list[int]
    ready: list[int]
    sound: bool


class Status(Answer):
    """What changes while a clip is open; asked for every second. ``proven``: how much of the clip was read to know that
    it is the plan's; 1: it is, and edits are taken.
    """

    name: str
    state: State
    version: int
    holder: HolderAnswer | None
    undo: str
    redo: str
    queue: str
    unseen: int
    items: int
    copy_sha256: str
    outcome: str
    sentence: str
    signed: list[Signed]
    missing: list[str]
    making: Progress | None
    film: Progress
    reel: ReelAnswer
    peaks: int
    proven: float


class PlanAnswer(Answer):
    """The plan, what an edit of it must name, and the rate in frames per second."""

    version: int
    rate: float
    plan: Plan


class QueueAnswer(Answer):
    """The risk queue, worst first, and what of it was looked at."""

    stamp: str
    items: list[Item]
    seen: list[str]


class EditAnswer(Answer):
    """What an edit changed."""

    version: int
    delta: Delta
    undo: str
    redo: str


class Asking(BaseModel):
    """Base of what is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NameAsking(Asking):
    """The person in front of this browser."""

    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


class EditAsking(Asking):
    """An edit of the plan with this version."""

    version: int
    edit: Annotated[Edit, Field(discriminator="op")]


class VersionAsking(Asking):
    """Undo or redo in the plan with this version."""

    version: int


class SeenAsking(Asking):
    """Items of the queue that were looked at, or not after all."""

    items: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=5000)]
    seen: bool = True


class SightAsking(Asking):
    """The original is to be shown from this frame on, while a key is held."""

    frame: Annotated[int, Field(ge=0, le=2**31)]
