"""Options that several commands have."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safelight import models
from safelight.account import Options
from safelight.buckets import in_bucket
from safelight.cues import read_cues
from safelight.hide.sound.languages import LANGUAGES
from safelight.models.device import DEVICE
from safelight.plan import Asked, Effort, Look, Sensor, SoundDefault
from safelight.plan import Hide as HideChoice
from safelight.plan import Sound as Span
from safelight.workers.confine import UNCONFINED

if TYPE_CHECKING:
    from safelight.scale.table import JobTable

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder or s3:// bucket for copies, accounts and plans.")]
Quick = Annotated[bool, typer.Option("--quick", help="Look less often. For a first impression, not to publish.")]
Thorough = Annotated[bool, typer.Option("--thorough", help="Look at every frame, larger. Slower.")]
Hide = Annotated[
    HideChoice, typer.Option(help="Heads; or whole bodies too: clothes, hands and gait tell who someone is as well.")
]
SensorChoice = Annotated[
    Sensor,
    typer.Option(
        "--sensor", help="Take the camera's own noise out; smaller and slightly bent. Off keeps every pixel in place."
    ),
]
LookChoice = Annotated[Look, typer.Option("--look", help="A calm veil in the colours around, or plain grey.")]
Text = Annotated[bool, typer.Option("--text", help="Hide readable text and lit screens too, not only propose them.")]
Curtain = Annotated[bool, typer.Option("--curtain", help="Hide the whole picture, except what a plan reveals.")]
Trim = Annotated[
    bool,
    typer.Option("--trim", help="Cut both ends so that the copy lasts whole seconds: its exact length tells, too."),
]
Damaged = Annotated[
    bool, typer.Option("--accept-damaged", help="Protect what can be read of a damaged file; gaps are listed.")
]
Sound = Annotated[
    SoundDefault | None,
    typer.Option(
        help="Silence; revoice: the words of --subtitles spoken by a synthetic voice; "
        "disguise: weaker, does not stop a trained attacker.",
        show_default=False,
    ),
]
Subtitles = Annotated[
    Path | None, typer.Option(help="Confirmed words (SRT or WebVTT), to be spoken.", show_default=False)
]
Language = Annotated[
    str | None, typer.Option(help=f"Language of the subtitles: {', '.join(LANGUAGES)}.", show_default=False)
]


def words(
    sound: SoundDefault | None, subtitles: Path | None, language: str | None
) -> tuple[SoundDefault | None, tuple[Span, ...]]:
    """What is to be heard: the default, and the cues.

    Raises typer.BadParameter for what does not go together, what read_cues raises, SL-WEIGHTS-MISSING for a disguise.
    """
    if sound is SoundDefault.DISGUISE:
        models.require("disguise")
    if subtitles is None:
        return sound, ()
    if sound not in (None, SoundDefault.REVOICE):
        raise typer.BadParameter("--subtitles are spoken aloud, so they go with --sound revoice only")
    if language not in LANGUAGES:
        raise typer.BadParameter(f"--subtitles need --language, one of {', '.join(LANGUAGES)}")
    return SoundDefault.REVOICE, tuple(read_cues(subtitles, language))


def _allow_unconfined(yes: bool) -> bool:
    """Workers are started in many places, some on other machines; the environment reaches them all."""
    if yes:
        os.environ[UNCONFINED] = "1"
    return yes


Unconfined = Annotated[
    bool,
    typer.Option(
        "--unconfined", callback=_allow_unconfined, help="Go on where workers cannot be confined. For files you trust."
    ),
]


def _choose_device(name: str | None) -> str | None:
    """Put where workers are started from, like the option above; :func:`safelight.workers.device.require` judges it."""
    if name is not None:
        os.environ[DEVICE] = name
    return name


Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        callback=_choose_device,
        help="What networks run on: CPU, or another name that `safelight doctor` lists.",
        show_default=False,
    ),
]
Table = Annotated[
    str | None,
    typer.Option(
        "--table", metavar="URL", help="Job table in a database instead of beside the copies.", show_default=False
    ),
]


def job_table(url: str | None, out: Path) -> JobTable:
    """The job table that was asked for: by URL, or the one beside the copies. Raises typer.BadParameter, SL-TABLE."""
    if url is None and in_bucket(out):
        raise typer.BadParameter("copies that go to a bucket need --table: the job table cannot lie beside them")
    from safelight.scale.table import JobTable  # late: it brings a database along

    return JobTable(url) if url is not None else JobTable.beside(out)


def chosen(
    look: LookChoice = Look.VEIL,
    sensor: SensorChoice = Sensor.DEFAULT,
    curtain: Curtain = False,
    trim: Trim = False,
    hide: Hide = HideChoice.HEADS,
    text: Text = False,
    sound: Sound = None,
    subtitles: Subtitles = None,
    language: Language = None,
    quick: Quick = False,
    thorough: Thorough = False,
    accept_damaged: Damaged = False,
) -> Options:
    """What is done to each clip. Raises typer.BadParameter for what excludes each other, and as :func:`words`."""
    default, cues = words(sound, subtitles, language)
    return Options(
        asked=asked(quick, thorough, hide, text),
        look=look,
        sensor=sensor,
        curtain=curtain,
        trim=trim,
        sound=default or SoundDefault.SILENCE,
        cues=cues,
        accept_damaged=accept_damaged,
    )


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """A command that can be told everything :func:`chosen` can, and is given it as its parameter ``options``."""
    own, choices = (inspect.signature(told, eval_str=True).parameters for told in (command, chosen))

    @functools.wraps(command)
    def told(**given: Any) -> None:
        options = chosen(**{name: given.pop(name) for name in choices})
        command(options=options, **given)

    together: list[inspect.Parameter] = []
    for name, parameter in own.items():
        together += choices.values() if name == "options" else [parameter]
    ordered = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in together]
    told.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    told.__annotations__ = {parameter.name: parameter.annotation for parameter in ordered}
    return told


def asked(quick: bool, thorough: bool, hide: HideChoice, text: bool) -> Asked:
    """What `find` is asked for. Raises typer.BadParameter for what excludes each other."""
    if quick and thorough:
        raise typer.BadParameter("--quick and --thorough exclude each other")
    effort = Effort.QUICK if quick else Effort.THOROUGH if thorough else Effort.DEFAULT
    return Asked(effort=effort, hide=hide, text=text)
