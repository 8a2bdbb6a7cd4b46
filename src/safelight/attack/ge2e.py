"""A speaker's mark in a voice: Resemblyzer's network (GE2E), its weights read number by number and run in numpy.

Method: Wan et al., Generalized End-to-End Loss for Speaker Verification, 2018; network and use as in Resemblyzer.
The weight file is a pickle. It is read by an unpickler that knows four harmless names and refuses every other.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from safelight.errors import Code, SafelightError
from safelight.media.mel import mel_power
from safelight.models import store
from safelight.models.manifest import weight

Array = NDArray[np.float32]

SIZE = 256  # numbers in a mark
_BANDS = 40
_FRAMES, _STEP = 160, 77  # of 10 ms: what the network looks at, and how far apart its looks begin
_LAYERS = 3
_LEVEL = 10 ** (-30 / 20)  # root mean square to which quiet sound is raised


class Ge2e:
    """The network."""

    name = "GE2E"

    def __init__(self) -> None:
        """Load it. Raises SafelightError as :func:`safelight.models.store.load`."""
        self._weights = _state(store.load(weight("voice-mark")))

    def __call__(self, samples: Array) -> Array:
        """The mark (SIZE numbers, length 1) of mono speech at 16 kHz; compare two by their product."""
        return np.asarray(self.marks([samples])[0])

    def marks(self, voices: Sequence[Array]) -> Array:
        """The marks of several voices, (voices, SIZE); many at once are several times faster than one by one."""
        looks = [_looks(samples) for samples in voices]
        marks = self._marks(np.concatenate(looks))
        ends = np.cumsum([len(own) for own in looks])
        means = np.stack([own.mean(axis=0) for own in np.split(marks, ends[:-1])])
        return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9), np.float32)

    def _marks(self, mels: Array) -> Array:
        """Marks of looks, (looks, frames, bands)."""
        sequence = mels.transpose(1, 0, 2)
        for layer in range(_LAYERS):
            sequence = self._remembered(sequence, layer)
        raw = np.maximum(sequence[-1] @ self._weights["linear.weight"].T + self._weights["linear.bias"], 0)
        return np.asarray(raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9), np.float32)

    def _remembered(self, sequence: Array, layer: int) -> Array:
        """One LSTM layer, (frames, looks, features) in and out."""
        inner, outer = self._weights[f"lstm.weight_hh_l{layer}"].T, self._weights[f"lstm.weight_ih_l{layer}"].T
        bias = self._weights[f"lstm.bias_ih_l{layer}"] + self._weights[f"lstm.bias_hh_l{layer}"]
        entering = sequence @ outer + bias
        hidden = np.zeros((sequence.shape[1], len(inner)), np.float32)
        cell = np.zeros_like(hidden)
        out = np.empty((*sequence.shape[:2], len(inner)), np.float32)
        for number, part in enumerate(entering):
            enter, forget, fresh, leave = np.split(part + hidden @ inner, 4, axis=1)
            cell = expit(forget) * cell + expit(enter) * np.tanh(fresh)
            hidden = expit(leave) * np.tanh(cell)
            out[number] = hidden
        return out


def _looks(samples: Array) -> Array:
    """What the network looks at, one after the other: (looks, frames, bands)."""
    level = float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
    if 0 < level < _LEVEL:
        samples = samples * (_LEVEL / level)
    mel = mel_power(samples.astype(np.float32), _BANDS)
    starts = range(0, max(len(mel) - _FRAMES // 4, 1), _STEP)
    mel = np.pad(mel, ((0, starts[-1] + _FRAMES), (0, 0)))
    return np.stack([mel[start : start + _FRAMES] for start in starts])


# --------------------------------------------------------------------------------------------------------------------


@dataclass
class _Storage:
    """A block of 32-bit floats that follows later in the file."""

    key: str
    count: int


@dataclass
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]

    def values(self, blocks: dict[str, Array]) -> Array:
        count = int(np.prod(self.shape))
        return blocks[self.storage.key][self.offset : self.offset + count].reshape(self.shape)


def _tensor(storage: _Storage, offset: int, shape: tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape))


class _Unpickler(pickle.Unpickler):
    """Knows an ordered dictionary, a tensor and a block of floats; everything else is refused."""

    _known: dict[tuple[str, str], Callable[..., Any] | type] = {  # noqa: RUF012 (never changed)
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        ("torch", "FloatStorage"): float,
    }

    def find_class(self, module: str, name: str) -> Any:
        """What a name in the file stands for. Raises pickle.UnpicklingError for all but three."""
        if (module, name) not in self._known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in weights")
        return self._known[module, name]

    def persistent_load(self, told: Any) -> _Storage:
        """A reference to a block: ("storage", type, key, where, count, view)."""
        kind, _, key, _, count, *_ = told
        if kind != "storage":
            raise pickle.UnpicklingError("an unknown reference")
        return _Storage(str(key), int(count))


def _state(data: bytes) -> dict[str, Array]:
    """The arrays of a PyTorch file of the old form: four pickles, then the blocks. Raises SL-WEIGHTS-CHANGED."""
    file = io.BytesIO(data)
    try:
        _magic, _protocol, _system, whole = (_Unpickler(file).load() for _ in range(4))
        keys = _Unpickler(file).load()
        blocks = {}
        for key in keys:
            count = int.from_bytes(file.read(8), "little")
            blocks[str(key)] = np.frombuffer(file.read(4 * count), "<f4")
        tensors: dict[str, _Tensor] = whole["model_state"]
        return {name: tensor.values(blocks) for name, tensor in tensors.items() if isinstance(tensor, _Tensor)}
    except (pickle.UnpicklingError, ValueError, KeyError, EOFError, AttributeError, TypeError) as error:
        raise SafelightError(Code.WEIGHTS_CHANGED, "The weights for voices cannot be read.") from error
