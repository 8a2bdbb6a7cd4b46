"""The one inference engine: OpenVINO on the CPU, in plain 32-bit floats, kept from ever speaking to the network.

Chosen by measuring, see ``docs/models.md``. Three rules hold for every network:

* The bytes that were hashed are the bytes that are loaded; no file is opened twice.
* Results do not depend on machine or load more than floating point makes them: 32-bit floats even where the processor
  offers bfloat16, a fixed number of threads, one request at a time.
* Nothing is sent. ``import openvino`` reports each import to an analytics service when its helper package
  ``openvino_telemetry`` is installed; :func:`_engine` shuts the door on both before it imports.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.models import store
from safelight.models.manifest import Weight, weight

_SPEAKERS = ("openvino_telemetry", "openvino.tools.ovc")
_SIZES_KEPT = 6  # compiled for that many picture sizes at a time; the least recently used goes first
_SETTINGS = {
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
    # several workers run side by side, and each would be tied to the very same first core
    "ENABLE_CPU_PINNING": False,
}


@cache
def _engine() -> Any:
    """The module ``openvino``, imported so that nothing of it can report home.

    ``None`` in ``sys.modules`` makes an import fail. OpenVINO catches that for both modules and goes on without the
    model converter, which is not needed to run a network.
    """
    if "openvino" in sys.modules:
        if any(sys.modules.get(name) for name in _SPEAKERS):
            raise SafelightError(Code.BUG, "The inference engine was imported with its telemetry.")
    else:
        for name in _SPEAKERS:
            sys.modules[name] = None  # type: ignore[assignment]
    import openvino

    return openvino


@cache
def _core() -> Any:
    return _engine().Core()


def devices() -> dict[str, str]:
    """What the engine could compute on here: its name for a device and the maker's. Networks run on ``CPU``, always."""
    return {name: str(_core().get_property(name, "FULL_DEVICE_NAME")) for name in _core().available_devices}


class Network:
    """A trained network that looks at pictures, one at a time: threads that share it take turns.

    Each picture size is compiled once (a fraction of a second) and the last few sizes are kept ready.
    """

    def __init__(self, weight: Weight, data: bytes, *, threads: int = 1) -> None:
        """Read the network in ``data``, which must have passed :func:`safelight.models.store.load`."""
        self.name = weight.name
        self._threads = threads
        self._turn = threading.Lock()
        self._requests: OrderedDict[tuple[int, int], Any] = OrderedDict()
        self._graph = _for_pictures(_read(weight, data), weight)

    def __call__(self, picture: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Run the network on one picture.

        Args:
            picture: (height, width, 3) uint8, blue, green, red. Face finders want both sides to be multiples of 32.

        Returns:
            The outputs that the manifest names, in its order, batch axis (1) included; copies, the caller's own.
        """
        height, width = picture.shape[:2]
        with self._turn:
            request = self._request(height, width)
            request.infer([picture[None]], share_inputs=True)
            return [np.array(tensor.data) for tensor in request.output_tensors]

    def _request(self, height: int, width: int) -> Any:
        """A request for that picture size, compiled if need be."""
        size = height, width
        if size not in self._requests:
            while len(self._requests) >= _SIZES_KEPT:
                self._requests.popitem(last=False)
            self._graph.reshape([1, height, width, 3])
            settings = _SETTINGS | {"INFERENCE_NUM_THREADS": self._threads}
            self._requests[size] = _core().compile_model(self._graph, "CPU", settings).create_infer_request()
        self._requests.move_to_end(size)
        return self._requests[size]


class Plain:
    """A trained network of plain arrays: sound or features in, numbers out. Not for several threads at a time."""

    def __init__(self, name: str, graph: Any, *, threads: int = 1) -> None:
        """Make the graph ready. Use :func:`plain` or :func:`built`."""
        self.name = name
        settings = _SETTINGS | {"INFERENCE_NUM_THREADS": threads}
        self._request = _core().compile_model(graph, "CPU", settings).create_infer_request()

    def __call__(self, *inputs: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Run it on its inputs in the network's own order; the outputs as the manifest names them, as copies."""
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
        SafelightError: WEIGHTS_MISSING, WEIGHTS_CHANGED, NO_PERMISSION or UNREADABLE, naming the file.
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
    """The graph with its input turned into one uint8 BGR picture: (1, height, width, 3)."""
    prepare = _engine().preprocess
    process = prepare.PrePostProcessor(graph)
    entry = process.input(0)
    entry.tensor().set_element_type(_engine().Type.u8).set_layout(_engine().Layout("NHWC"))
    entry.tensor().set_color_format(prepare.ColorFormat.BGR)
    entry.model().set_layout(_engine().Layout("NCHW"))
    if weight.colours == "rgb":
        entry.preprocess().convert_color(prepare.ColorFormat.RGB)
    if any(weight.mean) or weight.scale != (1.0, 1.0, 1.0):
        steps = entry.preprocess().convert_element_type(_engine().Type.f32)
        steps.mean(list(weight.mean)).scale(list(weight.scale))
    return process.build()
