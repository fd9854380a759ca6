"""Finds the values of a facet that most documents have. `facets.py` calls it.

Which of equally frequent values come first is decided by how Meilisearch looks for them: values stand
in groups of four, those groups again in groups of four. The group with the most documents is opened
next; of equal groups the one on the lower level, then the one further back in the order of the values.
"""

import heapq
from collections.abc import Iterator
from typing import TypeVar

from pyroaring import BitMap

_GROUP_SIZE = 4
# A level with fewer groups than this would not save work.
_MIN_GROUPS = 5
# The documents of each value, or of each group of values.
Level = list[BitMap]
Value = TypeVar("Value", float, str)


def levels(values: list[BitMap]) -> list[Level]:
    """Return the documents of the values, then of the groups of values, then of groups of groups."""
    found = [values]
    while -(-len(found[-1]) // _GROUP_SIZE) >= _MIN_GROUPS:
        below = found[-1]
        found.append([BitMap.union(*below[n : n + _GROUP_SIZE]) for n in range(0, len(below), _GROUP_SIZE)])
    return found


def most_frequent(
    ordered: list[Value], known: list[Level], candidates: BitMap
) -> Iterator[tuple[Value, int]]:
    """Yield (value, number of candidates that have it), the most frequent first.

    Args:
        ordered: All values of the facet in order.
        known: Their documents, as `levels` returns them.
        candidates: The documents to count.

    Yields:
        Every value that at least one candidate has.
    """
    heap: list[tuple[int, int, int]] = []

    def push(level: int, positions: range) -> None:
        for position in positions:
            count = known[level][position].intersection_cardinality(candidates)
            if count:
                heapq.heappush(heap, (-count, level, -position))

    top = len(known) - 1
    push(top, range(len(known[top])))
    while heap:
        count, level, position = heapq.heappop(heap)
        if level == 0:
            yield ordered[-position], -count
            continue
        first = -position * _GROUP_SIZE
        push(level - 1, range(first, min(first + _GROUP_SIZE, len(known[level - 1]))))
