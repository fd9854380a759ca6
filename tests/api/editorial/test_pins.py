"""Pins over HTTP: reviewers write them, editors read them, every change has a revision and an audit event."""

from typing import Any

import pytest
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.merging import lifecycle as merging
from tests.support.client import Client
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi


@pytest.fixture(scope="module")
def programs(shared: SharedApi) -> list[int]:
    """Three programs, of which the second is a draft."""
    with session_factory(shared.database).begin() as session:
        states = ("published", "draft", "published")
        return [make(session, state, title=f"Pinned {n}").id for n, state in enumerate(states)]


def at(**places: int) -> list[dict[str, int]]:
    """Programs with their places, by `p` and the program's id."""
    return [{"programId": int(name[1:]), "place": place} for name, place in places.items()]


def pin(person: Client, query: str, programs: list[dict[str, int]], **values: Any) -> dict[str, Any]:
    """Create a pin; return it."""
    answer = person.post("/catalog/pins", {"query": query, "programs": programs} | values)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/catalog/pins/{answer.json()['data']['id']}"
    found: dict[str, Any] = answer.json()["data"]
    return found


def test_a_pin_is_made_changed_and_deleted(shared: SharedApi, programs: list[int]) -> None:
    editor, reviewer = shared.staff["editor"], shared.staff["reviewer"]
    a, b, c = programs
    made = pin(reviewer, " القَهْوة  ☕ ", [{"programId": b, "place": 4}, {"programId": a, "place": 2}])
    assert (made["query"], made["folded"], made["rev"]) == (" القَهْوة  ☕ ", "القهوه", 1)
    assert [(p["id"], p["place"], p["visible"]) for p in made["programs"]] == [(a, 2, True), (b, 4, False)]
    path = f"/catalog/pins/{made['id']}"
    listed = editor.get("/catalog/pins", q="القهوة").json()["data"]
    assert listed == [made] == [editor.get(path).json()["data"]]
    assert editor.get("/catalog/pins", q="شاي").json()["data"] == []
    body = {"programs": [{"programId": c, "place": 2}], "endsAt": "2030-01-01T00:00:00Z"}
    for refused in (
        reviewer.patch(path, body, **{"If-Match": '"9"'}),
        reviewer.delete(path, **{"If-Match": '"9"'}),
    ):
        assert (refused.status_code, refused.headers["etag"]) == (412, '"1"')
    changed = reviewer.patch(path, body, **{"If-Match": '"1"'})
    assert [(p["id"], p["place"]) for p in changed.json()["data"]["programs"]] == [(c, 2)]
    assert changed.json()["data"]["endsAt"] == "2030-01-01T00:00:00Z"
    etag = changed.headers["etag"]
    assert etag != '"1"'
    # The same again changes nothing.
    assert reviewer.patch(path, body).headers["etag"] == etag
    assert reviewer.patch(path, {"query": "شاي"}, **{"If-Match": etag}).json()["data"]["folded"] == "شاي"
    assert editor.delete(path).status_code == 403
    assert reviewer.delete(path).status_code == 204
    assert editor.get(path).status_code == 404
    # Newest first, also of what was deleted.
    events = editor.get(f"{path}/audit").json()["data"][::-1]
    assert editor.get(f"{path}/audit", limit=1, before=events[-1]["id"]).json()["data"] == [events[-2]]
    assert [event["action"] for event in events] == ["pin.create", "pin.edit", "pin.edit", "pin.delete"]
    before = [{"programId": a, "place": 2}, {"programId": b, "place": 4}]
    assert events[1]["diff"] == {
        "programs": [before, body["programs"]],
        "endsAt": [None, "2030-01-01T00:00:00+00:00"],
    }


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"query": " "}, "query", "required"),
        ({"query": "!?"}, "query", "invalid"),
        ({"query": "x" * 121}, "query", "too_long"),
        ({"programs": []}, "programs", "invalid"),
        ({"programs": at(p1=0)}, "programs[0].place", "invalid"),
        ({"programs": at(p1=51)}, "programs[0].place", "invalid"),
        ({"programs": at(p1=1, p3=1)}, "programs", "duplicate"),
        ({"programs": [*at(p1=1), *at(p1=2)]}, "programs", "duplicate"),
        ({"programs": at(p999999=1)}, "programs", "not_found"),
        ({"programs": [{"programId": n, "place": n} for n in range(1, 12)]}, "programs", "invalid"),
        ({"startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"}, "endsAt", "invalid"),
        ({"place": 1}, "place", "unknown"),
    ],
)
def test_wrong_values_are_refused_with_their_field(
    shared: SharedApi, programs: list[int], values: dict[str, object], field: str, code: str
) -> None:
    good = {"query": "wrong pin", "programs": at(p1=1)}
    reviewer = shared.staff["reviewer"]
    refused = reviewer.post("/catalog/pins", good | values)
    error = refused.json()["errors"][0]
    assert (refused.status_code, error["field"], error["code"]) == (422, field, code)
    assert reviewer.get("/catalog/pins", q="wrong").json()["data"] == []


def test_a_pin_is_made_once(shared: SharedApi, programs: list[int]) -> None:
    once = {"Idempotency-Key": "one"}
    body = {"query": "once", "programs": [{"programId": programs[0], "place": 1}]}
    made = [shared.staff["reviewer"].post("/catalog/pins", body, **once) for _ in range(2)]
    assert made[0].json() == made[1].json()
    assert made[1].headers["idempotency-replayed"] == "true"


def test_a_merged_program_gives_its_place_to_the_one_that_stays(shared: SharedApi) -> None:
    reviewer = shared.staff["reviewer"]
    with session_factory(shared.database).begin() as session:
        staying, merged = (make(session, "published", title=f"Merged {n}").id for n in range(2))
    places = [[(merged, 3)], [(staying, 5), (merged, 2)], [(staying, 1), (merged, 4)]]
    paths = []
    for n, each in enumerate(places):
        placed = [{"programId": program_id, "place": place} for program_id, place in each]
        paths.append(f"/catalog/pins/{pin(reviewer, f'merging {n}', placed)['id']}")
    with session_factory(shared.database).begin() as session:
        merging.propose_pair(session, staying, merged, {})
        wanted = text("SELECT id FROM merge_proposals WHERE program_id = :id")
        merging.accept(session, session.scalar(wanted, {"id": staying}), EDITOR, keep_id=staying)
    found = [reviewer.get(path).json()["data"]["programs"] for path in paths]
    assert [[(p["id"], p["place"]) for p in each] for each in found] == [
        [(staying, 3)],
        [(staying, 2)],
        [(staying, 1)],
    ]
