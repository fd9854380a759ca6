"""Searches on the event loop: one pooled client for each engine, and the choice between engines.

Everything here raises EngineUnavailableError or EngineRejectedError.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import msgspec

from indexer import metrics
from indexer.engine import (
    EngineRejectedError,
    EngineUnavailableError,
    blames_request,
    understood,
)
from indexer.settings import IndexerSettings

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
T = TypeVar("T")
# A missing index, or one that has no settings yet, is being made by the sender: wait for it. What
# we ask for is filterable and sortable as soon as the settings are there.
_NOT_READY = {
    "index_not_found", "invalid_search_filter", "invalid_search_sort", "invalid_search_facets",
    "invalid_search_attributes_to_search_on",
}  # fmt: skip
# A time limit of zero would be none.
_MOMENT = 0.001


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the record knows of an engine: may listeners be sent to it, has its index everything, and
    how many seconds is its oldest unconfirmed change old."""

    name: str
    url: str
    serving: bool = True
    filled: bool = True
    lag: float = 0.0


class SearchClient:
    """One engine: a pool, bounded concurrency, a breaker, one retry on a connection gone stale."""

    def __init__(self, settings: IndexerSettings, name: str, url: str) -> None:
        self.settings, self.name, self.url = settings, name, url
        self.waiting = 0
        self._slots = asyncio.Semaphore(settings.max_concurrency)
        self._session: aiohttp.ClientSession | None = None
        self._failures = 0
        self._open_until = 0.0
        self._trying = False

    def start(self) -> None:
        """Open the pool, on the running loop; connects on the first search."""
        key = self.settings.meili_search_key or self.settings.meili_key
        self._session = aiohttp.ClientSession(
            base_url=self.url.rstrip("/") + "/",
            connector=aiohttp.TCPConnector(
                limit=self.settings.max_concurrency, keepalive_timeout=60
            ),
            timeout=self._patience(self.settings.read_timeout),
            # On a local network packing an answer costs more than sending it.
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"}
            | ({"Authorization": f"Bearer {key}"} if key else {}),
            skip_auto_headers=("User-Agent", "Accept"),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    def _patience(self, seconds: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=seconds, connect=self.settings.connect_timeout)

    @property
    def open(self) -> bool:
        """Is the breaker open: are searches refused without asking?"""
        return self._open_until > time.monotonic() or self._trying

    async def healthy(self) -> bool:
        """Does the engine answer now? Ignores the breaker."""
        if self._session is None:
            return False
        try:
            async with self._session.get("health") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def post(self, operation: str, path: str, body: bytes, timeout: float) -> bytes:  # noqa: ASYNC109
        """The body of a 200, within `timeout` seconds."""
        if self.open:
            metrics.ENGINE_SECONDS.labels(operation, "refused").observe(0)
            raise EngineUnavailableError("the engine failed just now and is given time to recover")
        # After the pause one search goes first; the others wait for its outcome.
        probing = self._failures >= self.settings.breaker_failures
        self._trying = probing
        started = time.perf_counter()
        outcome = "ok"
        self.waiting += 1
        try:
            async with self._slots:
                raw = await self._send(path, body, timeout)
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
                self._trying = False
            metrics.ENGINE_SECONDS.labels(operation, outcome).observe(time.perf_counter() - started)

    async def _send(self, path: str, body: bytes, timeout: float) -> bytes:  # noqa: ASYNC109
        if self._session is None:
            raise EngineUnavailableError("the client is not started")
        for attempt in (1, 2):
            try:
                async with self._session.post(
                    path, data=body, timeout=self._patience(timeout)
                ) as response:
                    raw = await response.read()
                    if response.status == 200:
                        return raw
                    raise _refusal(response.status, raw)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError) as error:
                # A pooled connection the engine had closed: a fresh one deserves one try.
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


