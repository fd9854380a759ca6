"""The parsed pages of one run's feed. They live in a child process (`indexer.importing.child`); `remote` calls them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.core.text import fold
from catalog.imports.options import Options
from catalog.imports.writing.identity import file_key
from catalog.imports.writing.rows import Row
from indexer.importing.errors import ImportFailed
from indexer.importing.reading import markup
from indexer.importing.sources.feeds import items
from indexer.importing.sources.feeds.channel import Channel
from indexer.importing.sources.feeds.document import Document, parse

# Bytes of pages that stay parsed between fetching and reading them; the others are parsed again.
MAX_KEPT = 48_000_000


@dataclass(slots=True)
class Page:
    """What the parent process knows of a page.

    Attributes:
        channel: What holds for every item.
        begun: The rows of its items with nothing but their number in the page, id, title and hash.
    """

    channel: Channel
    begun: list[Row]

    def ids(self) -> list[str]:
        """Return the external ids of its items."""
        return [row.external_id for row in self.begun if row.external_id]


class Pages:
    """Parses pages, and reads their items when they are asked for.

    Args:
        namespace: Stands before the external ids.
        options: The run's options.
        max_items: Most items of a page.
    """

    def __init__(self, namespace: str, options: Options, max_items: int) -> None:
        self._namespace, self._options, self._max_items = namespace, options, max_items
        # Bounded by MAX_KEPT, and one page more.
        self._kept: dict[int, tuple[Document, Channel, int]] = {}

    def load(self, number: int, body: bytes, content_type: str, base: str) -> Page:
        """Parse a page and begin the rows of its items.

        Args:
            number: The page's number in the run.
            body: The document as it was sent.
            content_type: The Content-Type header it came with, "" without one.
            base: Its address.

        Raises:
            ImportFailed: `too_many_items`, `too_many_attributes`, `too_deep`; or as `document.parse`.
        """
        tidy = markup.tidy(body, content_type)
        _check_size(tidy, self._max_items)
        markup.check_attributes(tidy)
        document = parse(tidy, base)
        channel = Channel.of(document, base)
        while self._kept and sum(size for _, _, size in self._kept.values()) + len(body) > MAX_KEPT:
            del self._kept[max(self._kept)]
        self._kept[number] = document, channel, len(body)
        salt = items.salt(channel, self._options)
        begun = [
            items.begun_row(position, item, document, channel, self._namespace, salt)
            for position, item in enumerate(document.items, 1)
        ]
        return Page(channel, begun)

    def has(self, number: int) -> bool:
        """Return whether the page is still parsed."""
        return number in self._kept

    def rows(self, number: int, before: int, positions: Sequence[int]) -> list[Row]:
        """Return whole rows.

        Args:
            number: The page's number in the run; the page is parsed.
            before: How many items the pages before it have.
            positions: The items' numbers in the run.
        """
        document, channel, _ = self._kept[number]
        return [
            items.row(
                position,
                document.items[position - before - 1],
                document,
                channel,
                self._namespace,
                self._options,
            )
            for position in positions
        ]

    def drop(self, number: int) -> None:
        """Forget a page."""
        self._kept.pop(number, None)

    def dates(self, number: int) -> list[datetime | None]:
        """Return the release date of each item."""
        document, channel, _ = self._kept[number]
        return [
            items.release_date(document.children(item), channel.language, self._options)
            for item in document.items
        ]

    def marks(self, number: int) -> list[set[str]]:
        """Return by what each item may be known: its external id, its file, its folded title."""
        document, _, _ = self._kept[number]
        found = []
        for row in self.rows(number, 0, range(1, len(document.items) + 1)):
            url = row.values.get("media_url")
            found.append({row.external_id or "", file_key(str(url) if url else None), fold(row.title)} - {""})
        return found


def _check_size(body: bytes, max_items: int) -> None:
    """Refuse a document with more items than a run may have, before the parser sees it.

    Raises:
        ImportFailed: `too_many_items`.
    """
    if body.count(b"<item") + body.count(b"<entry") > max_items:
        raise ImportFailed("too_many_items", f"The source has more than {max_items} items.")
