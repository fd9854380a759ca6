"""A parsed page of a feed: its channel and its items, each with its direct children by name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import html as lxml_html  # pyright: ignore[reportAttributeAccessIssue]  # compiled, without stubs

from indexer.importing.errors import ImportFailed
from indexer.importing.reading import elements, values
from indexer.importing.reading.elements import Children, Element

_ITEMS = ("item", "entry")
_CHANNELS = ("channel", "feed")
_ROOTS = (*_CHANNELS, "rss", "rdf:rdf", "rdf")
# A feed behind something else: a server's warnings, a comment of a proxy.
_BEGINNING = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/xml")
_MAX_NAMED = 5


@dataclass(slots=True)
class Document:
    """A page of a feed.

    Attributes:
        channel: The channel's own children by name.
        items: The elements of the items, in their order.
        language: The document's `xml:lang`.
        names: Names of elements met so far; `children` fills it.
    """

    channel: Children
    items: list[Element]
    language: str | None = None
    names: dict[object, str] = field(default_factory=dict)

    def children(self, parent: Element) -> Children:
        """Return the direct children of an element by name."""
        return elements.children(parent, self.names)


def parse(body: bytes, base: str = "") -> Document:
    """Return the feed of a document that went through `markup.tidy`. It is parsed once.

    Args:
        body: The document.
        base: Its address; a web page's links to feeds are resolved against it.

    Raises:
        ImportFailed: `empty_document` or `not_a_feed`; the detail says what the document is instead.
    """
    if not body.strip():
        raise ImportFailed("empty_document", "The document is empty.")
    root = elements.parse(body)
    names: dict[object, str] = {}
    if root is None or elements.name(root, names) not in _ROOTS:
        begin = _BEGINNING.search(body)
        root = elements.parse(body[begin.start() :]) if begin is not None else root
    found = list(_items(root, names)) if root is not None else []
    if root is None or (elements.name(root, names) not in _ROOTS and not found):
        raise ImportFailed("not_a_feed", _what_it_is(body, root, names, base))
    channel = next((e for e in root.iter() if elements.name(e, names) in _CHANNELS), root)
    language = root.get("{http://www.w3.org/XML/1998/namespace}lang")
    return Document(elements.children(channel, names), found, language, names)


def _items(root: Element, names: dict[object, str]) -> Iterator[Element]:
    return (e for e in root.iter() if elements.name(e, names) in _ITEMS)


def _what_it_is(body: bytes, root: Element | None, names: dict[object, str], base: str) -> str:
    """What a document that is no feed is, and what to do with it."""
    beginning = body[:2000].lower()
    if root is not None and elements.name(root, names).rpartition(":")[2] == "opml":
        return "The document is a list of feeds (OPML), not a feed: import it as opml."
    if b"<html" in beginning or b"<!doctype html" in beginning:
        named = _feeds_of_page(body, base)
        if not named:
            return "The document is a web page, not a feed, and names no feed."
        return f"The document is a web page, not a feed. Import a feed that it names: {', '.join(named)}"
    if beginning.lstrip()[:1] in (b"{", b"["):
        return "The document is JSON, not an RSS or Atom feed: import it as json."
    return "The document is not an RSS or Atom feed."


def _feeds_of_page(body: bytes, base: str) -> list[str]:
    # https://html.spec.whatwg.org/multipage/links.html#rel-alternate
    page = lxml_html.document_fromstring(body, parser=lxml_html.HTMLParser(encoding="utf-8"))
    found = [
        values.address(link.get("href"), base)
        for link in page.iter("link", "a")
        if "alternate" in (link.get("rel") or "").lower().split()
        and (link.get("type") or "").lower().strip() in _FEED_TYPES
    ]
    return list(dict.fromkeys(url for url in found if url))[:_MAX_NAMED]
