"""What an attacker is, what it gets to see and what it may answer.

An attacker is made with the :class:`Case`, is shown every :class:`Pair` of pictures in order, once, then, if it
``hears``, every second of sound as a :class:`SoundPair`, and then gives one :class:`Finding`. It may keep little: clips
are long. Where it cannot work it raises SafelightError, which becomes *could not run*. Answers hold places, counts and
figures, never a value of the original's metadata or a piece of its picture or sound: the report must be safe to hand to
a lawyer. A new attacker is one file and one name in the roster of ``run.py``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, BinaryIO, ClassVar, Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from safelight.geometry import Box
from safelight.media.facts import ClipFacts
from safelight.media.read import Picture
from safelight.plan import Plan, Region

_LIMITED = np.array([round(16 + value * 219 / 255) for value in range(256)], np.uint8)  # full range to limited
_MOMENTS = 48  # small pictures of the copy kept until the end; some are shown
MAX_EVIDENCE = 200
MAX_PROPOSALS = 2000

Line = Annotated[str, Field(max_length=600)]
Index = Annotated[int, Field(ge=0, le=2**31)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Document(BaseModel):
    """Base of everything in a verdict. It comes out of a worker, so every field is bounded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Outcome(StrEnum):
    """How an attack ended. ``broken`` and ``could not run`` keep a copy from being published."""

    HELD = "held"
    BROKEN = "broken"
    COULD_NOT_RUN = "could not run"
    NOT_ASKED = "not asked"  # nothing was promised there, or a person did not give what it takes; said in the report

    @property
    def blocks(self) -> bool:
        """Whether a copy with this outcome must not be published."""
        return self in (Outcome.BROKEN, Outcome.COULD_NOT_RUN)


class Figure(Document):
    """One number and what it means, in words."""

    name: Line
    value: Number
    unit: Annotated[str, Field(max_length=40)] = ""
    meaning: Line = ""


class Evidence(Document):
    """One place where protection failed. ``box`` is in pixels of the copy as attackers see it (:class:`Pair`);
    ``offset`` in bytes of its file.
    """

    what: Line
    frame: Index | None = None
    seconds: Number | None = None
    box: tuple[Number, Number, Number, Number] | None = None
    offset: Annotated[int, Field(ge=0)] | None = None
    score: Number | None = None


class Finding(Document):
    """An attacker's answer. ``evidence`` holds the worst; ``evidence_total`` counts all."""

    attacker: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
    title: Annotated[str, Field(max_length=60)] = ""
    question: Line = ""
    outcome: Outcome
    sentence: Line
    tried: Annotated[list[Line], Field(max_length=40)] = []
    figures: Annotated[list[Figure], Field(max_length=60)] = []
    evidence: Annotated[list[Evidence], Field(max_length=MAX_EVIDENCE)] = []
    evidence_total: Index = 0
    not_tried: Annotated[list[Line], Field(max_length=40)] = []


class Moment(Document):
    """A frame of the copy worth looking at, as a small picture ``picture`` that travels beside the verdict."""

    attacker: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
    frame: Index
    seconds: Number
    why: Line
    picture: Annotated[str, Field(pattern=r"^moment-\d{2}\.png$")]


class CopyFacts(Document):
    """Which copy the verdict is about."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(gt=0, le=65536)]
    height: Annotated[int, Field(gt=0, le=65536)]
    frames: Index
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Verdict(Document):
    """All answers together."""

    format: Literal["safelight-verdict"] = "safelight-verdict"
    version: Literal[1] = 1
    safelight: Annotated[str, Field(max_length=50)]
    outcome: Literal[Outcome.HELD, Outcome.BROKEN, Outcome.COULD_NOT_RUN]
    sentence: Line
    copy_: Annotated[CopyFacts, Field(alias="copy")]
    had_original: bool
    had_plan: bool
    findings: Annotated[list[Finding], Field(min_length=1, max_length=20)]
    proposals: Annotated[list[Region], Field(max_length=MAX_PROPOSALS)] = []
    moments: Annotated[list[Moment], Field(max_length=24)] = []
    weights: dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=64)]] = {}

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """A verdict cannot be better than its findings, whoever wrote it."""
        if self.outcome is not overall(self.findings):
            raise ValueError("the verdict's outcome does not follow from its findings")
        return self

    def to_json(self) -> str:
        """The document as text."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def overall(findings: list[Finding]) -> Literal[Outcome.HELD, Outcome.BROKEN, Outcome.COULD_NOT_RUN]:
    """The worst outcome; a copy that nobody attacked did not hold."""
    outcomes = {finding.outcome for finding in findings}
    if Outcome.BROKEN in outcomes:
        return Outcome.BROKEN
    if Outcome.COULD_NOT_RUN in outcomes or Outcome.HELD not in outcomes:
        return Outcome.COULD_NOT_RUN
    return Outcome.HELD


