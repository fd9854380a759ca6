"""An editor, who may not publish, tries every way to change what listeners see."""

from collections.abc import Callable

import pytest

from catalog.core.db import database_now, session_factory
from catalog.programs import editing, lifecycle
from catalog.programs.models import Program
from catalog.programs.pending import PROGRAMS
from catalog.taxonomy import categories, series
from tests.attack.conftest import Target
from tests.support.client import Client
from tests.support.programs import EDITOR, make

SECRET = "Nobody has read this"
CHANGE = {"title": SECRET, "description": SECRET, "mediaUrl": "https://evil.example/a.mp3", "slug": "unread"}
# (what is tried, how, and the statuses that say it did not happen)
TRIES: dict[str, tuple[Callable[[Client, str], int], set[int]]] = {
    "change": (lambda editor, at: editor.patch(at, CHANGE).status_code, {202}),
    "restore": (lambda editor, at: editor.post(f"{at}/revisions/1/restore").status_code, {202}),
    "change what waits": (lambda editor, at: editor.patch(f"{at}/pending", CHANGE).status_code, {200}),
    "publish what waits": (lambda editor, at: editor.post(f"{at}/pending/publish").status_code, {403}),
    "approve what waits": (lambda editor, at: editor.post(f"{at}/pending/approve").status_code, {403}),
    "bulk": (
        lambda editor, at: (
            editor.post(
                "/catalog/programs/bulk", {"action": "unpublish", "ids": [int(at.rpartition("/")[2])]}
            ).status_code
        ),
        {403},
    ),
    "autosave": (
        lambda editor, at: (
            editor.patch(
                f"{at}/autosave",
                {"title": SECRET, "tags": [SECRET]},
                **{"If-Match": editor.get(f"{at}/autosave").headers["etag"]},
            ).status_code
        ),
        {200},
    ),
    "merge a tag": (
        lambda editor, at: editor.post("/catalog/tags/1/merge", {"intoId": 2}).status_code,
        {403},
    ),
    "delete a tag": (lambda editor, at: editor.delete("/catalog/tags/1").status_code, {403}),
    "withdraw": (lambda editor, at: editor.post(f"{at}/unpublish").status_code, {403}),
    "archive": (lambda editor, at: editor.post(f"{at}/archive").status_code, {403}),
    "delete": (lambda editor, at: editor.delete(at).status_code, {403}),
    "rename a person": (
        lambda editor, at: editor.patch("/catalog/people/1", {"name": SECRET}).status_code,
        {403},
    ),
    "rename a tag": (lambda editor, at: editor.patch("/catalog/tags/1", {"name": SECRET}).status_code, {403}),
}


def _program(target: Target, status: str) -> int:
    """A reviewed program whose first revision nobody should see any more."""
    with session_factory(target.database).begin() as session:
        program = make(session, title=SECRET, description=SECRET, people=[("host", "Someone")], tags=["one"])
        editing.edit(session, program.id, {"title": "Reviewed", "description": ""}, EDITOR)
        at = database_now(session).replace(year=2100)
        action = {"published": "publish", "scheduled": "schedule", "in_review": "submit"}[status]
        lifecycle.transition(session, program.id, action, EDITOR, at=at)
        return program.id


def _live(target: Target, program_id: int) -> tuple[object, ...]:
    with session_factory(target.database)() as session:
        program = session.get_one(Program, program_id)
        return program.status, program.deleted_at, PROGRAMS.read(session, program_id)


@pytest.mark.slow
@pytest.mark.parametrize("status", ["published", "scheduled"])
def test_no_request_of_an_editor_changes_what_listeners_see_or_will_see(target: Target, status: str) -> None:
    program_id = _program(target, status)
    before = _live(target, program_id)
    for what, (attempt, refused) in TRIES.items():
        assert attempt(target.staff("editor"), f"/catalog/programs/{program_id}") in refused, what
        assert _live(target, program_id) == before, what
    if status == "published":
        shown = target.listener().get(f"/discovery/programs/{program_id}")
        assert (shown.json()["data"]["title"], SECRET in shown.text) == ("Reviewed", False)


