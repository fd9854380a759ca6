"""What of an item an app would play: the best of its enclosures, media:content and podcast:alternateEnclosure.

The declared type decides what a file is, else the ending of its address. Documents, pictures and archives are
nothing to play.
"""

from collections.abc import Iterator
from typing import NamedTuple

from indexer.importing.reading import elements, media_types, values
from indexer.importing.reading.elements import Children, Element
from indexer.importing.sources.feeds.document import Document


class Media(NamedTuple):
    """One file of an item.

    Attributes:
        url: Its address.
        mime: The declared type, or None.
        size: Bytes, or None.
        kind: `audio`, `video`, or None when neither the type nor the address tells.
        element: Which element names it, with its number: `enclosure 2`.
        rank: Lower is better among files that can be played.
    """

    url: str
    mime: str | None
    size: int | None
    kind: str | None
    element: str
    rank: tuple[int, ...]


class Choice(NamedTuple):
    """The file that is played, and how many other files the item has that could be."""

    media: Media
    others: int


def choose(document: Document, children: Children, base: str) -> Choice | None:
    """Return the best file that can be played, or None.

    A file whose kind is known comes before another one; then an enclosure before media:content before
    podcast:alternateEnclosure, a default before others, a higher bit rate before a lower one, then their order.

    Args:
        document: The page.
        children: The item's children by name.
        base: The address of the page.
    """
    playable = [m for m in _candidates(document, children, base) if media_types.is_playable(m.mime, m.url)]
    if not playable:
        return None
    best = min(playable, key=lambda media: (media.kind is None, media.rank))
    return Choice(best, len({media.url for media in playable}) - 1)


def _candidates(document: Document, children: Children, base: str) -> Iterator[Media]:
    links = [e for e in children.get("link", ()) if (elements.attribute(e, "rel") or "") == "enclosure"]
    for number, element in enumerate([*children.get("enclosure", ()), *links], 1):
        url = elements.attribute(element, "url") or elements.attribute(element, "href")
        yield from _media(element, url, base, f"enclosure {number}", (0, number))
    contents = list(children.get("media:content", ()))
    for group in children.get("media:group", ()):
        contents += document.children(group).get("media:content", ())
    for number, element in enumerate(contents, 1):
        default = elements.attribute(element, "isdefault") == "true"
        rank = (1, not default, -_rate(element), number)
        yield from _media(element, elements.attribute(element, "url"), base, f"media:content {number}", rank)
    for number, element in enumerate(children.get("podcast:alternateenclosure", ()), 1):
        default = values.flag(elements.attribute(element, "default") or "") is True
        rank = (2, not default, -_rate(element), number)
        for source in document.children(element).get("podcast:source", ()):
            name = f"podcast:alternateEnclosure {number}"
            yield from _media(element, elements.attribute(source, "uri"), base, name, rank, source)
    for element in children.get("content", ()):
        # Atom's content by reference (RFC 4287, 4.1.3.2).
        yield from _media(element, elements.attribute(element, "src"), base, "content", (3,))


def _media(
    element: Element,
    written: str | None,
    base: str,
    name: str,
    rank: tuple[int, ...],
    source: Element | None = None,
) -> Iterator[Media]:
    url = values.address(written, base) if written and written.strip() else None
    if url is None:
        return
    declared = source.get("contentType") if source is not None else None
    mime = (
        declared or elements.attribute(element, "type") or elements.attribute(element, "medium") or ""
    ).strip()
    size = values.whole(
        elements.attribute(element, "length") or elements.attribute(element, "filesize") or ""
    )
    yield Media(url, mime[:100] or None, size, media_types.media_type(mime, url), name, rank)


def _rate(element: Element) -> int:
    try:
        return int(float(elements.attribute(element, "bitrate") or 0))
    except (ValueError, OverflowError):
        return 0