class SearchPool:
    """Every engine: the less busy of two fresh ones is asked, another one when it fails.

    What `learn` was told last decides who may be asked; at first that is whoever the settings name.
    """

    def __init__(self, settings: IndexerSettings) -> None:
        self.settings = settings
        self.index = settings.meili_index
        self.states: dict[str, EngineState] = {}
        self.clients: dict[str, SearchClient] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open a pool of connections for each engine that the settings name."""
        self.learn(EngineState(name, url) for name, url in self.settings.configured_engines.items())

    async def close(self) -> None:
        """Close all of them."""
        for task in self._leaving:
            task.cancel()
        closing = (client.close() for client in self.clients.values())
        await asyncio.gather(*closing, *self._leaving, return_exceptions=True)

    def learn(self, states: Iterable[EngineState]) -> None:
        """The engines there are from now on."""
        self.states = {state.name: state for state in states}
        for name, client in list(self.clients.items()):
            state = self.states.get(name)
            if state is None or state.url != client.url:
                del self.clients[name]
                task = asyncio.ensure_future(self._leave(client))
                self._leaving.add(task)
                task.add_done_callback(self._leaving.discard)
        for name, state in self.states.items():
            if name not in self.clients:
                client = self.clients[name] = SearchClient(self.settings, name, state.url)
                client.start()

    async def _leave(self, client: SearchClient) -> None:
        try:
            # Searches that are under way end first; none takes longer than this.
            await asyncio.sleep(self.settings.read_timeout)
        finally:
            await client.close()

    @property
    def open(self) -> bool:
        """Would a search be refused without asking anybody?"""
        return not self._candidates()

    async def healthy(self) -> dict[str, bool]:
        """name -> whether the engine answers now."""
        names = list(self.clients)
        found = await asyncio.gather(*(self.clients[name].healthy() for name in names))
        return dict(zip(names, found, strict=True))

    async def search(self, body: dict[str, Any]) -> dict[str, Any]:
        """The decoded answer of a search in the product's index."""
        return await self._ask("search", f"indexes/{self.index}/search", _encode(body), dict)

    async def multi_search(self, queries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The answers of several searches in one request, all by the same engine."""
        asked = {"queries": [{"indexUid": self.index, **query} for query in queries]}
        body = _encode(asked)
        return await self._ask("multi_search", "multi-search", body, lambda a: list(a["results"]))

    def _candidates(self) -> list[SearchClient]:
        """Whoever may be asked, in the order in which they are.

        Engines that are behind the freshest come last: a stale answer is better than a poorer one.
        """
        ready = [s for s in self.states.values()
                 if s.serving and s.filled and not self.clients[s.name].open]  # fmt: skip
        if len(ready) < 2:
            return [self.clients[state.name] for state in ready]
        limit = min(state.lag for state in ready) + self.settings.fresh_seconds
        fresh = [self.clients[state.name] for state in ready if state.lag <= limit]
        stale = sorted((s for s in ready if s.lag > limit), key=lambda s: s.lag)
        random.shuffle(fresh)
        # Two at random, the less busy one first: nobody is overrun, and nobody waits for the slowest.
        if len(fresh) > 1 and fresh[1].waiting < fresh[0].waiting:
            fresh[0], fresh[1] = fresh[1], fresh[0]
        return [*fresh, *(self.clients[state.name] for state in stale)]

    async def _ask(self, operation: str, path: str, body: bytes, read: Callable[[Any], T]) -> T:
        candidates = self._candidates()
        if not candidates:
            metrics.ENGINE_SECONDS.labels(operation, "refused").observe(0)
            raise EngineUnavailableError("no engine is there, filled and not failing just now")
        deadline = time.monotonic() + self.settings.read_timeout
        for n, client in enumerate(candidates):
            left = max(deadline - time.monotonic(), _MOMENT)
            last = n + 1 == len(candidates)
            try:
                # One that hangs must leave time to ask another.
                raw = await client.post(operation, path, body, left if last else left / 2)
                with understood():
                    return read(_decode(raw))
            except EngineUnavailableError:
                if last:
                    raise
            metrics.FAILOVERS.labels(client.name).inc()
        raise AssertionError


def _refusal(status: int, raw: bytes) -> Exception:
    try:
        body = dict(_decode(raw))
    except (TypeError, ValueError):
        body = {}
    code = str(body.get("code", "unknown"))
    # Another engine may know our key, have less to do or be filled.
    if status >= 500 or status == 429 or code in _NOT_READY or not blames_request(body):
        return EngineUnavailableError(f"{status} {code}")
    return EngineRejectedError(code, str(body.get("message", "")), status)