@dataclass(frozen=True)
class Case:
    """What the attackers know.

    ``names``: protected people, each with the spellings of the name. ``file_name``: of the copy, "" when not told.
    ``all_frames``: look at every frame of a long clip too. ``roster``: names of all who attack.
    ``key``: the lots of the treatment against sensor noise, while they are still known. ``seen``: size of the views of
    the copy when it is straightened, else None.
    """

    copy: BinaryIO
    facts: ClipFacts
    original: BinaryIO | None
    original_facts: ClipFacts | None
    plan: Plan | None
    names: tuple[tuple[str, ...], ...] = ()
    file_name: str = ""
    all_frames: bool = False
    roster: tuple[str, ...] = ()
    key: bytes | None = field(default=None, repr=False)
    seen: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the copy's pictures as attackers see them, in pixels; what boxes of evidence refer to."""
        return self.seen or self.own_size

    @property
    def own_size(self) -> tuple[int, int]:
        """(width, height) of the copy as shown by a player, in pixels."""
        return self.facts.raster.shown_size


class View:
    """One picture that several attackers look at: each size is scaled once."""

    def __init__(self, picture: Picture, size: tuple[int, int]) -> None:
        self.picture = picture
        self.size = size
        self._scaled: dict[tuple[int, int], NDArray[np.uint8]] = {}
        self._luma: dict[tuple[int, int], NDArray[np.uint8]] = {}
        self._full_range = picture.full_range

    def luma(self, width: int, height: int) -> NDArray[np.uint8]:
        """The shown picture's luma at that size, (height, width), 16 (black) to 235 (white) whatever the file's range.

        Shared: not to be written to.
        """
        if (width, height) not in self._luma:
            luma = self.picture.luma(width, height)
            self._luma[width, height] = np.asarray(cv2.LUT(luma, _LIMITED), np.uint8) if self._full_range else luma
        return self._luma[width, height]

    def full_luma(self) -> NDArray[np.uint8]:
        """The luma at the picture's own size."""
        return self.luma(*self.size)

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        """The shown picture at that size, (height, width, 3). Shared: not to be written to."""
        if (width, height) not in self._scaled:
            self._scaled[width, height] = self.picture.bgr(width, height)
        return self._scaled[width, height]

    def within(self, side: int) -> NDArray[np.uint8]:
        """The picture scaled down so that its longer side is at most ``side`` pixels; never enlarged."""
        width, height = self.size
        factor = min(side / max(width, height), 1.0)
        return self.bgr(max(round(width * factor), 2), max(round(height * factor), 2))

    def full(self) -> NDArray[np.uint8]:
        """The picture at its own size."""
        return self.bgr(*self.size)


@dataclass(frozen=True)
class Pair:
    """A picture of the copy and the original's picture of the same moment, if the original is at hand.

    ``index``: number in the copy. ``seconds``: since the copy's first picture. ``shift``: seconds by which the copy's
    picture comes later than the original's. ``skipped``: pictures of the original between this pair's and the last
    pair's. ``repeated``: the original's picture was in the last pair already.

    A copy that was treated against sensor noise is shown straightened, in the original's raster (``straight.py``); the
    picture as it is in the file is ``copy.picture``.
    """

    index: int
    seconds: float
    copy: View
    original: View | None = None
    shift: float = 0.0
    skipped: int = 0
    repeated: bool = False

    @property
    def original_index(self) -> int:
        """Number of the moment in the original, hence in the plan."""
        return self.original.picture.index if self.original is not None else self.index


