"""Series and categories without a visible program do not exist for listeners: no address, name or count of them."""

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Engine as Database

from api.answers.edge import Edge
from api.settings import Settings
from catalog.core.changes import ProgramChange
from catalog.core.db import session_factory
from catalog.programs import lifecycle
from catalog.taxonomy import categories, series
from tests.support.client import Client
from tests.support.product import serve
from tests.support.programs import EDITOR, make
from tests.support.waiting import eventually


@pytest.fixture
def hidden(database: Database) -> dict[str, int]:
    """A secret series in a secret category with a draft, and an empty series and category."""
    with session_factory(database).begin() as session:
        empty = series.create(session, {"title": "Empty secret", "language": "en"}, EDITOR).id
        categories.create(session, {"name_ar": "فارغ", "name_en": "Empty secret"}, EDITOR)
        shelf = categories.create(session, {"name_ar": "سر", "name_en": "Secret shelf"}, EDITOR).id
        show = series.create(session, {"title": "Secret show", "language": "en"}, EDITOR).id
        program = make(session, title="Secret program", category_id=shelf, series_id=show)
        return {"category": shelf, "series": show, "empty": empty, "program": program.id}


@pytest.fixture
def second(settings: Settings) -> Iterator[Client]:
    """Another process of the same product."""
    with serve(settings) as (client, _):
        yield client


def seen(client: Client, hidden: dict[str, int]) -> tuple[int, int, list[str]]:
    """The statuses of two pages of the series, and the names of the categories."""
    pages = [
        client.get(f"/discovery/series/{hidden['series']}", page=page, limit=1).status_code for page in (1, 9)
    ]
    names = [row["nameEn"] for row in client.get("/discovery/categories").json()["data"]]
    return pages[0], pages[1], names


def shown(client: Client, hidden: dict[str, int]) -> bool:
    """Whether both pages of the series are there."""
    return seen(client, hidden)[:2] == (200, 200)


@pytest.mark.slow
def test_what_has_nothing_visible_is_not_found_and_not_named(
    listener: Client, hidden: dict[str, int]
) -> None:
    unknown = listener.get("/discovery/series/999999")
    for number in (hidden["series"], hidden["empty"]):
        answer = listener.get(f"/discovery/series/{number}")
        said = answer.json()
        assert (answer.status_code, said["code"]) == (404, "not_found")
        # Nothing tells a hidden series from one that does not exist.
        assert said.keys() == unknown.json().keys()
        assert said["detail"] == unknown.json()["detail"]
    assert seen(listener, hidden) == (404, 404, [])
    for path in ("/discovery/search", "/discovery/browse"):
        for name in ("series", "category"):
            known = {f"{name}Id": hidden[name], "facets": "seriesId,categoryId"}
            stranger = known | {f"{name}Id": 999_999}
            found, nothing = listener.get(path, **known), listener.get(path, **stranger)
            assert found.status_code == nothing.status_code == 200
            assert found.content == nothing.content
    assert listener.get("/discovery/suggest", q="Secret").json()["data"] == []


@pytest.mark.slow
def test_they_come_and_go_with_their_programs_in_every_process(
    listener: Client, second: Client, staff: dict[str, Client], hidden: dict[str, int]
) -> None:
    both = (listener, second)
    address = f"/catalog/programs/{hidden['program']}"
    for client in both:
        assert seen(client, hidden) == (404, 404, [])
    for _ in range(2):
        read = {"If-Match": staff["reviewer"].get(address).headers["etag"]}
        assert staff["reviewer"].post(f"{address}/publish", **read).status_code == 200
        for client in both:
            eventually(partial(shown, client, hidden), what="shown")
        assert staff["reviewer"].post(f"{address}/unpublish").status_code == 200
        # The process that did it forgets at once, the other when it hears.
        assert seen(listener, hidden) == (404, 404, [])
        eventually(lambda: seen(second, hidden) == (404, 404, []), what="hidden again")


@pytest.mark.slow
def test_a_series_stays_while_one_program_is_visible(
    listener: Client, staff: dict[str, Client], database: Database, hidden: dict[str, int]
) -> None:
    with session_factory(database).begin() as session:
        other = make(
            session, "published", title="Open", series_id=hidden["series"], category_id=hidden["category"]
        ).id
        lifecycle.transition(session, hidden["program"], "publish", EDITOR)
    assert seen(listener, hidden) == (200, 200, ["Secret shelf"])
    for number in (hidden["program"], other):
        assert seen(listener, hidden) == (200, 200, ["Secret shelf"])
        assert staff["reviewer"].post(f"/catalog/programs/{number}/unpublish").status_code == 200
    assert seen(listener, hidden) == (404, 404, [])


@pytest.mark.slow
def test_a_replica_that_is_behind_names_nothing_withdrawn(
    listener: Client, edge: Edge, database: Database, hidden: dict[str, int]
) -> None:
    with session_factory(database).begin() as session:
        rev = lifecycle.transition(session, hidden["program"], "publish", EDITOR).rev
    assert seen(listener, hidden) == (200, 200, ["Secret shelf"])
    # The process has heard of a withdrawal that its database does not show yet.
    assert edge._cache is not None
    edge._cache.changed([ProgramChange(hidden["program"], rev + 1, visible=False)])
    assert seen(listener, hidden) == (404, 404, [])
