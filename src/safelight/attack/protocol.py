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
from typing import BinaryIO, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.moments import Glimpse, heaviest
from safelight.attack.verdict import MAX_EVIDENCE, MAX_MOMENTS, Evidence, Figure, Finding, Outcome
from safelight.geometry import Box
from safelight.media.facts import ClipFacts
from safelight.media.read import Picture
from safelight.plan import Plan, Region

_LIMITED = np.array([round(16 + value * 219 / 255) for value in range(256)], np.uint8)  # full range to limited


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

    def held(self, width: int, height: int) -> NDArray[np.bool_]:
        """Which pixels of a picture of that size, (height, width), the file holds: all that were not cropped away."""
        return np.ones((height, width), np.bool_)

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
    pair's. ``repeated``: the original's picture was in the last pair already. ``cut``: pictures of the original before
    the copy's first, where there is no original to tell.

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
    cut: int = 0

    @property
    def original_index(self) -> int:
        """Number of the moment in the original, hence in the plan."""
        return self.original.picture.index if self.original is not None else self.index + self.cut


@dataclass(frozen=True)
class SoundPair:
    """The same stretch of time, at most a second, of the copy's sound and the original's, mixed to one channel.

    ``rate``: samples a second, as the attacker asked. ``first``: number of the first sample; 0 is the moment of the
    original's first picture (without an original the copy's), and sound before it counts below 0. ``copy``: (n,)
    float32, -1 to 1, zeros where the file has no sound. ``original``: likewise; None without an original or where it
    has no sound.
    """

    rate: int
    first: int
    copy: NDArray[np.float32]
    original: NDArray[np.float32] | None = None

    @property
    def seconds(self) -> float:
        """Time of the first sample, counted from that picture."""
        return self.first / self.rate


@dataclass
class Notes:
    """What is left behind besides findings: proposals for the plan, moments for the contact sheet.

    ``originals_left``: pictures that the original has after the copy's last one. ``cut``: seconds of the original that
    the plan cut off before the copy's first picture. ``alive``: to be called now and then
    by whoever works long without looking at pictures, or the worker is taken for stuck.
    """

    proposals: list[Region] = field(default_factory=list)
    moments: list[Glimpse] = field(default_factory=list)
    originals_left: int = 0
    cut: float = 0.0
    alive: Callable[[], None] = lambda: None

    def wants(self, weight: float) -> bool:
        """Whether a moment of that weight has a chance to be shown; drawing others is wasted."""
        return len(self.moments) < MAX_MOMENTS or weight > self.moments[-1].weight

    def moment(self, weight: float, attacker: str, pair: Pair, why: str, png: bytes) -> None:
        """Offer a picture of the copy for the sheet; the heaviest are kept."""
        self.moments = heaviest([*self.moments, Glimpse(weight, attacker, pair.index, pair.seconds, why, png)])


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
