"""Bulk steps over HTTP."""

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.core.db import session_factory
from tests.support.client import Client
from tests.support.programs import make


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
