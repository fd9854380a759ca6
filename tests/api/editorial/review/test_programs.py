"""Pending revisions of programs over HTTP: who makes one, who reads it, and who makes it live."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine as Database

from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.editorial import created, read
from tests.support.importing import Importer
from tests.support.programs import make


@pytest.fixture
def path(staff: dict[str, Client]) -> str:
    """A published program."""
    path = f"/catalog/programs/{created(staff['reviewer'], tags=['one'])['id']}"
    assert staff["reviewer"].post(f"{path}/publish").status_code == 200
    return path


def title(listener: Client, path: str) -> str:
    """What listeners see."""
    answer = listener.get(path.replace("/catalog/", "/discovery/"))
    return str(answer.json()["data"]["title"])


@pytest.mark.slow
def test_an_editors_change_waits_and_a_reviewer_makes_it_live(
    listener: Client, staff: dict[str, Client], path: str
) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    before = title(listener, path)
    answer = editor.patch(path, {"title": "Other", "tags": ["two"]}, **read(editor, path))
    assert answer.status_code == 202
    body = answer.json()
    assert (body["data"]["title"], body["data"]["tags"]) == (before, ["two"])
    assert (body["pending"]["state"], body["pending"]["changes"]) == ("draft", {"title": "Other"})
    assert body["pending"]["authors"] == ["account:editor@example.com"]
    assert editor.get(path).json()["pending"] == body["pending"]
    found = editor.get(f"{path}/pending")
    assert (found.json()["data"], found.headers["etag"]) == (body["pending"], f'"{body["pending"]["rev"]}"')
    diff = editor.get(f"{path}/pending/diff").json()
    assert diff == {"data": {"title": [before, "Other"]}, "meta": {"conflicts": []}}
    preview = editor.get(f"{path}/pending/preview").json()["data"]
    shown = listener.get(path.replace("/catalog/", "/discovery/")).json()["data"]
    assert preview == shown | {"title": "Other", "rev": preview["rev"]}
    assert editor.post(f"{path}/pending/submit").json()["data"]["state"] == "in_review"
    listed = reviewer.get("/catalog/pending", state="in_review").json()["data"]
    assert [(row["entity"], row["title"], row["fields"]) for row in listed] == [
        ("program", before, ["title"])
    ]
    assert title(listener, path) == before
    approved = reviewer.post(f"{path}/pending/approve", **read(reviewer, f"{path}/pending"))
    assert (approved.status_code, approved.json()["data"]["title"]) == (200, "Other")
    assert approved.json()["pending"] is None
    assert title(listener, path) == "Other"
    assert editor.get(f"{path}/pending").status_code == 404
    assert editor.get(f"{path}/revisions").json()["data"][0]["action"] == "apply_pending"
    assert reviewer.get("/catalog/pending").json()["data"] == []


@pytest.mark.slow
def test_a_reviewer_changes_it_at_once_or_chooses_to_wait(
    listener: Client, staff: dict[str, Client], path: str
) -> None:
    reviewer = staff["reviewer"]
    assert reviewer.patch(path, {"title": "At once"}).status_code == 200
    assert title(listener, path) == "At once"
    waits = reviewer.patch(f"{path}/pending", {"title": "Later", "tags": ["later"]})
    assert (waits.status_code, waits.json()["data"]["changes"]) == (
        200,
        {"tags": ["later"], "title": "Later"},
    )
    assert title(listener, path) == "At once"
    # Nobody else wrote it, so it need not be named.
    assert reviewer.post(f"{path}/pending/publish").json()["data"]["tags"] == ["later"]
    assert title(listener, path) == "Later"


@pytest.mark.slow
@pytest.mark.parametrize("action", ["approve", "publish"])
def test_the_revision_that_was_read_is_named(
    action: str, listener: Client, staff: dict[str, Client], path: str
) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    before = title(listener, path)
    editor.patch(path, {"title": "Read"})
    seen = read(reviewer, f"{path}/pending")
    editor.patch(f"{path}/pending", {"title": "Unread"})
    editor.post(f"{path}/pending/submit")
    for headers, status, code in (
        ({}, 428, "revision_required"),
        ({"If-Match": "*"}, 428, "revision_required"),
        (seen, 412, "stale_revision"),
    ):
        refused = reviewer.post(f"{path}/pending/{action}", **headers)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert refused.json()["errors"][0]["field"] == "If-Match"
    assert title(listener, path) == before
    assert editor.post(f"{path}/pending/{action}", **read(editor, f"{path}/pending")).status_code == 403
    assert reviewer.post(f"{path}/pending/{action}", **read(editor, f"{path}/pending")).status_code == 200
    assert title(listener, path) == "Unread"


@pytest.mark.slow
@pytest.mark.parametrize("action", ["approve", "publish", "schedule"])
def test_the_revision_of_a_draft_is_named_too(action: str, staff: dict[str, Client]) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    path = f"/catalog/programs/{created(editor)['id']}"
    editor.post(f"{path}/submit")
    body = {"scheduledPublishAt": "2100-01-01T00:00:00Z"} if action == "schedule" else None
    for headers, status, code in (
        ({}, 428, "revision_required"),
        ({"If-Match": '"1"'}, 412, "stale_revision"),
    ):
        refused = reviewer.post(f"{path}/{action}", body, **headers)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert refused.json()["errors"][0]["field"] == "If-Match"
        assert refused.headers["etag"] == '"2"'
    assert reviewer.post(f"{path}/{action}", body, **read(reviewer, path)).status_code == 200


@pytest.mark.slow
def test_a_rejected_change_goes_back_with_a_comment(staff: dict[str, Client], path: str) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    editor.patch(path, {"title": "Other"})
    assert reviewer.post(f"{path}/pending/reject").json()["code"] == "illegal_transition"
    editor.post(f"{path}/pending/submit")
    rejected = reviewer.post(f"{path}/pending/reject", {"comment": "Too short."}).json()["data"]
    assert (rejected["state"], rejected["comment"]) == ("draft", "Too short.")
    assert editor.get(path).json()["pending"]["comment"] == "Too short."
    event = editor.get(f"{path}/audit").json()["data"][0]
    assert (event["action"], event["diff"]["comment"]) == ("program.pending_reject", [None, "Too short."])
    assert editor.delete(f"{path}/pending").status_code == 204
    assert editor.get(path).json()["pending"] is None


@pytest.mark.slow
def test_fields_that_changed_meanwhile_are_named(
    listener: Client, staff: dict[str, Client], path: str
) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    editor.patch(path, {"title": "Pending", "description": "More"})
    reviewer.patch(path, {"title": "Live"})
    found = editor.get(f"{path}/pending").json()["data"]
    assert found["conflicts"] == ["title"]
    assert editor.get(f"{path}/pending/diff").json()["data"]["title"] == ["Live", "Pending"]
    seen = read(reviewer, f"{path}/pending")
    refused = reviewer.post(f"{path}/pending/publish", **seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "pending_conflict")
    assert [error["field"] for error in refused.json()["errors"]] == ["title"]
    editor.patch(f"{path}/pending", {"title": "Live"}, **seen)
    assert reviewer.post(f"{path}/pending/publish", **read(reviewer, f"{path}/pending")).status_code == 200
    shown = listener.get(path.replace("/catalog/", "/discovery/")).json()["data"]
    assert (shown["title"], shown["description"]) == ("Live", "More")


@pytest.mark.slow
def test_an_older_revision_of_a_published_program_waits(
    listener: Client, staff: dict[str, Client], path: str
) -> None:
    first = title(listener, path)
    staff["reviewer"].patch(path, {"title": "Second"})
    restored = staff["editor"].post(f"{path}/revisions/1/restore")
    assert (restored.status_code, restored.json()["pending"]["changes"]) == (202, {"title": first})
    assert title(listener, path) == "Second"
    assert staff["reviewer"].post(f"{path}/revisions/1/restore").status_code == 200
    assert title(listener, path) == first


@pytest.mark.slow
def test_the_value_of_a_source_waits_too(
    listener: Client, staff: dict[str, Client], database: Database
) -> None:
    importer = Importer(database)
    row = b"externalId,title,language,mediaType,mediaUrl\n1,%s,en,audio,https://cdn.example/1.mp3\n"
    importer.go("csv", row % b"Source", namespace="n", policy="publish")
    path = f"/catalog/programs/{importer.programs()[0].id}"
    staff["reviewer"].patch(path, {"title": "Edited"})
    importer.go("csv", row % b"Source again", namespace="n", policy="publish")
    settled = staff["editor"].post(f"{path}/import-conflicts", {"field": "title", "keep": "source"})
    assert settled.json()["data"] == []
    assert title(listener, path) == "Edited"
    assert staff["editor"].get(path).json()["pending"]["changes"] == {"title": "Source again"}


@pytest.mark.slow
def test_an_import_without_the_right_to_publish_changes_nothing_that_is_live(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    importer = Importer(database)
    row = b"externalId,title,language,mediaType,mediaUrl,season\n1,%s,en,audio,https://cdn.example/1.mp3,%d\n"
    importer.go("csv", row % (b"Live", 1), namespace="n", policy="publish")
    path = f"/catalog/programs/{importer.programs()[0].id}"
    staff["editor"].patch(path, {"description": "By an editor"})
    run = importer.go("csv", row % (b"Unread", 2), namespace="n")
    assert [(item.outcome, item.code) for item in importer.items(run.id)] == [("updated", "pending")]
    assert title(listener, path) == "Live"
    found = staff["editor"].get(path).json()["pending"]
    assert found["changes"] == {"description": "By an editor", "season": 2, "title": "Unread"}
    assert found["authors"] == ["account:editor@example.com", f"import:import-{run.id}"]
    # What waits is what the source is compared with: nothing new is nothing to do, and a new value replaces it.
    again = importer.go("csv", row % (b"Unread", 2), namespace="n")
    assert [item.outcome for item in importer.items(again.id)] == ["unchanged"]
    importer.go("csv", row % (b"Unread and corrected", 2), namespace="n")
    assert staff["editor"].get(path).json()["pending"]["changes"]["title"] == "Unread and corrected"
    # What was refused stays refused: the next value of the source is a conflict, not a change.
    staff["reviewer"].delete(f"{path}/pending")
    later = importer.go("csv", row % (b"Unread for ever", 2), namespace="n")
    assert [item.outcome for item in importer.items(later.id)] == ["conflict"]
    assert title(listener, path) == "Live"


@pytest.mark.slow
def test_only_live_programs_have_pending_revisions(staff: dict[str, Client], database: Database) -> None:
    with session_factory(database).begin() as session:
        draft, scheduled = make(session).id, make(session, "scheduled").id
    editor = staff["editor"]

    def ask(program_id: int, **body: Any) -> int:
        return editor.patch(f"/catalog/programs/{program_id}/pending", body).status_code

    assert ask(draft, title="x") == 409
    assert ask(scheduled, title="x") == 200
    assert ask(999_999, title="x") == 404
    assert ask(scheduled, title="") == 422
    assert editor.get(f"/catalog/programs/{draft}/pending").status_code == 404
    # A change back to what listeners will see leaves nothing.
    answer = editor.patch(f"/catalog/programs/{scheduled}/pending", {"title": "A title"})
    assert (answer.status_code, answer.json()) == (200, {"data": None})


@pytest.mark.slow
def test_the_list_is_walked_by_kind_and_state(staff: dict[str, Client], database: Database) -> None:
    with session_factory(database).begin() as session:
        ids = [make(session, "published", title=f"Program {n}").id for n in range(3)]
    editor = staff["editor"]
    for program_id in ids:
        editor.patch(f"/catalog/programs/{program_id}", {"season": 1})
    editor.post(f"/catalog/programs/{ids[1]}/pending/submit")
    editor.post(f"/catalog/programs/{ids[2]}/pending/submit")
    staff["reviewer"].delete(f"/catalog/programs/{ids[2]}")
    page = editor.get("/catalog/pending", limit=1).json()
    rest = editor.get("/catalog/pending", limit=5, after=page["meta"]["nextCursor"]).json()
    # The one that was changed last comes last; a deleted program is left out.
    assert [row["id"] for row in page["data"] + rest["data"]] == [ids[0], ids[1]]
    assert [row["id"] for row in editor.get("/catalog/pending", state="draft").json()["data"]] == [ids[0]]
    assert editor.get("/catalog/pending", entity="series").json()["data"] == []
    assert editor.get("/catalog/pending", state="lost").status_code == 400


@pytest.mark.slow
def test_of_two_reviewers_at_once_one_publishes(staff: dict[str, Client], path: str) -> None:
    staff["editor"].patch(path, {"title": "Other"})
    reviewer, seen = staff["reviewer"], read(staff["reviewer"], f"{path}/pending")

    def publish(_: int) -> int:
        own = Client(reviewer.base, Authorization=str(reviewer.session.headers["Authorization"]))
        return own.post(f"{path}/pending/publish", **seen).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(publish, range(4))) == [200, 404, 404, 404]
    assert [row["action"] for row in reviewer.get(f"{path}/revisions").json()["data"]].count(
        "apply_pending"
    ) == 1
