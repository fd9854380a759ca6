"""Pinned programs in search: at their places, on one page alone, never against a filter, never what is not published."""

import asyncio
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError

from api.answers.invalidations import Invalidations
from api.discovery.lookups.curated import RETRY_SECONDS, Curated
from api.discovery.searching.pins import window
from api.settings import Settings
from catalog.core.db import session_factory
from catalog.curation import pins
from catalog.curation.pins import Placed
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.discovery import titles, total
from tests.support.product import sending, serve
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

COUNT = 9


def test_pages_together_are_the_list_with_the_pins_in_their_places() -> None:
    chance = random.Random(5)
    for _ in range(3000):
        others, limit = chance.randrange(12), chance.randrange(1, 7)
        places = sorted(chance.sample(range(1, 16), chance.randrange(5)))
        whole: list[str] = [f"other {n}" for n in range(others)]
        for n, place in enumerate(places):
            whole.insert(place - 1, f"pin {n}")
        shown: list[str] = []
        for page in range(1, len(whole) // limit + 2):
            part = window(places, others, page, limit)
            results = [f"other {n}" for n in range(others)][part.first :][: part.size]
            for position, index in sorted(part.pinned.items()):
                results.insert(position, f"pin {index}")
            shown += results
        assert shown == whole, (places, others, limit)


@pytest.fixture(scope="module")
def found(shared: SharedApi) -> Iterator[dict[str, int]]:
    """The ids of searchable programs by title: some about harbours, some not, and a draft."""
    with session_factory(shared.database).begin() as session:
        ids = {}
        for n in range(COUNT):
            kind = "film" if n % 2 else "episode"
            title = f"Harbour {chr(97 + n) * 3}"
            ids[title] = make(session, "published", title=title, kind=kind).id
        for title in ("Mountain", "Valley"):
            ids[title] = make(session, "published", title=title, kind="film").id
        ids["Secret"] = make(session, title="Secret").id
    with Redis.from_url(shared.settings.indexer.redis_cache_url) as redis, sending(shared.settings, redis):
        eventually(lambda: total(shared.listener) == COUNT + 2, what="searchable")
        yield ids


@pytest.fixture
def pin(shared: SharedApi, found: dict[str, int]) -> Iterator[Any]:
    """Pins programs by their titles to a query, until the test ends."""
    reviewer, made = shared.staff["reviewer"], []

    def pinning(query: str, *titles: str | None, **values: Any) -> str:
        programs = [
            {"programId": found[title], "place": n} for n, title in enumerate(titles, 1) if title is not None
        ]
        answer = reviewer.post("/catalog/pins", {"query": query, "programs": programs} | values)
        assert answer.status_code == 201, answer.text
        made.append(answer.headers["location"])
        return made[-1]

    yield pinning
    for path in made:
        reviewer.delete(path)


def test_pins_are_at_their_places_and_nothing_is_missing_or_twice(shared: SharedApi, pin: Any) -> None:
    listener = shared.listener
    plain = titles(listener, q="harbour", limit=20)
    assert len(plain) == COUNT
    last = plain[-1]
    pin("Harbour", "Mountain", None, last, "Secret")
    whole = ["Mountain", plain[0], last, *plain[1:-1]]
    for limit in (20, 10, 4, 3, 1):
        pages = range(1, -(-len(whole) // limit) + 1)
        answers = [
            listener.get("/discovery/search", q="HARBOUR", limit=limit, page=page).json() for page in pages
        ]
        assert [card["title"] for answer in answers for card in answer["data"]] == whole, limit
        assert {answer["meta"]["total"] for answer in answers} == {len(whole)}
        assert titles(listener, q="HARBOUR", limit=limit, page=len(pages) + 1) == []


def test_filters_orders_and_other_queries_are_respected(shared: SharedApi, pin: Any) -> None:
    listener = shared.listener
    episodes = titles(listener, q="harbour", kind="episode", limit=20)
    films = titles(listener, q="harbour", kind="film", limit=20)
    newest = titles(listener, q="harbour", sort="newest", limit=20)
    pin("harbour", "Mountain", "Harbour ccc")
    # Another spelling: a page that was superseded may be shown for a second more.
    q = "HARBOUR!"
    # The place of a program that a filter excludes is not kept free, and no other one moves up for it.
    episodes.remove("Harbour ccc")
    placed = [episodes[0], "Harbour ccc", *episodes[1:]]
    assert titles(listener, q=q, kind="episode", limit=20) == placed
    assert titles(listener, q=q, kind="film", limit=20) == ["Mountain", *films]
    assert titles(listener, q=q, sort="newest", limit=20) == newest
    assert "Mountain" not in titles(listener, q="harbour aaa")
    assert "Mountain" not in titles(listener, q="harbour -aaa", operators="true")
    assert titles(listener, q=q, language="ar") == []
    # What the words were taken for has its pins, too.
    answer = listener.get("/discovery/search", q="harbuor").json()
    assert answer["data"][0]["title"] == ("Mountain" if answer["meta"]["rewrite"] else "Harbour aaa")


def test_the_words_are_compared_in_every_spelling(shared: SharedApi, pin: Any) -> None:
    pin("المَرْأة ٣", "Valley")
    for q in ("المراه 3", "المرأة، ٣", "  المراة   3 "):
        assert titles(shared.listener, q=q) == ["Valley"], q
    marked = shared.listener.get("/discovery/search", q="المراه 3", highlight="true").json()
    assert marked["data"][0]["highlight"]["title"] == "Valley"
    assert marked["meta"]["total"] == 1
    assert "suggestions" not in marked["meta"]


def test_of_two_pins_the_older_one_has_a_place(shared: SharedApi, pin: Any) -> None:
    pin("quay", "Valley")
    second = pin("Quay", "Mountain", "Harbour aaa", "Valley")
    assert titles(shared.listener, q="quay") == ["Valley", "Harbour aaa"]
    assert shared.staff["reviewer"].patch(second, {"query": "wharf"}).status_code == 200
    eventually(lambda: titles(shared.listener, q="quay") == ["Valley"])
    assert titles(shared.listener, q="wharf") == ["Mountain", "Harbour aaa", "Valley"]


def test_a_pin_begins_and_ends_on_time_though_pages_are_kept(shared: SharedApi, pin: Any) -> None:
    now: datetime = scalar(shared.database, "SELECT clock_timestamp()")
    soon = (now + timedelta(seconds=1)).isoformat()
    pin("pier", "Valley", endsAt=soon)
    pin("jetty", "Mountain", startsAt=soon)
    listener = shared.listener
    titles(listener, q="pier"), titles(listener, q="jetty")
    eventually(lambda: (titles(listener, q="pier"), titles(listener, q="jetty")) == ([], ["Mountain"]))
    assert scalar(shared.database, "SELECT clock_timestamp()") >= now + timedelta(seconds=1)


def test_what_is_withdrawn_or_changed_is_seen_in_every_process(
    settings: Settings, listener: Client, staff: dict[str, Client], database: Database, cache_redis: "Redis"
) -> None:
    with session_factory(database).begin() as session:
        one, two = (make(session, "published", title=f"Lagoon {n}").id for n in range(2))
        row = pins.create(session, {"query": "reef"}, [Placed(one, 1), Placed(two, 2)], EDITOR)
        path = f"/catalog/pins/{row.id}"
    reviewer = staff["reviewer"]
    with sending(settings, cache_redis), serve(settings) as (second, _):

        def everywhere(*expected: str) -> None:
            both = listener, second
            eventually(
                lambda: [titles(c, q="reef") for c in both] == [list(expected)] * 2, what=f"{expected}"
            )

        everywhere("Lagoon 0", "Lagoon 1")
        assert reviewer.post(f"/catalog/programs/{one}/unpublish").status_code == 200
        assert titles(listener, q="reef") == ["Lagoon 1"]
        everywhere("Lagoon 1")
        programs = [{"programId": two, "place": 1}]
        assert reviewer.patch(path, {"programs": programs, "query": "atoll"}).status_code == 200
        everywhere()
        assert titles(listener, q="atoll") == ["Lagoon 1"]


class Counted:
    """In place of the replica: counts what it is asked for."""

    def __init__(self) -> None:
        self.asked, self.away = 0, False

    async def newest(self, statement: object) -> list[dict[str, Any]]:
        if "synonyms" in str(statement):
            return [{"kind": "one_way", "terms": ["q"], "finds": [f"q{self.asked}"]}]
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise OperationalError("", None, Exception())
        now = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
        return [
            {
                "pin_id": 1,
                "query": "q",
                "program_id": self.asked,
                "place": 1,
                "starts_at": None,
                "ends_at": None,
                "now": now,
            }
        ]


async def test_pins_and_synonyms_are_read_when_they_may_have_changed_alone() -> None:
    source, known = Counted(), Invalidations()
    curated = Curated(source, known)  # type: ignore[arg-type]  # only `newest` is called
    found = await asyncio.gather(*(curated.pinned("Q") for _ in range(20)))
    assert (source.asked, {tuple(each.places) for each in found}) == (1, {(1,)})
    assert [(await curated.pinned("x", q)).places for q in ("q", "y")] == [{1: 1}, {}]
    known.curation_changed()
    await asyncio.gather(*(curated.pinned("Q") for _ in range(20)))
    assert (source.asked, (await curated.pinned("q")).places) == (2, {2: 1})
    assert (await curated.variants("a Q"), await curated.variants("a")) == (["a q2"], [])
    # Without the database what was known is used, and answers are kept briefly.
    source.away = True
    known.curation_changed()
    found = await asyncio.gather(*(curated.pinned("q") for _ in range(20)))
    assert (source.asked, {each.max_ttl for each in found}) == (3, {RETRY_SECONDS})
    assert {tuple(each.places) for each in found} == {(2,)}
