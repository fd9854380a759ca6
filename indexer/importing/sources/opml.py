"""The adapter of OPML, a list of feeds: each of its rows becomes a remembered source with a run of its own."""

import re
from collections.abc import Iterator
from typing import cast

from catalog.imports.writing.rows import Row
from indexer.importing.child import Child
from indexer.importing.errors import ImportFailed
from indexer.importing.reading import elements, markup, values
from indexer.importing.sources.base import ImportContext

# feed://a.example/x, feed:https://a.example/x, and the same with schemes that podcast players registered.
_FEED = re.compile(r"\A\s*(?:feed|itpc|pcast|podcast):(https?://|//)", re.IGNORECASE)

# Kinds of outlines whose `url` is a page or another list (OPML 2.0).
_NO_FEEDS = ("link", "include", "page", "html")


class OpmlSource:
    """Outlines with an `xmlUrl` or `url`, at any depth, in any namespace."""

    source_type = "opml"

    def fetch(self, context: ImportContext) -> None:
        """Fetch and store the list; an uploaded list is stored already."""
        if context.run.url is None or context.stored():
            return
        fetched = context.fetcher.fetch(context.run.url, max_bytes=context.settings.max_feed_bytes)
        context.store(0, fetched.body, {"url": fetched.url})

    def count(self, context: ImportContext) -> int | None:
        """Return the number of feeds in the list."""
        return sum(1 for _ in self.rows(context))

    def rows(self, context: ImportContext) -> Iterator[Row]:
        """Yield one row for each feed.

        Raises:
            ImportFailed: As `Lists.entries` and `Child.call`.
        """
        if context.child is None:
            context.child = Child(Lists, context.settings.read_seconds)
        with context.open(0) as stream:
            body = stream.read()
        yield from cast("list[Row]", context.child.call("entries", body))


class Lists:
    """Reads lists of feeds. It lives in a child process (`indexer.importing.child`)."""

    def entries(self, body: bytes) -> list[Row]:
        """Return the rows of a list.

        Args:
            body: The document as it was sent.

        Raises:
            ImportFailed: `empty_document`, `not_opml`, `too_many_attributes` or `too_deep`.
        """
        return list(_entries(body))


def _entries(body: bytes) -> Iterator[Row]:
    body = markup.tidy(body)
    markup.check_attributes(body)
    if not body.strip():
        raise ImportFailed("empty_document", "The document is empty.")
    root = elements.parse(body)
    if root is None:
        raise ImportFailed("not_opml", "The document cannot be read as OPML.")
    known: dict[object, str] = {}
    if elements.name(root, known).rpartition(":")[2] != "opml":
        raise ImportFailed("not_opml", "The document is not OPML.")
    position = 0
    for outline in root.iter():
        if elements.name(outline, known).rpartition(":")[2] != "outline":
            continue
        attributes = {
            str(name).rpartition("}")[2].lower(): str(value) for name, value in outline.attrib.items()
        }
        kind = attributes.get("type", "").strip().lower()
        written = attributes.get("xmlurl", "")
        if not written and kind not in _NO_FEEDS:
            written = attributes.get("url", "")
        if not written and "xmlurl" not in attributes and kind != "rss":
            # A folder of the list, or a link to a page that is no feed.
            continue
        position += 1
        title = values.one_line(attributes.get("title") or attributes.get("text") or "")
        url = values.address(_FEED.sub(r"\1", written, count=1))
        row = Row(position, url, title or (url or "")[:300], feed_url=url)
        if url is None:
            row.skip = ("no_address", "The entry has no http(s) address of a feed.")
        yield row
