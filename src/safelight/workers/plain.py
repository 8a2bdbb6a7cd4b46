"""Pictures that a worker left for a person's eyes: taken only when they hold nothing but a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.workers.parent import left

MAX_FILE = 256 << 20  # bytes
MAX_PIXELS = 1 << 28


@dataclass(frozen=True)
class Plain:
    """A kind of picture. ``wrong_with``: says what is wrong with one, None when it is plain."""

    kind: str
    wrong_with: Callable[[bytes], str | None]

    def require(self, data: bytes, name: str) -> None:
        """Raise SL-WORKER-LIED when a worker's picture is not plain."""
        wrong = self.wrong_with(data)
        if wrong:
            raise SafelightError(Code.WORKER_LIED, f"{name} is not a plain {self.kind}: {wrong}.")

    def left(self, path: Path, limit: int = MAX_FILE) -> Path:
        """What a worker left: ``path``, if it is of at most ``limit`` bytes and plain. Raises SL-WORKER-LIED."""
        self.require(left(path, limit).read_bytes(), path.name)
        return path
