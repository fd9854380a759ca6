"""What the site says about itself: robots.txt, the description for search boxes of browsers, the manifest of an app."""

import msgspec

from api.answers.answer import Reply
from api.answers.encodings import Header
from api.web.machines.documents import OPENSEARCH, OPENSEARCH_MEDIA, add, encode, maker
from api.web.rendering import static
from api.web.rendering.links import Links
from api.web.rendering.locales import LANGUAGES, locale

_HOUR: Header = (b"cache-control", b"public, max-age=3600")


def _reply(body: bytes, *headers: Header) -> Reply:
    return Reply(200, [*headers, _HOUR, (b"content-length", b"%d" % len(body))], body)


def robots(site: str) -> Reply:
    """Return the rules for crawlers: everything but the endless choices of searches, and the API."""
    lines = ["User-agent: *"]
    lines += [f"Disallow: /{code}/{path}" for code in LANGUAGES for path in ("search", "suggest")]
    lines += ["Disallow: /discovery/", f"Sitemap: {site}/sitemap.xml", ""]
    return _reply("\n".join(lines).encode(), (b"content-type", b"text/plain; charset=utf-8"))


def opensearch(site: str, language: str) -> Reply:
    """Return the description of the search, so that a browser offers it.

    Args:
        site: The address of the site.
        language: The language of the texts and of the pages.
    """
    text, links = locale(language).text, Links(language)
    root = maker(OPENSEARCH)("OpenSearchDescription")
    for tag, said in (
        ("ShortName", text("site.name")),
        ("Description", text("search.label")),
        ("InputEncoding", "UTF-8"),
        ("Language", language),
    ):
        add(root, tag, str(said), namespace=OPENSEARCH)
    icon = site + static.address("icon.svg")
    add(root, "Image", icon, {"type": "image/svg+xml"}, OPENSEARCH)
    results = f"{site}{links.search()}?q={{searchTerms}}"
    add(root, "Url", None, {"type": "text/html", "template": results}, OPENSEARCH)
    feed = f"{site}{links.page('search', 'feed.xml')}?q={{searchTerms}}"
    add(root, "Url", None, {"type": "application/rss+xml", "template": feed}, OPENSEARCH)
    return _reply(encode(root), *OPENSEARCH_MEDIA.headers)


def manifest(language: str) -> Reply:
    """Return the manifest, so that a telephone can keep the site as an app. `language` is that of the pages."""
    found = locale(language)
    body = {
        "name": str(found.text("site.name")),
        "short_name": str(found.text("site.name")),
        "description": str(found.text("site.description")),
        "lang": language,
        "dir": found.direction,
        "start_url": Links(language).home,
        "scope": "/",
        "display": "standalone",
        "background_color": "#faf6ef",
        "theme_color": "#a8330f",
        "icons": [{"src": static.address("icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
    return _reply(msgspec.json.encode(body), (b"content-type", b"application/manifest+json"))
