"""The Merkle tree of RFC 6962, section 2.1, and RFC 9162, section 2.1, with SHA-256: hashes, proofs, and their check.

A *perfect node* (level, index) is the root over the leaves index·2^level up to (index+1)·2^level; once full it never
changes, so the log stores each of them once and every root and proof of every size is folded from O(log n) of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

Coordinate = tuple[int, int]
NodeReader = Callable[[Coordinate], bytes]

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes in order; the root of nothing is SHA-256 of the empty string."""
    frontier = Frontier()
    for hashed in leaf_hashes:
        frontier.append(hashed)
    return frontier.root()


class Frontier:
    """The growing right edge of a tree: it takes leaf hashes in order and yields the perfect nodes they complete."""

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        """Start from nothing, or from a tree of `size` leaves with the hashes of `perfect_nodes(0, size)`."""
        self.size = size
        self._nodes = list(nodes)
        if len(self._nodes) != size.bit_count():
            message = f"a tree of {size} leaves has {size.bit_count()} perfect nodes, not {len(self._nodes)}"
            raise ValueError(message)

    def append(self, hashed: bytes) -> list[tuple[Coordinate, bytes]]:
        """Add one leaf hash and return the perfect nodes it completes, its own level 0 first."""
        level, index = 0, self.size
        completed = [((level, index), hashed)]
        while index & 1:
            hashed = node_hash(self._nodes.pop(), hashed)
            level, index = level + 1, index >> 1
            completed.append(((level, index), hashed))
        self._nodes.append(hashed)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        return fold(self._nodes)


def perfect_nodes(first: int, last: int) -> list[Coordinate]:
    """Return the perfect nodes, largest first, that make up leaves first to last − 1 of a subtree of the log."""
    nodes: list[Coordinate] = []
    while first < last:
        level = (last - first).bit_length() - 1
        if first & ((1 << level) - 1):
            message = f"leaves {first} to {last} are not a subtree"
            raise ValueError(message)
        nodes.append((level, first >> level))
        first += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a run of perfect nodes, largest first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_at(size: int, read: NodeReader) -> bytes:
    """Return the root of the first `size` leaves."""
    return fold([read(node) for node in perfect_nodes(0, size)])


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return, leaf end first, the leaf ranges whose roots prove leaf `index` in the tree of `size` (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        message = f"no leaf {index} in a tree of {size}"
        raise ValueError(message)
    ranges: list[tuple[int, int]] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            ranges.append((middle, last))
            last = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """Return the leaf ranges whose roots prove that the tree of `new_size` extends that of `old_size` (RFC 9162, 2.1.4.1)."""
    if not 0 < old_size <= new_size:
        message = f"a tree of {new_size} leaves cannot extend one of {old_size}"
        raise ValueError(message)
    ranges: list[tuple[int, int]] = []
    first, last, whole = 0, new_size, True
    while old_size != last:
        middle = first + _split(last - first)
        if old_size <= middle:
            ranges.append((middle, last))
            last = middle
        else:
            ranges.append((first, middle))
            first, whole = middle, False
    if not whole:
        ranges.append((first, last))
    return ranges[::-1]


def inclusion_path(index: int, size: int, read: NodeReader) -> list[bytes]:
    """Return the inclusion proof of leaf `index` in the tree of `size`, leaf end first."""
    return [_range_root(leaves, read) for leaves in inclusion_ranges(index, size)]


def consistency_path(old_size: int, new_size: int, read: NodeReader) -> list[bytes]:
    """Return the consistency proof between two sizes; it is empty when they are equal."""
    return [_range_root(leaves, read) for leaves in consistency_ranges(old_size, new_size)]


def path_sides(index: int, size: int) -> list[str]:
    """Return, leaf end first, on which side of the path each step of an inclusion proof stands: left or right."""
    return ["left" if last <= index else "right" for _, last in inclusion_ranges(index, size)]


def nodes_of_ranges(ranges: Iterable[tuple[int, int]]) -> list[Coordinate]:
    """Return every perfect node that a proof over these ranges reads, to fetch them at once."""
    return [node for first, last in ranges for node in perfect_nodes(first, last)]


def verify_inclusion(*, hashed: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Say whether the path proves that the leaf hash stands at `index` under the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or any(len(step) != HASH_BYTES for step in path):
        return False
    node, last = index, size - 1
    for step in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            hashed = node_hash(step, hashed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, step)
        node, last = node >> 1, last >> 1
    return last == 0 and hashed == root


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Say whether the path proves that the newer tree only appended to the older one (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= new_size or any(len(step) != HASH_BYTES for step in path):
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    steps = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not steps:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old, new = steps[0], steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _range_root(leaves: tuple[int, int], read: NodeReader) -> bytes:
    return fold([read(node) for node in perfect_nodes(*leaves)])
