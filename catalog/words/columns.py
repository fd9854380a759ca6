"""Numbers in memory that the operating system gives and takes back at once, and an index of places by hashes.

A lexicon is made of these. The allocator of a process would keep the memory of a lexicon that was replaced, so that a
process took the memory of two.
"""

import mmap
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

N = TypeVar("N", np.uint8, np.uint32)
_LEAST = 65_536
# A place and a part of a hash are kept together in 32 bits; the bits of the hash before them name a bucket.
PLACE_BITS, _REST_BITS = 19, 13
_MOST_BUCKET_BITS = 32 - _REST_BITS
# Pairs of a bucket on average: half of so many, or up to so many.
_IN_BUCKET_BITS = 3
_PLACE = np.uint32((1 << PLACE_BITS) - 1)
_REST = np.uint32((1 << _REST_BITS) - 1)
# Pairs that are put into their buckets together, so that other threads run in between.
_BLOCK = 50_000


def zeros(count: int, dtype: type[N]) -> NDArray[N]:
    """Return an array of zeros in memory of its own."""
    size = max(count, 1) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, size), dtype=dtype)[:count]


class Column(Generic[N]):
    """Numbers that are added at the end."""

    def __init__(self, dtype: type[N]) -> None:
        """Begin without any number."""
        self._dtype: type[N] = dtype
        self._values: NDArray[N] = zeros(_LEAST, dtype)
        self.size = 0

    def extend(self, values: NDArray[N]) -> None:
        """Add numbers."""
        size = self.size + len(values)
        if size > len(self._values):
            # What is not used yet takes no memory.
            larger = zeros(2 * size, self._dtype)
            larger[: self.size] = self.values
            self._values = larger
        self._values[self.size : size] = values
        self.size = size

    @property
    def values(self) -> NDArray[N]:
        """The numbers so far."""
        used: NDArray[N] = self._values[: self.size]
        return used


class Places:
    """Which places have a hash, in four bytes for each pair of the two.

    Hashes have 32 bits. Of a large index all of them are compared, of a small one fewer: one look-up in a thousand also
    finds a place that has another hash.
    """

    def __init__(
        self, count: int, pairs: Callable[[], Iterable[tuple[NDArray[np.uint32], NDArray[np.uint32]]]]
    ) -> None:
        """Put pairs into their buckets: count those of each bucket first, so that nothing has to be sorted as a whole.

        Args:
            count: How many pairs there are.
            pairs: Called twice; yields hashes, and beside them places below 2 ** PLACE_BITS.
        """
        bits = min(max(count.bit_length() - _IN_BUCKET_BITS, 1), _MOST_BUCKET_BITS)
        self._bucket_shift, self._rest_shift = np.uint32(32 - bits), np.uint32(32 - bits - _REST_BITS)
        self._starts = zeros((1 << bits) + 1, np.uint32)
        self._pairs = zeros(count, np.uint32)
        one = np.uint32(1)
        for hashes, _ in pairs():
            np.add.at(self._starts, (hashes >> self._bucket_shift) + one, one)
        np.cumsum(self._starts, out=self._starts)
        filled = self._starts.copy()
        for hashes, places in pairs():
            for first in range(0, len(hashes), _BLOCK):
                block = slice(first, first + _BLOCK)
                self._fill(filled, hashes[block], places[block])

    def _fill(
        self, filled: NDArray[np.uint32], hashes: NDArray[np.uint32], places: NDArray[np.uint32]
    ) -> None:
        """Write pairs behind those that their buckets have; `filled` says where each bucket goes on."""
        buckets = hashes >> self._bucket_shift
        order = np.argsort(buckets, kind="stable")
        buckets = buckets[order]
        begins = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]]) if len(buckets) else order
        lengths = np.diff(np.r_[begins, len(buckets)])
        within = np.arange(len(buckets)) - np.repeat(begins, lengths)
        self._pairs[filled[buckets] + within] = (self._rest(hashes) << np.uint32(PLACE_BITS) | places)[order]
        filled[buckets[begins]] += lengths.astype(np.uint32)

    def _rest(self, hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
        return (hashes >> self._rest_shift) & _REST

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return self._starts.nbytes + self._pairs.nbytes

    def of(self, hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return the places with one of these hashes, each once, in order."""
        buckets = hashes >> self._bucket_shift
        firsts, lasts = self._starts[buckets], self._starts[buckets + np.uint32(1)]
        found = []
        for rest, first, last in zip(self._rest(hashes), firsts, lasts, strict=True):
            if first < last:
                bucket = self._pairs[first:last]
                found.append(bucket[bucket >> np.uint32(PLACE_BITS) == rest] & _PLACE)
        return np.unique(np.concatenate(found)) if found else self._pairs[:0]
