"""How a worker gives up all it does not need, before it sees the first byte of a stranger's file.

One call, :func:`lock`, made as the first thing of a worker's life and never undone: Landlock for files (and, where the
kernel can, TCP and signals), a seccomp filter for everything else a program may ask of the kernel (``calls.py``),
limits on memory, processor time, files and threads, no new privileges, no core dump, nothing for a debugger to read.

Bindings: landlockpy and seccompy, both plain Python over the system's C library; see ``docs/confinement.md``.
"""

from __future__ import annotations

import os
import resource
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from landlockpy import AccessFS, LandlockError, Ruleset, Scope, abi_version
from pydantic import BaseModel, ConfigDict, Field
from seccompy import Action, SeccompError, action_supported

from safelight.errors import Code, SafelightError
from safelight.workers.calls import rules

UNCONFINED = "SAFELIGHT_UNCONFINED"  # environment variable; what `--unconfined` sets

_READ = AccessFS.READ_FILE | AccessFS.READ_DIR
_WRITE = _READ | AccessFS.WRITE_FILE | AccessFS.MAKE_REG | AccessFS.REMOVE_FILE | AccessFS.TRUNCATE
_OF_FILES = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.TRUNCATE  # the rest means something for folders only
# What the C library, NumPy and OpenVINO read to learn about the machine and themselves.
_SYSTEM = """
/etc/ld.so.cache /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /dev/null /dev/urandom
/proc/self /proc/cpuinfo /proc/meminfo /proc/sys/vm /sys/devices/system/cpu /sys/devices/system/node
/sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us
/sys/kernel/mm/transparent_hugepage
""".split()  # noqa: SIM905 (a list of words to read, not of strings)

# Of a graphics device: what is computed on, what describes it, and where its driver says that it is installed.
_GRAPHICS = "/dev/dri", "renderD*"
_DESCRIBED = "/sys/class/drm"
_DRIVERS = Path("/etc/OpenCL")
_LOADERS = "lib*/ld-*.so*"  # what the kernel starts to load a program's libraries


class Bounds(BaseModel):
    """What one worker may use at most. ``None`` in a field of the kernel's limits would be no limit: there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory: int = Field(gt=0)  # bytes of its own data
    processor: int = Field(gt=0)  # seconds of processor time, all threads together
    file: int = Field(gt=0)  # bytes of the largest file it may write
    folder: int = Field(gt=0)  # bytes of everything in its folder; looked after by the program
    needed: bool = True  # whether a worker that cannot be confined must not run

    @classmethod
    def for_clip(cls, size: int) -> Bounds:
        """Bounds that no honest clip of ``size`` bytes comes near: they end what grows or loops for ever.

        Memory was 0.8 to 0.9 GB for the largest pictures accepted; a laptop with little memory keeps a quarter of it.
        """
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return cls(
            memory=min(8 << 30, max(3 << 30, whole * 3 // 4)),
            processor=4 * 3600 + 600 * (size >> 20),
            file=(4 << 30) + 20 * size,
            folder=(4 << 30) + 24 * size,
            needed=not os.environ.get(UNCONFINED),
        )


@dataclass(frozen=True)
class Support:
    """What this machine can do: version of Landlock's interface (0: none), whether seccomp filters work."""

    landlock: int
    seccomp: bool

    @property
    def full(self) -> bool:
        """Whether workers can be confined as they should be."""
        return self.landlock > 0 and self.seccomp

    @property
    def sentence(self) -> str:
        """What holds a worker, in words, for the account."""
        files = f"no file but its own folder, code and weights (Landlock {self.landlock})" if self.landlock else ""
        calls = "no network, no program, no other process (seccomp)" if self.seccomp else ""
        held = " and ".join(part for part in (files, calls) if part)
        return f"Workers could reach {held}." if held else "Workers were NOT confined by the kernel, only by limits."

    @property
    def warnings(self) -> list[str]:
        """What a person must know who publishes a copy made here."""
        if self.full:
            return []
        return [
            "The file was read by a worker that was not fully confined. If it came from a stranger, mind the machine."
        ]


@cache
def support() -> Support:
    """Ask the kernel, once."""
    try:
        landlock = abi_version()
    except (LandlockError, OSError):
        landlock = 0
    try:
        seccomp = action_supported(Action.KILL_PROCESS) and bool(rules().program)
    except (SeccompError, OSError, ValueError):
        seccomp = False
    return Support(landlock, seccomp)


