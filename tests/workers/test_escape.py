"""A worker that a hostile file has taken over tries to get out: refused by the kernel, or ended and so told.

Real program, real worker, really locked; only the job is replaced by what an intruder would do. Skipped aloud where
the kernel cannot confine.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.workers.takeover import taken_over

from safelight.errors import Code, SafelightError
from safelight.workers import parent
from safelight.workers.confine import UNCONFINED, Bounds, support
from safelight.workers.messages import FindJob
from safelight.workers.parent import run

pytestmark = pytest.mark.skipif(
    not support().full, reason=f"this kernel cannot confine workers: {support()}; nothing here was shown"
)

BOUNDS = Bounds(memory=2 << 30, processor=60, file=1 << 20, folder=4 << 20)
INTRUDER = """
import ctypes, errno, json, os, socket, sys, time
from pathlib import Path
from safelight.errors import Code, SafelightError
from safelight.workers import child, jobs
libc = ctypes.CDLL(None, use_errno=True)
def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def find(job, clip, report):
    try:
        told = attempt(clip, report)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise
        told = errno.errorcode.get(error.errno, str(error))
    raise SafelightError(Code.NOT_MEDIA, json.dumps(told if told is not None else "DONE"))
jobs.find = find
"""


class Prison:
    """Runs what an intruder does in a worker and returns what it reports."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._main = taken_over(root, monkeypatch)
        self.folder = root / "work"
        self.folder.mkdir()
        self.outside = root / "outside"
        self.outside.mkdir()
        self.clip = self.outside / "original.mp4"
        self.clip.write_bytes(b"original " * 100)
        self.clip.chmod(0o600)
        (self.outside / ".ssh").mkdir()
        (self.outside / ".ssh" / "id").write_text("secret")
        self.bounds = BOUNDS
        self.patience = 30.0

    def refusal(self, program: str) -> SafelightError:
        """How the run ended; ``program`` is the body of ``attempt(clip, report)``, with ``OUTSIDE`` set."""
        body = textwrap.indent(textwrap.dedent(program).strip(), "    ")
        self._main.write_text(
            f"{INTRUDER}OUTSIDE = Path({str(self.outside)!r})\n"
            f"def attempt(clip, report):\n{body}\nraise SystemExit(child.main())\n"
        )
        source = os.open(self.clip, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with pytest.raises(SafelightError) as refused:
                run(
                    FindJob(sha256="0" * 64),
                    source,
                    self.folder,
                    progress=lambda *_: None,
                    cancel=threading.Event(),
                    patience=self.patience,
                    bounds=self.bounds,
                )
        finally:
            os.close(source)
        return refused.value

    def told(self, program: str) -> object:
        """What the intruder reports about an attempt that he survives: the error's name, or what he returned."""
        error = self.refusal(program)
        assert error.code is Code.NOT_MEDIA, error
        return json.loads(error.detail)


@pytest.fixture
def prison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prison]:
    made = Prison(tmp_path, monkeypatch)
    yield made
    assert made.clip.read_bytes() == b"original " * 100
    assert stat.S_IMODE(made.clip.stat().st_mode) == 0o600
    assert sorted(p.name for p in made.outside.iterdir()) == [".ssh", "original.mp4"]


