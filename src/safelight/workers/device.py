"""Whether the chosen device can be used here: a worker that is locked like any other computes on it and says.

What a driver asks of the kernel nobody here knows, so it is tried out before any work; what is refused there ends as
SL-DEVICE, and never by going on with the CPU. Nothing is asked where none was chosen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from safelight.errors import Code, SafelightError, harmless
from safelight.models.device import CPU, DEVICE, chosen
from safelight.workers.confine import Bounds, lock

_SECONDS = 120.0  # drivers compile programs for a device when they are first used
_REFUSED = 3


def require() -> None:
    """Raise SL-DEVICE when another device than the CPU was chosen and a locked worker cannot use it."""
    if chosen() != CPU and (why := hindrance(chosen())):
        raise SafelightError(Code.DEVICE, why)


@cache
def hindrance(device: str) -> str:
    """Why a locked worker cannot use a device; empty when it can. Takes a second or more; asked once."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "safelight.workers.device", folder],
                env=os.environ | {DEVICE: device, "TMPDIR": folder, "OPENBLAS_NUM_THREADS": "1"},
                capture_output=True,
                check=False,
                timeout=_SECONDS,
            )
        except (subprocess.TimeoutExpired, ValueError) as error:  # a name with a zero byte in it
            return f"{device}: {error}."
    if done.returncode in (0, _REFUSED):
        return harmless(done.stdout.decode("utf-8", "replace").strip())
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
    return f"{device}: a locked worker that tried it ended with {how}."


def main() -> int:
    """Lock this process as a worker is locked, try the device out and print why it cannot be used."""
    folder = Path(sys.argv[1])
    os.chdir(folder)
    bounds = Bounds.for_clip(0).model_copy(update={"processor": int(_SECONDS)})
    try:
        lock(bounds, folder=folder, readable=[], graphics=chosen() != CPU)
        from safelight.models import engine  # now: like all that is not the lock itself

        engine.try_out(chosen())
    except SafelightError as error:
        print(error.detail)
        return _REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
