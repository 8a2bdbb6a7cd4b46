"""Planted leaks, and how many of them the publication gate stops: `python -m benchmarks.leaks [--unseen N]`.

Protected names are put into every place of a story that can hold words (caption, alt text, note of a WebVTT, file name,
EXIF, property of a PDF, of GeoJSON, front matter, comment in HTML, ...), one at a time, and the gate examines the whole
folder. First four spellings of one name that it must block; with ``--unseen N``, also spellings that nobody entered, of
``spellings_fresh.tsv``, in N random places: there it is enough that the story waits for a person. Two at a time.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.story import folders
from tests.story.leaks import LEAKS, SPELLED, planted

from benchmarks.names import entered, spellings
from safelight.errors import Code
from safelight.names.people import Person, Roster
from safelight.story.copies import Copies
from safelight.story.gate import Report, examine
from safelight.story.source import read_story

SEED = 8


def gate(whole: Path, roster: Roster, place: str | None, words: str) -> tuple[str, str]:
    """What the gate says about the story with a leak in one place: ``refused`` for a name there, ``other`` for another
    reason, ``waits`` for a person, or ``passed``; and the file that was spoilt.
    """
    with tempfile.TemporaryDirectory() as work:
        story = Path(work) / "story"
        shutil.copytree(whole, story)
        file = planted(story, place, words) if place else ""
        told = read_story(story)
        return _outcome(examine(told, roster, Copies(told)), file), file


def _outcome(report: Report, file: str) -> str:
    named = [refusal.file or "" for refusal in report.refusals if refusal.code is Code.NAME_FOUND]
    if any(name == file or name.startswith(f"{file}:") for name in named):
        return "refused"
    if report.refusals:
        return "other"
    return "passed" if report.passed else "waits"


def main() -> None:
    """Print what became of every leak, and of the story without one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unseen", type=int, default=0, help="how many leaks in spellings that nobody entered")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        whole = folders.make(Path(work) / "story")
        print("without a leak:", gate(whole, folders.ROSTER, None, "")[0])
        _plain(whole)
        if asked.unseen:
            _unseen(whole, asked.unseen)
    print(f"{time.monotonic() - began:.0f} s")


def _plain(whole: Path) -> None:
    leaks = [(place, spelled) for place in LEAKS for spelled in SPELLED]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda leak: gate(whole, folders.ROSTER, *leak)[0], leaks))
    for place in LEAKS:
        counted = Counter(told for (where, _), told in zip(leaks, outcomes, strict=True) if where == place)
        print(f"  {place:28}", ", ".join(f"{count} {told}" for told, count in counted.items()))
    stopped = sum(told != "passed" for told in outcomes)
    print(
        f"{len(leaks)} planted leaks: the gate stops {stopped}, {outcomes.count('refused')} of them for the name itself"
    )


def _unseen(whole: Path, count: int) -> None:
    chosen = random.Random(SEED)
    known = spellings("fresh")
    tried: list[tuple[Roster, str, str]] = []
    while len(tried) < count:
        name = chosen.choice(sorted(known))
        _, spelling = chosen.choice(known[name])
        names = entered(name, known[name], "both")
        if spelling not in names and "/" not in spelling:
            roster = Roster(people=[Person(id="p", pseudonym="X", names=names)])
            tried.append((roster, chosen.choice(sorted(LEAKS)), spelling))
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda leak: gate(whole, *leak)[0], tried))
    for (_, place, spelling), told in zip(tried, outcomes, strict=True):
        if told == "passed":
            print(f"  passed: {spelling} in {place}")
    counted = Counter(outcomes)
    print(
        f"{count} planted leaks in spellings nobody entered: the gate stops {count - counted['passed']} "
        f"({', '.join(f'{number} {told}' for told, number in counted.most_common())})"
    )


if __name__ == "__main__":
    main()
