"""The pages of collections: on the home page, by themselves, in both languages, and for machines."""

import json

import pytest

from catalog.core.db import session_factory
from catalog.curation import collections
from catalog.review.rights import EVERYTHING
from tests.support.discovery import EVENING, FILM, MORNING
from tests.support.pages import SITE, Page, read, text_of
from tests.support.programs import EDITOR
from tests.support.shared import SharedApi

NAMED = {
    "slug": "long-evenings",
    "title_ar": "أمسيات طويلة",
    "title_en": "Long evenings",
    "description_ar": "لليالي الشتاء",
    "description_en": "For winter <nights>",
    "status": "published",
}
TITLES = {"ar": NAMED["title_ar"], "en": NAMED["title_en"]}


@pytest.fixture(scope="module")
def order(shared: SharedApi, reading: dict[str, int]) -> list[str]:
    """The titles of the programs of the collection, in its order; it is made before any page is asked for."""
    titles = [FILM, EVENING, MORNING]
    with session_factory(shared.database).begin() as session:
        row = collections.create(session, NAMED, EDITOR, EVERYTHING)
        collections.arrange(session, row.id, [reading[title] for title in titles], EDITOR, EVERYTHING)
    return titles


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_collection_has_a_shelf_and_a_page(shared: SharedApi, order: list[str], language: str) -> None:
    home = read(shared.listener, f"/{language}")
    (head,) = [found for found in home.all("h2") if text_of(found) == TITLES[language]]
    shelf = home.one("div", **{"aria-labelledby": str(head.get("id"))})
    assert [text_of(link) for link in home.within(shelf, "a", class_="whole")] == order
    path = f"/{language}/collections/long-evenings"
    assert path in set(home.links())
    page = read(shared.listener, path)
    assert (page.status, page.texts("h1"), page.titles) == (200, [TITLES[language]], order)
    assert page.texts("p", class_="lede") == [NAMED[f"description_{language}"]]
    assert linked(page)["CollectionPage"]["mainEntity"]["itemListElement"][0]["name"] == FILM
    other = "en" if language == "ar" else "ar"
    alternate = page.one("link", rel="alternate", hreflang=other)
    assert alternate.get("href") == f"{SITE}/{other}/collections/long-evenings"


def linked(page: Page) -> dict[str, dict[str, object] | object]:
    """The linked data of a page by type."""
    script = page.one("script", type="application/ld+json")
    return {thing["@type"]: thing for thing in json.loads(script.text or "")["@graph"]}


def test_wrong_addresses_and_parts(shared: SharedApi, order: list[str]) -> None:
    listener = shared.listener
    assert read(listener, "/en/collections/nothing").status == 404
    last = read(listener, "/en/collections/long-evenings", page="2")
    assert (last.status, last.titles) == (200, [])
    wrong = listener.get("/en/collections/long-evenings?page=x")
    assert (wrong.status_code, wrong.headers["location"]) == (302, "/en/collections/long-evenings")
    sitemap = listener.get("/sitemaps/topics.xml").text
    assert f"<loc>{SITE}/ar/collections/long-evenings</loc>" in sitemap
    assert f'href="{SITE}/en/collections/long-evenings"' in sitemap
