"""Threads of comments on programs, over HTTP."""

from typing import Any

import pytest

from api.editorial.review.comments import LAST_REPLIES
from catalog.core.actor import Actor
from catalog.core.db import session_factory
from catalog.programs import lifecycle, pending
from catalog.review import comments
from catalog.review.rights import ReviewerNeeded, Rights
from tests.support.client import Client
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi


def _program(shared: SharedApi, status: str = "draft") -> int:
    with session_factory(shared.database).begin() as session:
        return make(session, status).id


def _threads(who: Client, program_id: int, **given: Any) -> list[dict[str, Any]]:
    answer = who.get(f"/catalog/programs/{program_id}/comments", **given)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def test_a_thread_is_begun_answered_resolved_and_reopened(shared: SharedApi) -> None:
    editor, reviewer, number = shared.staff["editor"], shared.staff["reviewer"], _program(shared, "published")
    with session_factory(shared.database).begin() as session:
        waiting = pending.propose(session, number, {"title": "Pending"}, EDITOR)
        assert waiting is not None
        pending_rev = waiting.rev
    path = f"/catalog/programs/{number}/comments"
    begun = reviewer.post(path, {"body": " Too long. ", "field": "title"})
    assert begun.status_code == 201, begun.text
    thread = begun.json()["data"]
    assert (thread["body"], thread["field"], thread["rev"], thread["pendingRev"], thread["kind"]) == (
        "Too long.",
        "title",
        2,
        pending_rev,
        "comment",
    )
    assert begun.headers["Location"] == f"{path}/{thread['id']}"
    answered = editor.post(f"{path}/{thread['id']}/replies", {"body": "Shortened."}).json()["data"]
    assert [reply["body"] for reply in answered["replies"]] == ["Shortened."]
    assert _threads(editor, number) == [answered]
    (row,) = [
        row for row in editor.get("/catalog/programs", commented="true").json()["data"] if row["id"] == number
    ]
    assert row["openThreads"] == 1
    assert editor.post(f"{path}/{thread['id']}/resolve").status_code == 403
    resolved = reviewer.post(f"{path}/{thread['id']}/resolve").json()["data"]
    assert resolved["resolvedBy"] == "account:reviewer@example.com"
    assert reviewer.post(f"{path}/{thread['id']}/resolve").json()["data"] == resolved
    assert (_threads(editor, number, state="open"), _threads(editor, number, state="resolved")) == (
        [],
        [resolved],
    )
    listed = editor.get("/catalog/programs", commented="true").json()["data"]
    assert number not in [row["id"] for row in listed]
    reopened = reviewer.post(f"{path}/{thread['id']}/reopen").json()["data"]
    assert (reopened["resolvedAt"], reopened["resolvedBy"]) == (None, None)
    actions = [row["action"] for row in editor.get(f"/catalog/programs/{number}/audit").json()["data"]]
    assert actions[:4] == [
        "program.reopen_comment",
        "program.resolve_comment",
        "program.reply",
        "program.comment",
    ]
    # No revision has changed by it.
    assert editor.get(f"/catalog/programs/{number}").json()["data"]["rev"] == 2


def test_whoever_begins_a_thread_settles_it(shared: SharedApi) -> None:
    number, editor = _program(shared), shared.staff["editor"]
    path = f"/catalog/programs/{number}/comments"
    once = {"Idempotency-Key": "thread-1"}
    first = editor.post(path, {"body": "Is the date right?"}, **once).json()["data"]
    assert editor.post(path, {"body": "Is the date right?"}, **once).json()["data"] == first
    assert len(_threads(editor, number)) == 1
    assert editor.post(f"{path}/{first['id']}/resolve").json()["data"]["resolvedAt"]
    everywhere = editor.get("/catalog/comments", state="resolved").json()["data"]
    (there,) = [thread for thread in everywhere if thread["id"] == first["id"]]
    assert (there["programId"], there["programTitle"]) == (number, "A title")


