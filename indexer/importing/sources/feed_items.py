"""One item of a feed as a row: what podcast apps show, from whichever element says it."""

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from catalog.imports.options import Options
from catalog.imports.rows import Row, SeriesRef, external_id
from indexer.importing import dates, values
from indexer.importing.sources.podcast import Extension

MAX_TAGS = 20
_CREDITS = {"host": "host", "guest": "guest", "director": "director", "producer": "producer",
            "executive producer": "producer", "narrator": "narrator", "actor": "cast", "artist": "cast"}  # fmt: skip


@dataclass(slots=True)
class Channel:
    """What holds for every item of a page."""

    title: str
    description: str
    image: str | None
    language: str | None
    explicit: bool | None
    author: str
    hints: list[str]
    extension: Extension
    link: str | None
    base: str

    @classmethod
    def of(cls, parsed: Any, extension: Extension, base: str) -> "Channel":
        """From the parsed feed, which came from the address `base`."""
        feed = parsed.feed
        return cls(
            title=values.one_line(_text(feed.get("title"))),
            description=values.safe_text(_text(feed.get("summary") or feed.get("subtitle"))),
            image=_image(feed, base),
            language=values.language(feed.get("language") or "") if feed.get("language") else None,
            explicit=feed.get("itunes_explicit"),
            author=values.one_line(_text(feed.get("author"))),
            hints=[str(t.get("term")) for t in feed.get("tags", []) if t.get("term")][:20],
            extension=extension,
            link=values.address(feed.get("link"), base),
            base=base,
        )

    def about(self) -> dict[str, Any]:
        """What a source is remembered by."""
        found = {
            "title": self.title, "link": self.link, "image": self.image, "language": self.language,
            "author": self.author, "guid": self.extension.guid, "locked": self.extension.locked,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value}


def row(
    position: int,
    entry: Any,
    extension: Extension,
    channel: Channel,
    namespace: str,
    options: Options,
) -> Row:
    """The item as a row; items without anything to play are skipped."""
    url, mime, length = _media(entry, channel.base)
    title = values.one_line(_text(entry.get("title") or entry.get("itunes_title")))
    description = _description(entry)
    if not title:
        title = values.one_line(description.split("\n")[0], 100) or _file_name(url)
    found = Row(position, _id(namespace, entry, url, title), title)
    if (extension.blocked or channel.extension.blocked
            or values.flag(entry.get("itunes_block", "")) is True):  # fmt: skip
        found.skip = ("blocked", "Its publisher asks not to list it.")
        return found
    if url is None and options.require_media:
        found.skip = ("no_media", "It has nothing to play.")
        return found
    said: dict[str, Any] = {
        "title": title,
        "description": description,
        "language": _language(entry, channel, options, title + description),
        "media_type": values.media_type(mime, url) or options.media_type or "audio",
        "kind": _kind(entry, options),
        "duration_sec": _duration(entry),
        "release_date": _date(entry, options),
        "media_url": url,
        "thumbnail_url": _image(entry, channel.base) or channel.image,
        "season": _number(extension.season, entry.get("itunes_season")),
        "episode": _number(extension.episode, entry.get("itunes_episode")),
        "is_explicit": _explicit(entry, channel),
    }
    tags = values.names([str(t.get("term") or "") for t in entry.get("tags", [])], MAX_TAGS)
    if tags:
        said["tags"] = tags
    people = _people(entry, extension, channel)
    if people:
        said["people"] = people
    found.values = {name: value for name, value in said.items() if value is not None}
    found.hints = channel.hints
    found.extra = dict(extension.links)
    if length or mime:
        found.extra["enclosure"] = {"type": mime or "", "length": length}
    if channel.title and options.series_id is None:
        found.series = SeriesRef(channel.title, channel.description, channel.image)
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _id(namespace: str, entry: Any, url: str | None, title: str) -> str | None:
    for given in (entry.get("yt_videoid"), entry.get("id"), url, entry.get("link")):
        if isinstance(given, str) and given.strip():
            return external_id(namespace, given)
    if not title:
        return None
    said = f"{title}\n{entry.get('published', '')}"
    return external_id(namespace, hashlib.blake2b(said.encode(), digest_size=16).hexdigest())


