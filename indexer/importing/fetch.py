"""One document from a stranger's server, within caps: bytes, decompressed bytes, hops, total time.

Every hop is checked by the guard and connected to an address that was checked. A timer of its own
cuts the connection at the deadline, so a server that trickles bytes (headers included) cannot hold
a worker.
"""

import contextlib
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError
from urllib3.exceptions import SSLError as UrllibSSLError

from indexer.importing.address import SCHEMES, Guard
from indexer.importing.errors import FetchError, ImportFailed
from indexer.importing.settings import ImportSettings

_CHUNK = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
_GIVEN_UP = {
    401: ("refused", "The server wants a password."),
    403: ("refused", "The server refuses us."),
    404: ("not_found", "The server does not have it."),
    410: ("gone", "The server says it is gone for good."),
    451: ("refused", "The server may not give it for legal reasons."),
}


# What a refusal of this status with this body means; None: what the status says.
Explain = Callable[[int, bytes], ImportFailed | None]
_MAX_REFUSAL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document. `body` is empty when `not_modified`. `moved_to` is set when every redirect on the
    way was permanent: ask there next time."""

    url: str
    body: bytes
    not_modified: bool = False
    moved_to: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_type: str = ""


class _Deadline:
    """Cuts the connection when time is up."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds
        self._held: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    @property
    def passed(self) -> bool:
        """Is the time up?"""
        return time.monotonic() >= self.at

    def left(self, most: float) -> float:
        """Seconds left, at most `most`."""
        return max(0.001, min(most, self.at - time.monotonic()))

    def hold(self, sock: socket.socket) -> None:
        """Cut this one. A duplicate: TLS wraps (and empties) the original."""
        with self._lock:
            self._release()
            self._held = sock.dup()

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def _cut(self) -> None:
        with self._lock:
            if self._held is not None:
                with contextlib.suppress(OSError):
                    self._held.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """No cutting any more."""
        self._timer.cancel()
        with self._lock:
            self._release()


def _connect(addresses: list[str], port: int, seconds: float) -> socket.socket:
    last: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError as error:
            last = error
    raise last or OSError("no address")


class _Pinned:
    """A connection that goes to the addresses that were checked, whatever its name says."""

    addresses: list[str]
    deadline: _Deadline

    def __init__(self, *args: Any, addresses: list[str], deadline: _Deadline, **kw: Any) -> None:
        self.addresses, self.deadline = addresses, deadline
        super().__init__(*args, **kw)

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, int | float) else 5.0  # type: ignore[attr-defined]
        try:
            sock = _connect(self.addresses, int(self.port), self.deadline.left(timeout))  # type: ignore[attr-defined]
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error  # type: ignore[arg-type]
        self.deadline.hold(sock)
        return sock


class _Http(_Pinned, HTTPConnection):
    pass


