"""How well voices are protected: attackers against ways to treat speech, on two sets of speakers.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.voices MEDIA [--speakers N] [--whisper DIR] [--pocketsphinx]

MEDIA: the shared test media. Equal error rates in %, 50 is chance, with 95 % intervals by drawing speakers anew.
--whisper: a folder with Whisper base for CTranslate2; --pocketsphinx: the package of that name (``words.py``). Without
them no words are counted, and nothing can be spoken anew. The right words are what the first recogniser reads in the
original: its own mistakes there count for nothing, those of the other one do. ``revoice``: those words by the synthetic
voice, whoever spoke them.
``pitch``: four semitones lower, what peers offer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from benchmarks.words import PocketSphinx, Recogniser, Whisper, error_rate
from safelight.attack.bent import Bendable
from safelight.attack.ge2e import Ge2e
from safelight.attack.lineup import UNDO
from safelight.attack.traits import Discriminant, traits
from safelight.hide.sound.disguise import Disguise
from safelight.hide.sound.engine import FASTEST, SLOWEST, USUAL, VOICES, Engine
from safelight.media.mel import RATE

Speech = NDArray[np.float32]
SECONDS = 6.0  # of each utterance
WORDS = 6  # Arabic commands of a second each that make one utterance
DRAWS = 200


def speech(path: Path) -> Speech:
    """A sound file, mono at 16 kHz."""
    with av.open(str(path)) as file:
        parts = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
        rate = file.streams.audio[0].rate
    wave = np.concatenate(parts)
    wave = wave.astype(np.float32) / (32768 if wave.dtype == np.int16 else 1)
    return np.asarray(resample_poly(wave, RATE, rate) if rate != RATE else wave, np.float32)


def english(folder: Path, count: int) -> dict[str, list[Speech]]:
    """Speaker to utterances: both halves of one reading; the same microphone and day, so harder than life."""
    size = round(SECONDS * RATE)
    found = {}
    for path in sorted((folder / "librispeech_1utt").glob("*.flac"))[:count]:
        wave = speech(path)
        half = min(len(wave) // 2, size)
        found[path.stem.split("-")[0]] = [wave[:half], wave[half : 2 * half]]
    return found


def arabic(folder: Path) -> dict[str, list[Speech]]:
    """Speaker to utterances: the words of a round, some at a time, never the same ones in two of them."""
    found = {}
    for person in sorted((folder / "arabic_commands").glob("0*")):
        words = sorted(person.glob("r01_*.wav"))
        groups = [words[start : start + WORDS] for start in range(0, len(words) - WORDS + 1, WORDS)]
        found[person.name] = [np.concatenate([speech(word) for word in group]) for group in groups]
    return found


def equal_error(same: NDArray[Any], other: NDArray[Any]) -> float:
    """In %: where as many true pairs are refused as false ones are taken."""
    limits = np.sort(np.concatenate((same, other)))
    refused = np.searchsorted(np.sort(same), limits) / len(same)
    taken = 1 - np.searchsorted(np.sort(other), limits) / len(other)
    best = int(np.argmin(np.abs(refused - taken)))
    return float(refused[best] + taken[best]) * 50


def errors(
    likeness: NDArray[Any], people: list[str], groups: dict[str, int] | None = None
) -> tuple[float, float, float]:
    """Equal error rate of all pairs of different utterances, and its interval over speakers drawn anew.

    ``likeness``: (enrolled, tested). ``groups``: only speakers of one group are compared.
    """
    names = np.array(people)
    dice = np.random.default_rng(1)

    def rate(chosen: NDArray[Any]) -> float:
        rows = np.concatenate([np.flatnonzero(names == name) for name in chosen])
        part = likeness[np.ix_(rows, rows)]
        alike = names[rows][:, None] == names[rows]
        apart = rows[:, None] != rows
        group = np.array([groups[name] if groups else 0 for name in names[rows]])
        return equal_error(part[alike & apart], part[~alike & (group[:, None] == group)])

    everybody = np.unique(names)
    drawn = [dice.choice(everybody, len(everybody)) for _ in range(DRAWS)]
    draws = [
        rate(chosen) for chosen in drawn if len({(groups or {}).get(name, 0) for name in chosen}) < len(set(chosen))
    ]
    low, high = np.percentile(draws, (2.5, 97.5))
    return rate(everybody), float(low), float(high)


def semi_informed(treated: list[Speech], people: list[str]) -> tuple[float, float, float]:
    """The cepstra-and-pitch attacker who has trained on one half of the speakers, treated, tests on the other half."""
    known = [traits(part) for part in treated]
    everybody = sorted(set(people))
    groups = {name: number % 2 for number, name in enumerate(everybody)}
    placed: dict[int, NDArray[Any]] = {}
    for half in (0, 1):
        training = set(everybody[half::2])
        voices = [np.concatenate([k for k, p in zip(known, people, strict=True) if p == name]) for name in training]
        space = Discriminant(voices)
        for number, name in enumerate(people):
            if name not in training:
                placed[number] = space.mark(known[number])
    width = min(len(mark) for mark in placed.values())
    marks = np.stack([placed[number][:width] for number in range(len(known))])
    return errors(marks @ marks.T, people, groups)


def averaged(marks: NDArray[Any], people: list[str]) -> tuple[float, float, float] | None:
    """Lazy, with all that is known of a voice but one half of it averaged on either side."""
    names, halves = [], []
    for name in sorted(set(people)):
        own = marks[[number for number, other in enumerate(people) if other == name]]
        if len(own) < 4:
            return None
        for part in (own[::2], own[1::2]):
            mean = part.mean(axis=0)
            halves.append(mean / np.linalg.norm(mean))
            names.append(name)
    both = np.stack(halves)
    return errors(both @ both.T, names)


def undone(
    enrolled: NDArray[Any], treated: list[Speech], people: list[str], network: Ge2e
) -> tuple[float, float, float]:
    """Ignorant, but every test is tried as it is and bent back in eight ways; the likest counts."""
    likeness = []
    for part in treated:
        bendable = Bendable(part)
        likeness.append((enrolled @ network.marks([part, *(bendable.voice(*way) for way in UNDO)]).T).max(axis=1))
    return errors(np.stack(likeness, axis=1), people)


def pitched(part: Speech) -> Speech:
    """What peers offer: four semitones lower."""
    return Bendable(part).voice(1.0, -4.0)[: len(part)]


def revoiced(engine: Engine, said: list[str], part: Speech) -> Speech:
    """The words by the synthetic voice of the first speaker, in about the time the part takes."""
    variant, pitch = VOICES[0]
    made, speed = np.zeros(0, np.float32), USUAL
    for _ in range(2):
        made = engine.say(" ".join(said), f"en-us+{variant}", pitch=pitch, speed=speed)
        speed = round(np.clip(speed * len(made) / engine.rate / (len(part) / RATE), SLOWEST, FASTEST))
    return np.asarray(resample_poly(made, RATE, engine.rate), np.float32)


def table(
    name: str,
    people: dict[str, list[Speech]],
    recognisers: dict[str, Recogniser],
    wanted: list[str],
) -> None:
    """Print it. The right words are those the first recogniser reads in the original."""
    names = [person for person, parts in people.items() for _ in parts]
    plain = [part for parts in people.values() for part in parts]
    network = Ge2e()
    marks = np.stack([network(part) for part in plain])
    print(f"\n{name}: {len(people)} speakers, {len(plain)} utterances, {sum(map(len, plain)) / RATE:.0f} s", flush=True)
    counted = "".join(f" words wrong, {who} % |" for who in recognisers)
    print(
        f"| method | ignorant | undone | lazy | averaging | semi-informed |{counted} CPU-s a second |\n"
        f"|---|---|---|---|---|---|{'---|' * len(recognisers)}---|"
    )
    methods: dict[str, Callable[[Speech], Speech]] = {
        "original": lambda part: part,
        "pitch": pitched,
        "disguise": Disguise().at_16k,
    }
    right = [next(iter(recognisers.values()))(part) for part in plain] if recognisers else []
    engine = Engine() if "revoice" in wanted and recognisers else None
    for method in wanted:
        began = time.process_time()
        if method != "revoice":
            treated = [methods[method](part) for part in plain]
        elif engine is not None:
            treated = [revoiced(engine, said, part) for said, part in zip(right, plain, strict=True)]
        else:
            continue
        spent = (time.process_time() - began) / (sum(map(len, plain)) / RATE)
        heard = np.stack([network(part) for part in treated])
        cells = [
            _cell(errors(marks @ heard.T, names)),
            _cell(undone(marks, treated, names, network)),
            _cell(errors(heard @ heard.T, names)),
            _cell(averaged(heard, names)),
            _cell(semi_informed(treated, names) if len(people) >= 8 else None),
        ]
        cells += [f"{error_rate(right, [read(part) for part in treated]):.0f}" for read in recognisers.values()]
        print(f"| {method} | {' | '.join(cells)} | {spent:.3f} |", flush=True)


def _cell(found: tuple[float, float, float] | None) -> str:
    return "-" if found is None else f"{found[0]:.0f} ({found[1]:.0f}–{found[2]:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Attackers against treated speech.")
    parser.add_argument("media", type=Path)
    parser.add_argument("--speakers", type=int, default=35, help="English speakers (one reading each)")
    parser.add_argument("--methods", nargs="+", default=["original", "pitch", "disguise", "revoice"])
    parser.add_argument("--sets", nargs="+", default=["english", "arabic"])
    parser.add_argument("--whisper", type=Path, help="folder with Whisper base for CTranslate2")
    parser.add_argument("--pocketsphinx", action="store_true", help="count words with PocketSphinx, too")
    chosen = parser.parse_args()
    recognisers: dict[str, Recogniser] = {}
    if chosen.whisper:
        recognisers["Whisper"] = Whisper(chosen.whisper)
    if chosen.pocketsphinx:
        recognisers["PocketSphinx"] = PocketSphinx()
    folder = chosen.media / "speech"
    if "english" in chosen.sets:
        table("English", english(folder, chosen.speakers), recognisers, chosen.methods)
    if "arabic" in chosen.sets:
        table("Arabic", arabic(folder), {}, chosen.methods)


if __name__ == "__main__":
    main()
