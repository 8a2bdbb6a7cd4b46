"""The one inference engine: OpenVINO, on the CPU unless another device was chosen (:mod:`safelight.models.device`), in
plain 32-bit floats, kept from ever speaking to the network.

Chosen by measuring, see ``docs/models.md``. Three rules hold for every network:

* The bytes that were hashed are the bytes that are loaded; no file is opened twice.
* Results do not depend on machine or load more than floating point makes them: 32-bit floats even where the processor
  offers bfloat16, a fixed number of threads, one request at a time.
* Nothing is sent: see :mod:`safelight.models.library`.
"""

from __future__ import annotations

import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError, harmless
from safelight.models import store
from safelight.models.device import CPU, chosen
from safelight.models.manifest import Weight, weight

_SIZES_KEPT = 6  # compiled for that many picture sizes at a time; the least recently used goes first
_TRIED, _IDLE = 4, 12  # looks at a size, and looks since: it was tried and is not needed (one look made it ready)
TOLERANCE = 1e-3
"""By how much a device's numbers may differ from the CPU's, as a share of the largest in the same output."""
_SETTINGS = {
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
}


@cache
def _engine() -> Any:
    """The module ``openvino``, imported where it is needed: it takes a while."""
    from safelight.models import library

    return library.openvino


@cache
def _core() -> Any:
    return _engine().Core()


def devices() -> dict[str, str]:
    """What the engine could compute on here: its name for a device and the maker's."""
    return {name: str(_core().get_property(name, "FULL_DEVICE_NAME")) for name in _core().available_devices}


class _Sized:
    """A network made ready for one picture size; whoever wants to use it takes ``turn`` first."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.request: Any = None
        self.last = 0  # the number of the network's look that was at this size


def try_out(device: str) -> None:
    """Compute a little on a device and on the CPU. Raises SL-DEVICE, saying why it cannot be used by this process."""
    if device not in devices():
        raise SafelightError(Code.DEVICE, f"{device}: there is no such device; there is {', '.join(devices())}.")
    chance = np.random.default_rng(0)
    data = chance.normal(size=(1, 3, 64, 64)).astype(np.float32)
    kernel = chance.normal(size=(16, 3, 3, 3)).astype(np.float32)
    _engine()
    from openvino import opset13

    entry = opset13.parameter(list(data.shape), np.float32)
    made = opset13.sigmoid(opset13.convolution(entry, kernel, [1, 1], [0, 0], [0, 0], [1, 1]))
    graph = _engine().Model([made], [entry], "try-out")
    told = []
    for name in (CPU, device):
        with _blaming(name):
            request = _compiled(graph, name, 1)
            request.infer([data])
            told.append(np.array(request.output_tensors[0].data))
    if not alike(*told):
        raise SafelightError(Code.DEVICE, f"{device} computes something else than the CPU.")


def alike(one: NDArray[np.float32], two: NDArray[np.float32]) -> bool:
    """Whether two devices' outputs are the same within the tolerance that is promised; NaN is never."""
    return bool(np.abs(one - two).max() <= TOLERANCE * max(float(np.abs(one).max()), 1e-6))


def _compiled(graph: Any, device: str, threads: int) -> Any:
    """A request to run the graph on a device; it must be one of :func:`devices`, else what it is made for is refused.

    Raises SL-DEVICE for a device that cannot compute in 32-bit floats, or does not take the graph.
    """
    settings: dict[str, object] = dict(_SETTINGS)
    if device == CPU:
        # several workers run side by side, and each would be tied to the very same first core
        settings |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    elif device not in _core().available_devices:
        raise SafelightError(Code.DEVICE, f"{device}: this process cannot reach such a device.")
    elif "FP32" not in _core().get_property(device, "OPTIMIZATION_CAPABILITIES"):
        raise SafelightError(Code.DEVICE, f"{device} does not compute in 32-bit floats.")
    return _core().compile_model(graph, device, settings).create_infer_request()


@contextmanager
def _blaming(device: str) -> Iterator[None]:
    """A driver that fails is a refusal of the device's, with its code. On the CPU it is a mistake of ours."""
    try:
        yield
    except RuntimeError as error:
        if device == CPU:
            raise
        raise SafelightError(Code.DEVICE, f"{device} failed: {harmless(str(error))[:500]}") from error


