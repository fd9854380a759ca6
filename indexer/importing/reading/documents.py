"""The format in which a run's documents are kept in PostgreSQL: compressed parts, read back as a stream.

The command line and the API's upload pack files with it; `running.context` packs and reads.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Bytes of a document in one part, before compression.
PART = 1_000_000


def pack(body: bytes) -> Iterator[bytes]:
    """Yield the compressed parts of a document: at least one, also of an empty one."""
    for start in range(0, max(len(body), 1), PART):
        yield zlib.compress(body[start : start + PART], 1)


class PartStream(io.RawIOBase):
    """A document as a stream; one part is in memory at a time."""

    def __init__(self, load: Callable[[int], bytes | None]) -> None:
        """Read from `load`, which returns the compressed part of a number, None behind the last one."""
        self._load, self._part, self._left = load, 0, memoryview(b"")

    def readable(self) -> bool:
        """Return True: it is a stream to read from."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer as far as the current part reaches; return the bytes read, 0 at the end."""
        target = memoryview(buffer).cast("B")
        while not self._left:
            packed = self._load(self._part)
            if packed is None:
                return 0
            self._part += 1
            # No part is larger than PART unpacked: `pack` cuts them, and so does the upload.
            self._left = memoryview(zlib.decompressobj().decompress(packed, PART * 2))
        size = min(len(target), len(self._left))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
