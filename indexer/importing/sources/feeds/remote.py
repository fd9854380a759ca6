"""The pages of a feed as the run's own process sees them: parsed and read by a child process."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from catalog.imports.writing.rows import Row
from indexer.importing.child import Child
from indexer.importing.sources.base import ImportContext
from indexer.importing.sources.feeds.pages import Page, Pages


class RemotePages:
    """`pages.Pages` in the child process of a run, which is started when it is first needed."""

    def __init__(self, context: ImportContext) -> None:
        """Use the run's child; the run's end ends it."""
        if context.child is None:
            namespace, options = context.run.namespace, context.options
            max_items, seconds = context.settings.max_items, context.settings.read_seconds
            context.child = Child(lambda: Pages(namespace, options, max_items), seconds)
        self._child = context.child

    def load(self, number: int, body: bytes, content_type: str, base: str) -> Page:
        """As `Pages.load`.

        Args:
            number: The page's number in the run.
            body: The document as it was sent.
            content_type: The Content-Type header it came with, "" without one.
            base: Its address.

        Raises:
            ImportFailed: As `Pages.load` and `Child.call`.
        """
        return cast("Page", self._child.call("load", number, body, content_type, base))

    def has(self, number: int) -> bool:
        """As `Pages.has`."""
        return cast("bool", self._child.call("has", number))

    def drop(self, number: int) -> None:
        """As `Pages.drop`."""
        self._child.call("drop", number)

    def dates(self, number: int) -> list[datetime | None]:
        """As `Pages.dates`."""
        return cast("list[datetime | None]", self._child.call("dates", number))

    def marks(self, number: int) -> list[set[str]]:
        """As `Pages.marks`."""
        return cast("list[set[str]]", self._child.call("marks", number))

    def reader(self, number: int, before: int, count: int) -> "PageReader":
        """Return what reads items of a page.

        Args:
            number: The page's number in the run; the page is parsed.
            before: How many items the pages before it have.
            count: How many items it has.
        """
        return PageReader(self._child, number, before, count)


class PageReader:
    """Reads the items of one page in the child; implements `rows.ItemReader`."""

    def __init__(self, child: Child, number: int, before: int, count: int) -> None:
        self._child, self._number, self._before, self._last = child, number, before, before + count

    def read(self, positions: Sequence[int]) -> list[Row]:
        """Return the whole rows of the items at these positions.

        While items are new one after the other, the child reads the following ones as these are written.
        """
        found = cast("list[Row]", self._child.call("rows", self._number, self._before, list(positions)))
        size, behind = len(positions), positions[-1] + 1
        if size > 1 and positions[0] + size == behind and behind <= self._last:
            following = list(range(behind, min(behind + size, self._last + 1)))
            self._child.call_ahead("rows", self._number, self._before, following)
        return found
