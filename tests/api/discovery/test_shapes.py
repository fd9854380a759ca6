"""Answers with fewer fields, and with more about what belongs to a program."""

from typing import Any

import pytest

from tests.support.around import check_manners
from tests.support.pipeline import Pipeline
from tests.support.shared import SharedApi
from tests.support.subjects import fill

MORNING = "Morning coffee"


@pytest.mark.parametrize(
    ("path", "asked", "room"),
    [
        ("search", {"q": "coffee"}, "data"),
        ("search", {"q": "coffee", "type": "all", "facets": "kind"}, "data"),
        ("browse", {"sort": "oldest"}, "data"),
        ("people/omar-haddad", {"facets": "kind"}, "programs"),
        ("tags/coffee", {}, "programs"),
    ],
)
def test_cards_have_only_the_fields_that_are_asked_for(
    shared: SharedApi, reading: dict[str, int], path: str, asked: dict[str, str], room: str
) -> None:
    whole = shared.listener.get(f"/discovery/{path}", **asked).json()
    answer = shared.listener.get(f"/discovery/{path}", **asked, fields="title, slug,category")
    trimmed = answer.json()
    assert whole[room]
    for card, plain in zip(trimmed[room], whole[room], strict=True):
        assert card == {name: plain[name] for name in ("id", "slug", "title", "category")}
    assert {name: value for name, value in trimmed.items() if name != room} == {
        name: value for name, value in whole.items() if name != room
    }
    again = shared.listener.get(f"/discovery/{path}", **asked, fields="category,slug,title")
    assert (again.headers["x-cache"], again.content) == ("l1", answer.content)
    refused = shared.listener.get(f"/discovery/{path}", **asked, fields="title,rev")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "fields")


@pytest.mark.parametrize("by", ["id", "slug"])
def test_a_lookup_has_the_fields_and_what_belongs_to_it(
    shared: SharedApi, reading: dict[str, int], by: str
) -> None:
    number = reading[MORNING]
    key = number if by == "id" else "morning-coffee"
    plain = shared.listener.get(f"/discovery/programs/{key}").json()
    assert "included" not in plain
    path = f"/discovery/programs/{key}"
    answer: dict[str, Any] = shared.listener.get(path, fields="title", include="category,series").json()
    assert answer["data"] == {"id": number, "title": MORNING}
    category = {"id": reading["category"], "slug": "society", "nameAr": "مجتمع", "nameEn": "Society"}
    assert answer["included"]["category"] == category | {"programCount": 3}
    assert answer["included"]["series"]["title"] == "Coffee talks"
    assert answer["included"]["series"]["latestReleaseDate"] == "2024-03-01T00:00:00Z"
    whole = shared.listener.get(path, include="series").json()
    assert (whole["data"], whole["included"].keys()) == (plain["data"], {"series"})
    assert shared.listener.get(path, fields="title").json() == {"data": {"id": number, "title": MORNING}}


def test_what_a_program_does_not_have_is_null(shared: SharedApi, reading: dict[str, int]) -> None:
    path = f"/discovery/programs/{reading['تاريخ الطرق']}"
    answer = shared.listener.get(path, include="series,category").json()
    assert answer["included"] == {"series": None, "category": None}


def test_a_program_says_its_address(shared: SharedApi, reading: dict[str, int]) -> None:
    for title in (MORNING, "قهوة المساء"):
        program = shared.listener.get(f"/discovery/programs/{reading[title]}").json()["data"]
        again = shared.listener.get(program["path"])
        assert (again.status_code, again.json()["data"]) == (200, program)


def test_the_shapes_have_the_manners_of_plain_lookups(shared: SharedApi, reading: dict[str, int]) -> None:
    check_manners(
        shared.listener,
        f"/discovery/programs/{reading[MORNING]}",
        "fields=title&include=series",
        [
            ("fields=nothing", "fields", "invalid_parameter"),
            ("include=tags", "include", "invalid_parameter"),
            ("fields=" + "a" * 501, "fields", "invalid_parameter"),
            ("shape=small", "shape", "unknown_parameter"),
        ],
    )
    assert shared.listener.get("/discovery/programs/999999", fields="title").status_code == 404
    moved = shared.listener.get("/discovery/programs/Morning-Coffee", fields="title")
    assert moved.headers["location"] == "/discovery/programs/morning-coffee?fields=title"


@pytest.mark.slow
def test_a_shaped_lookup_is_as_new_as_a_plain_one(
    staff: dict[str, Any], pipeline: Pipeline, listener: Any
) -> None:
    fill(pipeline)
    number = listener.get("/discovery/programs/program-0").json()["data"]["id"]
    asked = {"fields": "title", "include": "series"}
    for title in ("Another title", "A third one"):
        assert listener.get(f"/discovery/programs/{number}", **asked).status_code == 200
        assert listener.get(f"/discovery/programs/{number}", **asked).headers["x-cache"] == "l1"
        changed = staff["reviewer"].patch(f"/catalog/programs/{number}", {"title": title})
        assert changed.status_code == 200, changed.text
        # Nothing is sent to an engine here: the change itself is heard.
        shaped = listener.get(f"/discovery/programs/{number}", **asked).json()
        assert shaped["data"]["title"] == title
    assert staff["reviewer"].post(f"/catalog/programs/{number}/archive").status_code == 200
    assert listener.get(f"/discovery/programs/{number}", **asked).status_code == 404