def test_a_list_has_the_last_replies_of_each_thread(shared: SharedApi) -> None:
    editor, number = shared.staff["editor"], _program(shared)
    with session_factory(shared.database).begin() as session:
        threads = [comments.begin(session, number, "?", EDITOR, comments.About(1)).id for _ in range(2)]
        for thread, many in zip(threads, (LAST_REPLIES + 2, 1), strict=True):
            for n in range(many):
                comments.reply(session, number, thread, f"{n}", EDITOR)
    short, long = _threads(editor, number)
    assert (long["replyCount"], short["replyCount"]) == (LAST_REPLIES + 2, 1)
    assert [reply["body"] for reply in long["replies"]] == [f"{n}" for n in range(2, LAST_REPLIES + 2)]
    whole = editor.get(f"/catalog/programs/{number}/comments/{long['id']}").json()["data"]
    assert len(whole["replies"]) == whole["replyCount"] == LAST_REPLIES + 2


def test_two_keys_of_one_name_are_two_people(shared: SharedApi) -> None:
    number = _program(shared)
    key, other = (Actor("api_key", n, "nightly") for n in (1, 2))
    with session_factory(shared.database).begin() as session:
        thread = comments.begin(session, number, "?", key, comments.About(1)).id
        with pytest.raises(ReviewerNeeded):
            comments.settle(session, number, thread, other, Rights(may_publish=False), is_resolved=True)
        comments.settle(session, number, thread, key, Rights(may_publish=False), is_resolved=True)


@pytest.mark.parametrize("status", ["in_review", "published"])
def test_rejecting_with_a_comment_begins_a_thread(status: str, shared: SharedApi) -> None:
    number, reviewer = _program(shared, status), shared.staff["reviewer"]
    path = f"/catalog/programs/{number}"
    if status == "published":
        with session_factory(shared.database).begin() as session:
            pending.propose(session, number, {"title": "Pending"}, EDITOR)
        path += "/pending"
        assert shared.staff["editor"].post(f"{path}/submit").status_code == 200
    assert reviewer.post(f"{path}/reject", {"comment": "The host is missing."}).status_code == 200
    (thread,) = _threads(reviewer, number)
    assert (thread["kind"], thread["body"], thread["rev"]) == ("rejection", "The host is missing.", 2)
    assert (thread["pendingRev"] is not None) == (status == "published")
    assert (
        shared.staff["editor"].post(f"/catalog/programs/{number}/comments/{thread['id']}/resolve").status_code
        == 403
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": " "}, "body"),
        ({"body": "x" * 2001}, "body"),
        ({"body": "x", "field": "colour"}, "field"),
        ({}, "body"),
    ],
)
def test_a_comment_that_says_nothing_is_refused(body: dict[str, str], field: str, shared: SharedApi) -> None:
    answer = shared.staff["editor"].post(f"/catalog/programs/{_program(shared)}/comments", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text


def test_a_thread_belongs_to_its_program(shared: SharedApi) -> None:
    editor = shared.staff["editor"]
    one, other = _program(shared), _program(shared)
    thread = editor.post(f"/catalog/programs/{one}/comments", {"body": "Here."}).json()["data"]["id"]
    reply = editor.post(f"/catalog/programs/{one}/comments/{thread}/replies", {"body": "There."}).json()
    not_begun = reply["data"]["replies"][0]["id"]
    for program, number in ((other, thread), (one, not_begun), (one, 10**9)):
        path = f"/catalog/programs/{program}/comments/{number}"
        assert editor.get(path).status_code == 404
        assert editor.post(f"{path}/replies", {"body": "Where?"}).status_code == 404
        assert editor.post(f"{path}/resolve").status_code == 404
    assert editor.get(f"/catalog/programs/{10**9}/comments").status_code == 404
    with session_factory(shared.database).begin() as session:
        lifecycle.transition(session, one, "delete", EDITOR)
    assert editor.post(f"/catalog/programs/{one}/comments", {"body": "Gone."}).status_code == 404
    assert len(_threads(editor, one)) == 1


def test_a_program_has_room_for_so_many_comments(shared: SharedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comments, "MAX_COMMENTS", 1)
    path, editor = f"/catalog/programs/{_program(shared)}/comments", shared.staff["editor"]
    assert editor.post(path, {"body": "One."}).status_code == 201
    answer = editor.post(path, {"body": "Two."})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
