"""Are planted leaks found, and do clean copies pass? Prints a table; see docs/attacks.md.

    python -m benchmarks.attacks VIDEO LABELS.json [--each 200] [--clean 50] [--frames 10]

Each planting makes its own copy of a random excerpt of the film, leaks in one random way and is shown to the attacker
whose business it is. Clean copies are shown to all attackers.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
from tests.attack import plant

from safelight.attack.bytes import Bytes
from safelight.attack.fill import Fill
from safelight.attack.protocol import Attacker
from safelight.attack.run import ATTACKERS, attack
from safelight.attack.timing import Timing
from safelight.attack.verdict import Outcome
from safelight.plan import Look

Planting = Callable[[plant.Scene, Path, int], Path]


def uncovered(made: plant.Scene, target: Path, number: int) -> Path:
    """One hidden head, of 24 pixels or more, is left uncovered in one picture; no other head's cover is over it."""
    chance = random.Random(number)
    places = [
        (region.id, key.frame)
        for region in made.plan.regions
        for key in region.keyframes
        if min(key.height, key.width) >= 24
        and all(
            key.box.intersection(box).width <= 0 or key.box.intersection(box).height <= 0
            for other, box in made.plan.covers(key.frame)
            if other.id != region.id
        )
    ]
    return plant.copy_of(made, target, bare=chance.choice(places))


def leaky(made: plant.Scene, target: Path, number: int) -> Path:
    """The fill takes in a twentieth of what it hides."""
    return plant.copy_of(made, target, tamper=plant.leaky(made, 0.05, number))


def tag(made: plant.Scene, target: Path, number: int) -> Path:
    """One tag of the original is left."""
    return plant.with_tag(_clean(made, target), target, number)


def name(made: plant.Scene, target: Path, number: int) -> Path:
    """A protected name in UTF-16 in a free part."""
    return plant.with_name(_clean(made, target), target, number)


def dropped(made: plant.Scene, target: Path, number: int) -> Path:
    """One picture is left out."""
    return plant.copy_of(made, target, drop=random.Random(number).randrange(made.plan.clip.frames))


def shifted(made: plant.Scene, target: Path, number: int) -> Path:
    """The sound comes two pictures late or early."""
    return plant.with_late_sound(_clean(made, target), target, 2 if number % 2 else -2)


PLANTINGS: tuple[tuple[str, Planting, type[Attacker]], ...] = (
    ("a face uncovered in one picture", uncovered, Fill),
    ("a fill that reads 5 %", leaky, Fill),
    ("a tag left", tag, Bytes),
    ("a name in UTF-16 in a free part", name, Bytes),
    ("a picture dropped", dropped, Timing),
    ("sound shifted by two pictures", shifted, Timing),
)


def _clean(made: plant.Scene, target: Path) -> Path:
    clean = made.original.with_suffix(".clean.mp4")
    return clean if clean.exists() else plant.copy_of(made, clean)


def _outcome(copy: Path, made: plant.Scene, attackers: tuple[type[Attacker], ...]) -> tuple[Outcome, str]:
    with copy.open("rb") as shown, made.original.open("rb") as original:
        verdict = attack(shown, original=original, plan=made.plan, names=[[plant.NAME]], attackers=attackers)
    worst = next((f for f in verdict.findings if f.outcome.blocks), verdict.findings[0])
    return verdict.outcome, f"{worst.attacker}: {worst.sentence}"


def main() -> int:
    """Run the benchmark; 1 when a leak was missed or a clean copy accused."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("video", type=Path)
    ask.add_argument("labels", type=Path)
    ask.add_argument("--each", type=int, default=200, help="plantings of each kind")
    ask.add_argument("--clean", type=int, default=50, help="clean copies")
    ask.add_argument("--frames", type=int, default=10, help="pictures of an excerpt")
    wanted = ask.parse_args()
    with av.open(str(wanted.video)) as film:
        total = film.streams.video[0].frames
    missed = 0
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        chance = random.Random(1)
        starts = [chance.randrange(total - wanted.frames) for _ in range(max(wanted.each // 4, wanted.clean, 4))]

        def scene(number: int, everybody: bool) -> plant.Scene:
            look = Look.VEIL if number % 3 else Look.SOLID
            start = starts[number % len(starts)]
            return plant.scene(folder, wanted.video, wanted.labels, start, wanted.frames, look, everybody=everybody)

        for words, planting, attacker in PLANTINGS if wanted.each else ():
            caught, began = 0, time.process_time()
            for number in range(wanted.each):
                made = scene(number, everybody=False)
                copy = planting(made, folder / "planted.mp4", number)
                outcome, _ = _outcome(copy, made, (attacker,))
                caught += outcome is Outcome.BROKEN
                if outcome is not Outcome.BROKEN:
                    print(
                        f"  missed: {words}, number {number}, from picture {starts[number % len(starts)]}",
                        file=sys.stderr,
                    )
            missed += wanted.each - caught
            seconds = time.process_time() - began
            print(f"{words:34} caught {caught}/{wanted.each} by {attacker.name}   ({seconds:.0f} CPU s)", flush=True)
        accused = 0
        for number in range(wanted.clean):
            made = scene(number, everybody=True)
            copy = plant.copy_of(made, folder / "clean.mp4")
            outcome, why = _outcome(copy, made, ATTACKERS)
            if outcome is not Outcome.HELD:
                accused += 1
                print(f"  accused: clean copy from picture {starts[number % len(starts)]}: {why}", file=sys.stderr)
        print(f"{'clean copies':34} accused {accused}/{wanted.clean}")
    return 1 if missed or accused else 0


if __name__ == "__main__":
    sys.exit(main())
