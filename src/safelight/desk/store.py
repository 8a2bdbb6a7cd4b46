"""What the desk needs of the place where clips, plans and copies live: a folder of results, or a case."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from safelight.desk.journal import Lines
from safelight.desk.risk import Hit
from safelight.inputs import Original
from safelight.kept import Kept
from safelight.media.facts import Gap
from safelight.observer import Observer
from safelight.plan import Plan


class State(StrEnum):
    """How far a clip is; each includes the ones before."""

    FOUND = "found"
    IN_REVIEW = "in review"
    ATTACKED = "attacked"
    APPROVED = "approved"
    PUBLISHED = "published"


@dataclass(frozen=True)
class Entry:
    """A clip the desk can open. ``name`` is a stranger's text: to be shown, never to be used as a path or as markup."""

    id: str
    name: str


@dataclass(frozen=True)
class Signature:
    """Who signed this copy, and when (UTC)."""

    who: str
    when: str


@dataclass(frozen=True)
class Standing:
    """What lies there of a clip's copy. ``copy``: SHA-256, empty without one. ``of_plan``: SHA-256 of the plan the copy
    was made from. ``outcome``: of the attack of exactly this copy, empty when there was none. ``signed``: for exactly
    this copy and attack. ``checking``: there is a copy whose hash is not known yet, so nothing is known of it.
    """

    copy: str = ""
    of_plan: str = ""
    outcome: str = ""
    sentence: str = ""
    hits: tuple[Hit, ...] = ()
    gaps: tuple[Gap, ...] = ()
    signed: tuple[Signature, ...] = ()
    published: bool = False
    checking: bool = False


class Taken(Protocol):
    """A clip that nobody else can edit until it is given back."""

    @property
    def lines(self) -> Lines:
        """The clip's journal."""

    @property
    def kept(self) -> Kept:
        """Pieces of the copy that was made last; gone when the clip is given back."""

    def close(self) -> None:
        """Give it back."""


class Store(Protocol):
    """A place of clips. Every method may be called from any thread; ``clip`` is an id that :meth:`entries` gave."""

    @property
    def signatures(self) -> int:
        """How many different people must sign a copy."""

    @property
    def members(self) -> list[str]:
        """Who may sign, by pseudonym; empty when anyone who gives a name may."""

    def entries(self) -> list[Entry]:
        """All clips, by name."""

    def name(self, clip: str) -> str:
        """The clip's name. Raises SL-NOT-FOUND."""

    def plan(self, clip: str) -> Plan:
        """The plan as it lies there. Raises SafelightError."""

    def save(self, clip: str, text: bytes) -> None:
        """Put the text of a plan in place of the one that lies there, at once or not at all. Raises SafelightError."""

    def stamp(self, clip: str) -> object:
        """Another one whenever plan or journal changed, by whomever."""

    def taken_by(self, clip: str) -> str | None:
        """Who has the clip in another process, empty when that is not told; None when nobody has. Not to be asked of a
        clip that this process has taken.
        """

    def original(self, clip: str) -> Original:
        """The clip itself, opened; the caller closes it. Whether it is the one the plan is for may still be being
        found out: see :meth:`proven`. Raises SL-NOT-FOUND, SL-PLAN-OTHER-CLIP.
        """

    def proven(self, clip: str, original: Original) -> float:
        """How much of the clip was read to know that it is the plan's, from 0 to 1; 1: it is.

        Raises SL-PLAN-OTHER-CLIP as soon as it is known to be another one, SL-CHANGED.
        """

    def prove(self, clip: str, original: Original) -> None:
        """Return when the clip is known to be the plan's. Raises like :meth:`proven`."""

    def journal(self, clip: str) -> list[bytes]:
        """The lines of the clip's journal, to look at."""

    def take(self, clip: str) -> Taken:
        """Keep every other process from editing the clip. Raises SL-DESK-TAKEN."""

    def standing(self, clip: str) -> Standing:
        """What is known of the copy. Cheap when nothing changed since the last time."""

    def copy(self, clip: str) -> Original:
        """The copy, opened; the caller closes it. Raises SL-NOT-FOUND."""

    def make(self, clip: str, plan: Plan, kept: Kept, observer: Observer, cancel: threading.Event) -> None:
        """Make the copy of a plan, with what is ``kept`` of an earlier one, and attack it. Raises SafelightError,
        Cancelled.
        """

    def sign(self, clip: str, who: str, standing: Standing) -> None:
        """Sign exactly the copy and the attack of ``standing``. Raises SL-NOT-READY when they changed meanwhile."""

    def publish(self, clip: str, who: str, standing: Standing) -> None:
        """Note that the copy of ``standing``, which was approved, went out."""

    def note(self, clip: str, who: str, act: str) -> None:
        """Write an act into the log of the whole place, where it has one."""
