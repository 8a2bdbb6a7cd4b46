"""Near duplicates: what each clip of a case can be known again by, and which other clips show the same.

A clip is looked at once, by a confined worker; the result is sealed beside it. All comparing happens on what is sealed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from safelight.custody.case import Case
from safelight.custody.catalogue import Clip
from safelight.custody.entry import Act
from safelight.custody.intake import Watch
from safelight.custody.known import Known, lines_of
from safelight.custody.lend import lent
from safelight.custody.near import Stretch, stretches
from safelight.custody.trace import LARGEST, Trace
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.outputs import memory_folder, private_folder
from safelight.workers.messages import TraceJob
from safelight.workers.parent import left, run

KIND = "trace"
_NO_FILM = frozenset(  # the file is no film, or none that can be read: looking again would not help
    {
        Code.EMPTY,
        Code.NOT_MEDIA,
        Code.NO_PICTURE,
        Code.NO_FRAMES,
        Code.TRUNCATED,
        Code.DAMAGED,
        Code.UNSUPPORTED,
        Code.TOO_LARGE,
    }
)


@dataclass(frozen=True)
class Near:
    """Something that shows the same as a clip. ``other``: another clip's name, or the label of known material."""

    other: str
    stretches: list[Stretch]
    known: bool = False

    def __str__(self) -> str:
        what = "known as " if self.known else ""
        return f"{what}{self.other}: " + (", ".join(map(str, self.stretches)) or "the same bytes")


@dataclass(frozen=True)
class Compared:
    """One clip beside all others. ``refusal``: why it could not be looked at."""

    clip: Clip
    near: list[Near]
    refusal: SafelightError | None = None


def trace_of(original: Original, *, watch: Watch, cancel: threading.Event) -> Trace:
    """What an original is recognised by; a file without pictures has a trace that says why.

    Raises what :func:`safelight.workers.parent.run` raises when looking again may help; Cancelled; SL-CHANGED.
    """
    watch.stage("comparing")
    with private_folder(memory_folder()) as folder:
        try:
            run(TraceJob(), original.descriptor, folder, progress=watch.progress, cancel=cancel)
        except SafelightError as error:
            if error.code not in _NO_FILM:
                error.file = error.file or printable(original.path)
                raise
            return Trace(refused=error.code)
        original.require_unchanged()
        return Trace.parse(left(folder / "trace.json", LARGEST).read_bytes())


def known_lines(
    films: list[Path], label: str | None, *, watch: Callable[[Path], Watch], cancel: threading.Event
) -> Iterator[str]:
    """Lines of a list of known material, for clips that are no secret. Raises like :func:`trace_of`."""
    for film in films:
        with Original(film) as original:
            trace = trace_of(original, watch=watch(film), cancel=cancel)
            if trace.refused is not None:
                raise SafelightError(trace.refused, "It holds no pictures to be known by.", file=printable(film))
            yield from lines_of(original.sha256(), trace, printable(Path(label or film.name)))


def compare(
    case: Case, clips: list[Clip], known: Known, *, watch: Callable[[Path], Watch], cancel: threading.Event
) -> Iterator[Compared]:
    """Hold clips against all others of the case and against known material; look first at those that were not yet.

    A clip that was not looked at before gets its trace sealed, and the log says what it is near to. Raises what sealing
    raises (SL-DISK-FULL and the like) and Cancelled; what one clip is refused for is yielded.
    """
    traces = Traces(case)
    for clip in clips:
        try:
            fresh = None
            if traces.of(clip) is None:
                with lent(case, clip, "compare") as original:
                    fresh = trace_of(original, watch=watch(Path(clip.name)), cancel=cancel)
                traces.keep(clip, fresh)
            near = _near(case, clip, traces, known)
            if fresh is not None:
                case.seal_documents(clip, {KIND: fresh.to_bytes()}, Act.TRACED, "\n".join(map(str, near)))
        except SafelightError as error:
            if error.code in (Code.DISK_FULL, Code.NOT_WRITABLE):
                raise
            yield Compared(clip, [], error)
        else:
            yield Compared(clip, near)


def _near(case: Case, clip: Clip, traces: Traces, known: Known) -> list[Near]:
    mine = traces.of(clip)
    assert mine is not None
    found = [
        Near(label, [], known=True) for digest in (clip.sha256, clip.blake3) for label in known.hashes.get(digest, [])
    ]
    exact = {near.other for near in found}
    for label, hashes in known.seen:
        shared = stretches(mine.pictures, hashes) if label not in exact else []
        found += [Near(label, shared, known=True)] if shared else []
    for other in case.catalogue.clips():
        theirs = traces.of(other) if other.number != clip.number else None
        shared = stretches(mine.pictures, theirs.pictures) if theirs is not None else []
        found += [Near(other.name, shared)] if shared else []
    return found


class Traces:
    """The traces that are sealed in a case, each opened once."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._kept: dict[int, Trace | None] = {}

    def of(self, clip: Clip) -> Trace | None:
        """A clip's trace; None when it was not looked at yet."""
        if clip.number not in self._kept:
            sealed = self._case.document(clip, KIND)
            self._kept[clip.number] = Trace.parse(sealed) if sealed is not None else None
        return self._kept[clip.number]

    def keep(self, clip: Clip, trace: Trace) -> None:
        """Know a trace that was just made."""
        self._kept[clip.number] = trace
