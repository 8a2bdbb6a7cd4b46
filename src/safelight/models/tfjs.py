"""Rewriting a TensorFlow.js graph model as a frozen TensorFlow graph, which the inference engine reads as it is.

The two formats hold the same graph: TensorFlow.js writes it as JSON with its weights in a file of their own, in half
precision here; TensorFlow writes one protobuf message. Neither TensorFlow nor protobuf is needed for that: the few
messages in question (``GraphDef``, ``NodeDef``, ``AttrValue``, ``TensorProto``, ``TensorShapeProto``) are put together
below by the rules of the wire format. The same input gives the same bytes, so the manifest can name their hash.

Both inputs must have passed their own hashes: what is read here is trusted to be what it was when it was written.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES = {"DT_FLOAT": 1, "DT_INT32": 3, "DT_INT64": 9, "DT_BOOL": 10}
_NUMPY = {"float32": ("<f4", "DT_FLOAT"), "int32": ("<i4", "DT_INT32"), "bool": ("?", "DT_BOOL")}
_SIZE = "any-size/"  # what the nodes that are added here are called

Node = dict[str, Any]


def frozen(document: bytes, weights: bytes) -> bytes:
    """The graph as a serialised ``GraphDef`` that takes pictures (1, 3, height, width) of any size.

    Args:
        document: the model's JSON, of format "graph-model".
        weights: its only weight file.
    """
    raw = json.loads(document)
    nodes: dict[str, Node] = {node["name"]: node for node in raw["modelTopology"]["node"]}
    constants = _constants(raw["weightsManifest"][0]["weights"], weights)
    _free_size(nodes, constants)
    used = _used(nodes, [name for name, node in nodes.items() if node["op"] == "Identity"])
    return b"".join(
        _node(node, constants[name] if node["op"] == "Const" else None) for name, node in nodes.items() if name in used
    )


def _constants(entries: Iterable[Node], data: bytes) -> dict[str, NDArray[Any]]:
    """Each constant by its node's name, as the type it has in the graph."""
    constants = {}
    start = 0
    for entry in entries:
        wanted = _NUMPY[entry["dtype"]][0]
        kept = np.dtype(entry["quantization"]["dtype"] if "quantization" in entry else wanted).newbyteorder("<")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        values = np.frombuffer(data, kept, count, start)
        constants[entry["name"]] = values.reshape(entry["shape"]).astype(wanted)
        start += values.nbytes
    return constants


def _free_size(nodes: dict[str, Node], constants: dict[str, NDArray[Any]]) -> None:
    """Where the graph was written for one picture size, say by which rule that size came about.

    A feature map is enlarged or reduced to a fixed part of the picture, and maps are laid flat: both targets become
    arithmetic on shapes, which the engine works out once for each picture size.
    """

    def constant(name: str, *values: int) -> str:
        constants[_SIZE + name] = np.array(values, "<i4")
        nodes[_SIZE + name] = {"name": _SIZE + name, "op": "Const"}
        return _SIZE + name

    def node(name: str, op: str, inputs: list[str], **attributes: Any) -> str:
        nodes[_SIZE + name] = {"name": _SIZE + name, "op": op, "input": inputs, "attr": attributes}
        return _SIZE + name

    def part_of_shape(name: str, of: str, first: int, after: int) -> str:
        shape = node(f"{name}/shape", "Shape", [of], T={"type": "DT_FLOAT"}, out_type={"type": "DT_INT32"})
        ends = [constant(f"{name}/first", first), constant(f"{name}/after", after), constant(f"{name}/step", 1)]
        types = {"T": {"type": "DT_INT32"}, "Index": {"type": "DT_INT32"}}
        return node(f"{name}/part", "StridedSlice", [shape, *ends], **types)

    picture = next(node for node in nodes.values() if node["op"] == "Placeholder")
    dimensions = picture["attr"]["shape"]["shape"]["dim"]
    written_for = int(dimensions[2]["size"])
    for dimension in dimensions[2:]:
        dimension["size"] = -1
    size = part_of_shape("picture", picture["name"], 2, 4)
    minus_one = constant("rest", -1)
    axis = constant("axis", 0)
    constants[axis] = constants[axis].reshape(())
    for name, changed in list(nodes.items()):
        if changed["op"] == "ResizeBilinear":
            cell = written_for // int(constants[changed["input"][1]][0])
            inputs = [size, constant(f"{name}/cell", cell, cell)]
            changed["input"][1] = node(f"{name}/size", "FloorDiv", inputs, T={"type": "DT_INT32"})
        elif changed["op"] == "Reshape":
            kept = part_of_shape(name, changed["input"][0], 0, 2)
            types = {"T": {"type": "DT_INT32"}, "Tidx": {"type": "DT_INT32"}, "N": {"i": 2}}
            changed["input"][1] = node(f"{name}/flat", "ConcatV2", [kept, minus_one, axis], **types)
            changed["attr"]["Tshape"] = {"type": "DT_INT32"}


def _used(nodes: dict[str, Node], outputs: list[str]) -> set[str]:
    """Names of the nodes that the outputs depend on."""
    waiting, used = list(outputs), set()
    while waiting:
        name = waiting.pop().partition(":")[0]
        if name not in used:
            used.add(name)
            waiting += nodes[name].get("input", [])
    return used


# --- the protobuf wire format: a field is its number and kind, then its value -------------------------------------


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _whole(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _long(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _shape(dimensions: Iterable[int]) -> bytes:
    return b"".join(_long(2, _whole(1, size)) for size in dimensions)


def _node(node: Node, value: NDArray[Any] | None) -> bytes:
    """A node of the graph; ``value`` for a constant."""
    if value is None:
        attributes = {name: _attribute(content) for name, content in sorted(node.get("attr", {}).items())}
    else:  # what the JSON says of a constant is a place holder
        kind = _TYPES[_NUMPY[value.dtype.name][1]]
        tensor = _whole(1, kind) + _long(2, _shape(value.shape)) + _long(4, value.tobytes())
        attributes = {"dtype": _whole(6, kind), "value": _long(8, tensor)}
    body = _long(1, node["name"].encode()) + _long(2, node["op"].encode())
    body += b"".join(_long(3, name.encode()) for name in node.get("input", []))
    body += b"".join(_long(5, _long(1, name.encode()) + _long(2, content)) for name, content in attributes.items())
    return _long(1, body)


def _attribute(content: Node) -> bytes:
    """An attribute from its JSON: one key that says of which kind, and the value."""
    ((kind, value),) = content.items()
    match kind:
        case "list":
            return _long(1, _list(value))
        case "s":
            return _long(2, base64.b64decode(value))
        case "i":
            return _whole(3, int(value))
        case "f":
            return _varint(4 << 3 | 5) + struct.pack("<f", value)
        case "b":
            return _whole(5, int(value))
        case "type":
            return _whole(6, _TYPES[value])
        case "shape":
            return _long(7, _shape(int(dimension["size"]) for dimension in value.get("dim", [])))
        case _:
            raise ValueError(f"an attribute of kind {kind!r}")


def _list(value: Node) -> bytes:
    whole = [_varint(int(number)) for number in value.get("i", [])]
    strings = b"".join(_long(2, base64.b64decode(text)) for text in value.get("s", []))
    return strings + (_long(3, b"".join(whole)) if whole else b"")
