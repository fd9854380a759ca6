"""Rate limits: exact over all processes, without a Redis call for each request.

The edge (`api.answers.edge`) calls `budget` for each request and spends one request of the budget. Redis has the
budgets of the current minute. A process takes a small lease of a budget and spends it in memory. While Redis is away,
each process counts by itself and lets at most the whole budget pass.

A request to a public path counts to the budget of the client's address, whatever its headers. A request to a path that
needs a credential counts to its account or API key, after this process has checked the credential. Before that, it
counts to a second budget of the address. So guessed credentials do not use up the budget of listeners behind the same
address, and cause no more queries than the second budget allows.
"""

import asyncio
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple
from weakref import WeakValueDictionary

from litestar.types import Scope
from redis.asyncio import Redis

from api.http.limits.client_address import ClientAddresses
from api.http.observed import metrics
from indexer.stores import REDIS_AWAY

WINDOW = 60
LEASE_SHARE = 50  # a lease is this part of a minute's budget
MAX_CLIENTS = 20_000  # budgets of a minute that are remembered; the first that were made go first
MAX_CREDENTIALS = 10_000
MAX_BUDGETS = 4096  # budgets of addresses that are not made anew; all are dropped when there are more
_REDIS_PAUSE = 1.0
# Health checks and scrapes of metrics are never limited.
_UNLIMITED_PREFIX, _UNLIMITED_PATH = "/health/", "/metrics"
# Every path with one of these prefixes runs `authenticate`, except the paths of _OPEN and the pages of the board: a header
# says nothing there, people are signed in by a cookie.
_SIGNED_IN = ("/catalog/", "/ops/", "/accounts/")
_OPEN = frozenset({"/accounts/login", "/accounts/refresh", "/accounts/logout", "/accounts/password-reset"})
_BOARD = "/ops/board/"
_SLASHES = re.compile("/+")