@dataclass(frozen=True)
class SoundPair:
    """The same stretch of time, at most a second, of the copy's sound and the original's, mixed to one channel.

    ``rate``: samples a second, as the attacker asked. ``first``: number of the first sample; 0 is the moment of the
    first picture, in either file, and sound before it counts below 0. ``copy``: (n,) float32, -1 to 1, zeros where the
    file has no sound. ``original``: likewise; None without an original or where it has no sound.
    """

    rate: int
    first: int
    copy: NDArray[np.float32]
    original: NDArray[np.float32] | None = None

    @property
    def seconds(self) -> float:
        """Time of the first sample, counted from the first picture."""
        return self.first / self.rate


@dataclass
class Notes:
    """What is left behind besides findings: proposals for the plan, moments for the contact sheet.

    ``originals_left``: pictures that the original has after the copy's last one. ``alive``: to be called now and then by
    whoever works long without looking at pictures, or the worker is taken for stuck.
    """

    proposals: list[Region] = field(default_factory=list)
    moments: list[tuple[float, str, int, float, str, bytes]] = field(default_factory=list)
    originals_left: int = 0
    alive: Callable[[], None] = lambda: None

    def wants(self, weight: float) -> bool:
        """Whether a moment of that weight has a chance to be shown; drawing others is wasted."""
        return len(self.moments) < _MOMENTS or weight > min(moment[0] for moment in self.moments)

    def moment(self, weight: float, attacker: str, pair: Pair, why: str, png: bytes) -> None:
        """Offer a picture of the copy for the sheet; the heaviest are shown."""
        self.moments.append((weight, attacker, pair.index, pair.seconds, why, png))
        if len(self.moments) > _MOMENTS:
            self.moments.remove(min(self.moments, key=lambda moment: moment[0]))


class Attacker(ABC):
    """One way to undo the protection of a copy.

    ``name``: one short word, never changed. ``title`` and ``question``: for the report, in words. ``tries``: what is
    done, a sentence each. ``hears``: samples a second at which it wants to hear the sound; None for the deaf.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    tries: ClassVar[tuple[str, ...]]
    hears: ClassVar[int | None] = None

    def __init__(self, case: Case, notes: Notes) -> None:
        """Get ready. Raises SafelightError when it cannot run at all."""
        self.case = case
        self.notes = notes

    def watch(self, pair: Pair) -> None:  # noqa: B027 (who attacks the file alone has nothing to watch)
        """Look at one moment. Called for every picture of the copy, in order. Attacks on the file need none."""

    def hear(self, pair: SoundPair) -> None:  # noqa: B027 (most attackers are deaf)
        """Listen to one stretch of sound at the rate ``hears``. Called in order, without gaps, after the last picture;
        never when the copy has no sound track.
        """

    @abstractmethod
    def finding(self) -> Finding:
        """The answer, after the last picture and the last sound."""

    def answer(
        self,
        outcome: Outcome,
        sentence: str,
        *,
        figures: list[Figure] | None = None,
        evidence: list[Evidence] | None = None,
        not_tried: list[str] | None = None,
    ) -> Finding:
        """A finding in this attacker's name; of more than MAX_EVIDENCE pieces the first are kept and all counted."""
        evidence = evidence or []
        return Finding(
            attacker=self.name,
            title=self.title,
            question=self.question,
            outcome=outcome,
            sentence=sentence,
            tried=list(self.tries),
            figures=[f for f in figures or [] if math.isfinite(f.value)],
            evidence=evidence[:MAX_EVIDENCE],
            evidence_total=len(evidence),
            not_tried=not_tried or [],
        )


def rounded(box: Box) -> tuple[float, float, float, float]:
    """A box as it is printed: tenths of a pixel."""
    x1, y1, x2, y2 = (round(side, 1) for side in box)
    return x1, y1, x2, y2
