"""Listeners' searches: several engines, of which each search asks one, and another when that one fails.

Built by the API, which asks; `indexer.engines.watch` tells it which engines there are.
"""

import asyncio
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from indexer import metrics
from indexer.engines.client import SearchClient
from indexer.engines.errors import EngineUnavailableError, unreadable_as_unavailable
from indexer.engines.messages import Hit, ManyResults, NamesHit, Queries, Query, RankedHit, Results
from indexer.settings import IndexerSettings

_encode = msgspec.json.Encoder().encode
_one = msgspec.json.Decoder(Results[Hit])
_many = msgspec.json.Decoder(ManyResults[Hit])
_many_names = msgspec.json.Decoder(ManyResults[NamesHit])
_many_ranked = msgspec.json.Decoder(ManyResults[RankedHit])
T = TypeVar("T")
# aiohttp takes a time limit of zero for no limit.
_SHORTEST_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class EngineState:
    """What PostgreSQL knows of an engine.

    `serving`: listeners may be sent to it. `filled`: its index has had everything once. `lag`: the age of its
    oldest unconfirmed change, in seconds.
    """

    name: str
    url: str
    serving: bool = True
    filled: bool = True
    lag: float = 0.0


class SearchPool:
    """Searches on all engines. Of two fresh engines the less busy one is asked.

    The engines are those that `learn` was given last, and before that those that the settings name.
    """

    def __init__(self, settings: IndexerSettings) -> None:
        """Nothing is opened before `start`."""
        self.settings = settings
        self.index = settings.meili_index
        self.states: dict[str, EngineState] = {}
        self.clients: dict[str, SearchClient] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open a pool of connections for each engine that the settings name."""
        self.learn(EngineState(name, url) for name, url in self.settings.configured_engines.items())

    async def close(self) -> None:
        """Close all pools."""
        for task in self._closing:
            task.cancel()
        closing = (client.close() for client in self.clients.values())
        await asyncio.gather(*closing, *self._closing, return_exceptions=True)

    def learn(self, states: Iterable[EngineState]) -> None:
        """Use these engines, and no other, from now on."""
        self.states = {state.name: state for state in states}
        for name, client in list(self.clients.items()):
            state = self.states.get(name)
            if state is None or state.url != client.url:
                del self.clients[name]
                task = asyncio.ensure_future(self._close_later(client))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
        for name, state in self.states.items():
            if name not in self.clients:
                client = self.clients[name] = SearchClient(self.settings, name, state.url)
                client.start()

    async def _close_later(self, client: SearchClient) -> None:
        try:
            # Searches that are under way end first; none takes longer than this.
            await asyncio.sleep(self.settings.read_timeout)
        finally:
            await client.close()

    @property
    def open(self) -> bool:
        """Whether every search fails at once now, because there is no engine that may be asked."""
        return not self._candidates()

    async def healthy(self) -> dict[str, bool]:
        """Return name -> whether the engine answers now."""
        names = list(self.clients)
        found = await asyncio.gather(*(self.clients[name].healthy() for name in names))
        return dict(zip(names, found, strict=True))

    async def search(self, query: Query) -> Results[Hit]:
        """Search the product's index.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: An engine refuses the query.
        """
        return await self._ask("search", f"indexes/{self.index}/search", _encode(query), _one)

    async def multi_search(self, queries: Sequence[Query]) -> list[Results[Hit]]:
        """Do several searches in one request, so that the same engine answers them all.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: An engine refuses a query.
        """
        return (await self._ask("multi_search", "multi-search", self._together(queries), _many)).results

    async def search_names(self, queries: Sequence[Query]) -> list[Results[NamesHit]]:
        """Do several searches in one request, of which only what suggestions need is read.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: An engine refuses a query.
        """
        return (await self._ask("multi_search", "multi-search", self._together(queries), _many_names)).results

    async def search_ranked(self, queries: Sequence[Query]) -> list[Results[RankedHit]]:
        """Do several searches in one request, of which ids and the details of the ranking are read.

        Raises:
            EngineUnavailableError: No engine answers.
            EngineRejectedError: An engine refuses a query.
        """
        return (
            await self._ask("multi_search", "multi-search", self._together(queries), _many_ranked)
        ).results

    def _together(self, queries: Sequence[Query]) -> bytes:
        # Copies: a search of one query alone names no index in its body, and the caller may send the query again so.
        named = [msgspec.structs.replace(query, index_uid=self.index) for query in queries]
        return _encode(Queries(named))

    def _candidates(self) -> list[SearchClient]:
        """The engines that may be asked, in the order in which to ask them.

        Those that are behind the freshest one come last: their answer is old, but better than PostgreSQL's.
        """
        ready = [s for s in self.states.values() if s.serving and s.filled and not self.clients[s.name].open]
        if len(ready) < 2:
            return [self.clients[state.name] for state in ready]
        limit = min(state.lag for state in ready) + self.settings.fresh_seconds
        fresh = [self.clients[state.name] for state in ready if state.lag <= limit]
        stale = sorted((s for s in ready if s.lag > limit), key=lambda s: s.lag)
        random.shuffle(fresh)
        # Of two at random the less busy one goes first: a slow engine gets less, and no engine gets everything.
        if len(fresh) > 1 and fresh[1].waiting < fresh[0].waiting:
            fresh[0], fresh[1] = fresh[1], fresh[0]
        return [*fresh, *(self.clients[state.name] for state in stale)]

    async def _ask(self, operation: str, path: str, body: bytes, answer: "msgspec.json.Decoder[T]") -> T:
        candidates = self._candidates()
        if not candidates:
            metrics.ENGINE_SECONDS.labels(operation, "refused").observe(0)
            raise EngineUnavailableError("no engine serves, has its index and answers")
        deadline = time.monotonic() + self.settings.read_timeout
        for n, client in enumerate(candidates):
            left = max(deadline - time.monotonic(), _SHORTEST_SECONDS)
            last = n + 1 == len(candidates)
            try:
                # An engine that hangs must leave time to ask another one.
                raw = await client.post(operation, path, body, left if last else left / 2)
                with unreadable_as_unavailable():
                    return answer.decode(raw)
            except EngineUnavailableError:
                if last:
                    raise
            metrics.FAILOVERS.labels(client.name).inc()
        raise AssertionError
