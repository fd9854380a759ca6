"""Carrying out a dry run: never over newer data, never more than its items, and without a word about its source."""

import pytest
from sqlalchemy.orm import Session

from catalog.core.db import session_factory
from catalog.core.errors import Conflict, ValidationFailed
from catalog.imports import refreshing, runs, sources
from catalog.imports.models import ImportRun, ImportSource
from catalog.imports.options import Options
from tests.support.importing import EDITOR, Importer, counts, episode, rss
from tests.support.sites import site

LINE = "{n},{title},en,audio,{category}\n"


def remembered(importer: Importer, url: str, trusted: object) -> int:
    importer.settings = importer.settings.model_copy(update={"trusted": trusted})
    with session_factory(importer.database).begin() as session:
        return sources.create(session, "feed", url, Options(), EDITOR).id


def start(importer: Importer, source_id: int, *, dry_run: bool = False, trigger: str = "editor") -> int:
    with session_factory(importer.database).begin() as session:
        source = sources.get(session, source_id, lock=True)
        return refreshing.start(session, source, EDITOR, trigger=trigger, dry_run=dry_run).id


def refresh(importer: Importer, source_id: int, **more: bool) -> ImportRun:
    return importer.run(start(importer, source_id, **more))


def apply(importer: Importer, run_id: int, positions: list[int] | None = None) -> int:
    with session_factory(importer.database).begin() as session:
        return runs.apply(session, run_id, positions, EDITOR).id


def source_of(importer: Importer, source_id: int) -> ImportSource:
    with session_factory(importer.database)() as session:
        return session.get_one(ImportSource, source_id)


def table(*rows: tuple[int, str, str]) -> bytes:
    lines = (LINE.format(n=n, title=title, category=category) for n, title, category in rows)
    return ("externalId,title,language,mediaType,category\n" + "".join(lines)).encode()


def test_an_old_dry_run_does_not_overwrite_what_was_imported_since(importer: Importer) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (200, {}, rss(episode(1, "Old")))
        source_id = remembered(importer, stranger.url("/feed"), stranger.trusted)
        dry = refresh(importer, source_id, dry_run=True)
        stranger.pages["/feed"] = (200, {}, rss(episode(1, "New")))
        waiting = start(importer, source_id)
        with pytest.raises(Conflict, match=f"Import {waiting} of the same source is still going on"):
            apply(importer, dry.id)
        importer.run(waiting)
        with pytest.raises(Conflict, match="Try it once more"):
            apply(importer, dry.id)
    assert [program.title for program in importer.programs()] == ["New"]


def test_after_a_dry_run_is_carried_out_the_next_refresh_reads_the_source_whole(importer: Importer) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (200, {"ETag": '"1"'}, rss(episode(1, "Old")))
        source_id = remembered(importer, stranger.url("/feed"), stranger.trusted)
        refresh(importer, source_id)
        before = source_of(importer, source_id)
        assert before.etag == '"1"'
        stranger.pages["/feed"] = (200, {"ETag": '"2"'}, rss(episode(1, "Changed"), episode(2)))
        dry = refresh(importer, source_id, dry_run=True)
        applied = importer.run(apply(importer, dry.id))
        assert (counts(applied)["created"], applied.applied_from, applied.source_id) == (1, dry.id, source_id)
        after = source_of(importer, source_id)
        assert (after.etag, after.last_modified, after.document_hash) == (None, None, None)
        # It says nothing of how the source is: it was not asked.
        assert (after.last_run_at, after.last_success_at, after.next_at, after.interval_sec) == (
            before.last_run_at,
            before.last_success_at,
            before.next_at,
            before.interval_sec,
        )
        assert after.last_change_at is not None
        assert before.last_change_at is not None
        assert after.last_change_at > before.last_change_at
        assert refresh(importer, source_id, trigger="schedule").code is None


def test_a_refresh_waits_while_a_dry_run_is_carried_out(importer: Importer, session: Session) -> None:
    with site() as stranger:
        stranger.pages["/feed"] = (200, {}, rss(episode(1)))
        source_id = remembered(importer, stranger.url("/feed"), stranger.trusted)
        dry = refresh(importer, source_id, dry_run=True)
        first = apply(importer, dry.id)
        with pytest.raises(Conflict):
            start(importer, source_id)
        with pytest.raises(Conflict, match=f"Import {first} "):
            apply(importer, dry.id)
        importer.run(first)
        # The rest of the same dry run is as new as its first part.
        assert counts(importer.run(apply(importer, dry.id))) == {"unchanged": 1}


def test_a_dry_run_of_failed_items_writes_only_those(importer: Importer) -> None:
    body = table((1, "One", ""), (2, "Two", "Missing"), (3, "Three", "Missing"))
    dry = importer.go("csv", body, dry_run=True)
    assert counts(dry) == {"created": 1, "failed": 2}
    with session_factory(importer.database).begin() as session:
        again_id = runs.retry(session, dry.id, EDITOR).id
    again = importer.run(again_id)
    assert [item.position for item in importer.items(again_id)] == [2, 3]
    applied = importer.run(apply(importer, again.id))
    assert [item.position for item in importer.items(applied.id)] == [2, 3]
    chosen = importer.run(apply(importer, again.id, [1, 2]))
    assert [item.position for item in importer.items(chosen.id)] == [2]
    with pytest.raises(ValidationFailed):
        apply(importer, again.id, [1])
    assert importer.programs() == []


def test_chosen_positions_stay_those_of_the_dry_run(importer: Importer) -> None:
    dry = importer.go("csv", table((1, "One", ""), (2, "Two", "")), dry_run=True, positions=[2])
    applied = importer.run(apply(importer, dry.id, [1, 2]))
    assert [program.title for program in importer.programs()] == ["Two"]
    assert counts(applied) == {"created": 1}


def test_chosen_feeds_of_a_list_are_remembered_and_started(importer: Importer, session: Session) -> None:
    outlines = "".join(f'<outline text="{n}" xmlUrl="https://{n}.example/f"/>' for n in "abc")
    dry = importer.go("opml", f"<opml><body>{outlines}</body></opml>".encode(), dry_run=True)
    applied = importer.run(apply(importer, dry.id, [1, 3]))
    assert counts(applied) == {"created": 2}, [item.code for item in importer.items(applied.id)]
    found = session.query(ImportSource).order_by(ImportSource.id).all()
    assert [source.url for source in found] == ["https://a.example/f", "https://c.example/f"]
    assert all("positions" not in source.options for source in found)
