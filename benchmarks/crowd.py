"""How soon a folder of very many files starts work: ``python -m benchmarks.crowd [--files 100000]``.

Makes the folder (files without content), then starts ``safelight protect`` on it and stops the clock when the first
file is refused as empty, which is the first one's turn. Prints seconds and the program's memory; status 1 beyond 10 s.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SECONDS = 10.0


def main() -> int:
    """Make the folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "card"
        for number in range(asked.files):
            below = card / f"{number // 1000:03d}"
            if number % 1000 == 0:
                below.mkdir(parents=True)
            (below / f"clip{number:06d}.mp4").touch()
        began = time.monotonic()
        words = [sys.executable, "-m", "safelight", "protect", "-q", "-o", str(Path(folder) / "out"), str(card)]
        run = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        assert run.stderr is not None
        first = run.stderr.readline().strip()
        seconds = time.monotonic() - began
        status = Path(f"/proc/{run.pid}/status").read_text(encoding="utf-8")
        peak = next(line.split(":")[1].strip() for line in status.splitlines() if line.startswith("VmHWM"))
        run.kill()
        run.wait()
    print(f"{asked.files:,} files: first one's turn after {seconds:.1f} s, {peak} of memory; it said: {first[:60]}")
    return 1 if seconds > SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
