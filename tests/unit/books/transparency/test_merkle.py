"""The Merkle tree against the published vectors of Certificate Transparency, a second definition, and forgeries."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tanpuhui.books.transparency.domain import merkle
from tanpuhui.books.transparency.domain.merkle import Coordinate, Frontier

# The eight leaves, roots and proofs that implementations of RFC 6962 share as reference.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION_OF_0_IN_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
CONSISTENCY_OF_6_AND_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


class Tree:
    """A log in memory: the stored perfect nodes, as the table holds them."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
        self.frontier = Frontier()
        self.nodes: dict[Coordinate, bytes] = {}
        for hashed in self.hashes:
            self.nodes.update(self.frontier.append(hashed))

    def root(self, size: int) -> bytes:
        return merkle.root_at(size, self.nodes.__getitem__)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return merkle.inclusion_path(index, size, self.nodes.__getitem__)

    def consistency(self, old: int, new: int) -> list[bytes]:
        return merkle.consistency_path(old, new, self.nodes.__getitem__)


def _numbered(size: int) -> Tree:
    return Tree([str(number).encode() for number in range(size)])


def _definition(hashes: list[bytes]) -> bytes:
    """MTH as RFC 6962, 2.1 writes it, by recursion and without stored nodes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + _definition(hashes[:split]) + _definition(hashes[split:])).digest()


def test_roots_are_those_of_the_reference_implementations() -> None:
    tree = Tree(LEAVES)
    assert [tree.root(size).hex() for size in range(1, 9)] == ROOTS
    assert merkle.root_of([]) == hashlib.sha256(b"").digest()


def test_proofs_are_those_of_the_reference_implementations() -> None:
    tree = Tree(LEAVES)
    assert [step.hex() for step in tree.inclusion(0, 8)] == INCLUSION_OF_0_IN_8
    assert [step.hex() for step in tree.consistency(6, 8)] == CONSISTENCY_OF_6_AND_8
    assert [step.hex() for step in tree.inclusion(0, 1)] == []


def test_every_size_index_and_pair_up_to_33_is_proved() -> None:
    tree = _numbered(33)
    for size in range(1, 34):
        root = tree.root(size)
        assert root == _definition(tree.hashes[:size]) == merkle.root_of(tree.hashes[:size])
        for index in range(size):
            path = tree.inclusion(index, size)
            assert merkle.verify_inclusion(
                hashed=tree.hashes[index], index=index, size=size, path=path, root=root
            )
        for old in range(1, size + 1):
            assert merkle.verify_consistency(
                old_size=old,
                old_root=tree.root(old),
                new_size=size,
                new_root=root,
                path=tree.consistency(old, size),
            )


SIZES = st.integers(1, 300)


@given(SIZES, st.data())
def test_an_inclusion_proof_stands_for_one_leaf_at_one_place_only(size: int, data: st.DataObject) -> None:
    tree = _numbered(size)
    index = data.draw(st.integers(0, size - 1))
    path, root, hashed = tree.inclusion(index, size), tree.root(size), tree.hashes[index]
    assert len(path) <= (size - 1).bit_length()

    def stands(**changed: object) -> bool:
        claim = {"hashed": hashed, "index": index, "size": size, "path": path, "root": root}
        return merkle.verify_inclusion(**{**claim, **changed})  # type: ignore[arg-type]

    assert stands()
    assert not stands(hashed=merkle.leaf_hash(b"another"))
    assert not stands(root=hashlib.sha256(b"another").digest())
    assert not any(stands(index=other) for other in range(-1, size + 1) if other != index)
    assert not stands(path=[*path, bytes(32)])
    for position in range(len(path)):
        assert not stands(path=path[:position] + path[position + 1 :])
        assert not stands(path=[*path[:position], bytes(32), *path[position + 1 :]])
        assert not stands(path=[*path[:position], path[position][:31], *path[position + 1 :]])


@given(SIZES, st.data())
def test_a_consistency_proof_stands_for_two_heads_of_one_history_only(size: int, data: st.DataObject) -> None:
    tree = _numbered(size)
    old = data.draw(st.integers(1, size))
    path = tree.consistency(old, size)
    claim = {
        "old_size": old,
        "old_root": tree.root(old),
        "new_size": size,
        "new_root": tree.root(size),
        "path": path,
    }

    def stands(**changed: object) -> bool:
        return merkle.verify_consistency(**{**claim, **changed})  # type: ignore[arg-type]

    assert stands()
    assert not stands(old_root=bytes(32))
    assert not stands(new_root=bytes(32))
    assert not stands(path=[*path, bytes(32)])
    assert not any(stands(path=path[:position] + path[position + 1 :]) for position in range(len(path)))
    rewritten = Tree([b"rewritten", *[str(number).encode() for number in range(1, size)]])
    if old < size:
        assert not stands(new_root=rewritten.root(size), path=rewritten.consistency(old, size))


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_tree_resumed_from_its_stored_edge_grows_like_one_that_never_stopped(
    begun: int, added: int
) -> None:
    whole = _numbered(begun + added)
    edge = [whole.nodes[node] for node in merkle.perfect_nodes(0, begun)]
    resumed = Frontier(begun, edge)
    completed: dict[Coordinate, bytes] = {}
    for hashed in whole.hashes[begun:]:
        completed.update(resumed.append(hashed))
    assert resumed.root() == _definition(whole.hashes)
    assert completed == {node: whole.nodes[node] for node in completed}
    assert len(completed) == len(whole.nodes) - len(_numbered(begun).nodes)


def test_an_edge_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="3 leaves"):
        Frontier(3, [bytes(32)])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_ranges(index, size)
    assert not merkle.verify_inclusion(hashed=bytes(32), index=index, size=size, path=[], root=bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 2)])
def test_a_tree_that_did_not_grow_has_no_consistency_proof(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="cannot extend"):
        merkle.consistency_ranges(old, new)
    assert not merkle.verify_consistency(
        old_size=old, old_root=bytes(32), new_size=new, new_root=bytes(32), path=[]
    )


def test_a_range_that_is_no_subtree_is_refused() -> None:
    with pytest.raises(ValueError, match="not a subtree"):
        merkle.perfect_nodes(1, 3)


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    """The prefixes of RFC 6962 keep the two hashes apart."""
    left, right = merkle.leaf_hash(b"0"), merkle.leaf_hash(b"1")
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)
