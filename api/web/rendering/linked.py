"""Linked data (JSON-LD, https://schema.org) and previews of a page: what search engines and messengers show of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from markupsafe import Markup

from api.discovery.schemas import ProgramCard, SeriesDetail
from api.http.schemas import ProgramDetail
from api.web.rendering.links import Links
from api.web.rendering.locales import Locale

# In a script element these would end it or begin another one.
_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_ROLES = {
    "host": "author",
    "director": "director",
    "producer": "producer",
    "cast": "actor",
    "narrator": "actor",
}
Thing = dict[str, object]


class Named(NamedTuple):
    """What a page is about, in its language."""

    name: str
    description: str
    path: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a link to a page is shown with, and what it is about.

    Attributes:
        title: The title of the page without the name of the site.
        description: One or two sentences.
        kind: A type of Open Graph.
        image: The address of a picture; None without one.
        media: The medium and address of a file; None without one.
        things: Linked data.
    """

    title: str
    description: str
    kind: str = "website"
    image: str | None = None
    media: tuple[str, str] | None = None
    things: Sequence[Thing] = field(default_factory=tuple)

    @property
    def data(self) -> Markup:
        """The linked data as JSON that may stand in a page."""
        context = {"@context": "https://schema.org", "@graph": list(self.things)}
        escaped = msgspec.json.encode(context).decode().translate(_ESCAPES)
        return Markup(escaped)  # noqa: S704  # nothing of it can end the element


def trail(site: str, *steps: tuple[str, str]) -> Thing:
    """Return where a page stands.

    Args:
        site: The address of the site.
        *steps: Name and path of each page from the home page down.
    """
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": n, "name": name, "item": site + path}
            for n, (name, path) in enumerate(steps, 1)
        ],
    }


def home(site: str, locale: Locale, links: Links) -> Preview:
    """Return the preview of the home page, with the way to search.

    Args:
        site: The address of the site.
        locale: The language of the page.
        links: The addresses of its language.
    """
    name, about = str(locale.text("site.name")), str(locale.text("site.description"))
    action = {
        "@type": "SearchAction",
        "target": {"@type": "EntryPoint", "urlTemplate": f"{site}{links.search()}?q={{q}}"},
        "query-input": "required name=q",
    }
    thing: Thing = {"@type": "WebSite", "name": name, "url": site + links.home, "inLanguage": locale.code}
    return Preview(name, about, things=[thing | {"potentialAction": action}])


def listing(site: str, locale: Locale, links: Links, name: str, path: str) -> Preview:
    """Return the preview of a category, person, tag or search.

    Args:
        site: The address of the site.
        locale: The language of the page.
        links: The addresses of its language.
        name: What the list is about.
        path: The address of the page.
    """
    steps = ((str(locale.text("site.name")), links.home), (name, path))
    return Preview(name, str(locale.text("feed.category", name=name)), things=[trail(site, *steps)])


def series(site: str, locale: Locale, links: Links, about: SeriesDetail) -> Preview:
    """Return the preview of a series.

    Args:
        site: The address of the site.
        locale: The language of the page.
        links: The addresses of its language.
        about: The series.
    """
    path = links.series(about.slug)
    thing: Thing = {
        "@type": "PodcastSeries",
        "name": about.title,
        "url": site + path,
        "inLanguage": about.language,
        "webFeed": site + links.page("series", about.slug, "feed.xml"),
    }
    thing |= _known(description=about.description, image=about.thumbnail_url)
    steps = ((str(locale.text("site.name")), links.home), (about.title, path))
    return Preview(
        about.title,
        about.description or about.title,
        image=about.thumbnail_url,
        things=[thing, trail(site, *steps)],
    )


def collection(
    site: str, locale: Locale, links: Links, about: Named, image: str | None, cards: Sequence[ProgramCard]
) -> Preview:
    """Return the preview of a collection, with the programs that the page shows.

    Args:
        site: The address of the site.
        locale: The language of the page.
        links: The addresses of its language.
        about: Its name, description and path.
        image: The address of its picture; None without one.
        cards: The programs.
    """
    items = [
        {
            "@type": "ListItem",
            "position": n,
            "name": card.title,
            "url": site + links.program(card.slug, card.id),
        }
        for n, card in enumerate(cards, 1)
    ]
    thing: Thing = {
        "@type": "CollectionPage",
        "name": about.name,
        "url": site + about.path,
        "inLanguage": locale.code,
        "mainEntity": {"@type": "ItemList", "itemListElement": items},
    }
    thing |= _known(description=about.description, image=image)
    steps = ((str(locale.text("site.name")), links.home), (about.name, about.path))
    return Preview(
        about.name, about.description or about.name, image=image, things=[thing, trail(site, *steps)]
    )


def program(site: str, locale: Locale, links: Links, found: ProgramDetail) -> Preview:
    """Return the preview of a program.

    Args:
        site: The address of the site.
        locale: The language of the page.
        links: The addresses of its language.
        found: The program.
    """
    path = links.program(found.slug, found.id)
    is_film = found.kind in ("film", "documentary") and found.series is None
    thing: Thing = {
        "@type": "Movie" if is_film else "PodcastEpisode",
        "name": found.title,
        "url": site + path,
        "inLanguage": found.language,
        "isFamilyFriendly": not found.is_explicit,
    }
    length = f"PT{found.duration_sec}S" if found.duration_sec else None
    thing |= _known(
        description=found.description,
        image=found.thumbnail_url,
        datePublished=found.release_date.date().isoformat() if found.release_date else None,
        duration=length,
        keywords=", ".join(found.tags),
    )
    for person in found.people:
        named = thing.setdefault(_ROLES.get(person.role, "contributor"), [])
        if isinstance(named, list):
            named.append({"@type": "Person", "name": person.name, "url": site + links.person(person.name)})
    if found.media_url is not None:
        medium = "VideoObject" if found.media_type == "video" else "AudioObject"
        thing["associatedMedia"] = {"@type": medium, "contentUrl": found.media_url} | _known(duration=length)
    steps = [(str(locale.text("site.name")), links.home)]
    if found.series is not None:
        at = links.series(found.series.slug)
        thing["partOfSeries"] = {"@type": "PodcastSeries", "name": found.series.title, "url": site + at}
        thing |= _known(episodeNumber=found.episode)
        steps.append((found.series.title, at))
    return Preview(
        found.title,
        found.description or found.title,
        f"video.{'movie' if is_film else 'episode'}" if found.media_type == "video" else "music.song",
        found.thumbnail_url,
        (found.media_type, found.media_url) if found.media_url is not None else None,
        [thing, trail(site, *steps, (found.title, path))],
    )


def _known(**values: object) -> Thing:
    """Return the values that are not empty."""
    return {name: value for name, value in values.items() if value}
