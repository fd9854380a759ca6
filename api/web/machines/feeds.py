"""Feeds of a series, a category and a search: RSS 2.0 with the namespaces of podcast apps and of Podcasting 2.0.

https://podcasting2.org/docs/podcast-namespace. The product's own import reads a feed back as it is here; a feed of
many programs has several pages (RFC 5005), linked by `next`.
"""

import html
import mimetypes
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, without stubs

from api.answers.answer import NOT_FOUND, Answer, document
from api.discovery.around.beside import NOTHING, Beside, File, find
from api.discovery.narrowing.filters import Filters
from api.discovery.params import BrowseRequest, SearchRequest
from api.discovery.schemas import BrowseAnswer, CategoriesAnswer, SearchAnswer, SeriesPage
from api.discovery.state import DiscoveryState
from api.http.schemas import ProgramDetail
from api.web.machines.documents import ATOM, ITUNES, PODCAST, RSS_MEDIA, add, encode, maker
from api.web.rendering.links import Links
from api.web.rendering.page import PageRequest, Shown

LIMIT = 100
# https://podcasting2.org/docs/podcast-namespace/tags/guid
_GUIDS = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
# Our roles as the taxonomy of podcast:person has them: role and group.
_ROLES = {
    "host": ("host", "cast"),
    "guest": ("guest", "cast"),
    "director": ("director", "creative direction"),
    "producer": ("producer", "creative direction"),
    "narrator": ("narrator", "cast"),
    "cast": ("cast", "cast"),
}
_TYPES = {"audio": "audio/mpeg", "video": "video/mp4"}


@dataclass(frozen=True, slots=True)
class Channel:
    """What stands before the programs of a feed.

    Attributes:
        title: What the feed is called.
        description: What it is about.
        page: The path of its page for people.
        feed: The path of the feed's first part.
        language: The language of all programs; empty when they have several.
        image: The address of its picture; None without one.
        category: The name of the category; None without one.
    """

    title: str
    description: str
    page: str
    feed: str
    language: str = ""
    image: str | None = None
    category: str | None = None


async def series(request: PageRequest, slug: str, cursor: str | None) -> Answer:
    """Return a part of a series' feed, or NOT_FOUND.

    Args:
        request: Names the language of the texts.
        slug: The series.
        cursor: Where the part begins; None for the beginning.

    Raises:
        Problem: The cursor belongs to another list.
    """
    shared, shown, links = request.shared, Shown(), request.links
    series_id = await shared.taxonomy.series_id(slug)
    answer = await shared.taxonomy.series(series_id, 1, 1) if series_id is not None else NOT_FOUND
    if series_id is None or answer.status == 404:
        return NOT_FOUND
    about = shown.take(answer, SeriesPage).data
    channel = Channel(
        about.title,
        about.description or about.title,
        links.series(slug),
        links.page("series", slug, "feed.xml"),
        about.language,
        about.thumbnail_url,
    )
    return await _listed(request, shown, channel, Filters(series_id=(series_id,)), cursor)


async def category(request: PageRequest, slug: str, cursor: str | None) -> Answer:
    """Return a part of a category's feed, or NOT_FOUND.

    Args:
        request: Names the language of the texts.
        slug: The category.
        cursor: Where the part begins; None for the beginning.

    Raises:
        Problem: The cursor belongs to another list.
    """
    shared, shown, links = request.shared, Shown(), request.links
    answer = await shared.taxonomy.categories()
    item = next((c for c in shown.take(answer, CategoriesAnswer).data if c.slug == slug), None)
    if item is None:
        return NOT_FOUND
    name = item.name_ar if request.locale.code == "ar" else item.name_en
    channel = Channel(
        name,
        str(request.locale.text("feed.category", name=name)),
        links.category(slug),
        links.page("categories", slug, "feed.xml"),
        category=name,
    )
    return await _listed(request, shown, channel, Filters(category_id=(item.id,)), cursor)


async def _listed(
    request: PageRequest, shown: Shown, channel: Channel, filters: Filters, cursor: str | None
) -> Answer:
    """Return a part of a feed of a list, the newest program first."""
    wanted = BrowseRequest(filters, "newest", LIMIT, cursor, ())
    found = shown.take(await request.shared.searches.browse(wanted), BrowseAnswer)
    following = found.meta.next_cursor
    further = f"{channel.feed}?cursor={following}" if following is not None else None
    return await _feed(request, shown, channel, [card.id for card in found.data], further)


