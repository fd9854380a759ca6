"""Tags and people: created, renamed, merged and deleted, and what that affects."""

from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.programs import lifecycle, pending
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi

_numbers = count()
KINDS = ("tags", "people")


def _named(shared: SharedApi, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return two rows of a kind: the second one has a program with both, too."""
    one, other = (f"{word} {next(_numbers)}" for word in ("Alpha", "Beta"))

    def values(*names: str) -> dict[str, Any]:
        return {"tags": list(names)} if kind == "tags" else {"people": [("host", name) for name in names]}

    with session_factory(shared.database).begin() as session:
        make(session, **values(one))
        make(session, "published", **values("Before", one))
        make(session, "published", **values(one, other))
        gone = make(session, **values(one))
        lifecycle.transition(session, gone.id, "delete", EDITOR)
        live = make(session, "published")
        pending.propose(session, live.id, values(one), EDITOR)
    editor = shared.staff["editor"]
    found = []
    for name in (one, other):
        (row,) = editor.get(f"/catalog/{kind}", q=name).json()["data"]
        assert row["name"] == name
        found.append(row)
    return found[0], found[1]


def _names(shared: SharedApi, kind: str, name: str) -> list[list[str]]:
    """Return the tags or people of every program that has one of this name, in the order of their ids."""
    parameter = "tag" if kind == "tags" else "person"
    rows = shared.staff["editor"].get("/catalog/programs", sort="id", **{parameter: name}).json()["data"]
    return [[one if kind == "tags" else one["name"] for one in row[kind]] for row in rows]


@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_says_what_a_merge_affects_and_the_merge_does_it(kind: str, shared: SharedApi) -> None:
    editor, reviewer = shared.staff["editor"], shared.staff["reviewer"]
    one, other = _named(shared, kind)
    at = f"/catalog/{kind}/{one['id']}"
    assert (one["programs"], other["programs"]) == (4, 1)
    effects = editor.get(f"{at}/effects", into=other["id"]).json()["data"]
    assert effects == {"programs": 3, "published": 2, "trashed": 1, "pending": 1, "both": 1}
    assert editor.get(f"{at}/effects").json()["data"]["both"] == 0
    with shared.database.begin() as connection:
        connection.execute(text("DELETE FROM index_dirty"))
    merged = reviewer.post(f"{at}/merge", {"intoId": other["id"]})
    assert merged.status_code == 200, merged.text
    assert merged.json()["data"] == other | {"programs": 4}
    assert _names(shared, kind, other["name"]) == [
        [other["name"]],
        ["Before", other["name"]],
        [other["name"]],
    ]
    assert editor.get(at).status_code == 404
    with shared.database.connect() as connection:
        assert connection.scalar(text("SELECT count(DISTINCT program_id) FROM index_dirty")) == 2
    (event,) = editor.get(f"{at}/audit").json()["data"]
    assert event["diff"] == {
        "into": [None, other["id"]],
        "name": [one["name"], other["name"]],
        "programs": [4, 0],
    }
    (event,) = editor.get(f"/catalog/{kind}/{other['id']}/audit").json()["data"]
    assert event["action"].endswith(".absorb")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_deleted_is_taken_from_every_program(kind: str, shared: SharedApi) -> None:
    one, other = _named(shared, kind)
    at = f"/catalog/{kind}/{one['id']}"
    assert shared.staff["reviewer"].delete(at).status_code == 204
    assert _names(shared, kind, one["name"]) == []
    assert _names(shared, kind, other["name"]) == [[other["name"]]]
    assert shared.staff["editor"].get(at).status_code == 404
    (event,) = shared.staff["editor"].get(f"{at}/audit").json()["data"]
    assert event["diff"]["programs"] == [4, 0]
    assert shared.staff["reviewer"].delete(at).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_one_is_created_found_by_any_word_and_renamed(kind: str, shared: SharedApi) -> None:
    editor, path = shared.staff["editor"], f"/catalog/{kind}"
    once = {"Idempotency-Key": f"new-{kind}"}
    made = editor.post(path, {"name": "  يوسف  الحدّاد "}, **once)
    assert (made.status_code, made.json()["data"]["name"], made.json()["data"]["programs"]) == (
        201,
        "يوسف الحدّاد",
        0,
    )
    assert made.headers["Location"] == f"{path}/{made.json()['data']['id']}"
    assert editor.post(path, {"name": "  يوسف  الحدّاد "}, **once).json() == made.json()
    again = editor.post(path, {"name": "يوسف الحداد"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "name")
    for q in ("حداد", "الحد", "يوس حدا"):
        assert made.json()["data"] in editor.get(path, q=q).json()["data"], q
    number = made.json()["data"]["id"]
    renamed = shared.staff["reviewer"].patch(f"{path}/{number}", {"name": "يوسف حدّاد"})
    assert renamed.json()["data"]["name"] == "يوسف حدّاد"
    assert [
        row["action"].partition(".")[2] for row in editor.get(f"{path}/{number}/audit").json()["data"]
    ] == ["rename", "create"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "", {"name": "؟!"}, 422, "name"),
        ("POST", "", {"name": "x" * 200}, 422, "name"),
        ("POST", "/{id}/merge", {"intoId": "{id}"}, 422, "intoId"),
        ("POST", "/{id}/merge", {"intoId": 10**9}, 422, "intoId"),
        ("GET", "/{id}/effects?into=1000000000", None, 422, "intoId"),
        ("POST", "/1000000000/merge", {"intoId": "{id}"}, 404, None),
        ("GET", "/1000000000/effects", None, 404, None),
    ],
)
def test_what_cannot_be_is_refused(
    kind: str, method: str, path: str, body: Any, status: int, field: str | None, shared: SharedApi
) -> None:
    name = f"Refused {kind}"
    shared.staff["editor"].post(f"/catalog/{kind}", {"name": name})
    (row,) = shared.staff["editor"].get(f"/catalog/{kind}", q=name).json()["data"]
    if body is not None and body.get("intoId") == "{id}":
        body = {"intoId": row["id"]}
    answer = shared.staff["reviewer"].ask(method, f"/catalog/{kind}{path.format(id=row['id'])}", json=body)
    assert answer.status_code == status, answer.text
    if field is not None:
        assert answer.json()["errors"][0]["field"] == field
