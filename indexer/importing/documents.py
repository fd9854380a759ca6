"""Documents of a run in PostgreSQL: written in compressed parts, read back as a stream."""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any

PART = 1_000_000


def pack(body: bytes) -> Iterator[bytes]:
    """Compressed parts, at least one."""
    for start in range(0, max(len(body), 1), PART):
        yield zlib.compress(body[start : start + PART], 1)


class PartStream(io.RawIOBase):
    """Asks for part after part (`load` returns None behind the last): one is in memory at a time."""

    def __init__(self, load: Callable[[int], bytes | None]) -> None:
        self._load, self._part, self._left = load, 0, memoryview(b"")

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Bytes put into the buffer; 0 at the end."""
        while not self._left:
            packed = self._load(self._part)
            if packed is None:
                return 0
            self._part += 1
            # Parts are made here or cut to PART by the upload, so this is their bound.
            self._left = memoryview(zlib.decompressobj().decompress(packed, PART * 2))
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
