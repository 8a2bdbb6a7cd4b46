"""A device that was chosen is used or refused, before any work and with a code; the CPU never steps in silently."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.media.build import clip
from tests.workers.test_escape import Prison, prison

from program import safelight
from safelight.account import Account, Options
from safelight.batch import attempt
from safelight.errors import Code, SafelightError
from safelight.models.device import DEVICE, chosen
from safelight.outputs import Names
from safelight.plan import Origin
from safelight.protect import protect
from safelight.workers import device, parent
from safelight.workers.confine import support
from safelight.workers.crew import Hands
from safelight.workers.messages import HideJob, StillsJob

__all__ = ["prison"]
NOWHERE = "GPU.7"
WORDS = [
    ("protect", "--quick"),
    ("find",),
    ("attack",),
]


class _Quiet:
    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int | None) -> None: ...


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return clip(tmp_path / "film.mp4", frames=12, width=96, height=64)


@pytest.mark.parametrize("name", [NOWHERE, "AUTO", "AUTO:CPU", "HETERO:CPU", "cpu", "\n\x1b[31m"])
def test_only_a_device_that_is_there_may_be_chosen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEVICE, name)
    with pytest.raises(SafelightError) as refused:
        device.require()
    assert refused.value.code is Code.DEVICE
    assert refused.value.detail.isprintable()


def test_a_locked_worker_can_use_the_cpu() -> None:
    assert device.hindrance("CPU") == ""


@pytest.mark.parametrize("words", WORDS)
def test_refused_before_any_work(words: tuple[str, ...], film: Path, tmp_path: Path) -> None:
    ran = safelight(*words, "--device", NOWHERE, "-o", tmp_path / "out", film)
    assert ran.status == 1
    assert "SL-DEVICE" in ran.err
    assert "there is CPU" in ran.err
    assert not (tmp_path / "out").exists()


def test_the_cpu_by_name_is_the_cpu(film: Path, tmp_path: Path) -> None:
    ran = safelight("protect", "-q", "--quick", "--device", "CPU", "-o", tmp_path / "out", film)
    assert ran.status == 0, ran.err
    account = Account.load(Names(tmp_path / "out", "film").account)
    assert account is not None
    assert account.attack is not None
    assert (account.device, account.attack.device) == ("CPU", "CPU")
    assert safelight("protect", "--device", "CPU", "--cluster", "tcp://127.0.0.1:9", film).status == 2


def test_the_desk_and_a_cluster_refuse_it_too(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They start no work by the command line: whoever starts a worker asks."""
    monkeypatch.setenv(DEVICE, NOWHERE)
    names = Names(tmp_path / "out", "film")
    result = attempt(film, names, Options(), _Quiet(), threading.Event(), Hands())
    assert result.refusal is not None
    assert result.refusal.code is Code.DEVICE


def test_a_device_that_goes_away_meanwhile(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was there when it was tried out; the worker that needs it says so instead of taking the CPU."""
    monkeypatch.setenv(DEVICE, NOWHERE)
    monkeypatch.setattr(parent, "require_device", lambda: None)
    names = Names(tmp_path / "out", "film")
    with pytest.raises(SafelightError) as refused:
        protect(film, names, Options(), observer=_Quiet(), cancel=threading.Event())
    assert refused.value.code is Code.DEVICE
    assert "this process cannot reach" in refused.value.detail
    assert not list((tmp_path / "out").glob("*.mp4"))


def test_it_reaches_those_who_look_and_nobody_else(prison: Prison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEVICE, NOWHERE)
    monkeypatch.setattr(parent, "require_device", lambda: None)
    told = "import os\nreturn os.environ['SAFELIGHT_DEVICE']"
    assert prison.told(told) == NOWHERE
    speak = "return ctypes.CDLL(None, use_errno=True).ioctl(-1, 0xC0406400) and errno.errorcode[ctypes.get_errno()]"
    assert prison.told(speak) == "EBADF"  # a call to a graphics driver is let through, here to no device at all
    flags = "return libc.ioctl(-1, 0x40086602) and errno.errorcode[ctypes.get_errno()]"
    assert prison.told(flags) == "ENOTTY"  # to change a file's flags is not
    monkeypatch.setattr(sys.modules["tests.workers.test_escape"], "INTRUDER", _AS_HIDER)
    monkeypatch.setattr("tests.workers.test_escape.FindJob", lambda **_: HideJob())
    assert prison.told(told) == "CPU"
    assert prison.told(flags.replace("0x40086602", "0xC0406400")) == "ENOTTY"


_AS_HIDER = """
import ctypes, errno, json, os
from pathlib import Path
from safelight.errors import Code, SafelightError
from safelight.workers import child, jobs
libc = ctypes.CDLL(None, use_errno=True)
def hide(job, clip, report):
    raise SafelightError(Code.NOT_MEDIA, json.dumps(attempt(clip, report)))
jobs.hide = hide
"""

_OPENS = """
import json, sys
from pathlib import Path
from safelight.workers import confine
place, folder, graphics = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
confine._GRAPHICS = str(place), "renderD*"
confine.lock(confine.Bounds.for_clip(1), folder=folder, readable=[], graphics=graphics)
for name in ("renderD128", "card0"):
    try:
        (place / name).open("r+b").close()
        print("opened")
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.skipif(not support().landlock, reason="this kernel has no Landlock; nothing here was shown")
@pytest.mark.parametrize(("graphics", "told"), [("true", ["opened", "13"]), ("false", ["13", "13"])])
def test_only_devices_that_show_nothing_are_reached(graphics: str, told: list[str], tmp_path: Path) -> None:
    """Files stand in for devices: the lock goes by their place."""
    for name in ("dri/renderD128", "dri/card0", "work/none"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    words = [sys.executable, "-c", _OPENS, tmp_path / "dri", tmp_path / "work", graphics]
    ran = subprocess.run(words, capture_output=True, text=True, check=True, env={"OPENBLAS_NUM_THREADS": "1"})
    assert ran.stdout.split() == told


def test_a_plan_is_as_good_whatever_found_it() -> None:
    one = Origin(safelight="1", finders={"a": "b"})
    assert one.alike(Origin(safelight="1", finders={"a": "b"}, device="GPU.0"))
    assert not one.alike(Origin(safelight="1", finders={"a": "c"}))
    assert json.loads(one.model_dump_json())["device"] == "CPU"


def test_nothing_chosen_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DEVICE, raising=False)
    assert chosen() == "CPU"
    device.require()
    assert not isinstance(StillsJob(), parent._LOOKING)
