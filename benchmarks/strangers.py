"""Does it matter that the strangers of the voices attacker are the speaker's own voice bent? Ranks among real ones.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.strangers MEDIA [--speakers 12] [--methods original pitch disguise]

Each English speaker is looked for among the others (real strangers, other words, other rooms) and among as many of
their own bent voices. Enrolment and test are halves of one reading. What is printed: the mean rank (0 first, 1 last),
and how many of the speakers come among the first tenth, by manner of attack.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.voices import Speech, english, pitched
from safelight.attack.lineup import gallery, ranks
from safelight.hide.sound.disguise import Disguise


def main() -> None:
    parser = argparse.ArgumentParser(description="Bent and real strangers.")
    parser.add_argument("media", type=Path)
    parser.add_argument("--speakers", type=int, default=12)
    parser.add_argument("--methods", nargs="+", default=["original", "pitch", "disguise"])
    chosen = parser.parse_args()
    disguise = Disguise().at_16k
    methods: dict[str, Callable[[Speech], Speech]] = {
        "original": lambda part: part,
        "pitch": pitched,
        "disguise": disguise,
    }
    everybody = english(chosen.media / "speech", 35)
    looked_for = [name for name, (first, _) in everybody.items() if len(first) >= 3 * 16000][: chosen.speakers]
    print("| method | attack | bent: mean rank | in first tenth | real: mean rank | in first tenth |")
    print("|---|---|---|---|---|---|", flush=True)
    for method in chosen.methods:
        found: dict[str, list[tuple[float, float]]] = {}
        for name in looked_for:
            first, second = everybody[name]
            bent = gallery(first, len(everybody) - 1)
            real = [bent[0], *(halves[0][: len(bent[0])] for other, halves in everybody.items() if other != name)]
            treated = methods[method](second)
            pair = [ranks(candidates, treated, methods[method]) for candidates in (bent, real)]
            for manner in pair[0]:
                found.setdefault(manner, []).append((pair[0][manner], pair[1][manner]))
        for manner, places in found.items():
            means, tops = np.mean(places, axis=0), np.sum(np.array(places) < 0.1, axis=0)
            print(
                f"| {method} | {manner} | {means[0]:.2f} | {tops[0]} of {len(places)} | {means[1]:.2f} "
                f"| {tops[1]} of {len(places)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
