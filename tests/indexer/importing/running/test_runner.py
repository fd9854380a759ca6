"""Runs: idempotent, resumable, cancellable, and gentle with what editors did."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.core.db import session_factory
from catalog.core.errors import Conflict, ValidationFailed
from catalog.imports import runs
from catalog.imports.models import ImportDocument, ImportRun
from catalog.imports.options import Options
from catalog.programs import bulk, editing, snapshot
from catalog.programs import lifecycle as program_states
from catalog.programs.models import Program, ProgramRevision
from catalog.taxonomy import categories
from tests.support.importing import Importer, counts, episode, footprint, rss
from tests.support.programs import EDITOR


def test_a_feed_becomes_programs_with_series_and_first_revision(importer: Importer, session: Session) -> None:
    run = importer.go("feed", rss(episode(1), episode(2)), policy="publish", tags=["قهوة"])
    assert (run.status, run.total, run.position) == ("succeeded", 2, 2)
    assert counts(run) == {"created": 2}
    first, second = importer.programs()
    assert (first.title, first.status, first.rev, first.language) == ("الحلقة 1", "published", 1, "ar")
    assert first.published_at is not None
    assert first.source_type == "feed"
    assert first.external_id != second.external_id
    assert first.series_id == second.series_id is not None
    revision = session.get_one(ProgramRevision, (first.id, 1))
    assert revision.snapshot == snapshot.of(session, session.get_one(Program, first.id))
    assert revision.snapshot["tags"] == ["قهوة"]
    assert revision.actor == f"import:import-{run.id}"
    slug = session.execute(text("SELECT slug FROM program_slugs WHERE program_id = :i"), {"i": first.id})
    assert slug.scalar_one() == first.slug == "الحلقة-1"
    marked = session.scalars(text("SELECT program_id FROM index_dirty ORDER BY 1")).all()
    assert marked == [first.id, second.id]


def test_drafts_are_not_marked_for_the_index(importer: Importer, session: Session) -> None:
    importer.go("feed", rss(episode(1)))
    assert importer.programs()[0].status == "draft"
    assert session.scalars(text("SELECT program_id FROM index_dirty")).all() == []


@pytest.mark.slow
def test_the_second_import_writes_nothing(importer: Importer, session: Session) -> None:
    body = rss(*(episode(n) for n in range(1, 30)))
    importer.go("feed", body, policy="publish")
    before = footprint(session)
    session.rollback()
    again = importer.go("feed", body, policy="publish")
    assert counts(again) == {"unchanged": 29}
    assert footprint(session) == before


@pytest.mark.slow
def test_a_change_at_the_source_is_one_revision(importer: Importer, session: Session) -> None:
    importer.go("feed", rss(episode(1), episode(2)))
    run = importer.go("feed", rss(episode(1, "عنوان جديد"), episode(2)))
    assert counts(run) == {"updated": 1, "unchanged": 1}
    changed, same = importer.programs()
    assert (changed.title, changed.rev, same.rev) == ("عنوان جديد", 2, 1)
    assert importer.items(run.id)[0].diff == {"title": ["الحلقة 1", "عنوان جديد"]}
    assert session.get_one(ProgramRevision, (changed.id, 2)).action == "import"
    assert counts(importer.go("feed", rss(episode(1, "عنوان جديد"), episode(2)))) == {"unchanged": 2}


@pytest.mark.slow
def test_what_editors_lock_or_change_survives(importer: Importer, session: Session) -> None:
    importer.go("feed", rss(episode(1), episode(2), episode(3)))
    one, two, three = importer.programs()
    editing.edit(session, one.id, {"title": "بيد المحرر"}, EDITOR)
    editing.edit(session, two.id, {"locked_fields": ["title"]}, EDITOR)
    session.commit()
    # The source changes the edited title, the locked one, and another field of the edited program.
    body = rss(
        episode(1, "من المصدر", "<itunes:duration>61</itunes:duration>"),
        episode(2, "من المصدر"),
        episode(3, "من المصدر"),
    )
    run = importer.go("feed", body)
    assert counts(run) == {"updated": 2, "conflicts": 1}
    one, two, three = importer.programs()
    assert (one.title, one.duration_sec) == ("بيد المحرر", 61)
    assert two.title == "الحلقة 2"
    assert three.title == "من المصدر"
    first, second, _ = importer.items(run.id)
    assert (first.outcome, first.code, first.diff) == ("updated", "edited_here", {"durationSec": [None, 61]})
    assert (second.outcome, second.code, second.detail) == (
        "conflict",
        "edited_here",
        "Kept as edited here: title.",
    )
    revs = [p.rev for p in (one, two, three)]
    assert counts(importer.go("feed", body)) == {"unchanged": 3}
    assert [p.rev for p in importer.programs()] == revs


@pytest.mark.slow
def test_an_editor_who_agrees_with_the_source_is_no_conflict(importer: Importer, session: Session) -> None:
    importer.go("feed", rss(episode(1)))
    editing.edit(session, importer.programs()[0].id, {"title": "جديد"}, EDITOR)
    session.commit()
    run = importer.go("feed", rss(episode(1, "جديد")))
    assert counts(run) == {"unchanged": 1}


@pytest.mark.slow
def test_what_was_deleted_or_unpublished_stays_so(importer: Importer, session: Session) -> None:
    importer.go("feed", rss(episode(1), episode(2)), policy="publish")
    one, two = importer.programs()
    program_states.transition(session, one.id, "delete", EDITOR)
    program_states.transition(session, two.id, "unpublish", EDITOR)
    session.commit()
    run = importer.go("feed", rss(episode(1, "x"), episode(2, "y")), policy="publish")
    assert counts(run) == {"skipped": 1, "updated": 1}
    assert importer.items(run.id)[0].code == "deleted"
    one, two = importer.programs()
    assert one.deleted_at is not None
    assert (two.title, two.status) == ("y", "draft")


@pytest.mark.slow
def test_a_dry_run_says_what_would_happen_and_writes_nothing(importer: Importer, session: Session) -> None:
    importer.go("feed", rss(episode(1), episode(2), episode(3)))
    editing.edit(session, importer.programs()[1].id, {"title": "edited"}, EDITOR)
    session.commit()
    before = footprint(session)
    session.rollback()
    broken = "<item><guid>x</guid><title>t</title></item>"
    body = rss(episode(1, "new"), episode(2, "other"), episode(3), episode(4), broken)
    run = importer.go("feed", body, dry_run=True)
    assert counts(run) == {"created": 1, "updated": 1, "unchanged": 1, "conflicts": 1, "skipped": 1}
    outcomes = [(i.outcome, i.code) for i in importer.items(run.id)]
    assert outcomes == [
        ("updated", None),
        ("conflict", "edited_here"),
        ("unchanged", None),
        ("created", None),
        ("skipped", "no_media"),
    ]
    assert importer.items(run.id)[0].diff == {"title": ["الحلقة 1", "new"]}
    assert importer.items(run.id)[3].diff["mediaUrl"] == [None, "https://cdn.example/4.mp3"]
    assert footprint(session) == before
    # What was foretold happens.
    assert counts(importer.go("feed", body)) == counts(run)


@pytest.mark.slow
def test_two_items_with_one_id_do_not_fight(importer: Importer) -> None:
    body = rss(episode(1, "first"), episode(1, "second"))
    assert counts(importer.go("feed", body)) == {"created": 1, "skipped": 1}
    assert importer.programs()[0].title == "first"
    assert counts(importer.go("feed", body)) == {"unchanged": 1, "skipped": 1}


def test_one_bad_item_does_not_stop_the_others(importer: Importer) -> None:
    body = b"title,externalId,language,mediaType,durationSec\nA,1,en,audio,60\n,2,en,audio,60\nC,3,en,audio,soon\nD,4,en,hologram,1\nE,5,!!,audio,\nF,6,en,audio,1:00\n"
    run = importer.go("csv", body)
    assert run.status == "succeeded"
    assert counts(run) == {"created": 2, "failed": 4}
    errors = {
        i.position: [(e["field"], e["code"]) for e in i.errors] for i in importer.items(run.id) if i.errors
    }
    assert errors == {
        2: [("title", "required")],
        3: [("durationSec", "invalid")],
        4: [("mediaType", "invalid")],
        5: [("language", "invalid")],
    }


def test_failed_items_are_retried_alone(importer: Importer, session: Session) -> None:
    body = b"title,externalId,language,mediaType,category\nA,1,en,audio,Society\nB,2,en,audio,Missing\n"
    categories.create(session, {"name_ar": "مجتمع", "name_en": "Society"}, EDITOR)
    session.commit()
    run = importer.go("csv", body)
    assert counts(run) == {"created": 1, "failed": 1}
    categories.create(session, {"name_ar": "ناقص", "name_en": "Missing"}, EDITOR)
    again = runs.retry(session, run.id, EDITOR)
    session.commit()
    done = importer.run(again.id)
    assert (done.status, counts(done), done.total) == ("succeeded", {"created": 1}, 1)
    assert [i.position for i in importer.items(again.id)] == [2]
    with pytest.raises(Conflict):
        runs.retry(session, again.id, EDITOR)


@pytest.mark.slow
def test_a_batch_that_collides_is_written_item_by_item(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes an address between the look and the write."""
    taken = bulk._addresses
    monkeypatch.setattr(bulk, "_addresses", lambda s, new: [*taken(s, new)[:-1], "taken"])
    with session_factory(importer.database).begin() as other:
        values = {"title": "taken", "language": "en", "media_type": "audio", "kind": "episode"}
        editing.create(other, values, EDITOR)
    run = importer.go("feed", rss(episode(1), episode(2)), policy="publish")
    assert counts(run) == {"created": 2}
    assert [p.status for p in importer.programs()] == ["draft", "published", "published"]


