"""Imports over HTTP: started, followed, cancelled, repeated, refused."""

import csv
import io
import json
from typing import Any

import pytest
import redis
from sqlalchemy import Engine as Database
from sqlalchemy import text

from api.settings import Settings
from catalog.categories import lifecycle as categories
from catalog.db import session_factory
from indexer.importing.runner import Runner
from indexer.importing.settings import ImportSettings
from indexer.queues import JsonJob
from tests.catalog.support import EDITOR
from tests.imports.servers import site
from tests.imports.support import episode, rss
from tests.support.product import Client

CSV = "externalId,title,language,mediaType,category\n" + "".join(
    f"{n},Episode {n},en,audio,{'' if n % 10 else 'Missing'}\n" for n in range(1, 41)
)


def upload(person: Client, body: str | bytes, /, **params: Any) -> dict[str, Any]:
    query = {"sourceType": "csv"} | params
    answer = person.ask("POST", "/catalog/imports/upload", data=body if isinstance(body, bytes) else body.encode(), params=query)  # fmt: skip
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()["data"]
    assert answer.headers["location"] == f"/catalog/imports/{found['id']}"
    return found


def carry_out(database: Database, run_id: int, **settings: Any) -> None:
    Runner(database, ImportSettings(**settings)).run(run_id)


def look(person: Client, run_id: int) -> dict[str, Any]:
    found: dict[str, Any] = person.get(f"/catalog/imports/{run_id}").json()["data"]
    return found


def events(person: Client, run_id: int, seconds: int = 5) -> list[tuple[str, dict[str, Any]]]:
    answer = person.get(f"/catalog/imports/{run_id}/events", seconds=seconds)
    assert answer.headers["content-type"].startswith("text/event-stream")
    found, name = [], ""
    for line in answer.text.splitlines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def test_a_file_is_imported_and_its_errors_can_be_downloaded(
    staff: dict[str, Client], database: Database
) -> None:
    editor = staff["editor"]
    run = upload(editor, CSV, fileName="episodes.csv", options='{"tags":["جديد"]}')
    assert (run["status"], run["sourceType"], run["fileName"], run["progress"]) == ("queued", "csv", "episodes.csv", None)  # fmt: skip
    assert run["createdBy"] == "editor@example.com"
    carry_out(database, run["id"], batch=7)
    done = look(editor, run["id"])
    assert (done["status"], done["progress"], done["done"], done["total"]) == ("succeeded", 1.0, 40, 40)  # fmt: skip
    assert done["counts"] == {"created": 36, "updated": 0, "unchanged": 0, "conflict": 0, "skipped": 0, "failed": 4}  # fmt: skip
    assert done["notYetSearchable"] == 0
    items: list[dict[str, Any]] = []
    after = "0"
    while after is not None:
        page = editor.get(f"/catalog/imports/{run['id']}/items", after=after, limit=15).json()
        items += page["data"]
        after = page["meta"]["nextCursor"]
    assert [i["position"] for i in items] == list(range(1, 41))
    failed = editor.get(f"/catalog/imports/{run['id']}/items", outcome="failed").json()["data"]
    assert [i["position"] for i in failed] == [10, 20, 30, 40]
    assert failed[0]["errors"] == [{"field": "category", "code": "not_found", "message": "No category 'Missing'."}]  # fmt: skip
    program = editor.get(f"/catalog/programs/{items[0]['programId']}").json()["data"]
    assert (program["title"], program["sourceType"], program["status"], program["tags"]) == ("Episode 1", "file", "draft", ["جديد"])  # fmt: skip
    download = editor.get(f"/catalog/imports/{run['id']}/errors")
    assert download.headers["content-disposition"].endswith(f'"import-{run["id"]}-errors.csv"')
    rows = list(csv.DictReader(io.StringIO(download.content.decode("utf-8-sig"))))
    assert [(r["position"], r["externalId"], r["field"], r["code"]) for r in rows] == [
        (str(n), f"file:{n}", "category", "not_found") for n in (10, 20, 30, 40)
    ]


def test_downloaded_errors_hold_no_formulas(staff: dict[str, Client], database: Database) -> None:
    run = upload(staff["editor"], "externalId,title,language\n=1+1,@SUM(A1),en\n")
    carry_out(database, run["id"])
    lines = staff["editor"].get(f"/catalog/imports/{run['id']}/errors").text
    assert "'@SUM(A1)" in lines
    assert ",@SUM" not in lines


def test_a_run_is_handed_to_the_queue_as_its_id_and_waits_when_there_is_none(
    staff: dict[str, Client], settings: Settings
) -> None:
    answer = staff["editor"].post("/catalog/imports", {"sourceType": "feed", "url": "https://feed.example/x"})  # fmt: skip
    assert answer.status_code == 202
    run_id = answer.json()["data"]["id"]
    client = redis.Redis.from_url(settings.indexer.redis_queue_url)
    job = JsonJob.fetch(f"import-{run_id}-0", connection=client)
    assert (job.func_name, job.args, job.retry_intervals) == ("indexer.jobs.run_import", [run_id], [2, 4, 8])  # fmt: skip
    client.flushdb()
    client.close()


def test_a_repeated_request_is_one_import(staff: dict[str, Client], database: Database) -> None:
    body = {"sourceType": "feed", "url": "http://feed.invalid/"}
    first = staff["editor"].post("/catalog/imports", body, **{"Idempotency-Key": "k"})
    again = staff["editor"].post("/catalog/imports", body, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json(), again.headers["location"]) == (first.json(), first.headers["location"])
    tried = staff["editor"].ask("POST", "/catalog/imports", json=body, params={"dryRun": "true"}, headers={"Idempotency-Key": "k"})  # fmt: skip
    assert (tried.status_code, tried.json()["data"]["dryRun"]) == (202, True)
    other = staff["editor"].post("/catalog/imports", body | {"url": "http://b.invalid/"}, **{"Idempotency-Key": "k"})  # fmt: skip
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM import_runs")) == 2


