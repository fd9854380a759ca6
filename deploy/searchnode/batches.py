"""Long sequences in batches, so that one step never takes long. Storage, index and tasks use it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Row = TypeVar("Row")


def in_batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Yield the rows in lists of `size`; the last list may be shorter."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch
