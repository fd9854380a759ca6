"""What pages offer around a program, on the home page and where nothing was found: with words of the page's language."""

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.answers.edge import Edge
from api.discovery.counted import asked
from api.settings import Settings
from catalog.core.db import session_factory
from catalog.programs.around import trends
from indexer.jobs.searches import shared_key
from tests.support.client import Client
from tests.support.discovery import EVENING, FILM, MORNING, ROADS, SPECS, total
from tests.support.pages import read, text_of
from tests.support.programs import make
from tests.support.waiting import eventually

Catalogue = dict[str, int]


@pytest.mark.slow
def test_what_is_related_says_why_in_the_language_of_the_page(
    listener: Client, catalogue: Catalogue, database: Database
) -> None:
    with session_factory(database).begin() as session:
        names = [("host", "Omar Haddad"), *(("guest", f"Guest {n}") for n in range(3))]
        make(session, "published", title="Four people", people=names, tags=["low", "high", "deep"])
        make(session, "published", title="Same people", people=names)
        make(session, "published", title="Two people", people=names[2:])
        make(session, "published", title="Three topics", tags=["deep", "low", "high"], language="ar")
        make(session, "published", title="One topic", tags=["high"])
        make(session, "published", title="Shelf mate", category_id=catalogue["category"])
    eventually(lambda: total(listener) == len(SPECS) + 6, what="searchable")

    def reasons(language: str, slug: str) -> dict[str, str]:
        """The reason of each program that has one."""
        page = read(listener, f"/{language}/programs/{slug}")
        tiles = [
            tile for tile in page.all("article", class_="tile") if page.within(tile, "p", class_="reason")
        ]
        return {
            text_of(page.within(tile, "a", class_="whole")[0]): text_of(
                page.within(tile, "p", class_="reason")[0]
            )
            for tile in tiles
        }

    assert reasons("en", "four-people") == {
        "Same people": "Also with Omar Haddad and 3 other people",
        "Two people": "Also with Guest 1 and 1 other person",
        "Three topics": "Also about low and 2 other topics",
        MORNING: "Also with Omar Haddad",
        "One topic": "Also about high",
    }
    assert reasons("ar", "four-people") == {
        "Same people": "مع Omar Haddad و٣ أشخاص آخرين",
        "Two people": "مع Guest 1 وشخص آخر",
        "Three topics": "عن low وموضوعين آخرين",
        MORNING: "مع Omar Haddad أيضًا",
        "One topic": "عن high أيضًا",
    }
    # The category's name is that of the page's language; the series has a shelf of its own.
    assert reasons("en", "morning-coffee")["Shelf mate"] == "Also in Society"
    assert reasons("ar", "morning-coffee")["Shelf mate"] == "من تصنيف مجتمع أيضًا"
    assert FILM not in reasons("en", "morning-coffee")
    # With nothing in common, what is viewed most stands there, without a reason.
    page = read(listener, "/en/programs/no-length-no-date")
    assert (reasons("en", "no-length-no-date"), FILM in page.titles) == ({}, True)


def test_what_is_viewed_lately_leads_the_home_page(
    listener: Client, edge: Edge, catalogue: Catalogue, database: Database
) -> None:
    heads = read(listener, "/en").texts("h2")
    assert heads == ["Featured", "New", "Most viewed", "Categories"]
    with database.begin() as connection:
        trends.add(connection, {catalogue[ROADS]: 2, catalogue[EVENING]: 5})
    edge.app.state.shared.cache.clear()
    edge.app.state.shared.cache.shared.redis = None
    page = read(listener, "/en")
    assert page.texts("h2") == ["Featured", "Trending now", *heads[1:]]
    shelf = page.one("div", **{"aria-labelledby": "trending"})
    assert [text_of(a) for a in page.within(shelf, "a", class_="whole")] == [EVENING, ROADS]
    assert read(listener, "/ar").texts("h2")[1] == "رائج الآن"


def test_nothing_found_offers_what_others_search_for(
    listener: Client,
    edge: Edge,
    catalogue: Catalogue,
    settings: Settings,
    cache_redis: "Redis",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asked, "READ_SECONDS", 0.0)
    cache_redis.zadd(shared_key(settings.indexer.redis_prefix), {"coffee film": 9, "nowhere": 8})
    eventually(lambda: edge.app.state.shared.asked.shared != [], what="the searches of others")
    page = read(listener, "/en/search", q="qqqqqqqq")
    assert "Others search for" in page.texts("h2")
    assert "/en/search?q=coffee+film" in set(page.links())
    assert "nowhere" not in " ".join(page.texts("a"))
    assert "يبحث عنه الآخرون" in read(listener, "/ar/search", q="qqqqqqqq").texts("h2")
    assert "Others search for" not in read(listener, "/en/search", q="coffee").texts("h2")
