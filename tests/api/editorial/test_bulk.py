"""Bulk steps over HTTP."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.taxonomy import categories
from tests.support.accounts import signed_in
from tests.support.client import Client
from tests.support.product import serve
from tests.support.programs import EDITOR, make
from tests.support.shared import SharedApi, apart


@pytest.mark.slow
def test_bulk_steps_have_an_outcome_for_every_program(staff: dict[str, Client], database: Database) -> None:
    with session_factory(database).begin() as session:
        drafts = [make(session).id for _ in range(3)]
        archived = make(session, "archived").id
    asked = [drafts[2], archived, drafts[0], 999_999, drafts[1]]
    step = {"action": "publish", "ids": asked}
    unnamed = staff["reviewer"].post("/catalog/programs/bulk", step).json()["data"]
    assert [item["code"] for item in unnamed if item["id"] in drafts] == ["revision_required"] * 3
    stale = staff["reviewer"].post("/catalog/programs/bulk", step | {"revs": [9] * 5}).json()["data"]
    assert [item["code"] for item in stale if item["id"] in drafts] == ["stale_revision"] * 3
    answer = staff["reviewer"].post("/catalog/programs/bulk", step | {"revs": [1, 3, 1, 1, 1]})
    data = answer.json()["data"]
    assert [item["id"] for item in data] == asked
    assert [item["ok"] for item in data] == [True, False, True, False, True]
    assert [item["code"] for item in data if not item["ok"]] == ["illegal_transition", "not_found"]
    assert answer.json()["meta"] == {"succeeded": 3, "failed": 2}
    with database.connect() as connection:
        rows = connection.execute(text("SELECT id, status FROM programs"))
        states: dict[int, str] = {row.id: row.status for row in rows}
    assert states == dict.fromkeys(drafts, "published") | {archived: "archived"}
    tagged = staff["reviewer"].post(
        "/catalog/programs/bulk", {"action": "tag", "ids": drafts, "tags": ["جديد"]}
    )
    assert tagged.json()["meta"] == {"succeeded": 3, "failed": 0}
    assert staff["editor"].get(f"/catalog/programs/{drafts[0]}").json()["data"]["tags"] == ["جديد"]
    for wrong in (
        {"action": "burn", "ids": [1]},
        {"action": "tag", "ids": [1]},
        {"action": "publish", "ids": []},
        {"action": "publish", "ids": [1] * 501},
        {"action": "publish", "ids": [1, 2], "revs": [1]},
    ):
        assert staff["reviewer"].post("/catalog/programs/bulk", wrong).status_code == 422


BULK = "/catalog/programs/bulk"


def _steps(shared: SharedApi, who: str, ids: list[int], **step: Any) -> list[dict[str, Any]]:
    answer = shared.staff[who].post(BULK, {"ids": ids} | step)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["data"]
    return items


def _made(shared: SharedApi, *states: str, **values: Any) -> list[int]:
    with session_factory(shared.database).begin() as session:
        return [make(session, state, **values).id for state in states]


@pytest.mark.parametrize(
    ("step", "states", "codes", "status"),
    [
        (
            {"action": "archive"},
            ("draft", "published", "archived"),
            [None, None, "illegal_transition"],
            "archived",
        ),
        ({"action": "restore"}, ("archived", "draft"), [None, "illegal_transition"], "draft"),
        ({"action": "delete"}, ("draft", "published"), [None, None], "deleted"),
        ({"action": "unschedule"}, ("scheduled",), [None], "draft"),
        (
            {"action": "reject", "comment": "Too short."},
            ("in_review", "draft"),
            [None, "illegal_transition"],
            "draft",
        ),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else None,
)
def test_every_step_has_its_outcome(
    step: dict[str, Any], states: tuple[str, ...], codes: list[str | None], status: str, shared: SharedApi
) -> None:
    ids = _made(shared, *states)
    items = _steps(shared, "reviewer", ids, **step)
    assert [item["code"] for item in items] == codes
    for item, before in zip(items, states, strict=True):
        if item["ok"]:
            assert item["changes"]["status"] == [before, status]
            assert "comment" not in item["changes"]
            assert item["status"] == (before if status == "deleted" else status)
        else:
            assert item["changes"] == {}


def test_many_programs_are_scheduled_and_tagged_and_put_into_a_category(shared: SharedApi) -> None:
    ids = _made(shared, "draft", "published", tags=["Old", "Kept"])
    with session_factory(shared.database).begin() as session:
        shelf = categories.create(session, {"name_ar": "رف", "name_en": "Bulk shelf"}, EDITOR).id
    revs = [1, 2]
    planned = _steps(
        shared, "reviewer", ids, action="schedule", revs=revs, scheduledPublishAt="2100-01-01T00:00:00Z"
    )
    assert [item["code"] for item in planned] == [None, "illegal_transition"]
    at = planned[0]["changes"].pop("scheduledPublishAt")
    assert (at[0], at[1][:19], planned[0]["changes"]) == (
        None,
        "2100-01-01T00:00:00",
        {"status": ["draft", "scheduled"]},
    )
    tagged = _steps(shared, "editor", ids, action="tag", tags=["New", "kept"])
    assert [item["changes"] for item in tagged] == [{"tags": [["Old", "Kept"], ["Old", "Kept", "New"]]}] * 2
    untagged = _steps(shared, "editor", ids, action="untag", tags=["OLD", "never there"])
    assert untagged[0]["changes"] == {"tags": [["Old", "Kept", "New"], ["Kept", "New"]]}
    moved = _steps(shared, "editor", [*ids, 10**9], action="categorise", categoryId=shelf)
    assert [item["code"] for item in moved] == [None, None, "not_found"]
    assert moved[1]["changes"] == {"categoryId": [None, shelf]}
    again = _steps(shared, "editor", ids, action="categorise", categoryId=shelf)
    assert [(item["ok"], item["changes"]) for item in again] == [(True, {})] * 2
    wrong = _steps(shared, "editor", ids, action="categorise", categoryId=10**9)
    assert {item["code"] for item in wrong} == {"validation_failed"}
    cleared = _steps(shared, "editor", ids, action="categorise", categoryId=None)
    assert cleared[0]["changes"] == {"categoryId": [shelf, None]}


def test_what_needs_a_review_waits_in_bulk_too(shared: SharedApi) -> None:
    (live,) = _made(shared, "published", tags=["Old"])
    careful = shared.settings.api.model_copy(update={"review_direct_fields": ""})
    with serve(replace(apart(shared.settings), api=careful)) as (client, _):
        editor = signed_in(client, shared.staff["editor"].session.headers["Authorization"].split()[1])
        before = ["Old"]
        for tag in ("One", "Two"):
            (item,) = editor.post(BULK, {"ids": [live], "action": "tag", "tags": [tag]}).json()["data"]
            changes = {"tags": [before, [*before, tag]]}
            assert (item["ok"], item["waits"], item["changes"]) == (True, True, changes)
            before.append(tag)
        waiting = editor.get(f"/catalog/programs/{live}/pending").json()["data"]["changes"]
        assert waiting == {"tags": ["Old", "One", "Two"]}
        shared.staff["reviewer"].patch(f"/catalog/programs/{live}", {"tags": ["Theirs"]})
        editor.post(BULK, {"ids": [live], "action": "tag", "tags": ["Three"]})
        assert editor.get(f"/catalog/programs/{live}/pending").json()["data"]["conflicts"] == ["tags"]
        untagged = {"ids": [live], "action": "untag", "tags": ["Old", "One", "Two", "Three"]}
        shared.staff["reviewer"].patch(f"/catalog/programs/{live}", {"tags": []})
        (item,) = editor.post(BULK, untagged).json()["data"]
        assert item["changes"] == {"tags": [["Old", "One", "Two", "Three"], []]}


@pytest.mark.parametrize("action", ["publish", "archive", "schedule", "delete", "approve"])
def test_steps_of_reviewers_are_refused_to_editors(action: str, shared: SharedApi) -> None:
    answer = shared.staff["editor"].post(BULK, {"ids": [1], "action": action})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ({"action": "withdraw"}, "action"),
        ({"action": "untag"}, "tags"),
        ({"action": "categorise"}, "categoryId"),
        ({"action": "schedule"}, "scheduledPublishAt"),
        ({"action": "schedule", "scheduledPublishAt": "2100-01-01T00:00:00"}, "scheduledPublishAt"),
    ],
)
def test_a_step_without_what_it_needs_is_refused(step: dict[str, Any], field: str, shared: SharedApi) -> None:
    answer = shared.staff["reviewer"].post(BULK, {"ids": [1]} | step)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_repeated_request_is_taken_once(shared: SharedApi) -> None:
    (draft,) = _made(shared, "draft")
    step, once = {"ids": [draft], "action": "tag", "tags": ["Once"]}, {"Idempotency-Key": "bulk-1"}
    first = shared.staff["editor"].post(BULK, step, **once)
    second = shared.staff["editor"].post(BULK, step, **once)
    assert first.json() == second.json()
    assert first.json()["data"][0]["changes"] == {"tags": [[], ["Once"]]}
    assert second.headers["Idempotency-Replayed"] == "true"
    other = shared.staff["editor"].post(BULK, step | {"tags": ["Twice"]}, **once)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
