"""What an adapter has to do (`Source`), and what it gets to do it with (`ImportContext`).

`running.runner` calls the adapters; `running.context` implements `ImportContext` over PostgreSQL.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple, Protocol

from catalog.imports.models import DocumentMeta, ImportRun
from catalog.imports.options import Options
from catalog.imports.refreshing import SourceFacts
from catalog.imports.writing.rows import Row
from indexer.importing.child import Child
from indexer.importing.errors import QuotaExhausted
from indexer.importing.fetching.fetcher import Fetcher
from indexer.importing.settings import ImportSettings


class LastRefresh(NamedTuple):
    """What the last refresh of a remembered source left, for asking only for what is new.

    Every field is None unless the schedule started this run: what an editor asks for is read whole.
    """

    etag: str | None = None
    last_modified: str | None = None
    document_hash: str | None = None
    succeeded_at: datetime | None = None


class KnownSource(NamedTuple):
    """What is known of a remembered source before the run; a source that was never read has nothing.

    Attributes:
        guid: The channel's `podcast:guid`.
        marks: External ids, files (`identity.file_key`) and folded titles of its programs.
    """

    guid: str | None
    marks: frozenset[str]


class ImportContext(Protocol):
    """One run, as its adapter sees it.

    Attributes:
        run: The run, as it was when this process claimed it.
        options: Its options.
        settings: The limits of imports.
        fetcher: Fetches documents.
        last_refresh: What is known of the source from the refresh before.
        facts: Filled by the adapter.
        remark: Code of a run that succeeds with a remark (`not_modified`, `partial`); set by the adapter.
        remark_detail: The same for people; None when the code says it all.
        child: The process that reads the documents, started by the adapter that needs it; the run's end ends it.
        present: The external ids of all items, set by an adapter whose items may get other ids before its first row.
    """

    run: ImportRun
    options: Options
    settings: ImportSettings
    fetcher: Fetcher
    last_refresh: LastRefresh
    facts: SourceFacts
    remark: str | None
    remark_detail: str | None
    present: frozenset[str] | None
    child: Child | None

    def store(self, number: int, body: bytes, meta: DocumentMeta) -> None:
        """Store a document with the run, so that a process that takes the run over reads the same.

        Args:
            number: The document's number in the run, from 0.
            body: The whole document.
            meta: What the adapter wants to know of it later.

        Raises:
            LeaseLost: Another process works on the run now.
            CancelRequested: Somebody asked the run to stop.
        """
        ...

    def stored(self) -> list[tuple[int, DocumentMeta]]:
        """Return (number, meta) of the documents stored so far, by number."""
        ...

    def open(self, number: int) -> BinaryIO:
        """Return a stored document as a stream.

        Raises:
            ImportFailed: `no_document`: it is no longer stored.
        """
        ...

    def keep(self, number: int, parsed: object, size: int, limit: int) -> None:
        """Keep what is known of a document until `take`, while the documents have at most `limit` bytes.

        Args:
            number: The document's number in the run.
            parsed: What the adapter made of it.
            size: Bytes of the document.
            limit: Most bytes of all documents of which something is kept.
        """
        ...

    def take(self, number: int) -> object:
        """Return what `keep` kept of a document, and forget it; None when nothing was kept."""
        ...

    def known_source(self) -> KnownSource | None:
        """Return what is known of the remembered source of this run; None for a run without one."""
        ...

    def spend(self, units: int) -> None:
        """Take units of the service's daily quota.

        Raises:
            QuotaExhausted: Fewer units are left today.
        """
        ...

    def use_up_quota(self) -> QuotaExhausted:
        """Note that the service itself calls today's quota spent; return the error to raise."""
        ...


class Source(Protocol):
    """An adapter. It keeps no state: everything is in the run and its documents."""

    # Programs are found again by (source_type, external id). Kinds of sources may share a source type.
    source_type: str

    def fetch(self, context: ImportContext) -> None:
        """Fetch and store the documents, from where an earlier process of the run stopped.

        Raises:
            ImportFailed: Why there is nothing to import.
        """
        ...

    def count(self, context: ImportContext) -> int | None:
        """Return the number of items; None when only reading them would tell."""
        ...

    def rows(self, context: ImportContext) -> Iterator[Row]:
        """Yield every item of the stored documents, in the same order each time.

        Raises:
            ImportFailed: A document cannot be read.
        """
        ...
