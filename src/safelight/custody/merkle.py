"""The hash tree of RFC 6962, section 2.1: root, inclusion proof, consistency proof."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash of an entry (32 bytes)."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (32 bytes)."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A tree that grows: keeps the leaves, and the roots of its complete subtrees so that appending is cheap."""

    def __init__(self, leaves: Sequence[bytes] = ()) -> None:
        """``leaves``: leaf hashes."""
        self.leaves: list[bytes] = []
        self._peaks: list[tuple[int, bytes]] = []  # (height, root), highest first
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        self.leaves.append(leaf)
        height, top = 0, leaf
        while self._peaks and self._peaks[-1][0] == height:
            top = node_hash(self._peaks.pop()[1], top)
            height += 1
        self._peaks.append((height, top))

    def copy(self) -> Tree:
        """Another tree with the same leaves."""
        twin = Tree()
        twin.leaves, twin._peaks = list(self.leaves), list(self._peaks)
        return twin

    @property
    def root(self) -> bytes:
        """Root hash of all leaves."""
        if not self._peaks:
            return EMPTY
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root hash of these leaf hashes."""
    return Tree(leaves).root


def inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The audit path of leaf ``index``, from its sibling upwards (RFC 6962, 2.1.1)."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion(index, leaves[:split]), root_of(leaves[split:])]
    return [*inclusion(index - split, leaves[split:]), root_of(leaves[:split])]


def root_by_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2); None when the path has the wrong length."""
    if not 0 <= index < size:
        return None
    node, last, result = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if node % 2 or node == last:
            result = node_hash(step, result)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, step)
        node, last = node >> 1, last >> 1
    return result if last == 0 else None


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)
