"""Series, people and tags: lists with counts and latest releases, one of them with its programs, and their addresses."""

import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.programs import lifecycle
from tests.support.around import check_manners
from tests.support.client import Client
from tests.support.product import serve
from tests.support.programs import EDITOR
from tests.support.shared import apart, shared_stores
from tests.support.stores import lone
from tests.support.subjects import OMAR, SARAH, fill

SOURCES = ("engine", "no engine")


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Client]]:
    """Listeners to one catalogue: with an engine, and without one."""
    with shared_stores() as stores, ExitStack() as opened:
        fill(stores)
        with_engine = opened.enter_context(serve(stores.settings))[0]
        alone = opened.enter_context(serve(lone(apart(stores.settings))))[0]
        yield {"engine": with_engine, "no engine": alone}


@pytest.fixture
def listener(served: dict[str, Client]) -> Client:
    """A listener whose answers come from an engine."""
    return served["engine"]


def rows(answer: dict[str, Any], name: str) -> list[tuple[str, int, str | None]]:
    """Return what a list says: names, counts, and the days of the latest releases."""
    return [(row[name], row["programCount"], row["latestReleaseDate"][:10]) for row in answer["data"]]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("path", "asked", "expected"),
    [
        ("series", {}, [("Coffee Talks", 3, "2024-02-01"), ("ليالي", 1, "2024-04-01")]),
        ("series", {"q": "talk"}, [("Coffee Talks", 3, "2024-02-01")]),
        ("series", {"q": "ليالى"}, [("ليالي", 1, "2024-04-01")]),
        ("series", {"kind": "film"}, [("Coffee Talks", 1, "2024-02-01")]),
        ("series", {"q": "secret"}, []),
        ("people", {}, [(SARAH, 3, "2024-04-01"), (OMAR, 2, "2024-01-01")]),
        ("people", {"q": "ساره"}, [(SARAH, 3, "2024-04-01")]),
        ("people", {"q": "nobody"}, []),
        ("people", {"tag": "coffee", "q": "omar"}, [(OMAR, 1, "2024-01-01")]),
        (
            "tags",
            {"person": SARAH},
            [("coffee", 2, "2024-02-01"), ("history, modern", 1, "2024-04-01"), ("قهوة", 1, "2024-01-01")],
        ),
    ],
)
def test_a_list_has_counts_and_the_latest_release(
    served: dict[str, Client], source: str, path: str, asked: dict[str, str], expected: list[Any]
) -> None:
    answer = served[source].get(f"/discovery/{path}", **asked).json()
    assert rows(answer, "title" if path == "series" else "name") == expected
    assert (answer["meta"]["total"], answer["meta"]["nextCursor"]) == (len(expected), None)
    assert answer["meta"]["degraded"] == (source == "no engine")


def test_a_list_goes_on_behind_a_page(listener: Client) -> None:
    first = listener.get("/discovery/people", limit=1).json()
    second = listener.get("/discovery/people", limit=1, cursor=first["meta"]["nextCursor"]).json()
    assert [first["data"][0]["name"], second["data"][0]["name"]] == [SARAH, OMAR]
    assert second["meta"]["nextCursor"] is None


@pytest.mark.parametrize("source", SOURCES)
def test_a_person_has_a_listing(served: dict[str, Client], source: str) -> None:
    client = served[source]
    path = "/discovery/people/سارة-العمري".replace("ة", "ه")
    answer = client.get(path).json()
    assert answer["data"] == {
        "slug": path.rpartition("/")[2],
        "name": SARAH,
        "programCount": 3,
        "latestReleaseDate": answer["programs"][0]["releaseDate"],
    }
    assert [row["title"] for row in answer["programs"]] == ["Program 3", "Program 1", "Program 0"]
    narrowed = client.get(path, kind="episode", sort="oldest", limit=1, facets="people").json()
    assert [row["title"] for row in narrowed["programs"]] == ["Program 0"]
    assert (narrowed["meta"]["total"], narrowed["data"]["programCount"]) == (2, 3)
    following = client.get(
        path, kind="episode", sort="oldest", limit=1, cursor=narrowed["meta"]["nextCursor"]
    )
    assert [row["title"] for row in following.json()["programs"]] == ["Program 3"]
    if source == "engine":
        assert {row["value"]: row["count"] for row in narrowed["facets"]["people"]} == {SARAH: 2, OMAR: 1}
    # Of another person, too.
    both = client.get(path, person=OMAR).json()
    assert [row["title"] for row in both["programs"]] == ["Program 0"]


