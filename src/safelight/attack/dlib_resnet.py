"""dlib's face recognition network, read from its own weight file and put together for the inference engine.

The file (dlib_face_recognition_resnet_model_v1.dat, Davis King, 2017, CC0) is a chain of serialized layers. Only its
numbers are read, by a reader that knows this one network and checks every shape: nothing is unpickled or executed.
Architecture: He, Zhang, Ren, Sun: Deep Residual Learning (2015), 29 convolutions, as in dlib's
``dnn_face_recognition_ex.cpp``. Output: 128 numbers; two pictures of one person lie closer than 0.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.models import engine
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

    filters: Array  # (out, in, rows, columns)
    stride: int
    padding: int
    bias: Array


class DlibResNet:
    """Turns an aligned face into 128 numbers."""

    name = "dlib-resnet"

    def __init__(self) -> None:
        """Read the weights. Raises SafelightError when they are missing or are not what they should be."""
        layers, last = _network()
        self._network = engine.built(self.name, lambda operations: _graph(operations, layers, last))

    def embed(self, chip: NDArray[np.uint8]) -> Array:
        """128 numbers for a face; ``chip``: (150, 150, 3) uint8, blue, green, red, aligned as dlib does."""
        picture = (chip[:, :, ::-1].astype(np.float32) - _MEAN) / 256
        return self._network(np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32))[0].reshape(-1)


def _graph(operations: Any, layers: tuple[_Layer, ...], last: Array) -> tuple[list[Any], list[Any]]:
    """The network's results and inputs; ``operations``: the engine's, by name."""
    op = operations

    def convolved(x: Any, layer: _Layer) -> Any:
        edges, steps = [layer.padding] * 2, [layer.stride] * 2
        y = op.convolution(x, op.constant(layer.filters), steps, edges, edges, [1, 1])
        return op.add(y, op.constant(layer.bias.reshape(1, -1, 1, 1)))

    def added(a: Any, b: Any) -> Any:
        """The sum of two blocks of different size: the smaller is continued with zeros, as dlib's add_prev does."""
        sizes = [np.array(block.shape, np.int64) for block in (a, b)]
        before, zero = op.constant(np.zeros(4, np.int64)), op.constant(np.float32(0))
        rest = [op.constant(np.maximum(*sizes) - size) for size in sizes]
        return op.add(*(op.pad(x, before, after, "constant", zero) for x, after in zip((a, b), rest, strict=True)))

    picture = op.parameter([1, 3, SIDE, SIDE], np.float32)
    remaining = iter(layers)
    none = [0, 0]
    x = op.relu(convolved(picture, next(remaining))).output(0)
    x = op.max_pool(x, [2, 2], [1, 1], none, none, [3, 3]).output(0)
    for _, halved in _BLOCKS:
        y = op.relu(convolved(x, next(remaining)))
        y = convolved(y, next(remaining)).output(0)
        if halved:
            x = op.avg_pool(x, [2, 2], none, none, [2, 2], exclude_pad=True).output(0)
        x = op.relu(added(y, x)).output(0)
    mean = op.reduce_mean(x, op.constant(np.array([2, 3], np.int64)))
    return [op.matmul(mean, op.constant(last), False, False)], [picture]


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
        filters = values[:-out].reshape(out, inner, size, size) * scale.reshape(-1, 1, 1, 1)
        layers.append(_Layer(filters, shape[3], shape[5], values[-out:] * scale + shift))
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
