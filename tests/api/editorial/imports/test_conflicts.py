"""Conflicts between editors and sources over HTTP."""

import pytest
from sqlalchemy import Engine, event, text

from api.editorial.imports import conflicts
from catalog.core.db import session_factory
from catalog.imports.models import ImportConflict
from tests.support.client import Client
from tests.support.importing import Importer, episode, rss
from tests.support.programs import make


@pytest.mark.slow
def test_conflicts_are_listed_and_settled(staff: dict[str, Client], database: Engine) -> None:
    importer, editor = Importer(database), staff["editor"]
    importer.go("feed", rss(episode(1)), namespace="n")
    (program,) = importer.programs()
    edited = editor.ask("PATCH", f"/catalog/programs/{program.id}", json={"durationSec": 150, "season": 3})
    assert edited.status_code == 200, edited.text
    more = "<itunes:duration>60</itunes:duration><itunes:season>1</itunes:season>"
    run = importer.go("feed", rss(episode(1, more=more)), namespace="n")
    (item,) = editor.get(f"/catalog/imports/{run.id}/items").json()["data"]
    assert (item["outcome"], item["conflicts"]) == ("conflict", {"durationSec": [150, 60], "season": [3, 1]})
    listed = editor.get("/catalog/import-conflicts", state="open").json()["data"]
    found = [(c["programId"], c["field"], c["here"], c["source"], c["importId"]) for c in listed]
    assert found == [(program.id, "durationSec", 150, 60, run.id), (program.id, "season", 3, 1, run.id)]
    path = f"/catalog/programs/{program.id}/import-conflicts"
    left = editor.ask("POST", path, json={"field": "durationSec", "keep": "source"})
    assert left.status_code == 200, left.text
    assert [c["field"] for c in left.json()["data"]] == ["season"]
    assert editor.ask("POST", path, json={"field": "season", "keep": "mine"}).json()["data"] == []
    program = importer.programs()[0]
    assert (program.duration_sec, program.season) == (60, 3)
    kept = editor.get("/catalog/import-conflicts", programId=program.id).json()["data"]
    assert [(c["field"], c["state"]) for c in kept] == [("season", "kept")]
    assert editor.ask("POST", path, json={"field": "title", "keep": "mine"}).status_code == 404


@pytest.mark.slow
def test_the_audit_trail_names_the_run(staff: dict[str, Client], database: Engine) -> None:
    importer = Importer(database)
    run = importer.go("feed", rss(episode(1)), namespace="n", policy="publish")
    changed = importer.go("feed", rss(episode(1, "new")), namespace="n", policy="publish")
    path = f"/catalog/programs/{importer.programs()[0].id}/audit"
    events = staff["editor"].get(path).json()["data"]
    found = [(e["action"], e["importId"], e["actor"], e["diff"].get("status")) for e in events]
    assert found == [
        ("program.import", changed.id, f"import-{changed.id}", None),
        ("program.import", run.id, f"import-{run.id}", [None, "published"]),
    ]


def test_a_list_of_conflicts_asks_as_much_as_one_conflict(database: Engine) -> None:
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    with session_factory(database).begin() as session:
        run_id = session.execute(
            text("INSERT INTO import_runs (kind, namespace) VALUES ('csv', 'n') RETURNING id")
        ).scalar_one()
        rows = [
            ImportConflict(program_id=make(session).id, field="title", source_value="x", run_id=run_id)
            for _ in range(5)
        ]
        session.add_all(rows)
        session.flush()
        session.refresh(rows[0])
        numbers = []
        event.listen(database, "before_cursor_execute", note)
        for some in (rows[:1], rows):
            asked.clear()
            session.expire_all()
            for row in some:
                session.refresh(row)
            asked.clear()
            assert [one.id for one in conflicts.outs(session, some)] == [row.id for row in some]
            numbers.append(len(asked))
        event.remove(database, "before_cursor_execute", note)
    assert numbers[0] == numbers[1]
