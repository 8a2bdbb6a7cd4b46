"""Killing at random until a batch is done: ``python -m benchmarks.chaos [--kills 200] [--clips 200]``.

Alone, the program is killed; with ``--cluster`` the scheduler and four workers of a Dask cluster, and who steers them;
with ``--bucket`` clips and copies lie in a bucket, the line to it is cut, and now and then the program is killed.
``--everywhere`` is all of it at once, with the job table in a PostgreSQL server, the line to which is cut as well.
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
from tests.scale.postgres import Server, programs
from tests.scale.storm import Line, cut_until_done, environment, served, stormed_everywhere, wrong_in


def everywhere(card: Path, server: Path, strikes: int, dice: random.Random) -> tuple[dict[str, int], list[str]]:
    """Strike everything that there is; who was hit how often, and what is wrong afterwards."""
    where = programs()
    if where is None:
        raise SystemExit("There is no PostgreSQL server on this machine.")
    server.mkdir()
    database = Server(where, server)
    database.start()
    try:
        with served() as (bucket, store):
            lines = {"database": Line(database.port), "bucket": bucket}
            table = database.url.replace(str(database.port), str(lines["database"].port))
            with Cluster(workers=4, environment=environment(bucket)) as cluster:
                struck = dict(stormed_everywhere(card, table, cluster, lines, store, strikes, dice=dice))
            return struck, wrong_in(store, card, table, finished=True)
    finally:
        database.stop()


def main() -> int:
    """Kill, and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--bucket", action="store_true")
    parser.add_argument("--everywhere", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    dice, began = random.Random(asked.seed), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        card, out = folder / "card", folder / "out"
        make_card(card, asked.clips, people=10)
        if asked.everywhere:
            struck, wrong = everywhere(card, folder / "server", asked.kills, dice)
        elif asked.bucket:
            table = f"sqlite:///{folder / 'jobs.db'}"
            with served() as (line, store):
                struck = dict(cut_until_done(card, table, line, store, asked.kills, dice=dice))
                wrong = wrong_in(store, card, table, finished=True)
        else:
            if asked.cluster:
                with Cluster(workers=4) as cluster:
                    struck = dict(stormed_until_done(card, out, cluster, asked.kills, dice=dice))
            else:
                struck = {"program": killed_until_done(card, out, asked.kills, jobs=asked.jobs, dice=dice)}
            wrong = wrong_with(card, out, finished=True)
    print(f"{asked.clips} clips, killed: {struck}, {time.monotonic() - began:.0f} s, wrong: {len(wrong)}")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
