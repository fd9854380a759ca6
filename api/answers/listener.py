"""Hears about changes from Redis and tells the cache of this process."""

import asyncio
import logging
import time
from typing import cast

import msgspec
from redis.asyncio import Redis

from api.answers.cache import Cache
from api.answers.invalidations import HEARING_SECONDS
from catalog.core.changes import ProgramChange, TaxonomyChange
from indexer import stores
from indexer.stores import REDIS_AWAY
from indexer.stores.invalidation import Message

log = logging.getLogger(__name__)


class Listener:
    """One subscription for a process's cache."""

    def __init__(self, cache: Cache, line: "Redis") -> None:
        """Take a connection for waiting on.

        Args:
            cache: The cache that follows the changes.
            line: A client whose commands may take longer than a message is waited for.
        """
        self.cache, self.line = cache, line

    async def run(self) -> None:
        """Hear about changes until cancelled; catches up whenever the line had been lost."""
        channel = self.cache.shared.keys.channel
        while True:
            try:
                async with await stores.subscription(self.line) as subscription:
                    await subscription.subscribe(channel)
                    # Messages sent while nobody listened are lost: start from what Redis knows.
                    self.cache.clear()
                    await self._catch_up()
                    while True:
                        message = await subscription.get_message(
                            ignore_subscribe_messages=True, timeout=HEARING_SECONDS
                        )
                        if message is None:
                            await self._catch_up()
                        else:
                            self._take(message["data"])
                        self.cache.invalidations.heard_at = time.monotonic()
            except (*REDIS_AWAY, LookupError, TypeError, ValueError) as error:
                # Or hearing what makes no sense: on a new line everything is asked anew.
                log.debug("not hearing about changes: %s", error)
                await asyncio.sleep(HEARING_SECONDS)

    def _take(self, raw: bytes) -> None:
        try:
            message = msgspec.json.decode(raw, type=Message)
        except msgspec.DecodeError:
            log.warning("an invalidation could not be read")
            self.cache.clear()
            return
        if message.everything:
            self.cache.clear()
        if message.programs:
            self.cache.changed(ProgramChange(*program) for program in message.programs)
        if message.taxonomy:
            self.cache.taxonomy_changed(TaxonomyChange(*change) for change in message.taxonomy)
        if message.curation:
            self.cache.invalidations.curation_changed()
        if message.generation:
            self.cache.invalidations.superseded(message.generation, message.changes)

    async def _catch_up(self) -> None:
        redis, keys = self.cache.shared.redis, self.cache.shared.keys
        if redis is None:
            return
        generation = await redis.get(keys.generation)
        withdrawn = cast("list[bytes]", await redis.zrange(keys.tombstones, 0, -1))
        self.cache.invalidations.caught_up(int(generation or 0), {int(name) for name in withdrawn})
