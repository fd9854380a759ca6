"""Keeps the synonyms of one index as editors have them: a setting, for which no document is sent again.

`indexer.sender.initial_fill` asks with every heartbeat of the sender. A new index (a wiped engine, a rebuild) gets them from its own sender, too.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session, sessionmaker

from catalog.core.glances import Glance, Line
from catalog.curation import queries
from indexer import metrics
from indexer.engines import index_settings
from indexer.engines.admin import Engine
from indexer.engines.errors import EngineRejectedError
from indexer.stores.invalidation import Invalidator

log = logging.getLogger(__name__)
_TIMEOUT_MS = 60_000


@dataclass
class Synonyms:
    """Gives an index the synonyms.

    Attributes:
        sessions: Opens transactions.
        engine: The engine of the index.
        uid: The index.
        invalidator: Supersedes cached pages; None when listeners are not answered from the index.
        beat: Sends a heartbeat if it is due; called while the engine works.
        line: The connection on which to look for a change; None uses a session.
    """

    sessions: sessionmaker[Session]
    engine: Engine
    uid: str
    invalidator: Invalidator | None
    beat: Callable[[], object]
    line: Line | None = None
    # What the index has, as `queries.synonyms_version` names it; None while that is not known.
    _version: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        version = queries.synonyms_version()
        self._glance = Glance(self.line, version, _TIMEOUT_MS) if self.line is not None else None

    def forget(self) -> None:
        """Look at the index anew: it may be another one."""
        self._version = None

    def follow(self) -> None:
        """Give the index the synonyms, if they have changed. An engine that refuses them is asked again after a change.

        Raises:
            EngineUnavailableError: The engine is away.
            DBAPIError: PostgreSQL is away.
        """
        if self._glance is not None and self._version == (self._glance.look()[0] or ""):
            return
        with self.sessions() as session:
            version = session.scalar(queries.synonyms_version()) or ""
            if version == self._version:
                return
            wanted = index_settings.curated(session)
        try:
            with self.engine.calling(self.beat):
                self.engine.prepare_index(self.uid, wanted)
        except EngineRejectedError as error:
            metrics.SYNONYMS_REFUSED.inc()
            log.warning("index %s refuses the synonyms: %s", self.uid, error)
        self._version = version
        if self.invalidator is not None:
            # Searches may find something else now.
            self.invalidator.index_changed()
