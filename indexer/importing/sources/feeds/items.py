"""Turns one item of a feed into a row."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote, urlsplit

from catalog.imports.options import Options
from catalog.imports.writing.rows import Row, SeriesRef, external_id
from indexer.importing.reading import dates, elements, values
from indexer.importing.reading.elements import Children, Element
from indexer.importing.sources.feeds import channel as channels
from indexer.importing.sources.feeds import media, podcast
from indexer.importing.sources.feeds.channel import Channel, first_text
from indexer.importing.sources.feeds.document import Document
from indexer.importing.sources.feeds.media import Choice
from indexer.importing.sources.feeds.podcast import Extension

# Add one with every change of what is read from an item, so that unchanged items are read again.
READER = 2
MAX_TAGS = 20
# In the order in which they are tried.
DATES = ("pubdate", "published", "issued", "dcterms:issued", "dcterms:created", "created", "dc:date")
CHANGED = ("updated", "modified", "dcterms:modified")
# Roles of media:credit that the catalogue has a role for.
_CREDITS = {
    "host": "host",
    "guest": "guest",
    "director": "director",
    "producer": "producer",
    "executive producer": "producer",
    "narrator": "narrator",
    "actor": "cast",
    "artist": "cast",
}
_NO_TEXT = ("application/", "audio/", "video/", "image/")


def row(
    position: int, item: Element, document: Document, channel: Channel, namespace: str, options: Options
) -> Row:
    """Return the item as a row. An item without anything to play, or that must not be listed, is skipped.

    Args:
        position: The item's number in the feed, from 1.
        item: The element.
        document: The page.
        channel: The feed around it.
        namespace: Stands before the external id.
        options: The run's options.
    """
    children = document.children(item)
    extension = podcast.read(children)
    chosen = _media(document, children, channel)
    url = chosen.media.url if chosen is not None else None
    title = _title(children)
    description = _description(document, children)
    if not title:
        title = values.one_line(description.split("\n")[0], 100) or _file_name(url)
    found = Row(position, _id(namespace, item, children, lambda: chosen, title), title)
    if channel.blocked or extension.blocked or channels.is_blocked(children):
        found.skip = ("blocked", "Its publisher asks not to list it.")
        return found
    if url is None and options.require_media:
        found.skip = ("no_media", "It has nothing to play.")
        return found
    own = channels.explicit(children)
    fields: dict[str, object] = {
        "title": title,
        "description": description,
        "language": channel.language or options.language or values.language_of(title + description),
        "media_type": _media_type(chosen, channel, options),
        "kind": _kind(children, options),
        "duration_sec": _duration(document, children),
        "release_date": release_date(children, channel.language, options),
        "media_url": url,
        "thumbnail_url": _image(document, children, channel),
        "season": _number(extension.season, first_text(children, "itunes:season")),
        "episode": _number(extension.episode, first_text(children, "itunes:episode")),
        "is_explicit": channel.explicit if own is None else own,
    }
    tags = values.names(channels.terms(children), MAX_TAGS)
    if tags:
        fields["tags"] = tags
    people = _people(document, children, extension, channel)
    if people:
        fields["people"] = people
    found.values = {name: value for name, value in fields.items() if value is not None}
    found.hints = channel.hints
    found.extra = extension.links()
    if chosen is not None:
        found.guessed = chosen.media.kind is None and options.media_type is None
        _tell_media(found, chosen)
    if channel.title and options.series_id is None:
        found.series = SeriesRef(channel.title, channel.description, channel.image)
    return found


def begun_row(
    position: int, item: Element, document: Document, channel: Channel, namespace: str, salt: bytes
) -> Row:
    """Return a row with the item's id, title and hash alone: enough for an item that is as it was sent last time.

    Args:
        position: The item's number in the page, from 1.
        item: The element.
        document: The page.
        channel: The feed around it.
        namespace: Stands before the external id.
        salt: As `salt` returned it for this page.
    """
    children = document.children(item)
    title = _title(children)
    found = Row(
        position, _id(namespace, item, children, lambda: _media(document, children, channel), title), title
    )
    found.raw_hash = hashlib.blake2b(elements.as_sent(item), digest_size=16, key=salt).hexdigest()
    return found


def salt(channel: Channel, options: Options) -> bytes:
    """Return a hash of what the rows of a page depend on besides their items: the channel, the options, this code."""
    said = replace(channel, next_url=None, new_url=None)
    return hashlib.blake2b(repr((READER, said, options)).encode(), digest_size=32).digest()


def _title(children: Children) -> str:
    return values.one_line(first_text(children, "title", "itunes:title", "media:title", "dc:title"))


def release_date(children: Children, language: str | None, options: Options) -> datetime | None:
    """Return the item's release date, or None: of the first element whose text can be read.

    Args:
        children: The item's children by name.
        language: The channel's; a Persian channel may write dates in the Jalali calendar.
        options: The run's options.
    """
    for name in (*DATES, *CHANGED):
        for element in children.get(name, ()):
            found = dates.moment(elements.text(element), day_first=options.day_first, language=language)
            if found is not None:
                return found
    return None


def _id(
    namespace: str, item: Element, children: Children, media: Callable[[], Choice | None], title: str
) -> str | None:
    """The external id. The file is chosen only where nothing before it identifies the item."""
    written = (
        first_text(children, "yt:videoid")
        or first_text(children, "guid", "id", "dc:identifier")
        or (elements.attribute(item, "about") or "").strip()
    )
    if not written:
        chosen = media()
        written = (chosen.media.url if chosen is not None else "") or _link(children).strip()
    if written:
        return external_id(namespace, written)
    if not title:
        return None
    content = f"{title}\n{first_text(children, *DATES[:3])}"
    return external_id(namespace, hashlib.blake2b(content.encode(), digest_size=16).hexdigest())


def _link(children: Children) -> str:
    """The item's link as it is written: its id must not change when the feed moves."""
    for element in children.get("link", ()):
        if (elements.attribute(element, "rel") or "alternate") == "alternate":
            found = elements.attribute(element, "href") or elements.text(element)
            if found:
                return found
    return ""


