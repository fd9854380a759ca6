"""Connections that go to IP addresses that were checked, whatever the URL's name resolves to by then."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util import Url

from indexer.importing.fetching.address import SCHEMES
from indexer.importing.fetching.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Route:
    """Where a connection goes.

    Attributes:
        addresses: Checked IP addresses of the server, tried in this order.
        deadline: Cuts the connection when the document's time is up.
    """

    addresses: list[str]
    deadline: Deadline

    def connect(self, port: int, seconds: float) -> socket.socket:
        """Return a socket connected to the first address that answers.

        Args:
            port: TCP port.
            seconds: Longest wait for each address.

        Raises:
            OSError: No address answers.
        """
        last: OSError | None = None
        for address in self.addresses:
            try:
                connected = socket.create_connection(
                    (address, port), timeout=self.deadline.seconds_left(seconds)
                )
            except OSError as error:
                last = error
            else:
                self.deadline.watch(connected)
                return connected
        raise last or OSError("no address")


class _PinnedConnection(HTTPConnection):
    """Connects along its route instead of resolving the host's name."""

    # urllib3 types these options as Any itself.
    def __init__(self, host: str, port: int | None = None, *, route: Route, **options: Any) -> None:
        super().__init__(host, port, **options)
        self._route = route

    def _new_conn(self) -> socket.socket:
        seconds = self.timeout if isinstance(self.timeout, int | float) else 5.0
        try:
            return self._route.connect(int(self.port), seconds)
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error


class _PinnedTlsConnection(_PinnedConnection, HTTPSConnection):
    """The same with TLS: the certificate is checked against the host's name, not the IP address."""


class _PinnedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PinnedConnection  # pyright: ignore[reportAssignmentType]  # urllib3 types a mutable protocol


class _PinnedTlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PinnedTlsConnection  # pyright: ignore[reportAssignmentType]  # as above


@contextlib.contextmanager
def exchange(
    method: str,
    url: Url,
    route: Route,
    headers: dict[str, str],
    timeout: urllib3.Timeout,
    body: bytes | None = None,
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Send one request; no redirect is followed, nothing is retried, no proxy is used.

    Args:
        method: GET or POST.
        url: The address that was checked.
        route: The IP addresses it may be sent to.
        headers: The request's headers.
        timeout: Seconds to connect and between two reads.
        body: The request's body.

    Yields:
        The response with its body unread and still compressed.

    Raises:
        HTTPError: No connection, no TLS, no HTTP.
    """
    pool_class = _PinnedTlsPool if url.scheme == "https" else _PinnedPool
    pool = pool_class(
        str(url.host),
        url.port or SCHEMES[str(url.scheme)],
        route=route,
        maxsize=1,
        retries=False,
        timeout=timeout,
    )
    try:
        response = pool.urlopen(
            method,
            url.request_uri,
            body=body,
            headers=headers,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            yield response
        finally:
            # Closed, never drained: an endless body has no end to read to.
            response.close()
    finally:
        pool.close()