def test_options_are_checked(session: Session) -> None:
    bad = Options(
        language="??",
        mapping={"a": "nothing", "b": "title", "c": "title"},
        delimiter="ab",
        encoding="klingon",
        namespace="a b",
    )
    with pytest.raises(ValidationFailed) as refused:
        runs.create(session, runs.Origin("csv", "file"), bad, EDITOR)
    fields = [e.field for e in refused.value.errors]
    assert fields == [
        "options.language",
        "options.mapping",
        "options.mapping",
        "options.delimiter",
        "options.encoding",
        "options.namespace",
    ]


@pytest.mark.slow
def test_old_documents_and_runs_are_pruned(importer: Importer, session: Session) -> None:
    old, new = (importer.go("feed", rss(episode(n))).id for n in (1, 2))
    session.execute(
        text("UPDATE import_runs SET finished_at = now() - interval '8 days' WHERE id = :i"), {"i": old}
    )
    assert runs.prune(session) == 1
    assert [d.run_id for d in session.query(ImportDocument)] == [new]
    session.execute(
        text("UPDATE import_runs SET finished_at = now() - interval '91 days' WHERE id = :i"), {"i": old}
    )
    runs.prune(session)
    assert [r.id for r in session.query(ImportRun)] == [new]
    with pytest.raises(Conflict):
        runs.retry(session, new, EDITOR)
