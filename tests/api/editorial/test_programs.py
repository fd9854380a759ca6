"""Editors' requests: what is written, what is refused, and that a refusal writes nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from tests.support.client import Client
from tests.support.editorial import DRAFT, created, programs, read
from tests.support.shared import SharedApi


def test_a_draft_is_made_whole(staff: dict[str, Client]) -> None:
    answer = staff["editor"].post(
        "/catalog/programs",
        DRAFT
        | {
            "description": "وصف",
            "durationSec": 1800,
            "releaseDate": "2025-03-01T18:00:00+03:00",
            "mediaUrl": "https://media.example/a.mp3",
            "season": 1,
            "episode": 2,
            "tags": ["قهوة", "مساء", "قهوة"],
            "people": [{"name": "سارة", "role": "host"}, {"name": "Omar"}],
            "isFeatured": True,
        },
    )
    program = answer.json()["data"]
    assert answer.headers["location"] == f"/catalog/programs/{program['id']}"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "no-store"
    assert program["status"] == "draft"
    assert program["slug"] == "قهوة-المساء"
    assert program["releaseDate"] == "2025-03-01T15:00:00Z"
    assert program["tags"] == ["قهوة", "مساء"]
    assert program["people"] == [{"name": "سارة", "role": "host"}, {"name": "Omar", "role": "guest"}]
    assert staff["editor"].get(f"/catalog/programs/{program['id']}").json()["data"] == program
    assert created(staff["editor"])["slug"] != program["slug"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 1000}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"language": "arabic please"}, "language"),
        ({"mediaType": "smell"}, "mediaType"),
        ({"kind": "poem"}, "kind"),
        ({"durationSec": -1}, "durationSec"),
        ({"durationSec": 10**12}, "durationSec"),
        ({"mediaUrl": "javascript:alert(1)"}, "mediaUrl"),
        ({"thumbnailUrl": "file:///etc/passwd"}, "thumbnailUrl"),
        ({"categoryId": 999}, "categoryId"),
        ({"seriesId": 999}, "seriesId"),
        ({"season": -1}, "season"),
        ({"tags": ["x" * 500]}, "tags"),
        ({"people": [{"name": "A", "role": "king"}]}, "people"),
        ({"slug": "!!!"}, "slug"),
        ({"releaseDate": "2025-03-01T18:00:00"}, "releaseDate"),
        ({"title": 7}, "title"),
        ({"nonsense": True}, "nonsense"),
        ({"tags": "coffee"}, "tags"),
    ],
)
def test_wrong_fields_are_named_and_nothing_is_written(
    change: dict[str, Any], field: str, shared: SharedApi
) -> None:
    answer = shared.staff["editor"].post("/catalog/programs", DRAFT | change)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["code"] == "validation_failed"
    assert any(field in error["field"] for error in problem["errors"]), problem
    assert programs(shared.database) == 0
    with shared.database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM tags")) == 0


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{not json", "application/json", (400, "malformed_body")),
        (b"", "application/json", (400, "malformed_body")),
        (b"[1, 2]", "application/json", (422, "validation_failed")),
        (b'{"title": "\xff"}', "application/json", (400, "malformed_body")),
        (b'{"title": "' + b"x" * 1_100_000 + b'"}', "application/json", (413, "body_too_large")),
        (b"[" * 100_000, "application/json", (400, "malformed_body")),
    ],
)
def test_unreadable_bodies(
    body: bytes, content_type: str, expected: tuple[int, str], shared: SharedApi
) -> None:
    # The server closes a connection whose body it did not read: the next request must not meet its end.
    headers = {"Content-Type": content_type, "Connection": "close"}
    answer = shared.staff["editor"].ask("POST", "/catalog/programs", data=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == expected, answer.text
    assert programs(shared.database) == 0


def test_an_idempotency_key_creates_once(staff: dict[str, Client], database: Database) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    key = {"Idempotency-Key": "5f0c1f5e"}
    first = editor.post("/catalog/programs", DRAFT, **key)
    again = editor.post("/catalog/programs", DRAFT, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    other = editor.post("/catalog/programs", DRAFT | {"title": "Other"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert programs(database) == 1
    # A key belongs to whom it was sent by.
    assert reviewer.post("/catalog/programs", DRAFT, **key).json()["data"]["id"] != first.json()["data"]["id"]
    assert programs(database) == 2
    refused = editor.post("/catalog/programs", DRAFT | {"title": ""}, **{"Idempotency-Key": "two"})
    assert refused.status_code == 422
    # What was refused left no answer behind: the same key may be used for the corrected request.
    assert editor.post("/catalog/programs", DRAFT, **{"Idempotency-Key": "two"}).status_code == 201
    assert editor.post("/catalog/programs", DRAFT, **{"Idempotency-Key": "x" * 300}).status_code == 400


@pytest.mark.slow
def test_one_key_sent_by_many_at_once_creates_once(staff: dict[str, Client], database: Database) -> None:
    editor = staff["editor"]

    def send(_: int) -> tuple[int, bytes]:
        own = Client(editor.base, Authorization=str(editor.session.headers["Authorization"]))
        answer = own.post("/catalog/programs", DRAFT, **{"Idempotency-Key": "once"})
        return answer.status_code, answer.content

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(16)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 201
    assert programs(database) == 1


@pytest.mark.slow
def test_the_whole_life_of_a_program(staff: dict[str, Client]) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    path = f"/catalog/programs/{created(editor)['id']}"

    def step(person: Client, action: str, body: Any = None) -> str:
        # Whoever publishes what somebody else wrote names the revision.
        rev = editor.get(path).headers.get("etag", "*")
        answer = person.post(f"{path}/{action}", body, **{"If-Match": rev})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["status"])

    assert step(editor, "submit") == "in_review"
    assert step(reviewer, "reject") == "draft"
    at = {"scheduledPublishAt": "2100-01-01T00:00:00Z"}
    assert step(reviewer, "schedule", at) == "scheduled"
    assert step(reviewer, "unschedule") == "draft"
    assert step(reviewer, "publish") == "published"
    assert step(reviewer, "unpublish") == "draft"
    assert step(reviewer, "archive") == "archived"
    assert step(reviewer, "restore") == "draft"
    again = reviewer.post(f"{path}/unpublish")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")
    assert reviewer.delete(path).status_code == 204
    assert editor.get(path).status_code == 404
    assert step(reviewer, "undelete") == "draft"
    naive = reviewer.post(f"{path}/schedule", {"scheduledPublishAt": "2100-01-01T00:00:00"})
    assert naive.json()["errors"][0]["field"] == "scheduledPublishAt"
    past = reviewer.post(
        f"{path}/schedule", {"scheduledPublishAt": "2001-01-01T00:00:00Z"}, **read(editor, path)
    )
    assert (past.status_code, past.json()["errors"][0]["field"]) == (422, "scheduledPublishAt")
    history = editor.get(f"{path}/audit").json()["data"]
    actions = [event["action"] for event in reversed(history)]
    assert actions == [
        "program.create",
        "program.submit",
        "program.reject",
        "program.schedule",
        "program.unschedule",
        "program.publish",
        "program.unpublish",
        "program.archive",
        "program.restore",
        "program.delete",
        "program.undelete",
    ]
    assert {event["actor"] for event in history} == {"editor@example.com", "reviewer@example.com"}
    assert all(event["requestId"] for event in history)
