"""Imports and sources on the board of operators: each action asks once, acts, and is in the audit log."""

from datetime import UTC, datetime

from sqlalchemy import text

from catalog.core.db import session_factory
from catalog.imports import runs, sources
from catalog.imports.options import Options
from tests.support.acting import act
from tests.support.pages import read
from tests.support.programs import EDITOR
from tests.support.shared import SharedApi
from tests.support.staff import signed_in_at_pages

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def test_imports_are_stopped_and_repeated_and_sources_paused_resumed_and_made_due(shared: SharedApi) -> None:
    def events() -> int:
        with shared.database.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM audit_events")).scalar_one())

    ops, editor = signed_in_at_pages(shared.listener, "ops"), shared.staff["editor"]
    with session_factory(shared.database).begin() as session:
        source = sources.create(session, "feed", "http://feed.invalid/board", Options(), EDITOR)
        source.failures, source.next_at = 3, LATER
        origin = runs.Origin("csv", "csv:x", None)
        publishing = runs.create(session, origin, Options(policy="publish"), EDITOR, dry_run=False)
        publishing.status, publishing.failed, publishing.finished_at = "succeeded", 1, LATER
        source_id, publishing_id = str(source.id), str(publishing.id)
    begun = editor.ask("POST", "/catalog/imports/upload", data=b"title\nx\n", params={"sourceType": "csv"})
    run_id, before = begun.json()["data"]["id"], events()
    board = read(ops, "/ops/board")
    forms = board.within(board.one("section", id="imports"), "form")
    offered = {(form.get("action") or "").rpartition("/")[2] for form in forms}
    assert offered == {"cancel_import", "retry_import", "pause_source", "source_due"}
    assert act(ops, "cancel_import", **{"import": run_id}) == 303
    assert editor.get(f"/catalog/imports/{run_id}").json()["data"]["status"] == "cancelled"
    assert act(ops, "cancel_import", **{"import": run_id}) == 409
    assert act(ops, "retry_import", **{"import": run_id}) == 303
    newest = editor.get("/catalog/imports", limit=1).json()["data"][0]
    assert (newest["id"] > run_id, newest["status"]) == (True, "queued")
    # What publishes needs a reviewer, whoever repeats it.
    assert act(ops, "retry_import", **{"import": publishing_id}) == 403
    path = f"/catalog/import-sources/{source_id}"
    assert act(ops, "source_due", source=source_id) == 303
    due = editor.get(path).json()["data"]
    assert (due["state"], due["nextAt"] < LATER.isoformat()) == ("active", True)
    assert act(ops, "pause_source", source=source_id) == 303
    assert editor.get(path).json()["data"]["state"] == "paused"
    assert act(ops, "source_due", source=source_id) == 409
    assert act(ops, "resume_source", source=source_id) == 303
    found = editor.get(path).json()["data"]
    assert (found["state"], found["failures"]) == ("active", 0)
    logged = shared.staff["ops"].get("/ops/audit-log", limit=5).json()["data"]
    done = [event["action"] for event in logged]
    assert done == ["source.edit", "source.edit", "source.due", "import.create", "import.cancel"]
    assert {event["actor"] for event in logged} == {"ops@example.com"}
    assert events() == before + 5
