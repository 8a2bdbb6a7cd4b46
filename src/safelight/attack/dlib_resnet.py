"""dlib's face recognition network, read from its own weight file and run with numpy.

The file (dlib_face_recognition_resnet_model_v1.dat, Davis King, 2017, CC0) is a chain of serialized layers. Only its
numbers are read, by a reader that knows this one network and checks every shape: nothing is unpickled or executed.
Architecture: He, Zhang, Ren, Sun: Deep Residual Learning (2015), 29 convolutions, as in dlib's
``dnn_face_recognition_ex.cpp``. Output: 128 numbers; two pictures of one person lie closer than 0.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.models.manifest import weight
from safelight.models.store import load

SIDE = 150
"""Width and height of the picture the network takes."""

_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # of the training pictures, red, green, blue
_CHANNELS = (32,) * 7 + (64,) * 8 + (128,) * 6 + (256,) * 8  # of the 29 convolutions, from the picture on
_BLOCKS = (
    ((32, False),) * 3
    + ((64, True),)
    + ((64, False),) * 3
    + ((128, True),)
    + ((128, False),) * 2
    + (
        (256, True),
        (256, False),
        (256, False),
        (256, True),
    )
)

Array = NDArray[np.float32]


@dataclass(frozen=True)
class _Layer:
    """A convolution, with the scale and the shift per channel that follow it folded in."""

    filters: Array  # (rows * columns * in, out): one column per filter
    size: int
    stride: int
    padding: int
    bias: Array

    def __call__(self, x: Array) -> Array:
        """``x``: (rows, columns, channels)."""
        if self.padding:
            x = np.pad(x, ((self.padding,) * 2, (self.padding,) * 2, (0, 0)))
        height, width = ((side - self.size) // self.stride + 1 for side in x.shape[:2])
        taps = [
            x[
                dy : dy + (height - 1) * self.stride + 1 : self.stride,
                dx : dx + (width - 1) * self.stride + 1 : self.stride,
            ]
            for dy in range(self.size)
            for dx in range(self.size)
        ]
        columns = np.concatenate(taps, axis=2).reshape(height * width, -1)
        return np.asarray((columns @ self.filters + self.bias).reshape(height, width, -1), np.float32)


class DlibResNet:
    """Turns an aligned face into 128 numbers."""

    name = "dlib-resnet"

    def __init__(self) -> None:
        """Read the weights. Raises SafelightError when they are missing or are not what they should be."""
        self._layers, self._last = _network()

    def embed(self, chip: NDArray[np.uint8]) -> Array:
        """128 numbers for a face; ``chip``: (150, 150, 3) uint8, blue, green, red, aligned as dlib does."""
        x = np.asarray((chip[:, :, ::-1].astype(np.float32) - _MEAN) / 256, np.float32)
        layers = iter(self._layers)
        x = np.maximum(next(layers)(x), 0)
        x = sliding_window_view(x, (3, 3), axis=(0, 1))[::2, ::2].max(axis=(3, 4))
        for _, halved in _BLOCKS:
            y = np.maximum(next(layers)(x), 0)
            y = next(layers)(y)
            x = np.maximum(_added(y, _halved(x) if halved else x), 0)
        return np.asarray(x.mean(axis=(0, 1)) @ self._last, np.float32)


def _halved(x: Array) -> Array:
    return np.asarray(sliding_window_view(x, (2, 2), axis=(0, 1))[::2, ::2].mean(axis=(3, 4)), np.float32)


def _added(a: Array, b: Array) -> Array:
    """The sum of two blocks of different size: the smaller is continued with zeros, as dlib's add_prev does."""
    total = np.zeros(np.maximum(a.shape, b.shape), np.float32)
    for block in (a, b):
        total[tuple(slice(0, size) for size in block.shape)] += block
    return total


@cache
def _network() -> tuple[tuple[_Layer, ...], Array]:
    entry = weight("dlib-resnet")
    data = load(entry)
    try:
        return _parse(data)
    except (ValueError, IndexError) as error:
        raise SafelightError(
            Code.WEIGHTS_CHANGED, "The weights of dlib's network are not laid out as expected."
        ) from error


def _parse(data: bytes) -> tuple[tuple[_Layer, ...], Array]:
    layers: list[_Layer] = []
    position, inner = 0, 3
    for number, out in enumerate(_CHANNELS):
        size = 7 if number == 0 else 3
        position = _after(data, b"\x05con_4", position)
        values, position = _tensor(data, position, out * inner * size * size + out)
        shape = []
        for _ in range(10):  # filters, rows, columns, strides, paddings, and the shape of the filters again
            value, position = _integer(data, position)
            shape.append(value)
        if shape[:3] != [out, size, size]:
            raise ValueError("another network")
        position = _after(data, b"\x07affine_", position)
        affine, position = _tensor(data, position, 2 * out)
        scale, shift = affine[:out], affine[out:]  # folded into the filters
        filters = values[:-out].reshape(out, inner, size, size).transpose(2, 3, 1, 0).reshape(-1, out) * scale
        layers.append(_Layer(filters, size, shape[3], shape[5], values[-out:] * scale + shift))
        inner = out
    last = np.frombuffer(data, "<f4", 256 * 128, _fully_connected(data, position)).reshape(256, 128)
    return tuple(layers), np.asarray(last, np.float32)


def _fully_connected(data: bytes, position: int) -> int:
    """Where the numbers of the last layer begin: a tensor of 256 times 128."""
    header = b"\x01\x02\x02\x00\x01\x01\x80\x01\x01\x01\x01"  # version 2; 256, 128, 1, 1
    return data.index(header, position) + len(header)


def _after(data: bytes, tag: bytes, position: int) -> int:
    return data.index(tag, position) + len(tag)


def _integer(data: bytes, position: int) -> tuple[int, int]:
    """dlib's integers: a byte with the length, its upper bit for the sign, then the value, lowest byte first."""
    length = data[position] & 15
    value = int.from_bytes(data[position + 1 : position + 1 + length], "little")
    return (-value if data[position] & 128 else value), position + 1 + length


def _tensor(data: bytes, position: int, size: int) -> tuple[Array, int]:
    """A tensor's numbers and the place after it: version 2, four lengths, raw 32-bit floats."""
    version, position = _integer(data, position)
    lengths = []
    for _ in range(4):
        value, position = _integer(data, position)
        lengths.append(value)
    if version != 2 or int(np.prod(lengths)) != size:
        raise ValueError("another tensor")
    return np.frombuffer(data, "<f4", size, position).astype(np.float32), position + 4 * size
