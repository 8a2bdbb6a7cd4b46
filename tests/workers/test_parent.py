"""A worker that lies, dies, hangs or never ends costs one clip and a code, nothing else.

The workers here are real processes started by the real code; only their program is replaced, by a script that behaves
as a worker would that a hostile file has taken over.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.workers.takeover import taken_over

from safelight.errors import Cancelled, Code, SafelightError
from safelight.workers import forkserver, parent
from safelight.workers.messages import AttackJob, FindJob, Job

JOB = FindJob(sha256="0" * 64)
Run = Callable[..., object]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a worker whose program is the given Python text."""
    source = os.open(os.devnull, os.O_RDONLY)
    text = taken_over(tmp_path, monkeypatch)

    def go(program: str, cancel: threading.Event | None = None, patience: float = 20, job: Job = JOB) -> object:
        text.write_text(program)
        said: list[tuple[int, int | None]] = []
        return parent.run(
            job,
            source,
            tmp_path,
            progress=lambda done, total: said.append((done, total)),
            cancel=cancel or threading.Event(),
            patience=patience,
        )

    yield go
    os.close(source)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("print('hello')", Code.WORKER_LIED),
        ('print(\'{"type": "progress", "done": -1}\')', Code.WORKER_LIED),
        ('print(\'{"type": "found"}\')', Code.WORKER_LIED),
        ('print(\'{"type": "failure", "code": "SL-NONSENSE", "detail": ""}\')', Code.WORKER_LIED),
        ("print('[' * 200000)", Code.WORKER_LIED),
        ("import sys\nwhile True: sys.stdout.write('x' * 65536)", Code.WORKER_LIED),
        ("import os; os.kill(os.getpid(), 11)", Code.WORKER_DIED),
        ("raise SystemExit(0)", Code.WORKER_DIED),
        ("raise SystemExit(9)", Code.WORKER_DIED),
        ("1 / 0", Code.BUG),
        ("import os; os.close(0); os.close(1); import time; time.sleep(60)", Code.WORKER_DIED),
    ],
)
def test_a_worker_that_does_not_answer_as_it_should_is_refused(run: Run, program: str, code: Code) -> None:
    with pytest.raises(SafelightError) as refused:
        run(program)
    assert refused.value.code is code


