"""The body of a response, unpacked, within a limit of bytes and of time.

The limit holds for the bytes received and for the bytes unpacked: a compressed bomb is stopped after
`max_bytes`, not after it has filled the memory.
"""

import zlib
from collections.abc import Iterator

from urllib3 import BaseHTTPResponse

from indexer.importing.errors import FetchError
from indexer.importing.fetching import failures
from indexer.importing.fetching.deadline import Deadline

_CHUNK = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
# Window sizes of zlib: 47 reads gzip and zlib by their headers, -15 raw deflate, which has none.
_BY_HEADER, _RAW_DEFLATE = 47, -15
_ZLIB_METHOD = 8


def read(response: BaseHTTPResponse, max_bytes: int, deadline: Deadline) -> bytes:
    """Return the whole body, unpacked.

    Args:
        response: A response whose body nobody has read.
        max_bytes: Most bytes to receive, and most bytes after unpacking.
        deadline: When to give up.

    Raises:
        FetchError: `too_large`, `too_slow`, `bad_encoding` or `broken_response` (it ended too early).
        HTTPError: The connection broke.
        zlib.error: The compressed data is broken.
    """
    encoding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    received = _received(response, max_bytes, deadline)
    if encoding in ("identity", ""):
        return b"".join(received)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        detail = f"The server's answer is compressed as {encoding[:40]!r}, which was not asked for."
        raise FetchError("bad_encoding", detail)
    return b"".join(_unpacked(received, encoding == "deflate", max_bytes))


def beginning(response: BaseHTTPResponse, size: int, deadline: Deadline) -> bytes:
    """Return the first bytes of a body as they are sent, at most `size`.

    Args:
        response: A response whose body nobody has read.
        size: Most bytes to return.
        deadline: When to give up.

    Raises:
        FetchError: `too_slow`.
        HTTPError: The connection broke.
    """
    return b"".join(_first(response, size, deadline))


def _first(response: BaseHTTPResponse, size: int, deadline: Deadline) -> Iterator[bytes]:
    left = size
    while left and (chunk := response.read1(left, decode_content=False)):
        left -= len(chunk)
        yield chunk
        if deadline.passed:
            raise failures.too_slow()


def _received(response: BaseHTTPResponse, max_bytes: int, deadline: Deadline) -> Iterator[bytes]:
    # The bytes as they arrive, still compressed.
    received = 0
    while chunk := response.read1(_CHUNK, decode_content=False):
        received += len(chunk)
        if received > max_bytes:
            raise failures.too_large(max_bytes)
        if deadline.passed:
            raise failures.too_slow()
        yield chunk
    # A connection that the deadline cut looks like the end of a body without a length.
    if deadline.passed:
        raise failures.too_slow()


def _unpacked(chunks: Iterator[bytes], deflate: bool, max_bytes: int) -> Iterator[bytes]:
    unpack, produced, first = zlib.decompressobj(_BY_HEADER), 0, True
    for chunk in chunks:
        # Some servers send raw deflate, without the zlib header that HTTP's "deflate" has (RFC 9110, 8.4.1.2).
        if first and deflate and chunk[0] & 0x0F != _ZLIB_METHOD:
            unpack = zlib.decompressobj(_RAW_DEFLATE)
        first = False
        waiting = chunk
        while waiting:
            # One byte more than is allowed shows that the document is too large.
            unpacked = unpack.decompress(waiting, max_bytes - produced + 1)
            produced += len(unpacked)
            if produced > max_bytes:
                raise failures.too_large(max_bytes)
            yield unpacked
            waiting = unpack.unconsumed_tail
            if unpack.eof:
                # Another gzip member may follow; anything else behind the end is padding.
                rest = unpack.unused_data
                waiting = rest if rest.startswith(_GZIP_MAGIC) else b""
                if waiting:
                    unpack = zlib.decompressobj(_BY_HEADER)
    if not unpack.eof and not first:
        raise FetchError("broken_response", "The server's answer ended too early.", retryable=True)
