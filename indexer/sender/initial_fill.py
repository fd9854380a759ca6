"""The index of one sender: made where it is missing, given its settings, and filled from the beginning.

The sender asks it before it sends anything, whenever the index may have vanished, and with every heartbeat.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from sqlalchemy.orm import Session, sessionmaker

from catalog.core.glances import Line
from catalog.indexing import initial_fill, marks, rebuilds
from catalog.indexing import targets as index_targets
from catalog.programs import queries
from indexer.engines import index_settings
from indexer.engines.admin import Engine
from indexer.engines.targets import FOLLOWED_AFTER_SECONDS, Target
from indexer.sender.synonyms import Synonyms
from indexer.settings import IndexerSettings
from indexer.stores.invalidation import Invalidator

log = logging.getLogger(__name__)
_PAGE = 5000


class _Stored(msgspec.Struct):
    """A document of which only the id is asked for; a document that another program wrote may have any id."""

    id: object = None


@dataclass
class InitialFill:
    """Makes and fills the index of one sender.

    Every method may raise EngineUnavailableError, EngineRejectedError, LeadershipLost and DBAPIError.

    Attributes:
        sessions: Opens transactions.
        engine: The engine of the index.
        invalidator: Informs the API processes when the index is filled; None when listeners are not answered from it.
        settings: The pipeline's settings.
        target: The index.
        epoch: The sender's leadership.
        stop: Set when the sender is to end.
        beat: Sends a heartbeat if it is due; called during long work, so that no standby takes over.
        line: See `Synonyms`.
        must_check: Whether the index may have vanished. Then it is looked for before anything else is sent.
    """

    sessions: sessionmaker[Session]
    engine: Engine
    invalidator: Invalidator | None
    settings: IndexerSettings
    target: Target
    epoch: int
    stop: threading.Event
    beat: Callable[[], object]
    line: Line | None = None
    must_check: bool = True
    # When the index was made for which everything is marked, in the engine's words.
    _made_at: str = ""
    # What PostgreSQL has: this sender takes every step of the target as long as it leads.
    _state: str = field(init=False)
    _synonyms: Synonyms = field(init=False)

    def __post_init__(self) -> None:
        self._state = self.target.state
        index = (self.engine, self.target.uid, self.invalidator)
        self._synonyms = Synonyms(self.sessions, *index, self.beat, self.line)

    def check(self) -> bool:
        """Make the index where it is missing, mark every program for an index that is new, and give it the synonyms.

        New is an index that was made since the last check, because the engine was wiped, and an index that was
        there before the first check but was never filled. While a rebuild exchanges two indexes nothing is new: the next
        check looks again.

        Returns:
            True when the index is new: what was sent to the engine before counts no more.
        """
        uid, made_at = self.target.uid, self.engine.created_at(self.target.uid)
        if made_at is not None and made_at == self._made_at:
            self.must_check = False
            self._finish_if_filled()
            self._synonyms.follow()
            return False
        is_new = made_at is None or bool(self._made_at) or self._state == "empty"
        if is_new and not self._begin(exists=made_at is not None):
            self.must_check = True
            return False
        self._prepare(uid)
        self._synonyms.forget()
        self._synonyms.follow()
        made_at = self.engine.created_at(uid)
        if is_new:
            log.warning("index %s is new; every published program is marked", uid)
            self._mark_published()
            self._mark_stored()
            with self.sessions.begin() as session:
                marked = initial_fill.all_marked(session, self.target.id, self.epoch)
            self._state = marked
            self._finish_if_filled()
        # Last: if anything above fails, the next check does all of it again.
        self._made_at, self.must_check = made_at or "", made_at is None
        return is_new

    def finished_by(self, session: Session) -> bool:
        """Return whether the index is filled now by the marks that this transaction settles."""
        return self._state == "filling" and initial_fill.finish(session, self.target.id, self.epoch)

    def after_commit(self, *, filled: bool) -> None:
        """Take note that the transaction given to `finished_by`, which returned `filled`, was committed."""
        if filled:
            self._state = "live"
            log.info("index %s is filled", self.target.uid)
            if self.invalidator is not None:
                # Searches go to it now; cached answers were made without it.
                self.invalidator.index_changed()

    def _begin(self, *, exists: bool) -> bool:
        """Keep searches away from the index, before there is one that could be asked; False while it is exchanged."""
        with self.sessions.begin() as session:
            wiped = initial_fill.begin(session, self.target.id, self.epoch, exists=exists)
        if wiped is None:
            return False
        before, self._state = self._state, wiped
        if before == "live":
            # Searches went to it until now. An engine without the index fails, and another one is asked; an
            # engine with an empty index would answer that there is nothing.
            self.stop.wait(FOLLOWED_AFTER_SECONDS)
        return True

    def _finish_if_filled(self) -> None:
        if self._state == "filling":
            with self.sessions.begin() as session:
                filled = self.finished_by(session)
            self.after_commit(filled=filled)

    def _prepare(self, uid: str) -> None:
        """Make the index and give it the settings of this code, unless it has the settings of newer code."""
        if self.target.settings_revision > index_settings.REVISION:
            log.warning("index %s has settings of newer code: left alone", uid)
            return
        with self.engine.calling(self.beat):
            left = self.engine.prepare_index(uid)
        if left:
            log.warning("index %s needs a rebuild for its settings %s", uid, ", ".join(left))
        with self.sessions.begin() as session:
            if not left:
                index_targets.record_settings(session, self.target.id, index_settings.BUILD)
            elif self.settings.reindex_automatic:
                rebuilds.request_for_settings(session, self.target.id, index_settings.BUILD, left)

    def _mark_published(self) -> None:
        last = 0
        while True:
            with self.sessions.begin() as session:
                ids = session.scalars(queries.published_ids_after(last, _PAGE)).all()
                if not ids:
                    return
                marks.mark_target(session, self.target.id, ids)
            last = ids[-1]
            self.beat()

    def _mark_stored(self) -> None:
        """Mark the programs that the index holds already, so that those it should not hold are deleted."""
        offset = 0
        while True:
            page, total = self.engine.documents(self.target.uid, _Stored, offset=offset, limit=_PAGE)
            ids = [row.id for row in page if isinstance(row.id, int)]
            if ids:
                with self.sessions.begin() as session:
                    marks.mark_target(session, self.target.id, ids)
            offset += len(page)
            if not page or offset >= total:
                return
            self.beat()
