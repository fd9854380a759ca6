"""Searches of one engine on the event loop: pooled connections, bounded concurrency, a circuit breaker.

`indexer.engines.search` chooses between these clients.
"""

import asyncio
import time

import aiohttp
import msgspec

from catalog.core import tracing
from catalog.core.actor import current_request_id
from indexer import metrics
from indexer.engines.errors import (
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    EngineRejectedError,
    EngineUnavailableError,
    blames_request,
)
from indexer.settings import IndexerSettings

_OK = 200
# A missing index, or an index that has no settings yet, is being made by its sender: wait for it. Everything
# that we ask for is filterable and sortable as soon as the index has its settings.
_NOT_READY = {
    "index_not_found",
    "invalid_search_filter",
    "invalid_search_sort",
    "invalid_search_facets",
    "invalid_search_attributes_to_search_on",
}


class SearchClient:
    """One engine. A request is tried a second time when its pooled connection turns out to be closed."""

    def __init__(self, settings: IndexerSettings, name: str, url: str) -> None:
        """Nothing is opened before `start`.

        Args:
            settings: Keys, timeouts, how many searches go on at once, when the breaker opens.
            name: The engine's name, as metrics show it.
            url: Its address.
        """
        self.settings, self.name, self.url = settings, name, url
        # Searches under way or waiting for a free slot.
        self.waiting = 0
        self._slots = asyncio.Semaphore(settings.max_concurrency)
        self._session: aiohttp.ClientSession | None = None
        self._failures = 0
        self._open_until = 0.0
        self._probing = False

    def start(self) -> None:
        """Open the pool of connections on the running loop. It connects with the first search."""
        key = self.settings.meili_search_key or self.settings.meili_key
        self._session = aiohttp.ClientSession(
            base_url=self.url.rstrip("/") + "/",
            connector=aiohttp.TCPConnector(limit=self.settings.max_concurrency, keepalive_timeout=60),
            timeout=self._time_limit(self.settings.read_timeout),
            # On a local network it takes longer to compress an answer than to send it.
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"}
            | ({"Authorization": f"Bearer {key}"} if key else {}),
            skip_auto_headers=("User-Agent", "Accept"),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the pool of connections."""
        if self._session is not None:
            await self._session.close()
        if self._failures:
            # Nobody waits for an engine that is not asked any more.
            metrics.BREAKER.labels("search", self.name).set(0)

    def _time_limit(self, seconds: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=seconds, connect=self.settings.connect_timeout)

    @property
    def open(self) -> bool:
        """Whether the breaker is open: searches fail at once and the engine is not asked."""
        return self._open_until > time.monotonic() or self._probing

    async def healthy(self) -> bool:
        """Return whether the engine answers now. Asks whether the breaker is open or not."""
        if self._session is None:
            return False
        try:
            async with self._session.get("health") as response:
                return response.status == _OK
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def post(self, operation: str, path: str, body: bytes, seconds: float) -> bytes:
        """Post a request and return the body of the answer.

        Args:
            operation: What is asked, as metrics name it.
            path: The path without a leading slash.
            body: JSON.
            seconds: How long this may take.

        Raises:
            EngineUnavailableError: There is no answer in time, or it is one that passes, or the breaker is open.
            EngineRejectedError: The engine refuses the request.
        """
        if self.open:
            metrics.ENGINE_SECONDS.labels(operation, "refused").observe(0)
            raise EngineUnavailableError("the engine failed just now and is given time to recover")
        # When the breaker's time is over one search tries the engine; until it ends, others still fail at once.
        probing = self._failures >= self.settings.breaker_failures
        self._probing = probing
        started = time.perf_counter()
        outcome = "ok"
        self.waiting += 1
        with tracing.span(f"engine {operation}", {"thmanyah.engine": self.name}, kind="client") as span:
            try:
                async with self._slots:
                    raw = await self._send(path, body, seconds)
            except EngineRejectedError:
                outcome = "rejected"
                self._succeeded()
                raise
            except EngineUnavailableError:
                outcome = "unavailable"
                self._failed()
                raise
            else:
                self._succeeded()
                return raw
            finally:
                self.waiting -= 1
                if probing:
                    self._probing = False
                taken = time.perf_counter() - started
                metrics.ENGINE_SECONDS.labels(operation, outcome).observe(taken, span.exemplar())

    async def _send(self, path: str, body: bytes, seconds: float) -> bytes:
        if self._session is None:
            raise EngineUnavailableError("the client is not started")
        # The engine's log, and a proxy's before it, can then be read beside ours.
        asked_by = current_request_id()
        headers = ({"X-Request-Id": asked_by} if asked_by else {}) | tracing.carrier()
        limit = self._time_limit(seconds)
        for attempt in (1, 2):
            try:
                async with self._session.post(path, data=body, headers=headers, timeout=limit) as response:
                    raw = await response.read()
                    if response.status == _OK:
                        return raw
                    raise _error(response.status, raw)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError) as error:
                # The engine had closed this pooled connection: try a new one, once.
                if attempt == 2:
                    raise EngineUnavailableError(str(error)) from error
            except (aiohttp.ClientError, TimeoutError) as error:
                raise EngineUnavailableError(f"{type(error).__name__}: {error}") from error
        raise AssertionError

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self.settings.breaker_failures:
            self._open_until = time.monotonic() + self.settings.breaker_seconds
            metrics.BREAKER.labels("search", self.name).set(1)

    def _succeeded(self) -> None:
        if self._failures:
            metrics.BREAKER.labels("search", self.name).set(0)
        self._failures = 0


def _error(status: int, raw: bytes) -> EngineUnavailableError | EngineRejectedError:
    try:
        body = msgspec.json.decode(raw, type=dict[str, object])
    except ValueError:
        body = {}
    code = str(body.get("code", "unknown"))
    # With these, another engine may answer: it knows our key, has less to do, or has its index already.
    if (
        status >= SERVER_ERROR
        or status == TOO_MANY_REQUESTS
        or code in _NOT_READY
        or not blames_request(body)
    ):
        return EngineUnavailableError(f"{status} {code}")
    return EngineRejectedError(code, str(body.get("message", "")), status)