def test_a_channel_is_imported_and_remembered_by_its_one_address(
    staff: dict[str, Client], database: Database
) -> None:
    made = staff["editor"].post("/catalog/imports", {"sourceType": "youtube", "url": "youtube.com/@Thmanyah/videos"})  # fmt: skip
    assert made.json()["data"]["url"] == "https://www.youtube.com/@thmanyah"
    # No key is set here: the run says so.
    carry_out(database, made.json()["data"]["id"])
    ended = look(staff["editor"], made.json()["data"]["id"])
    assert (ended["status"], ended["code"]) == ("failed", "no_api_key")
    source = {"sourceType": "youtube", "url": "https://m.youtube.com/@thmanyah"}
    assert staff["editor"].post("/catalog/import-sources", source).json()["data"]["sourceType"] == "youtube"  # fmt: skip
    twice = staff["editor"].post("/catalog/import-sources", source | {"url": "@thmanyah"})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    wrong = staff["editor"].post("/catalog/imports", source | {"url": "https://www.youtube.com/c/x"})  # fmt: skip
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "url")


def test_dry_run_then_the_same_for_real(staff: dict[str, Client], database: Database) -> None:
    editor = staff["editor"]
    with site() as stranger:
        stranger.pages["/"] = (200, {}, rss(episode(1), episode(2)))
        body = {"sourceType": "feed", "url": stranger.url()}
        dry = editor.ask("POST", "/catalog/imports", json=body, params={"dryRun": "true"}).json()["data"]  # fmt: skip
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
    (name, last), = events(editor, run["id"])  # fmt: skip
    assert (name, last["status"], last["done"]) == ("end", "succeeded", 40)
    assert editor.get("/catalog/imports/999999/events").status_code == 404


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
        editor.ask("POST", "/catalog/imports/upload", data=b"x", params={"sourceType": "csv", "options": json.dumps(publish)}),
    ]  # fmt: skip
    assert [a.status_code for a in answers] == [403] * 3
    made = reviewer.post("/catalog/import-sources", source).json()["data"]
    assert editor.post(f"/catalog/import-sources/{made['id']}/refresh").status_code == 403
    assert editor.patch(f"/catalog/import-sources/{made['id']}", {"url": "https://evil.example/"}).status_code == 403  # fmt: skip
    draft = editor.post("/catalog/import-sources", source | {"url": "https://z.example/", "options": {}}).json()["data"]  # fmt: skip
    assert editor.patch(f"/catalog/import-sources/{draft['id']}", {"options": publish}).status_code == 403  # fmt: skip
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM import_runs")) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [({"sourceType": "feed", "url": ""}, "url"), ({"sourceType": "feed", "url": "a b"}, "url"), ({"sourceType": "floppy", "url": "http://x.example"}, "sourceType"),
     ({"sourceType": "csv", "url": "http://x.example", "options": {"mapping": {"a": "nothing"}}}, "options.mapping"),
     ({"sourceType": "csv", "url": "http://x.example", "options": {"language": "!"}}, "options.language"),
     ({"sourceType": "csv", "url": "http://x.example", "options": {"policy": "maybe"}}, "policy"), ({"sourceType": "csv"}, "url")],
)  # fmt: skip
def test_what_cannot_be_imported_is_refused(
    body: Any, field: str, staff: dict[str, Client], database: Database
) -> None:
    answer = staff["editor"].post("/catalog/imports", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert field in json.dumps(answer.json()["errors"])
    with database.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM import_runs")) == 0


def test_uploads_that_are_refused(
    staff: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = staff["editor"]

    def send(body: bytes, headers: dict[str, str] | None = None, **params: str) -> tuple[int, str]:
        answer = editor.ask("POST", "/catalog/imports/upload", data=body, params=params, headers=headers or {})  # fmt: skip
        return answer.status_code, answer.json()["code"]

    assert send(b"x") == (400, "invalid_parameter")
    assert send(b"x", sourceType="feed") == (400, "invalid_parameter")
    assert send(b"x", sourceType="csv", options="{") == (400, "invalid_parameter")
    assert send(b"x", sourceType="csv", options='{"x":1}') == (400, "invalid_parameter")
    assert send(b"", sourceType="csv") == (422, "validation_failed")
    assert send(b"x", {"Content-Encoding": "gzip"}, sourceType="csv") == (415, "unsupported_media_type")  # fmt: skip
    monkeypatch.setenv("IMPORT_MAX_FILE_BYTES", "2000")
    assert send(b"x" * 2001, sourceType="csv") == (413, "body_too_large")


def test_a_large_upload_passes_the_cap_of_other_bodies(
    staff: dict[str, Client], database: Database
) -> None:
    rows = "".join(f"{n},{'Title ' * 20},en,audio,{'words ' * 60}\n" for n in range(6000))
    run = upload(staff["editor"], "externalId,title,language,mediaType,description\n" + rows)
    with database.connect() as connection:
        parts = connection.scalar(text("SELECT count(*) FROM import_documents"))
    assert parts == 3
    carry_out(database, run["id"])
    assert look(staff["editor"], run["id"])["counts"]["created"] == 6000


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
    assert editor.get(f"/catalog/imports/{run.json()['data']['id']}").json()["data"]["sourceId"] is None  # fmt: skip