def _media(entry: Any, base: str) -> tuple[str | None, str | None, int | None]:
    """(address, type, bytes) of what an app would play."""
    if isinstance(entry.get("yt_videoid"), str):
        return f"https://www.youtube.com/watch?v={entry['yt_videoid'][:20]}", "video/youtube", None
    candidates = [*entry.get("enclosures", []), *entry.get("media_content", [])]
    unknown = None
    for candidate in candidates:
        url = values.address(candidate.get("href") or candidate.get("url"), base)
        mime = str(candidate.get("type") or candidate.get("medium") or "").strip()[:100]
        if url is None or mime.startswith(("image", "text", "application/x-bittorrent")):
            continue
        size = values.whole(candidate.get("length") or candidate.get("filesize") or "")
        if values.media_type(mime, url):
            return url, mime or None, size
        unknown = unknown or (url, mime or None, size)
    return unknown or (None, None, None)


def _description(entry: Any) -> str:
    contents = [c.get("value") for c in entry.get("content", []) if isinstance(c.get("value"), str)]
    for text in (*contents, entry.get("summary"), entry.get("subtitle"), entry.get("media_description")):  # fmt: skip
        found = values.safe_text(_text(text))
        if found:
            return found
    return ""


def _file_name(url: str | None) -> str:
    name = unquote(urlsplit(url or "").path.rpartition("/")[2]).rpartition(".")[0]
    return values.one_line(name.replace("_", " ").replace("-", " "))


def _language(entry: Any, channel: Channel, options: Options, text: str) -> str:
    given = channel.language or options.language
    if given:
        return given
    return spoken(text)


def spoken(text: str) -> str:
    """The language of a text that does not say it: Arabic by its letters, else `und`, BCP 47's word
    for: nobody said."""
    arabic = sum("\u0600" <= c <= "\u06ff" for c in text[:2000])
    letters = sum(c.isalpha() for c in text[:2000])
    return "ar" if letters and arabic * 2 > letters else "und"


def _kind(entry: Any, options: Options) -> str:
    if str(entry.get("itunes_episodetype", "")).strip().lower() == "trailer":
        return "trailer"
    return options.kind or "episode"


def _duration(entry: Any) -> int | None:
    given = [entry.get("itunes_duration")]
    given += [content.get("duration") for content in entry.get("media_content", [])]
    return next((d for value in given if value and (d := values.duration(value)) is not None), None)


def _date(entry: Any, options: Options) -> Any:
    for name in ("published", "created", "updated"):
        raw, parsed = entry.get(name), entry.get(f"{name}_parsed")
        found = dates.moment(raw, day_first=options.day_first) if raw else None
        if found is None and parsed is not None:
            found = dates.moment("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+00:00".format(*parsed[:6]))
        if found is not None:
            return found
    return None


def _number(*given: Any) -> int | None:
    for value in given:
        found = values.whole(value) if value not in (None, "") else None
        if found is not None and 0 <= found <= 100_000:
            return found
    return None


def _image(of: Any, base: str) -> str | None:
    given = [
        (of.get("image") or {}).get("href"),
        *(t.get("url") for t in of.get("media_thumbnail", [])),
        of.get("logo"),
    ]
    return next((url for value in given if (url := values.address(value, base))), None)


def _explicit(entry: Any, channel: Channel) -> bool | None:
    own = entry.get("itunes_explicit")
    return own if isinstance(own, bool) else channel.explicit if isinstance(channel.explicit, bool) else None  # fmt: skip


def _people(entry: Any, extension: Extension, channel: Channel) -> list[tuple[str, str]]:
    found = list(extension.people or channel.extension.people)
    for credit in entry.get("media_credit", []):
        role = _CREDITS.get(str(credit.get("role") or "").strip().lower())
        who = values.one_line(_text(credit.get("content")), 120)
        if role and any(c.isalnum() for c in who):
            found.append((role, who))
    if not found:
        author = values.one_line(_text((entry.get("author_detail") or {}).get("name")), 120)
        # On every item the same as on the channel, it names the publisher, not a person.
        if any(c.isalnum() for c in author) and author not in (channel.author, channel.title):
            found.append(("host", author))
    return list(dict.fromkeys(found))[:50]