def require() -> None:
    """Raise SL-UNCONFINED when workers cannot be confined here and nobody has said that they need not be."""
    if not support().full and not os.environ.get(UNCONFINED):
        raise SafelightError(Code.UNCONFINED, f"{support().sentence} (This is {sys.platform}, {os.uname().release}.)")


def lock(
    bounds: Bounds, *, folder: Path, readable: Iterable[Path], program: Path | None = None, graphics: bool = False
) -> None:
    """Confine this process for the rest of its life.

    ``folder``: the only place to write; no folders or links can be made in it. ``readable``: what may be read besides
    code, system libraries and facts about the machine. ``graphics``: the drivers of graphics devices may be spoken to.
    Call it while there is one thread: Landlock holds the threads that are started later, not those that run already.

    Raises SL-UNCONFINED when the kernel cannot do all of it and ``bounds`` do not say that less is enough; always when
    the kernel can but did not.
    """
    _limit(bounds)
    if sys.platform == "linux":
        _hide_from_debuggers()
        threads = len(list(Path("/proc/self/task").iterdir()))
        if threads != 1 and bounds.needed:
            raise SafelightError(Code.UNCONFINED, f"The worker had {threads} threads before it was locked.")
    able = support()
    if not able.full and bounds.needed:
        raise SafelightError(Code.UNCONFINED, able.sentence)
    try:
        if able.landlock:
            _lock_files(folder, readable, program, graphics)
        if able.seccomp:
            rules(program=program is not None, graphics=graphics).load()
    except (LandlockError, SeccompError, OSError) as error:
        raise SafelightError(Code.UNCONFINED, f"The kernel refused: {error}.") from error


def _limit(bounds: Bounds) -> None:
    """Limits of the kernel. Shared and file-backed memory counts to the address space only, hence two of them."""
    for kind, most, more in (
        (resource.RLIMIT_DATA, bounds.memory, 0),
        (resource.RLIMIT_AS, bounds.memory + (8 << 30), 0),
        (resource.RLIMIT_CPU, bounds.processor, 5),  # first the signal that tells why, then the one that cannot be held
        (resource.RLIMIT_FSIZE, bounds.file, 0),
        (resource.RLIMIT_NOFILE, 256, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NPROC, _tasks() + 4096, 0),
    ):
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or most + more < hard:
            hard = most + more
        resource.setrlimit(kind, (min(most, hard), hard))


def _tasks() -> int:
    """Threads of the whole machine now; the kernel counts a user's threads, not a process's, against its limit."""
    try:
        return int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].split("/")[1])
    except (OSError, ValueError, IndexError):
        return 0


def _hide_from_debuggers() -> None:
    import ctypes

    pr_set_dumpable = 4
    ctypes.CDLL(None).prctl(pr_set_dumpable, 0, 0, 0, 0)


def _lock_files(folder: Path, readable: Iterable[Path], program: Path | None, graphics: bool) -> None:
    with Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL) as ruleset:
        for path in {*map(Path, _SYSTEM), *_code(), *readable}:
            if path.exists():
                ruleset.allow_path(path, _READ if path.is_dir() else _READ & _OF_FILES)
        if program is None:
            ruleset.allow_path(folder, _WRITE)
        else:
            ruleset.allow_path(folder, _WRITE | AccessFS.MAKE_DIR)
            for path in (program, *Path("/").glob(_LOADERS)):
                ruleset.allow_path(path, AccessFS.EXECUTE | AccessFS.READ_FILE)
        if graphics:
            _allow_graphics(ruleset)
        ruleset.restrict()


def _allow_graphics(ruleset: Ruleset) -> None:
    """Devices that compute without showing anything: no screen is reached by them."""
    place, pattern = _GRAPHICS
    for node in Path(place).glob(pattern):
        ruleset.allow_path(node, AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.IOCTL_DEV)
        about = Path(_DESCRIBED) / node.name
        for path in (about, about / "device", _DRIVERS):
            if path.exists():
                ruleset.allow_path(path.resolve(), _READ)


def _code() -> set[Path]:
    """Where Python and its packages lie. A folder that holds somebody's home is not code, whoever put it there."""
    home = Path.home().resolve()
    places = {*sys.path, *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))}
    places.add(os.fspath(Path(sysconfig.get_path("stdlib")).parent))  # libraries that an interpreter brings along
    found = {Path(place).resolve() for place in places if place}
    found = {place for place in found if place != home and place not in home.parents}
    return found | {Path(__file__).resolve().parents[1], Path(sys.prefix) / "pyvenv.cfg"}
