"""Two recognisers of words that owe each other nothing, and how to count their mistakes.

Whisper base (its encoder is also that of the disguise, so what it reads of disguised speech is optimistic), and
PocketSphinx, hidden Markov models with a small language model of its own (far weaker, and it has nothing to do with the
disguise). Packages: ctranslate2 and tokenizers; pocketsphinx.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safelight.media.mel import mel_power

RATE = 16000
Speech = NDArray[np.float32]
Recogniser = Callable[[Speech], list[str]]


class Whisper:
    """Whisper base by CTranslate2; English, greedy."""

    def __init__(self, folder: Path) -> None:
        """``folder``: model.bin, config.json, vocabulary.txt, tokenizer.json."""
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
        return plain(self._names.decode(said[0].sequences_ids[0]))


class PocketSphinx:
    """The American English that comes with the package."""

    def __init__(self) -> None:
        import pocketsphinx

        self._decoder = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")

    def __call__(self, part: Speech) -> list[str]:
        self._decoder.start_utt()
        self._decoder.process_raw((np.clip(part, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
        self._decoder.end_utt()
        said = self._decoder.hyp()
        return plain(said.hypstr if said is not None else "")


def plain(text: str) -> list[str]:
    """Words in small letters, without punctuation."""
    return re.sub(r"[^\w' ]", " ", text.lower()).split()


def word_errors(right: list[str], read: list[str]) -> int:
    """Words put in, left out or exchanged."""
    row = list(range(len(read) + 1))
    for number, word in enumerate(right, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(read, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]


def error_rate(right: list[list[str]], read: list[list[str]]) -> float:
    """Mistakes in % of the words that should have been read."""
    return 100 * sum(map(word_errors, right, read)) / max(sum(map(len, right)), 1)
