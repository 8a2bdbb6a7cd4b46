"""Pieces of the copy that was made last, for the next one: where nothing of the plan changed, the piece is the same.

For a person who mends a long film and has its copy made again and again. A piece follows from the film, from what of
the plan lies in it and from the lots of the treatment against sensor noise, so all copies made with one of these have
the same lots. Two copies that both went out would then differ only where their plans do; two with lots of their own
would differ everywhere, and tell more.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import ExitStack
from pathlib import Path

from safelight.outputs import private_folder, writing
from safelight.workers.messages import KEY_BYTES, Hidden, HideJob

_Files = tuple[Path, Path]  # the piece of the copy, and its pictures for the contact sheet


class Kept:
    """Of one clip, one copy at a time. Close it: then all of it is gone.

    ``key``: the lots, hexadecimal; in memory only.
    """

    def __init__(self, target: Path) -> None:
        """``target``: the folder on whose file system copies are made; a private folder in it appears when needed."""
        self.key = _draw()
        self._target = target
        self._stack = ExitStack()
        self._folder: Path | None = None
        self._pieces: dict[str, tuple[Hidden, _Files]] = {}

    @staticmethod
    def name(job: HideJob, plan: str) -> str:
        """Of the piece that a worker makes who gets this job and this plan, which names the film by its hash."""
        return hashlib.sha256(f"{job.model_dump_json()}\n{plan}".encode()).hexdigest()

    def has(self, name: str) -> bool:
        """Whether that piece is there."""
        return name in self._pieces and all(file.is_file() for file in self._pieces[name][1])

    def take(self, name: str, copy: Path, tiles: Path) -> Hidden:
        """Move a piece that is there to where it is joined; :meth:`put` brings it back. What its worker said."""
        done, files = self._pieces.pop(name)
        with writing(copy.parent):
            for file, target in zip(files, (copy, tiles), strict=True):
                file.replace(target)
        return done

    def renew(self) -> None:
        """Draw other lots, so that nothing that is there can be used any more."""
        self.put({})
        self.key = _draw()

    def put(self, pieces: dict[str, tuple[Hidden, _Files]]) -> None:
        """Keep the pieces of a copy, and no others: their files are moved here."""
        with writing(self._target):
            for _, files in self._pieces.values():
                for file in files:
                    file.unlink(missing_ok=True)
            self._pieces.clear()
            if not pieces:
                return
            folder = self._own()
            for number, (name, (done, files)) in enumerate(pieces.items()):
                moved = folder / f"{number}.mp4", folder / f"{number}.npz"
                for file, target in zip(files, moved, strict=True):
                    file.replace(target)
                self._pieces[name] = done, moved

    def _own(self) -> Path:
        if self._folder is None:
            self._folder = self._stack.enter_context(private_folder(self._target))
        return self._folder

    def close(self) -> None:
        """Remove everything."""
        self._pieces.clear()
        self._folder = None
        self._stack.close()


def _draw() -> str:
    return secrets.token_hex(KEY_BYTES)
