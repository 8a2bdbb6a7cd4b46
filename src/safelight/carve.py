"""Deleted films out of an image of a card: found by PhotoRec, if it is installed, which is held in like a worker.

PhotoRec (Debian's package testdisk, GPL, a program of its own) finds files by how they begin and follow. The image is
only read and stays the original. What is found may be cut off or mixed up; it is a film only when it can be read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from safelight.errors import Cancelled, Code, SafelightError
from safelight.inputs import Original, printable
from safelight.outputs import private_folder, publish
from safelight.workers.confine import Bounds, require
from safelight.workers.guest import REFUSED
from safelight.workers.parent import died, left

PROGRAM = "photorec"
LEAST = 64 << 10  # bytes: smaller finds are crumbs of transport streams, hundreds of them on a card, and show nothing
_KINDS = ("mov", "riff", "m2ts", "ts", "mpg", "asf", "mkv")  # PhotoRec's names; mov: MP4 too, riff: AVI
_MOST = 20_000  # files
_ROOM = 64 << 20  # bytes that it writes besides what it finds
_LOOK = 0.2  # seconds


@dataclass(frozen=True)
class Carved:
    """What was found. ``films``: files in the order they lie on the card; ``crumbs``: how many were too small."""

    films: list[Path]
    crumbs: int


def program() -> Path:
    """Where PhotoRec is. Raises SL-TOOL-MISSING."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise SafelightError(Code.TOOL_MISSING, "PhotoRec is not installed (Debian and Ubuntu: apt install testdisk).")
    return Path(found).resolve()


def carve(
    image: Path, target: Path, *, progress: Callable[[int, int | None], None], cancel: threading.Event
) -> tuple[list[Path], int]:
    """Write what an image holds into ``target``, named after it; returns the files and the number of crumbs.

    Raises SL-TOOL-MISSING, SL-NOTHING-SAVED, SL-IN-THE-WAY, SL-DISK-FULL, SL-NOT-WRITABLE, what opening the image and
    :func:`found_in` raise.
    """
    program()
    with Original(image) as source, private_folder(target) as folder:
        carved = found_in(source, folder, progress=progress, cancel=cancel)
        moves = [(film, target / f"{image.stem}{ending_of(film)}") for film in carved.films]
        for _, final in moves:
            if os.path.lexists(final):
                raise SafelightError(Code.IN_THE_WAY, "Something lies there already.", file=printable(final))
        publish(moves)
        return [final for _, final in moves], carved.crumbs


def ending_of(film: Path) -> str:
    """What a found film's name is given after the image's: where on the card it was, in sectors, and its kind."""
    return f".{film.name}"


def found_in(
    image: Original, folder: Path, *, progress: Callable[[int, int | None], None], cancel: threading.Event
) -> Carved:
    """Leave what an image holds in a private folder. ``progress``: is told the bytes found so far.

    Raises SL-TOOL-MISSING, SL-NOTHING-SAVED when nothing was found, SL-DISK-FULL when the folder cannot hold as much as
    the image, SL-WORKER-DIED, SL-WORKER-GREW, SL-WORKER-LIED, SL-UNCONFINED, SL-CHANGED; Cancelled.
    """
    place = os.statvfs(folder)
    if place.f_bavail * place.f_frsize < image.size + _ROOM:  # it would end early and not say so
        raise SafelightError(Code.DISK_FULL, f"{image.size + _ROOM >> 20} MiB are needed.", file=printable(image.path))
    require()
    every = "".join(f",{kind},enable" for kind in _KINDS)
    words = ["/d", "out", "/cmd", f"/proc/self/fd/{image.descriptor}"]
    words.append(f"partition_none,options,paranoid,fileopt,everything,disable{every},wholespace,search")
    bounds = Bounds.for_clip(image.size)
    bounds = bounds.model_copy(update={"file": image.size + _ROOM, "folder": 2 * image.size + _ROOM})
    with tempfile.TemporaryFile() as said:
        _run(image, folder, bounds, words, said, progress, cancel)
    image.require_unchanged()
    films, crumbs = [], 0
    for path in sorted(folder.glob("out.*/f*"), key=lambda path: path.name):
        if left(path, image.size).stat().st_size >= LEAST:
            films.append(path)
        else:
            crumbs += 1
        if len(films) > _MOST:
            raise SafelightError(Code.WORKER_GREW, "It found more files than a card can hold.")
    if not films:
        raise SafelightError(Code.NOTHING_SAVED, "No film was found on the card.", file=printable(image.path))
    return Carved(films, crumbs)


def _run(
    image: Original,
    folder: Path,
    bounds: Bounds,
    words: list[str],
    said: IO[bytes],
    progress: Callable[[int, int | None], None],
    cancel: threading.Event,
) -> None:
    command = [sys.executable, "-P", "-m", "safelight.workers.guest", str(image.descriptor), os.fspath(folder)]
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONPATH") if name in os.environ}
    process = subprocess.Popen(
        [*command, bounds.model_dump_json(), os.fspath(program()), *words],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        pass_fds=(image.descriptor,),
        env=environment
        | {"TERM": "vt100", "HOME": os.fspath(folder), "TMPDIR": os.fspath(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        process_group=0,
    )
    try:
        while process.poll() is None:
            if cancel.is_set():
                raise Cancelled
            size = _size(folder)
            if size > bounds.folder:
                raise SafelightError(Code.WORKER_GREW, "It wrote more than a card can hold.")
            progress(size, None)
            time.sleep(_LOOK)
    finally:
        process.kill()
        process.wait()
    if process.returncode == REFUSED:
        said.seek(0)
        raise SafelightError(Code.UNCONFINED, said.read(2000).decode("utf-8", "replace").strip())
    if process.returncode:
        raise died(process, said)


def _size(folder: Path) -> int:
    """Bytes of everything below a folder that changes meanwhile."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                size += (Path(place) / name).lstat().st_size
    return size