@pytest.mark.slow
def test_the_text_cannot_change_between_reading_and_approving(target: Target) -> None:
    editor, reviewer = target.staff("editor"), target.staff("reviewer")
    program_id = _program(target, "in_review")
    address = f"/catalog/programs/{program_id}"
    seen = {"If-Match": reviewer.get(address).headers["etag"]}
    assert editor.patch(address, {"title": SECRET}).json()["data"]["status"] == "draft"
    codes = [reviewer.post(f"{address}/approve", **headers).status_code for headers in ({}, seen)]
    editor.post(f"{address}/submit")
    for action in ("approve", "publish", "schedule"):
        at = {"scheduledPublishAt": "2100-01-01T00:00:00Z"} if action == "schedule" else None
        codes += [reviewer.post(f"{address}/{action}", at, **headers).status_code for headers in ({}, seen)]
    assert codes == [409, 412] + [428, 412] * 3
    assert target.listener().get(f"/discovery/programs/{program_id}").status_code == 404


@pytest.mark.slow
def test_a_change_that_waits_cannot_change_between_reading_and_approving(target: Target) -> None:
    editor, reviewer = target.staff("editor"), target.staff("reviewer")
    program_id = _program(target, "published")
    address = f"/catalog/programs/{program_id}"
    editor.patch(address, {"title": "Harmless"})
    editor.post(f"{address}/pending/submit")
    seen = {"If-Match": reviewer.get(f"{address}/pending").headers["etag"]}
    # Discarded and written anew, so that its number might be the one that was read.
    editor.delete(f"{address}/pending")
    editor.patch(address, {"title": SECRET})
    editor.post(f"{address}/pending/submit")
    codes = [
        reviewer.post(f"{address}/pending/{action}", **headers).status_code
        for action in ("approve", "publish")
        for headers in ({}, seen)
    ]
    assert codes == [428, 412] * 2
    assert target.listener().get(f"/discovery/programs/{program_id}").json()["data"]["title"] == "Reviewed"


@pytest.mark.slow
def test_the_names_of_series_and_categories_do_not_change(target: Target) -> None:
    with session_factory(target.database).begin() as session:
        show = series.create(session, {"title": "Reviewed show", "language": "en"}, EDITOR).id
        shelf = categories.create(session, {"name_ar": "رف", "name_en": "Reviewed shelf"}, EDITOR).id
        make(session, "published", series_id=show, category_id=shelf)
    editor = target.staff("editor")
    tries = [
        editor.patch(f"/catalog/series/{show}", {"title": SECRET, "description": SECRET}),
        editor.patch(f"/catalog/series/{show}/pending", {"title": SECRET}),
        editor.post(f"/catalog/series/{show}/pending/publish"),
        editor.delete(f"/catalog/series/{show}"),
        editor.patch(f"/catalog/categories/{shelf}", {"nameEn": SECRET}),
        editor.patch(f"/catalog/categories/{shelf}/pending", {"nameEn": SECRET}),
        editor.post(f"/catalog/categories/{shelf}/pending/approve"),
        editor.delete(f"/catalog/categories/{shelf}"),
    ]
    assert [answer.status_code for answer in tries] == [202, 200, 403, 403, 403, 200, 403, 403]
    shown = target.listener().get(f"/discovery/series/{show}")
    assert (shown.json()["data"]["title"], SECRET in shown.text) == ("Reviewed show", False)
    assert SECRET not in target.listener().get("/discovery/categories").text


def test_an_import_of_an_editor_changes_nothing_that_is_live(target: Target) -> None:
    file = b"externalId,title,language,mediaType,mediaUrl\n1,x,en,audio,https://cdn.example/1.mp3\n"
    headers = {"Content-Type": "text/csv"}
    upload = "/catalog/imports/upload?sourceType=csv&options="
    refused = target.staff("editor").ask("POST", upload + '{"policy":"publish"}', data=file, headers=headers)
    assert refused.status_code == 403
    sources = {"url": "https://feed.example/", "options": {"policy": "publish"}}
    assert target.staff("editor").post("/catalog/import-sources", sources).status_code == 403
