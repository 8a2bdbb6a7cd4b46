"""The system calls a worker may make; all others fail, and those that only an intruder makes end the process.

An allow-list, made by watching every kind of job under ``strace``. What is not in it answers "no such call" (ENOSYS),
so that a newer C library falls back to what it did before. Arguments are looked at where a call can do both good and
harm: threads but no processes, no change of the original's flags through its descriptor, no signal to anybody else.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable

from seccompy import Action, ArgCmp, CmpOp, Filter, FilterFlag, syscall_nr

_ALLOWED = """
brk mmap munmap mremap mprotect madvise mincore mbind get_mempolicy membarrier
futex futex_waitv set_robust_list get_robust_list set_tid_address rseq gettid getpid getppid exit exit_group
sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min
read write readv writev pread64 pwrite64 preadv pwritev lseek close close_range dup dup2 dup3
fstat stat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat getcwd getdents64
ftruncate fallocate fsync fdatasync rename renameat renameat2 unlink unlinkat umask fadvise64
poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait
clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage
uname sysinfo getrandom getuid geteuid getgid getegid getgroups getrlimit arch_prctl
rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall
""".split()  # noqa: SIM905 (a list of words to read, not of strings)

# Nothing honest in a worker tries these: no error to work around, the process ends and the program says so.
_DEADLY = """
socket socketpair connect bind listen accept accept4 execve execveat ptrace process_vm_readv process_vm_writev
bpf mount umount2 pivot_root chroot unshare setns kexec_load init_module finit_module delete_module
add_key request_key keyctl perf_event_open userfaultfd kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_getfd
open_by_handle_at reboot swapon setuid setgid setresuid setresgid setreuid setregid personality
""".split()  # noqa: SIM905

_CLONE_THREAD = 0x00010000
_CLONE_NEW = 0x7E020080  # every flag that asks for a new namespace
_PR_NAMES = (15, 16, 0x53564D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA (names memory for debuggers)
_FCNTL = (fcntl.F_DUPFD, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL, fcntl.F_DUPFD_CLOEXEC)
_IOCTL = (0x5401, 0x5413, 0x5451, 0x5450, 0x5421)  # TCGETS, TIOCGWINSZ, FIOCLEX, FIONCLEX, FIONBIO
_DRM = 0x6400  # calls to a graphics driver: the kernel's type of ioctl is the letter d


def _known(name: str) -> bool:
    """Whether this architecture has that call; 64-bit ARM never had ``open``, ``stat`` and other old ones."""
    try:
        syscall_nr(name)
    except ValueError:
        return False
    return True


def _equal(index: int, value: int) -> list[ArgCmp]:
    return [ArgCmp(index, CmpOp.EQ, value)]


def _bits(index: int, value: int, mask: int) -> list[ArgCmp]:
    return [ArgCmp(index, CmpOp.MASKED_EQ, value, mask)]


def rules(*, program: bool = False, graphics: bool = False) -> Filter:
    """The filter for this very process: it allows signals to itself only.

    ``program``: it will become another program (``execve``), which may make folders. ``graphics``: it may speak to the
    driver of a graphics device that it can open.

    Raises seccompy.SeccompError on an architecture it does not know.
    """
    filter_ = Filter(Action.ERRNO | errno.ENOSYS, flags=FilterFlag.TSYNC)
    more = ("execve", "mkdir", "mkdirat") if program else ()
    for name in filter(_known, (*_ALLOWED, *more)):
        filter_.allow(name)
    for name in filter(_known, _DEADLY):
        if name not in more:
            filter_.kill(name)

    def only(name: str, refusal: int, *allowed: list[ArgCmp]) -> None:
        for arguments in allowed:
            filter_.allow(name, args=arguments)
        filter_.errno(name, refusal)

    # Opening read-only with O_TRUNC empties a file, and old versions of Landlock take it for reading.
    for name, flags in filter(lambda pair: _known(pair[0]), (("open", 1), ("openat", 2))):
        filter_.errno(name, errno.EACCES, args=_bits(flags, os.O_TRUNC, os.O_TRUNC | os.O_ACCMODE))
        filter_.allow(name)
    only("clone", errno.EPERM, _bits(0, _CLONE_THREAD, _CLONE_THREAD | _CLONE_NEW))
    only("tgkill", errno.EPERM, _equal(0, os.getpid()))
    only("sched_setaffinity", errno.EPERM, _equal(0, 0))
    only("prlimit64", errno.EPERM, _equal(2, 0))  # to ask, not to set
    only("prctl", errno.EPERM, *_each(0, _PR_NAMES))
    only("fcntl", errno.EPERM, *_each(1, _FCNTL))  # not F_SETOWN and F_SETSIG, which send signals to anybody
    drivers = [_bits(1, _DRM, 0xFF00)] if graphics else []
    only("ioctl", errno.ENOTTY, *_each(1, _IOCTL), *drivers)  # not those that change a file's flags
    return filter_


def _each(index: int, values: Iterable[int]) -> list[list[ArgCmp]]:
    return [_equal(index, value) for value in values]
