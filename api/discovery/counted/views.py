"""Counts views: one for each client, program and half hour, however often the client asks.

Views are counted in memory, then in Redis, where all processes share a HyperLogLog for each program and half hour;
`indexer.jobs.views` adds them to the record. `api.discovery.routes` reports views. Requests of programs that call
themselves bots are not counted.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from redis.asyncio import Redis as AsyncRedis

from api.discovery.counted.hiding import Hiding
from api.http.observed import metrics
from api.http.observed.tally import is_bot
from indexer.jobs.views import pending_key, shard
from indexer.stores import REDIS_AWAY

FLUSH_SECONDS = 1.0
# A client's further views of a program in the same half hour count nothing.
WINDOW = 1800
# Clients of programs that a process remembers until Redis has them; beyond it views are counted as lost.
MAX_BUFFERED = 100_000
# How many clients one call of the script takes: Lua unpacks at most some 8,000.
_CHUNK = 1000
# Adds clients to the HyperLogLog KEYS[1] and the number of new ones to the hash KEYS[2]; returns this number. Adding
# clients again changes nothing, so a call whose answer was lost may be repeated.
_COUNT = """
local before = redis.call('PFCOUNT', KEYS[1])
redis.call('PFADD', KEYS[1], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[1], ARGV[2])
local new = redis.call('PFCOUNT', KEYS[1]) - before
if new > 0 then redis.call('HINCRBY', KEYS[2], ARGV[1], new) end
return new
"""


@dataclass(slots=True)
class _Viewed:
    """The clients that viewed a program in a half hour, and how often."""

    clients: set[str] = field(default_factory=set)
    requests: int = 0


class ViewBuffer:
    """Views that this process has counted since it last added them to the numbers in Redis."""

    def __init__(self, redis: "AsyncRedis | None", prefix: str, hiding: Hiding) -> None:
        """Begin without any.

        Args:
            redis: The cache's Redis.
            prefix: What every key in it begins with.
            hiding: Names clients: by addresses alone, whoever reads Redis could try out which of them viewed a program.
        """
        self.redis, self.prefix, self._hiding = redis, prefix, hiding
        self._viewed: dict[tuple[int, int], _Viewed] = {}
        self._size = 0

    def add(self, program_id: int, client: str, user_agent: str = "") -> None:
        """Count one view.

        Args:
            program_id: The program.
            client: The client, as limits name it.
            user_agent: What the client calls itself.
        """
        if is_bot(user_agent):
            metrics.VIEWS.labels("bot").inc()
            return
        key = program_id, int(time.time() // WINDOW)
        viewed = self._viewed.get(key)
        if viewed is None or client not in viewed.clients:
            if self._size >= MAX_BUFFERED:
                metrics.VIEWS.labels("lost").inc()
                return
            viewed = self._viewed.setdefault(key, _Viewed())
            viewed.clients.add(client)
            self._size += 1
        viewed.requests += 1

    async def flush(self) -> None:
        """Add the counts to Redis; keep them when Redis does not answer."""
        for key, viewed in list(self._viewed.items()):
            taken, viewed.requests = viewed.requests, 0
            clients = sorted(viewed.clients)
            try:
                new = sum(
                    [await self._count(key, clients[n : n + _CHUNK]) for n in range(0, len(clients), _CHUNK)]
                )
            except REDIS_AWAY:
                metrics.REDIS_ERRORS.inc()
                viewed.requests += taken
                return
            # Clients that came meanwhile wait for the next round.
            viewed.clients.difference_update(clients)
            self._size -= len(clients)
            if not viewed.clients:
                del self._viewed[key]
                taken += viewed.requests
            metrics.VIEWS.labels("counted").inc(new)
            metrics.VIEWS.labels("repeated").inc(max(0, taken - new))

    async def _count(self, key: tuple[int, int], clients: list[str]) -> int:
        """Add clients to a program's half hour; return how many are new.

        Raises:
            ConnectionError: There is no Redis.
            RedisError: Redis is away.
        """
        if self.redis is None:
            raise ConnectionError("no Redis")
        program_id, window = key
        pending = pending_key(self.prefix, shard(program_id))
        seen = f"{pending}:seen:{window}:{program_id}"
        named = [self._hiding.name(client, program_id, window) for client in clients]
        arguments: list[str | int] = [program_id, 2 * WINDOW, *named]
        return max(0, int(await self.redis.eval(_COUNT, 2, seen, pending, *arguments)))

    async def run(self) -> None:
        """Flush every second until cancelled, then once more."""
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self.flush()
        finally:
            with contextlib.suppress(Exception):
                await self.flush()