# Takes up to ARGV[2] of what is left of ARGV[1]; returns how many it got, and how many are taken now.
_TAKE = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local got = math.min(tonumber(ARGV[2]), tonumber(ARGV[1]) - used)
if got <= 0 then return {0, used} end
redis.call('INCRBY', KEYS[1], got)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {got, used + got}
"""


# What every answer has, of whichever route.
SECURITY_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "cross-origin"),
)


class Budget(NamedTuple):
    """Requests a minute of one owner: `client:ADDRESS`, `credential:ADDRESS`, `account:ID` or `key:ID`."""

    name: str
    per_minute: int


def needs_credential(path: str) -> bool:
    """Return whether the routes of this path run `authenticate`."""
    if not path.startswith(_SIGNED_IN):
        return False
    plain = _SLASHES.sub("/", path).rstrip("/")
    return plain not in _OPEN and not f"{plain}/".startswith(_BOARD)


class Granted(NamedTuple):
    """An answer of Redis: how many requests it granted, for which minute, and how many are granted in all."""

    requests: int
    window: int
    total: int


@dataclass(slots=True)
class Lease:
    """The requests of a budget that this process may still let pass in a minute.

    Attributes:
        window: The minute.
        policy: The header RateLimit-Policy.
        left: Requests that may pass.
        granted: Requests that this process was granted in this minute.
        others: Requests of the budget that Redis had granted to no process, at this process's last call.
        exhausted: Whether the budget is used up in this minute.
        wait: Seconds to wait, when the request must not pass; else 0.
        told_at: The second for which `headers` are right.
        headers: RateLimit and RateLimit-Policy as draft-ietf-httpapi-ratelimit-headers-10 has them, behind those of
            every answer. What they say is left is right when a lease is taken, and once a second.
        is_news: Whether this is the first request in the minute that must not pass.
    """

    window: int
    policy: tuple[str, str]
    left: int = 0
    granted: int = 0
    others: int = 0
    exhausted: bool = False
    wait: int = 0
    told_at: int = -1
    headers: tuple[tuple[str, str], ...] = SECURITY_HEADERS
    is_news: bool = False

    def tell(self, name: str, now: int) -> None:
        """Build the headers again. `now` is the Unix time in whole seconds."""
        self.told_at = now
        limit = f'"{name}";r={self.left + self.others};t={WINDOW - now % WINDOW}'
        self.headers = (*SECURITY_HEADERS, ("ratelimit", limit), self.policy)


UNLIMITED = Lease(0, ("", ""))


class Limiter:
    """`per_minute` requests per address and per account; 0 lets everything through."""

    def __init__(
        self, redis: "Redis | None", prefix: str, per_minute: int, addresses: ClientAddresses | None = None
    ) -> None:
        """Begin without any lease.

        Args:
            redis: Has the budgets; None makes this process count by itself.
            prefix: The prefix of every key in Redis.
            per_minute: Requests of an address or account in a minute; 0 is no limit.
            addresses: Reads the client of a request; without it no proxy is trusted.
        """
        self.redis, self.prefix, self.per_minute = redis, prefix, per_minute
        self.addresses = addresses or ClientAddresses()
        self._leases: OrderedDict[str, Lease] = OrderedDict()
        # Address -> its budget: half a microsecond cheaper than making it for each request.
        self._clients: dict[str, Budget] = {}
        # The budgets for which leases are being taken, by name.
        self._taking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # Credentials that were checked and found good -> their budget. The least recently used go first.
        self._proven: OrderedDict[bytes, Budget] = OrderedDict()
        self._salt, self._window, self._down_until = secrets.token_bytes(32), 0, 0.0

    def budget(self, scope: Scope, credential: bytes) -> Budget | None:
        """Return the budget that a request of ASGI counts to.

        Args:
            scope: The request's ASGI scope.
            credential: The `fingerprint` of the credential; empty without a credential.

        Returns:
            The budget; None for health checks and metrics, which are never limited.
        """
        return self.budget_of(scope["path"], self.addresses.of(scope), credential)

    def budget_of(self, path: str, address: str, credential: bytes) -> Budget | None:
        """Return the budget that a request counts to.

        Args:
            path: What it asks for.
            address: The client's, as `ClientAddresses` names it.
            credential: The `fingerprint` of the credential; empty without a credential.

        Returns:
            The budget; None for health checks and metrics, which are never limited.
        """
        if path.startswith(_UNLIMITED_PREFIX) or path == _UNLIMITED_PATH:
            return None
        if credential and needs_credential(path):
            proven = self._proven.get(credential)
            if proven is not None:
                self._proven.move_to_end(credential)
                return proven
            return Budget(f"credential:{address}", self.per_minute)
        found = self._clients.get(address)
        if found is None:
            if len(self._clients) >= MAX_BUDGETS:
                self._clients.clear()
            found = self._clients[address] = Budget(f"client:{address}", self.per_minute)
        return found

    def fingerprint(self, authorization: bytes, api_key: bytes) -> bytes:
        """Return a keyed hash of the headers `Authorization` and `X-API-Key`, so that no secret stays in memory."""
        return blake2b(authorization + b"\n" + api_key, key=self._salt, digest_size=16).digest()

    def proven(self, credential: bytes, budget: Budget) -> None:
        """Remember that a credential is valid: its requests count to `budget` from now on."""
        self._proven[credential] = budget
        self._proven.move_to_end(credential)
        if len(self._proven) > MAX_CREDENTIALS:
            self._proven.popitem(last=False)

    def refused(self, credential: bytes) -> None:
        """Forget a credential that is not valid: its requests count to their address from now on."""
        self._proven.pop(credential, None)

    def check(self, budget: Budget) -> Lease | None:
        """Spend one request of a budget from memory.

        Returns:
            The lease: its `wait` is 0 when the request may pass. None when a lease must be taken first (`refill`).
        """
        if not budget.per_minute:
            return UNLIMITED
        lease, now = self._leases.get(budget.name), int(time.time())
        if lease is None or lease.window != now // WINDOW:
            return None
        if lease.left > 0:
            lease.left -= 1
            if lease.told_at != now:
                lease.tell(_kind(budget), now)
            return lease
        return _refused(budget, lease) if lease.exhausted else None

    async def refill(self, budget: Budget) -> Lease:
        """Take a lease of a budget and spend one request of it; its `wait` is 0 when the request may pass."""
        # Requests that come together spend what one of them takes: else each would take a fiftieth.
        async with self._taking.setdefault(budget.name, asyncio.Lock()):
            return self.check(budget) or await self._refilled(budget)

    async def _refilled(self, budget: Budget) -> Lease:
        granted = await self.take(budget)
        now = int(time.time())
        window = now // WINDOW if granted is None else granted.window
        lease = self._lease(budget, window)
        if granted is None:
            # Redis is away: the whole budget for this process alone.
            metrics.LIMITER_ERRORS.inc()
            requests = min(_size(budget), budget.per_minute - lease.granted)
            lease.others = budget.per_minute - lease.granted - requests
        else:
            requests, lease.others = granted.requests, max(0, budget.per_minute - granted.total)
        lease.granted += requests
        lease.left += requests
        if lease.left <= 0:
            lease.exhausted = True
            return _refused(budget, lease)
        lease.left -= 1
        lease.tell(_kind(budget), now)
        return lease

    async def spend(self, budget: Budget) -> int:
        """Spend one request of a budget; 0 when it may pass, else the seconds to wait."""
        lease = self.check(budget) or await self.refill(budget)
        return lease.wait

    async def take(self, budget: Budget) -> Granted | None:
        """Take a fiftieth of a budget from Redis; None when Redis does not answer."""
        if self.redis is None or time.monotonic() < self._down_until:
            return None
        window = int(time.time() // WINDOW)
        try:
            key = f"{self.prefix}limit:{budget.name}:{window}"
            arguments = (budget.per_minute, _size(budget), 2 * WINDOW)
            requests, total = await self.redis.eval(_TAKE, 1, key, *arguments)
        except REDIS_AWAY:
            self._down_until = time.monotonic() + _REDIS_PAUSE
            return None
        return Granted(int(requests), window, int(total))

    def _lease(self, budget: Budget, window: int) -> Lease:
        """Return this process's lease of a budget in a minute. The leases of earlier minutes are dropped."""
        if window > self._window:
            self._window = window
            self._leases.clear()
        lease = self._leases.get(budget.name)
        if lease is None or lease.window != window:
            policy = f'"{_kind(budget)}";q={budget.per_minute};w={WINDOW}'
            lease = self._leases[budget.name] = Lease(window, ("ratelimit-policy", policy))
            if len(self._leases) > MAX_CLIENTS:
                self._leases.popitem(last=False)
        return lease


def _kind(budget: Budget) -> str:
    """Return the name of the budget in metrics and headers: client, credential, account, key, login or password."""
    return budget.name.partition(":")[0]


def _size(budget: Budget) -> int:
    """Return the number of requests of a lease."""
    return max(1, budget.per_minute // LEASE_SHARE)


def _refused(budget: Budget, lease: Lease) -> Lease:
    now = int(time.time())
    metrics.RATE_LIMITED.labels(_kind(budget)).inc()
    lease.is_news = not lease.wait
    lease.wait = WINDOW - now % WINDOW
    lease.tell(_kind(budget), now)
    return lease
