"""The feed around the items of a page: what holds for every item that does not say otherwise."""

import re
from dataclasses import dataclass

from indexer.importing.reading import elements, values
from indexer.importing.reading.elements import Children, Element
from indexer.importing.sources.feeds import podcast
from indexer.importing.sources.feeds.document import Document
from indexer.importing.sources.feeds.podcast import Extension

_MAX_HINTS = 20
_CATEGORIES = ("category", "itunes:category", "media:category", "dc:subject", "googleplay:category")
_KEYWORDS = ("itunes:keywords", "media:keywords")
_EMAIL = re.compile(r"<?\S+@\S+\.\S+>?")


@dataclass(slots=True)
class Channel:
    """The channel of one page.

    Attributes:
        hints: Names of categories that may be known to the catalogue.
        blocked: The publisher asks not to list anything of the feed.
        new_url: Where the publisher says that the feed has moved (`itunes:new-feed-url`).
        extension: The channel's `podcast:` elements.
        next_url: The address of the page behind this one (RFC 5005).
        base: The address of the page; relative addresses are resolved against it.
    """

    title: str
    description: str
    image: str | None
    language: str | None
    explicit: bool | None
    author: str
    hints: list[str]
    blocked: bool
    new_url: str | None
    extension: Extension
    link: str | None
    next_url: str | None
    base: str

    @classmethod
    def of(cls, document: Document, base: str) -> "Channel":
        """Read the channel of a page.

        Args:
            document: The page.
            base: The address of the page.
        """
        children = document.channel
        extension = podcast.read(children)
        written = first_text(children, "language", "dc:language") or document.language
        links = link_addresses(children, base)
        return cls(
            title=values.one_line(first_text(children, "title", "itunes:title", "dc:title")),
            description=fullest(children, ("description", "itunes:summary", "subtitle", "tagline")),
            image=image(document, children, base),
            language=values.language(written) if written else None,
            explicit=explicit(children),
            author=author(document, children),
            hints=terms(children)[:_MAX_HINTS],
            blocked=extension.blocked or is_blocked(children),
            new_url=values.address(first_text(children, "itunes:new-feed-url")),
            extension=extension,
            link=links.get("alternate"),
            next_url=links.get("next") or links.get("prev-archive"),
            base=base,
        )

    def about(self) -> dict[str, object]:
        """Return what a remembered source shows of its channel, without empty values."""
        found = {
            "title": self.title,
            "link": self.link,
            "image": self.image,
            "language": self.language,
            "author": self.author,
            "guid": self.extension.guid,
            "locked": self.extension.locked,
        }
        return {name: value for name, value in found.items() if value}


def first_text(children: Children, *names: str) -> str:
    """Return the text of the first element, in the order of `names`, that has any; "" without one."""
    for name in names:
        for element in children.get(name, ()):
            found = elements.text(element)
            if found:
                return found
    return ""


def fullest(children: Children, names: tuple[str, ...]) -> str:
    """Return the longest plain text among elements of these names; of equal ones the first in `names`."""
    found = [values.safe_text(elements.text(e)) for name in names for e in children.get(name, ())]
    return max(found, key=len, default="")


def explicit(children: Children) -> bool | None:
    """Return what the element itself says about explicit content; None when it says nothing that can be read.

    https://podcasters.apple.com/support/823-podcast-requirements: true or false; formerly yes, explicit, clean, no.
    """
    for name in ("itunes:explicit", "googleplay:explicit"):
        written = first_text(children, name)
        if written and (found := values.flag(written)) is not None:
            return found
    return None


def is_blocked(children: Children) -> bool:
    """Return whether `itunes:block` or `googleplay:block` asks not to list the channel or the item."""
    return any(
        values.flag(first_text(children, name)) is True for name in ("itunes:block", "googleplay:block")
    )


def link_addresses(children: Children, base: str) -> dict[str, str]:
    """Return the addresses of links by relation; RSS's own link is the relation `alternate`."""
    found: dict[str, str] = {}
    for element in children.get("link", ()):
        written = elements.attribute(element, "href")
        relation = (elements.attribute(element, "rel") or "alternate").strip().lower()
        url = values.address(written if written is not None else elements.text(element), base)
        if url:
            found.setdefault(relation, url)
    return found


def image(document: Document, children: Children, base: str) -> str | None:
    """Return the first address of a picture: itunes:image, image, media:thumbnail, logo.

    Args:
        document: The page.
        children: The children by name of the channel, an item or a group.
        base: The address of the page.
    """
    candidates: list[str | None] = []
    for element in children.get("itunes:image", ()):
        candidates += [elements.attribute(element, "href"), elements.text(element)]
    for element in children.get("image", ()):
        candidates += [elements.attribute(element, "href"), first_text(document.children(element), "url")]
    candidates += [elements.attribute(e, "url") for e in children.get("media:thumbnail", ())]
    candidates += [elements.attribute(e, "href") for e in children.get("googleplay:image", ())]
    candidates += [elements.text(e) for e in children.get("logo", ())]
    return next((url for value in candidates if value and (url := values.address(value, base))), None)


def author(document: Document, children: Children) -> str:
    """Return the name of the author, without an address for mail; "" without one."""
    for name in ("itunes:author", "author", "dc:creator", "managingeditor"):
        for element in children.get(name, ()):
            found = _person(document, element)
            if found:
                return found
    return ""


def _person(document: Document, element: Element) -> str:
    written = first_text(document.children(element), "name") if len(element) else elements.text(element)
    # RSS 2.0 writes: mail@example.com (Name).
    named = _EMAIL.sub(" ", written).strip()
    if named != written and named.startswith("(") and named.endswith(")"):
        named = named[1:-1]
    return values.one_line(named, 120)


def terms(children: Children) -> list[str]:
    """Return the names of categories and keywords, each once, in the order of their elements."""
    found: list[str] = []
    for name, listed in children.items():
        for element in listed if name in _CATEGORIES else ():
            found += _category(element)
        for element in listed if name in _KEYWORDS else ():
            found += values.names(elements.text(element), 100)
    return list(dict.fromkeys(term for term in found if term))


def _category(element: Element) -> list[str]:
    """The name of a category, and of the categories inside it (Apple nests them)."""
    written = elements.attribute(element, "term") or elements.attribute(element, "text")
    found = [written if written is not None else (element.text or "").strip()]
    for child in element:
        if isinstance(child.tag, str):
            found += _category(child)
    return found
