"""How many requests a client may make: exact over all processes, without a Redis call each.

A window's budget lives in Redis; processes take it in small leases and spend those in memory. When
Redis is away requests pass and are counted.
"""

import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from redis.asyncio import Redis

from api import metrics
from indexer.invalidation import REDIS_AWAY

WINDOW = 60
_LEASE_SHARE = 50
MAX_CLIENTS = 100_000
_REDIS_PAUSE = 1.0

# Takes up to ARGV[2] of what is left of ARGV[1]; returns how many it got.
_TAKE = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local got = math.min(tonumber(ARGV[2]), tonumber(ARGV[1]) - used)
if got <= 0 then return 0 end
redis.call('INCRBY', KEYS[1], got)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return got
"""


@dataclass(slots=True)
class _Lease:
    window: int
    left: int
    exhausted: bool = False


class Limiter:
    """`per_minute` requests per client; 0 lets everything through."""

    def __init__(
        self, redis: "Redis | None", prefix: str, per_minute: int, proxies: str = ""
    ) -> None:
        self.redis, self.prefix, self.per_minute = redis, prefix, per_minute
        self._proxies = [
            ip_network(p.strip(), strict=False) for p in proxies.split(",") if p.strip()
        ]
        self._leases: dict[str, _Lease] = {}
        self._down_until = 0.0

    def client(self, scope: dict[str, Any]) -> str:
        """The address the request came from; X-Forwarded-For counts only from trusted proxies."""
        peer = (scope.get("client") or ("unknown", 0))[0]
        if not self._proxies or not self._trusted(peer):
            return str(peer)
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                # From the right: the last address that none of our proxies added.
                for hop in reversed(value.decode("latin-1").split(",")):
                    if not self._trusted(hop.strip()):
                        return str(hop.strip()[:64])
        return str(peer)

    def _trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)

    def check(self, scope: dict[str, Any]) -> int:
        """Spend one from memory: 0 when that was possible or nothing is limited, -1 when a lease
        must be taken first, else the seconds to wait."""
        if not self.per_minute or self.redis is None:
            return 0
        now = time.time()
        window = int(now // WINDOW)
        lease = self._leases.get(self.client(scope))
        if lease is not None and lease.window == window:
            if lease.left > 0:
                lease.left -= 1
                return 0
            if lease.exhausted:
                metrics.RATE_LIMITED.labels("client").inc()
                return max(1, WINDOW - int(now % WINDOW))
        return -1

    async def refill(self, scope: dict[str, Any]) -> int:
        """Take a lease and spend one of it; 0 when the request may pass, else seconds to wait."""
        client = self.client(scope)
        waiting = await self.take(f"client:{client}", self.per_minute)
        if waiting is None:
            return 0
        if len(self._leases) >= MAX_CLIENTS:
            self._leases.clear()
        got, window = waiting
        lease = self._leases.get(client)
        if lease is not None and lease.window == window:
            lease.left += got
        else:
            lease = self._leases[client] = _Lease(window, got)
        if lease.left > 0:
            lease.left -= 1
            return 0
        lease.exhausted = True
        metrics.RATE_LIMITED.labels("client").inc()
        return max(1, WINDOW - int(time.time() % WINDOW))

    async def take(self, name: str, budget: int, want: int | None = None) -> tuple[int, int] | None:
        """(granted, window) of a named budget per minute; None when Redis cannot tell."""
        if self.redis is None or time.monotonic() < self._down_until:
            metrics.LIMITER_ERRORS.inc()
            return None
        window = int(time.time() // WINDOW)
        size = want or max(1, budget // _LEASE_SHARE)
        try:
            key = f"{self.prefix}limit:{name}:{window}"
            got = await self.redis.eval(_TAKE, 1, key, budget, size, 2 * WINDOW)
        except REDIS_AWAY:
            metrics.LIMITER_ERRORS.inc()
            self._down_until = time.monotonic() + _REDIS_PAUSE
            return None
        return int(got), window