class _Https(_Pinned, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


class Fetcher:
    """Fetches; holds no state between documents."""

    def __init__(self, settings: ImportSettings, guard: Guard | None = None) -> None:
        self.settings = settings
        self.guard = guard or Guard.of(settings.ports, settings.trusted)

    def fetch(
        self,
        url: str,
        *,
        max_bytes: int,
        accept: str = "*/*",
        etag: str | None = None,
        last_modified: str | None = None,
        headers: dict[str, str] | None = None,
        explain: Explain | None = None,
    ) -> Fetched:
        """The document at `url`. Raises FetchError, whose code says what was wrong.

        `headers` go to the server that was named, not to one it redirects to. `explain` is given the
        status and body of a refusal, and may say what it means.
        """
        deadline = _Deadline(self.settings.total_timeout)
        asked = {
            "User-Agent": self.settings.user_agent,
            "Accept": accept,
            "Accept-Encoding": "gzip",
        }
        if etag:
            asked["If-None-Match"] = etag
        if last_modified:
            asked["If-Modified-Since"] = last_modified
        seen: list[str] = []
        permanent = True
        try:
            while True:
                if url in seen:
                    raise FetchError("redirect_loop", "The server sends us round in circles.")
                if len(seen) > self.settings.max_redirects:
                    raise FetchError("too_many_redirects", "The server redirects too often.")
                seen.append(url)
                own = (headers or {}) if _origin(url) == _origin(seen[0]) else {}
                with self._ask(url, asked | own, deadline) as answer:
                    if answer.status in _REDIRECTS and answer.headers.get("Location"):
                        permanent = permanent and answer.status in _PERMANENT
                        url = urljoin(url, _latin(answer.headers["Location"]))
                        continue
                    if explain is not None and answer.status >= 400:
                        raise _explained(answer, explain, deadline)
                    moved = url if permanent and len(seen) > 1 else None
                    return self._read(answer, url, moved, max_bytes, deadline)
        except (HTTPError, OSError, zlib.error) as error:
            if deadline.passed:
                raise _too_slow() from error
            raise _explain(error) from error
        finally:
            deadline.close()

    @contextlib.contextmanager
    def _ask(self, url: str, headers: dict[str, str], deadline: _Deadline) -> Iterator[Any]:
        parts, addresses = self.guard.check(url)
        if deadline.passed:
            raise _too_slow()
        pool_class: Callable[..., Any] = _HttpsPool if parts.scheme == "https" else _HttpPool
        pool = pool_class(
            str(parts.host),
            parts.port or SCHEMES[str(parts.scheme)],
            addresses=addresses,
            deadline=deadline,
            maxsize=1,
            retries=False,
            timeout=urllib3.Timeout(
                connect=self.settings.connect_timeout,
                read=deadline.left(self.settings.read_timeout),
            ),
        )
        try:
            answer = pool.urlopen(
                "GET",
                parts.request_uri,
                headers=headers,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                yield answer
            finally:
                # Closed, never drained: an endless answer has no end to read to.
                answer.close()
        finally:
            pool.close()

    def _read(
        self, answer: Any, url: str, moved: str | None, max_bytes: int, deadline: _Deadline
    ) -> Fetched:
        if answer.status == 304:
            return Fetched(url, b"", not_modified=True, moved_to=moved)
        if answer.status != 200:
            raise _refusal(answer)
        declared = answer.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > max_bytes:
            raise _too_large(max_bytes)
        body = b"".join(_decoded(answer, max_bytes, deadline))
        return Fetched(
            url,
            body,
            moved_to=moved,
            etag=_header(answer, "ETag"),
            last_modified=_header(answer, "Last-Modified"),
            content_type=_header(answer, "Content-Type") or "",
        )


def _refusal(answer: Any) -> FetchError:
    status: int = answer.status
    if status in _GIVEN_UP:
        return FetchError(*_GIVEN_UP[status])
    if status == 429 or status >= 500:
        code = "rate_limited" if status == 429 else "server_error"
        after = _retry_after(answer.headers.get("Retry-After"))
        return FetchError(code, f"The server answers {status}.", retryable=True, after=after)
    return FetchError("unexpected_status", f"The server answers {status}.")


def _explained(answer: Any, explain: Explain, deadline: _Deadline) -> ImportFailed:
    try:
        body = b"".join(_decoded(answer, _MAX_REFUSAL, deadline))
    except FetchError:
        return _refusal(answer)
    return explain(answer.status, body) or _refusal(answer)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _raw(answer: Any, max_bytes: int, deadline: _Deadline) -> Iterator[bytes]:
    received = 0
    while chunk := answer.read1(_CHUNK, decode_content=False):
        received += len(chunk)
        if received > max_bytes:
            raise _too_large(max_bytes)
        if deadline.passed:
            raise _too_slow()
        yield chunk
    # A connection cut by the timer looks like the end of an answer without a length.
    if deadline.passed:
        raise _too_slow()


def _decoded(answer: Any, max_bytes: int, deadline: _Deadline) -> Iterator[bytes]:
    encoding = (answer.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding in ("identity", ""):
        yield from _raw(answer, max_bytes, deadline)
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError("bad_encoding", f"The server answers in {encoding[:40]!r}, not asked for.")
    # 47: gzip or zlib by header. Raw deflate, which some servers send, has neither.
    unpack, produced, first = zlib.decompressobj(47), 0, True
    for chunk in _raw(answer, max_bytes, deadline):
        if first and encoding == "deflate" and chunk[0] & 0x0F != 8:
            unpack = zlib.decompressobj(-15)
        first = False
        waiting = chunk
        while waiting:
            # Never more than is still allowed, plus one byte to see that it is too much.
            found = unpack.decompress(waiting, max_bytes - produced + 1)
            produced += len(found)
            if produced > max_bytes:
                raise _too_large(max_bytes)
            yield found
            waiting = unpack.unconsumed_tail
            if unpack.eof:
                # Another gzip member goes on; anything else after the end is padding.
                rest = unpack.unused_data
                waiting = rest if rest.startswith(b"\x1f\x8b") else b""
                if waiting:
                    unpack = zlib.decompressobj(47)
    if not unpack.eof and not first:
        raise FetchError("broken_response", "The answer ended in the middle.", retryable=True)


def _header(answer: Any, name: str) -> str | None:
    value = answer.headers.get(name)
    return value[:500] if value and value.isprintable() else None


def _latin(location: str) -> str:
    # Header bytes arrive as Latin-1; servers that redirect to Arabic paths mean UTF-8.
    with contextlib.suppress(UnicodeError):
        return location.encode("latin-1").decode()
    return location


def _retry_after(value: str | None) -> float | None:
    if not value:
        return None
    if value.strip().isdecimal():
        return min(float(value.strip()[:9]), 86_400.0)
    with contextlib.suppress(ValueError, TypeError):
        return min(86_400.0, max(0.0, parsedate_to_datetime(value).timestamp() - time.time()))
    return None


def _too_slow() -> FetchError:
    return FetchError("too_slow", "The server takes too long.", retryable=True)


def _too_large(max_bytes: int) -> FetchError:
    return FetchError("too_large", f"More than {max_bytes // 1_000_000} MB.")


def _explain(error: Exception) -> FetchError:
    if isinstance(error, UrllibSSLError | ssl.SSLError):
        return FetchError("tls_failed", "The server's certificate is not valid.")
    if isinstance(error, NewConnectionError):
        return FetchError("unreachable", "The server cannot be reached.", retryable=True)
    if isinstance(error, TimeoutError | OSError) and "timed out" in str(error):
        return _too_slow()
    if isinstance(error, zlib.error):
        return FetchError("bad_encoding", "The answer's compression is broken.")
    return FetchError("broken_response", "The server's answer cannot be read.", retryable=True)
