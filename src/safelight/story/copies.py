"""The published copies a story uses: how long they are, and pictures out of them. Workers do the looking."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.inputs import Original
from safelight.outputs import publish
from safelight.story.parts import Story
from safelight.workers.jpeg import jpeg_left
from safelight.workers.messages import Stilled, StillsJob
from safelight.workers.parent import run

_PICTURE_MOST = 32 << 20  # bytes


@dataclass(frozen=True)
class CopyFacts:
    """What a copy is: pixels as shown, seconds, bytes."""

    width: int
    height: int
    duration: float
    size: int


class Copies:
    """Looks at each copy once, when it is first asked for."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._facts: dict[str, CopyFacts] = {}

    def of(self, clip: str) -> CopyFacts:
        """Facts of a clip's copy. Raises SafelightError when it cannot be read."""
        if clip not in self._facts:
            file = self._story.book.clips[clip].file
            with Original(self._story.folder / file) as opened:
                done = _stills(opened, file, [], {})
                self._facts[clip] = CopyFacts(done.width, done.height, done.duration, opened.size)
        return self._facts[clip]

    def pictures(self, file: str, seconds: list[float], targets: dict[int, list[Path]]) -> Stilled:
        """Write the pictures at ascending seconds as JPEG; for each width in pixels the targets, one a second."""
        with Original(self._story.folder / file) as opened:
            return _stills(opened, file, seconds, targets)


def _stills(opened: Original, file: str, seconds: list[float], targets: dict[int, list[Path]]) -> Stilled:
    beside = next((paths[0].parent for paths in targets.values()), None)
    with tempfile.TemporaryDirectory(prefix="safelight-stills-", dir=beside) as folder:
        work = Path(folder)
        job = StillsJob(seconds=seconds, widths=list(targets))
        try:
            done = run(job, opened.descriptor, work, progress=lambda done, total: None, cancel=threading.Event())
        except SafelightError as error:
            error.file = error.file or file
            raise
        assert isinstance(done, Stilled)
        if done.count != len(seconds):
            raise SafelightError(Code.WORKER_LIED, "Fewer pictures came than were asked for.", file=file)
        for width, paths in targets.items():
            made = [jpeg_left(work / f"still-{n:02d}-{width}.jpg", _PICTURE_MOST) for n in range(len(seconds))]
            publish(list(zip(made, paths, strict=True)))
    return done