def test_a_tag_has_a_listing(listener: Client) -> None:
    answer = listener.get("/discovery/tags/history-modern").json()
    assert (answer["data"]["name"], [row["title"] for row in answer["programs"]]) == (
        "history, modern",
        ["Program 3"],
    )


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("people/سارة العمري", "people/ساره-العمري"),
        ("people/سَارَة-العُمَري", "people/ساره-العمري"),
        ("people/OMAR haddad", "people/omar-haddad"),
        ("tags/Coffee", "tags/coffee"),
        ("tags/history, modern", "tags/history-modern"),
        ("series/Coffee-Talks", "series/coffee-talks"),
        ("series/COFFEE TALKS", "series/coffee-talks"),
        ("programs/Program-0", "programs/program-0"),
        ("programs/PROGRAM 0", "programs/program-0"),
    ],
)
def test_another_spelling_redirects_to_the_address(listener: Client, path: str, current: str) -> None:
    for asked in (path, unicodedata.normalize("NFD", path)):
        for _ in range(2):
            answer = listener.get(f"/discovery/{quote(asked)}")
            assert (answer.status_code, answer.headers["location"]) == (301, f"/discovery/{quote(current)}")
    assert listener.get(f"/discovery/{quote(current)}").status_code == 200


def test_a_redirect_keeps_the_query_string(listener: Client) -> None:
    answer = listener.get("/discovery/people/Omar%20Haddad?kind=film&tag=%D9%82%D9%87%D9%88%D8%A9&limit=3")
    assert answer.headers["location"] == (
        "/discovery/people/omar-haddad?kind=film&tag=%D9%82%D9%87%D9%88%D8%A9&limit=3"
    )
    answer = listener.get("/discovery/series/Coffee-Talks?page=2&limit=1")
    assert answer.headers["location"] == "/discovery/series/coffee-talks?page=2&limit=1"


def test_a_series_is_found_by_its_slug(listener: Client) -> None:
    by_slug = listener.get("/discovery/series/coffee-talks", limit=2).json()
    number = by_slug["data"]["id"]
    assert listener.get(f"/discovery/series/{number}", limit=2).json() == by_slug
    assert (by_slug["meta"]["total"], by_slug["data"]["latestReleaseDate"][:10]) == (3, "2024-02-01")
    assert listener.get("/discovery/series/coffee-talks", limit=2).headers["x-cache"] == "l1"


@pytest.mark.parametrize(
    "path",
    [
        "people/nobody-yet",
        "people/Nobody Yet",
        "people/!",
        "tags/secret",
        "tags/Secret",
        "series/secret-show",
        "series/Secret-Show",
        "series/nothing",
        "programs/Draft",
        f"people/{'a' * 300}",
        f"series/{'a' * 300}",
    ],
)
def test_what_has_nothing_visible_has_no_address(listener: Client, path: str) -> None:
    answer = listener.get(f"/discovery/{quote(path)}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["series", "people", "tags", "people/omar-haddad", "tags/coffee"])
def test_the_routes_have_the_manners_of_the_others(listener: Client, path: str) -> None:
    wrong = [("limit=0", "limit", "invalid_parameter"), ("cursor=abc", "cursor", "invalid_cursor")]
    check_manners(listener, f"/discovery/{path}", "limit=2&language=en", wrong)


def test_a_withdrawn_program_takes_its_names_with_it() -> None:
    with shared_stores() as stores, serve(stores.settings) as (listener, _):
        fill(stores)
        assert listener.get("/discovery/people/omar-haddad").status_code == 200
        assert len(listener.get("/discovery/people").json()["data"]) == 2
        with session_factory(stores.database).begin() as session:
            for number in session.scalars(
                text("SELECT id FROM programs WHERE title IN ('Program 0', 'Program 2')")
            ):
                lifecycle.transition(session, number, "archive", EDITOR)
        stores.sender().drain()
        # The sender of this test has no cache to inform: another page is computed anew.
        assert [row["name"] for row in listener.get("/discovery/people", limit=9).json()["data"]] == [SARAH]
        assert listener.get("/discovery/people/omar-haddad", limit=9).status_code == 404
        assert listener.get("/discovery/people/Omar%20Haddad", limit=9).status_code == 404
