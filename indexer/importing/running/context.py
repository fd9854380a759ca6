"""What an adapter gets for one run: its documents in PostgreSQL, the fetcher, the quota."""

import io
from typing import BinaryIO

from sqlalchemy.orm import Session, sessionmaker

from catalog.core.text import fold
from catalog.imports import leases, queries, quota, runs
from catalog.imports import options as run_options
from catalog.imports.models import DocumentMeta, ImportRun, ImportSource
from catalog.imports.refreshing import SourceFacts
from catalog.imports.writing.identity import file_key
from indexer.importing.child import Child
from indexer.importing.errors import ImportFailed, QuotaExhausted
from indexer.importing.fetching.fetcher import Fetcher
from indexer.importing.reading import documents
from indexer.importing.settings import ImportSettings
from indexer.importing.sources.base import KnownSource, LastRefresh


class RunContext:
    """Implements `sources.base.ImportContext` over PostgreSQL, for the process that has the run's lease."""

    def __init__(
        self,
        sessions: "sessionmaker[Session]",
        run: ImportRun,
        token: str,
        settings: ImportSettings,
        fetcher: Fetcher,
    ) -> None:
        """Serve one run.

        Args:
            sessions: Opens sessions on the catalogue's database.
            run: The run as it was claimed.
            token: The lease's token.
            settings: The limits of imports.
            fetcher: Fetches the run's documents.
        """
        self.sessions, self.run, self.token = sessions, run, token
        self.settings, self.fetcher = settings, fetcher
        self.options = run_options.read(run.options)
        self.last_refresh = LastRefresh()
        self.facts: SourceFacts = {}
        self.remark: str | None = None
        self.remark_detail: str | None = None
        self.present: frozenset[str] | None = None
        self.child: Child | None = None
        # Parsed documents with their sizes; `keep` bounds the bytes.
        self._kept: dict[int, tuple[object, int]] = {}
        # A retry of failed items reads the documents of the run that it repeats.
        self._documents_of = run.documents_of or run.id

    def close(self) -> None:
        """End the process that read the documents, if there is one."""
        if self.child is not None:
            self.child.close()
            self.child = None

    def remember(self, source: ImportSource) -> None:
        """Let a scheduled refresh ask only for what is new at its source; other runs read everything."""
        if self.run.trigger == "schedule":
            self.last_refresh = LastRefresh(
                source.etag, source.last_modified, source.document_hash, source.last_success_at
            )

    def store(self, number: int, body: bytes, meta: DocumentMeta) -> None:
        """Store a document in one transaction: afterwards it is there whole, or not at all.

        Args:
            number: The document's number in the run, from 0.
            body: The whole document.
            meta: What the adapter wants to know of it later.

        Raises:
            LeaseLost: Another process works on the run now.
            CancelRequested: Somebody asked the run to stop.
        """
        with self.sessions.begin() as session:
            leases.require(session, self.run.id, self.token)
            for part, packed in enumerate(documents.pack(body)):
                runs.add_part(session, self.run.id, number, part, packed, dict(meta) if part == 0 else {})

    def stored(self) -> list[tuple[int, DocumentMeta]]:
        """Return (number, meta) of the documents stored so far, by number."""
        with self.sessions() as session:
            return [(number, meta) for number, meta in session.execute(queries.documents(self._documents_of))]

    def open(self, number: int) -> BinaryIO:
        """Return a stored document as a stream.

        Raises:
            ImportFailed: `no_document`: it is no longer stored.
        """
        first = self._load(number, 0)
        if first is None:
            raise ImportFailed("no_document", "The document of this import is no longer stored.")
        stream = documents.PartStream(lambda part: first if part == 0 else self._load(number, part))
        return io.BufferedReader(stream, 256 * 1024)

    def keep(self, number: int, parsed: object, size: int, limit: int) -> None:
        """Keep a parsed document until `take`, while all that is kept has at most `limit` bytes.

        Args:
            number: The document's number in the run.
            parsed: What the adapter made of it.
            size: Bytes of the document.
            limit: Most bytes of all documents that are kept.
        """
        if sum(kept for _, kept in self._kept.values()) + size <= limit:
            self._kept[number] = (parsed, size)

    def take(self, number: int) -> object:
        """Return what `keep` kept of a document, and forget it; None when nothing was kept."""
        return self._kept.pop(number, (None, 0))[0]

    def known_source(self) -> KnownSource | None:
        """Return what is known of the remembered source of this run; None for a run without one."""
        if self.run.source_id is None:
            return None
        with self.sessions() as session:
            source = session.get(ImportSource, self.run.source_id)
            if source is None:
                return None
            guid = source.about.get("guid")
            marks: set[str] = set()
            for row in session.execute(queries.programs_of_namespace(source.kind, source.namespace)):
                program = queries.Vanished(*row)
                marks |= {program.external_id or "", file_key(program.media_url), fold(program.title)}
            return KnownSource(str(guid) if guid else None, frozenset(marks - {""}))

    def _load(self, number: int, part: int) -> bytes | None:
        with self.sessions() as session:
            return session.scalar(queries.part(self._documents_of, number, part))

    def spend(self, units: int) -> None:
        """Take units of today's quota of the service.

        Raises:
            QuotaExhausted: Fewer units are left today.
        """
        limit = self.settings.youtube_quota
        with self.sessions.begin() as session:
            if quota.spend(session, self.run.kind, units, limit):
                return
            seconds = quota.seconds_left(session)
        raise QuotaExhausted(f"Today's {limit} units are spent; the import goes on tomorrow.", seconds)

    def use_up_quota(self) -> QuotaExhausted:
        """Count the whole quota as spent, because the service says so; return the error to raise."""
        with self.sessions.begin() as session:
            quota.use_up(session, self.run.kind, self.settings.youtube_quota)
            seconds = quota.seconds_left(session)
        return QuotaExhausted("The service says that today's quota is spent.", seconds)