async def search(request: PageRequest, asked: SearchRequest, query: str) -> Answer:
    """Return the feed of a search: its first hits, in the order of the search.

    Args:
        request: Names the language of the texts.
        asked: The search.
        query: Its query string, with the question mark.
    """
    shown, links = Shown(), request.links
    found = shown.take(await request.shared.searches.search(asked), SearchAnswer)
    title = str(
        request.locale.text("search.title", q=asked.q) if asked.q else request.locale.text("search.all")
    )
    channel = Channel(title, title, links.search() + query, links.page("search", "feed.xml") + query)
    return await _feed(request, shown, channel, [card.id for card in found.data], None)


async def _feed(
    request: PageRequest, shown: Shown, channel: Channel, ids: Sequence[int], further: str | None
) -> Answer:
    programs = await _details(request.shared, ids)
    beside = await find(request.shared.programs, ids) if ids else {}
    site = request.shared.settings.api.site
    body = _document(site, request.links, channel, programs, beside, further)
    return document(body, RSS_MEDIA, ids=tuple(shown.ids), max_ttl=shown.max_ttl)


async def _details(shared: DiscoveryState, ids: Sequence[int]) -> list[ProgramDetail]:
    return (await shared.programs.batch(ids)).data if ids else []


def _document(
    site: str,
    links: Links,
    channel: Channel,
    programs: Sequence[ProgramDetail],
    beside: Mapping[int, Beside],
    further: str | None,
) -> bytes:
    root = maker(atom=ATOM, itunes=ITUNES, podcast=PODCAST)("rss", version="2.0")
    about = add(root, "channel")
    add(about, "title", channel.title)
    add(about, "link", site + channel.page)
    add(about, "description", _html(channel.description))
    if channel.language:
        add(about, "language", channel.language)
    if channel.category:
        add(about, "category", channel.category)
    address = site + channel.feed
    add(about, "link", None, {"rel": "self", "type": "application/rss+xml", "href": address}, ATOM)
    if further is not None:
        add(about, "link", None, {"rel": "next", "href": site + further}, ATOM)
    guid = uuid.uuid5(_GUIDS, address.partition("://")[2].rstrip("/"))
    add(about, "guid", str(guid), namespace=PODCAST)
    add(about, "locked", "no", namespace=PODCAST)
    films = programs and all(program.kind == "film" for program in programs)
    add(about, "medium", "film" if films else "podcast", namespace=PODCAST)
    add(about, "explicit", _flag(any(p.is_explicit for p in programs)), namespace=ITUNES)
    if channel.image:
        add(about, "image", None, {"href": channel.image}, ITUNES)
    for program in programs:
        item = add(about, "item")
        _item(item, site, links, program)
        _files(item, beside.get(program.id, NOTHING))
    return encode(root)


def _files(item: etree._Element, beside: Beside) -> None:
    """Add the links to the files of chapters and transcripts, which stay at their source."""
    if beside.chapters_file is not None:
        _file(item, "chapters", beside.chapters_file)
    for transcript in beside.transcripts:
        _file(item, "transcript", transcript)


def _file(item: etree._Element, name: str, file: File) -> None:
    said = {"url": file.url, "type": file.media_type, "language": file.language}
    add(item, name, None, {key: value for key, value in said.items() if value}, PODCAST)


def _item(item: etree._Element, site: str, links: Links, program: ProgramDetail) -> None:
    add(item, "title", program.title)
    add(item, "link", site + links.program(program.slug, program.id))
    # Stays when the slug, the address of the site or the language changes.
    add(item, "guid", f"program:{program.id}", {"isPermaLink": "false"})
    add(item, "description", _html(program.description))
    if program.release_date is not None:
        add(item, "pubDate", _date(program.release_date))
    if program.media_url is not None:
        guessed = mimetypes.guess_type(program.media_url.partition("?")[0])[0]
        fits = guessed is not None and guessed.startswith(program.media_type)
        kind = guessed if guessed is not None and fits else _TYPES[program.media_type]
        add(item, "enclosure", None, {"url": program.media_url, "length": "0", "type": kind})
    if program.duration_sec:
        add(item, "duration", str(program.duration_sec), namespace=ITUNES)
    if program.thumbnail_url is not None:
        add(item, "image", None, {"href": program.thumbnail_url}, ITUNES)
    for name, number in (("season", program.season), ("episode", program.episode)):
        if number is not None:
            add(item, name, str(number), namespace=ITUNES)
            add(item, name, str(number), namespace=PODCAST)
    kind = "trailer" if program.kind == "trailer" else "full"
    add(item, "episodeType", kind, namespace=ITUNES)
    add(item, "explicit", _flag(program.is_explicit), namespace=ITUNES)
    for tag in program.tags:
        add(item, "category", tag)
    for person in program.people:
        role, group = _ROLES[person.role]
        add(item, "person", person.name, {"role": role, "group": group}, PODCAST)


def _html(text: str) -> str:
    """Return a text as the HTML that podcast apps expect of a description."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
