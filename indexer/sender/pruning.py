"""The engine forgets the tasks that have ended: an engine keeps each of them, and a sender makes many. Called by the sender."""

import logging
import time
from datetime import UTC, datetime, timedelta

from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError, EngineUnavailableError

log = logging.getLogger(__name__)
_KEEP = timedelta(minutes=10)


class TaskPruning:
    """Prunes the tasks of one engine, every ten minutes."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._pruned_at = engine, time.monotonic()

    def when_due(self) -> None:
        """Have the engine forget old tasks, if it is time; what it refuses is tried again in ten minutes."""
        if time.monotonic() - self._pruned_at < _KEEP.total_seconds():
            return
        self._pruned_at = time.monotonic()
        try:
            self._engine.prune_tasks(datetime.now(UTC) - _KEEP)
        except (EngineUnavailableError, EngineRejectedError) as error:
            log.info("tasks not pruned: %s", error)
