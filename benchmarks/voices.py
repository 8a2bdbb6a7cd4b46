"""How well voices are protected: attackers against ways to treat speech, on two sets of speakers.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.voices MEDIA [--speakers N] [--whisper DIR]

MEDIA: the shared test media. Equal error rates in %, 50 is chance, with 95 % intervals by drawing speakers anew.
--whisper: a folder with Whisper base for CTranslate2 (model.bin, config.json, vocabulary.txt, tokenizer.json) and the
packages ctranslate2 and tokenizers; without it no words are counted. The words of the treated speech are compared with
what the same recogniser reads in the original, so its own mistakes count for nothing and its habits for something.
``pitch``: four semitones lower, what peers offer.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from safelight.attack.bent import RATE, Bendable
from safelight.attack.ge2e import Ge2e
from safelight.attack.traits import Discriminant, traits
from safelight.attack.voices import UNDO
from safelight.hide.sound.disguise import Disguise
from safelight.media.mel import mel_power

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


class Words:
    """Whisper base by CTranslate2; greedy."""

    def __init__(self, folder: Path) -> None:
        import ctranslate2
        from tokenizers import Tokenizer

        self._storage = ctranslate2.StorageView
        self._model = ctranslate2.models.Whisper(str(folder), compute_type="float32", intra_threads=1)
        self._names = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def __call__(self, part: Speech) -> list[str]:
        padded = np.pad(part, (0, 30 * RATE - len(part)))
        logs = np.log10(np.maximum(mel_power(padded, 80), 1e-10))
        logs = (np.maximum(logs, logs.max() - 8) + 4) / 4
        view = self._storage.from_array(np.ascontiguousarray(logs.T[None], np.float32))
        said = self._model.generate(view, [[50258, 50259, 50359, 50363]], beam_size=1, max_length=60)
        return re.sub(r"[^\w' ]", " ", self._names.decode(said[0].sequences_ids[0]).lower()).split()


def word_errors(right: list[str], read: list[str]) -> int:
    """Words put in, left out or exchanged."""
    row = list(range(len(read) + 1))
    for number, word in enumerate(right, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(read, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]


def table(name: str, people: dict[str, list[Speech]], words: Words | None, wanted: list[str]) -> None:
    names = [person for person, parts in people.items() for _ in parts]
    plain = [part for parts in people.values() for part in parts]
    network = Ge2e()
    marks = np.stack([network(part) for part in plain])
    print(f"\n{name}: {len(people)} speakers, {len(plain)} utterances, {sum(map(len, plain)) / RATE:.0f} s", flush=True)
    print(
        "| method | ignorant | undone | lazy | averaging | semi-informed | WER % | CPU-s a second |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    methods: dict[str, Callable[[Speech], Speech]] = {
        "original": lambda part: part,
        "pitch": pitched,
        "disguise": Disguise().at_16k,
    }
    read: list[list[str]] = [words(part) for part in plain] if words is not None else []
    for method in wanted:
        treat = methods[method]
        began = time.process_time()
        treated = [treat(part) for part in plain]
        spent = (time.process_time() - began) / (sum(map(len, plain)) / RATE)
        heard = np.stack([network(part) for part in treated])
        cells = [
            _cell(errors(marks @ heard.T, names)),
            _cell(undone(marks, treated, names, network)),
            _cell(errors(heard @ heard.T, names)),
            _cell(averaged(heard, names)),
            _cell(semi_informed(treated, names) if len(people) >= 8 else None),
        ]
        wrong = "-"
        if words is not None:
            said = [words(part) for part in treated]
            total = sum(len(part) for part in read)
            wrong = f"{100 * sum(map(word_errors, read, said)) / max(total, 1):.0f}"
        print(f"| {method} | {' | '.join(cells)} | {wrong} | {spent:.3f} |", flush=True)


def _cell(found: tuple[float, float, float] | None) -> str:
    return "-" if found is None else f"{found[0]:.0f} ({found[1]:.0f}–{found[2]:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Attackers against treated speech.")
    parser.add_argument("media", type=Path)
    parser.add_argument("--speakers", type=int, default=35, help="English speakers (one reading each)")
    parser.add_argument("--methods", nargs="+", default=["original", "pitch", "disguise"])
    parser.add_argument("--sets", nargs="+", default=["english", "arabic"])
    parser.add_argument("--whisper", type=Path, help="folder with Whisper base for CTranslate2")
    chosen = parser.parse_args()
    words = Words(chosen.whisper) if chosen.whisper else None
    folder = chosen.media / "speech"
    if "english" in chosen.sets:
        table("English", english(folder, chosen.speakers), words, chosen.methods)
    if "arabic" in chosen.sets:
        table("Arabic", arabic(folder), None, chosen.methods)


if __name__ == "__main__":
    main()
