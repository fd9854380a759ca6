"""The sitemap of search engines: an index, and parts with at most 50,000 addresses, read from the record.

https://www.sitemaps.org/protocol.html. Each address names its other language.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from api.answers.answer import NOT_FOUND, Answer, document
from api.discovery.lookups.schemas import CollectionsAnswer
from api.discovery.schemas import CategoriesAnswer
from api.discovery.state import DiscoveryState
from api.web.machines.documents import SITEMAP, XHTML, XML_MEDIA, add, encode, maker
from api.web.rendering.links import Links
from api.web.rendering.locales import LANGUAGES
from api.web.rendering.page import Shown
from catalog.curation.collections import MAX_COLLECTIONS
from catalog.programs import public

MAX_SERIES = 20_000
# A page in every language, and when it changed last.
Entry = tuple[Callable[[Links], str], datetime | None]


async def index(shared: DiscoveryState) -> Answer:
    """Return the list of the parts."""
    rows = await shared.programs.replica.rows(public.sitemap_parts())
    site = shared.settings.api.site
    root = maker(SITEMAP)("sitemapindex")
    parts = [(f"programs-{row['part']}", row["updated_at"]) for row in rows]
    for name, changed in [("topics", None), ("series", None), *parts]:
        part = add(root, "sitemap", namespace=SITEMAP)
        add(part, "loc", f"{site}/sitemaps/{name}.xml", namespace=SITEMAP)
        if changed is not None:
            add(part, "lastmod", _date(changed), namespace=SITEMAP)
    return document(encode(root), XML_MEDIA)


async def programs(shared: DiscoveryState, part: int) -> Answer:
    """Return a part with programs, or NOT_FOUND when listeners may see none of them.

    Args:
        shared: Has the replica.
        part: The number of the part, from 0.
    """
    rows = await shared.programs.replica.rows(public.sitemap_programs(part))
    withdrawn = shared.cache.withdrawn(row["id"] for row in rows)
    shown = [row for row in rows if row["id"] not in withdrawn]
    if not shown:
        return NOT_FOUND

    def entry(slug: str, program_id: int, changed: datetime) -> Entry:
        return lambda links: links.program(slug, program_id), changed

    entries = [entry(row["slug"], row["id"], row["updated_at"]) for row in shown]
    return await _part(shared.settings.api.site, entries, [row["id"] for row in shown])


async def series(shared: DiscoveryState) -> Answer:
    """Return the part with the series."""
    rows = await shared.programs.replica.rows(public.visible_series(MAX_SERIES))
    withdrawn = shared.cache.withdrawn(row["program_id"] for row in rows)
    shown = [row for row in rows if row["program_id"] not in withdrawn]

    def entry(slug: str, changed: datetime) -> Entry:
        return lambda links: links.series(slug), changed

    entries = [entry(row["slug"], row["updated_at"]) for row in shown]
    return await _part(shared.settings.api.site, entries, [row["program_id"] for row in shown])


async def topics(shared: DiscoveryState) -> Answer:
    """Return the part with the home pages, the categories and the collections."""
    shown = Shown()
    shelves = shown.take(await shared.taxonomy.categories(), CategoriesAnswer).data
    chosen = shown.take(await shared.collections.listed(MAX_COLLECTIONS, 0), CollectionsAnswer).data

    def entry(*path: str) -> Entry:
        return lambda links: links.page(*path), None

    entries = [(lambda links: links.home, None), *(entry("categories", item.slug) for item in shelves)]
    entries += [entry("collections", item.slug) for item in chosen]
    return await _part(shared.settings.api.site, entries, list(shown.ids), shown.ends_at)


async def _part(site: str, entries: Iterable[Entry], ids: Sequence[int], ends_at: float = math.inf) -> Answer:
    # A full part takes a moment, in which other requests are answered.
    return await asyncio.to_thread(
        lambda: document(_urls(site, entries), XML_MEDIA, ids=tuple(dict.fromkeys(ids)), ends_at=ends_at)
    )


def _urls(site: str, entries: Iterable[Entry]) -> bytes:
    root = maker(SITEMAP, xhtml=XHTML)("urlset")
    languages = {code: Links(code) for code in LANGUAGES}
    for address, changed in entries:
        addresses = {code: site + address(links) for code, links in languages.items()}
        for own in addresses.values():
            url = add(root, "url", namespace=SITEMAP)
            add(url, "loc", own, namespace=SITEMAP)
            if changed is not None:
                add(url, "lastmod", _date(changed), namespace=SITEMAP)
            for code, other in addresses.items():
                add(url, "link", None, {"rel": "alternate", "hreflang": code, "href": other}, XHTML)
    return encode(root)


def _date(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
