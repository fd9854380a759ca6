"""Hears that programs have changed, so that a sender need not look for it. Used by `indexer.sender`.

Every process that commits a change says so on the channel of invalidations (`indexer.stores.invalidation`), for the caches of the
API. A hint promises nothing: it may be lost with Redis, and plain SQL gives none. Who waits for hints must also look by itself.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

import msgspec
from redis import Redis

from indexer.stores.clients import REDIS_AWAY
from indexer.stores.invalidation import Invalidator, Keys, Message

log = logging.getLogger(__name__)
# How long one read waits: so soon the thread ends when it is asked to.
_READ_SECONDS = 1.0
# A line on which nothing came for so long is tried; one that does not answer for as long again is given up.
_SILENT_SECONDS = 5.0
_RETRY_SECONDS = 1.0


class LineLost(Exception):
    """Redis has not answered on the line for too long."""


class Hints:
    """Rings the bells of everybody who waits, when a change was committed.

    Attributes:
        hearing: Whether Redis has confirmed the subscription and answers on it. Bells ring whenever this changes.
    """

    def __init__(self, redis: "Redis", prefix: str) -> None:
        """Subscribe to nothing yet.

        Args:
            redis: The cache's Redis.
            prefix: What every key in it begins with.
        """
        self._redis, self._channel = redis, Keys(prefix).channel
        self._bells: set[threading.Event] = set()
        self._lock = threading.Lock()
        self.hearing = False

    @contextlib.contextmanager
    def bell(self) -> Iterator[threading.Event]:
        """Give a `with` block an event that is set at each hint; who waits for it clears it."""
        bell = threading.Event()
        with self._lock:
            self._bells.add(bell)
        try:
            yield bell
        finally:
            with self._lock:
                self._bells.discard(bell)

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self._lock:
            for bell in self._bells:
                bell.set()

    def run(self, stop: threading.Event) -> None:
        """Listen until `stop` is set; a line that is lost is opened again."""
        was_away = False
        while not stop.is_set():
            try:
                self._listen(stop)
            except (*REDIS_AWAY, LineLost) as error:
                if not was_away:
                    log.warning("no hints of changes (%s): looking for them often instead", error)
                was_away = not self.hearing
            self._hears(now=False)
            stop.wait(_RETRY_SECONDS)

    def _listen(self, stop: threading.Event) -> None:
        """Listen on one line.

        Raises:
            LineLost: Redis answers no more.
            RedisError: The line broke, or the user may not subscribe.
        """
        with contextlib.closing(self._redis.pubsub()) as line:  # type: ignore[no-untyped-call] # redis-py leaves it untyped
            line.subscribe(self._channel)
            heard_at, tried = time.monotonic(), False
            while not stop.is_set():
                message = line.get_message(timeout=_READ_SECONDS)
                now = time.monotonic()
                if message is not None:
                    heard_at, tried = now, False
                    self._take(message)
                elif now - heard_at > 2 * _SILENT_SECONDS:
                    raise LineLost("Redis is silent")
                elif now - heard_at > _SILENT_SECONDS and not tried:
                    tried = True
                    line.ping()

    def _take(self, message: dict[str, object]) -> None:
        if message["type"] == "subscribe":
            # What was said before, nobody heard.
            self._hears(now=True)
        elif message["type"] == "message" and _is_a_change(message["data"]):
            self.ring()

    def _hears(self, *, now: bool) -> None:
        if self.hearing != now:
            self.hearing = now
            self.ring()


@contextlib.contextmanager
def heard(invalidator: Invalidator | None) -> Iterator[Hints | None]:
    """Listen in a thread until the block ends. Without Redis there are no hints.

    Args:
        invalidator: Has the client of the cache's Redis.
    """
    if invalidator is None:
        yield None
        return
    hints, stop = Hints(invalidator.redis, invalidator.keys.prefix), threading.Event()
    thread = threading.Thread(target=hints.run, args=(stop,), name="hints", daemon=True)
    thread.start()
    try:
        yield hints
    finally:
        stop.set()
        thread.join()


def _is_a_change(raw: object) -> bool:
    """Whether a message tells of a committed change; a new generation of pages, for one, is none."""
    try:
        said = msgspec.json.decode(raw if isinstance(raw, bytes) else b"", type=Message)
    except msgspec.DecodeError:
        return True
    return bool(said.programs or said.taxonomy or said.curation)
