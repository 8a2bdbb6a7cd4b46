"""The tree, notes and proofs, against a second implementation and a verifier written from the specification."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from custody import c2sp
from safelight.custody.merkle import Tree, inclusion, leaf_hash, root_by_inclusion, root_of
from safelight.custody.note import BadNote, Checkpoint, Signer, Verifier, proof, read_proof

SIGNER = Signer("safelight/case/0011223344556677", bytes(range(32)))


def test_roots_are_those_of_a_second_implementation() -> None:
    oracle, tree = InmemoryTree(algorithm="sha256"), Tree()
    assert tree.root == oracle.get_root(0)
    for number in range(130):
        entry = b"entry %d" % number
        oracle.append_entry(entry)
        tree.append(leaf_hash(entry))
        assert tree.root == oracle.get_root() == root_of(tree.leaves)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33])
def test_proofs_hold_for_a_verifier_written_from_the_specification(size: int) -> None:
    entries = [b"entry %d" % number for number in range(size)]
    tree = Tree([leaf_hash(entry) for entry in entries])
    note = SIGNER.sign(Checkpoint(SIGNER.name, size, tree.root).text)
    for index, entry in enumerate(entries):
        path = inclusion(index, tree.leaves)
        text = proof(index, path, note)
        assert c2sp.included(entry, text.encode(), str(SIGNER.verifier)) == index
        assert read_proof(text) == (index, path, note)
        assert root_by_inclusion(index, size, leaf_hash(entry), path) == tree.root
        assert root_by_inclusion(index, size, leaf_hash(b"another"), path) != tree.root


def test_a_key_is_read_as_it_was_written() -> None:
    assert Verifier.parse(str(SIGNER.verifier)) == SIGNER.verifier


NOTE = SIGNER.sign(Checkpoint(SIGNER.name, 5, bytes(range(32))).text)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(0, 7))
def test_no_bit_of_a_checkpoint_can_be_changed(place: int, bit: int) -> None:
    spoilt = bytearray(NOTE.encode())
    spoilt[place] ^= 1 << bit
    with pytest.raises((BadNote, UnicodeDecodeError)):
        Checkpoint.parse(spoilt.decode(), SIGNER.verifier)


@pytest.mark.parametrize("spoil", [NOTE + "\n", NOTE[:-1], "\n" + NOTE, NOTE + NOTE, "", NOTE.replace("5", "05", 1)])
def test_a_checkpoint_that_is_not_written_as_it_should_be_is_refused(spoil: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(spoil, SIGNER.verifier)
