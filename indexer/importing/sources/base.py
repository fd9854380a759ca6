"""What a kind of source has to do, and what it is given to do it."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from catalog.imports.models import ImportRun
from catalog.imports.options import Options
from catalog.imports.rows import Row
from indexer.importing.errors import QuotaExhausted
from indexer.importing.fetch import Fetcher
from indexer.importing.settings import ImportSettings


class Work(Protocol):
    """One run, as an adapter sees it. `facts` is what the source said about itself: `etag`,
    `last_modified`, `moved_to`, `title`, `not_modified`; a refresh finds `last_success_at` there."""

    run: ImportRun
    options: Options
    settings: ImportSettings
    fetcher: Fetcher
    facts: dict[str, Any]
    validators: tuple[str | None, str | None]

    def keep(self, document: int, body: bytes, meta: dict[str, Any]) -> None:
        """Keep a document, whole, so that a run that is taken over reads the same."""

    def documents(self) -> list[tuple[int, dict[str, Any]]]:
        """(number, meta) of the documents kept so far."""

    def open(self, document: int) -> BinaryIO:
        """A kept document as a stream, unpacked part by part."""

    def spend(self, units: int) -> None:
        """Take units of a daily quota. Raises QuotaExhausted."""

    def spent_all(self) -> QuotaExhausted:
        """Note that the service itself calls today's quota spent."""


class Source(Protocol):
    """An adapter. It keeps no state: everything is in the run and its documents."""

    # Under which programs are found again; kinds may share one.
    source_type: str

    def fetch(self, work: Work) -> None:
        """Get what is to be read and keep it; goes on where an earlier process stopped."""

    def count(self, work: Work) -> int | None:
        """How many items there are, if that is cheap to say."""

    def rows(self, work: Work) -> Iterator[Row]:
        """Every item, in an order that is the same each time. Raises ImportFailed."""
