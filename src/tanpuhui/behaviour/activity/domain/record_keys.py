"""The 128-bit keys by which record ids are known (记录键), as bytes of a segment and as columns (docs/decisions/record-keys.md)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KEY_BYTES = 16


def halves(keys: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return keys as two columns, their first and second 64 bits."""
    both = np.frombuffer(keys, ">u8").reshape(-1, 2)
    return both[:, 0].astype(np.uint64), both[:, 1].astype(np.uint64)


def standing_twice(keys: bytes) -> int:
    """Return how many keys, in whatever order they come, stand there more than once."""
    high, low = halves(keys)
    order = np.argsort(high)
    same = high[order][1:] == high[order][:-1]
    tied = np.zeros(len(order), bool)
    tied[1:] = same
    tied[:-1] |= same
    several = order[tied]  # only keys that share their first half can be equal, and almost none do
    pairs = np.column_stack([high[several], low[several]])
    _, times = np.unique(pairs, axis=0, return_counts=True)
    return int((times > 1).sum())


def held_keys(high: NDArray[np.uint64], low: NDArray[np.uint64], segment: bytes) -> NDArray[np.bool_]:
    """Say of each sorted key whether it is in a segment, which is sorted too; the second half is compared where the first is."""
    held_high, held_low = halves(segment)
    found = np.zeros(len(high), bool)
    place = np.searchsorted(held_high, high)
    open_places = np.flatnonzero(place < len(held_high))
    while len(open_places):  # once, but for keys that share their first half
        at = place[open_places]
        same = held_high[at] == high[open_places]
        found[open_places[same & (held_low[at] == low[open_places])]] = True
        further = open_places[same & (held_low[at] < low[open_places])]
        place[further] += 1
        open_places = further[place[further] < len(held_high)]
    return found
