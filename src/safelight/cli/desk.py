"""`safelight desk`: the page where a person looks, mends and signs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight import models
from safelight.cli.opening import Identity, InCase, ask

EXAMPLES = """**Examples**

`safelight desk protected` — review what `safelight protect` left in the folder `protected`

`safelight desk protected --originals card` — the clips themselves lie below `card`

`safelight desk --case story copies` — the clips of a case; only copies leave it, two members sign, each at a desk of
their own, at the same time if they like

`safelight desk protected --port 8400 --no-browser` — print the address only
"""


def desk(
    folder: Annotated[
        Path, typer.Argument(help="Folder of results: plans and copies. With --case: where copies lie.")
    ] = Path("protected"),
    case: InCase = None,
    identity: Identity = None,
    originals: Annotated[
        Path | None,
        typer.Option(help="Where the clips lie, if not beside the results or one folder above.", show_default=False),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes any free one.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
) -> None:
    """Review clips in the browser: what is hidden, what is doubtful; mend it frame by frame, and sign the copy.

    Only this machine can reach the page. Each address that is printed opens one browser, once.
    """
    from safelight.desk import incase
    from safelight.desk.folder import Folder
    from safelight.desk.serve import serve

    models.require("find")
    models.require("attack")
    console = Console(highlight=False)

    def say(address: str) -> None:
        console.print(Line(f"The desk is at {address}"), soft_wrap=True)

    if case is None:
        serve(Folder(folder, originals), port=port, browser=not no_browser, say=say)
        return
    from safelight.custody.shared import shared

    with incase.InCase(lambda: shared(case, identity=identity, ask=ask), folder) as store:
        serve(store, port=port, browser=not no_browser, say=say)
