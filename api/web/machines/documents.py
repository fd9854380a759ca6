"""XML documents: their media types, their namespaces, and how elements are written."""

from collections.abc import Mapping

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, without stubs
from lxml.builder import ElementMaker

from api.answers.answer import MEDIA, Media

ATOM = "http://www.w3.org/2005/Atom"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
RSS_MEDIA = Media("rss", ((b"content-type", b"application/rss+xml; charset=utf-8"),), compressed=True)
XML_MEDIA = Media("xml", ((b"content-type", b"application/xml; charset=utf-8"),), compressed=True)
OPML_MEDIA = Media("opml", ((b"content-type", b"text/x-opml; charset=utf-8"),), compressed=True)
OPENSEARCH_MEDIA = Media(
    "opensearch",
    ((b"content-type", b"application/opensearchdescription+xml; charset=utf-8"),),
    compressed=True,
)
MEDIA |= {media.name: media for media in (RSS_MEDIA, XML_MEDIA, OPML_MEDIA, OPENSEARCH_MEDIA)}


def add(
    parent: etree._Element,
    tag: str,
    text: str | None = None,
    attributes: Mapping[str, str] | None = None,
    namespace: str | None = None,
) -> etree._Element:
    """Append an element; return it.

    Args:
        parent: Where it is appended.
        tag: Its name.
        text: What it says.
        attributes: Its attributes; empty ones are left out.
        namespace: The namespace of its name.
    """
    name = f"{{{namespace}}}{tag}" if namespace else tag
    found = etree.SubElement(parent, name, {k: v for k, v in (attributes or {}).items() if v})
    if text is not None:
        found.text = text
    return found


def maker(namespace: str | None = None, **prefixes: str) -> ElementMaker:
    """Return what makes the root of a document.

    Args:
        namespace: The namespace of the root.
        **prefixes: Further namespaces by prefix.
    """
    names: dict[str | None, str] = dict(prefixes.items())
    if namespace:
        names[None] = namespace
    return ElementMaker(namespace=namespace, nsmap=names)


def encode(root: etree._Element) -> bytes:
    """Return the document."""
    found: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return found
