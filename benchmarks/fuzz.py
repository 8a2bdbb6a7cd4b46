"""The long herd of mutants: ``python -m benchmarks.fuzz [--whole] [--count 20000] [--first N]`` (or ``make fuzz``).
With ``--files FOLDER`` no mutants, but all files of a folder as they lie there, whatever they are, through `protect`.

Through the parsers and the writer; ``--whole``: each as a clip of its own through `protect`: found in, hidden in and
attacked. Status 1 when there was a finding. A finding's number repeats it: ``--first NUMBER --count 1 --keep FOLDER``
also writes the file down. For nightly runs give another ``--first`` each night.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.herd import Tally, drive, seeds
from tests.fuzz.mutate import mutant
from tests.fuzz.whole import drive_files, drive_whole, whole_seeds

BATCH = 250
SECONDS_A_FILE = 1200.0  # of the processor, for films of half a minute


def drive_folder(folder: Path) -> int:
    """Drive all files of a folder through `protect`, strictly and accepting damage; say what became of each."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    both = ((number, path.read_bytes()) for n, path in enumerate(files) for number in (2 * n, 2 * n + 1))
    tally = drive_files(both, SECONDS_A_FILE)
    for n, path in enumerate(files):
        strict, damaged = tally.told[2 * n], tally.told[2 * n + 1]
        print(f"{path.relative_to(folder)}: {strict}" + (f", damage accepted: {damaged}" if damaged != strict else ""))
    for number, finding in tally.findings.items():
        print(f"FINDING {files[number // 2].relative_to(folder)}: {finding}")
    print(f"{len(files)} files, {len(tally.findings)} findings, slowest {tally.slowest:.1f} s of the processor")
    return 1 if tally.findings else 0


def main() -> int:
    """Drive the herd in batches and tell what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the files of findings")
    parser.add_argument("--files", type=Path, help="drive the files of this folder instead, each twice")
    asked = parser.parse_args()
    if asked.files is not None:
        return drive_folder(asked.files)
    whole, began, end = Tally(), time.monotonic(), asked.first + asked.count
    for first in range(asked.first, end, BATCH):
        tally = (drive_whole if asked.whole else drive)(first, min(BATCH, end - first))
        whole.outcomes += tally.outcomes
        whole.findings |= tally.findings
        whole.slowest = max(whole.slowest, tally.slowest)
        for number, finding in tally.findings.items():
            print(f"FINDING {number}: {finding}", flush=True)
        print(f"{whole.total} mutants, {len(whole.findings)} findings, {time.monotonic() - began:.0f} s", flush=True)
    for outcome, times in whole.outcomes.most_common():
        print(f"{times:8,}  {outcome}")
    print(f"slowest {whole.slowest:.1f} s")
    if asked.keep is not None and whole.findings:
        asked.keep.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            made = (whole_seeds if asked.whole else seeds)(Path(folder))
        for number in whole.findings:
            (asked.keep / f"{number}.bin").write_bytes(mutant(made, number))
    return 1 if whole.findings else 0


if __name__ == "__main__":
    sys.exit(main())
