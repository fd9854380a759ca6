"""What is related to a program: who comes first and why, nothing that listeners may not see, one request to an engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine as Database

from api.answers.edge import Edge
from api.settings import Settings
from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from catalog.programs import lifecycle
from catalog.taxonomy import categories, series
from indexer.engines.admin import Engine
from tests.support import demo
from tests.support.around import check_manners, scatter, visible
from tests.support.client import Client
from tests.support.discovery import total
from tests.support.pipeline import Pipeline, change
from tests.support.product import sending, serve
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

Catalogue = dict[str, int]


def stock(database: Database) -> Catalogue:
    """A film among episodes, people and topics; ids by title."""
    with session_factory(database).begin() as session:
        shelf = categories.create(session, {"name_ar": "سينما", "name_en": "Cinema"}, EDITOR).id
        show = series.create(session, {"title": "Night trains", "language": "en"}, EDITOR).id
        people = [("host", "Ann Lee"), ("guest", "Bo Ray")]
        specs: list[dict[str, Any]] = [
            {"title": f"Part {n}", "series_id": show, "season": 1 + n // 4, "episode": n % 4}
            for n in range(1, 7)
        ]
        specs[2] |= {"people": people, "tags": ["rail", "night", "snow"], "category_id": shelf}
        specs[2]["title"] = "The lighthouse"
        specs += [
            {"title": "Two hosts", "people": people},
            {"title": "One host", "people": people[1:], "language": "ar"},
            {"title": "Three topics", "tags": ["snow", "night", "rail"]},
            {"title": "One topic", "tags": ["night"], "category_id": shelf},
            {"title": "A Lighthouse, again"},
            {"title": "Shelf only", "category_id": shelf},
            {"title": "Shelf, foreign", "category_id": shelf, "language": "ar", "tags": ["desert"]},
            {"title": "Nothing in common"},
        ]
        found: Catalogue = {}
        for n, spec in enumerate(specs):
            program = make(session, "published", release_date=datetime(2024, 1, 1 + n, tzinfo=UTC), **spec)
            found[program.title] = program.id
        make(
            session, "draft", title="A lighthouse, unseen", people=people, series_id=show, season=1, episode=3
        )
        found["category"], found["series"] = shelf, show
    return found


@pytest.fixture(scope="module")
def reading(shared: SharedApi) -> Catalogue:
    """The catalogue of `shared.listener`, for tests that change nothing in it."""
    found = stock(shared.database)
    pipeline = Pipeline(shared.settings, shared.database, Engine(shared.settings.indexer))
    demo.count_words(pipeline)
    pipeline.sender().drain()
    demo.wait_for_words(shared.listener)
    eventually(lambda: total(shared.listener) == 14, what="searchable")
    return found


EXPECTED = [
    ("Part 4", "series", "Night trains", 0),
    ("Part 2", "series", "Night trains", 0),
    ("Part 5", "series", "Night trains", 0),
    ("Part 1", "series", "Night trains", 0),
    ("Two hosts", "person", "Ann Lee", 1),
    ("Three topics", "tag", "rail", 2),
    ("One host", "person", "Bo Ray", 0),
    ("One topic", "tag", "night", 0),
    ("A Lighthouse, again", "words", "Lighthouse", 0),
    ("Shelf only", "category", "cinema", 0),
]


def explained(answer: Any) -> list[tuple[str, str, str, int]]:
    assert answer.status_code == 200, answer.text
    return [
        (row["title"], row["because"]["kind"], row["because"]["value"], row["because"]["others"])
        for row in answer.json()["data"]
    ]


def test_each_says_why_and_the_nearest_come_first(shared: SharedApi, reading: Catalogue) -> None:
    path = f"/discovery/programs/{reading['The lighthouse']}/related"
    answer = shared.listener.get(path, limit=24)
    assert explained(answer) == EXPECTED
    assert answer.json()["meta"] == {"id": reading["The lighthouse"], "limit": 24, "degraded": False}
    # Who asks for fewer gets the beginning, and eight when nothing is said.
    assert explained(shared.listener.get(path, limit=3)) == EXPECTED[:3]
    assert explained(shared.listener.get(path)) == EXPECTED[:8]
    # The last one of a series has nothing behind it; without anything in common there is nothing.
    last = explained(shared.listener.get(f"/discovery/programs/{reading['Part 6']}/related"))
    assert [row[0] for row in last] == ["Part 5", "Part 4"]
    lonely = shared.listener.get(f"/discovery/programs/{reading['Nothing in common']}/related")
    assert explained(lonely) == []


@pytest.mark.slow
def test_without_an_engine_the_database_says_the_same_but_for_words(
    shared: SharedApi, reading: Catalogue
) -> None:
    indexer = shared.settings.indexer.model_copy(update={"meili_url": "http://127.0.0.1:1"})
    api = shared.settings.api.model_copy(update={"fallback_timeout_ms": 60_000})
    with serve(replace(shared.settings, indexer=indexer, api=api)) as (client, edge):
        demo.wait_for_words(client)
        # Not what the other process has stored in Redis.
        edge.app.state.shared.cache.shared.redis = None
        answer = client.get(f"/discovery/programs/{reading['The lighthouse']}/related", limit=24)
    assert explained(answer) == [row for row in EXPECTED if row[1] != "words"]
    assert answer.json()["meta"]["degraded"]
    assert answer.json()["meta"]["unavailable"] == ["words"]
    assert answer.headers["cache-control"] == "public, max-age=1, s-maxage=1"


def test_it_is_an_answer_like_its_neighbours(shared: SharedApi, reading: Catalogue) -> None:
    path = f"/discovery/programs/{reading['Part 2']}/related"
    wrong = [
        ("limit=0", "limit", "invalid_parameter"),
        ("limit=25", "limit", "invalid_parameter"),
        ("limit=2&limit=2", "limit", "invalid_parameter"),
        ("page=1", "page", "unknown_parameter"),
    ]
    check_manners(shared.listener, path, "limit=5", wrong)
    for key, status in (("999999", 404), ("x", 400), ("0", 400)):
        assert shared.listener.get(f"/discovery/programs/{key}/related").status_code == status


@contextmanager
def searching(pipeline: Pipeline, count: int) -> Iterator[tuple[Client, Edge]]:
    """Serve the API over so many published programs, whose words are counted."""
    demo.count_words(pipeline)
    pipeline.sender().drain()
    with serve(pipeline.settings) as (listener, edge):
        demo.wait_for_words(listener)
        eventually(lambda: total(listener) == count, what="searchable")
        yield listener, edge


@pytest.mark.slow
def test_a_random_catalogue_in_every_state(database: Database, pipeline: Pipeline) -> None:
    ids = scatter(database, 55, seed=5)
    seen = visible(database)
    with searching(pipeline, len(seen)) as (listener, edge):
        check_every(listener, edge, ids, seen)


def check_every(listener: Client, edge: Edge, ids: list[int], seen: dict[int, Any]) -> None:
    """Ask for what is related to each program, and look at everything in the catalogue itself."""
    asked: list[int] = []
    search = edge.app.state.shared.search
    real = search.multi_search

    async def counted(queries: Any) -> Any:
        asked.append(len(queries))
        return await real(queries)

    search.multi_search = counted
    kinds = set()
    for program_id in ids:
        answer = listener.get(f"/discovery/programs/{program_id}/related", limit=24)
        assert answer.status_code == (200 if program_id in seen else 404), program_id
        if program_id not in seen:
            continue
        own = seen[program_id]
        offered = answer.json()["data"]
        found = [row["id"] for row in offered]
        assert len(found) == len(set(found))
        assert program_id not in found
        assert set(found) <= seen.keys()
        for row in offered:
            other, because = seen[row["id"]], row["because"]
            kinds.add(because["kind"])
            people = [{person["name"] for person in one["people"] or ()} for one in (own, other)]
            same = {
                "series": own["series_title"] == other["series_title"] == because["value"],
                "person": because["value"] in people[0] & people[1],
                "tag": because["value"] in set(own["tags"] or ()) & set(other["tags"] or ()),
                "words": set(because["value"].split())
                <= set(own["title"].split()) & set(other["title"].split()),
                "category": own["category_slug"] == other["category_slug"] == because["value"],
            }
            assert same[because["kind"]], (own["title"], other["title"], because)
        # What has the same people is never forgotten, as long as there is room.
        if own["people"] and len(found) < 24:
            names = {person["name"] for person in own["people"]}
            for other in seen.values():
                near = own["series_id"] is None or other["series_id"] != own["series_id"]
                if near and other["id"] != program_id and names & {p["name"] for p in other["people"] or ()}:
                    assert other["id"] in found
    assert kinds == {"series", "person", "tag", "words", "category"}
    # A program that nobody had asked for costs one request to the engine; others none.
    assert len(asked) == len(seen)


@pytest.mark.slow
def test_what_is_withdrawn_is_gone_at_once_and_an_address_leads_on(
    database: Database, pipeline: Pipeline
) -> None:
    found = stock(database)
    with searching(pipeline, 14) as (listener, edge):
        check_withdrawn(listener, edge, pipeline, found)


def check_withdrawn(listener: Client, edge: Edge, pipeline: Pipeline, found: Catalogue) -> None:
    path = f"/discovery/programs/{found['The lighthouse']}/related"
    assert "Two hosts" in [row[0] for row in explained(listener.get(path))]
    for title, status in (("Two hosts", 200), ("The lighthouse", 404)):
        with session_factory(pipeline.database).begin() as session:
            program = lifecycle.transition(session, found[title], "unpublish", EDITOR)
            withdrawn = ProgramChange(program.id, program.rev, visible=False)
        # As the process that made the change does; the engine still has the program.
        edge.app.state.shared.cache.changed([withdrawn])
        answer = listener.get(path)
        assert answer.status_code == status
        assert title not in answer.text
    old, new = found["Three topics"], found["One host"]
    change(
        pipeline, "INSERT INTO program_redirects (program_id, into_id) VALUES (:old, :new)", old=old, new=new
    )
    change(pipeline, "UPDATE programs SET status = 'archived' WHERE id = :old", old=old)
    moved = listener.get(f"/discovery/programs/{old}/related", limit=3)
    assert (moved.status_code, moved.headers["location"]) == (
        301,
        f"/discovery/programs/{new}/related?limit=3",
    )


@pytest.mark.slow
def test_a_change_reaches_it_with_the_index(
    settings: Settings, database: Database, pipeline: Pipeline, cache_redis: "Redis"
) -> None:
    found = stock(database)
    path = f"/discovery/programs/{found['The lighthouse']}/related"
    with sending(settings, cache_redis), serve(settings) as (listener, _):
        eventually(lambda: total(listener) == 14, what="searchable")
        assert "Two hosts" in [row[0] for row in explained(listener.get(path))]
        change(pipeline, "DELETE FROM program_people WHERE program_id = :id", id=found["Two hosts"])
        eventually(lambda: "Two hosts" not in [row[0] for row in explained(listener.get(path))], what="news")
