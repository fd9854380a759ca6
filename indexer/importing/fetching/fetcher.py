"""One document from a server that nobody vouches for: redirects followed, every limit held.

Every address, also of a redirect, is checked by the guard. Bytes, unpacked bytes, redirects and the total
time are limited by `ImportSettings`.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3 import BaseHTTPResponse

from catalog.core import tracing
from indexer.importing.errors import FetchError, ImportFailed
from indexer.importing.fetching import body, connections, failures
from indexer.importing.fetching.address import Guard
from indexer.importing.fetching.connections import Route
from indexer.importing.fetching.deadline import Deadline
from indexer.importing.settings import ImportSettings

_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT_REDIRECTS = (301, 308)
_MAX_REFUSAL_BYTES = 64 * 1024

# What a refusal with this status and this body means; None when only its status counts.
ExplainRefusal = Callable[[int, bytes], ImportFailed | None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched document.

    Attributes:
        url: The address it came from, behind every redirect.
        body: Its bytes, unpacked; empty when `not_modified`.
        not_modified: The server says that it has not changed since `etag` and `last_modified` were sent.
        moved_to: The address to ask from now on; set when every redirect was a permanent one.
        etag: What to send next time as `etag`.
        last_modified: What to send next time as `last_modified`.
        content_type: The header as it was sent, "" without one.
        size: Of the whole file, in bytes, as the server declares it; None when it does not.
        takes_ranges: The server sent the part that was asked for, so a player can jump.
    """

    url: str
    body: bytes
    not_modified: bool = False
    moved_to: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_type: str = ""
    size: int | None = None
    takes_ranges: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one call of `Fetcher.fetch` asks for."""

    url: str
    max_bytes: int
    headers: dict[str, str]
    private_headers: dict[str, str]
    explain: ExplainRefusal | None
    # Only the first `max_bytes` are wanted.
    is_beginning: bool = False


class Fetcher:
    """Fetches documents. It keeps nothing between two of them."""

    def __init__(self, settings: ImportSettings, guard: Guard | None = None) -> None:
        """Use these limits; without a guard, one made from the settings checks the addresses."""
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
        explain: ExplainRefusal | None = None,
        seconds: float | None = None,
    ) -> Fetched:
        """Fetch the document at `url`.

        Args:
            url: An http or https address.
            max_bytes: The largest document, before and after unpacking.
            accept: The Accept header.
            etag: Validator of the copy we have; a document that has not changed is not sent again.
            last_modified: The same, by date.
            headers: Sent to the server of `url` only, never to another one that it redirects to.
            explain: Called with the status and the body of a refusal; may return what it means.
            seconds: How long it may take, including redirects; None: as the settings say.

        Raises:
            ImportFailed: What `explain` returned.
            FetchError: Why there is no document, by its code (docs/imports.md lists them).
        """
        common = {"User-Agent": self.settings.user_agent, "Accept": accept, "Accept-Encoding": "gzip"}
        if etag:
            common["If-None-Match"] = etag
        if last_modified:
            common["If-Modified-Since"] = last_modified
        return self._fetch(
            _Wanted(url, max_bytes, common, headers or {}, explain), seconds or self.settings.total_timeout
        )

    def beginning(self, url: str, size: int, seconds: float) -> Fetched:
        """Fetch the first bytes of the file at `url`; a server that sends more is not listened to.

        Args:
            url: An http or https address.
            size: Most bytes to receive.
            seconds: How long it may take, including redirects.

        Raises:
            FetchError: Why there are none, by its code.
        """
        headers = {
            "User-Agent": self.settings.user_agent,
            "Accept-Encoding": "identity",
            "Range": f"bytes=0-{size - 1}",
        }
        return self._fetch(_Wanted(url, size, headers, {}, None, is_beginning=True), seconds)

    def _fetch(self, wanted: _Wanted, seconds: float) -> Fetched:
        deadline = Deadline(seconds)
        try:
            return self._follow(wanted, deadline)
        except failures.BROKEN as error:
            raise (failures.too_slow() if deadline.passed else failures.of_exception(error)) from error
        finally:
            deadline.close()

    def _follow(self, wanted: _Wanted, deadline: Deadline) -> Fetched:
        url, permanent = wanted.url, True
        seen: list[str] = []
        while True:
            if url in seen:
                raise FetchError("redirect_loop", "The server redirects in a circle.")
            if len(seen) > self.settings.max_redirects:
                raise FetchError("too_many_redirects", "The server redirects too often.")
            seen.append(url)
            private = wanted.private_headers if _origin(url) == _origin(wanted.url) else {}
            parts, addresses = self.guard.check(url)
            if deadline.passed:
                raise failures.too_slow()
            timeout = urllib3.Timeout(
                connect=self.settings.connect_timeout, read=deadline.seconds_left(self.settings.read_timeout)
            )
            route = Route(addresses, deadline)
            # The host alone: the address of a private feed is a secret of its listeners.
            asked = tracing.span("fetch", {"server.address": str(parts.host)}, kind="client")
            with (
                asked,
                connections.exchange("GET", parts, route, wanted.headers | private, timeout) as response,
            ):
                asked.note({"http.response.status_code": response.status})
                # A connection that the deadline cut looks like the end of the headers.
                if deadline.passed:
                    raise failures.too_slow()
                if response.status in _REDIRECTS and response.headers.get("Location"):
                    permanent = permanent and response.status in _PERMANENT_REDIRECTS
                    url = _joined(url, _utf8(response.headers["Location"]))
                    continue
                if wanted.explain is not None and response.status >= 400:
                    raise _explained(response, wanted.explain, deadline)
                if wanted.is_beginning:
                    return _beginning(response, url, wanted.max_bytes, deadline)
                moved_to = url if permanent and len(seen) > 1 else None
                return _document(response, url, moved_to, wanted.max_bytes, deadline)


def _document(
    response: BaseHTTPResponse, url: str, moved_to: str | None, max_bytes: int, deadline: Deadline
) -> Fetched:
    if response.status == 304:
        return Fetched(url, b"", not_modified=True, moved_to=moved_to)
    if response.status != 200:
        raise failures.of_status(response.status, response.headers)
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise failures.too_large(max_bytes)
    return Fetched(
        url,
        body.read(response, max_bytes, deadline),
        moved_to=moved_to,
        etag=_header(response, "ETag"),
        last_modified=_header(response, "Last-Modified"),
        content_type=_header(response, "Content-Type") or "",
    )


def _beginning(response: BaseHTTPResponse, url: str, size: int, deadline: Deadline) -> Fetched:
    # A server may ignore the range and send the whole file (RFC 9110, 14.2).
    if response.status not in (200, 206):
        raise failures.of_status(response.status, response.headers)
    return Fetched(
        url,
        body.beginning(response, size, deadline),
        content_type=_header(response, "Content-Type") or "",
        size=_size(response),
        takes_ranges=response.status == 206,
    )


def _size(response: BaseHTTPResponse) -> int | None:
    """Return how large the whole file is, by what the server declares (RFC 9110, 14.4)."""
    if response.status == 206:
        declared = response.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        declared = response.headers.get("Content-Length", "")
    return int(declared) if declared.isascii() and declared.isdecimal() and len(declared) <= 15 else None


def _explained(response: BaseHTTPResponse, explain: ExplainRefusal, deadline: Deadline) -> ImportFailed:
    """What a refusal means, by its body if that can be read, else by its status."""
    plain = failures.of_status(response.status, response.headers)
    try:
        said = body.read(response, _MAX_REFUSAL_BYTES, deadline)
    except FetchError:
        return plain
    return explain(response.status, said) or plain


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _header(response: BaseHTTPResponse, name: str) -> str | None:
    value = response.headers.get(name)
    return value[:500] if value and value.isprintable() else None


def _joined(url: str, location: str) -> str:
    """Return the address of a redirect.

    Raises:
        FetchError: `bad_url`: it cannot be read, such as `http://[`.
    """
    try:
        return urljoin(url, location)
    except ValueError:
        raise FetchError("bad_url", "The address of a redirect cannot be read.") from None


def _utf8(location: str) -> str:
    # Header bytes arrive as Latin-1; servers that redirect to Arabic paths mean UTF-8.
    with contextlib.suppress(UnicodeError):
        return location.encode("latin-1").decode()
    return location
