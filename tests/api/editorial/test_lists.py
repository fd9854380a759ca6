"""Lists of programs and bulk steps over HTTP."""

from typing import Any

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


@pytest.mark.slow
@pytest.mark.parametrize("sort", ["-updatedAt", "updatedAt", "-createdAt", "createdAt", "id", "-id"])
def test_a_list_is_walked_to_its_end_without_holes(
    sort: str, staff: dict[str, Client], database: Database
) -> None:
    with session_factory(database).begin() as session:
        # One transaction: their times tie.
        ids = [make(session, title=f"Title {n}").id for n in range(23)]
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(10):
        given = {"cursor": cursor} if cursor else {}
        page = staff["editor"].get("/catalog/programs", sort=sort, limit=5, **given).json()
        seen += [row["id"] for row in page["data"]]
        cursor = page["meta"]["nextCursor"]
        if cursor is None:
            break
    assert sorted(seen) == ids
    assert len(seen) == len(set(seen))


@pytest.mark.slow
def test_lists_narrow_and_refuse(staff: dict[str, Client], database: Database) -> None:
    with session_factory(database).begin() as session:
        make(session, title="Coffee at dawn")
        featured = make(session, "published", title="قهوة الصباح", language="ar", is_featured=True)
        wanted = featured.id
    editor = staff["editor"]

    def ids(**given: Any) -> list[int]:
        return [row["id"] for row in editor.get("/catalog/programs", **given).json()["data"]]

    for given in (
        {"status": "published"},
        {"language": "ar"},
        {"featured": "true"},
        {"title": "قهوه"},
        {"title": "الصباح"},
    ):
        assert ids(**given) == [wanted], given
    assert ids(status="archived") == []
    for name, value in (
        ("status", "lost"),
        ("sort", "title"),
        ("limit", "101"),
        ("limit", "0"),
        ("limit", "ten"),
        ("cursor", "AAAA"),
        ("nonsense", "1"),
        ("categoryId", "x"),
    ):
        answer = editor.get("/catalog/programs", **{name: value})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name)
    page = editor.get("/catalog/programs", limit=1).json()
    other = editor.get("/catalog/programs", limit=1, status="draft", cursor=page["meta"]["nextCursor"])
    assert (other.status_code, other.json()["code"]) == (400, "invalid_cursor")
