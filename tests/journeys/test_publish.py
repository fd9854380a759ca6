"""From an editor's draft to a listener's search, and back out of every place again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.support.client import Client
from tests.support.running import RunningProduct
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

DRAFT = {
    "title": "المرأة والقهوة المرّة",
    "description": "حديث عن مقهى تديره أربع أخوات في جدة.",
    "language": "ar",
    "mediaType": "audio",
    "kind": "episode",
    "tags": ["قهوة"],
    "people": [{"name": "سارة العمري", "role": "host"}],
}
# One letter wrong, other forms of alef and ta marbuta.
MISSPELT = "المراه والقهوه المزة"


def draft(editor: Client, **changed: Any) -> dict[str, Any]:
    answer = editor.post("/catalog/programs", DRAFT | changed)
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def ids(listener: Client, path: str, **params: str) -> list[int]:
    return [row["id"] for row in listener.get(path, **params).json()["data"]]


def found(listener: Client, program_id: int, q: str = MISSPELT) -> bool:
    answer = listener.get("/discovery/search", q=q)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return not page["meta"]["degraded"] and program_id in [row["id"] for row in page["data"]]


def test_a_program_is_found_by_a_misspelt_word_and_disappears_everywhere(product: RunningProduct) -> None:
    editor, reviewer = product.sign_in("editor"), product.sign_in("reviewer", 1)
    listeners = [product.listener(0), product.listener(1)]
    program = draft(editor)
    path = f"/catalog/programs/{program['id']}"
    submitted = editor.post(f"{path}/submit")
    assert submitted.json()["data"]["status"] == "in_review"
    assert editor.post(f"{path}/publish").status_code == 403
    assert not found(listeners[0], program["id"])

    read = {"If-Match": submitted.headers["etag"]}
    assert reviewer.post(f"{path}/approve", **read).json()["data"]["status"] == "published"
    for listener in listeners:
        eventually(lambda p=listener: found(p, program["id"]), what="searchable")
        lookup = listener.get(f"/discovery/programs/{program['id']}")
        assert lookup.json()["data"]["title"] == DRAFT["title"]
        by_slug = listener.get(f"/discovery/programs/{program['slug']}")
        assert by_slug.json()["data"]["id"] == program["id"]
        # A page held from before may be shown for one second more.
        eventually(lambda p=listener: program["id"] in ids(p, "/discovery/browse"))
        eventually(lambda p=listener: program["id"] in ids(p, "/discovery/suggest", q="المرا"))

    assert reviewer.post(f"{path}/unpublish").json()["data"]["status"] == "draft"
    for listener in listeners:
        # The process that was asked knows at once, the other as soon as it is told.
        eventually(lambda p=listener: p.get(f"/discovery/programs/{program['id']}").status_code == 404)
        eventually(lambda p=listener: not found(p, program["id"]))
        assert listener.get(f"/discovery/programs/{program['slug']}").status_code == 404
        assert program["id"] not in ids(listener, "/discovery/browse")
        assert ids(listener, "/discovery/suggest", q="المرا") == []
        batch = listener.post("/discovery/programs/batch", {"ids": [program["id"]]}).json()
        assert batch == {"data": [], "meta": {"missing": [program["id"]]}}


def test_a_change_by_plain_sql_reaches_searches_and_lookups(product: RunningProduct) -> None:
    reviewer, listener = product.sign_in("reviewer"), product.listener()
    program = draft(reviewer, title="Before the change")
    reviewer.post(f"/catalog/programs/{program['id']}/publish")
    eventually(lambda: found(listener, program["id"], "before the change"))
    assert listener.get(f"/discovery/programs/{program['id']}").json()["data"]["title"] == "Before the change"
    url = product.settings.catalog.database_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE programs SET title = 'Lighthouse keeper' WHERE id = %s", [program["id"]])
    eventually(lambda: found(listener, program["id"], "lighthose keeper"))
    eventually(
        lambda: (
            listener.get(f"/discovery/programs/{program['id']}").json()["data"]["title"]
            == "Lighthouse keeper"
        )
    )


def test_a_scheduled_program_appears_and_an_expired_one_goes(product: RunningProduct) -> None:
    reviewer, listener = product.sign_in("reviewer"), product.listener()
    soon = datetime.now(UTC) + timedelta(seconds=2)
    program = draft(
        reviewer, title="Tomorrow's lighthouse", expireAt=(soon + timedelta(seconds=4)).isoformat()
    )
    path = f"/catalog/programs/{program['id']}"
    answer = reviewer.post(f"{path}/schedule", {"scheduledPublishAt": soon.isoformat()})
    assert answer.json()["data"]["status"] == "scheduled"
    assert listener.get(f"/discovery/programs/{program['id']}").status_code == 404
    eventually(lambda: found(listener, program["id"], "lighthouse"))
    published = datetime.fromisoformat(reviewer.get(path).json()["data"]["publishedAt"])
    assert soon <= published
    eventually(lambda: listener.get(f"/discovery/programs/{program['id']}").status_code == 404)
    eventually(lambda: not found(listener, program["id"], "lighthouse"))
    eventually(lambda: reviewer.get(path).json()["data"]["status"] == "archived")


def test_views_are_counted_once(product: RunningProduct) -> None:
    reviewer, listener = product.sign_in("reviewer"), product.listener()
    program = draft(reviewer, title="Counted views")
    path = f"/catalog/programs/{program['id']}"
    reviewer.post(f"{path}/publish")
    for _ in range(7):
        assert listener.post(f"/discovery/programs/{program['id']}/views").status_code == 202
    # One client is one view in half an hour.
    eventually(lambda: reviewer.get(path).json()["data"]["viewCount"] == 1, within=30)
    assert listener.post("/discovery/programs/999999/views").status_code == 404
