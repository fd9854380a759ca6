"""What the places of words say: in which field, how far from where, how near to one another.

Many places are an array and asked together; few are a list and asked one by one, which is faster
than to ask an array anything.
"""

from array import array
from collections.abc import Sequence

import numpy as np
from pyroaring import BitMap

from deploy.local.searchnode.postings import Numbers, Places, bitmap

# So few places are a list.
FEW = 128
Some = Places | list[int]
# From here on words do not count as near.
FAR = 4
# The position rule tells distances apart up to these, each a step dearer.
_STEPS = (0, 1, 4, 7, 11, 16, 24, 64, 256, 1024)
DEAREST = len(_STEPS)
_ONE = np.uint64(1)


def _bucketed() -> Numbers:
    """Positions as the index remembers them: exact to 15, then 24, then powers of two."""
    exact = np.arange(1 << 16)
    far = np.exp2(np.ceil(np.log2(np.maximum(exact, 1)))).astype(np.int64)
    return np.where(exact < 16, exact, np.where(exact < 24, 24, far)).astype(np.int32)


_BUCKETED = _bucketed()
_COST_OF_DISTANCE: Numbers = np.searchsorted(_STEPS, np.arange((1 << 16) + 8)).astype(np.int32)
# The same to be asked one by one.
BUCKETED = array("i", _BUCKETED.tobytes())
_COSTS = bytes(_COST_OF_DISTANCE.astype(np.uint8))


def as_array(places: Some) -> Places:
    """The places as an array."""
    return np.array(places, np.uint64) if isinstance(places, list) else places


def merged(found: Sequence[Some]) -> Some:
    """All these places in order."""
    if len(found) == 1:
        return found[0]
    if sum(map(len, found)) <= FEW:
        return sorted([place for places in found for place in listed(places)])
    together = np.concatenate([as_array(places) for places in found])
    together.sort(kind="stable")
    return together


def listed(places: Some) -> list[int]:
    """The places as a list."""
    if isinstance(places, list):
        return places
    found: list[int] = places.tolist()
    return found


def by_field(places: Some) -> list[tuple[int, BitMap]]:
    """The documents of the places, apart by the number of the field."""
    if isinstance(places, list):
        return _apart(places, [place >> 16 & 0xFFFF for place in places])
    return _by_key(places, places.view(np.uint16)[1::4])


def by_position(places: Some, wanted: int, size: int) -> list[tuple[int, BitMap]]:
    """The documents apart by what it costs a term of `size` words to stand here and not there."""
    if isinstance(places, list):
        distances = [abs(BUCKETED[place & 0xFFFF] - wanted) for place in places]
        if size == 1:
            return _apart(places, [_COSTS[distance] for distance in distances])
        return _apart(places, [sum(_COSTS[d : d + size]) for d in distances])
    distance = np.abs(_BUCKETED[places.view(np.uint16)[::4]] - wanted)
    costs: Numbers = _COST_OF_DISTANCE[distance]
    for ahead in range(1, size):
        costs = costs + _COST_OF_DISTANCE[distance + ahead]
    return _by_key(places, costs)


def at_position(places: Some, wanted: int) -> BitMap:
    """The documents with a place at this position, as exactly as the index remembers it."""
    if isinstance(places, list):
        return BitMap([place >> 32 for place in places if BUCKETED[place & 0xFFFF] == wanted])
    return bitmap(places[_BUCKETED[places.view(np.uint16)[::4]] == wanted])


def _by_key(places: Places, keys: Numbers) -> list[tuple[int, BitMap]]:
    if len(places) <= FEW:
        return _apart(places.tolist(), keys.tolist())
    return [
        (number, bitmap(places[keys == number]))
        for number, count in enumerate(np.bincount(keys).tolist()) if count
    ]  # fmt: skip


def _apart(places: list[int], keys: list[int]) -> list[tuple[int, BitMap]]:
    found: dict[int, list[int]] = {}
    for place, key in zip(places, keys, strict=True):
        if key in found:
            found[key].append(place >> 32)
        else:
            found[key] = [place >> 32]
    return [(key, BitMap(found[key])) for key in sorted(found)]


def near(left: Some, right: Some, back: Some) -> tuple[BitMap, BitMap, BitMap]:
    """Documents by how far a right place follows a left one, 1 to 3; before counts one more.

    `back`: the right places that count when they come before.
    """
    if not len(left) or not len(right):
        return BitMap(), BitMap(), BitMap()
    if isinstance(left, list) and isinstance(right, list):
        return _few_near(set(left), right, listed(back))
    left, right, back = as_array(left), as_array(right), as_array(back)
    at = np.searchsorted(left, right)
    gap = right - left[np.maximum(at, 1) - 1]
    close = (gap < np.uint64(FAR)) & (at > 0)
    places, gaps = [right[close]], [gap[close]]
    if len(back):
        at = np.searchsorted(left, back, "right")
        gap = left[np.minimum(at, len(left) - 1)] - back + _ONE
        close = (gap < np.uint64(FAR)) & (at < len(left))
        places.append(back[close])
        gaps.append(gap[close])
    if not any(map(len, places)):
        return BitMap(), BitMap(), BitMap()
    found = dict(_by_key(np.concatenate(places), np.concatenate(gaps).astype(np.int64)))
    return _nearest(*(found.get(cost, BitMap()) for cost in (1, 2, 3)))


def _few_near(left: set[int], right: list[int], back: list[int]) -> tuple[BitMap, BitMap, BitMap]:
    one, two, three = [], [], []
    for place in right:
        if place - 1 in left:
            one.append(place >> 32)
        elif place - 2 in left:
            two.append(place >> 32)
        elif place - 3 in left:
            three.append(place >> 32)
    for place in back:
        if place + 1 in left:
            two.append(place >> 32)
        elif place + 2 in left:
            three.append(place >> 32)
    return _nearest(BitMap(one), BitMap(two), BitMap(three))


def _nearest(one: BitMap, two: BitMap, three: BitMap) -> tuple[BitMap, BitMap, BitMap]:
    return one, two - one, three - two - one


def same_field(left: Some, right: Some) -> BitMap:
    """Documents with both in one field."""
    if isinstance(left, list) and isinstance(right, list):
        fields = {place >> 16 for place in left}
        return BitMap([place >> 32 for place in right if place >> 16 in fields])
    left, right = as_array(left), as_array(right)
    both = np.intersect1d(left >> np.uint64(16), right >> np.uint64(16))
    return bitmap(both << np.uint64(16))
