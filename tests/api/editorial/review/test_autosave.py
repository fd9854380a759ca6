"""What is saved while somebody writes, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from requests import Response
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.programs import pending
from catalog.programs.sittings.folding import GAP, joined
from catalog.review.rights import Rights
from tests.support.accounts import add_account, signed_in
from tests.support.client import Client
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi


def _program(shared: SharedApi, status: str = "draft", **values: Any) -> int:
    with session_factory(shared.database).begin() as session:
        return make(session, status, **values).id


def _save(who: Client, number: int, tag: str, **fields: Any) -> Response:
    return who.patch(f"/catalog/programs/{number}/autosave", fields, **{"If-Match": tag})


def _open(who: Client, number: int) -> str:
    answer = who.get(f"/catalog/programs/{number}/autosave")
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


def _type(who: Client, number: int, tag: str, *titles: str) -> str:
    """Save one title after the other; return the last ETag."""
    for title in titles:
        answer = _save(who, number, tag, title=title)
        assert answer.status_code == 200, answer.text
        tag = answer.headers["ETag"]
    return tag


def _history(who: Client, number: int) -> list[tuple[str, str]]:
    """Return the revisions, newest first: action and title."""
    rows = who.get(f"/catalog/programs/{number}/revisions").json()["data"]
    return [(row["action"], row["snapshot"]["title"]) for row in rows]


def _events(who: Client, number: int) -> list[tuple[str, dict[str, Any]]]:
    rows = who.get(f"/catalog/programs/{number}/audit").json()["data"]
    return [(row["action"], row["diff"]) for row in rows]


def test_a_sitting_is_one_revision_and_one_event(shared: SharedApi) -> None:
    editor, number = shared.staff["editor"], _program(shared)
    tag = _type(editor, number, _open(editor, number), "A", "Ab", "Abc")
    answer = _save(editor, number, tag, description="Long", title="Abcd")
    program = answer.json()["data"]
    assert answer.headers["ETag"] == f'"{program["rev"]}"' == _open(editor, number)
    assert _history(editor, number) == [("autosave", "Abcd"), ("create", "A title")]
    assert _events(editor, number)[0] == (
        "program.autosave",
        {"title": ["A title", "Abcd"], "description": ["", "Long"]},
    )
    assert len(_events(editor, number)) == 2
    diff = editor.get(f"/catalog/programs/{number}/revisions/diff", **{"from": 1, "to": program["rev"]})
    assert diff.json()["data"] == {"title": ["A title", "Abcd"], "description": ["", "Long"]}
    # Nothing new: nothing is written.
    same = _save(editor, number, answer.headers["ETag"], title="Abcd")
    assert same.headers["ETag"] == answer.headers["ETag"]
    restored = editor.post(f"/catalog/programs/{number}/revisions/1/restore")
    assert restored.json()["data"]["title"] == "A title"


@pytest.mark.parametrize("interruption", ["another", "edit", "step", "pause", "comment"])
def test_what_ends_a_sitting(interruption: str, shared: SharedApi) -> None:
    editor, reviewer, number = shared.staff["editor"], shared.staff["reviewer"], _program(shared)
    path = f"/catalog/programs/{number}"
    tag = _type(editor, number, _open(editor, number), "A", "Ab")
    rev = int(tag.strip('"'))
    match interruption:
        case "another":
            tag = _type(reviewer, number, tag, "Theirs")
        case "edit":
            tag = editor.patch(path, {"season": 2}).headers["ETag"]
        case "step":
            editor.post(f"{path}/submit")
            tag = reviewer.post(f"{path}/reject").headers["ETag"]
        case "comment":
            assert reviewer.post(f"{path}/comments", {"body": "Go on."}).json()["data"]["rev"] == rev
        case "pause":
            with shared.database.begin() as connection:
                for table, column in (("program_revisions", "program_id"), ("audit_events", "entity_id")):
                    connection.execute(
                        text(f"UPDATE {table} SET at = at - CAST(:pause AS interval) WHERE {column} = :id"),
                        {"pause": GAP + timedelta(seconds=1), "id": number},
                    )
    tag = _type(editor, number, tag, "Abc", "Abcd")
    found = _history(editor, number)
    assert (found[0], found[-2:]) == (("autosave", "Abcd"), [("autosave", "Ab"), ("create", "A title")])
    assert [action for action, _ in found].count("autosave") == (3 if interruption == "another" else 2)
    first, *_ = [diff for action, diff in _events(editor, number) if action == "program.autosave"]
    assert first["title"][1] == "Abcd"
    events = [action for action, _ in _events(editor, number) if action == "program.autosave"]
    assert len(events) == [action for action, _ in found].count("autosave")


@pytest.mark.parametrize("who", ["editor", "reviewer"])
@pytest.mark.parametrize("status", ["published", "scheduled"])
def test_what_listeners_see_stays_as_it_is(who: str, status: str, shared: SharedApi) -> None:
    person, number = shared.staff[who], _program(shared, status)
    tag = _open(person, number)
    assert tag == '"2"'
    tag = _type(person, number, tag, "B", "Bc")
    answer = _save(person, number, tag, tags=["Direct"], title="Bcd")
    program, waiting = answer.json()["data"], answer.json()["pending"]
    assert (program["title"], program["tags"], program["rev"], program["status"]) == (
        "A title",
        [],
        2,
        status,
    )
    assert waiting["changes"] == {"title": "Bcd", "tags": ["Direct"]}
    assert answer.headers["ETag"] == f'"p{waiting["rev"]}"' == _open(person, number)
    assert [event for event in _events(person, number) if "autosave" in event[0]] == [
        ("program.pending_autosave", {"title": ["A title", "Bcd"], "tags": [[], ["Direct"]]})
    ]
    assert len(_history(person, number)) == 2
    # Back to what is live: nothing waits any more, and writing goes on from the program.
    back = _save(person, number, answer.headers["ETag"], tags=[], title="A title")
    assert (back.json()["pending"], back.headers["ETag"]) == (None, '"2"')


@pytest.mark.parametrize("status", ["draft", "published"])
def test_nobody_saves_over_what_they_have_not_read(status: str, shared: SharedApi) -> None:
    editor, number = shared.staff["editor"], _program(shared, status)
    token = add_account(shared.settings, shared.database, f"second-{status}", ["editor"])
    other = signed_in(shared.listener, token)
    tag = _open(editor, number)
    assert _open(other, number) == tag
    saved = _save(editor, number, tag, title="Mine")
    assert saved.status_code == 200
    for stale in (tag, '"p1000000000"', '"1000000000"'):
        refused = _save(other, number, stale, title="Theirs")
        assert (refused.status_code, refused.json()["code"]) == (412, "stale_revision")
    theirs = _save(other, number, _open(other, number), season=3)
    assert theirs.status_code == 200
    assert _save(editor, number, saved.headers["ETag"], title="Mine again").status_code == 412
    # The history has both authors.
    actors = [row["actor"] for row in editor.get(f"/catalog/programs/{number}/audit").json()["data"][:2]]
    assert len(set(actors)) == 2


@pytest.mark.parametrize("field", ["title", "tags"])
def test_a_conflict_is_settled_by_whoever_writes_the_field_again_and_not_by_a_page(
    field: str, shared: SharedApi
) -> None:
    editor, reviewer, number = shared.staff["editor"], shared.staff["reviewer"], _program(shared, "published")
    path, (mine, theirs) = f"/catalog/programs/{number}", ("Mine", "Theirs")
    waiting = {"title": mine, "tags": [mine]}
    tag = _save(editor, number, _open(editor, number), **waiting).headers["ETag"]
    live = {"title": theirs, "tags": [theirs]}
    assert reviewer.patch(path, {field: live[field]}).status_code == 200
    waiting["title"] = "Mine, longer"
    saved = _save(editor, number, tag, **waiting)
    assert saved.json()["pending"]["conflicts"] == [field]
    # What a bulk step adds waits, too.
    with session_factory(shared.database).begin() as session:
        values = {"tags": [mine, "Bulk"]}
        pending.change(session, number, values, EDITOR, Rights(may_publish=False), restates=False)
    waiting |= values
    shown = editor.get(f"{path}/pending")
    named = {"If-Match": shown.headers["ETag"]}
    refused = reviewer.post(f"{path}/pending/publish", **named)
    assert (refused.status_code, refused.json()["code"]) == (409, "pending_conflict")
    settled = editor.patch(f"{path}/pending", {field: waiting[field]}, **named)
    assert settled.json()["data"]["conflicts"] == []
    named = {"If-Match": settled.headers["ETag"]}
    assert reviewer.post(f"{path}/pending/publish", **named).status_code == 200


@pytest.mark.parametrize(("status", "is_free"), [("draft", True), ("archived", False)])
def test_an_address_that_was_typed_on_the_way_is_free_again(
    status: str, is_free: bool, shared: SharedApi
) -> None:
    editor, number = shared.staff["editor"], _program(shared, status)
    tag, typed = _open(editor, number), [f"{status}-{end}" for end in ("one", "one-t", "one-two")]
    for slug in typed:
        tag = _save(editor, number, tag, slug=slug).headers["ETag"]
    other = _program(shared)
    for slug, free in zip(typed, (is_free, is_free, False), strict=True):
        answer = _save(editor, other, _open(editor, other), slug=slug)
        assert (answer.status_code == 200) == free, slug
    # The address before the sitting is that of a revision.
    first = editor.get(f"/catalog/programs/{number}/revisions").json()["data"][-1]["snapshot"]["slug"]
    assert _save(editor, other, _open(editor, other), slug=first).status_code == 409


def test_writing_takes_a_submission_back_once(shared: SharedApi) -> None:
    editor, reviewer, number = shared.staff["editor"], shared.staff["reviewer"], _program(shared, "in_review")
    tag = _type(reviewer, number, _open(reviewer, number), "Checked")
    assert editor.get(f"/catalog/programs/{number}").json()["data"]["status"] == "in_review"
    # A field that needs no review leaves it where it is.
    tag = _save(editor, number, tag, tags=["Direct"]).headers["ETag"]
    assert editor.get(f"/catalog/programs/{number}").json()["data"]["status"] == "in_review"
    _type(editor, number, tag, "C", "Cd")
    assert [action for action, _ in _history(editor, number)] == [
        "autosave",
        "withdraw",
        "autosave",
        "autosave",
        "submit",
        "create",
    ]


@pytest.mark.parametrize(
    ("tag", "status", "code"),
    [
        (None, 428, "revision_required"),
        ("*", 428, "revision_required"),
        ('"p"', 400, "bad_request"),
        ('"x3"', 400, "bad_request"),
    ],
)
def test_an_etag_is_needed(tag: str | None, status: int, code: str, shared: SharedApi) -> None:
    headers = {} if tag is None else {"If-Match": tag}
    answer = shared.staff["editor"].patch(
        f"/catalog/programs/{_program(shared)}/autosave", {"title": "New"}, **headers
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_is_wrong_or_gone_is_refused(shared: SharedApi) -> None:
    editor, number = shared.staff["editor"], _program(shared)
    wrong = _save(editor, number, '"1"', title=" ")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "title")
    assert shared.staff["reviewer"].delete(f"/catalog/programs/{number}").status_code == 204
    assert _save(editor, number, '"2"', title="New").status_code == 404
    assert editor.get(f"/catalog/programs/{number}/autosave").status_code == 404


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ({"a": [1, 2]}, {"a": [2, 3]}, {"a": [1, 3]}),
        ({"a": [1, 2]}, {"a": [2, 1]}, {}),
        ({"a": [1, 2]}, {"b": [None, 1]}, {"a": [1, 2], "b": [None, 1]}),
    ],
)
def test_two_changes_are_joined(
    first: dict[str, object], second: dict[str, object], together: dict[str, object]
) -> None:
    assert joined(first, second) == together
