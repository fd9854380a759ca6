"""Answers questions about postings: in which field, at which position, how near to one another.

A posting is `document << 32 | field << 16 | position` (`index/inverted_index.py`). Many postings are
an array, which numpy reads as a whole. Few postings are a list, which Python reads faster than numpy
reads a small array. `context.py`, `choices.py` and `exact.py` call these functions.
"""

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from deploy.searchnode.index.inverted_index import Postings, documents_of

# Up to this number postings are a list.
MAX_LISTED = 128
PostingList = Postings | list[int]
# Words with this distance or more do not count as near.
FAR = 4
# Distances from the wanted position up to these cost 0, 1, 2 and so on; greater ones MAX_POSITION_COST.
_STEPS = (0, 1, 4, 7, 11, 16, 24, 64, 256, 1024)
MAX_POSITION_COST = len(_STEPS)
_ONE = np.uint64(1)
_Keys = NDArray[np.uint16] | NDArray[np.int32] | NDArray[np.int64]


def _rounded_positions() -> NDArray[np.int32]:
    """Return for each position how Meilisearch's index remembers it.

    Positions up to 15 are exact; greater ones are rounded up to 24, then to powers of two.
    """
    exact = np.arange(1 << 16)
    far = np.exp2(np.ceil(np.log2(np.maximum(exact, 1)))).astype(np.int64)
    return np.where(exact < 16, exact, np.where(exact < 24, 24, far)).astype(np.int32)


_ROUNDED: NDArray[np.int32] = _rounded_positions()
_COST_OF_DISTANCE: NDArray[np.int32] = np.searchsorted(_STEPS, np.arange((1 << 16) + 8)).astype(np.int32)
# The same tables for single positions and distances, where Python's own types are faster.
ROUNDED = array("i", _ROUNDED.tobytes())
_COSTS = bytes(_COST_OF_DISTANCE.astype(np.uint8))


def as_array(postings: PostingList) -> Postings:
    """Return the postings as an array."""
    return np.array(postings, np.uint64) if isinstance(postings, list) else postings


def as_list(postings: PostingList) -> list[int]:
    """Return the postings as a list."""
    if isinstance(postings, list):
        return postings
    found: list[int] = postings.tolist()
    return found


def merged(lists: Sequence[PostingList]) -> PostingList:
    """Return the postings of one or more lists in order."""
    if len(lists) == 1:
        return lists[0]
    if sum(map(len, lists)) <= MAX_LISTED:
        return sorted([posting for postings in lists for posting in as_list(postings)])
    together = np.concatenate([as_array(postings) for postings in lists])
    together.sort(kind="stable")
    return together


def documents_by_field(postings: PostingList) -> list[tuple[int, BitMap]]:
    """Return (number of the field, its documents) of the postings."""
    if isinstance(postings, list):
        return _grouped_list(postings, [posting >> 16 & 0xFFFF for posting in postings])
    return _grouped(postings, postings.view(np.uint16)[1::4])


def documents_by_position_cost(postings: PostingList, wanted: int, size: int) -> list[tuple[int, BitMap]]:
    """Group documents by how far a term stands from where the query has it.

    Args:
        postings: Where the term stands.
        wanted: The position of its first word in the query.
        size: How many words of the query the term stands for; each costs the distance of its own.

    Returns:
        (cost, documents), the cheapest first. A document may be in several groups.
    """
    if isinstance(postings, list):
        distances = [abs(ROUNDED[posting & 0xFFFF] - wanted) for posting in postings]
        if size == 1:
            return _grouped_list(postings, [_COSTS[distance] for distance in distances])
        return _grouped_list(postings, [sum(_COSTS[d : d + size]) for d in distances])
    distance = np.abs(_ROUNDED[postings.view(np.uint16)[::4]] - wanted)
    costs: NDArray[np.int32] = _COST_OF_DISTANCE[distance]
    for ahead in range(1, size):
        costs = costs + _COST_OF_DISTANCE[distance + ahead]
    return _grouped(postings, costs)


