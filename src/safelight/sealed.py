"""Work on a clip of a case: the original lent, everything made of it in memory, sealed when the work ends.

Only the finished copy goes to a folder outside. What a killed run leaves lies in memory (tmpfs), is swept by the next
run, and is gone when the machine is switched off.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from safelight.account import Account, FileFacts, Options
from safelight.batch import Result
from safelight.carve import ending_of, found_in, program
from safelight.custody.case import Case
from safelight.custody.catalogue import Clip
from safelight.custody.entry import Act
from safelight.custody.intake import derive
from safelight.custody.lend import lent, require_memory
from safelight.custody.paper import Paper
from safelight.custody.shared import ClipLock
from safelight.errors import Cancelled, Code, SafelightError
from safelight.inputs import Original, printable
from safelight.names.people import Roster, Sought
from safelight.observer import Observer
from safelight.outputs import COPIES, Names, memory_folder, private_folder, publish, writing
from safelight.protect import protect
from safelight.salvage import SALVAGED, made
from safelight.workers.messages import Salvaged
from safelight.workers.parent import left

IN_THE_CASE = Path("(sealed in the case)")  # stands where a path is printed and there is none


@dataclass(frozen=True)
class Place:
    """Where a command works on one clip. ``source``: what it reads; ``names``: where it writes."""

    source: Path | Original
    names: Names
    case: Case | None = None

    @property
    def sealed(self) -> bool:
        """Whether this is in a case."""
        return self.case is not None

    def people(self) -> Sought:
        """Whose names are sealed in the case, if this is in one."""
        return sought_in(self.case) if self.case is not None else Sought()

    def shown(self, path: Path) -> str:
        """A result as it is printed: where it will lie, or that it is sealed."""
        return printable(IN_THE_CASE / path.name if self.sealed else path)


def sought_in(case: Case) -> Sought:
    """Whose names are sealed in the case; its log says that they were read. Raises SL-CASE-BROKEN, SL-NAMES-INVALID."""
    paper = Paper(case)
    known = paper.load()
    if known is None:
        return Sought()
    return Sought(tuple(tuple(person) for person in Roster.from_json(known).spellings), paper.version())


def documents(names: Names) -> dict[str, Path]:
    """What is sealed beside an original: kind → the file it comes from."""
    return {
        "plan": names.plan,
        "account": names.account,
        "sheet": names.sheet,
        "report": names.report,
        "verdict": names.verdict,
        "timeline": names.timeline,
    }


@contextmanager
def room(case: Case, clip: Clip, out: Path, why: str) -> Iterator[Place]:
    """A clip of a case laid out in memory as if in a folder; afterwards, also after a refusal, its results are sealed.

    ``out``: where the copy of an earlier run may lie, and a new one goes once everything else is sealed. ``why``: the
    command, for the log. Raises what :func:`safelight.custody.lend.lent` raises; SL-IN-THE-WAY when a file in ``out``
    that is none of ours has the copy's name; SL-DESK-TAKEN when a desk has the clip; SL-DISK-FULL, SL-NOT-WRITABLE.
    """
    with closing(ClipLock(case, clip)), private_folder(memory_folder()) as folder:
        names, outside = Names(folder, clip.name), Names(out, clip.name)
        kept = lay_out(case, clip, names, outside)
        try:
            with lent(case, clip, why) as original:
                yield Place(original, names, case)
        except SafelightError as error:
            error.detail = error.detail.replace(f"{folder}/", f"{IN_THE_CASE}/")
            seal_results(case, clip, names, outside, kept)
            raise
        seal_results(case, clip, names, outside, kept)


def protect_sealed(
    case: Case,
    words: list[str],
    out: Path,
    options: Options,
    *,
    watch: Callable[[Path], Observer],
    cancel: threading.Event,
) -> Iterator[Result]:
    """Protect clips of a case (all when ``words`` is empty), one after the other; yields results as they come.

    The names that are sealed in the case are looked for in each copy.
    """
    clips = [case.clip(word) for word in words] or case.catalogue.clips()
    sought = sought_in(case) if clips else Sought()
    for clip in clips:
        shown = Path(clip.name)
        try:
            if cancel.is_set():
                raise Cancelled
            with room(case, clip, out, "protect") as place:
                outcome = protect(
                    place.source, place.names, options, sought=sought, observer=watch(shown), cancel=cancel
                )
            names = Names(IN_THE_CASE, clip.name)
            yield Result(shown, replace(outcome, names=names, copy=out / outcome.copy.name), None)
        except SafelightError as error:
            yield Result(shown, None, error)
        except Cancelled:
            stopped = SafelightError(Code.INTERRUPTED, "Stopped before it was finished.", file=clip.name)
            yield Result(shown, None, stopped)


def salvage_sealed(
    case: Case,
    damaged: Clip,
    like: Clip,
    *,
    progress: Callable[[int, int | None], None],
    cancel: threading.Event,
) -> tuple[Salvaged, str]:
    """Salvage a clip of a case with the settings of another; the new film becomes a clip too, and its name is returned.

    Both originals stay as they are; the log ties the new clip to them. The new film stands in memory until it is
    sealed. Raises like :func:`safelight.salvage.salvage`, and what :func:`safelight.custody.lend.lent` raises.
    """
    with (
        private_folder(memory_folder()) as folder,
        lent(case, damaged, "salvage") as source,
        lent(case, like, f"settings for the salvage of {damaged.name}") as good,
    ):
        done = made(source, good, folder, progress=progress, cancel=cancel)
        note = f"salvaged from {damaged.name} with the settings of {like.name}"
        with Original(left(folder / SALVAGED)) as film:
            return done, derive(case, film, damaged, f".salvaged.{done.form}", note).name


def carve_sealed(
    case: Case, image: Clip, *, progress: Callable[[int, int | None], None], cancel: threading.Event
) -> tuple[list[str], int]:
    """Seal the films that an image of a card holds as clips, tied to it in the log; returns their names, and how many
    finds were too small.

    The image stays as it is. Raises like :func:`safelight.carve.found_in` and :func:`safelight.custody.lend.lent`.
    """
    program()
    require_memory(2 * image.size, image)  # what is found can be as long as the image
    with private_folder(memory_folder()) as folder, lent(case, image, "carve") as source:
        carved = found_in(source, folder, progress=progress, cancel=cancel)
        names = []
        for path in carved.films:
            with Original(path) as film:
                note = f"carved from {image.name} by PhotoRec"
                names.append(derive(case, film, image, ending_of(path), note).name)
            path.unlink()  # it is sealed: the memory is given back
        return names, carved.crumbs


def lay_out(case: Case, clip: Clip, names: Names, outside: Names) -> dict[str, bytes]:
    """Write the clip's documents, and the copy that lies outside, where the work expects them."""
    kept: dict[str, bytes] = {}
    with writing(names.folder):
        for kind, path in documents(names).items():
            data = case.document(clip, kind)
            if data is not None:
                path.write_bytes(data)
                kept[kind] = data
        for extension in COPIES:
            copy = outside.copy(extension)
            if os.path.lexists(copy):
                if "account" not in kept:
                    raise SafelightError(Code.IN_THE_WAY, "It is no copy of this clip.", file=printable(copy))
                shutil.copyfile(copy, names.copy(extension))
    return kept


def seal_results(case: Case, clip: Clip, names: Names, outside: Names, kept: dict[str, bytes]) -> None:
    """Seal what is new, then let the copy out, or take an earlier one away that was withdrawn."""
    made = {kind: path.read_bytes() for kind, path in documents(names).items() if path.is_file()}
    new = {kind: data for kind, data in made.items() if kept.get(kind) != data}
    account = Account.load(names.account)
    if new:
        act = Act.PROTECTED if "account" in new else Act.ATTACKED if "verdict" in new else Act.PLAN
        note = f"copy {account.copy_.sha256}" if "account" in new and account is not None else ""
        case.seal_documents(clip, new, act, note)
    for extension in COPIES:
        copy, final = names.copy(extension), outside.copy(extension)
        if copy.is_file() and not (final.is_file() and FileFacts.of(final) == FileFacts.of(copy)):
            with private_folder(outside.folder) as work:
                with writing(work):
                    shutil.copyfile(copy, work / copy.name)
                publish([(work / copy.name, final)])
        elif not copy.exists() and final.exists():
            with writing(outside.folder):
                final.unlink()