def _media(document: Document, children: Children, channel: Channel) -> Choice | None:
    video_id = first_text(children, "yt:videoid")
    if video_id:
        url = f"https://www.youtube.com/watch?v={video_id[:20]}"
        return Choice(media.Media(url, "video/youtube", None, "video", "yt:videoId", ()), 0)
    return media.choose(document, children, channel.base)


def _media_type(chosen: Choice | None, channel: Channel, options: Options) -> str:
    if chosen is not None and chosen.media.kind is not None:
        return chosen.media.kind
    if options.media_type is not None:
        return options.media_type
    return "video" if channel.extension.medium in ("video", "film") else "audio"


def _tell_media(found: Row, chosen: Choice) -> None:
    """Keep the file's facts beside the program, and say which file was chosen where there were several."""
    file = chosen.media
    if file.size or file.mime:
        found.extra["enclosure"] = {"type": file.mime or "", "length": file.size}
    if chosen.others:
        found.extra.setdefault("enclosure", {"type": "", "length": None})
        found.extra["chosen"] = file.element
        found.note = ("one_of_several", f"Plays {file.element}, one of {chosen.others + 1} files.")


def _description(document: Document, children: Children) -> str:
    """The item's text, whatever the order of the elements: content first, else the fullest of the others."""
    contents = [
        values.safe_text(elements.text(element))
        for name in ("content:encoded", "content", "body", "xhtml:body")
        for element in children.get(name, ())
        if not (elements.attribute(element, "type") or "").lower().startswith(_NO_TEXT)
    ]
    found = max(contents, key=len, default="")
    if found:
        return found
    found = channels.fullest(children, ("description", "summary", "itunes:summary", "media:description"))
    if not found:
        groups = [document.children(group) for group in children.get("media:group", ())]
        found = max(
            (channels.fullest(group, ("media:description",)) for group in groups), key=len, default=""
        )
    return found or channels.fullest(children, ("itunes:subtitle", "subtitle"))


def _file_name(url: str | None) -> str:
    name = unquote(urlsplit(url or "").path.rpartition("/")[2]).rpartition(".")[0]
    return values.one_line(name.replace("_", " ").replace("-", " "))


def _kind(children: Children, options: Options) -> str:
    if first_text(children, "itunes:episodetype").lower() == "trailer":
        return "trailer"
    return options.kind or "episode"


def _duration(document: Document, children: Children) -> int | None:
    """The length in seconds; 0 is what software writes that does not know it."""
    written = [elements.text(e) for e in children.get("itunes:duration", ())]
    contents = list(children.get("media:content", ()))
    for group in children.get("media:group", ()):
        contents += document.children(group).get("media:content", ())
    written += [elements.attribute(e, "duration") or "" for e in contents]
    return next((found for value in written if value and (found := values.duration(value))), None)


def _number(*written: object) -> int | None:
    for value in written:
        found = values.whole(value) if value is not None else None
        if found is not None and 0 <= found <= 100_000:
            return found
    return None


def _image(document: Document, children: Children, channel: Channel) -> str | None:
    own = channels.image(document, children, channel.base)
    nested = [*children.get("media:group", ()), *children.get("media:content", ())]
    for element in nested if own is None else ():
        own = channels.image(document, document.children(element), channel.base)
        if own is not None:
            break
    return own or channel.image


def _people(
    document: Document, children: Children, extension: Extension, channel: Channel
) -> list[tuple[str, str]]:
    """(role, name) pairs, each once: of `podcast:person`, `media:credit`, else the item's author."""
    found = list(extension.people or channel.extension.people)
    credits = list(children.get("media:credit", ()))
    for nested in (*children.get("media:group", ()), *children.get("media:content", ())):
        credits += document.children(nested).get("media:credit", ())
    for credit in credits:
        role = _CREDITS.get((elements.attribute(credit, "role") or "").strip().lower())
        name = values.one_line(elements.text(credit), 120)
        if role and any(c.isalnum() for c in name):
            found.append((role, name))
    if not found:
        author = channels.author(document, children)
        # An author that is also the channel's names the publisher, not a person.
        if any(c.isalnum() for c in author) and author not in (channel.author, channel.title):
            found.append(("host", author))
    return list(dict.fromkeys(found))[:50]