def test_where_processes_cannot_be_held_each_worker_is_a_program(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.workers.server.divides", lambda: False)
    for program, code in (
        ('print(\'{"type": "failure", "code": "SL-NO-PICTURE", "detail": "sound only"}\')', Code.NO_PICTURE),
        ("import os; os.kill(os.getpid(), 11)", Code.WORKER_DIED),
        ("import os, sys; sys.exit(open(f'/proc/{os.getpid()}/cmdline').read())", Code.BUG),
    ):
        with pytest.raises(SafelightError) as refused:
            run(program)
        assert refused.value.code is code
    assert "safelight.workers" in refused.value.detail
    assert "forkserver" not in refused.value.detail


def test_last_words_of_a_worker_cannot_paint_on_the_terminal(run: Run) -> None:
    with pytest.raises(SafelightError) as refused:
        run("import sys; sys.stderr.write('\\x1b[31m\\u202e' * 5000); sys.exit(9)")
    assert refused.value.detail.isprintable()
    assert len(refused.value.detail) < 400


def test_a_worker_that_hangs_is_ended(run: Run) -> None:
    began = time.monotonic()
    with pytest.raises(SafelightError) as refused:
        run("import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(60)", patience=1)
    assert refused.value.code is Code.WORKER_TIMEOUT
    assert time.monotonic() - began < 10


def test_a_refusal_of_the_worker_is_passed_on(run: Run) -> None:
    with pytest.raises(SafelightError) as refused:
        run('print(\'{"type": "failure", "code": "SL-NO-PICTURE", "detail": "sound only"}\')')
    assert (refused.value.code, refused.value.detail) == (Code.NO_PICTURE, "sound only")


def test_a_refusal_counts_that_was_said_before_the_job_was_heard(run: Run) -> None:
    long = AttackJob(names=[["x" * 100] * 2000])  # more than a pipe holds, so that it ends while it is being told
    with pytest.raises(SafelightError) as refused:
        run('print(\'{"type": "failure", "code": "SL-UNCONFINED", "detail": "no lock"}\')', job=long)
    assert (refused.value.code, refused.value.detail) == (Code.UNCONFINED, "no lock")


def test_work_that_is_called_off_ends_soon(run: Run) -> None:
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        run("import time; time.sleep(60)", cancel=cancel)
    assert time.monotonic() - began < 10


def test_a_worker_ends_when_the_program_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import os, threading, sys; from pathlib import Path\n"
        "from safelight.workers import parent; from safelight.workers.messages import FindJob\n"
        "source = os.open(sys.executable, os.O_RDONLY)\n"
        "parent.run(FindJob(sha256='0'*64), source, Path(sys.argv[1]), progress=print, cancel=threading.Event())"
    )
    # It does not even look whether the program is there: its program waits, as one that was taken over might.
    taken_over(tmp_path, monkeypatch).write_text(
        f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    )
    pid = os.spawnve(
        os.P_NOWAIT,
        sys.executable,
        [sys.executable, "-c", program, str(tmp_path)],
        dict(os.environ),
    )
    deadline = time.monotonic() + 20
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    worker = int((tmp_path / "pid").read_text())
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    while os.path.exists(f"/proc/{worker}") and "zombie" not in Path(f"/proc/{worker}/status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_has_what_it_was_given_and_nothing_else(run: Run) -> None:
    other = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(other, True)
    try:
        with pytest.raises(SafelightError) as refused:
            run("import os, sys; sys.exit(' '.join(sorted(os.listdir('/proc/self/fd'))) + ' of ' + sys.argv[1])")
    finally:
        os.close(other)
    have, _, source = refused.value.detail.partition("last words: ")[2].rstrip(".").partition(" of ")
    # one more is the folder that is being listed
    assert {"0", "1", "2", source} < set(have.split())
    assert len(have.split()) == 5


def test_workers_end_with_what_started_them_and_the_next_one_is_started_anew(run: Run, tmp_path: Path) -> None:
    # when it has heard its job the program surely knows it
    ended = "import os, signal, sys, time\nsys.stdin.readline()\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)"
    began = time.monotonic()
    with pytest.raises(SafelightError) as refused:
        run(ended)
    assert refused.value.code is Code.WORKER_DIED
    assert time.monotonic() - began < 20
    with pytest.raises(SafelightError) as refused:
        run('print(\'{"type": "failure", "code": "SL-NO-PICTURE", "detail": "sound only"}\')')
    assert refused.value.code is Code.NO_PICTURE


def test_a_program_that_divides_itself_does_not_share_its_workers(run: Run) -> None:
    refusal = 'print(\'{"type": "failure", "code": "SL-NO-PICTURE", "detail": "sound only"}\')'
    with pytest.raises(SafelightError):
        run(refusal)
    pid = os.fork()
    if pid == 0:  # one that asks the parent's server would take away its answer
        status = 1
        try:
            run(refusal)
        except SafelightError as error:
            status = 0 if error.code is Code.NO_PICTURE else 2
        finally:
            os._exit(status)
    with pytest.raises(SafelightError) as refused:
        run(refusal)
    assert refused.value.code is Code.NO_PICTURE
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize("call", ["fork", "pidfd_open"])
def test_where_no_more_processes_are_granted_the_others_go_on(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """The server itself, in this process: what it would die of would end all its workers."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    given = [os.open(os.devnull, os.O_RDWR) for _ in range(5)]
    request = {"arguments": [], "environment": {}, "numbers": [given[4]]}
    ends: dict[int, int] = {}

    def refuse(*_: object) -> int:
        raise BlockingIOError(errno.EAGAIN, "no more")

    monkeypatch.setattr(forkserver, "_be_worker", lambda *_: time.sleep(60))
    monkeypatch.setattr(os, call, refuse)
    with ours, theirs:
        forkserver._start(theirs, request, given, ends)
        told, handles, _, _ = socket.recv_fds(ours, 64, 4)
    assert (int(told), list(handles)) == (-errno.EAGAIN, [])
    for descriptor in given:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
    assert len(ends) == (call == "pidfd_open")
    for pid in ends:  # it was ended, and its end can be told
        assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
