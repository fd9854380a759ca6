"""How a sender waits that has nothing to send: until it is told of a change, and looking by itself ever less often.

Hints (`indexer.stores.hints`) come after every commit of the product. Plain SQL gives none, and Redis may be away: so the sender
looks as well, in one round trip (`catalog.core.glances`). Called by `indexer.sender.sender`.
"""

import threading
import time
from collections.abc import Callable

from catalog.core.glances import Glance
from indexer.settings import IndexerSettings

# The pause may be this share of the time since there was something to send: after ten seconds, a second.
_SHARE = 0.1


class Rest:
    """The pauses of one sender."""

    def __init__(
        self,
        settings: IndexerSettings,
        stop: threading.Event,
        glance: Glance | None = None,
        *,
        bell: threading.Event | None = None,
        hearing: Callable[[], bool] = lambda: False,
    ) -> None:
        """Begin with short pauses.

        Args:
            settings: The shortest and the longest pause.
            stop: Set when the sender is to end.
            glance: Looks whether the sender has anything to do; its row has `True` or `False`. None: it always may have.
            bell: Set when a change was committed, and with `stop`.
            hearing: Returns whether every change of the product sets the bell.
        """
        self._settings, self._stop, self._glance = settings, stop, glance
        self._bell, self._hearing = bell, hearing
        self._worked_at = time.monotonic()

    def worked(self) -> None:
        """Take note that there was something to send."""
        self._worked_at = time.monotonic()

    def pause(self) -> float:
        """Return the seconds until the next look."""
        shortest = self._settings.sync_poll_seconds
        if not self._hearing():
            return shortest
        quiet = time.monotonic() - self._worked_at
        return max(shortest, min(_SHARE * quiet, self._settings.sync_idle_seconds))

    def until_due(self, most: float) -> bool:
        """Wait until there may be something to do, at most so many seconds.

        Returns:
            Whether there may be.

        Raises:
            DBAPIError: PostgreSQL is away.
        """
        until, waited = time.monotonic() + most, self._bell or self._stop
        while (left := until - time.monotonic()) > 0:
            if waited.wait(min(self.pause(), left)):
                if self._bell is not None:
                    self._bell.clear()
                return True
            if self._sees_work():
                return True
        return False

    def _sees_work(self) -> bool:
        if self._glance is None:
            return True
        row = self._glance.look()
        # Without a row there is no such target any more.
        return row is None or bool(row[0])
