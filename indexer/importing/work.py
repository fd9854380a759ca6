"""What an adapter is given: one run, its documents, and a sign of life while it works."""

import io
import threading
from typing import Any, BinaryIO

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from catalog.imports import lifecycle, queries, quota
from catalog.imports import options as run_options
from catalog.imports.models import ImportRun, ImportSource
from indexer.importing import documents
from indexer.importing.errors import ImportFailed, QuotaExhausted
from indexer.importing.fetch import Fetcher
from indexer.importing.settings import ImportSettings


class RunWork:
    """Implements `sources.base.Work` over PostgreSQL."""

    def __init__(
        self,
        sessions: "sessionmaker[Session]",
        run: ImportRun,
        token: str,
        settings: ImportSettings,
        fetcher: Fetcher,
    ) -> None:
        self.sessions, self.run, self.token = sessions, run, token
        self.settings, self.fetcher = settings, fetcher
        self.options = run_options.read(run.options)
        self.facts: dict[str, Any] = {}
        self.validators: tuple[str | None, str | None] = (None, None)
        # A retry of failed items reads the documents of the run it repeats.
        self.held_by = run.documents_of or run.id

    def know(self, source: ImportSource) -> None:
        """Ask only for what is new: a refresh by the schedule, never a request of an editor."""
        if self.run.trigger == "schedule":
            self.validators = (source.etag, source.last_modified)
            self.facts["held_hash"] = source.document_hash
            self.facts["last_success_at"] = source.last_success_at

    def keep(self, document: int, body: bytes, meta: dict[str, Any]) -> None:
        """In one transaction: a document is there whole or not at all."""
        with self.sessions.begin() as session:
            lifecycle.hold(session, self.run.id, self.token)
            for part, packed in enumerate(documents.pack(body)):
                lifecycle.add_part(
                    session, self.run.id, document, part, packed, meta if part == 0 else {}
                )

    def documents(self) -> list[tuple[int, dict[str, Any]]]:
        """What is kept so far."""
        with self.sessions() as session:
            return [(n, meta) for n, meta in session.execute(queries.documents(self.held_by))]

    def open(self, document: int) -> BinaryIO:
        """As a stream. Raises ImportFailed (`no_document`) when it is not kept."""
        first = self._load(document, 0)
        if first is None:
            raise ImportFailed("no_document", "What was imported is no longer kept.")
        stream = documents.PartStream(
            lambda part: first if part == 0 else self._load(document, part)
        )
        return io.BufferedReader(stream, 256 * 1024)

    def _load(self, document: int, part: int) -> bytes | None:
        with self.sessions() as session:
            found: bytes | None = session.scalar(queries.parts(self.held_by, document, part))
            return found

    def spend(self, units: int) -> None:
        """Take units of today's quota of the kind. Raises QuotaExhausted."""
        limit = self.settings.youtube_quota
        with self.sessions.begin() as session:
            if quota.spend(session, self.run.kind, units, limit):
                return
            left = quota.seconds_left(session)
        raise QuotaExhausted(f"The {limit} units of today are spent; it goes on tomorrow.", left)

    def spent_all(self) -> QuotaExhausted:
        """The service says that today's quota is spent: nobody asks it again before tomorrow."""
        with self.sessions.begin() as session:
            quota.use_up(session, self.run.kind, self.settings.youtube_quota)
            left = quota.seconds_left(session)
        return QuotaExhausted("The service says that today's quota is spent.", left)


class Heartbeat:
    """Keeps the lease while the run is worked on, also during a long download or parse."""

    def __init__(
        self, sessions: "sessionmaker[Session]", run_id: int, token: str, seconds: float
    ) -> None:
        self._sessions, self._run_id, self._token, self._seconds = sessions, run_id, token, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds / 4):
            try:
                with self._sessions.begin() as session:
                    lifecycle.beat(session, self._run_id, self._token, self._seconds)
            except (lifecycle.LeaseLost, lifecycle.CancelRequested):
                # The next batch finds out itself, and stops there.
                return
            except DBAPIError:
                continue

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
