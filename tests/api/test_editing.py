"""Editors' requests: what is written, what is refused, and that a refusal writes nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from catalog.db import session_factory
from tests.catalog.support import make
from tests.support.product import Client

DRAFT = {"title": "قهوة المساء", "language": "ar", "mediaType": "audio", "kind": "episode"}


def created(person: Client, **changed: Any) -> dict[str, Any]:
    answer = person.post("/catalog/programs", DRAFT | changed)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def programs(database: Database) -> int:
    with database.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM programs")) or 0)


def test_a_draft_is_made_whole(staff: dict[str, Client]) -> None:
    answer = staff["editor"].post(
        "/catalog/programs",
        DRAFT
        | {
            "description": "وصف", "durationSec": 1800, "releaseDate": "2025-03-01T18:00:00+03:00",
            "mediaUrl": "https://media.example/a.mp3", "season": 1, "episode": 2, "tags": ["قهوة", "مساء", "قهوة"],
            "people": [{"name": "سارة", "role": "host"}, {"name": "Omar"}], "isFeatured": True,
        },
    )  # fmt: skip
    program = answer.json()["data"]
    assert answer.headers["location"] == f"/catalog/programs/{program['id']}"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "no-store"
    assert program["status"] == "draft"
    assert program["slug"] == "قهوة-المساء"
    assert program["releaseDate"] == "2025-03-01T15:00:00Z"
    assert program["tags"] == ["قهوة", "مساء"]
    assert program["people"] == [
        {"name": "سارة", "role": "host"},
        {"name": "Omar", "role": "guest"},
    ]
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
    change: dict[str, Any], field: str, staff: dict[str, Client], database: Database
) -> None:
    answer = staff["editor"].post("/catalog/programs", DRAFT | change)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["code"] == "validation_failed"
    assert any(field in error["field"] for error in problem["errors"]), problem
    assert programs(database) == 0
    with database.connect() as connection:
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
    body: bytes, content_type: str, expected: tuple[int, str], staff: dict[str, Client], database: Database
) -> None:  # fmt: skip
    answer = staff["editor"].ask(
        "POST", "/catalog/programs", data=body, headers={"Content-Type": content_type}
    )
    assert (answer.status_code, answer.json()["code"]) == expected, answer.text
    assert programs(database) == 0


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
    assert reviewer.post("/catalog/programs", DRAFT, **key).json()["data"]["id"] != first.json()["data"]["id"]  # fmt: skip
    assert programs(database) == 2
    refused = editor.post("/catalog/programs", DRAFT | {"title": ""}, **{"Idempotency-Key": "two"})
    assert refused.status_code == 422
    # What was refused left no answer behind: the same key may be used for the corrected request.
    assert editor.post("/catalog/programs", DRAFT, **{"Idempotency-Key": "two"}).status_code == 201
    assert editor.post("/catalog/programs", DRAFT, **{"Idempotency-Key": "x" * 300}).status_code == 400  # fmt: skip


def test_one_key_sent_by_many_at_once_creates_once(
    staff: dict[str, Client], database: Database
) -> None:
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


def test_an_older_revision_is_refused(staff: dict[str, Client]) -> None:
    editor = staff["editor"]
    program = created(editor)
    path = f"/catalog/programs/{program['id']}"
    changed = editor.patch(path, {"title": "Second"}, **{"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    stale = editor.patch(path, {"title": "Third"}, **{"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_revision")
    assert stale.headers["etag"] == '"2"'
    assert editor.get(path).json()["data"]["title"] == "Second"
    for action in ("submit",):
        assert editor.post(f"{path}/{action}", **{"If-Match": '"1"'}).status_code == 412
    assert staff["reviewer"].delete(path, **{"If-Match": '"1"'}).status_code == 412
    assert editor.patch(path, {"title": "Third"}, **{"If-Match": "*"}).status_code == 200
    wrong = editor.patch(path, {"title": "Fourth"}, **{"If-Match": "three"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "If-Match")


def test_two_editors_at_once_one_wins(staff: dict[str, Client]) -> None:
    editor = staff["editor"]
    path = f"/catalog/programs/{created(editor)['id']}"

    def send(n: int) -> int:
        own = Client(editor.base, Authorization=str(editor.session.headers["Authorization"]))
        return own.patch(path, {"title": f"By {n}"}, **{"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(send, range(8)))
    assert codes == [200] + [412] * 7
    assert editor.get(path).json()["data"]["rev"] == 2


def test_the_whole_life_of_a_program(staff: dict[str, Client]) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    path = f"/catalog/programs/{created(editor)['id']}"

    def step(person: Client, action: str, body: Any = None) -> str:
        answer = person.post(f"{path}/{action}", body)
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
    past = reviewer.post(f"{path}/schedule", {"scheduledPublishAt": "2001-01-01T00:00:00Z"})
    assert (past.status_code, past.json()["errors"][0]["field"]) == (422, "scheduledPublishAt")
    history = editor.get(f"{path}/audit").json()["data"]
    actions = [event["action"] for event in reversed(history)]
    assert actions == ["program.create", "program.submit", "program.reject", "program.schedule", "program.unschedule",
                       "program.publish", "program.unpublish", "program.archive", "program.restore", "program.delete",
                       "program.undelete"]  # fmt: skip
    assert {event["actor"] for event in history} == {"editor@example.com", "reviewer@example.com"}
    assert all(event["requestId"] for event in history)


def test_revisions_differ_and_come_back(staff: dict[str, Client]) -> None:
    editor = staff["editor"]
    path = f"/catalog/programs/{created(editor, tags=['one'])['id']}"
    editor.patch(path, {"title": "Second", "tags": ["two"]})
    editor.patch(path, {"description": "More"})
    page = editor.get(f"{path}/revisions", limit=2).json()
    assert [row["rev"] for row in page["data"]] == [3, 2]
    rest = editor.get(f"{path}/revisions", limit=2, before=page["meta"]["nextCursor"]).json()
    assert [row["rev"] for row in rest["data"]] == [1]
    assert rest["meta"]["nextCursor"] is None
    diff = editor.get(f"{path}/revisions/diff", **{"from": 1, "to": 2}).json()["data"]
    assert diff["title"] == [DRAFT["title"], "Second"]
    assert diff["tags"] == [["one"], ["two"]]
    assert "description" not in diff
    restored = editor.post(f"{path}/revisions/1/restore").json()["data"]
    assert (restored["title"], restored["tags"], restored["description"]) == (DRAFT["title"], ["one"], "")  # fmt: skip
    assert restored["rev"] == 4
    assert editor.get(f"{path}/revisions/diff", **{"from": 1, "to": 99}).status_code == 404
    assert editor.get(f"{path}/revisions/diff", **{"from": 1}).status_code == 400


def test_bulk_steps_have_an_outcome_for_every_program(
    staff: dict[str, Client], database: Database
) -> None:
    with session_factory(database).begin() as session:
        drafts = [make(session).id for _ in range(3)]
        archived = make(session, "archived").id
    asked = [drafts[2], archived, drafts[0], 999_999, drafts[1]]
    answer = staff["reviewer"].post("/catalog/programs/bulk", {"action": "publish", "ids": asked})
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
    for wrong in ({"action": "burn", "ids": [1]}, {"action": "tag", "ids": [1]},
                  {"action": "publish", "ids": []}, {"action": "publish", "ids": [1] * 501}):  # fmt: skip
        assert staff["reviewer"].post("/catalog/programs/bulk", wrong).status_code == 422


@pytest.mark.parametrize("sort", ["-updatedAt", "updatedAt", "-createdAt", "createdAt", "id", "-id"])  # fmt: skip
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


def test_lists_narrow_and_refuse(staff: dict[str, Client], database: Database) -> None:
    with session_factory(database).begin() as session:
        make(session, title="Coffee at dawn")
        featured = make(session, "published", title="قهوة الصباح", language="ar", is_featured=True)
        wanted = featured.id
    editor = staff["editor"]

    def ids(**given: Any) -> list[int]:
        return [row["id"] for row in editor.get("/catalog/programs", **given).json()["data"]]

    for given in ({"status": "published"}, {"language": "ar"}, {"featured": "true"},
                  {"title": "قهوه"}, {"title": "الصباح"}):  # fmt: skip
        assert ids(**given) == [wanted], given
    assert ids(status="archived") == []
    for name, value in (("status", "lost"), ("sort", "title"), ("limit", "101"), ("limit", "0"),
                        ("limit", "ten"), ("cursor", "AAAA"), ("nonsense", "1"), ("categoryId", "x")):  # fmt: skip
        answer = editor.get("/catalog/programs", **{name: value})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, name)
    page = editor.get("/catalog/programs", limit=1).json()
    other = editor.get("/catalog/programs", limit=1, status="draft", cursor=page["meta"]["nextCursor"])  # fmt: skip
    assert (other.status_code, other.json()["code"]) == (400, "invalid_cursor")


def test_categories_series_tags_and_people(staff: dict[str, Client]) -> None:
    editor, reviewer = staff["editor"], staff["reviewer"]
    category = reviewer.post("/catalog/categories", {"nameAr": "تاريخ", "nameEn": "History"})
    assert category.status_code == 201
    number = category.json()["data"]["id"]
    assert category.json()["data"]["slug"] == "history"
    taken = reviewer.post("/catalog/categories", {"nameAr": "ت", "nameEn": "X", "slug": "history"})
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "slug")
    series = editor.post("/catalog/series", {"title": "حكايات", "language": "ar", "categoryId": number})  # fmt: skip
    show = series.json()["data"]
    program = created(editor, categoryId=number, seriesId=show["id"], season=1, episode=1, tags=["تمر"],
                      people=[{"name": "Omar", "role": "host"}])  # fmt: skip
    assert program["category"] == {"id": number, "slug": "history", "nameAr": "تاريخ", "nameEn": "History"}  # fmt: skip
    for path in (f"/catalog/categories/{number}", f"/catalog/series/{show['id']}"):
        held = reviewer.delete(path)
        assert (held.status_code, held.json()["code"]) == (409, "conflict")
    renamed = reviewer.patch(f"/catalog/categories/{number}", {"nameEn": "Past"}, **{"If-Match": '"1"'})  # fmt: skip
    assert renamed.json()["data"]["nameEn"] == "Past"
    assert reviewer.patch(f"/catalog/categories/{number}", {"nameEn": "Q"}, **{"If-Match": '"1"'}).status_code == 412  # fmt: skip
    tag = editor.get("/catalog/tags", q="تم").json()["data"][0]
    assert reviewer.patch(f"/catalog/tags/{tag['id']}", {"name": "تمور"}).status_code == 200
    person = editor.get("/catalog/people").json()["data"][0]
    assert reviewer.patch(f"/catalog/people/{person['id']}", {"name": "Umar"}).status_code == 200
    shown = editor.get(f"/catalog/programs/{program['id']}").json()["data"]
    assert (shown["tags"], shown["people"][0]["name"]) == (["تمور"], "Umar")
    assert shown["category"]["nameEn"] == "Past"
    assert editor.get("/catalog/categories/99").status_code == 404
    assert editor.get("/catalog/series/99999999999999999999").status_code in (400, 404)
    pages = []
    for n in range(5):
        reviewer.post("/catalog/categories", {"nameAr": "ت", "nameEn": f"Shelf {n}"})
    after = "0"
    while after is not None:
        page = editor.get("/catalog/categories", limit=2, after=after).json()
        pages += [row["id"] for row in page["data"]]
        after = page["meta"]["nextCursor"]
    assert len(pages) == len(set(pages)) == 6
