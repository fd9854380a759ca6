"""Remembered sources over HTTP."""

import pytest
from sqlalchemy import Engine as Database

from tests.support.client import Client
from tests.support.import_requests import carry_out, look


def test_a_channel_is_imported_and_remembered_by_its_one_address(
    staff: dict[str, Client], database: Database
) -> None:
    made = staff["editor"].post(
        "/catalog/imports", {"sourceType": "youtube", "url": "youtube.com/@Thmanyah/videos"}
    )
    assert made.json()["data"]["url"] == "https://www.youtube.com/@thmanyah"
    # No key is set here: the run says so.
    carry_out(database, made.json()["data"]["id"])
    ended = look(staff["editor"], made.json()["data"]["id"])
    assert (ended["status"], ended["code"]) == ("failed", "no_api_key")
    source = {"sourceType": "youtube", "url": "https://m.youtube.com/@thmanyah"}
    assert staff["editor"].post("/catalog/import-sources", source).json()["data"]["sourceType"] == "youtube"
    twice = staff["editor"].post("/catalog/import-sources", source | {"url": "@thmanyah"})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    wrong = staff["editor"].post("/catalog/imports", source | {"url": "https://www.youtube.com/c/x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "url")


@pytest.mark.slow
def test_sources_are_remembered_refreshed_paused_and_forgotten(
    staff: dict[str, Client], database: Database
) -> None:
    editor = staff["editor"]
    made = editor.post("/catalog/import-sources", {"url": "https://feed.example/a", "title": "A"})
    assert made.status_code == 201
    source = made.json()["data"]
    path = made.headers["location"]
    assert (source["state"], source["intervalSec"], source["failures"]) == ("active", 3600, 0)
    again = editor.post("/catalog/import-sources", {"url": "https://feed.example/a"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    run = editor.post(f"{path}/refresh")
    assert (run.status_code, run.json()["data"]["sourceId"]) == (202, source["id"])
    assert editor.post(f"{path}/refresh").status_code == 409
    paused = editor.patch(path, {"state": "paused"}).json()["data"]
    assert (paused["state"], paused["reason"]) == ("paused", "Paused by editor@example.com.")
    listed = editor.get("/catalog/import-sources", state="paused").json()["data"]
    assert [s["id"] for s in listed] == [source["id"]]
    assert editor.delete(path).status_code == 204
    assert editor.get(path).status_code == 404
    assert editor.get(f"/catalog/imports/{run.json()['data']['id']}").json()["data"]["sourceId"] is None
