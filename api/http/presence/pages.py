"""Who has the editor of a program open, in the cache's Redis: a page says so again and again, and is forgotten when it stops.

Each program has a sorted set of open pages, by the second at which Redis forgets them. Redis' own clock counts, so no
process has to agree with another one. Presence is a courtesy: without Redis nobody is seen, and nothing else changes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from api.http.observed import metrics
from api.http.request import AppState
from indexer.stores import REDIS_AWAY

# How long a page is seen after it was last heard of. Its script speaks every 15 seconds.
KEPT_SECONDS = 45
# Open pages of one program; those that would be forgotten first go first.
MOST_PAGES = 100
_LONGEST_NAME = 100
# Lets the page ARGV[2] stay for ARGV[1] seconds in the set KEYS[1], or leave it for 0; returns the open pages.
_PAGES = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local seconds = tonumber(ARGV[1])
if seconds > 0 then
  redis.call('ZADD', KEYS[1], now + seconds, ARGV[2])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
  redis.call('EXPIRE', KEYS[1], seconds)
else
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')
"""


class Visitor(NamedTuple):
    """An open page: whose it is, which of that person's it is, and what colleagues call the person."""

    account_id: int
    page: str
    called: str

    def encode(self) -> str:
        """Return the visitor as a member of the set."""
        return f"{self.account_id} {self.page} {self.called[:_LONGEST_NAME]}"


async def stay(shared: AppState, program_id: int, visitor: Visitor) -> Sequence[str]:
    """Let a page be seen for `KEPT_SECONDS`.

    Args:
        shared: Has the cache's Redis.
        program_id: The program.
        visitor: The page.

    Returns:
        The names of the other people who have the editor of this program open, in their order; none while Redis is away.
    """
    pages = await _pages(shared, program_id, visitor, KEPT_SECONDS)
    found = (Visitor(int(account), page, called) for account, page, called in pages)
    others = {one.account_id: one.called for one in found if one.account_id != visitor.account_id}
    return sorted(others.values())


async def leave(shared: AppState, program_id: int, visitor: Visitor) -> None:
    """Let a page be seen no longer.

    Args:
        shared: Has the cache's Redis.
        program_id: The program.
        visitor: The page.
    """
    await _pages(shared, program_id, visitor, 0)


def key(prefix: str, program_id: int) -> str:
    """Return the name of the set of a program.

    Args:
        prefix: What every key begins with.
        program_id: The program.
    """
    return f"{prefix}editing:{program_id}"


async def _pages(shared: AppState, program_id: int, visitor: Visitor, seconds: int) -> list[list[str]]:
    name = key(shared.settings.indexer.redis_prefix, program_id)
    try:
        found: list[bytes] = await shared.redis_cache.eval(
            _PAGES, 1, name, seconds, visitor.encode(), MOST_PAGES
        )
    except REDIS_AWAY:
        metrics.REDIS_ERRORS.inc()
        return []
    return [member.decode().split(" ", 2) for member in found]