def test_the_intruder_would_succeed_if_he_were_free(prison: Prison, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempts below are real ones: without the lock they work."""
    monkeypatch.setattr(parent, "require", lambda: None)
    free = prison.refusal("""
        import safelight.workers.child
        return (OUTSIDE / ".ssh" / "id").read_text()
    """)
    assert "EACCES" in free.detail
    monkeypatch.setattr(sys.modules[__name__], "INTRUDER", INTRUDER + "child.lock = lambda *_, **__: None\n")
    assert prison.told('return (OUTSIDE / ".ssh" / "id").read_text()') == "secret"
    assert prison.told("return os.fork() and 'forked' or os._exit(0)") == "forked"
    assert prison.told("socket.socket().close()") == "DONE"


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("a secret", 'return (OUTSIDE / ".ssh" / "id").read_text()'),
        ("a list of secrets", 'return os.listdir(OUTSIDE / ".ssh")'),
        ("the home", "return os.listdir(Path.home())"),
        ("the users", 'return Path("/etc/passwd").read_text()'),
        ("the program's memory", 'return open(f"/proc/{os.getppid()}/mem", "rb").read(1)'),
        ("the program's environment", 'return open(f"/proc/{os.getppid()}/environ").read()'),
        ("the program's descriptors", 'return os.listdir(f"/proc/{os.getppid()}/fd")'),
        ("all processes", 'return os.listdir("/proc")'),
        ("a file beside", '(OUTSIDE / "new").write_text("x")'),
        ("the way up", 'Path("../outside/new").write_text("x")'),
        ("over a secret", '(OUTSIDE / ".ssh" / "id").write_text("x")'),
        ("removing", '(OUTSIDE / ".ssh" / "id").unlink()'),
        ("a place in memory", 'Path("/dev/shm/new").write_text("x")'),
        ("the usual temporary folder", 'Path("/tmp/safelight-escape").write_text("x")'),
        ("the code", 'Path(child.__file__).with_name("new.py").write_text("x")'),
        ("the original, opened anew", 'os.open(f"/proc/self/fd/{clip.fileno()}", os.O_RDWR)'),
        ("the original, emptied", 'os.open(f"/proc/self/fd/{clip.fileno()}", os.O_RDONLY | os.O_TRUNC)'),
        ("code, emptied by reading", "os.open(child.__file__, os.O_RDONLY | os.O_TRUNC)"),
        ("a renaming into the world", 'Path("a").write_text("x"); os.rename("a", OUTSIDE / "a")'),
        ("a renaming out of the world", 'os.rename(OUTSIDE / ".ssh" / "id", "b")'),
    ],
)
def test_files_of_others_are_out_of_reach(prison: Prison, name: str, program: str) -> None:
    assert prison.told(program) in ("EACCES", "EXDEV", "ENOENT" if name == "a place in memory" else "EACCES")


@pytest.mark.parametrize(
    "program",
    [
        "os.truncate(OUTSIDE / 'original.mp4', 0)",
        "os.fchmod(clip.fileno(), 0o777)",
        "os.chmod(OUTSIDE / 'original.mp4', 0o777)",
        "os.utime(clip.fileno(), (0, 0))",
        "os.setxattr(clip.fileno(), 'user.x', b'x')",
        "os.link(OUTSIDE / '.ssh' / 'id', 'id')",
        "os.symlink('/etc/passwd', 'sheet.png')",
        "os.mkdir('folder')",
        "os.mkfifo('pipe')",
        "import fcntl; fcntl.ioctl(clip.fileno(), 0x40086602, b'\\x10' + b'\\0' * 7)",  # FS_IOC_SETFLAGS: immutable
        "import fcntl; fcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "import subprocess; subprocess.run(['/bin/true'])",
        "os.sched_setaffinity(os.getppid(), {0})",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "checked(libc.setrlimit(0, b'\\xff' * 16))",
        "checked(libc.prlimit(os.getppid(), 0, b'\\1' + b'\\0' * 15, None))",
        "checked(libc.syscall(425, 8, bytes(120)))",  # io_uring_setup
        "checked(libc.memfd_create(b'x', 0))",
        "checked(libc.prctl(4, 1, 0, 0, 0))",  # to become readable to debuggers again
    ],
)
def test_what_a_worker_has_no_use_for_does_not_work(prison: Prison, program: str) -> None:
    assert prison.told(program) in ("EACCES", "EPERM", "ENOSYS", "ENOTTY")


@pytest.mark.parametrize(
    "program",
    [
        "socket.create_connection(('127.0.0.1', PORT), timeout=2)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 53))",
        "socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')",
        "socket.socketpair()",
        "os.execv('/bin/true', ['true'])",
        "libc.ptrace(16, os.getppid(), 0, 0)",
        "os.kill(os.getppid(), 9)",
        "os.setuid(0)",
        "libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)",
        "libc.mount(b'none', b'/', b'tmpfs', 0, None)",
        "libc.unshare(0x10000000)",
    ],
)
def test_what_only_an_intruder_tries_ends_the_worker(prison: Prison, program: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        error = prison.refusal(program.replace("PORT", str(server.getsockname()[1])))
        with pytest.raises(TimeoutError):
            server.accept()
    assert error.code is Code.WORKER_DIED
    assert "forbidden system call" in error.detail


def test_a_bomb_of_threads_is_ended(prison: Prison) -> None:
    """Threads are allowed, memory for them is not without end."""
    prison.bounds = BOUNDS.model_copy(update={"memory": 300 << 20})
    assert (
        prison.told("""
        import threading
        try:
            while True:
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        except RuntimeError as error:
            return str(error)
    """)
        == "can't start new thread"
    )


@pytest.mark.parametrize(
    "program",
    [
        "held = []\nwhile True: held.append(bytearray(64 << 20))",
        "bytearray(100 << 30)",
        "import mmap\nheld = []\ntry:\n    while True: held.append(mmap.mmap(-1, 1 << 30))\n"
        "except OSError: raise MemoryError",
        "import numpy; numpy.ones((100 << 30) // 8)",
        "Path('sheet.png').write_bytes(bytes(BIG))",
        "for number in range(100000): Path(f'{number}').write_bytes(bytes(1 << 20)); time.sleep(0.01)",
        "while True: print('x' * 100000)",
    ],
)
def test_a_worker_that_grows_is_ended(prison: Prison, program: str) -> None:
    error = prison.refusal(program.replace("BIG", str(BOUNDS.file + 1)))
    assert error.code is Code.WORKER_GREW, error


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "time.sleep(60)",
        "while True: report(1, None); time.sleep(0.01)",
        "report(2**31, None); time.sleep(60)",
    ],
)
def test_a_worker_that_never_ends_is_ended(prison: Prison, program: str) -> None:
    prison.patience = 2
    began = time.monotonic()
    error = prison.refusal(program)
    assert error.code is Code.WORKER_TIMEOUT
    assert time.monotonic() - began < 15


def test_a_worker_that_invents_progress_has_its_processor_time_only(prison: Prison) -> None:
    prison.bounds = BOUNDS.model_copy(update={"processor": 2})
    error = prison.refusal("number = 0\nwhile True: number += 1; report(number, None)")
    assert error.code is Code.WORKER_TIMEOUT
    assert "processor time" in error.detail


def test_nothing_of_the_program_is_handed_down(prison: Prison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with open(prison.outside / ".ssh" / "id") as secret:
        os.set_inheritable(secret.fileno(), True)
        told = prison.told(
            "return [sorted(os.environ), [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') "
            "if os.path.islink(f'/proc/self/fd/{n}')]]"
        )
    assert isinstance(told, list)
    assert "secret" not in str(told)
    assert not any("KEY" in name for name in told[0])
    files = [place for place in told[1] if place.startswith("/") and not place.startswith("/proc/")]
    assert [Path(place).name for place in files if "deleted" not in place] == ["original.mp4"]


def test_work_is_possible_inside(prison: Prison) -> None:
    """Files in its folder, threads, randomness, the time, the number of processors."""
    told = prison.told("""
        import tempfile, threading, concurrent.futures
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        Path("a").write_text("x"); os.rename("a", "b"); os.unlink("b")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(len, [b"ab", b"c"])) == 3
        return [len(clip.read()), len(os.urandom(4)), os.cpu_count() > 0, open("/proc/self/status").read(4)]
    """)
    assert told == [900, 4, True, "Name"]


def test_a_machine_that_cannot_confine_is_refused(prison: Prison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.workers.confine.support", lambda: support.__wrapped__().__class__(0, True))
    assert prison.refusal("return 1").code is Code.UNCONFINED
    monkeypatch.setenv(UNCONFINED, "1")
    assert prison.told("return 'ran'") == "ran"


def test_a_worker_that_cannot_lock_itself_does_not_begin(prison: Prison, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker looks for itself: the program's word is not enough."""
    monkeypatch.setattr(
        sys.modules[__name__],
        "INTRUDER",
        INTRUDER + "from safelight.workers import confine\nconfine.support = lambda: confine.Support(0, True)\n",
    )
    assert prison.refusal("return 'ran'").code is Code.UNCONFINED
