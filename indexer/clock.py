"""What happens by itself, to the second: scheduled programs appear, expired ones go, views add up.

Done in the scheduler's own process: a queue's delay and a fork per second would cost more than the
work. Two clocks may run; rows one of them works on are left alone by the other.
"""

import logging
import time

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from catalog import changes
from catalog.actor import Actor
from catalog.db import session_factory
from catalog.programs import lifecycle
from indexer import views
from indexer.invalidation import Invalidator

log = logging.getLogger(__name__)
VIEWS_SECONDS = 5.0
_ACTOR = Actor("system", name="clock")


class Clock:
    """`tick` is called every second."""

    def __init__(self, database: Engine, cache: "Redis", prefix: str) -> None:
        self.database, self.cache, self.prefix = database, cache, prefix
        self._sessions = session_factory(database)
        self._invalidator = Invalidator(cache, prefix)
        self._views_at = 0.0

    def tick(self) -> None:
        """Publish, expire, add views. A server that is away is tried again next second."""
        try:
            self.publish_and_expire()
            if time.monotonic() - self._views_at >= VIEWS_SECONDS:
                self._views_at = time.monotonic()
                views.apply_pending(self.cache, self.prefix, self.database)
        except (DBAPIError, RedisError, OSError) as error:
            log.warning("the clock missed a tick: %s", str(error).splitlines()[0])

    def publish_and_expire(self) -> tuple[list[int], list[int]]:
        """What is due by the database's clock; returns the ids published and expired."""
        with self._sessions() as session:
            published = lifecycle.publish_due(session, _ACTOR)
            expired = lifecycle.expire_due(session, _ACTOR)
            session.commit()
            changed = changes.take(session)
        if changed:
            self._invalidator.programs_changed(changed)
            log.info("published %s, expired %s", published, expired)
        return published, expired
