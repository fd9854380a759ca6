"""OPML: a list of feeds. Every entry becomes a remembered source with a run of its own."""

import re
from collections.abc import Iterator

from lxml import etree

from catalog.imports.rows import Row
from indexer.importing import markup, values
from indexer.importing.errors import ImportFailed
from indexer.importing.sources.base import Work

# feed://a.example/x and feed:https://a.example/x, and what players made of them.
_FEED = re.compile(r"\A\s*(?:feed|itpc|pcast|podcast):(https?://|//)", re.IGNORECASE)


class OpmlSource:
    """Outlines with an `xmlUrl`, however deep they stand."""

    source_type = "opml"

    def fetch(self, work: Work) -> None:
        """Uploaded lists are kept already; others are fetched whole."""
        if work.run.url is None or work.documents():
            return
        fetched = work.fetcher.fetch(work.run.url, max_bytes=work.settings.max_feed_bytes)
        work.keep(0, fetched.body, {"url": fetched.url})

    def count(self, work: Work) -> int | None:
        """Counted by reading."""
        return sum(1 for _ in self.rows(work))

    def rows(self, work: Work) -> Iterator[Row]:
        """One row a feed. Raises ImportFailed (`empty_document`, `not_opml`)."""
        with work.open(0) as stream:
            body = markup.tidy(stream.read())
        if not body.strip():
            raise ImportFailed("empty_document", "The document is empty.")
        parser = etree.XMLParser(
            recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        try:
            root = etree.fromstring(body, parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise ImportFailed("not_opml", "The document cannot be read as OPML.") from error
        if root is None or not isinstance(root.tag, str) or root.tag.lower() != "opml":
            raise ImportFailed("not_opml", "The document is not OPML.")
        position = 0
        for outline in root.iter("outline", "Outline", "OUTLINE"):
            attributes = {str(name).lower(): str(value) for name, value in outline.attrib.items()}
            if "xmlurl" not in attributes and attributes.get("type", "").lower() != "rss":
                # A folder, or a link to something that is no feed.
                continue
            position += 1
            title = values.one_line(attributes.get("title") or attributes.get("text") or "")
            url = values.address(_FEED.sub(r"\1", attributes.get("xmlurl", ""), count=1))
            row = Row(position, url, title or (url or "")[:300], feed_url=url)
            if url is None:
                row.skip = ("no_address", "The entry has no http(s) address of a feed.")
            yield row
