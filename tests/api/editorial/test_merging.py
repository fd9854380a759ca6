"""Two programs become one over HTTP, and whoever has the old id is led to the kept one."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine as Database

from catalog.core.db import session_factory
from catalog.programs import lifecycle
from catalog.programs.models import Program
from tests.support.client import Client
from tests.support.importing import Importer
from tests.support.programs import EDITOR, make

ROW = "externalId,title,language,mediaType,duration,releaseDate\nx,The story,en,audio,3600,2024-03-01\n"


def pair(database: Database) -> list[int]:
    """A published program, and the same from a file."""
    with session_factory(database).begin() as session:
        at = datetime(2024, 3, 1, tzinfo=UTC)
        first = make(session, "published", title="The Story", duration_sec=3600, release_date=at)
    importer = Importer(database)
    importer.go("csv", ROW.encode(), policy="publish")
    return [first.id, importer.programs()[-1].id]


def only(person: Client) -> dict[str, Any]:
    (found,) = person.get("/catalog/merge-proposals", state="open").json()["data"]
    return dict(found)


@pytest.mark.slow
def test_the_old_id_and_the_old_address_lead_to_the_kept_program(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    kept, gone = pair(database)
    offered = only(staff["editor"])
    assert [p["id"] for p in offered["programs"]] == [kept, gone]
    assert [p["sourceType"] for p in offered["programs"]] == [None, "file"]
    before = listener.get(f"/discovery/programs/{gone}")
    assert before.status_code == 200
    slug = before.json()["data"]["slug"]
    path = f"/catalog/merge-proposals/{offered['id']}/merge"
    merged = staff["reviewer"].ask("POST", path, json={})
    assert merged.status_code == 200, merged.text
    assert (merged.json()["data"]["state"], merged.json()["data"]["keptId"]) == ("merged", kept)
    current = listener.get(f"/discovery/programs/{kept}").json()["data"]["slug"]
    for key, target in ((gone, str(kept)), (slug, current)):
        answer = listener.get(f"/discovery/programs/{quote(str(key))}")
        assert answer.status_code == 301, answer.text
        assert answer.headers["location"] == f"/discovery/programs/{quote(target)}"
    # Lookups of several programs and of editors follow the old id, too.
    batch = listener.post("/discovery/programs/batch", {"ids": [gone, 999_999]}).json()
    assert [row["id"] for row in batch["data"]] == [kept]
    assert batch["meta"] == {"missing": [999_999], "moved": {str(gone): kept}}
    both = listener.post("/discovery/programs/batch", {"ids": [gone, kept]}).json()
    assert [row["id"] for row in both["data"]] == [kept]
    assert staff["editor"].get(f"/catalog/programs/{gone}").json()["data"]["id"] == kept
    assert staff["reviewer"].ask("POST", path, json={}).json()["code"] == "conflict"
    assert staff["editor"].get("/catalog/merge-proposals", state="open").json()["data"] == []
    # A kept program that is withdrawn is not given away by the redirect.
    with session_factory(database).begin() as session:
        rev = session.get_one(Program, kept).rev
    done = staff["reviewer"].ask("POST", f"/catalog/programs/{kept}/unpublish")
    assert (done.status_code, done.json()["data"]["rev"]) == (200, rev + 1)
    assert listener.get(f"/discovery/programs/{gone}").status_code == 404


@pytest.mark.slow
def test_a_withdrawal_elsewhere_is_seen_through_the_redirect(
    staff: dict[str, Client], listener: Client, database: Database
) -> None:
    _, gone = pair(database)
    offered = only(staff["editor"])
    body = {"keepId": gone}
    answer = staff["reviewer"].ask("POST", f"/catalog/merge-proposals/{offered['id']}/merge", json=body)
    assert answer.json()["data"]["keptId"] == gone
    first = offered["programs"][0]["id"]
    assert listener.get(f"/discovery/programs/{first}").status_code == 301
    undone = staff["reviewer"].ask("POST", f"/catalog/programs/{first}/undelete")
    assert undone.json()["data"]["status"] == "draft"
    with session_factory(database).begin() as session:
        assert lifecycle.get(session, first).deleted_at is None
        lifecycle.transition(session, first, "publish", EDITOR)


@pytest.mark.slow
def test_pages_of_proposals_and_what_is_refused(staff: dict[str, Client], database: Database) -> None:
    pair(database)
    offered = only(staff["editor"])
    page = staff["editor"].get("/catalog/merge-proposals", limit=1)
    assert page.json()["meta"] == {"limit": 1, "nextCursor": None}
    assert staff["editor"].get("/catalog/merge-proposals", after=offered["id"]).json()["data"] == []
    for body, status, code in (
        ({"keepId": 10**9}, 422, "validation_failed"),
        ({"keepId": "x"}, 422, "validation_failed"),
        ({"other": 1}, 422, "validation_failed"),
    ):
        path = f"/catalog/merge-proposals/{offered['id']}/merge"
        answer = staff["reviewer"].ask("POST", path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert staff["editor"].ask("POST", "/catalog/merge-proposals/999/dismiss").status_code == 404
    gone = staff["editor"].ask("POST", f"/catalog/merge-proposals/{offered['id']}/dismiss")
    assert gone.json()["data"]["state"] == "dismissed"
    assert staff["editor"].get("/catalog/merge-proposals", state="nonsense").status_code == 400
