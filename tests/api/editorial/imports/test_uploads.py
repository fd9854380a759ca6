"""Uploaded files over HTTP: imported, refused, and the errors to download."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import text

from tests.support.client import Client
from tests.support.import_requests import CSV, carry_out, look, upload


@pytest.mark.slow
def test_a_file_is_imported_and_its_errors_can_be_downloaded(
    staff: dict[str, Client], database: Database
) -> None:
    editor = staff["editor"]
    run = upload(editor, CSV, fileName="episodes.csv", options='{"tags":["جديد"]}')
    assert (run["status"], run["sourceType"], run["fileName"], run["progress"]) == (
        "queued",
        "csv",
        "episodes.csv",
        None,
    )
    assert run["createdBy"] == "editor@example.com"
    carry_out(database, run["id"], batch=7)
    done = look(editor, run["id"])
    assert (done["status"], done["progress"], done["done"], done["total"]) == ("succeeded", 1.0, 40, 40)
    assert done["counts"] == {
        "created": 36,
        "updated": 0,
        "unchanged": 0,
        "conflict": 0,
        "skipped": 0,
        "failed": 4,
    }
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
    assert failed[0]["errors"] == [
        {"field": "category", "code": "not_found", "message": "No category 'Missing'."}
    ]
    program = editor.get(f"/catalog/programs/{items[0]['programId']}").json()["data"]
    assert (program["title"], program["sourceType"], program["status"], program["tags"]) == (
        "Episode 1",
        "file",
        "draft",
        ["جديد"],
    )
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


def test_uploads_that_are_refused(staff: dict[str, Client], monkeypatch: pytest.MonkeyPatch) -> None:
    editor = staff["editor"]

    def send(body: bytes, headers: dict[str, str] | None = None, **params: str) -> tuple[int, str]:
        answer = editor.ask(
            "POST", "/catalog/imports/upload", data=body, params=params, headers=headers or {}
        )
        return answer.status_code, answer.json()["code"]

    assert send(b"x") == (400, "invalid_parameter")
    assert send(b"x", sourceType="feed") == (400, "invalid_parameter")
    assert send(b"x", sourceType="csv", options="{") == (400, "invalid_parameter")
    assert send(b"x", sourceType="csv", options='{"x":1}') == (400, "invalid_parameter")
    assert send(b"", sourceType="csv") == (422, "validation_failed")
    assert send(b"x", {"Content-Encoding": "gzip"}, sourceType="csv") == (415, "unsupported_media_type")
    monkeypatch.setenv("IMPORT_MAX_FILE_BYTES", "2000")
    assert send(b"x" * 2001, sourceType="csv") == (413, "body_too_large")


@pytest.mark.slow
def test_a_large_upload_passes_the_cap_of_other_bodies(staff: dict[str, Client], database: Database) -> None:
    rows = "".join(f"{n},{'Title ' * 20},en,audio,{'words ' * 460}\n" for n in range(1000))
    run = upload(staff["editor"], "externalId,title,language,mediaType,description\n" + rows)
    with database.connect() as connection:
        parts = connection.scalar(text("SELECT count(*) FROM import_documents"))
    assert parts == 3
    carry_out(database, run["id"])
    assert look(staff["editor"], run["id"])["counts"]["created"] == 1000