def documents_at(postings: PostingList, wanted: int) -> BitMap:
    """Return the documents with a posting at this position; both are compared as `ROUNDED` has them."""
    if isinstance(postings, list):
        return BitMap([posting >> 32 for posting in postings if ROUNDED[posting & 0xFFFF] == wanted])
    return documents_of(postings[_ROUNDED[postings.view(np.uint16)[::4]] == wanted])


def _grouped(postings: Postings, keys: _Keys) -> list[tuple[int, BitMap]]:
    """Group the documents of postings by a small number that each posting has."""
    if len(postings) <= MAX_LISTED:
        return _grouped_list(postings.tolist(), keys.tolist())
    return [
        (key, documents_of(postings[keys == key]))
        for key, count in enumerate(np.bincount(keys).tolist())
        if count
    ]


def _grouped_list(postings: list[int], keys: list[int]) -> list[tuple[int, BitMap]]:
    found: dict[int, list[int]] = {}
    for posting, key in zip(postings, keys, strict=True):
        if key in found:
            found[key].append(posting >> 32)
        else:
            found[key] = [posting >> 32]
    return [(key, BitMap(found[key])) for key in sorted(found)]


def documents_by_proximity(
    left: PostingList, right: PostingList, reversible: PostingList
) -> tuple[BitMap, BitMap, BitMap]:
    """Group documents by the distance between two terms, in any of their fields.

    Args:
        left: Where the term stands that comes first in the query.
        right: Where the term stands that follows it.
        reversible: The postings of `right` that also count when they come before `left`, as if they
            were one position further away.

    Returns:
        The documents with a distance of 1, of 2 and of 3. Each document counts by its least distance.
    """
    if not len(left) or not len(right):
        return BitMap(), BitMap(), BitMap()
    if isinstance(left, list) and isinstance(right, list):
        return _proximity_of_lists(set(left), right, as_list(reversible))
    left, right, reversible = as_array(left), as_array(right), as_array(reversible)
    at = np.searchsorted(left, right)
    gap = right - left[np.maximum(at, 1) - 1]
    close = (gap < np.uint64(FAR)) & (at > 0)
    postings, gaps = [right[close]], [gap[close]]
    if len(reversible):
        at = np.searchsorted(left, reversible, "right")
        gap = left[np.minimum(at, len(left) - 1)] - reversible + _ONE
        close = (gap < np.uint64(FAR)) & (at < len(left))
        postings.append(reversible[close])
        gaps.append(gap[close])
    if not any(map(len, postings)):
        return BitMap(), BitMap(), BitMap()
    found = dict(_grouped(np.concatenate(postings), np.concatenate(gaps).astype(np.int64)))
    return _by_least(*(found.get(distance, BitMap()) for distance in (1, 2, 3)))


def _proximity_of_lists(
    left: set[int], right: list[int], reversible: list[int]
) -> tuple[BitMap, BitMap, BitMap]:
    one, two, three = [], [], []
    for posting in right:
        if posting - 1 in left:
            one.append(posting >> 32)
        elif posting - 2 in left:
            two.append(posting >> 32)
        elif posting - 3 in left:
            three.append(posting >> 32)
    for posting in reversible:
        if posting + 1 in left:
            two.append(posting >> 32)
        elif posting + 2 in left:
            three.append(posting >> 32)
    return _by_least(BitMap(one), BitMap(two), BitMap(three))


def _by_least(one: BitMap, two: BitMap, three: BitMap) -> tuple[BitMap, BitMap, BitMap]:
    return one, two - one, three - two - one


def documents_with_both_in_a_field(left: PostingList, right: PostingList) -> BitMap:
    """Return the documents in which both terms stand in the same field."""
    if isinstance(left, list) and isinstance(right, list):
        fields = {posting >> 16 for posting in left}
        return BitMap([posting >> 32 for posting in right if posting >> 16 in fields])
    left, right = as_array(left), as_array(right)
    both = np.intersect1d(left >> np.uint64(16), right >> np.uint64(16))
    return documents_of(both << np.uint64(16))
