"""Imports over HTTP: started, followed, cancelled, repeated, refused."""

import json
from typing import Any

import pytest
import redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.editorial.imports import streams
from api.settings import Settings
from catalog.core.db import session_factory
from catalog.taxonomy import categories
from indexer.stores.queues import JsonJob
from tests.support.client import Client
from tests.support.import_requests import CSV, carry_out, events, look, upload
from tests.support.importing import episode, rss
from tests.support.programs import EDITOR
from tests.support.sites import site


def test_a_run_is_handed_to_the_queue_as_its_id_and_waits_when_there_is_none(
    staff: dict[str, Client], settings: Settings
) -> None:
    answer = staff["editor"].post("/catalog/imports", {"sourceType": "feed", "url": "https://feed.example/x"})
    assert answer.status_code == 202
    run_id = answer.json()["data"]["id"]
    client = redis.Redis.from_url(settings.indexer.redis_queue_url)
    job = JsonJob.fetch(f"import-{run_id}-0", connection=client)
    assert (job.func_name, job.args, job.retry_intervals) == (
        "indexer.importing.running.job.run_import",
        [run_id],
        [2, 4, 8],
    )
    client.flushdb()
    client.close()


def test_a_repeated_request_is_one_import(staff: dict[str, Client], database: Database) -> None:
    body = {"sourceType": "feed", "url": "http://feed.invalid/"}
    first = staff["editor"].post("/catalog/imports", body, **{"Idempotency-Key": "k"})
    again = staff["editor"].post("/catalog/imports", body, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json(), again.headers["location"]) == (first.json(), first.headers["location"])
    tried = staff["editor"].ask(
        "POST", "/catalog/imports", json=body, params={"dryRun": "true"}, headers={"Idempotency-Key": "k"}
    )
    assert (tried.status_code, tried.json()["data"]["dryRun"]) == (202, True)
    other = staff["editor"].post(
        "/catalog/imports", body | {"url": "http://b.invalid/"}, **{"Idempotency-Key": "k"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM import_runs")) == 2


@pytest.mark.slow
def test_dry_run_then_the_same_for_real(staff: dict[str, Client], database: Database) -> None:
    editor = staff["editor"]
    with site() as stranger:
        stranger.pages["/"] = (200, {}, rss(episode(1), episode(2)))
        body = {"sourceType": "feed", "url": stranger.url()}
        dry = editor.ask("POST", "/catalog/imports", json=body, params={"dryRun": "true"}).json()["data"]
        assert dry["dryRun"] is True
        carry_out(database, dry["id"], trusted=stranger.trusted)
        assert look(editor, dry["id"])["counts"]["created"] == 2
        diff = editor.get(f"/catalog/imports/{dry['id']}/items").json()["data"][0]["diff"]
        assert diff["title"] == [None, "الحلقة 1"]
        assert editor.get("/catalog/programs").json()["data"] == []
        real = editor.post("/catalog/imports", body).json()["data"]
        carry_out(database, real["id"], trusted=stranger.trusted)
        assert look(editor, real["id"])["counts"]["created"] == 2
    assert len(editor.get("/catalog/programs").json()["data"]) == 2
    listed = editor.get("/catalog/imports", status="succeeded").json()["data"]
    assert [r["id"] for r in listed] == [real["id"], dry["id"]]


@pytest.mark.slow
def test_progress_is_pushed_until_the_end(staff: dict[str, Client], database: Database) -> None:
    editor = staff["editor"]
    run = upload(editor, CSV)
    with session_factory(database).begin() as session:
        session.execute(text("UPDATE import_runs SET total = 40, created = 10"))
    waiting = events(editor, run["id"], seconds=1)
    assert [(name, data["progress"]) for name, data in waiting] == [("progress", 0.25)]
    with session_factory(database).begin() as session:
        session.execute(text("UPDATE import_runs SET total = NULL, created = 0"))
    carry_out(database, run["id"])
    ((name, last),) = events(editor, run["id"])
    assert (name, last["status"], last["done"]) == ("end", "succeeded", 40)
    assert editor.get("/catalog/imports/999999/events").status_code == 404


@pytest.mark.slow
def test_a_quiet_stream_sends_comments_and_no_messages(
    staff: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "QUIET_SECONDS", 0)
    monkeypatch.setattr(streams, "POLL_SECONDS", 0.1)
    run = upload(staff["editor"], CSV)
    answer = staff["editor"].get(f"/catalog/imports/{run['id']}/events", seconds=1)
    first, *others = answer.text.replace("\r\n", "\n").strip().split("\n\n")
    assert first.startswith("event: progress\n")
    assert set(others) == {": still here"}


@pytest.mark.slow
def test_cancel_and_retry(staff: dict[str, Client], database: Database) -> None:
    editor = staff["editor"]
    run = upload(editor, CSV)
    assert editor.post(f"/catalog/imports/{run['id']}/retry").json()["code"] == "conflict"
    cancelled = editor.post(f"/catalog/imports/{run['id']}/cancel").json()["data"]
    assert (cancelled["status"], cancelled["code"]) == ("cancelled", "cancelled")
    assert editor.post(f"/catalog/imports/{run['id']}/cancel").status_code == 409
    again = editor.post(f"/catalog/imports/{run['id']}/retry")
    assert again.status_code == 202
    whole = again.json()["data"]
    carry_out(database, whole["id"])
    assert look(editor, whole["id"])["counts"]["failed"] == 4
    with session_factory(database).begin() as session:
        categories.create(session, {"name_ar": "ناقص", "name_en": "Missing"}, EDITOR)
    parts = editor.post(f"/catalog/imports/{whole['id']}/retry").json()["data"]
    assert parts["retryOf"] == whole["id"]
    carry_out(database, parts["id"])
    assert look(editor, parts["id"])["counts"]["created"] == 4


def test_publishing_needs_a_reviewer(staff: dict[str, Client], database: Database) -> None:
    publish = {"policy": "publish"}
    body = {"sourceType": "feed", "url": "https://feed.example/x", "options": publish}
    source = {"url": "https://feed.example/y", "options": publish}
    editor, reviewer = staff["editor"], staff["reviewer"]
    answers = [
        editor.post("/catalog/imports", body),
        editor.post("/catalog/import-sources", source),
        editor.ask(
            "POST",
            "/catalog/imports/upload",
            data=b"x",
            params={"sourceType": "csv", "options": json.dumps(publish)},
        ),
    ]
    assert [a.status_code for a in answers] == [403] * 3
    made = reviewer.post("/catalog/import-sources", source).json()["data"]
    assert editor.post(f"/catalog/import-sources/{made['id']}/refresh").status_code == 403
    assert (
        editor.patch(f"/catalog/import-sources/{made['id']}", {"url": "https://evil.example/"}).status_code
        == 403
    )
    draft = editor.post(
        "/catalog/import-sources", source | {"url": "https://z.example/", "options": {}}
    ).json()["data"]
    assert editor.patch(f"/catalog/import-sources/{draft['id']}", {"options": publish}).status_code == 403
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM import_runs")) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sourceType": "feed", "url": ""}, "url"),
        ({"sourceType": "feed", "url": "a b"}, "url"),
        ({"sourceType": "floppy", "url": "http://x.example"}, "sourceType"),
        (
            {"sourceType": "csv", "url": "http://x.example", "options": {"mapping": {"a": "nothing"}}},
            "options.mapping",
        ),
        ({"sourceType": "csv", "url": "http://x.example", "options": {"language": "!"}}, "options.language"),
        ({"sourceType": "csv", "url": "http://x.example", "options": {"policy": "maybe"}}, "policy"),
        ({"sourceType": "csv"}, "url"),
    ],
)
def test_what_cannot_be_imported_is_refused(
    body: Any, field: str, staff: dict[str, Client], database: Database
) -> None:
    answer = staff["editor"].post("/catalog/imports", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert field in json.dumps(answer.json()["errors"])
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM import_runs")) == 0


@pytest.mark.slow
def test_chosen_items_of_a_dry_run_are_written_without_asking_the_source_again(
    staff: dict[str, Client], database: Database
) -> None:
    editor = staff["editor"]
    dry = upload(editor, CSV, dryRun="true", options='{"tags":["tried"]}')
    address = f"/catalog/imports/{dry['id']}/apply"
    assert editor.post(address, {}).json()["code"] == "conflict"
    carry_out(database, dry["id"])
    for wrong in ({"positions": []}, {"positions": [0]}, {"positions": [1] * 10_001}, {"other": 1}):
        assert editor.post(address, wrong).json()["code"] == "validation_failed", wrong
    chosen = editor.post(address, {"positions": [2, 5, 10]})
    assert chosen.status_code == 202, chosen.text
    run = chosen.json()["data"]
    assert (run["dryRun"], run["total"], chosen.headers["location"]) == (
        False,
        None,
        f"/catalog/imports/{run['id']}",
    )
    carry_out(database, run["id"])
    counts = look(editor, run["id"])["counts"]
    assert (counts["created"], counts["failed"], look(editor, run["id"])["total"]) == (2, 1, 3)
    items = editor.get(f"/catalog/imports/{run['id']}/items").json()["data"]
    assert [item["position"] for item in items] == [2, 5, 10]
    program = editor.get(f"/catalog/programs/{items[0]['programId']}").json()["data"]
    assert program["tags"] == ["tried"]
    again = editor.ask("POST", address)
    carry_out(database, again.json()["data"]["id"])
    counts = look(editor, again.json()["data"]["id"])["counts"]
    assert (counts["created"], counts["unchanged"]) == (34, 2)
    assert editor.ask("POST", f"/catalog/imports/{run['id']}/apply").json()["code"] == "conflict"
    body = {"url": "https://feed.example/x", "options": {"positions": [1]}}
    refused = staff["editor"].post("/catalog/import-sources", body).json()
    assert refused["errors"][0]["field"] == "options.positions"
    publishing = upload(staff["reviewer"], CSV, dryRun="true", options='{"policy":"publish"}')
    carry_out(database, publishing["id"])
    assert editor.ask("POST", f"/catalog/imports/{publishing['id']}/apply").json()["code"] == "forbidden"


def test_a_dry_run_is_carried_out_once_for_each_key_and_says_by_which_run(
    staff: dict[str, Client], database: Database
) -> None:
    editor = staff["editor"]
    dry = upload(editor, CSV, dryRun="true")["id"]
    carry_out(database, dry)
    first, again = (
        editor.post(f"/catalog/imports/{dry}/apply", {"positions": [1]}, **{"Idempotency-Key": "k"})
        for _ in range(2)
    )
    assert first.json() == again.json()
    run = first.json()["data"]
    assert run["appliedFrom"] == dry
    listed = editor.get("/catalog/imports", appliedFrom=dry).json()["data"]
    assert [one["id"] for one in listed] == [run["id"]]
    with database.connect() as connection:
        diff = connection.scalar(
            text("SELECT diff FROM audit_events WHERE entity = 'import' ORDER BY id DESC LIMIT 1")
        )
    assert diff["appliedFrom"] == [None, dry]
