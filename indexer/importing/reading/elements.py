"""Parses an XML document and names its elements alike, whatever prefixes and namespaces the document declares.

libxml2 recovers from errors, expands no entity and loads nothing. The feed adapter and OPML call it.
"""

import html
from collections.abc import Iterator, Mapping
from typing import Protocol

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, without stubs

from indexer.importing.errors import ImportFailed

# Namespaces in lower case, without scheme and last slash -> the prefix under which this product knows them.
# Plain elements of RSS and elements of Atom have no prefix: both are read by the same names.
_PREFIXES = {
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "example.com/dtds/podcast-1.0.dtd": "itunes",
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/terms": "dcterms",
    "search.yahoo.com/mrss": "media",
    "www.rssboard.org/media-rss": "media",
    "podcastindex.org/namespace/1.0": "podcast",
    "github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md": "podcast",
    "www.google.com/schemas/play-podcasts/1.0": "googleplay",
    "www.youtube.com/xml/schemas/2015": "yt",
    "gdata.youtube.com/schemas/2007": "yt",
    "www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "www.w3.org/1999/xhtml": "xhtml",
    "www.w3.org/2005/atom": "",
    "purl.org/atom/ns#": "",
    "purl.org/rss/1.0": "",
    "my.netscape.com/rdf/simple/0.9": "",
    "backend.userland.com/rss2": "",
    "blogs.law.harvard.edu/tech/rss": "",
}

# The letters as which Latin-1 shows the first byte of most letters of Europe, of Arabic and of punctuation.
_LEADS = "ÂÃÄÅØÙÚÛâ"
_ATOM = {"atom", "atom03", "atom10", "a10"}


class Element(Protocol):
    """What is used of an element of lxml, which has no types of its own."""

    # A function instead of a name: an entity that is not expanded.
    tag: object
    text: str | None
    tail: str | None
    prefix: str | None
    attrib: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """Return an attribute, None without it."""

    def iter(self) -> "Iterator[Element]":
        """Yield the element and everything in it, in document order."""
        ...

    def __iter__(self) -> "Iterator[Element]": ...

    def __len__(self) -> int: ...


Children = Mapping[str, list[Element]]


def parse(body: bytes) -> Element | None:
    """Return the root of a document that went through `markup.tidy`; None when nothing of it can be read.

    Raises:
        ImportFailed: `too_deep`: the parser has stopped, because no honest document nests so many elements.
    """
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root: Element | None = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        root = None
    # libxml2 stops there (XML_PARSE_HUGE would lift its limit) and keeps what it has read until then.
    if any("Excessive depth" in error.message for error in parser.error_log):
        raise ImportFailed("too_deep", "The document nests more than 255 elements in each other.")
    return root


def name(element: Element, known: "dict[object, str]") -> str:
    """Return the element's name: `title`, `itunes:duration`, or "" for what is no element.

    Args:
        element: Any node.
        known: Names found so far in this document; the function fills it.
    """
    tag = element.tag
    found = known.get(tag)
    if found is None:
        found = known[tag] = _name(tag, element.prefix) if isinstance(tag, str) else ""
    return found


def _name(tag: str, declared: str | None) -> str:
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        address = namespace.strip().lower().partition("://")[2] or namespace.strip().lower()
        prefix = _PREFIXES.get(address, _PREFIXES.get(address.rstrip("/")))
        if prefix is None:
            prefix = (declared or "").lower()
    else:
        # The document does not declare the namespace of its prefix.
        prefix, _, local = tag.rpartition(":")
        prefix = prefix.lower()
    prefix = "" if prefix in _ATOM else prefix
    return f"{prefix}:{local.lower()}" if prefix else local.lower()


def children(parent: Element, known: "dict[object, str]") -> dict[str, list[Element]]:
    """Return the direct children by name, in their order. What is nested deeper belongs to the child.

    Args:
        parent: A channel, an item or a group.
        known: As in `name`.
    """
    found: dict[str, list[Element]] = {}
    for child in parent:
        found.setdefault(name(child, known), []).append(child)
    return found


def attribute(element: Element, wanted: str) -> str | None:
    """Return an attribute by its name in lower case, whatever its own spelling or namespace; None without it."""
    value = element.get(wanted)
    if value is None:
        names = element.attrib
        found = next((n for n in names if n.rpartition("}")[2].strip().lower() == wanted), None)
        value = names[found] if found is not None else None
    return value


def text(element: Element) -> str:
    """Return the element's text. Elements in it, as in XHTML, are written out as HTML."""
    if not len(element):
        return _mended((element.text or "").strip())
    parts = [element.text or ""] if _is_plain(element) else [html.escape(element.text or "", quote=False)]
    for child in element:
        parts.extend(_written(child, depth=0))
    return _mended("".join(parts).strip())


def as_sent(element: Element) -> bytes:
    """Return the element with everything in it as XML: equal as long as the document says the same."""
    written: bytes = etree.tostring(element, encoding="utf-8", with_tail=False)
    return written


def _mended(written: str) -> str:
    """The text whose UTF-8 was once taken for Latin-1 or Windows-1252: cafÃ© becomes café. Other text stays."""
    if written.isascii() or not any(c in written for c in _LEADS):
        return written
    for encoding in ("latin-1", "windows-1252"):
        try:
            return written.encode(encoding).decode()
        except UnicodeError:
            continue
    return written


def _is_plain(element: Element) -> bool:
    return not any(isinstance(child.tag, str) for child in element)


def _written(element: Element, depth: int) -> Iterator[str]:
    tail = html.escape(element.tail or "", quote=False)
    if not isinstance(element.tag, str) or depth > 50:
        yield tail
        return
    local = element.tag.rpartition("}")[2].rpartition(":")[2]
    yield f"<{local}>"
    yield html.escape(element.text or "", quote=False)
    for child in element:
        yield from _written(child, depth + 1)
    yield f"</{local}>"
    yield tail
