"""Collections as listeners see them: in the editors' order, at their time, and only what is published."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine as Database

from api.settings import Settings
from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.curation import collections
from catalog.review.rights import EVERYTHING
from tests.support.around import check_manners
from tests.support.client import Client
from tests.support.databases import scalar
from tests.support.product import serve
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi
from tests.support.waiting import eventually

SEEN = {"status": "published"}
STATES = ("published", "draft", "published", "archived", "published", "scheduled", "published")


def put_together(database: Database, slug: str, ids: list[int], **values: Any) -> int:
    """Make a collection; return its id."""
    named = {"slug": slug, "title_ar": f"مجموعة {slug}", "title_en": f"The {slug}"}
    with session_factory(database).begin() as session:
        row = collections.create(session, named | values, EDITOR, EVERYTHING)
        collections.arrange(session, row.id, ids, EDITOR, EVERYTHING)
        return row.id


@pytest.fixture(scope="module")
def chosen(shared: SharedApi) -> list[int]:
    """The visible programs of the collection `whole`, in its order, and collections that nobody may see."""
    with session_factory(shared.database).begin() as session:
        ids = [make(session, state, title=f"Part {n}").id for n, state in enumerate(STATES)][::-1]
    visible = [i for i, state in zip(ids, STATES[::-1], strict=True) if state == "published"]
    now: datetime = scalar(shared.database, "SELECT now()")
    hour = timedelta(hours=1)
    put_together(shared.database, "whole", ids, **SEEN, description_en="All of it", sort_order=5)
    put_together(
        shared.database,
        "first",
        visible[:1],
        **SEEN,
        ends_at=now + 48 * hour,
        image_url="https://a.example/b.jpg",
    )
    put_together(shared.database, "draft", visible)
    put_together(shared.database, "over", visible, **SEEN, ends_at=now - hour)
    put_together(shared.database, "early", visible, **SEEN, starts_at=now + hour)
    put_together(shared.database, "empty", [], **SEEN)
    put_together(shared.database, "secret", [i for i in ids if i not in visible], **SEEN)
    return visible


def test_they_come_in_order_with_what_is_published(shared: SharedApi, chosen: list[int]) -> None:
    found = shared.listener.get("/discovery/collections", programs=3).json()
    assert [(row["slug"], row["programCount"]) for row in found["data"]] == [("first", 1), ("whole", 4)]
    assert [[card["id"] for card in row["programs"]] for row in found["data"]] == [chosen[:1], chosen[:3]]
    first, whole = found["data"]
    assert (first["titleAr"], first["titleEn"], first["imageUrl"]) == (
        "مجموعة first",
        "The first",
        "https://a.example/b.jpg",
    )
    assert (first["endsAt"] is None, whole["endsAt"], whole["descriptionEn"]) == (False, None, "All of it")
    assert found["meta"] == {"limit": 20, "programs": 3}
    plain = shared.listener.get("/discovery/collections", limit=1).json()["data"]
    assert [(row["slug"], "programs" in row) for row in plain] == [("first", False)]


def test_one_has_pages_and_others_are_not_there(shared: SharedApi, chosen: list[int]) -> None:
    listener = shared.listener
    pages = [listener.get("/discovery/collections/whole", page=page, limit=3).json() for page in (1, 2, 3)]
    assert [[card["id"] for card in page["programs"]] for page in pages] == [chosen[:3], chosen[3:], []]
    assert [page["meta"] for page in pages] == [{"page": n, "limit": 3, "total": 4} for n in (1, 2, 3)]
    assert pages[0]["data"] == pages[2]["data"]
    for slug in ("draft", "over", "early", "empty", "secret", "nothing", "%00", "x" * 300):
        answer = listener.get(f"/discovery/collections/{slug}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), slug


@pytest.mark.parametrize(
    ("path", "query", "wrong"),
    [
        (
            "/discovery/collections",
            "limit=7&programs=2",
            [
                ("limit=0", "limit", "invalid_parameter"),
                ("limit=51", "limit", "invalid_parameter"),
                ("programs=13", "programs", "invalid_parameter"),
                ("page=1", "page", "unknown_parameter"),
            ],
        ),
        (
            "/discovery/collections/whole",
            "limit=2",
            [
                ("page=0", "page", "invalid_parameter"),
                ("limit=101", "limit", "invalid_parameter"),
                ("programs=1", "programs", "unknown_parameter"),
            ],
        ),
    ],
)
def test_manners(
    shared: SharedApi, chosen: list[int], path: str, query: str, wrong: list[tuple[str, str, str]]
) -> None:
    check_manners(shared.listener, path, query, wrong)


@pytest.fixture
def second(settings: Settings) -> Iterator[Client]:
    """Another process of the same product."""
    with serve(settings) as (client, _):
        yield client


def test_changes_are_seen_in_every_process(
    listener: Client, second: Client, staff: dict[str, Client], database: Database
) -> None:
    with session_factory(database).begin() as session:
        a, b, c = (make(session, "published", title=f"Part {n}").id for n in range(3))
    number = put_together(database, "kept", [a, b], **SEEN)
    reviewer, path = staff["reviewer"], f"/catalog/collections/{number}"

    def shown(client: Client) -> tuple[list[int], list[int]]:
        """What the page of the collection shows, and the list."""
        one = client.get("/discovery/collections/kept").json().get("programs", [])
        listed = client.get("/discovery/collections", programs=12).json()["data"]
        return [card["id"] for card in one], [card["id"] for row in listed for card in row["programs"]]

    def everywhere(ids: list[int]) -> None:
        eventually(lambda: shown(listener) == shown(second) == (ids, ids), what=f"{ids}")

    everywhere([a, b])
    assert reviewer.put(f"{path}/programs/{c}", {"place": 1}).status_code == 200
    everywhere([c, a, b])
    assert reviewer.put(f"{path}/programs", {"programIds": [b, c, a]}).status_code == 200
    everywhere([b, c, a])
    assert reviewer.post(f"/catalog/programs/{c}/unpublish").status_code == 200
    # A withdrawal is never shown again where it was made, and nowhere for long.
    assert shown(listener) == ([b, a], [b, a])
    everywhere([b, a])
    assert reviewer.patch(path, {"status": "draft"}).status_code == 200
    everywhere([])
    assert reviewer.patch(path, {"status": "published"}).status_code == 200
    everywhere([b, a])


def test_it_begins_and_ends_on_time_though_answers_are_kept(shared: SharedApi, chosen: list[int]) -> None:
    now: datetime = scalar(shared.database, "SELECT clock_timestamp()")
    soon = now + timedelta(seconds=1)
    put_together(shared.database, "soon", chosen[:1], **SEEN, starts_at=soon)
    put_together(shared.database, "until", chosen[:1], **SEEN, ends_at=soon)
    # Nobody tells the caches anything: what they hold of these addresses is forgotten at the moment itself.
    paths = ["/discovery/collections?limit=50", "/discovery/collections/soon", "/discovery/collections/until"]

    def seen() -> tuple[bool, ...]:
        listed, begun, ended = (shared.listener.get(path) for path in paths)
        slugs = {row["slug"] for row in listed.json()["data"]}
        return "soon" in slugs, "until" not in slugs, begun.status_code == 200, ended.status_code == 404

    seen()
    eventually(lambda: all(seen()), what="one has begun, the other has ended")
    assert scalar(shared.database, "SELECT clock_timestamp()") >= soon
    for slug in ("soon", "until"):
        with session_factory(shared.database).begin() as session:
            row = session.connection().exec_driver_sql("SELECT id FROM collections WHERE slug = %s", (slug,))
            collections.delete(session, row.scalar_one(), Actor("system"), EVERYTHING)
