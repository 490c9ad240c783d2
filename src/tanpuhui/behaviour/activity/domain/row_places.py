"""Where each row number of a slice stands (行号索引), quick and small however far the numbers lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPAN_A_ROW_MAX = 4
"""Numbers closer together than this have a place each; in a slice of a long file they lie as far apart as the file is long."""
_WORD_BITS = 6
_WORD = (1 << _WORD_BITS) - 1


class RowPlaces:
    """Finds the place of each of some different numbers.

    Far apart, a bit says which numbers there are and a count before every 64 bits how many came earlier: three bits for
    two numbers of the span, where a search would wait for the memory at each of twenty steps.
    """

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        """Index numbers that are all different, in any order."""
        self._first = int(numbers.min()) if len(numbers) else 0
        span = int(numbers.max()) - self._first + 1 if len(numbers) else 0
        self._sparse = span > SPAN_A_ROW_MAX * len(numbers)
        if not self._sparse:
            self._place = np.zeros(span, np.int64)
            self._place[numbers - self._first] = np.arange(len(numbers))
            return
        there = np.zeros(((span >> _WORD_BITS) + 1) << _WORD_BITS, bool)
        there[numbers - self._first] = True
        self._bits = np.packbits(there, bitorder="little").view("<u8")
        counts = np.bitwise_count(self._bits)
        self._before = np.cumsum(counts, dtype=np.int64) - counts
        self._place = np.argsort(numbers)

    def of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the place of each number; all must be among those that were indexed."""
        offset = numbers - self._first
        if not self._sparse:
            return self._place[offset]
        word = offset >> _WORD_BITS
        below = (np.uint64(1) << (offset & _WORD).astype(np.uint64)) - np.uint64(1)
        rank = self._before[word] + np.bitwise_count(self._bits[word] & below)
        found: NDArray[np.int64] = self._place[rank]
        return found
