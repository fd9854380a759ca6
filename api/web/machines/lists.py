"""The list of all series with their feeds (OPML), for podcast apps and for imports of other platforms."""

from api.answers.answer import Answer, document
from api.web.machines.documents import OPML_MEDIA, add, encode, maker
from api.web.machines.sitemaps import MAX_SERIES
from api.web.rendering.page import PageRequest
from catalog.programs import public


async def opml(request: PageRequest) -> Answer:
    """Return the list of all series that have a visible program."""
    shared, links, site = request.shared, request.links, request.shared.settings.api.site
    rows = await shared.programs.replica.rows(public.visible_series(MAX_SERIES))
    withdrawn = shared.cache.withdrawn(row["program_id"] for row in rows)
    shown = [row for row in rows if row["program_id"] not in withdrawn]
    root = maker()("opml", version="2.0")
    add(add(root, "head"), "title", str(request.locale.text("site.name")))
    body = add(root, "body")
    for row in shown:
        outline = {
            "type": "rss",
            "text": row["title"],
            "title": row["title"],
            "language": row["language"],
            "htmlUrl": site + links.series(row["slug"]),
            "xmlUrl": site + links.page("series", row["slug"], "feed.xml"),
        }
        add(body, "outline", None, outline)
    return document(encode(root), OPML_MEDIA, ids=tuple(row["program_id"] for row in shown))
