"""Collections over HTTP: editors draft, reviewers publish, every change has a revision and an audit event."""

from typing import Any

import pytest
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.curation.collections import MAX_PROGRAMS
from catalog.merging import lifecycle as merging
from tests.support.client import Client
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi

NAMED = {"titleAr": "أمسيات طويلة", "titleEn": "Long evenings"}


@pytest.fixture(scope="module")
def programs(shared: SharedApi) -> list[int]:
    """Five programs, of which the second is a draft."""
    with session_factory(shared.database).begin() as session:
        states = ("published", "draft", "published", "published", "published")
        return [make(session, state, title=f"Chosen {n}").id for n, state in enumerate(states)]


def collection(person: Client, **values: Any) -> dict[str, Any]:
    """Create a collection; return it."""
    answer = person.post("/catalog/collections", NAMED | values)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/catalog/collections/{answer.json()['data']['id']}"
    found: dict[str, Any] = answer.json()["data"]
    return found


def order(answer: Any) -> list[int]:
    """The ids of the programs in an answer."""
    assert answer.status_code == 200, answer.text
    return [program["id"] for program in answer.json()["programs"]]


def test_programs_are_added_moved_ordered_and_taken_out(shared: SharedApi, programs: list[int]) -> None:
    editor = shared.staff["editor"]
    made = collection(
        editor, slug="Order!", descriptionEn="For the winter", startsAt="2026-01-01T00:00:00+03:00"
    )
    assert (made["slug"], made["status"], made["rev"], made["startsAt"]) == (
        "order",
        "draft",
        1,
        "2025-12-31T21:00:00Z",
    )
    path = f"/catalog/collections/{made['id']}"
    a, b, c, d, e = programs
    assert order(editor.put(f"{path}/programs", {"programIds": [a, b, c]})) == [a, b, c]
    assert order(editor.put(f"{path}/programs/{d}", {})) == [a, b, c, d]
    assert order(editor.put(f"{path}/programs/{e}", {"place": 1})) == [e, a, b, c, d]
    assert order(editor.put(f"{path}/programs/{a}", {"place": 4})) == [e, b, c, a, d]
    assert order(editor.delete(f"{path}/programs/{c}")) == [e, b, a, d]
    gone = editor.delete(f"{path}/programs/{c}")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    read = editor.get(path)
    assert order(read) == [e, b, a, d]
    assert [program["visible"] for program in read.json()["programs"]] == [True, False, True, True]
    assert read.headers["etag"] == '"6"'
    # The same order again changes nothing.
    assert editor.put(f"{path}/programs", {"programIds": [e, b, a, d]}).headers["etag"] == '"6"'
    for method, at, body in (
        ("PATCH", path, {"titleEn": "Z"}),
        ("PUT", f"{path}/programs", {"programIds": []}),
        ("PUT", f"{path}/programs/{c}", {}),
        ("DELETE", f"{path}/programs/{a}", None),
        ("DELETE", path, None),
    ):
        stale = editor.ask(method, at, json=body, headers={"If-Match": '"5"'})
        assert (stale.status_code, stale.headers["etag"]) == (412, '"6"'), at
    named = editor.patch(path, {"titleEn": "Winter", "endsAt": "2027-01-01T00:00:00Z"}, **{"If-Match": '"6"'})
    assert (named.json()["data"]["titleEn"], named.headers["etag"]) == ("Winter", '"7"')
    assert order(named) == [e, b, a, d]
    assert editor.delete(path).status_code == 204
    assert editor.get(path).status_code == 404
    # Newest first, also of what was deleted.
    events = editor.get(f"{path}/audit").json()["data"][::-1]
    assert editor.get(f"{path}/audit", limit=1, before=events[-1]["id"]).json()["data"] == [events[-2]]
    assert [event["action"] for event in events] == [
        "collection.create",
        *["collection.arrange"] * 5,
        "collection.edit",
        "collection.delete",
    ]
    assert events[1]["diff"] == {"programIds": [[], [a, b, c]]}
    assert events[6]["diff"] == {
        "titleEn": ["Long evenings", "Winter"],
        "endsAt": [None, "2027-01-01T00:00:00+00:00"],
    }


