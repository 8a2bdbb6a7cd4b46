"""Killing at random until a batch is done: ``python -m benchmarks.chaos [--kills 200] [--clips 200]``.

Alone, the program is killed; with ``--cluster`` the scheduler and four workers of a Dask cluster, and who steers them;
with ``--bucket`` clips and copies lie in a bucket, the line to it is cut, and now and then the program is killed.
Each time it is checked that nothing half-done has a final name, at the end that every clip is done once and that all
receipts match. Prints whom it hit; status 1 when something was wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.scale.chaos import Cluster, killed_until_done, make_card, stormed_until_done, wrong_with
from tests.scale.storm import cut_until_done, served, wrong_in


def main() -> int:
    """Kill, and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--bucket", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    dice, began = random.Random(asked.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        card, out = Path(folder) / "card", Path(folder) / "out"
        make_card(card, asked.clips, people=10)
        if asked.bucket:
            table = Path(folder) / "jobs.db"
            with served() as (line, store):
                struck = dict(cut_until_done(card, table, line, store, asked.kills, dice=dice))
                wrong = wrong_in(store, card, table, finished=True)
        elif asked.cluster:
            with Cluster(workers=4) as cluster:
                struck = dict(stormed_until_done(card, out, cluster, asked.kills, dice=dice))
        else:
            struck = {"program": killed_until_done(card, out, asked.kills, jobs=asked.jobs, dice=dice)}
        if not asked.bucket:
            wrong = wrong_with(card, out, finished=True)
    print(f"{asked.clips} clips, killed: {struck}, {time.monotonic() - began:.0f} s, wrong: {len(wrong)}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
