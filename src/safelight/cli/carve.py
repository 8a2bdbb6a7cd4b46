"""`safelight carve`: deleted films out of the image of a card."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight.carve import carve as carve_image
from safelight.cli.opening import Identity, InCase, open_case
from safelight.cli.options import Unconfined
from safelight.cli.protect import cancel_on_signals
from safelight.cli.salvage import as_text
from safelight.cli.show import ClipWatch, Display
from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.salvage import named, salvage

if TYPE_CHECKING:
    from safelight.custody.case import Case

EXAMPLES = (
    "**Examples**\n\n`safelight carve card.img -o work`\n\n"
    "`safelight carve --case story clip-0007 --like clip-0006` — nothing leaves the case; films that were cut off are "
    "salvaged with the settings of clip-0006"
)


def carve(
    image: Annotated[Path, typer.Argument(help="Image of a whole card (dd); only read.", show_default=False)],
    like: Annotated[
        Path | None,
        typer.Option(
            help="A whole clip of the same camera: films without an index are salvaged too.", show_default=False
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the films.")] = Path("carved"),
    unconfined: Unconfined = False,
    case: InCase = None,
    identity: Identity = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only results.")] = False,
) -> None:
    """Find deleted films in the image of a card with PhotoRec, held in like a worker.

    Films are MP4, MOV, AVI, MTS and the like. PhotoRec must be installed (Debian: testdisk). The image stays the
    original. With --case it is a clip of the case, and each film becomes a clip too; the log says of which image.
    """
    console = Console(stderr=True, highlight=False)
    with ExitStack() as stack, cancel_on_signals() as cancel, Display(console, quiet=quiet) as display:
        story = stack.enter_context(open_case(case, identity)) if case is not None else None
        watch = display.watch(image)
        watch.stage("carving")
        if story is not None:
            from safelight.sealed import carve_sealed

            names, crumbs = carve_sealed(story, story.clip(str(image)), progress=watch.progress, cancel=cancel)
        else:
            found, crumbs = carve_image(image, out, progress=watch.progress, cancel=cancel)
            names = [printable(path) for path in found]
        watch.done()
        for name in names:
            print(name)
            if like is not None:
                _mend(story, name, like, display.watch(Path(name)), cancel, display)
        left_out = f", {crumbs} finds were too small to be films" if crumbs else ""
        display.print(Line.assemble(("✓ ", "bold green"), f"{printable(image)}: {len(names)} films{left_out}"))


def _mend(
    story: Case | None, name: str, like: Path, watch: ClipWatch, cancel: threading.Event, display: Display
) -> None:
    """Salvage a film that was found, if it has no index."""
    watch.stage("salvaging")
    try:
        if story is not None:
            from safelight.sealed import salvage_sealed

            damaged, good = story.clip(name), story.clip(str(like))
            done, made = salvage_sealed(story, damaged, good, progress=watch.progress, cancel=cancel)
        else:
            target = Path(name).with_suffix(".salvaged.mov")
            done = salvage(Path(name), like, target, progress=watch.progress, cancel=cancel)
            made = printable(named(target, done))
    except SafelightError as error:
        if error.code is not Code.SALVAGE_KIND:
            display.print(Line.assemble(("✗ ", "bold red"), str(error)))
        return
    finally:
        watch.done()
    print(made)
    display.print(Line.assemble(("✓ ", "bold green"), f"{name}: {as_text(done)}"))
