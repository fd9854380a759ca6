"""Reads pages as a browser does: strictly parsed HTML, and what a listener sees in it."""

from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree.ElementTree import Element, SubElement

from markupever import HtmlOptions, Parser
from markupever.dom import Document, Node, Text
from markupever.dom import Element as Parsed
from requests import Response

from tests.support.client import Client

_DOCUMENT = HtmlOptions(full_document=True, exact_errors=True)
_FRAGMENT = HtmlOptions(full_document=False, exact_errors=True, fragment_context="div")
_NAMESPACE = "{http://www.w3.org/1999/xhtml}"

# What pages name as their address where no setting says another one.
SITE = "http://127.0.0.1:8000"


class Page:
    """A page that a browser would not have to repair."""

    def __init__(self, answer: Response) -> None:
        """Parse an answer; a mistake in its HTML fails the test."""
        self.status, self.headers = answer.status_code, answer.headers
        assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text[:300]
        document = _parsed(answer.content.decode(), _DOCUMENT)
        (self.root,) = (_element(child, None) for child in document.children() if isinstance(child, Parsed))

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of a tag that have these attributes; `class_` is one class of an element."""
        return [found for found in self.root.iter(_NAMESPACE + tag) if _has(found, attributes)]

    def within(self, element: Element, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of a tag inside of an element that have these attributes, as `all` does."""
        return [found for found in element.iter(_NAMESPACE + tag) if _has(found, attributes)]

    def one(self, tag: str, **attributes: str) -> Element:
        """Return the only element of a tag that has these attributes."""
        (found,) = self.all(tag, **attributes)
        return found

    def texts(self, tag: str, **attributes: str) -> list[str]:
        """Return the texts of elements, with single spaces."""
        return [text_of(found) for found in self.all(tag, **attributes)]

    def links(self) -> Iterator[str]:
        """Yield the addresses that the page links to or loads, decoded."""
        for element in self.root.iter():
            for name in ("href", "src", "action", "hx-get"):
                value = element.get(name)
                if value is not None:
                    yield unquote(value)

    @property
    def titles(self) -> list[str]:
        """The titles of the programs in lists."""
        return [text_of(found) for found in self.all("a", class_="whole")]


def _parsed(text: str, how: HtmlOptions) -> Document:
    parser = Parser(how).process(text).finish()
    assert not parser.errors(), (parser.errors(), text)
    return parser.into_dom().root()


def _element(parsed: Parsed, parent: Element | None) -> Element:
    """Return an element with everything in it as one of the standard library, which is read at any rate."""
    tag = f"{{{parsed.name.ns}}}{parsed.name.local}"
    attributes = {name.local: value for name, value in parsed.attrs.items()}
    found = Element(tag, attributes) if parent is None else SubElement(parent, tag, attributes)
    # What a browser without scripts shows is text to the parser.
    holder: Parsed | Document = parsed
    if parsed.name.local == "noscript":
        holder = _parsed("".join(parsed.strings()), _FRAGMENT)
    last: Element | None = None
    child: Node | None = holder.first_child
    while child is not None:
        if isinstance(child, Parsed):
            last = _element(child, found)
        elif isinstance(child, Text):
            if last is None:
                found.text = (found.text or "") + child.content
            else:
                last.tail = (last.tail or "") + child.content
        child = child.next_sibling
    return found


def text_of(element: Element) -> str:
    """Return the text of an element, with single spaces."""
    return " ".join("".join(element.itertext()).split())


def _has(element: Element, attributes: dict[str, str]) -> bool:
    for name, value in attributes.items():
        if name == "class_":
            if value not in (element.get("class") or "").split():
                return False
        elif element.get(name.replace("_", "-")) != value:
            return False
    return True


def read(listener: Client, path: str, **params: str) -> Page:
    """Ask for a page and parse it."""
    return Page(listener.get(path, **params))
