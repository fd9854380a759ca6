"""The values of a facet that most documents have.

Which of equally frequent values come first is decided as in the real engine, by how it looks for them:
values stand in groups of four, those in groups of four again; the group with most documents is opened
next, and of equals the lower level, then the one further back in the order of the values.
"""

import heapq
from collections.abc import Iterator
from typing import Any

from pyroaring import BitMap

_GROUP, _LEAST = 4, 5
Level = list[BitMap]


def levels(values: list[BitMap]) -> list[Level]:
    """The documents of the values, of the groups of values, of the groups of groups."""
    found = [values]
    while -(-len(found[-1]) // _GROUP) >= _LEAST:
        below = found[-1]
        found.append([
            BitMap.union(*below[n : n + _GROUP]) for n in range(0, len(below), _GROUP)
        ])  # fmt: skip
    return found


def most_frequent(
    order: list[Any], known: list[Level], candidates: BitMap
) -> Iterator[tuple[Any, int]]:
    """(value, how many of the candidates have it), the most frequent first."""
    heap: list[tuple[int, int, int]] = []

    def look(level: int, places: range) -> None:
        for place in places:
            count = known[level][place].intersection_cardinality(candidates)
            if count:
                heapq.heappush(heap, (-count, level, -place))

    top = len(known) - 1
    look(top, range(len(known[top])))
    while heap:
        count, level, place = heapq.heappop(heap)
        if level == 0:
            yield order[-place], -count
            continue
        first = -place * _GROUP
        look(level - 1, range(first, min(first + _GROUP, len(known[level - 1]))))