class Network:
    """A trained network that looks at pictures. Threads that share it take turns, those with pictures of another size
    need not wait.

    Each picture size is compiled once (a fraction of a second) and the last few sizes are kept ready.
    """

    def __init__(self, weight: Weight, data: bytes, *, threads: int = 1) -> None:
        """Read the network in ``data``, which must have passed :func:`safelight.models.store.load`."""
        self.name = weight.name
        self._threads = threads
        self._device = chosen()
        self._turn = threading.Lock()  # to look a size up: held for a moment, never while something is computed
        self._making = threading.Lock()  # there is one graph, which is given the size and then compiled
        self._sizes: OrderedDict[tuple[int, int], _Sized] = OrderedDict()
        self._looks: Counter[tuple[int, int]] = Counter()  # by size, of those that are not ready any more as well
        self._graph = _for_pictures(_read(weight, data), weight)

    def __call__(self, picture: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Run the network on one picture.

        Args:
            picture: (height, width, 3) uint8, blue, green, red. Face finders want both sides to be multiples of 32.

        Returns:
            The outputs that the manifest names, in its order, batch axis (1) included; copies, the caller's own.
        """
        height, width = picture.shape[:2]
        with self._sized(height, width) as request, _blaming(self._device):
            request.input_tensors[0].data[0] = picture
            request.infer()
            return [np.array(tensor.data) for tensor in request.output_tensors]

    @contextmanager
    def _sized(self, height: int, width: int) -> Iterator[Any]:
        """A request for that picture size, nobody else's for the time being; compiled if need be."""
        size = height, width
        with self._turn:
            sized = self._sizes.setdefault(size, _Sized())
            self._sizes.move_to_end(size)
            self._looks[size] += 1
            sized.last = now = self._looks.total()
            while len(self._sizes) > _SIZES_KEPT:
                self._sizes.popitem(last=False)
            for other, idle in list(self._sizes.items()):
                if 1 < self._looks[other] <= _TRIED and now - idle.last > _IDLE:
                    del self._sizes[other]
        with sized.turn:
            if sized.request is None:
                sized.request = self._made_ready(height, width)
            yield sized.request

    def _made_ready(self, height: int, width: int) -> Any:
        with self._making, _blaming(self._device):
            self._graph.reshape([1, height, width, 3])
            return _compiled(self._graph, self._device, self._threads)


class Plain:
    """A trained network of plain arrays: sound or features in, numbers out. Not for several threads at a time."""

    def __init__(self, name: str, graph: Any, *, threads: int = 1) -> None:
        """Make the graph ready. Use :func:`plain` or :func:`built`."""
        self.name = name
        self._device = chosen()
        with _blaming(self._device):
            self._request = _compiled(graph, self._device, threads)

    def __call__(self, *inputs: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Run it on its inputs in the network's own order; the outputs as the manifest names them, as copies."""
        with _blaming(self._device):
            self._request.infer(list(inputs))
            return [np.array(tensor.data) for tensor in self._request.output_tensors]


def plain(name: str, *, threads: int = 1) -> Plain:
    """Load a network that looks at no pictures. Otherwise, and in what it raises, like :func:`network`."""
    entry = weight(name)
    return Plain(name, _read(entry, store.load(entry)), threads=threads)


def built(name: str, build: Callable[[Any], tuple[list[Any], list[Any]]], *, threads: int = 1) -> Plain:
    """A network that no format of the engine's holds. ``build`` gets the engine's operations (OpenVINO's operation set
    13, a module) and returns the results and the inputs that it made of them.
    """
    _engine()
    from openvino import opset13

    results, inputs = build(opset13)
    return Plain(name, _engine().Model(results, inputs, name), threads=threads)


def network(name: str, *, threads: int = 1) -> Network:
    """Load a network by its name in the manifest; its sha256 is checked each time.

    Args:
        name: such as ``"yunet"``.
        threads: threads that work on one picture.

    Raises:
        KeyError: no such name.
        SafelightError: WEIGHTS_MISSING, WEIGHTS_CHANGED, NO_PERMISSION or UNREADABLE, naming the file; using it raises
            DEVICE when another device than the CPU was chosen and fails.
    """
    entry = weight(name)
    return Network(entry, store.load(entry), threads=threads)


def alphabet(name: str) -> list[str]:
    """The characters that a network which reads tells apart, in its own order, as its file lists them.

    Raises:
        KeyError: no such name, or it lists none.
        SafelightError: like :func:`network`.
    """
    about = _core().read_model(store.load(weight(name))).get_rt_info()["framework"]
    return str(about["character"].value).split("\n")


def _read(weight: Weight, data: bytes) -> Any:
    """The network's graph, cut to the tensors that are wanted: what comes after them or beside them is not computed."""
    if weight.format == "onnx":
        graph = _core().read_model(data)
    else:
        with _as_file(data) as path:  # this reader takes a path only
            graph = _core().read_model(path)
    named = {name: output for node in graph.get_ops() for output in node.outputs() for name in output.names}
    return _engine().Model([named[name] for name in weight.outputs], graph.get_parameters(), weight.name)


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """A path that leads to exactly these bytes. In a worker it lies in its private folder, where it counts as disk."""
    with tempfile.NamedTemporaryFile(prefix="weights-", suffix=".pb") as file:
        file.write(data)
        file.flush()
        yield file.name


def _for_pictures(graph: Any, weight: Weight) -> Any:
    """The graph with its input turned into one BGR picture: (1, height, width, 3), bytes or floats that hold bytes.

    A network that takes bytes as they are is given floats: bytes, which the engine would bring into another order
    twice, cost YuNet a sixth of its time. Where something is to be done to each value, that order costs nothing more.
    """
    prepare = _engine().preprocess
    kinds = _engine().Type
    changed = any(weight.mean) or weight.scale != (1.0, 1.0, 1.0)
    process = prepare.PrePostProcessor(graph)
    entry = process.input(0)
    entry.tensor().set_element_type(kinds.u8 if changed else kinds.f32).set_layout(_engine().Layout("NHWC"))
    entry.tensor().set_color_format(prepare.ColorFormat.BGR)
    entry.model().set_layout(_engine().Layout("NCHW"))
    if weight.colours == "rgb":
        entry.preprocess().convert_color(prepare.ColorFormat.RGB)
    if changed:
        entry.preprocess().convert_element_type(kinds.f32).mean(list(weight.mean)).scale(list(weight.scale))
    return process.build()
