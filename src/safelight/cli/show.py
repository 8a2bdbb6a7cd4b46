"""How running work looks in a terminal: one line per clip with stage, bar, speed and time left."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from safelight.inputs import printable

NAME_WIDTH = 36
STAGES = {
    "reading": "sealing hash",
    "sealing": "sealing",
    "finding": "finding",
    "hiding": "hiding",
    "attacking": "attacking",
}


class _Name(ProgressColumn):
    def render(self, task: Task) -> Text:
        name = str(task.fields["name"])  # as text, never as markup: names come from strangers
        short = name if len(name) <= NAME_WIDTH else "…" + name[-NAME_WIDTH + 1 :]
        return Text(short.ljust(NAME_WIDTH))


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.speed
        if speed is None:
            return Text("")
        return Text(f"{speed / 1e6:.0f} MB/s" if task.fields["unit"] == "bytes" else f"{speed:.1f} frames/s")


class Display:
    """Progress of a batch on standard error. Context manager; silent when ``quiet``."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self.console = console
        self._progress = Progress(
            _Name(),
            TextColumn("{task.fields[stage]:12}"),
            BarColumn(bar_width=24),
            _Speed(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet,
        )

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def watch(self, path: Path) -> ClipWatch:
        """A line for one clip."""
        return ClipWatch(self._progress, printable(Path(path.name)), self.console)

    def print(self, text: Text) -> None:
        """A line above the bars."""
        self._progress.console.print(text, soft_wrap=True)


class ClipWatch:
    """The line of one clip; an observer for `protect`."""

    def __init__(self, progress: Progress, name: str, console: Console) -> None:
        self._progress = progress
        self._name = name
        self._task: TaskID | None = None
        self._plain = not console.is_terminal  # a log file gets a line now and then instead of a moving bar
        self._stage = ""
        self._next_line = 0.0
        self._began = 0.0

    def stage(self, name: str) -> None:
        """Begin a stage with a fresh bar."""
        self.done()
        self._stage = STAGES.get(name, name)
        self._began = time.monotonic()
        self._next_line = self._began + 10
        unit = "bytes" if name in ("reading", "sealing", "salvaging", "carving") else "frames"
        self._task = self._progress.add_task("", name=self._name, stage=self._stage, unit=unit, total=None)

    def progress(self, done: int, total: int | None) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total if total and total >= done else None)
        now = time.monotonic()
        if self._plain and now >= self._next_line and not self._progress.disable:
            self._next_line = now + 10
            of = f" of {total}" if total else ""
            speed = done / max(now - self._began, 1e-6)
            left = f", about {(total - done) / speed:.0f} s left" if total and total > done and speed > 0 else ""
            self._progress.console.print(
                Text(f"{self._name}: {self._stage} {done}{of} ({speed:.1f}/s{left})"), soft_wrap=True
            )

    def done(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
