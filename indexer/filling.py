"""Sees that a sender's index is there with its settings, and whether it has had everything once."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session, sessionmaker

from catalog import dirty
from catalog.indexing import lifecycle as rebuilds
from catalog.programs import queries
from indexer import index_settings
from indexer.engine import Engine
from indexer.invalidation import Invalidator
from indexer.settings import IndexerSettings
from indexer.targets import HEARD_SECONDS, Target

log = logging.getLogger(__name__)
_PAGE = 5000


@dataclass
class Filling:
    """The index of one sender. `beat` is called while a long work goes on, so that nobody takes over.

    Everything raises what the engine raises, and LostPlaceError.
    """

    sessions: sessionmaker[Session]
    engine: Engine
    invalidator: Invalidator | None
    settings: IndexerSettings
    target: Target
    epoch: int
    stop: threading.Event
    beat: Callable[[], object]
    # Something happened that happens when an index is gone: look before anything else is sent.
    unsure: bool = True
    # When the index was made that is known to be marked for, as the engine says.
    _made_at: str = ""
    _unfilled: bool = field(init=False)

    def __post_init__(self) -> None:
        self._unfilled = self.target.state == "live" and not self.target.filled

    def check(self) -> bool:
        """Make the index where it is missing. One that was made since (a wiped engine) has to be filled
        from the beginning, and so has one that is there and was never filled by us: True then, and what
        is on its way counts no more."""
        uid, made_at = self.target.uid, self.engine.created_at(self.target.uid)
        if made_at is not None and made_at == self._made_at:
            self.unsure = False
            self._end()
            return False
        never = self._unfilled and not self._made_at and not self.target.fill_marked
        anew = made_at is None or bool(self._made_at) or never
        if anew:
            self._begin()
        self._prepare(uid)
        made_at = self.engine.created_at(uid)
        if anew:
            log.warning("index %s is new; every published program is marked", uid)
            self._mark_published()
            self._mark_stored()
            with self.sessions.begin() as session:
                dirty.filling_marked(session, self.target.id, self.epoch)
            self._end()
        # Not before: whatever failed until here is done again.
        self._made_at, self.unsure = made_at or "", made_at is None
        return anew

    def settled(self, session: Session) -> bool:
        """Is it filled by what was settled in this transaction?"""
        return self._unfilled and dirty.end_filling(session, self.target.id, self.epoch)

    def told(self, filled: bool) -> None:
        """After the commit: listeners are answered from it now."""
        if filled:
            self._unfilled = False
            log.info("index %s is filled", self.target.uid)
            if self.invalidator is not None:
                # What was answered without it was poorer.
                self.invalidator.index_changed()

    def _begin(self) -> None:
        """Before there is an index that could be asked."""
        with self.sessions.begin() as session:
            dirty.begin_filling(session, self.target.id, self.epoch)
        if self.target.state == "live" and not self._unfilled:
            # It was asked until now. Without an index it answers nothing; with an empty one it would
            # answer that there is nothing.
            self.stop.wait(HEARD_SECONDS)
        self._unfilled = True

    def _end(self) -> None:
        if self._unfilled:
            with self.sessions.begin() as session:
                filled = self.settled(session)
            self.told(filled)

    def _prepare(self, uid: str) -> None:
        """Make the index and give it the settings of this code, unless newer code was here."""
        if self.target.settings_revision > index_settings.REVISION:
            log.warning("index %s has settings of newer code: left alone", uid)
            return
        left = self.engine.prepare_index(uid)
        if left:
            log.warning("index %s needs a rebuild for its settings %s", uid, ", ".join(left))
        automatic = self.settings.reindex_automatic
        with self.sessions.begin() as session:
            rebuilds.note_settings(session, self.target.id, index_settings.BUILD, automatic, left)

    def _mark_published(self) -> None:
        last = 0
        while True:
            with self.sessions.begin() as session:
                ids = session.scalars(queries.published_ids_after(last, _PAGE)).all()
                if not ids:
                    return
                dirty.mark_target(session, self.target.id, ids)
            last = ids[-1]
            self.beat()

    def _mark_stored(self) -> None:
        """Mark what the index holds already: what should not be there is then deleted."""
        offset = 0
        while True:
            page, total = self.engine.documents(
                self.target.uid, fields=["id"], offset=offset, limit=_PAGE
            )
            ids = [row["id"] for row in page if isinstance(row.get("id"), int)]
            if ids:
                with self.sessions.begin() as session:
                    dirty.mark_target(session, self.target.id, ids)
            offset += len(page)
            if not page or offset >= total:
                return
            self.beat()
