"""What is said, with as little as possible of who says it: the encoder of Whisper (base), layer by layer in numpy.

It was trained on many languages to write words, not to know speakers; frames of two voices that say the same sound lie
close together. Four of its six layers are used: the later ones know words better and sounds worse (measured, see
``docs/sound.md``). The decoder, which writes words, is not used: nothing is transcribed.
Method: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, 2022.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from safelight.errors import Code, SafelightError
from safelight.media.mel import Features, mel_power

LONGEST = 30.0  # seconds it can look at
STEP = 0.02  # seconds a frame
_BANDS, _HEADS, _LAYERS = 80, 8, 4
_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}

Array = NDArray[np.float32]


class Content:
    """The encoder. Not for several threads."""

    def __init__(self, data: bytes) -> None:
        """``data``: the model as CTranslate2 stores it, which must have passed its hash."""
        self._weights = {
            name: np.ascontiguousarray(values, np.float32)
            for name, values in _variables(data).items()
            if name.startswith("encoder/")
        }

    def __call__(self, samples: Array) -> Features:
        """(frames, 512) content of mono sound at 16 kHz, at most 30 s; a frame each 20 ms."""
        logs = np.log10(np.maximum(mel_power(samples, _BANDS), 1e-10))
        logs = (np.maximum(logs, logs.max(initial=-10) - 8) + 4) / 4
        x = _gelu(self._convolved(logs, "conv1", 1))
        x = _gelu(self._convolved(x, "conv2", 2))
        x += self._weights["encoder/position_encodings/encodings"][: len(x)]
        for layer in range(_LAYERS):
            x += self._attention(x, f"encoder/layer_{layer}/self_attention")
            hidden = self._normed(x, f"encoder/layer_{layer}/ffn/layer_norm")
            hidden = _gelu(self._linear(hidden, f"encoder/layer_{layer}/ffn/linear_0"))
            x += self._linear(hidden, f"encoder/layer_{layer}/ffn/linear_1")
        return x

    def _convolved(self, x: Array, name: str, stride: int) -> Array:
        """A convolution over three neighbours in time."""
        weight = self._weights[f"encoder/{name}/weight"]
        padded = np.pad(x, ((1, 1), (0, 0)))
        columns: Array = np.concatenate([padded[k : len(padded) - 2 + k : stride] for k in range(3)], axis=1)
        return columns @ weight.transpose(2, 1, 0).reshape(-1, len(weight)) + self._weights[f"encoder/{name}/bias"]

    def _linear(self, x: Array, name: str) -> Array:
        return x @ self._weights[f"{name}/weight"].T + self._weights[f"{name}/bias"]

    def _normed(self, x: Array, name: str) -> Array:
        centred = x - x.mean(axis=1, keepdims=True)
        scale = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(1e-5))
        return np.asarray(centred / scale * self._weights[f"{name}/gamma"] + self._weights[f"{name}/beta"], np.float32)

    def _attention(self, x: Array, name: str) -> Array:
        query, key, value = np.split(self._linear(self._normed(x, f"{name}/layer_norm"), f"{name}/linear_0"), 3, axis=1)
        width = query.shape[1] // _HEADS
        out = np.empty_like(value)
        for head in range(_HEADS):
            part = slice(head * width, (head + 1) * width)
            scores = query[:, part] @ key[:, part].T / np.float32(np.sqrt(width))
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            out[:, part] = scores / scores.sum(axis=1, keepdims=True) @ value[:, part]
        return self._linear(out, f"{name}/linear_1")


def _gelu(x: Array) -> Array:
    return np.asarray(x * (1 + erf(x * np.float32(np.sqrt(0.5)))) * np.float32(0.5), np.float32)


def _variables(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a model file in the binary form of CTranslate2, version 6. Raises SL-WEIGHTS-CHANGED."""
    at = 0

    def take(kind: str) -> int:
        nonlocal at
        value: int = struct.unpack_from(f"<{kind}", data, at)[0]
        at += struct.calcsize(f"<{kind}")
        return value

    def name() -> str:
        nonlocal at
        length = take("H")
        at += length
        return data[at - length : at].rstrip(b"\0").decode()

    found: dict[str, NDArray[Any]] = {}
    try:
        _version, _spec, _revision, count = take("I"), name(), take("I"), take("I")
        for _ in range(count):
            called, rank = name(), take("B")
            shape = [take("I") for _ in range(rank)]
            kind, size = np.dtype(_TYPES[take("B")]), take("I")
            found[called] = np.frombuffer(data, kind, size // kind.itemsize, at).reshape(shape)
            at += size
    except (struct.error, KeyError, ValueError) as error:
        raise SafelightError(Code.WEIGHTS_CHANGED, "The weights for what is said cannot be read.") from error
    return found