def test_only_reviewers_change_what_listeners_see(shared: SharedApi, programs: list[int]) -> None:
    editor, reviewer = shared.staff["editor"], shared.staff["reviewer"]
    refused = editor.post("/catalog/collections", NAMED | {"slug": "bold", "status": "published"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    path = f"/catalog/collections/{collection(editor, slug='seen')['id']}"
    assert editor.patch(path, {"status": "published"}).status_code == 403
    assert reviewer.patch(path, {"status": "published"}).status_code == 200
    for method, at, body in (
        ("PATCH", path, {"titleEn": "Z"}),
        ("PATCH", path, {"status": "draft"}),
        ("PUT", f"{path}/programs", {"programIds": programs[:1]}),
        ("PUT", f"{path}/programs/{programs[0]}", {}),
        ("DELETE", path, None),
    ):
        assert editor.ask(method, at, json=body).status_code == 403, (method, at)
    assert order(reviewer.put(f"{path}/programs/{programs[0]}", {})) == programs[:1]
    assert reviewer.patch(path, {"status": "draft"}).status_code == 200
    assert editor.delete(path).status_code == 204


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"titleAr": " "}, "titleAr"),
        ({"titleEn": "x" * 121}, "titleEn"),
        ({"descriptionAr": "x" * 5001}, "descriptionAr"),
        ({"imageUrl": "ftp://a.example/b.jpg"}, "imageUrl"),
        ({"slug": "!!"}, "slug"),
        ({"sortOrder": 2**31}, "sortOrder"),
        ({"status": "archived"}, "status"),
        ({"startsAt": "2026-01-01"}, "startsAt"),
        ({"startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-02T00:00:00Z"}, "endsAt"),
        ({"programIds": [1]}, "programIds"),
    ],
)
def test_wrong_values_are_refused_with_their_field(
    shared: SharedApi, values: dict[str, object], field: str
) -> None:
    editor = shared.staff["editor"]
    refused = editor.post("/catalog/collections", NAMED | {"slug": "wrong"} | values)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    kept = editor.get("/catalog/collections", q="wrong").json()["data"]
    assert kept == []


def test_wrong_programs_and_taken_slugs_are_refused(shared: SharedApi, programs: list[int]) -> None:
    editor = shared.staff["editor"]
    first = collection(editor, slug="taken")
    taken = editor.post("/catalog/collections", NAMED | {"slug": "Taken"})
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "slug")
    second = f"/catalog/collections/{collection(editor, slug='free')['id']}"
    assert editor.patch(second, {"slug": "taken"}).status_code == 409
    for ids, code in (
        ([programs[0], 10**6], "not_found"),
        ([programs[0], programs[0]], "duplicate"),
        ([*range(1, MAX_PROGRAMS + 2)], "invalid"),
        ([0], "invalid"),
    ):
        refused = editor.put(f"{second}/programs", {"programIds": ids})
        assert refused.status_code == 422, ids
        assert refused.json()["errors"][0]["field"].startswith("programIds"), refused.text
        assert refused.json()["errors"][0]["code"] == code
    assert editor.put(f"{second}/programs/{10**6}", {}).json()["errors"][0]["field"] == "programIds"
    for at in (0, MAX_PROGRAMS + 1):
        refused = editor.put(f"{second}/programs/{programs[0]}", {"place": at})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "place")
    assert order(editor.get(second)) == []
    once = {"Idempotency-Key": "one"}
    made = [editor.post("/catalog/collections", NAMED | {"slug": "once"}, **once) for _ in range(2)]
    assert made[0].json() == made[1].json()
    assert made[1].headers["idempotency-replayed"] == "true"
    listed = editor.get("/catalog/collections", after=first["id"] - 1, limit=1).json()
    assert [row["id"] for row in listed["data"]] == [first["id"]]
    assert listed["meta"]["nextCursor"] == str(first["id"])


def test_a_merged_program_gives_its_place_to_the_one_that_stays(shared: SharedApi) -> None:
    editor = shared.staff["editor"]
    with session_factory(shared.database).begin() as session:
        staying, merged, other = (make(session, "published", title=f"Merged {n}").id for n in range(3))
    paths = []
    for slug, ids in (
        ("one-of-two", [other, merged]),
        ("both", [merged, other, staying]),
        ("late", [staying, merged]),
    ):
        paths.append(f"/catalog/collections/{collection(editor, slug=slug)['id']}")
        editor.put(f"{paths[-1]}/programs", {"programIds": ids})
    with session_factory(shared.database).begin() as session:
        merging.propose_pair(session, staying, merged, {})
        proposal = session.scalar(
            text("SELECT id FROM merge_proposals WHERE program_id = :id"), {"id": staying}
        )
        merging.accept(session, proposal, EDITOR, keep_id=staying)
    found = [editor.get(path) for path in paths]
    assert [order(answer) for answer in found] == [[other, staying], [staying, other], [staying]]
    assert {answer.headers["etag"] for answer in found} == {'"3"'}


def test_a_collection_without_an_address_gets_one_of_its_title(shared: SharedApi) -> None:
    made = shared.staff["editor"].post("/catalog/collections", {"titleAr": "أسمار", "titleEn": "Night talks"})
    assert (made.status_code, made.json()["data"]["slug"]) == (201, "night-talks")
